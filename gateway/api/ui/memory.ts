import type { GatewayStatus } from '../../core/view.ts';
import { formatBytes, formatCompact } from './format.ts';
import { html, type View } from './html.ts';

/** Bounds that are shown: the fullest. */
const SHOWN = 4;

/** What the gateway holds in memory, and what it gives up where that is short. */
export function Memory({ memory }: { memory: GatewayStatus['memory'] }): View {
  const { rssBytes, heapUsedBytes, heapLimitBytes, state, shedding, bounds } = memory;
  const fullest = bounds.toSorted((a, b) => b.used / b.max - a.used / a.max).slice(0, SHOWN);
  const givenUp = shedding.filter((step) => step.active).map(({ name }) => name);
  const share = heapUsedBytes / heapLimitBytes;
  return html`<article class="component" data-testid="memory">
    <div class="component-head">
      <h3>Memory <span class="type">what load can fill, each up to its bound</span></h3>
      <span class="muted">${formatBytes(rssBytes)}; heap ${formatBytes(heapUsedBytes)} of ${formatBytes(heapLimitBytes)}</span>
    </div>
    <div class="bar" role="img" aria-label=${`heap ${Math.round(share * 100)} % full`}>
      <i class=${state === 'normal' ? '' : 'full'} style=${{ width: `${Math.min(100, share * 100).toFixed(2)}%` }}></i>
    </div>
    ${givenUp.length === 0 ? null : html`<p class="detail trouble">memory is ${state}: given up are ${givenUp.join(', ')}</p>`}
    <dl class="numbers">
      ${fullest.map(
        ({ name, used, max, unit }) =>
          html`<div key=${name} class=${used > 0.9 * max ? 'attention' : ''}><dt>${name}</dt><dd>${amount(used, unit)} of ${amount(max, unit)}</dd></div>`,
      )}
    </dl>
  </article>`;
}

function amount(value: number, unit: string): string {
  return unit === 'bytes' ? formatBytes(value) : formatCompact(value);
}
