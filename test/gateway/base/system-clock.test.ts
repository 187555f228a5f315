import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bootId, systemClock } from '../../../gateway/base/system-clock.ts';

const MODULE = join(import.meta.dirname, '..', '..', '..', 'gateway', 'base', 'system-clock.ts');

test('all processes of a boot share one monotonic clock and one name of the boot', () => {
  const before = systemClock.monotonicMs();
  const program = `import(${JSON.stringify(MODULE)}).then(({ bootId, systemClock }) => console.log(JSON.stringify([systemClock.monotonicMs(), bootId()])))`;
  const [theirs, boot] = JSON.parse(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' }));
  const after = systemClock.monotonicMs();
  expect(theirs).toBeGreaterThan(before);
  expect(theirs).toBeLessThan(after);
  expect(boot).toBe(bootId());
});

test('the boot has the name that the kernel gives it', () => {
  expect(bootId()).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
});
