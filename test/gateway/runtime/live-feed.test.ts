import { expect, test } from 'vitest';
import type { LiveEvent } from '../../../gateway/core/view.ts';
import { LiveFeed } from '../../../gateway/runtime/live-feed.ts';

test('who listens is told when live events are given up, and hears nothing more; who comes then hears nothing', () => {
  const interest: boolean[] = [];
  const feed = new LiveFeed((interested) => interest.push(interested));
  const heard: LiveEvent['topic'][] = [];
  const stop = feed.subscribe(({ topic }) => heard.push(topic));
  feed.publish({ topic: 'readings', data: [] });
  feed.isOff = true;
  feed.publish({ topic: 'readings', data: [] });
  feed.subscribe(({ topic }) => heard.push(topic));
  feed.publish({ topic: 'readings', data: [] });
  expect(heard).toEqual(['readings', 'off']);
  expect(interest).toEqual([true, false]);
  stop();
  feed.isOff = false;
  feed.subscribe(({ topic }) => heard.push(topic));
  feed.publish({ topic: 'readings', data: [] });
  expect(heard).toEqual(['readings', 'off', 'readings']);
  expect(interest).toEqual([true, false, true]);
});
