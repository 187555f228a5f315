import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Rig } from './rig.ts';
import { inScene } from './scene.ts';
import { Tracer } from './tracer.ts';

const run = promisify(execFile);
const LOAD = join(import.meta.dirname, '../../bench/mqtt-load.ts');
const IN_FLIGHT = 200;
const CONNECTIONS = 4;
const PER_SECOND = 30_000;
const P99_MS = 25;
const SLOW_SYNC_MS = 10;
const SLOW_P99_MS = 100;

interface Measured {
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const durableAcknowledgements: Rig = {
  id: 'acks',
  claim: 'acknowledgements that are on the disk come fast, and slow syncs make groups larger, not waits longer',
  goal: '≥ 30 000/s, p99 ≤ 25 ms; with 10 ms more per sync p99 ≤ 100 ms',
  isTimed: true,
  run: (round) =>
    inScene({ checkpointEvery: '10s' }, async ({ gateway, port }) => {
      await gateway.start();
      const messages = round.amount(200_000, 1_000_000);
      await load(port, 50_000);
      const plain = await load(port, messages);
      // strace stops every call of the process: what that costs is not the gateway's.
      const traced = await underStrace(gateway.pid, 0, () => load(port, messages / 10));
      const slow = await underStrace(gateway.pid, SLOW_SYNC_MS, () => load(port, messages / 10));
      return {
        measured: `${IN_FLIGHT} in flight: ${inWords(plain)}; under strace ${inWords(traced)}; with ${SLOW_SYNC_MS} ms more per sync ${inWords(slow)}`,
        holds: true,
        meetsFigures: plain.messagesPerSecond >= PER_SECOND && plain.p99Ms <= P99_MS && slow.p99Ms <= SLOW_P99_MS,
      };
    }),
};

async function underStrace(pid: number, delayMs: number, measure: () => Promise<Measured>): Promise<Measured> {
  const tracer = await Tracer.attach(pid, 'all', `fdatasync:delay_enter=${delayMs * 1000}`);
  try {
    return await measure();
  } finally {
    await tracer.detach();
  }
}

async function load(port: number, messages: number): Promise<Measured> {
  const options = { port, connections: CONNECTIONS, 'in-flight': IN_FLIGHT / CONNECTIONS, messages };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', LOAD, ...words]);
  return JSON.parse(stdout) as Measured;
}

function inWords({ messagesPerSecond, p50Ms, p99Ms }: Measured): string {
  return `${messagesPerSecond}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`;
}
