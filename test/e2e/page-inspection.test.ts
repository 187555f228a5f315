import { describe, expect, test } from 'vitest';
import { Quality } from '../../gateway/core/quality.ts';
import { chromium, eventually, pageRig } from './page-rig.ts';

describe.skipIf(chromium === undefined)('where a reading went, on the page', () => {
  const { plantPage } = pageRig();

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
    // The page is drawn a moment later; the button does what it shows.
    await eventually(() => toggle.getAttribute('aria-pressed')).toBe('false');
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
});
