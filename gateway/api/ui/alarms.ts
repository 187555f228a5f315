import type { AlarmRow } from '../../core/alarm.ts';
import { AlarmDialog } from './alarm-dialog.ts';
import { type AlarmGroup, groupAlarms } from './alarm-groups.ts';
import { formatDuration, formatMoment } from './format.ts';
import { html, type View } from './html.ts';
import type { Store } from './store.ts';

const LIVE_MS = 24 * 60 * 60_000;

/** Open alarms, side by side in a strip whose height never changes; those of one device that came together are together. */
export function Alarms({ store }: { store: Store; version: number }): View {
  const { alarms, attended } = store;
  const unseen = alarms.filter((alarm) => alarm.acknowledgedAt === null).length;
  const flood = store.status?.alarms.flood ?? null;
  const { count = 0, learning = 0 } = store.status?.detectors ?? {};
  const stillLearning = learning === 0 ? '' : ` ${learning} of ${count} detectors are still learning.`;
  const words = alarms.length === 0 ? 'none active' : unseen === 0 ? 'all acknowledged' : `${unseen} to acknowledge`;
  return html`<section class="alarms" aria-labelledby="alarms-title" data-testid="alarms">
    <div class="alarms-head">
      <h2 id="alarms-title">Alarms</h2>
      <p class=${`alarms-count ${alarms.length === 0 ? 'none' : 'some'}`}>${alarms.length}</p>
      <p class="muted">${flood === null ? words : `flood: ${flood.suppressed} told to nobody`}</p>
      ${
        unseen > 1
          ? html`<button type="button" class="ack-all" data-testid="alarm-ack-all" onClick=${() => store.acknowledgeAll()}>Acknowledge all</button>`
          : null
      }
    </div>
    ${
      alarms.length === 0
        ? html`<p class="alarms-none"><span class="tick" aria-hidden="true">✓</span> No alarm is active.${stillLearning}</p>`
        : html`<ul class="alarm-list" aria-live="polite" tabindex="0">
            ${groupAlarms(alarms).map((group) => html`<${Group} key=${group.id} store=${store} group=${group} />`)}
          </ul>`
    }
    ${attended === undefined ? null : html`<${AlarmDialog} key=${attended.id} store=${store} alarm=${attended} />`}
  </section>`;
}

function Group({ store, group }: { store: Store; group: AlarmGroup }): View {
  const { device, alarms, severity, message } = group;
  const first = alarms[0];
  if (alarms.length === 1) return html`<${Alarm} store=${store} alarm=${first} />`;
  return html`<li class=${`alarm-group ${severity}`} data-testid="alarm-group">
    <p class="alarm-group-head" title=${message}><span class="badge">${severity}</span> ${alarms.length} alarms of ${device}</p>
    <ul>
      ${alarms.map((alarm) => html`<${Alarm} key=${alarm.id} store=${store} alarm=${alarm} />`)}
    </ul>
  </li>`;
}

function Alarm({ store, alarm }: { store: Store; alarm: AlarmRow }): View {
  const { id, series, severity, message, acknowledgedAt, count } = alarm;
  return html`<li class=${`alarm ${severity} ${acknowledgedAt === null ? '' : 'acknowledged'}`} data-testid="alarm">
    <div class="alarm-top">
      <span class="badge">${severity}</span>
      <span class="alarm-since">${standing(alarm, store.now())}</span>
      ${count > 1 ? html`<span class="alarm-times" title="How often it came">${count}×</span>` : null}
      ${
        acknowledgedAt === null
          ? html`<button type="button" class="ack" data-testid="alarm-ack" aria-label=${`Acknowledge alarm on ${series}`} onClick=${() => store.acknowledge(id)}>
              Acknowledge
            </button>`
          : html`<span class="acked" data-testid="alarm-acked">✓ Acknowledged</span>`
      }
      <button type="button" class="more" data-testid="alarm-more" aria-label=${`More about the alarm on ${series}`} onClick=${() => store.attend(alarm)}>⋯</button>
    </div>
    <button type="button" class="link" onClick=${() => store.select(series)}>${series}</button>
    <p class="alarm-message" title=${message}>${message}</p>
  </li>`;
}

/** How it stands, in a few words. */
function standing({ state, raisedAt, clearedAt, shelvedUntil }: AlarmRow, now: number): string {
  if (state === 'shelved')
    return shelvedUntil === null ? 'shelved' : `shelved until ${formatMoment(shelvedUntil, now)}`;
  if (state === 'out-of-service') return `in maintenance · since ${formatMoment(raisedAt, now)}`;
  if (clearedAt !== null) return `over since ${formatMoment(clearedAt, now)}`;
  const age = now - raisedAt;
  // Played data has times of its own: then how long ago it was tells nothing.
  const since = age >= 0 && age < LIVE_MS ? ` · ${formatDuration(age)}` : '';
  return `${state === 'suppressed' ? 'in a flood · ' : ''}since ${formatMoment(raisedAt, now)}${since}`;
}
