import { systemClock } from '../../gateway/base/system-clock.ts';
import type { Influxd } from '../services/influxd.ts';
import { DATABASE, withInflux } from './influx-scene.ts';
import { drained } from './oracle.ts';
import type { PublisherReport } from './publisher.ts';
import type { Rig, Round } from './rig.ts';
import type { Scene } from './scene.ts';

/** Kills of one stream; then it is compared, and another begun. */
const KILLS_OF_A_STREAM = 50;
const READINGS_PER_SECOND = 2_000;
/** Values go round below this, and beyond the bound of the range detector for the last tenth: an alarm is raised and cleared each time. */
const ROUND = 200;
const WINDOWS = [
  '{ name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, mean, min, max, stddev, first, last, p95] }',
  '{ name: m, series: "*", window: { tumbling: 1m, allowedLateness: 1h }, aggregates: [count, sum, median] }',
];
const DETECT = [
  `{ series: "*", detector: range, max: ${ROUND * 0.9}, alarm: { severity: critical, hold: 100ms } }`,
  '{ series: "*", detector: rate-of-change, maxPerSecond: 1000, alarm: { severity: warning, hold: 500ms } }',
];

export const crashPoints: Rig = {
  id: 'crash-points',
  claim:
    'windows and alarms of a gateway that is killed again and again are those of one that is not, number by number',
  goal: 'identical in InfluxDB after 1 000 kills',
  async run(round) {
    const kills = round.times(10, 1_000);
    let [points, alarms, different, done] = [0, 0, 0, 0];
    while (done < kills) {
      const some = Math.min(KILLS_OF_A_STREAM, kills - done);
      const killed = await stored(round, async (scene) => {
        const publisher = scene.publish({ modulo: ROUND, perSecond: READINGS_PER_SECOND });
        await publisher.acceptedAgain(0);
        for (let kill = 0; kill < some; kill++) {
          const seen = publisher.accepted;
          await systemClock.sleep(round.random.between(0, 400));
          await scene.gateway.kill();
          scene.gateway.launch();
          await publisher.acceptedAgain(seen);
        }
        return publisher.end();
      });
      const count = killed.report.devices.map(({ sent }) => sent);
      const calm = await stored(round, (scene) => scene.publish({ modulo: ROUND, count }).finished());
      done += some;
      points += calm.rows.length;
      alarms += calm.rows.filter((row) => row.includes('"alarms"')).length;
      different += differences(calm.rows, killed.rows);
      round.note(`${done} kills: ${different} of ${points} points differ`);
    }
    return {
      measured: `${kills} kills: ${different} of ${points} points differ, ${alarms} of alarms among them`,
      holds: different === 0 && alarms > 0,
    };
  },
};

interface Stored {
  readonly report: PublisherReport;
  /** Every point in InfluxDB, as text, in order. */
  readonly rows: readonly string[];
}

function stored(round: Round, publish: (scene: Scene) => Promise<PublisherReport>): Promise<Stored> {
  return withInflux(round, { windows: WINDOWS, detect: DETECT }, async ({ scene, influxd }) => {
    await scene.gateway.start();
    const report = await publish(scene);
    const rows = await untilStill(scene, influxd);
    return { report, rows };
  });
}

/** The last windows end when their devices are idle: waits until nothing is added any more. */
async function untilStill({ gateway }: Scene, influxd: Influxd): Promise<readonly string[]> {
  let before: readonly string[] = [];
  for (;;) {
    await drained(gateway);
    await systemClock.sleep(2_500);
    await drained(gateway);
    const now = await allRows(influxd);
    if (now.length > 0 && now.length === before.length) return now;
    before = now;
  }
}

/** But for the alarm that tells of a flood of alarms: it goes by when they came, not by what was measured. */
async function allRows(influxd: Influxd): Promise<readonly string[]> {
  const series = await influxd.query(DATABASE, 'SELECT * FROM /.*/ GROUP BY *');
  return series
    .filter(({ tags }) => tags?.['detector'] !== 'flood')
    .flatMap(({ name, tags, columns, values }) => values.map((row) => JSON.stringify({ name, tags, columns, row })))
    .sort();
}

function differences(expected: readonly string[], found: readonly string[]): number {
  const rest = new Map<string, number>();
  for (const row of expected) rest.set(row, (rest.get(row) ?? 0) + 1);
  for (const row of found) rest.set(row, (rest.get(row) ?? 0) - 1);
  const wrong = [...rest].filter(([, count]) => count !== 0);
  for (const [row, count] of wrong.slice(0, 6)) process.stderr.write(`${count > 0 ? 'missing' : 'too much'}: ${row}\n`);
  return wrong.length;
}
