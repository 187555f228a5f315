import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ComponentState } from '../core/lifecycle.ts';
import type { LogStatus } from '../core/log.ts';
import type { ClockState, GatewayStatus, LedgerReport } from '../core/view.ts';

const STATES: readonly ComponentState[] = ['starting', 'running', 'degraded', 'draining', 'stopped', 'failed'];
const CLOCK_STATES: readonly ClockState[] = ['synchronised', 'believed', 'waiting', 'unset'];
const FATES = ['aggregated', 'filtered', 'duplicate', 'late', 'rejected', 'dropped'] as const;

/** What the API itself counts. */
export interface ApiCounts {
  readonly ready: boolean;
  readonly streamClients: number;
  readonly slowClients: number;
  readonly upgradedSockets: number;
}

/** What a scrape tells. */
export interface Scrape {
  readonly status: GatewayStatus;
  /** With as many groups as there may be label values. */
  readonly ledger: LedgerReport;
  readonly api: ApiCounts;
}

/**
 * The status in Prometheus' words. Nothing is counted twice: at each scrape the metrics are set from what the gateway counts
 * itself, so the two cannot disagree.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Content type of `render`'s text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text of a scrape. */
  async render({ status, ledger, api }: Scrape): Promise<string> {
    // Sources, sinks and their labels may go away with a new configuration.
    for (const metric of [...this.#gauges.values(), ...this.#counters.values()]) metric.reset();
    this.#gateway(status, api);
    this.#clock(status);
    this.#deviceClocks(status);
    this.#sources(status);
    this.#ledger(ledger);
    this.#sinks(status);
    this.#memory(status.memory);
    this.#log('journal', status.journal);
    this.#log('alarms', status.alarmOutbox);
    this.#log('outbox', status.outbox);
    return this.#registry.metrics();
  }

  #gateway(status: GatewayStatus, api: ApiCounts): void {
    const { name, version } = status;
    this.#gauge('runtime_build_info', 'Always 1; the labels name the gateway and its version', { name, version }, 1);
    this.#gauge('runtime_ready', '1 when data can be accepted and kept', {}, api.ready ? 1 : 0);
    this.#state('runtime_state', 'The state of the gateway', {}, status.state);
    this.#gauge('runtime_uptime_seconds', 'Seconds since the start', {}, status.uptimeMs / 1000);
    this.#gauge('runtime_checkpoint_bytes', 'Size of the last checkpoint', {}, status.checkpoint.bytes);
    this.#gauge('runtime_checkpoint_offset', 'Offset in the journal that it covers', {}, status.checkpoint.offset);
    const { ageMs } = status.checkpoint;
    if (ageMs !== null) {
      this.#gauge('runtime_checkpoint_age_seconds', 'Seconds since the last checkpoint', {}, ageMs / 1000);
    }
    this.#gauge('pipeline_series_count', 'Series seen', {}, status.series.count);
    this.#gauge('pipeline_series_max', 'Bound on the series', {}, status.series.max);
    const refused = 'Readings refused as there was no room for their series, since the start';
    this.#counter('pipeline_series_refused_total', refused, {}, status.series.refusedTotal);
    for (const { series, passed, filtered } of status.reduction) {
      const help = 'Readings that a rule of the reduction let go on, or not';
      this.#counter('pipeline_reduction_readings_total', help, { series, outcome: 'passed' }, passed);
      this.#counter('pipeline_reduction_readings_total', help, { series, outcome: 'filtered' }, filtered);
    }
    for (const { name: table, rows, problem } of status.tables) {
      this.#gauge('pipeline_table_rows_count', 'Rows of a table', { table }, rows);
      this.#gauge('pipeline_table_trouble', '1 while its file is not taken', { table }, problem === null ? 0 : 1);
    }
    for (const { name, series, ledger } of status.derived) {
      this.#gauge('pipeline_derived_series_count', 'Series that a derivation or a join has made', { name }, series);
      for (const fate of FATES) {
        const help = 'Derived readings, by what became of them; rejected could not be computed';
        this.#counter('pipeline_derived_readings_total', help, { name, fate }, ledger[fate]);
      }
    }
    this.#alarms(status);
    this.#gauge('api_stream_clients_count', 'Clients of the live stream', {}, api.streamClients);
    this.#counter('api_stream_slow_clients_total', 'Clients cut off for reading too slowly', {}, api.slowClients);
    this.#gauge('api_websocket_clients_count', 'MQTT clients over WebSocket', {}, api.upgradedSockets);
  }

  #alarms({ detectors, activeAlarms, alarms, maintenance }: GatewayStatus): void {
    this.#gauge('detect_detectors_count', 'Detectors of all series', {}, detectors.count);
    this.#gauge('detect_learning_detectors_count', 'Those that are still learning', {}, detectors.learning);
    this.#gauge('detect_maintenance_count', 'Maintenances that are on', {}, maintenance.length);
    this.#gauge('detect_active_alarms_count', 'Alarms raised and not cleared', {}, activeAlarms);
    for (const [severity, active] of Object.entries(alarms.active)) {
      this.#gauge('detect_severity_alarms_count', 'The same by severity', { severity }, active);
    }
    const { unacknowledged, returned, shelved, flood, perTenMinutes } = alarms;
    this.#gauge('detect_unacknowledged_alarms_count', 'Active or over, and seen by nobody', {}, unacknowledged);
    this.#gauge('detect_returned_alarms_count', 'Of those the ones that are over', {}, returned);
    this.#gauge('detect_shelved_conditions_count', 'What operators have put aside', {}, shelved.length);
    this.#gauge('detect_flood', '1 while too many alarms come at once', {}, flood === null ? 0 : 1);
    const rate = 'Alarms raised in ten minutes, in the last day';
    this.#gauge('detect_ten_minutes_alarms', rate, { of: 'average' }, perTenMinutes.average);
    this.#gauge('detect_ten_minutes_alarms', rate, { of: 'most' }, perTenMinutes.most);
    this.#counter('detect_raised_alarms_total', 'Alarms raised', {}, alarms.raisedTotal);
    const suppressed = 'Alarms that were told to nobody, by why';
    this.#counter('detect_suppressed_alarms_total', suppressed, { why: 'shelved' }, alarms.shelvedTotal);
    this.#counter('detect_suppressed_alarms_total', suppressed, { why: 'flood' }, alarms.floodedTotal);
    this.#counter('detect_chattering_alarms_total', 'That came again and again', {}, alarms.chatteringTotal);
    this.#counter('detect_dismissed_alarms_total', 'That somebody said were fine', {}, alarms.dismissedTotal);
    const forgotten = 'Over, seen by nobody, and not listed any more';
    this.#counter('detect_forgotten_alarms_total', forgotten, {}, alarms.forgottenTotal);
  }

  #clock({ clock }: GatewayStatus): void {
    const { state: now, steppedTotal, lastStepMs, provisionalReadings, markedTotal } = clock;
    for (const state of CLOCK_STATES) {
      const help = 'How far the clock is trusted: 1 for the state it is in';
      this.#gauge('runtime_clock_state', help, { state }, state === now ? 1 : 0);
    }
    this.#counter('runtime_clock_steps_total', 'Times the clock was set while the gateway ran', {}, steppedTotal);
    if (lastStepMs !== null) {
      this.#gauge('runtime_clock_last_step_seconds', 'By how much it was set the last time', {}, lastStepMs / 1000);
    }
    const waiting = 'Readings without a time of their own that wait for the time';
    this.#gauge('runtime_clock_provisional_readings_count', waiting, {}, provisionalReadings);
    this.#counter('runtime_clock_marked_readings_total', 'Readings that kept an estimated time', {}, markedTotal);
  }

  #deviceClocks({ deviceClocks }: GatewayStatus): void {
    const { aheadCount, ahead, restampedTotal } = deviceClocks;
    this.#gauge('devices_clocks_ahead_count', 'Devices whose clock is more than 5 s ahead', {}, aheadCount);
    for (const { device, skewMs } of ahead) {
      const help = 'How far the clock of a device is ahead; the 20 furthest';
      this.#gauge('devices_clock_skew_seconds', help, { device }, skewMs / 1000);
    }
    const restamped = 'Readings too far ahead to be believed, which got the time at which they came';
    this.#counter('devices_restamped_readings_total', restamped, {}, restampedTotal);
  }

  #sources(status: GatewayStatus): void {
    for (const { name: source, type, state, numbers } of status.sources) {
      this.#state('devices_source_state', 'The state of a source', { source, type }, state);
      for (const [number, value] of Object.entries(numbers)) {
        this.#gauge('devices_source_numbers', 'What a source tells of itself', { source, number }, value);
      }
    }
  }

  #ledger({ sources, groups, groupCount, total }: LedgerReport): void {
    this.#gauge('runtime_ledger_groups_count', 'Devices with a row in the ledger', {}, groupCount);
    this.#gauge('runtime_ledger_imbalance_readings', 'Readings unaccounted for: 0', {}, total.imbalance);
    for (const { name: source, ...row } of sources) {
      this.#counter('devices_received_readings_total', 'Readings received', { source }, row.received);
      this.#gauge('devices_inflight_readings_count', 'Readings without a fate yet', { source }, row.inFlight);
      for (const fate of FATES) {
        this.#counter('devices_settled_readings_total', 'By what became of them', { source, fate }, row[fate]);
      }
    }
    for (const { name: device, ...row } of groups) {
      this.#counter('runtime_device_received_readings_total', 'Readings received', { device }, row.received);
      for (const fate of FATES) {
        this.#counter('runtime_device_settled_readings_total', 'By what became of them', { device, fate }, row[fate]);
      }
    }
  }

  #sinks(status: GatewayStatus): void {
    for (const sink of status.sinks) {
      const labels = { sink: sink.name };
      const { backlog } = sink;
      this.#state('sinks_sink_state', 'The state of a sink', { sink: sink.name, type: sink.type }, sink.state);
      this.#counter('sinks_received_results_total', 'Results meant for it', labels, sink.ledger.received);
      this.#counter('sinks_delivered_results_total', 'Results delivered', labels, sink.ledger.delivered);
      this.#counter('sinks_rejected_results_total', 'Results refused for ever', labels, sink.ledger.rejected);
      this.#counter('sinks_filtered_results_total', 'Results without a place in it', labels, sink.ledger.filtered);
      this.#counter('sinks_superseded_results_total', 'A later revision went before', labels, sink.ledger.superseded);
      this.#counter('sinks_dropped_results_total', 'Results lost to a full buffer', labels, sink.ledger.dropped);
      this.#gauge('sinks_ledger_imbalance_results', 'Results unaccounted for: 0', labels, sink.ledger.imbalance);
      this.#gauge('sinks_pending_results_count', 'Results still to be delivered', labels, sink.ledger.pending);
      this.#counter('sinks_failed_attempts_total', 'Batches to be sent again', labels, sink.failedAttemptsTotal);
      this.#gauge('sinks_backlog_records_count', 'Records that wait', labels, backlog.records);
      this.#gauge('sinks_backlog_bytes', 'Bytes that wait', labels, backlog.bytes);
      this.#gauge(
        'sinks_backlog_age_seconds',
        'Age of the oldest that waits',
        labels,
        (backlog.oldestAgeMs ?? 0) / 1000,
      );
      if (backlog.drainSeconds !== null) {
        this.#gauge('sinks_backlog_drain_seconds', 'Estimate until it is gone', labels, backlog.drainSeconds);
      }
      if (backlog.fullInSeconds !== null) {
        this.#gauge('sinks_backlog_full_seconds', 'Estimate until no room is left', labels, backlog.fullInSeconds);
      }
    }
  }

  #memory({ bounds, shedding, state, ...memory }: GatewayStatus['memory']): void {
    this.#gauge('runtime_memory_rss_bytes', 'Resident set', {}, memory.rssBytes);
    this.#gauge('runtime_memory_heap_bytes', 'JavaScript heap in use', {}, memory.heapUsedBytes);
    this.#gauge('runtime_memory_heap_limit_bytes', 'Its limit', {}, memory.heapLimitBytes);
    if (memory.rssLimitBytes !== null) {
      this.#gauge('runtime_memory_rss_limit_bytes', 'What the resident set may come to', {}, memory.rssLimitBytes);
    }
    for (const one of ['normal', 'tight', 'critical']) {
      this.#gauge('runtime_memory_state', 'How short memory is', { state: one }, one === state ? 1 : 0);
    }
    for (const { name: step, active, total } of shedding) {
      this.#gauge('runtime_memory_shedding', '1 while it is given up', { step }, active ? 1 : 0);
      this.#counter('runtime_memory_sheddings_total', 'How often it was given up', { step }, total);
    }
    for (const { name: what, used, max, unit } of bounds) {
      this.#gauge('runtime_memory_bound_used', 'What a part holds', { what, unit }, used);
      this.#gauge('runtime_memory_bound_max', 'The most it can hold', { what, unit }, max);
    }
  }

  #log(log: string, status: LogStatus): void {
    const labels = { log };
    this.#gauge('buffer_size_bytes', 'Bytes on disk', labels, status.bytes);
    this.#gauge('buffer_max_bytes', 'Most bytes allowed on disk', labels, status.maxBytes);
    this.#gauge('buffer_segments_count', 'Segment files', labels, status.segments);
    this.#gauge('buffer_pending_bytes', 'Bytes in memory, not safe on the disk yet', labels, status.pendingBytes);
    this.#gauge('buffer_trouble', '1 while the disk makes trouble', labels, status.trouble === undefined ? 0 : 1);
    this.#counter('buffer_appended_records_total', 'Records appended since it was created', labels, status.nextOffset);
    this.#gauge('buffer_kept_items', 'Items that can be read', labels, status.keptItems);
    this.#counter('buffer_appended_items_total', 'Items appended since it was created', labels, status.appendedItems);
    this.#gauge('buffer_damaged_items', 'Items lost by damage on the disk', labels, status.damagedItems);
    this.#counter('buffer_dropped_items_total', 'Items dropped because it was full', labels, status.droppedItems);
    this.#counter('buffer_quarantined_stretches_total', 'Damaged stretches set aside', labels, status.quarantined);
  }

  #state(name: string, help: string, labels: Record<string, string>, current: ComponentState): void {
    for (const state of STATES) this.#gauge(name, help, { ...labels, state }, state === current ? 1 : 0);
  }

  #gauge(name: string, help: string, labels: Record<string, string>, value: number): void {
    let gauge = this.#gauges.get(name);
    if (gauge === undefined) {
      gauge = new Gauge({
        name: `headgate_${name}`,
        help,
        labelNames: Object.keys(labels),
        registers: [this.#registry],
      });
      this.#gauges.set(name, gauge);
    }
    gauge.set(labels, value);
  }

  #counter(name: string, help: string, labels: Record<string, string>, value: number): void {
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      const labelNames = Object.keys(labels);
      counter = new Counter({ name: `headgate_${name}`, help, labelNames, registers: [this.#registry] });
      this.#counters.set(name, counter);
    }
    counter.inc(labels, value);
  }
}
