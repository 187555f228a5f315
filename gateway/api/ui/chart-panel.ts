import { useEffect, useRef, useState } from 'preact/hooks';
import { Chart, type Hover } from './chart.ts';
import { RANGES } from './chart-data.ts';
import { formatDay, formatDuration, formatMoment, formatValue } from './format.ts';
import { html, type View } from './html.ts';
import type { SeriesEntry, Store } from './store.ts';

/** The large chart of the selected series, with its range and window. */
export function ChartPanel({ store, version }: { store: Store; version: number }): View {
  const { chart } = store;
  const entry = chart.key === undefined ? undefined : store.series?.get(chart.key);
  const [hover, setHover] = useState<Hover | undefined>(undefined);
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Chart | undefined>(undefined);
  useEffect(() => {
    if (host.current === null) return undefined;
    const made = new Chart(host.current, setHover);
    plot.current = made;
    return () => made.close();
  }, []);
  // Not after a move of the pointer: drawing moves it anew.
  useEffect(() => plot.current?.draw(chart), [version]);

  return html`<section class="panel chart-panel" aria-labelledby="chart-title">
    <div class="panel-head">
      <h2 id="chart-title" class="series-title">
        ${
          entry === undefined
            ? (chart.key ?? 'No series selected')
            : html`<span><span class="device">${entry.status.device}</span> <b>${entry.status.metric}</b></span>`
        }
      </h2>
      <${Controls} store=${store} />
    </div>
    <${Readout} store=${store} entry=${entry} hover=${hover} />
    <div class="chart-area">
      <div
        class="chart-host"
        ref=${host}
        data-testid="chart"
        role="img"
        aria-label=${`Chart of ${chart.key ?? 'no series'}, ${describe(store)}`}
        onClick=${() => hover?.reading && store.explain(hover.reading.sourceTime)}
      ></div>
      <${Overlay} store=${store} entry=${entry} />
    </div>
    <${Legend} store=${store} />
  </section>`;
}

function Controls({ store }: { store: Store }): View {
  const { chart } = store;
  const windows = chart.windows();
  return html`<div class="controls">
    <label class="field" hidden=${windows.length === 0}>
      <span>Window</span>
      <select
        data-testid="window"
        value=${chart.window()}
        onChange=${(event: Event) => {
          chart.chosenWindow = (event.currentTarget as HTMLSelectElement).value;
          store.changed();
        }}
      >
        ${windows.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select>
    </label>
    <div class="segments" role="group" aria-label="Range">
      ${RANGES.map(
        ({ label, ms }) =>
          html`<button
            key=${label}
            type="button"
            aria-pressed=${String(chart.rangeMs === ms)}
            onClick=${() => store.setRange(ms)}
          >
            ${label}
          </button>`,
      )}
    </div>
  </div>`;
}

/** The numbers under the pointer, or the newest ones. Always of one height. */
function Readout({
  store,
  entry,
  hover,
}: {
  store: Store;
  entry: SeriesEntry | undefined;
  hover: Hover | undefined;
}): View {
  const { chart } = store;
  const unit = entry?.status.unit ?? '';
  const reading = hover === undefined ? (chart.readings.at(-1) ?? entry?.status.last) : hover.reading;
  const aggregate = hover === undefined ? chart.aggregates().at(-1) : hover.aggregate;
  const time = hover?.time ?? reading?.sourceTime;
  const window = aggregate?.window ?? '';
  const field = (name: string) => formatValue(aggregate?.fields[name]);
  return html`<dl class="readout" data-testid="readout">
    <div class="readout-main">
      <dt>${hover === undefined ? 'Newest' : 'At pointer'}</dt>
      <dd class="big">${formatValue(reading?.value)} <span class="unit">${unit}</span></dd>
    </div>
    <div><dt>Mean ${window}</dt><dd>${field('mean')}</dd></div>
    <div><dt>Min</dt><dd>${field('min')}</dd></div>
    <div><dt>Max</dt><dd>${field('max')}</dd></div>
    <div><dt>Quality</dt><dd class=${`quality ${reading?.quality ?? ''}`}>${reading?.quality ?? '–'}</dd></div>
    <div class="readout-time"><dt>Time</dt><dd>${time === undefined ? '–' : formatMoment(time, store.now())}</dd></div>
  </dl>`;
}

function Overlay({ store, entry }: { store: Store; entry: SeriesEntry | undefined }): View {
  const { chart } = store;
  if (chart.key === undefined)
    return html`<p class="overlay">Readings are drawn here as soon as there is a series.</p>`;
  if (store.series !== undefined && entry === undefined) {
    return html`<p class="overlay">There is no series ${chart.key} (yet). Choose another one from the list.</p>`;
  }
  const last = entry?.status.last?.value;
  if (typeof last === 'string') {
    const texts = chart.readings.slice(-8).toReversed();
    return html`<div class="overlay">
      <p>This series holds text. Its newest values:</p>
      <ul class="texts">
        ${texts.map((row) => html`<li key=${row.sourceTime}>${formatMoment(row.sourceTime, store.now())} <b>${String(row.value)}</b></li>`)}
      </ul>
    </div>`;
  }
  if (chart.readings.length > 0 || chart.aggregates().length > 0) return null;
  return html`<p class="overlay">${chart.loading ? 'Reading…' : 'No readings in this stretch of time. Choose a longer range.'}</p>`;
}

function Legend({ store }: { store: Store }): View {
  const { chart } = store;
  const window = chart.window();
  const { to, live } = chart.span();
  return html`<div class="legend">
    <span><i class="key line"></i>readings</span>
    <span><i class="key band"></i>min–max${window === undefined ? '' : ` of ${window}`}</span>
    <span><i class="key mean"></i>mean</span>
    <span><i class="key anomaly"></i>anomaly</span>
    <span><i class="key shade"></i>alarm</span>
    <span class="legend-note" data-testid="data-time">
      ${
        live || chart.readings.length === 0
          ? ''
          : `Data of ${formatDay(to)}: the newest reading is ${formatDuration(Math.abs(store.now() - to))} ${to > store.now() ? 'ahead' : 'old'}`
      }
    </span>
  </div>`;
}

function describe(store: Store): string {
  const { readings } = store.chart;
  const anomalies = readings.filter((row) => row.anomaly).length;
  return `${readings.length} readings, ${anomalies} anomalies, newest ${formatValue(readings.at(-1)?.value)}`;
}
