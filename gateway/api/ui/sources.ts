import type { SinkBacklog, SinkStatus } from '../../core/view.ts';
import { formatBytes, formatCompact, formatCount, formatDuration } from './format.ts';
import { html, type View } from './html.ts';
import { State } from './state.ts';
import type { Store } from './store.ts';

/** Where readings come from. */
export function Sources({ store }: { store: Store; version: number }): View {
  const sources = store.status?.sources ?? [];
  return html`<section class="panel" aria-labelledby="sources-title">
    <div class="panel-head"><h2 id="sources-title">Sources</h2></div>
    ${sources.map(
      (source) => html`<article key=${source.name} class="component" data-testid="source">
        <div class="component-head"><h3>${source.name} <span class="type">${source.type}</span></h3><${State} state=${source.state} /></div>
        <p class="detail">${source.detail}</p>
        <dl class="numbers">
          ${telling(source.numbers).map(
            ([name, value]) => html`<div key=${name}><dt>${words(name)}</dt><dd>${number(name, value)}</dd></div>`,
          )}
          <div><dt>received</dt><dd>${formatCompact(source.ledger.received)}</dd></div>
        </dl>
      </article>`,
    )}
    ${sources.length === 0 ? html`<p class="empty">No source is configured. Add one under <code>sources:</code>.</p>` : null}
  </section>`;
}

/** Where results go, and what waits for each. */
export function Sinks({ store }: { store: Store; version: number }): View {
  const sinks = store.status?.sinks ?? [];
  return html`<section class="panel" aria-labelledby="sinks-title">
    <div class="panel-head"><h2 id="sinks-title">Sinks</h2></div>
    ${sinks.map((sink) => html`<${Sink} key=${sink.name} sink=${sink} />`)}
    ${sinks.length === 0 ? html`<p class="empty">No sink is configured. Add one under <code>sinks:</code>.</p>` : null}
  </section>`;
}

function Sink({ sink }: { sink: SinkStatus }): View {
  const { ledger, backlog } = sink;
  const lost = [
    ['superseded', ledger.superseded, ''],
    ['dropped', ledger.dropped, 'attention'],
    ['unaccounted', ledger.imbalance, 'attention'],
  ] as const;
  return html`<article class="component" data-testid="sink">
    <div class="component-head"><h3>${sink.name} <span class="type">${sink.type}</span></h3><${State} state=${sink.state} /></div>
    <p class="detail">${sink.detail}</p>
    <dl class="numbers">
      <div><dt>delivered</dt><dd>${formatCompact(ledger.delivered)}</dd></div>
      <div class=${ledger.rejected > 0 ? 'attention' : ''}><dt>rejected</dt><dd>${formatCompact(ledger.rejected)}</dd></div>
      ${lost.filter(([, count]) => count !== 0).map(([name, count, look]) => html`<div key=${name} class=${look}><dt>${name}</dt><dd>${formatCompact(count)}</dd></div>`)}
      <div><dt>failed attempts</dt><dd>${formatCompact(sink.failedAttemptsTotal)}</dd></div>
      <div class=${backlog.items > 0 ? 'attention' : ''}><dt>waiting</dt><dd data-testid="backlog">${formatCount(backlog.items)}</dd></div>
      <div><dt>size</dt><dd>${formatBytes(backlog.bytes)}</dd></div>
      <div><dt>oldest</dt><dd>${backlog.oldestAgeMs === null ? '–' : formatDuration(backlog.oldestAgeMs)}</dd></div>
    </dl>
    ${outlook(backlog) === '' ? null : html`<p class="detail" data-testid="outlook">${outlook(backlog)}</p>`}
  </article>`;
}

/** What will become of a backlog at the present rate, in a sentence; empty when there is nothing to say. */
export function outlook({ items, drainSeconds, fullInSeconds }: SinkBacklog): string {
  if (items === 0) return '';
  if (fullInSeconds === 0) return 'No room is left: storage.outbox.whenFull says what gives way.';
  if (fullInSeconds !== null)
    return `Its buffer is full in about ${formatDuration(fullInSeconds * 1000)} at this rate.`;
  return drainSeconds === null ? '' : `Drained in about ${formatDuration(drainSeconds * 1000)}.`;
}

const ALWAYS_SHOWN = 2;

/** The numbers worth their room: the first ones, and whatever is not zero. */
function telling(numbers: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(numbers).filter(([, value], index) => index < ALWAYS_SHOWN || value !== 0);
}

function number(name: string, value: number): string {
  return name.endsWith('Bytes') ? formatBytes(value) : formatCompact(value);
}

/** `refusedClientsTotal` as people write it: refused clients. */
function words(name: string): string {
  return name
    .replace(/(Total|Bytes)$/, '')
    .replace(/[_-]/g, ' ')
    .replace(/([a-z])([A-Z])/g, (_all, before, letter) => `${before} ${letter.toLowerCase()}`);
}
