import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { demoConfiguration } from '../../config/demo.ts';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { freePort } from '../services/free-port.ts';
import { GatewayProcess } from '../services/gateway-process.ts';
import { requireProgram } from '../services/require-program.ts';
import { launchBrowser, type TestBrowser, watchProblems } from './browser.ts';

const program = requireProgram('chromium');
const ENTRY = join(import.meta.dirname, '..', '..', 'gateway', 'headgate.js');
/** What a new user is promised. */
const FIRST_SIGHT_MS = 10_000;

/** Polls until the matcher holds, with room for a busy machine. */
const eventually = <T>(read: () => T | Promise<T>, timeout = 15_000) => expect.poll(read, { timeout });

describe.skipIf(program === undefined)('the demonstration in a browser', () => {
  let folder: string;
  let chromium: TestBrowser;
  let gateway: GatewayProcess;
  let devices: ChildProcess | undefined;
  let page: Page;
  let problems: string[];
  let startedAt: number;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headgate-e2e-'));
    chromium = await launchBrowser(program!);
    const [mqtt, api] = [await freePort(), await freePort()];
    const configuration = demoConfiguration
      .replace('127.0.0.1:1883', `127.0.0.1:${mqtt}`)
      .replace('127.0.0.1:8080', `127.0.0.1:${api}`);
    startedAt = systemClock.monotonicMs();
    gateway = await GatewayProcess.start(folder, configuration, `http://127.0.0.1:${api}`);
    const url = `mqtt://127.0.0.1:${mqtt}`;
    devices = spawn(process.execPath, [ENTRY, 'simulate', 'devices', '--url', url], { stdio: 'ignore' });
    const context = await chromium.browser.newContext({ viewport: { width: 1280, height: 800 } });
    page = await context.newPage();
    problems = watchProblems(page, `http://127.0.0.1:${api}/`);
    await page.goto(`http://127.0.0.1:${api}/`);
  });

  afterAll(async () => {
    await chromium?.close();
    if (devices !== undefined && devices.exitCode === null) {
      const ended = once(devices, 'exit');
      devices.kill();
      await ended;
    }
    await gateway?.kill();
    await rm(folder, { recursive: true, force: true });
  });

  /** Time that is left of what a new user waits. */
  const left = () => Math.max(1, FIRST_SIGHT_MS - (systemClock.monotonicMs() - startedAt));
  const newest = () => page.getByTestId('readout').locator('.big').textContent();
  const mean = () => page.getByTestId('readout').locator('dd').nth(1).textContent();

  test('shows changing values, windows and an alarm within ten seconds of the start', async () => {
    await eventually(() => page.getByTestId('series-row').count(), left()).toBeGreaterThan(3);
    const value = page.locator('[data-series$="press-1/oil_temperature"] [data-testid=series-value]');
    const before = await value.textContent();
    await eventually(() => value.textContent(), left()).not.toBe(before);
    await eventually(() => page.getByTestId('alarm').count(), left()).toBeGreaterThan(0);
    await eventually(mean, left()).toMatch(/\d/);
    expect(await page.getByTestId('alarm').first().textContent()).toMatch(/critical.*press-1\/oil_temperature/s);
    expect(problems).toEqual([]);
    const screenshot = process.env['HEADGATE_SCREENSHOT'];
    if (screenshot !== undefined) await page.screenshot({ path: screenshot });
  });

  test('an alarm that is acknowledged on the page is acknowledged in the gateway', async () => {
    await page.getByTestId('alarm-ack').first().click();
    await eventually(() => page.getByTestId('alarm-acked').count()).toBeGreaterThan(0);
    await eventually(async () => {
      const { alarms } = await gateway.get<{ alarms: { acknowledgedAt: string | null }[] }>('/api/v1/alarms?state=all');
      return alarms.filter(({ acknowledgedAt }) => acknowledgedAt !== null).length;
    }).toBe(1);
    expect(problems).toEqual([]);
  });

  test('a gateway that is killed is told as lost, and the page goes on by itself when it is back', async () => {
    await gateway.kill();
    await eventually(() => page.getByTestId('connection-lost').count()).toBe(1);
    await gateway.start();
    await eventually(() => page.getByTestId('connection-lost').count()).toBe(0);
    const before = await newest();
    await eventually(newest).not.toBe(before);
    // What was acknowledged before the crash still is.
    const { alarms } = await gateway.get<{ alarms: { acknowledgedAt: string | null }[] }>('/api/v1/alarms?state=all');
    expect(alarms.filter(({ acknowledgedAt }) => acknowledgedAt !== null)).toHaveLength(1);
    expect(
      problems.filter(
        (problem) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/.test(problem),
      ),
    ).toEqual([]);
  });
});
