import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { loadText } from '../../../gateway/commands/configuration-file.ts';
import { runGateway } from '../../../gateway/commands/run.ts';
import type { Surroundings } from '../../../gateway/commands/surroundings.ts';

test('asked to end while it is still starting, it ends cleanly: that is no fault', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-run-'));
  try {
    const ending = new AbortController();
    const surroundings: Surroundings = {
      environment: {},
      workingFolder: folder,
      pid: 1,
      clock: systemClock,
      random: () => 0.5,
      out: async () => {},
      err: () => {},
      isTerminal: false,
      signal: ending.signal,
    };
    const text = `
storage: { path: data, keepFree: 1 MiB }
log: { level: error }
sources: [{ name: floor, type: mqtt, listen: "127.0.0.1:0", readings: [{ topic: "sensors/_/+" }] }]
api: { listen: "127.0.0.1:0" }
`;
    const { configuration } = loadText(text, join(folder, 'gateway.yaml'), surroundings);
    ending.abort();
    await expect(runGateway(configuration, text, surroundings, () => undefined)).resolves.toBeUndefined();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
