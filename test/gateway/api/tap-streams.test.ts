import { afterEach, describe, expect, test } from 'vitest';
import { TapStreams } from '../../../gateway/api/tap-streams.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import { Plant } from '../pipeline/make-reading.ts';
import { aggregate } from '../sinks/results.ts';
import { eventsIn, HandClock, MemorySocket } from './event-client.ts';
import { FakeView } from './fake-view.ts';
import { startApi } from './start-api.ts';

const plant = new Plant();
const reading = (value: number) =>
  plant.reading('press-1/temperature', value, 1000, { at: 1500, quality: Quality.good });

function watch(perSecond = 2) {
  const view = new FakeView();
  const clock = new HandClock();
  const streams = new TapStreams(view.inspection, clock);
  const socket = new MemorySocket();
  const leave = streams.join(socket, { stage: 'accepted', series: undefined, perSecond });
  const pass = (value: number) => view.inspection.taps[0]?.listener.passed(reading(value), undefined);
  return { view, clock, streams, socket, leave, pass };
}

describe('those who watch a stage', () => {
  test('see readings and results as they pass, and what became of them', () => {
    const { view, socket } = watch(10);
    view.inspection.taps[0]!.listener.passed(reading(3), 'filtered');
    view.inspection.taps[0]!.listener.passed(aggregate(), undefined);
    expect(socket.events.map(({ name, data }) => [name, data])).toEqual([
      [
        'passed',
        {
          series: 'press-1/temperature',
          source: expect.any(String),
          value: 3,
          quality: 'good',
          sourceTime: 1000,
          receiveTime: 1500,
          outcome: 'filtered',
        },
      ],
      ['passed', aggregate()],
    ]);
  });

  test('see no more in a second than they asked for, and are told of the others', async () => {
    const { clock, socket, pass } = watch(2);
    for (let value = 0; value < 5; value++) pass(value);
    await clock.move(1000);
    pass(5);
    await clock.move(1000);
    const seen = socket.events.map(({ name, data }) => [
      name,
      (data as { value?: number; count?: number }).value ?? data,
    ]);
    expect(seen).toEqual([
      ['passed', 0],
      ['passed', 1],
      ['left-out', { count: 3 }],
      ['passed', 5],
    ]);
  });

  test('are left out where they do not read, and nothing piles up', async () => {
    const { clock, socket, pass } = watch(1000);
    socket.stuck = true;
    for (let second = 0; second < 5; second++) {
      for (let value = 0; value < 1000; value++) pass(value);
      await clock.move(1000);
    }
    expect(socket.text.length).toBeLessThan(300_000);
    expect(socket.text).toContain('left-out');
  });

  test('hear now and then that the line is alive', async () => {
    const { clock, socket } = watch();
    for (let second = 0; second < 10; second++) await clock.move(1000);
    expect(socket.events.map(({ name }) => name)).toEqual(['heartbeat']);
  });

  test('are let go when they leave, and when the gateway stops', () => {
    const { view, leave, streams, socket } = watch();
    leave();
    expect(view.inspection.taps).toEqual([]);
    streams.join(socket, { stage: 'accepted', series: undefined, perSecond: 1 });
    streams.stop();
    expect(socket.ended).toBe(true);
    expect(streams.full).toBe(true);
  });

  test('are eight at the most', () => {
    const { streams } = watch();
    for (let i = 0; i < 7; i++) {
      expect(streams.full).toBe(false);
      streams.join(new MemorySocket(), { stage: 'accepted', series: undefined, perSecond: 1 });
    }
    expect(streams.full).toBe(true);
  });
});

describe('/api/v1/tap', () => {
  const running: { stop(): unknown }[] = [];
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop();
  });

  async function started() {
    const one = await startApi();
    running.push(one);
    return one;
  }

  test('the stages are listed', async () => {
    const { http, view } = await started();
    const reply = await http.inject({ url: '/api/v1/taps' });
    expect(reply.json()).toEqual({ stages: view.inspection.stages });
  });

  test('a stage streams until the client leaves', async () => {
    const { api, view } = await started();
    const leaving = new AbortController();
    const url = `${api.url}api/v1/tap?stage=accepted&series=press-1/*&limit=5`;
    const { body, headers } = await fetch(url, { signal: leaving.signal });
    expect(headers.get('content-type')).toContain('text/event-stream');
    expect(view.inspection.taps).toMatchObject([{ stage: 'accepted', series: 'press-1/*' }]);
    view.inspection.taps[0]!.listener.passed(reading(7), undefined);
    let text = '';
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('}\n\n')) break;
    }
    expect(eventsIn(text)).toMatchObject([{ name: 'passed', data: { value: 7 } }]);
    leaving.abort();
    await expect.poll(() => view.inspection.taps).toEqual([]);
  });

  test('an unknown stage is refused with those there are, and so is one while memory is short', async () => {
    const { http, view } = await started();
    const unknown = await http.inject({ url: '/api/v1/tap?stage=windows' });
    expect(unknown.statusCode).toBe(400);
    expect(unknown.json().hint).toBe("'stage' must be one of accepted, window:minute");
    view.liveIsOff = true;
    const off = await http.inject({ url: '/api/v1/tap?stage=accepted' });
    expect(off.statusCode).toBe(503);
  });
});
