import { expect, test } from 'vitest';
import { restoreWithTeaching, Teaching, withTeaching } from '../../../../gateway/detect/learning/teaching.ts';

const seen = (...features: number[]) => Float64Array.from(features);

test('what was seen since the last onset becomes normal when it is accepted, and stays so', () => {
  const teaching = new Teaching(2);
  teaching.begin();
  for (const features of [seen(1, 5), seen(3, 4), seen(2, Number.NaN)]) teaching.see(features);
  expect([teaching.lowest(0), teaching.highest(0)]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  teaching.accept();
  teaching.begin();
  teaching.see(seen(99, 99));
  teaching.begin();
  teaching.see(seen(-7, 1));
  teaching.accept();
  expect([0, 1].map((feature) => [teaching.lowest(feature), teaching.highest(feature)])).toEqual([
    [-7, 3],
    [1, 5],
  ]);
});

test('what an onset leads to after it was accepted goes with it', () => {
  const teaching = new Teaching(1);
  teaching.see(seen(1));
  teaching.accept();
  teaching.see(seen(8));
  expect([teaching.isAccepted, teaching.highest(0)]).toEqual([true, 8]);
  teaching.begin();
  teaching.see(seen(99));
  expect([teaching.isAccepted, teaching.highest(0)]).toEqual([false, 8]);
});

test('its copy stands behind the block of the detector, and is as it was', () => {
  const teaching = new Teaching(3);
  teaching.see(seen(1, 2, 3));
  teaching.accept();
  const block = Uint8Array.of(1, 2, 3);
  expect(withTeaching(block, undefined)).toEqual(block);
  const copy = withTeaching(block, teaching);
  const other = new Uint8Array(3);
  const resumed = restoreWithTeaching('auto', other, 3, copy);
  expect(other).toEqual(block);
  expect([resumed?.lowest(2), resumed?.highest(2), resumed?.isAccepted]).toEqual([3, 3, true]);
  expect(restoreWithTeaching('auto', other, 3, withTeaching(block, undefined))).toBeUndefined();
});

test('a copy of another size is refused, and changes nothing', () => {
  const block = Uint8Array.of(1, 2, 3);
  for (const snapshot of [undefined, new Uint8Array(4), withTeaching(new Uint8Array(3), new Teaching(2))]) {
    expect(() => restoreWithTeaching('auto', block, 3, snapshot)).toThrow(
      /Cannot restore the auto detector: its snapshot is .*, not 3 or 107 bytes/,
    );
  }
  expect(block).toEqual(Uint8Array.of(1, 2, 3));
});
