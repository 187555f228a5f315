import { DataType, type DataValue, type Variant, VariantArrayType } from 'node-opcua-client';
import type { EpochMs } from '../../gateway/core/clock.ts';
import type { Value } from '../../gateway/core/reading.ts';

/** 1601-01-01, which OPC-UA sends for "no time". */
const NO_TIME_MS = Date.UTC(1601, 0, 1);
/** InfoType DataValue with the overflow bit (OPC 10000-4 §7.39.1): values were lost before this one. */
const OVERFLOW = 0x480;

/** The value of a variant as a reading may have it, or undefined where it cannot be one; `refusal` says why. */
export function readingValue(variant: Variant | null | undefined): Value | undefined {
  if (!variant || variant.arrayType !== VariantArrayType.Scalar) return undefined;
  const value: unknown = variant.value;
  switch (variant.dataType) {
    case DataType.Double:
    case DataType.Float:
    case DataType.Int32:
    case DataType.UInt32:
    case DataType.Int16:
    case DataType.UInt16:
    case DataType.SByte:
    case DataType.Byte:
      return typeof value === 'number' ? value : undefined;
    case DataType.Int64:
    case DataType.UInt64:
      return exactNumber(value, variant.dataType === DataType.Int64);
    case DataType.Boolean:
      return typeof value === 'boolean' ? value : undefined;
    case DataType.String:
    case DataType.Guid:
      return typeof value === 'string' ? value : undefined;
    case DataType.DateTime:
      return value instanceof Date && Number.isFinite(value.getTime()) ? value.toISOString() : undefined;
    case DataType.LocalizedText:
      return textOf(value);
    default:
      return undefined;
  }
}

/** Why `readingValue` found nothing, as a sentence for a person. */
export function refusal(dataValue: DataValue): string {
  const { value: variant, statusCode } = dataValue;
  if (!variant || variant.dataType === DataType.Null || variant.value === null || variant.value === undefined) {
    return `the server sent no value; its status is ${statusCode.name}`;
  }
  const type = DataType[variant.dataType] ?? `type ${variant.dataType}`;
  if (variant.arrayType !== VariantArrayType.Scalar) {
    return `the value is an array of ${type}; single values are taken`;
  }
  if (variant.dataType === DataType.Int64 || variant.dataType === DataType.UInt64) {
    return `the ${type} is beyond 2^53 and would lose digits as a number`;
  }
  return `the value is a ${type}; numbers, booleans and text are taken`;
}

/** Event time down to 100 ns and below, as far as the server gives it; undefined when it gives none. */
export function sourceTimeOf(dataValue: DataValue): EpochMs | undefined {
  const timestamp = dataValue.sourceTimestamp;
  if (!timestamp) return undefined;
  const whole = timestamp.getTime();
  if (!(whole > NO_TIME_MS)) return undefined;
  const picoseconds = dataValue.sourcePicoseconds;
  return picoseconds > 0 ? whole + picoseconds / 1e9 : whole;
}

/** True when the server says that its queue was too short and values were lost. */
export function hasOverflow(statusCode: number): boolean {
  return (statusCode & OVERFLOW) === OVERFLOW;
}

/** A 64-bit integer that arrives as [high, low]; undefined beyond ±2^53. */
function exactNumber(value: unknown, signed: boolean): number | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const high = Number(value[0]) >>> 0;
  const low = Number(value[1]) >>> 0;
  const number = (signed ? high | 0 : high) * 2 ** 32 + low;
  return Number.isSafeInteger(number) ? number : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('text' in value)) return undefined;
  return typeof value.text === 'string' ? value.text : undefined;
}
