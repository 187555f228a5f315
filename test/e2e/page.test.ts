import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { groupRow } from '../gateway/api/fake-rows.ts';
import { FakeView } from '../gateway/api/fake-view.ts';
import { LivePlant } from './live-plant.ts';
import { chromium, eventually, pageRig } from './page-rig.ts';

const PHONE = { width: 390, height: 844 };

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

/** How many points of the chart's canvas have the colour of its line. */
function lineInk(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=chart] canvas');
    const ink = canvas?.getContext('2d');
    if (!canvas || !ink) return 0;
    const { data } = ink.getImageData(0, 0, canvas.width, canvas.height);
    ink.fillStyle = getComputedStyle(canvas).getPropertyValue('--chart-line').trim();
    const colour = Number.parseInt(String(ink.fillStyle).slice(1), 16);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!) === colour) count++;
    }
    return count;
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

describe.skipIf(chromium === undefined)('the page', () => {
  const { open, plantPage, run, serve } = pageRig();

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
    // There is no line yet.
    await eventually(() => lineInk(page)).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  });

  test('the largest numbers there are break nothing', async () => {
    const view = new FakeView();
    const api = await serve(view);
    const key = view.addSeries('demo', 'temperature', '°C');
    const { page, problems } = await open(api.url);
    await eventually(() => page.getByTestId('series-row').count()).toBe(1);
    for (const value of [1e308, -1e308, 1e308]) {
      view.read([{ series: key, sourceTime: systemClock.now(), value, quality: 'good', anomaly: false }]);
    }
    const line = page.getByTestId('series-row').locator('polyline');
    await eventually(() => line.getAttribute('points')).toMatch(/,3\.0 .*,23\.0 .*,3\.0$/);
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

  test('the API documentation works offline', async () => {
    const api = await serve(new FakeView());
    const { page, problems } = await open(`${api.url}docs/`);
    await eventually(() => page.getByText('/api/v1/readings', { exact: false }).count()).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  });
});
