import { expect, test } from 'vitest';
import { Troubles } from '../../../gateway/buffer/troubles.ts';
import { recordingLogger } from '../../recording-logger.ts';

test('a trouble whose numbers change is logged once, while the status has the newest sentence', () => {
  const logger = recordingLogger();
  const troubles = new Troubles(logger);
  for (const free of [300, 200, 100]) troubles.begin('making room', `only ${free} bytes are free`);
  expect(logger.lines.map(({ message }) => message)).toEqual(['only 300 bytes are free']);
  expect(troubles.summary).toBe('only 100 bytes are free');
});

test('the end of a trouble is logged, and its return is logged again', () => {
  const logger = recordingLogger();
  const troubles = new Troubles(logger);
  troubles.end('writing');
  troubles.begin('writing', 'EIO');
  troubles.end('writing');
  troubles.begin('writing', 'EIO');
  expect(logger.lines.map(({ message }) => message)).toEqual(['EIO', 'writing works again', 'EIO']);
});
