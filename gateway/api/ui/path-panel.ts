import { useState } from 'preact/hooks';
import type { ExplainedDerived, ExplainedWindow, Explanation } from '../../core/inspection.ts';
import { formatMoment, formatTime, formatValue } from './format.ts';
import { html, type View } from './html.ts';
import type { Store } from './store.ts';
import { TAP_ROWS } from './tap.ts';

/** Where a reading of the series on show went, stage by stage, and what passes one of them just now. */
export function PathPanel({ store }: { store: Store; version: number }): View {
  const { explanation } = store.path;
  return html`<section class="panel path-panel" aria-labelledby="path-title" data-testid="path">
    <div class="panel-head">
      <h2 id="path-title">Path of a reading</h2>
      <button type="button" class="quiet" data-testid="path-newest" hidden=${explanation === undefined} onClick=${() => store.explainNewest()}>
        Newest
      </button>
    </div>
    ${
      explanation === undefined
        ? html`<p class="empty">Where a reading goes is told here as soon as there is one.</p>`
        : html`<${Verdict} store=${store} explanation=${explanation} />`
    }
    ${
      explanation === undefined
        ? null
        : html`<div class="path-body"><${Stages} explanation=${explanation} /><${Watch} store=${store} /></div>`
    }
  </section>`;
}

function Verdict({ store, explanation }: { store: Store; explanation: Explanation }): View {
  const { verdict, summary, readings, series, time, duplicates } = explanation;
  const value = readings.map((one) => `${formatValue(one.value)}, ${one.quality}`).join(' and ');
  return html`<p class="path-verdict" data-testid="path-verdict">
    <b class=${verdict}>${verdict}</b>
    ${' '}<span>${series} at ${formatMoment(time, store.now())}${value === '' ? '' : `: ${value}`}</span>
    ${duplicates === 0 ? null : html`<span>, came ${duplicates} more times</span>`}
    <span class="muted">${' '}${summary}</span>
  </p>`;
}

function Stages({ explanation }: { explanation: Explanation }): View {
  const { consumers, windows, derived, alarms } = explanation;
  const detectors = consumers.detectors.map(({ detector }) => detector);
  const silent = consumers.readBy.filter((by) => !derived.some((one) => one.by === by));
  return html`<ol class="path" data-testid="path-stages">
    <${Stage} name="Reduction" none="every reading goes on" lines=${consumers.reduction === null ? [] : [consumers.reduction]} />
    <${Stage} name="Read by" none="no derivation or join" lines=${[...derived.map(derivedLine), ...silent]} />
    <${Stage} name="Windows" none="none" lines=${windows.map(windowLine)} />
    <${Stage} name="Detectors" none="none" lines=${[...detectors, ...alarms.map(({ severity, detector }) => `alarm then: ${severity} of ${detector}`)]} />
  </ol>`;
}

function Stage({ name, none, lines }: { name: string; none: string; lines: readonly string[] }): View {
  return html`<li>
    <h3>${name}</h3>
    ${lines.length === 0 ? html`<p class="muted">${none}</p>` : html`<ul>${lines.map((line) => html`<li key=${line}>${line}</li>`)}</ul>`}
  </li>`;
}

function derivedLine({ by, series, readings, mayFollow }: ExplainedDerived): string {
  const values = readings.map(({ value }) => formatValue(value)).join(', ');
  return `${by}: ${series} ${values === '' ? (mayFollow ? 'to come' : 'nothing') : values}`;
}

const HOLDS = { true: '', false: 'does not hold it, ', null: '' } as const;

function windowLine({ window, start, end, state, revision, holds }: ExplainedWindow): string {
  const result = revision === null || revision === 0 ? '' : `, revision ${revision}`;
  return `${window} ${formatTime(start)} – ${formatTime(end)}: ${HOLDS[`${holds}`]}${state === 'given' ? 'ended' : state}${result}`;
}

/** A stage can be watched live, a few lines a second. */
function Watch({ store }: { store: Store }): View {
  const { tap, path } = store;
  const { watchable } = path;
  const [chosen, choose] = useState('fates');
  const target = watchable.find(({ stage }) => stage === chosen) ?? watchable[0];
  const isOpen = tap.watched !== undefined;
  const rows = Array.from({ length: TAP_ROWS }, (_, at) => tap.rows[at] ?? ' ');
  return html`<div class="watch-stage">
    <div class="controls">
      <label class="field">
        <span>Watch</span>
        <select
          data-testid="tap-stage"
          value=${target?.stage}
          onChange=${(event: Event) => {
            const stage = (event.currentTarget as HTMLSelectElement).value;
            choose(stage);
            const next = watchable.find((one) => one.stage === stage);
            if (isOpen && next !== undefined) tap.open(next);
          }}
        >
          ${watchable.map(({ stage }) => html`<option key=${stage} value=${stage}>${stage}</option>`)}
        </select>
      </label>
      <button
        type="button"
        class="quiet"
        data-testid="tap-toggle"
        aria-pressed=${String(isOpen)}
        disabled=${target === undefined}
        onClick=${() => (isOpen || target === undefined ? tap.close() : tap.open(target))}
      >
        ${isOpen ? 'Stop' : 'Start'}
      </button>
      <span class="muted" data-testid="tap-note">${tap.trouble ?? (tap.leftOut > 0 ? `${tap.leftOut} more passed` : '')}</span>
    </div>
    <ol class="tap-rows" data-testid="tap-rows">${rows.map((row, at) => html`<li key=${at}>${row}</li>`)}</ol>
  </div>`;
}
