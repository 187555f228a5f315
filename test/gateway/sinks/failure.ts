import { expect } from 'vitest';
import { SinkError } from '../../../gateway/core/sink.ts';

/** The error that a write ends with; fails where it succeeds, or with an error that is none of a sink. */
export function failureOf(writing: Promise<unknown>): Promise<SinkError> {
  return writing.then(
    () => expect.fail('the write succeeded'),
    (error) => {
      expect(error).toBeInstanceOf(SinkError);
      return error;
    },
  );
}
