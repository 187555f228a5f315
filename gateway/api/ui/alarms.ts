import type { AlarmRow } from '../../core/alarm.ts';
import { formatDuration, formatMoment } from './format.ts';
import { html, type View } from './html.ts';
import type { Store } from './store.ts';

const LIVE_MS = 24 * 60 * 60_000;

/** Active alarms, side by side in a strip whose height never changes. */
export function Alarms({ store }: { store: Store; version: number }): View {
  const { alarms } = store;
  const open = alarms.filter((alarm) => alarm.acknowledgedAt === null).length;
  return html`<section class="alarms" aria-labelledby="alarms-title" data-testid="alarms">
    <div class="alarms-head">
      <h2 id="alarms-title">Alarms</h2>
      <p class=${`alarms-count ${alarms.length === 0 ? 'none' : 'some'}`}>${alarms.length}</p>
      <p class="muted">${alarms.length === 0 ? 'none active' : open === 0 ? 'all acknowledged' : `${open} to acknowledge`}</p>
    </div>
    ${
      alarms.length === 0
        ? html`<p class="alarms-none"><span class="tick" aria-hidden="true">✓</span> No alarm is active.</p>`
        : html`<ul class="alarm-list" aria-live="polite" tabindex="0">
            ${alarms.map((alarm) => html`<${Alarm} key=${alarm.id} store=${store} alarm=${alarm} />`)}
          </ul>`
    }
  </section>`;
}

function Alarm({ store, alarm }: { store: Store; alarm: AlarmRow }): View {
  const { id, series, severity, message, raisedAt, acknowledgedAt } = alarm;
  const age = store.now() - raisedAt;
  // Played data has times of its own: then how long ago it was tells nothing.
  const since = age >= 0 && age < LIVE_MS ? ` · ${formatDuration(age)}` : '';
  return html`<li class=${`alarm ${severity} ${acknowledgedAt === null ? '' : 'acknowledged'}`} data-testid="alarm">
    <div class="alarm-top">
      <span class="badge">${severity}</span>
      <span class="alarm-since">since ${formatMoment(raisedAt, store.now())}${since}</span>
      ${
        acknowledgedAt === null
          ? html`<button type="button" class="ack" data-testid="alarm-ack" aria-label=${`Acknowledge alarm on ${series}`} onClick=${() => store.acknowledge(id)}>
              Acknowledge
            </button>`
          : html`<span class="acked" data-testid="alarm-acked">✓ Acknowledged</span>`
      }
    </div>
    <button type="button" class="link" onClick=${() => store.select(series)}>${series}</button>
    <p class="alarm-message" title=${message}>${message}</p>
  </li>`;
}
