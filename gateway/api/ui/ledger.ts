import type { GatewayStatus, LedgerCounts, LedgerReport } from '../../core/view.ts';
import { formatCount } from './format.ts';
import { html, type View } from './html.ts';
import type { Store } from './store.ts';

const TERMS = [
  ['inFlight', 'in flight'],
  ['aggregated', 'aggregated'],
  ['filtered', 'filtered'],
  ['duplicate', 'duplicate'],
  ['late', 'late'],
  ['rejected', 'rejected'],
  ['dropped', 'dropped'],
] as const;

/** Where every reading went: for each source an equation that must hold. */
export function Ledger({ store }: { store: Store; version: number }): View {
  const sources = store.status?.sources ?? [];
  const all = store.status?.ledger;
  const reduction = store.status?.reduction ?? [];
  const tables = (store.status?.tables ?? []).filter(({ problem }) => problem !== null);
  const derived = store.status?.derived ?? [];
  return html`<section class="panel ledger-panel" aria-labelledby="ledger-title">
    <div class="panel-head">
      <h2 id="ledger-title">Ledger</h2>
      <span class="muted">every reading ends in exactly one place</span>
    </div>
    ${sources.map((source) => html`<${Balance} key=${source.name} name=${source.name} counts=${source.ledger} />`)}
    ${all !== undefined && sources.length > 1 ? html`<${Balance} name="all sources" counts=${all} />` : null}
    ${reduction.length === 0 ? null : html`<${Reduction} rules=${reduction} />`}
    ${tables.length === 0 ? null : html`<${Tables} rows=${tables} />`}
    ${derived.length === 0 ? null : html`<${Derived} rows=${derived} />`}
    ${store.ledger === undefined || store.ledger.groups.length === 0 ? null : html`<${Devices} report=${store.ledger} />`}
  </section>`;
}

/** What each rule of the reduction let go on to windows and detectors. */
function Reduction({ rules }: { rules: GatewayStatus['reduction'] }): View {
  return html`<div class="devices" tabindex="0" role="region" aria-label="Reduction">
    <table data-testid="reduction">
      <caption class="muted">reduced: what said nothing new is filtered</caption>
      <thead><tr><th scope="col">series</th><th scope="col">went on</th><th scope="col">filtered</th></tr></thead>
      <tbody>
        ${rules.map(
          ({ series, passed, filtered }) => html`<tr key=${series}>
            <th scope="row">${series}</th><td>${formatCount(passed)}</td><td>${formatCount(filtered)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Tables whose files are not taken. */
function Tables({ rows }: { rows: GatewayStatus['tables'] }): View {
  return html`<ul class="muted" data-testid="tables">
    ${rows.map(({ name, problem }) => html`<li key=${name}>table ${name} stays as it was: ${problem}</li>`)}
  </ul>`;
}

/** What derivations and joins have made of readings, and what could not be computed. */
function Derived({ rows }: { rows: GatewayStatus['derived'] }): View {
  return html`<div class="devices" tabindex="0" role="region" aria-label="Derived readings">
    <table data-testid="derived">
      <caption class="muted">derived: in no sum above, as nobody has sent it</caption>
      <thead><tr><th scope="col">by</th><th scope="col">series</th><th scope="col">readings</th><th scope="col">not computed</th></tr></thead>
      <tbody>
        ${rows.map(
          ({ name, series, ledger, lastProblem }) => html`<tr key=${name}>
            <th scope="row">${name}</th><td>${formatCount(series)}</td><td>${formatCount(ledger.received)}</td>
            <td class=${`rejected ${ledger.rejected === 0 ? 'zero' : ''}`} title=${lastProblem}>${formatCount(ledger.rejected)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** The same readings by device, those first that lost most to other fates than an aggregate. */
function Devices({ report }: { report: LedgerReport }): View {
  const { groups, groupCount } = report;
  return html`<div class="devices" tabindex="0" role="region" aria-label="Ledger by device">
    <table class="by-device" data-testid="ledger-devices">
      <caption class="muted">by device${groups.length < groupCount ? `, ${groups.length} of ${formatCount(groupCount)}` : ''}</caption>
      <thead>
        <tr><th scope="col">device</th><th scope="col">received</th>${TERMS.map(([term, label]) => html`<th key=${term} scope="col">${label}</th>`)}</tr>
      </thead>
      <tbody>
        ${groups.map(
          (row) => html`<tr key=${row.name} class=${row.imbalance === 0 ? '' : 'no'}>
            <th scope="row">${row.name}</th><td data-label="received">${formatCount(row.received)}</td>
            ${TERMS.map(([term, label]) => html`<td key=${term} data-label=${label} class=${`${term} ${row[term] === 0 ? 'zero' : ''}`}>${formatCount(row[term])}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Balance({ name, counts }: { name: string; counts: LedgerCounts }): View {
  const sum = TERMS.reduce((total, [term]) => total + counts[term], 0);
  const balanced = sum === counts.received;
  return html`<div class="ledger" data-testid="ledger">
    <h3>${name}</h3>
    <div class="balance">
      <${Term} label="received" value=${counts.received} kind="total" />
      ${TERMS.map(([term, label], index) => html`<${Term} key=${term} sign=${index === 0 ? '=' : '+'} label=${label} value=${counts[term]} kind=${term} />`)}
    </div>
    <p class=${`verdict ${balanced ? 'yes' : 'no'}`} data-testid="ledger-balance">
      ${balanced ? '✓ balances' : `✗ ${formatCount(counts.received - sum)} unaccounted for`}
    </p>
  </div>`;
}

function Term({ sign, label, value, kind }: { sign?: string; label: string; value: number; kind: string }): View {
  return html`<span class=${`term ${kind} ${value === 0 ? 'zero' : ''}`}>
    <span class="sign" aria-hidden=${sign === undefined ? 'true' : null}>${sign ?? ''}</span>
    <span class="term-body"><span class="term-value">${formatCount(value)}</span><span class="term-label">${label}</span></span>
  </span>`;
}
