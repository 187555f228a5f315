/** What the pretended server answers. */
export interface Answer {
  readonly status: number;
  readonly error?: string;
}

type FieldType = 'float' | 'integer' | 'string' | 'boolean';

const SHARD_MS = 7 * 86_400_000;

/**
 * Takes and refuses points as InfluxDB 1.6 was seen to: good points of a request that is refused in part are stored; the error names the
 * first reason of one shard and the count of that shard only; points beyond the retention policy are told of where there is no other
 * error. Lines have plain names, without anything that is escaped.
 */
export class PretendedInfluxdb {
  /** Fields as they were written last, by series and time. */
  readonly stored = new Map<string, string>();
  /** What a field is in the database already. */
  readonly types = new Map<string, FieldType>();
  /** Points before this time are beyond the retention policy. */
  retentionFrom = Number.NEGATIVE_INFINITY;
  requests = 0;
  lines = 0;

  /** One write request. */
  write(lines: readonly string[]): Answer {
    this.requests++;
    this.lines += lines.length;
    let beyond = 0;
    const refusals = new Map<number, { reason: string; dropped: number }>();
    for (const line of lines) {
      const seriesEnd = line.indexOf(' ');
      const fieldsEnd = line.lastIndexOf(' ');
      const time = Number(line.slice(fieldsEnd + 1));
      if (time < this.retentionFrom) {
        beyond++;
        continue;
      }
      const fields = line.slice(seriesEnd + 1, fieldsEnd);
      const reason = this.#conflict(line.slice(0, line.search(/[, ]/)), fields);
      if (reason === undefined) this.stored.set(`${line.slice(0, seriesEnd)} ${time}`, fields);
      else {
        const shard = Math.floor(time / SHARD_MS);
        const refusal = refusals.get(shard) ?? { reason, dropped: 0 };
        refusal.dropped++;
        refusals.set(shard, refusal);
      }
    }
    const [refusal] = refusals.values();
    if (refusal !== undefined) return partial(refusal.reason, refusal.dropped);
    return beyond > 0 ? partial('points beyond retention policy', beyond) : { status: 204 };
  }

  #conflict(measurement: string, fields: string): string | undefined {
    for (const field of fields.split(',')) {
      const [name = '', value = ''] = field.split('=');
      const type = typeOf(value);
      const known = this.types.get(`${measurement}.${name}`) ?? type;
      if (known === type) continue;
      return `field type conflict: input field "${name}" on measurement "${measurement}" is type ${type}, already exists as type ${known}`;
    }
    return undefined;
  }
}

function typeOf(value: string): FieldType {
  if (value.startsWith('"')) return 'string';
  if (value === 'true' || value === 'false') return 'boolean';
  return value.endsWith('i') ? 'integer' : 'float';
}

function partial(reason: string, dropped: number): Answer {
  return { status: 400, error: `partial write: ${reason} dropped=${dropped}` };
}
