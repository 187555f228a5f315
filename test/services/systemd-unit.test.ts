import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireProgram } from './require-program.ts';

const UNIT = join(import.meta.dirname, '..', '..', 'config', 'systemd', 'headgate.service');
const unit = readFileSync(UNIT, 'utf8');
const analyze = requireProgram('systemd-analyze');

describe.runIf(analyze !== undefined)('the systemd unit', () => {
  test('is exposed at 1.5 or less', () => {
    const report = execFileSync(analyze!, ['security', '--offline=true', '--no-pager', UNIT], { encoding: 'utf8' });
    const exposure = Number(/Overall exposure level for headgate\.service: ([\d.]+)/.exec(report)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(1.5);
  });

  test('has nothing that systemd does not understand', () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-unit-'));
    try {
      // The program has to be there to be verified.
      const here = unit.replaceAll('/opt/headgate/node_modules/.bin/node', process.execPath);
      const path = join(folder, 'headgate.service');
      writeFileSync(path, here);
      const { status, stderr } = spawnSync(analyze!, ['verify', path], { encoding: 'utf8' });
      expect(stderr).toBe('');
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test('the unit lets systemd-notify, which is a process of its own, speak for the service', () => {
  expect(unit).toMatch(/^Type=notify$/m);
  expect(unit).toMatch(/^NotifyAccess=all$/m);
  expect(unit).toMatch(/^WatchdogSec=30s$/m);
  expect(unit).toMatch(/^RestrictAddressFamilies=.*\bAF_UNIX\b/m);
});

test('the unit lets the gateway see how much memory the box has left, and which boot it is', () => {
  expect(unit).not.toMatch(/^ProcSubset=pid$/m);
});
