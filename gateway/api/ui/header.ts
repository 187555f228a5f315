import type { MaintenanceRow } from '../../core/maintenance.ts';
import type { ClockStatus, DeviceClocksStatus } from '../../core/view.ts';
import { formatBytes, formatDuration, formatMoment, formatRate } from './format.ts';
import { html, type View } from './html.ts';
import { State } from './state.ts';
import type { Store } from './store.ts';

/** Who this is and whether it is well. */
export function Header({ store }: { store: Store; version: number }): View {
  const { status } = store;
  const rate = [...(store.series?.values() ?? [])].reduce((sum, entry) => sum + entry.status.rate, 0);
  const reasons = status?.notReady ?? [];
  const troubled = [...(status?.sources ?? []), ...(status?.sinks ?? [])]
    .filter(({ state }) => state === 'degraded' || state === 'failed')
    .map(({ name, state }) => `; ${name} is ${state}`)
    .join('');
  return html`<header class="top">
    <img src="/ui/icon.svg" alt="" width="32" height="32" />
    <div class="who">
      <h1>${status?.name ?? 'Headgate'}</h1>
      <span class="muted">Headgate ${status?.version ?? ''}</span>
    </div>
    <${State} state=${status?.state ?? 'starting'} testid="state" />
    <span class=${`ready ${reasons.length === 0 ? 'yes' : 'no'}`} data-testid="ready" title=${reasons.join('; ')}>
      ${status === undefined ? '' : reasons.length === 0 ? `Ready: accepting and keeping data${troubled}` : `Not ready: ${reasons.join('; ')}`}
    </span>
    <dl class="facts">
      ${clockFact(status?.clock)}
      ${deviceClocksFact(status?.deviceClocks)}
      ${maintenanceFact(status?.maintenance ?? [], store.now())}
      <div><dt>Up</dt><dd data-testid="uptime">${status === undefined ? '–' : formatDuration(status.uptimeMs)}</dd></div>
      <div><dt>Readings</dt><dd>${formatRate(rate)}</dd></div>
      <div><dt>Series</dt><dd>${status?.series.count ?? '–'}</dd></div>
      <div><dt>Memory</dt><dd>${status === undefined ? '–' : formatBytes(status.memory.rssBytes)}</dd></div>
    </dl>
    <nav aria-label="More"><a href="/docs">API</a><a href="/api/v1/config">Configuration</a></nav>
  </header>`;
}

/** Only where people have to know: the clock is not believed, and readings may wait for it. */
function clockFact(clock: ClockStatus | undefined): View {
  if (clock === undefined || (clock.state !== 'unset' && clock.state !== 'waiting')) return null;
  const waiting = clock.provisionalReadings === 0 ? '' : `, ${clock.provisionalReadings} readings wait`;
  return html`<div><dt>Clock</dt><dd data-testid="clock" title=${clock.detail}>${clock.state}${waiting}</dd></div>`;
}

/** Only where there are any: devices that people should set the clock of. */
function deviceClocksFact(clocks: DeviceClocksStatus | undefined): View {
  if (clocks === undefined || clocks.aheadCount === 0) return null;
  const each = clocks.ahead.map(({ device, skewMs }) => `${device} by ${formatDuration(skewMs)}`).join(', ');
  const title = `ahead of the gateway's clock: ${each}${clocks.aheadCount > clocks.ahead.length ? ' …' : ''}`;
  return html`<div><dt>Device clocks</dt><dd data-testid="device-clocks" title=${title}>${clocks.aheadCount} ahead</dd></div>`;
}

/** Only where there is any: what no detector judges just now, which is why no alarm tells of it. */
function maintenanceFact(rows: readonly MaintenanceRow[], now: number): View {
  if (rows.length === 0) return null;
  const each = rows.map(({ series, until, reason }) => {
    const end = until === null ? '' : ` until ${formatMoment(until, now)}`;
    return `${series}${end}${reason === null ? '' : ` (${reason})`}`;
  });
  const title = `no detector judges ${each.join(', ')}`;
  return html`<div><dt>Maintenance</dt><dd data-testid="maintenance" title=${title}>${rows.length} on</dd></div>`;
}

/** Tells that what is shown may be old. Lies above the page, so that nothing moves. */
export function Banner({ store }: { store: Store; version: number }): View {
  if (store.connection === 'lost') {
    return html`<p class="banner lost" role="alert" data-testid="connection-lost">
      Connection lost. What you see is from before; trying again…
    </p>`;
  }
  if (store.trouble !== undefined)
    return html`<p class="banner" role="alert" data-testid="trouble">${store.trouble}</p>`;
  return null;
}
