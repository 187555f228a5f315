import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeadlineQueue } from '../../../gateway/base/deadline-queue.ts';

test('deadlines come out in order of time, equal ones by their order, whatever was pushed and popped between', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 20 })), { size: 'max', maxLength: 200 }), (actions) => {
      const queue = new DeadlineQueue<{ due: number; order: number }>();
      const model: { due: number; order: number }[] = [];
      actions.forEach((due, order) => {
        if (due !== null) {
          queue.push({ due, order });
          model.push({ due, order });
        } else {
          model.sort((a, b) => a.due - b.due || a.order - b.order);
          expect(queue.peek()).toEqual(model[0]);
          expect(queue.pop()).toEqual(model.shift());
        }
        expect(queue.size).toBe(model.length);
      });
      model.sort((a, b) => a.due - b.due || a.order - b.order);
      for (const item of model) expect(queue.pop()).toEqual(item);
      expect(queue.pop()).toBeUndefined();
    }),
  );
});
