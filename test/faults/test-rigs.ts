import { expect, test } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { type Rig, Round, Skipped } from './rig.ts';

const SEED = Number(process.env['HEADGATE_SEED'] ?? systemClock.now() % 2 ** 31);
/** The machine may be busy with other tests. */
const TIMEOUT_MS = 180_000;

/** A short round of each rig as a test. Figures that depend on the speed of the machine are left to `npm run faults`. */
export function testRigs(rigs: readonly Rig[]): void {
  const tested = rigs.filter(({ isTimed }) => isTimed !== true);
  for (const rig of tested) {
    test(`${rig.id}: ${rig.claim}`, { timeout: TIMEOUT_MS }, async (context) => {
      process.stderr.write(`${rig.id}: seed ${SEED}\n`);
      try {
        const finding = await rig.run(new Round(false, SEED, () => undefined));
        process.stderr.write(`${rig.id}: ${finding.measured}\n`);
        expect(finding).toMatchObject({ holds: true });
      } catch (error) {
        if (!(error instanceof Skipped) || process.env['HEADGATE_REQUIRE_SERVICES'] === '1') throw error;
        process.stderr.write(`skipped: ${rig.id}: ${error.message}\n`);
        context.skip(error.message);
      }
    });
  }
}
