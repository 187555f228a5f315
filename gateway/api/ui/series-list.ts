import { useState } from 'preact/hooks';
import { formatRate, formatValue } from './format.ts';
import { html, type View } from './html.ts';
import { RECENT, type SeriesEntry, type Store } from './store.ts';

// More rows than this only slow the browser down: nobody reads them without searching.
const MAX_ROWS = 150;

/** Every series with its newest value; choosing one shows it in the chart. */
export function SeriesList({ store }: { store: Store; version: number }): View {
  const [search, setSearch] = useState('');
  const all = [...(store.series?.values() ?? [])];
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.filter(({ status }) => words.every((word) => status.key.toLowerCase().includes(word)));
  const active = store.alarms.filter(({ clearedAt }) => clearedAt === null);
  const alarmed = new Set(active.map((alarm) => alarm.series));
  return html`<section class="panel series-panel" aria-labelledby="series-title">
    <div class="panel-head">
      <h2 id="series-title">Series</h2>
      <span class="muted">${words.length > 0 ? `${found.length} of ${all.length}` : all.length}</span>
    </div>
    <input
      type="search"
      class="search"
      placeholder="Search device or metric"
      aria-label="Search series"
      value=${search}
      onInput=${(event: Event) => setSearch((event.currentTarget as HTMLInputElement).value)}
    />
    <ul class="series-list">
      ${found
        .slice(0, MAX_ROWS)
        .map(
          (entry) =>
            html`<${Row} key=${entry.status.key} store=${store} entry=${entry} alarmed=${alarmed.has(entry.status.key)} />`,
        )}
    </ul>
    <${Note} store=${store} all=${all.length} found=${found.length} />
  </section>`;
}

function Row({ store, entry, alarmed }: { store: Store; entry: SeriesEntry; alarmed: boolean }): View {
  const { key, device, metric, unit, last, rate, tags } = entry.status;
  const quality = last?.quality ?? 'good';
  const site = tags['site'];
  return html`<li>
    <button
      type="button"
      class=${`series-row${alarmed ? ' alarmed' : ''}`}
      data-testid="series-row"
      data-series=${key}
      aria-current=${String(store.chart.key === key)}
      title=${key}
      onClick=${() => store.select(key)}
    >
      <span class="series-name"><span class="metric">${metric}</span><span class="device">${site === undefined ? device : `${site} · ${device}`}</span></span>
      <${Sparkline} values=${entry.recent} />
      <span class="series-numbers">
        <span class="value" data-testid="series-value">${formatValue(last?.value)}<span class="unit">${unit ?? ''}</span></span>
        <span class="sub">
          ${quality === 'good' ? null : html`<span class=${`quality ${quality}`}>${quality}</span>`}
          <span>${formatRate(rate)}</span>
        </span>
      </span>
    </button>
  </li>`;
}

const WIDTH = 72;
const HEIGHT = 26;

/** The newest values as a tiny line, each series on a scale of its own. */
function Sparkline({ values }: { values: readonly number[] }): View {
  // Halves, as the difference of two huge values would be infinite.
  const low = Math.min(...values) / 2;
  const high = Math.max(...values) / 2;
  const span = high - low || 1;
  const points = values
    .map((value, index) => {
      const x = WIDTH - ((values.length - 1 - index) * WIDTH) / (RECENT - 1);
      const y = high === low ? HEIGHT / 2 : HEIGHT - 3 - ((value / 2 - low) / span) * (HEIGHT - 6);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
  return html`<svg class="spark" width=${WIDTH} height=${HEIGHT} viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
    <polyline points=${values.length > 1 ? points : ''} />
  </svg>`;
}

function Note({ store, all, found }: { store: Store; all: number; found: number }): View {
  if (store.series === undefined) return html`<p class="empty">Reading the series…</p>`;
  if (all === 0) return html`<${FirstReading} store=${store} />`;
  if (found === 0) return html`<p class="empty">No series fits. Search for a part of its device or metric.</p>`;
  if (found > MAX_ROWS) return html`<p class="empty">${found - MAX_ROWS} more: search to see them.</p>`;
  return null;
}

/** What to do on a gateway that has seen nothing yet. */
function FirstReading({ store }: { store: Store }): View {
  const broker = store.status?.sources.find((source) => source.type === 'mqtt');
  // The broker's sentence names where it listens.
  const port = /listen\S* on \S+:(\d+)/.exec(broker?.detail ?? '')?.[1] ?? '1883';
  return html`<div class="empty" data-testid="no-series">
    <p><b>No series yet.</b> Publish a first reading to the gateway:</p>
    <pre>mosquitto_pub -h ${location.hostname} -p ${port} \\
  -t sensors/demo/temperature \\
  -m '{"value": 21.5}'</pre>
    <p>It appears here at once. Nothing? See the sources and the dead letters below.</p>
  </div>`;
}
