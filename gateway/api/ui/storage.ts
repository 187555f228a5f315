import type { LogStatus } from '../../core/log.ts';
import { formatBytes, formatCompact, formatDuration } from './format.ts';
import { html, type View } from './html.ts';
import { Memory } from './memory.ts';
import type { Store } from './store.ts';

/** What lies on the gateway's disk. */
export function Storage({ store }: { store: Store; version: number }): View {
  const { status } = store;
  if (status === undefined) return html`<section class="panel" aria-label="Storage"></section>`;
  const { ageMs, bytes, offset } = status.checkpoint;
  return html`<section class="panel storage" aria-labelledby="storage-title">
    <div class="panel-head"><h2 id="storage-title">Storage and memory</h2></div>
    <div class="components">
    <${LogCard} name="Journal" about="readings until a checkpoint covers them" log=${status.journal} now=${store.now()} />
    <${LogCard} name="Alarm outbox" about="alarms until every sink has them" log=${status.alarmOutbox} now=${store.now()} />
    <${LogCard} name="Outbox" about="other results until every sink has them" log=${status.outbox} now=${store.now()} />
    <article class="component" data-testid="checkpoint">
      <div class="component-head"><h3>Checkpoint</h3><span class="muted">${ageMs === null ? 'none yet' : `${formatDuration(ageMs)} ago`}</span></div>
      <dl class="numbers">
        <div><dt>size</dt><dd>${formatBytes(bytes)}</dd></div>
        <div><dt>journal offset</dt><dd>${formatCompact(offset)}</dd></div>
      </dl>
    </article>
    <${Memory} memory=${status.memory} />
    </div>
  </section>`;
}

function LogCard({ name, about, log, now }: { name: string; about: string; log: LogStatus; now: number }): View {
  const share = log.maxBytes > 0 ? Math.min(1, log.bytes / log.maxBytes) : 0;
  const oldest =
    log.oldestTime === undefined || log.firstOffset === log.nextOffset ? '–' : formatDuration(now - log.oldestTime);
  return html`<article class="component" data-testid=${`log-${name.toLowerCase()}`}>
    <div class="component-head">
      <h3>${name} <span class="type">${about}</span></h3>
      <span class="muted">${formatBytes(log.bytes)} of ${formatBytes(log.maxBytes)}</span>
    </div>
    <div class="bar" role="img" aria-label=${`${Math.round(share * 100)} % full`}>
      <i class=${share > 0.9 ? 'full' : ''} style=${{ width: `${(share * 100).toFixed(2)}%` }}></i>
    </div>
    ${log.trouble === undefined ? null : html`<p class="detail trouble">${log.trouble}</p>`}
    <dl class="numbers">
      <div><dt>records</dt><dd>${formatCompact(log.nextOffset - log.firstOffset)}</dd></div>
      <div><dt>segments</dt><dd>${formatCompact(log.segments)}</dd></div>
      <div><dt>oldest</dt><dd>${oldest}</dd></div>
      <div class=${log.droppedItems > 0 ? 'attention' : ''}><dt>dropped</dt><dd>${formatCompact(log.droppedItems)}</dd></div>
      <div class=${log.quarantined > 0 ? 'attention' : ''}><dt>set aside</dt><dd>${formatCompact(log.quarantined)}</dd></div>
      ${log.damagedItems > 0 ? html`<div class="attention"><dt>damaged</dt><dd>${formatCompact(log.damagedItems)}</dd></div>` : null}
    </dl>
  </article>`;
}
