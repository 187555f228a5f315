import type { LinePrecision } from '../../gateway/core/line-writes.ts';
import type { Decoder, DecodeTarget, RawMessage } from '../../gateway/core/message.ts';
import { LineReader } from './line-reader.ts';
import { MAX_PAYLOAD_BYTES, MAX_VALUES, tooLarge } from './text.ts';

/** How line protocol is read. */
export interface LineProtocolOptions {
  /** Unit of the timestamps. @default 'ns' */
  readonly precision?: LinePrecision | undefined;
  /** Largest payload, in bytes. @default 1048576 */
  readonly maxBytes?: number | undefined;
}

/** A decoder of messages in InfluxDB line protocol, as `LineReader` reads it. A line that is wrong is refused, its neighbours are taken. */
export function lineProtocolDecoder(options: LineProtocolOptions = {}): Decoder {
  const precision = options.precision ?? 'ns';
  const maxBytes = options.maxBytes ?? MAX_PAYLOAD_BYTES;
  return {
    decode(message: RawMessage, target: DecodeTarget): void {
      if (message.payload.length > maxBytes) {
        target.reject(tooLarge(message.payload.length, maxBytes));
        return;
      }
      const reader = new LineReader(message.payload, precision);
      if (reader.read(target, maxBytes, MAX_VALUES)) {
        target.reject(
          `the payload has more than ${MAX_VALUES} lines and values: it was read before line ${reader.line}, no further`,
        );
      }
    },
  };
}
