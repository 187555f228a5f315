import type { DataValue } from 'node-opcua-client';
import type { EpochMs } from '../../gateway/core/clock.ts';
import { type Intake, MAX_REJECTED_BYTES } from '../../gateway/core/intake.ts';
import { qualityOfStatusCode } from '../../gateway/core/quality.ts';
import { hasOverflow, readingValue, refusal, sourceTimeOf } from './data-value.ts';
import type { MonitoredNode } from './monitored-nodes.ts';

/** What a source counts over all its connections. */
export interface ConnectionCounts {
  /** Nodes that are read just now. */
  items: number;
  /** Nodes that cannot be read, and browse rules that find nothing, just now. */
  badNodes: number;
  readings: number;
  rejected: number;
  /** Notifications of nodes that have no first value yet: not data, and not set aside. */
  empty: number;
  /** Times that a server said it had lost values because its queue was too short. */
  overflows: number;
  reconnects: number;
  /** Readings that wait for the journal. */
  unacknowledged: number;
}

/** Status codes by which a server says that a node has gone: BadNodeIdUnknown and BadNodeIdInvalid. */
const GONE = new Set([0x80340000, 0x80330000]);
/** Status codes of a node without a first value: BadWaitingForInitialData and UncertainInitialValue. */
const NO_VALUE_YET = new Set([0x80320000, 0x40920000]);

/**
 * Hands one value to the intake, or has it set aside where it cannot be a reading.
 *
 * @returns the status by which the server says that the node has gone, or undefined
 */
export function deliver(
  monitored: MonitoredNode,
  dataValue: DataValue,
  receiveTime: EpochMs,
  intake: Intake,
  counts: ConnectionCounts,
): string | undefined {
  const status = dataValue.statusCode.value;
  if (hasOverflow(status)) counts.overflows++;
  const value = readingValue(dataValue.value);
  if (value !== undefined) {
    counts.readings++;
    intake.reading(monitored.series!, value, qualityOfStatusCode(status), sourceTimeOf(dataValue), receiveTime);
    return undefined;
  }
  const base = (status & 0xffff0000) >>> 0;
  if (GONE.has(base)) return dataValue.statusCode.name;
  if (NO_VALUE_YET.has(base)) {
    counts.empty++;
    return undefined;
  }
  counts.rejected++;
  intake.reject(monitored.node.id, refusal(dataValue), excerpt(dataValue));
  return undefined;
}

/** What came, readable for a person, within the bound of a rejected payload. */
function excerpt(dataValue: DataValue): Uint8Array {
  const { value, statusCode, sourceTimestamp } = dataValue;
  const text = `${statusCode.toString()} ${sourceTimestamp?.toISOString() ?? 'no source time'} ${value?.toString() ?? 'no value'}`;
  return Buffer.from(text.slice(0, MAX_REJECTED_BYTES), 'utf8').subarray(0, MAX_REJECTED_BYTES);
}
