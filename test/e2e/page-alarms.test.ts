import { describe, expect, test } from 'vitest';
import { chromium, eventually, pageRig } from './page-rig.ts';

describe.skipIf(chromium === undefined)('alarms on the page', () => {
  const { plantPage } = pageRig();

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
    const acknowledgeAll = page.getByTestId('alarm-ack-all');
    const [panel, button] = [await page.getByTestId('alarms').boundingBox(), await acknowledgeAll.boundingBox()];
    // The panel cuts off what is beyond it.
    expect(button!.y + button!.height).toBeLessThan(panel!.y + panel!.height);
    await acknowledgeAll.click();
    await eventually(() => page.getByTestId('alarm-acked').count()).toBe(2);
    expect(problems).toEqual([]);
  });

  test('a graver alarm that comes is in sight, however many there are', async () => {
    const { page, plant } = await plantPage({ viewport: { width: 1280, height: 800 } });
    const devices = ['oven-3', 'oven-4', 'oven-5', 'oven-6'];
    for (const device of devices) plant.view.raise(`${device}/temperature`, 'warning', plant.time, 'saw 180 °C');
    await eventually(() => page.getByTestId('alarm').count()).toBe(4);
    for (const metric of ['pressure', 'oil_temperature']) {
      plant.view.raise(`press-1/${metric}`, 'critical', plant.time, 'saw 240 bar');
      await eventually(() => page.getByTestId('alarms').textContent()).toContain(`press-1/${metric}`);
    }
    const list = await page.getByTestId('alarms').getByRole('list').first().boundingBox();
    await eventually(async () => (await page.getByTestId('alarm').first().boundingBox())!.x).toBeGreaterThan(list!.x);
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

  test('nothing moves when an alarm comes', async () => {
    const { page, plant } = await plantPage();
    await eventually(() => page.getByTestId('series-row').count()).toBe(6);
    const before = await page.getByTestId('chart').boundingBox();
    plant.view.raise(plant.oil, 'critical', plant.time, 'expected between 41 and 51 °C, saw 67.2 °C');
    await eventually(() => page.getByTestId('alarm').count()).toBe(1);
    expect(await page.getByTestId('chart').boundingBox()).toEqual(before);
  });
});
