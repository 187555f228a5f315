import type { EpochMs } from '../core/clock.ts';
import type { DetectorCounts } from '../core/detector.ts';
import type { ComponentState } from '../core/lifecycle.ts';
import type { Source } from '../core/source.ts';
import type { Stage } from '../core/stage.ts';
import type { GatewayStatus, SeriesStatus } from '../core/view.ts';
import type { Analysis } from './analysis.ts';
import type { Checkpointer } from './checkpointer.ts';
import type { ClockKeeper } from './clock-keeper.ts';
import type { DeviceClocks } from './device-clocks.ts';
import type { Forwarder } from './forwarder.ts';
import type { GatewayParts } from './gateway-parts.ts';
import type { Ledger } from './ledger.ts';
import type { LoadShedding } from './load-shedding.ts';
import { type MemoryHolders, memoryBounds } from './memory-bounds.ts';
import type { ResultLogs } from './result-logs.ts';
import type { StageSet } from './stage-set.ts';
import type { TableKeeper } from './table-keeper.ts';

/** What a status is told of. */
export interface StatusParts {
  readonly parts: GatewayParts;
  readonly state: ComponentState;
  readonly startedAt: number;
  readonly startedMonotonicMs: number;
  readonly sources: readonly Source[];
  readonly forwarders: readonly Forwarder[];
  readonly ledger: Ledger;
  readonly stages: StageSet;
  readonly derived: Analysis['derived'];
  /** Of the analysis. */
  readonly receiveTime: EpochMs;
  readonly checkpointer: Checkpointer;
  readonly clockKeeper: ClockKeeper;
  readonly tableKeeper: TableKeeper;
  readonly deviceClocks: DeviceClocks;
  readonly shedding: LoadShedding;
  readonly results: ResultLogs;
  readonly marks: MemoryHolders['marks'];
  readonly fates: MemoryHolders['fates'];
  readonly admission: MemoryHolders['admission'];
}

/** How the gateway and everything in it stand just now. */
export function gatewayStatus({ parts, state, sources, forwarders, ledger, ...rest }: StatusParts): GatewayStatus {
  const { clock, name, version, journal, alarmOutbox, outbox, registry } = parts;
  const ledgers = ledger.sources();
  const sinks = forwarders.map((forwarder) => forwarder.status());
  const sourceStatuses = sources.map((source) => ({
    name: source.name,
    type: source.type,
    ...source.status(),
    ledger: { ...(ledgers.get(source.name) ?? ledger.row(source.name)) },
  }));
  const journalStatus = journal.status();
  const tables = rest.tableKeeper.status();
  const isShort = rest.shedding.status().state !== 'normal';
  const troubled =
    [...sourceStatuses, ...sinks].some(({ state }) => state === 'degraded' || state === 'failed') ||
    tables.some(({ problem }) => problem !== null);
  return {
    name,
    version,
    state: state === 'running' && (troubled || journalStatus.trouble !== undefined || isShort) ? 'degraded' : state,
    startedAt: rest.startedAt,
    uptimeMs: clock.monotonicMs() - rest.startedMonotonicMs,
    now: clock.now(),
    clock: rest.clockKeeper.status(),
    deviceClocks: rest.deviceClocks.status(),
    sources: sourceStatuses,
    sinks,
    ledger: ledger.total(),
    journal: journalStatus,
    alarmOutbox: alarmOutbox.status(),
    outbox: outbox.status(),
    checkpoint: rest.checkpointer.status(),
    reduction: rest.stages.gate.counts(),
    tables,
    derived: rest.derived.status(),
    detectors: detectorCounts(Object.values(rest.stages.byName)),
    activeAlarms: rest.stages.alarmDesk.activeCount,
    alarms: rest.stages.alarmDesk.status(rest.receiveTime),
    maintenance: rest.stages.maintenance.list(clock.now()).filter(({ active }) => active),
    series: { count: registry.count, max: registry.max, refusedTotal: registry.refusedTotal },
    memory: {
      ...rest.shedding.status(),
      bounds: memoryBounds({
        ...parts,
        ...rest,
        sources,
        ledger,
        stages: [
          ...rest.stages.derivers,
          ...Object.values(rest.stages.byName),
          rest.stages.alarmDesk,
          rest.stages.maintenance,
        ],
      }),
    },
  };
}

/** Why data cannot be accepted and kept just now, a sentence each; empty when it can. */
export function reasonsNotReady({ parts, state, sources, shedding }: StatusParts): readonly string[] {
  const reasons: string[] = [];
  if (state !== 'running') reasons.push(`the gateway is ${state}`);
  const logs = { journal: parts.journal, outbox: parts.outbox, 'outbox of alarms': parts.alarmOutbox };
  for (const [what, log] of Object.entries(logs)) {
    const { trouble } = log.status();
    if (trouble !== undefined) reasons.push(`the ${what} cannot be written: ${trouble}`);
  }
  if (shedding.status().state === 'critical') reasons.push('memory is short: sources wait');
  for (const source of sources) {
    const { state, detail } = source.status();
    if (state === 'failed') reasons.push(`source ${source.name} has failed: ${detail}`);
  }
  return reasons;
}

/** How every series stands just now, in order of appearance. */
export function seriesStatus(
  { registry, recent }: GatewayParts,
  { watermarkOf, outOfOrdernessOf }: StageSet,
  deviceClocks: DeviceClocks,
): readonly SeriesStatus[] {
  return registry.all().map((series) => ({
    key: series.key,
    device: series.device,
    metric: series.metric,
    tags: series.tags,
    unit: series.unit ?? null,
    last: recent.last(series) ?? null,
    receivedTotal: recent.receivedTotal(series),
    rate: recent.rate(series),
    watermark: watermarkOf(series) ?? null,
    outOfOrdernessMs: outOfOrdernessOf(series) ?? null,
    skewMs: deviceClocks.skewMs(series) ?? null,
  }));
}

function detectorCounts(stages: readonly Stage[]): DetectorCounts {
  const counts = stages.map(({ detectors }) => detectors ?? { count: 0, learning: 0 });
  return {
    count: counts.reduce((sum, { count }) => sum + count, 0),
    learning: counts.reduce((sum, { learning }) => sum + learning, 0),
  };
}
