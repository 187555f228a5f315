import type { Decoder, DecodeTarget, RawMessage } from '../../gateway/core/message.ts';
import { NOT_UTF8, shown, textOf } from './text.ts';

/** Longest text that is looked at, in bytes; a number needs far less. */
const MAX_BYTES = 128;

/** A decimal number: sign, digits with or without a point, exponent. No hexadecimal, no `NaN`, no `Infinity`. */
export const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

const ALLOWED = 'send a decimal number such as 21.5 or 2.15e1, or true or false';

/** A decoder of payloads that are one decimal number, or `true` or `false` (also `True`, `TRUE`), with blanks around it. */
export function plainDecoder(): Decoder {
  return plain;
}

const plain: Decoder = {
  decode(message: RawMessage, target: DecodeTarget): void {
    const { payload } = message;
    if (payload.length > MAX_BYTES) {
      target.reject(`the payload has ${payload.length} bytes, at most ${MAX_BYTES} are allowed; ${ALLOWED}`);
      return;
    }
    const text = textOf(payload)?.trim();
    if (text === undefined) {
      target.reject(NOT_UTF8);
      return;
    }
    if (DECIMAL.test(text)) {
      const number = Number(text);
      if (!Number.isFinite(number)) {
        target.reject(`${shown(text)} is too large for a number: at most 1.8e308`);
        return;
      }
      if (WHOLE.test(text) && !Number.isSafeInteger(number)) {
        target.reject(`${text} is a whole number past ±2^53: it cannot be kept exactly`);
        return;
      }
      target.value(number === 0 ? 0 : number, undefined);
      return;
    }
    if (TRUE.test(text)) {
      target.value(true, undefined);
      return;
    }
    if (FALSE.test(text)) {
      target.value(false, undefined);
      return;
    }
    target.reject(text === '' ? `the payload is empty; ${ALLOWED}` : `${shown(text)} is not a number; ${ALLOWED}`);
  },
};

const WHOLE = /^[+-]?\d+$/;
const TRUE = /^(?:true|True|TRUE)$/;
const FALSE = /^(?:false|False|FALSE)$/;
