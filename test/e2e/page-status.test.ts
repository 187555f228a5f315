import { describe, expect, test } from 'vitest';
import { groupRow } from '../gateway/api/fake-rows.ts';
import { LivePlant } from './live-plant.ts';
import { chromium, eventually, pageRig } from './page-rig.ts';

describe.skipIf(chromium === undefined)('the state of the gateway on the page', () => {
  const { open, plantPage, run, serve } = pageRig();

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

  test('what is in maintenance is told, until when and why', async () => {
    const { plant, page, problems } = await plantPage();
    const maintenance = page.getByTestId('maintenance');
    await eventually(() => page.getByTestId('uptime').textContent()).not.toBe('–');
    expect(await maintenance.count()).toBe(0);
    const series = { series: 'press-1/*', reason: 'new oil', by: 'Ada', active: true, from: plant.time };
    plant.view.maintenance = [{ id: 'press-1/*@1', ...series, until: plant.time + 3_600_000 }];
    await eventually(() => maintenance.textContent()).toBe('1 on');
    expect(await maintenance.getAttribute('title')).toMatch(/^no detector judges press-1\/\* until .*\(new oil\)$/);
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
});
