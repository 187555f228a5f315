import { MqttBroker } from '../devices/mqtt/broker.ts';
import { MarkTable } from '../gateway/base/mark-table.ts';
import { SeriesRegistry } from '../gateway/base/series-registry.ts';
import { systemClock } from '../gateway/base/system-clock.ts';
import type { Intake } from '../gateway/core/intake.ts';
import type { Logger } from '../gateway/core/telemetry.ts';

/**
 * The embedded broker with its decoders, but with an intake that keeps nothing: it acknowledges at the end of the turn. What
 * is left of bare aedes here is what the journal and the windows may use up. Prints `{"port":…}`, serves until its input ends.
 */
const registry = new SeriesRegistry();
let waiting: (() => void)[] = [];

function flush(): void {
  const done = waiting;
  waiting = [];
  for (const call of done) call();
}

const intake: Intake = {
  series: (identity, unit) => registry.intern(identity, unit),
  reading: () => undefined,
  reject: () => undefined,
  marks: new MarkTable({ maxMarks: 100_000, maxMarksPerPeer: 2_000 }),
  acknowledge: (done) => {
    if (waiting.length === 0) setImmediate(flush);
    waiting.push(done);
  },
};

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

const broker = new MqttBroker(
  {
    name: 'bench',
    listen: { host: '127.0.0.1', port: 0 },
    readings: [
      { topic: 'sensors/_/_', template: '_/device/metric', json: { value: 'value', time: 'ts', timeUnit: 'ms' } },
    ],
  },
  intake,
  { clock: systemClock, logger: silent },
);
await broker.start(new AbortController().signal);
process.stdout.write(`${JSON.stringify({ port: broker.port })}\n`);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
