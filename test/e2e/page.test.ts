import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../../gateway/api/app.ts';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { Quality } from '../../gateway/core/quality.ts';
import { groupRow } from '../gateway/api/fake-rows.ts';
import { FakeView } from '../gateway/api/fake-view.ts';
import { KeepingLogger } from '../gateway/api/start-api.ts';
import { requireProgram } from '../services/require-program.ts';
import { launchBrowser, type TestBrowser, watchProblems } from './browser.ts';
import { LivePlant } from './live-plant.ts';

const program = requireProgram('chromium');
const DESKTOP = { width: 1920, height: 1080 };
const PHONE = { width: 390, height: 844 };

let chromium: TestBrowser;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  if (program === undefined) return;
  chromium = await launchBrowser(program);
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

afterAll(async () => {
  if (program === undefined) return;
  await chromium.close();
});

/** Polls until the matcher holds, with room for a busy machine. */
const eventually = <T>(read: () => T | Promise<T>) => expect.poll(read, { timeout: 10_000 });

/** An API over a view, on a free port. */
async function serve(view: FakeView, port = 0): Promise<Api> {
  const parts = { clock: systemClock, logger: new KeepingLogger() };
  const api = new Api({ listen: { host: '127.0.0.1', port } }, view, parts);
  await api.start(new AbortController().signal);
  closing.push(() => api.stop(AbortSignal.timeout(1000)));
  return api;
}

/** The page in a fresh browser profile; `problems` gathers everything that must not happen. */
async function open(url: string, options: BrowserContextOptions = {}) {
  const context = await chromium.browser.newContext({ viewport: DESKTOP, ...options });
  closing.push(() => context.close());
  const page = await context.newPage();
  const problems = watchProblems(page, url);
  await page.goto(url);
  return { page, problems };
}

/** Lets the plant run in step with the wall clock until the test ends. */
function run(plant: LivePlant): void {
  const abort = new AbortController();
  const running = (async () => {
    while (!abort.signal.aborted) {
      plant.advance(Math.max(0, systemClock.now() - plant.time));
      plant.view.emit({ topic: 'status', data: plant.view.status() });
      await systemClock.sleep(250, abort.signal);
    }
  })();
  closing.push(() => {
    abort.abort();
    return running;
  });
}

async function plantPage(options: BrowserContextOptions = {}, query = '') {
  const plant = new LivePlant();
  const api = await serve(plant.view);
  run(plant);
  return { plant, api, ...(await open(api.url + query, options)) };
}

/** How many different colours the chart's canvas shows: 1 is blank. */
function chartColours(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=chart] canvas');
    const ink = canvas?.getContext('2d');
    if (!canvas || !ink) return 0;
    const { data } = ink.getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set<number>();
    for (let i = 0; i < data.length; i += 4) colours.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
    return colours.size;
  });
}

/** How often the chart is drawn in a second: a page that draws itself in circles does it as fast as the screen. */
function redraws(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const { prototype } = CanvasRenderingContext2D;
    const { clearRect } = prototype;
    let count = 0;
    prototype.clearRect = function (...area) {
      count += 1;
      return clearRect.apply(this, area);
    };
    await new Promise((resolve) => setTimeout(resolve, 1000));
    prototype.clearRect = clearRect;
    return count;
  });
}

const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Whatever reaches beyond the right edge of the page, though it could be scrolled to. */
const cutOff = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('main table, main td, main li, main p')]
      .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth)
      .map((one) => one.textContent),
  );

describe.skipIf(program === undefined)('the page', () => {
  test('shows every series, and values that change by themselves', async () => {
    const { page, problems } = await plantPage();
    await eventually(() => page.getByTestId('series-row').count()).toBe(6);
    const value = page.locator('[data-series="press-1/pressure"] [data-testid=series-value]');
    const before = await value.textContent();
    expect(before).toContain('bar');
    await eventually(() => value.textContent()).not.toBe(before);
    expect(await page.getByTestId('state').textContent()).toBe('running');
    expect(problems).toEqual([]);
  });

  test('draws the readings of the chosen series and its windows', async () => {
    const { page, problems } = await plantPage();
    await eventually(() => chartColours(page)).toBeGreaterThan(10);
    await page.locator('[data-series="pump-1/vibration"]').click();
    await eventually(() => page.getByTestId('chart').getAttribute('aria-label')).toContain('pump-1/vibration, 5');
    expect(new URL(page.url()).searchParams.get('series')).toBe('pump-1/vibration');
    expect(await page.getByTestId('window').inputValue()).toBe('10s');
    expect(await page.getByTestId('readout').textContent()).toContain('Newest');
    await page.getByTestId('chart').hover({ position: { x: 600, y: 200 } });
    await eventually(() => page.getByTestId('readout').textContent()).toMatch(/At pointer *\d\.\d+/);
    expect(await redraws(page)).toBeLessThan(15);
    expect(problems).toEqual([]);
  });

  test('a link opens the series that it names', async () => {
    const { page } = await plantPage({}, '?series=oven-3/temperature');
    const row = page.locator('[data-series="oven-3/temperature"]');
    await eventually(() => row.getAttribute('aria-current')).toBe('true');
    await eventually(() => page.getByTestId('chart').getAttribute('aria-label')).toContain('oven-3/temperature');
  });

  test('without a link the page opens on the series that has an alarm', async () => {
    const plant = new LivePlant();
    plant.view.raise(plant.oil, 'critical', plant.time, 'expected between 41 and 51 °C, saw 67.2 °C');
    const api = await serve(plant.view);
    run(plant);
    const { page } = await open(api.url);
    await eventually(() => page.getByTestId('chart').getAttribute('aria-label')).toContain(plant.oil);
  });

  test('an alarm appears without a reload, is acknowledged by its button, and goes when it clears', async () => {
    const { page, plant, problems } = await plantPage();
    await eventually(() => page.getByTestId('alarms').textContent()).toContain('No alarm is active');
    plant.faulty = true;
    const id = plant.view.raise(plant.oil, 'critical', plant.time, 'expected between 41 and 51 °C, saw 67.2 °C');
    await eventually(() => page.getByTestId('alarm').count()).toBe(1);
    expect(await page.getByTestId('alarm').textContent()).toMatch(
      /critical.*press-1\/oil_temperature.*expected between/s,
    );
    expect(await page.title()).toBe('(1) press-hall');
    await page.getByTestId('alarm-ack').click();
    await eventually(() => page.getByTestId('alarm-acked').count()).toBe(1);
    expect(plant.view.acknowledged.map((one) => one.id)).toEqual([id]);
    await page.getByTestId('alarm').getByRole('button', { name: plant.oil, exact: true }).click();
    await eventually(() => page.getByTestId('chart').getAttribute('aria-label')).toMatch(/ [1-9]\d* anomalies/);
    plant.view.clear(id, plant.time);
    await eventually(() => page.getByTestId('alarm').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('alarms of a device are together; one is shelved, one was fine, each for a reason', async () => {
    const { page, plant, problems } = await plantPage();
    await eventually(() => page.getByTestId('series-row').count()).toBe(6);
    plant.view.raise(plant.oil, 'critical', plant.time, 'expected between 41 and 51 °C, saw 67.2 °C');
    plant.view.raise('press-1/pressure', 'warning', plant.time, 'expected between 173 and 191 bar, saw 240 bar');
    plant.view.raise('oven-3/temperature', 'warning', plant.time, 'expected between 215 and 221 °C, saw 180 °C');
    await eventually(() => page.getByTestId('alarm').count()).toBe(3);
    const group = page.getByTestId('alarm-group');
    expect(await group.count()).toBe(1);
    expect(await group.textContent()).toMatch(/critical.*2 alarms of press-1/s);

    const dialog = page.getByTestId('alarm-dialog');
    const attend = async (series: string) => {
      await page.getByRole('button', { name: `More about the alarm on ${series}`, exact: true }).click();
      await eventually(() => dialog.count()).toBe(1);
    };
    await attend('press-1/pressure');
    expect(await page.getByTestId('alarm-shelve').isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill('a loose wire');
    await page.getByTestId('alarm-shelve').click();
    await eventually(() => dialog.count()).toBe(0);
    await eventually(() => page.getByTestId('alarms').textContent()).toContain('shelved until');

    await attend('oven-3/temperature');
    await dialog.getByRole('textbox').fill('a test run');
    await page.getByTestId('alarm-dismiss').click();
    await eventually(() => page.getByTestId('alarm').count()).toBe(2);

    await attend('press-1/pressure');
    await page.getByTestId('alarm-unshelve').click();
    await eventually(() => page.getByTestId('alarms').textContent()).not.toContain('shelved until');
    await page.getByTestId('alarm-ack-all').click();
    await eventually(() => page.getByTestId('alarm-acked').count()).toBe(2);
    expect(problems).toEqual([]);
  });

  test('an alarm that is over stays until somebody acknowledges it', async () => {
    const { page, plant } = await plantPage();
    const id = plant.view.raise(plant.oil, 'warning', plant.time, 'expected between 41 and 51 °C, saw 67.2 °C');
    await eventually(() => page.getByTestId('alarm').count()).toBe(1);
    plant.view.clear(id, plant.time);
    await eventually(() => page.getByTestId('alarm').textContent()).toContain('over since');
    await page.getByTestId('alarm-ack').click();
    await eventually(() => page.getByTestId('alarm').count()).toBe(0);
  });

  test('sources, sinks, backlog, ledger and dead letters are told', async () => {
    const { page, plant } = await plantPage();
    await eventually(() => page.getByTestId('source').count()).toBe(2);
    expect(await page.getByTestId('source').nth(1).textContent()).toContain('refuses the connection');
    expect(await page.getByTestId('sink').last().textContent()).toMatch(
      /influx.*degraded.*6,080.*1 min 33 s.*Its buffer is full in about 3 h 0 min/s,
    );
    await eventually(() => page.getByTestId('dead-letter').count()).toBe(3);
    await eventually(() => page.getByTestId('ledger-balance').first().textContent()).toBe('✓ balances');
    plant.view.ledger = { ...plant.view.ledger, received: plant.view.ledger.received + 3 };
    await eventually(() => page.getByTestId('ledger-balance').first().textContent()).toBe('✗ 3 unaccounted for');
  });

  test('what is given up while memory is short is told, and the fullest bounds', async () => {
    const { page, plant } = await plantPage();
    const card = page.getByTestId('memory');
    await eventually(() => card.textContent()).toContain('floor: read and not acknowledged');
    expect(await card.textContent()).not.toContain('given up');
    const { shedding } = plant.view.memory;
    plant.view.memory = {
      ...plant.view.memory,
      state: 'tight',
      shedding: shedding.map((step, i) => ({ ...step, active: i < 2 })),
    };
    await eventually(() => card.textContent()).toContain('memory is tight: given up are live data, new series');
  });

  test('a clock that is not believed is told, and how many readings wait for it', async () => {
    const { plant, page, problems } = await plantPage();
    const clock = page.getByTestId('clock');
    await eventually(() => page.getByTestId('uptime').textContent()).not.toBe('–');
    expect(await clock.count()).toBe(0);
    const detail = 'the clock says 1970-01-01T00:00:20.000Z';
    plant.view.clock = { ...plant.view.clock, state: 'unset', detail, provisionalReadings: 12 };
    await eventually(() => clock.textContent()).toBe('unset, 12 readings wait');
    expect(await clock.getAttribute('title')).toBe(detail);
    expect(problems).toEqual([]);
  });

  test('devices whose clocks are ahead are told, and by how much', async () => {
    const { plant, page, problems } = await plantPage();
    const clocks = page.getByTestId('device-clocks');
    await eventually(() => page.getByTestId('uptime').textContent()).not.toBe('–');
    expect(await clocks.count()).toBe(0);
    const ahead = [{ device: 'press-1', skewMs: 7_200_000, restampedTotal: 40 }];
    plant.view.deviceClocks = { aheadCount: 3, ahead, restampedTotal: 40 };
    await eventually(() => clocks.textContent()).toBe('3 ahead');
    expect(await clocks.getAttribute('title')).toBe("ahead of the gateway's clock: press-1 by 2 h 0 min …");
    expect(problems).toEqual([]);
  });

  test('the ledger is told by device, and how many devices are not shown', async () => {
    const plant = new LivePlant();
    plant.view.groups = Array.from({ length: 30 }, (_, i) => groupRow(`device-${i}`, { received: 1234, late: 1234 }));
    const api = await serve(plant.view);
    run(plant);
    const { page, problems } = await open(api.url);
    // What the rules of the reduction kept back stands above it.
    const reduction = page.getByTestId('reduction');
    await eventually(() => reduction.locator('tbody tr').count()).toBe(1);
    expect(await reduction.locator('tbody tr').textContent()).toMatch(/^\s*\*\/temperature4060\s*$/);
    // And what was derived, what could not be computed, and a table that could not be taken.
    expect(await page.getByTestId('derived').locator('tbody tr').textContent()).toMatch(
      /^\s*derive:fahrenheit2\s*50\s*3\s*$/,
    );
    expect(await page.getByTestId('tables').textContent()).toContain(
      'table machines stays as it was: it has 20000 rows',
    );
    const table = page.getByTestId('ledger-devices');
    await eventually(() => table.locator('tbody tr').count()).toBe(20);
    expect(await table.locator('tbody tr').first().textContent()).toMatch(/^\s*device-01,2340{4}1,23400\s*$/);
    expect(await table.locator('caption').textContent()).toBe('by device, 20 of 30');
    expect(problems).toEqual([]);
  });

  test('the path of a reading through the pipeline is told: of the newest, and of one that is chosen in the chart', async () => {
    const { page, problems } = await plantPage();
    await page.locator('[data-series="pump-1/vibration"]').click();
    const verdict = page.getByTestId('path-verdict');
    await eventually(() => verdict.textContent()).toMatch(/taken pump-1\/vibration at .*46.50, good.*went through/s);
    const stages = await page.getByTestId('path-stages').textContent();
    expect(stages).toContain('deadband: 0.5');
    expect(stages).toMatch(/derive:fahrenheit: pump-1\/vibration_f 115.7 *join:load \(left\)/);
    expect(stages).toMatch(/minute [\d:]+ – [\d:]+: open.*hour .*: ended, revision 2/s);
    expect(stages).toMatch(/Detectors *range/);
    const newest = await verdict.textContent();
    await eventually(() => page.getByTestId('chart').getAttribute('aria-label')).toContain('pump-1/vibration, 5');
    await page.getByTestId('chart').click({ position: { x: 300, y: 200 } });
    await eventually(() => verdict.textContent()).not.toBe(newest);
    const chosen = await verdict.textContent();
    await page.getByTestId('path-newest').click();
    await eventually(() => verdict.textContent()).not.toBe(chosen);
    expect(problems).toEqual([]);
  });

  test('a stage is watched live until it is stopped, or another series is chosen', async () => {
    const { page, plant, problems } = await plantPage();
    const { taps } = plant.view.inspection;
    const rows = page.getByTestId('tap-rows');
    const toggle = page.getByTestId('tap-toggle');
    await page.locator('[data-series="pump-1/current"]').click();
    await eventually(() => page.getByTestId('path-verdict').textContent()).toContain('pump-1/current');
    await page.getByTestId('tap-stage').selectOption('accepted');
    const before = await page.getByTestId('path').boundingBox();
    await toggle.click();
    await eventually(() => taps).toMatchObject([{ stage: 'accepted', series: 'pump-1/current' }]);
    const series = { id: 1, key: 'pump-1/current', device: 'pump-1', metric: 'current', tags: {}, unit: undefined };
    for (let value = 1; value <= 20; value++) {
      const reading = { series, source: 'floor', value, quality: Quality.good, sourceTime: value, receiveTime: value };
      taps[0]!.listener.passed(reading, 'passed');
    }
    // Five a second are shown, of the others only the number.
    await eventually(() => rows.textContent()).toMatch(/5.000 {2}good {2}passed.*1.000 {2}good {2}passed/s);
    await eventually(() => page.getByTestId('tap-note').textContent()).toBe('15 more passed');
    expect(await page.getByTestId('path').boundingBox()).toEqual(before);
    await page.getByTestId('tap-stage').selectOption('window:minute');
    await eventually(() => taps).toMatchObject([{ stage: 'window:minute' }]);
    await toggle.click();
    await eventually(() => taps).toEqual([]);
    await toggle.click();
    await eventually(() => taps.length).toBe(1);
    taps[0]!.listener.passed(
      { series, source: 'floor', value: 21, quality: Quality.good, sourceTime: 21, receiveTime: 21 },
      undefined,
    );
    await eventually(() => rows.textContent()).toContain('21.00');
    await page.locator('[data-series="hall/humidity"]').click();
    await eventually(() => taps).toEqual([]);
    await eventually(async () => (await rows.textContent())?.trim()).toBe('');
    expect(problems).toEqual([]);
  });

  test('a lost connection is told, and the page goes on by itself when the gateway is back', async () => {
    const plant = new LivePlant();
    const first = await serve(plant.view);
    run(plant);
    const { page } = await open(first.url);
    await eventually(() => page.getByTestId('series-row').count()).toBe(6);
    const { port } = first;
    await first.stop(AbortSignal.timeout(1000));
    await eventually(() => page.getByTestId('connection-lost').count()).toBe(1);
    plant.view.addSeries('boiler', 'level', '%');
    await serve(plant.view, port);
    await eventually(() => page.getByTestId('connection-lost').count()).toBe(0);
    await eventually(() => page.getByTestId('series-row').count()).toBe(7);
  });

  test('a gateway without data says what to do', async () => {
    const view = new FakeView();
    const api = await serve(view);
    const { page, problems } = await open(api.url);
    await eventually(() => page.getByTestId('no-series').count()).toBe(1);
    expect(await page.getByTestId('no-series').textContent()).toContain('mosquitto_pub');
    const key = view.addSeries('demo', 'temperature', '°C');
    view.read([{ series: key, sourceTime: systemClock.now(), value: 21.5, quality: 'good', anomaly: false }]);
    await eventually(() => page.getByTestId('series-row').count()).toBe(1);
    await eventually(() => page.getByTestId('chart').getAttribute('aria-label')).toContain('demo/temperature');
    expect(problems).toEqual([]);
  });

  test('played data is drawn at its own time', async () => {
    const plant = new LivePlant(Date.UTC(2014, 0, 12, 8));
    plant.view.now = systemClock.now();
    const api = await serve(plant.view);
    const { page } = await open(api.url);
    await eventually(() => page.getByTestId('data-time').textContent()).toMatch(/Data of 12 Jan 2014: .* years old/);
    await eventually(() => chartColours(page)).toBeGreaterThan(10);
  });

  test.each(['light', 'dark'] as const)('fits a phone and follows the %s scheme', async (colorScheme) => {
    const { page, plant, problems } = await plantPage({ viewport: PHONE, colorScheme });
    const counts = { received: 12_345_678, aggregated: 12_345_000, duplicate: 600, late: 70, rejected: 8 };
    plant.view.groups = [groupRow('press-hall/press-1', counts)];
    plant.view.raise(plant.oil, 'warning', plant.time, 'expected between 41 and 51 °C, saw 67.2 °C');
    await eventually(() => page.getByTestId('alarm').count()).toBe(1);
    await eventually(() => page.getByTestId('ledger').count()).toBe(3);
    await eventually(() => page.getByTestId('ledger-devices').locator('tbody tr').count()).toBe(1);
    expect(await overflow(page)).toBe(0);
    expect(await cutOff(page)).toEqual([]);
    const shade = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(Number(/\d+/.exec(shade)?.[0])).toSatisfy((red: number) => (colorScheme === 'dark' ? red < 60 : red > 200));
    expect(problems).toEqual([]);
  });

  test('nothing moves when an alarm comes', async () => {
    const { page, plant } = await plantPage();
    await eventually(() => page.getByTestId('series-row').count()).toBe(6);
    const before = await page.getByTestId('chart').boundingBox();
    plant.view.raise(plant.oil, 'critical', plant.time, 'expected between 41 and 51 °C, saw 67.2 °C');
    await eventually(() => page.getByTestId('alarm').count()).toBe(1);
    expect(await page.getByTestId('chart').boundingBox()).toEqual(before);
  });

  test('the API documentation works offline', async () => {
    const api = await serve(new FakeView());
    const { page, problems } = await open(`${api.url}docs/`);
    await eventually(() => page.getByText('/api/v1/readings', { exact: false }).count()).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  });
});
