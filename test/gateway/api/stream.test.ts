import { afterEach, describe, expect, test } from 'vitest';
import { EventHub } from '../../../gateway/api/event-hub.ts';
import { TOPICS } from '../../../gateway/api/stream-schemas.ts';
import { type Event, eventsIn, HandClock, MemorySocket } from './event-client.ts';
import { FakeView } from './fake-view.ts';
import { startApi } from './start-api.ts';

const ALL = new Set<string>(TOPICS);
const running: { stop(): unknown }[] = [];

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

function makeHub(options: ConstructorParameters<typeof EventHub>[2] = {}) {
  const view = new FakeView();
  const clock = new HandClock();
  const hub = new EventHub(view, clock, options);
  running.push(hub);
  view.addSeries('a', 'x', null);
  const read = (value: number) =>
    view.read([{ series: 'a/x', sourceTime: value, value, quality: 'good', anomaly: false }]);
  return { view, clock, hub, read };
}

const values = (socket: MemorySocket) =>
  socket.events
    .filter((event) => event.name === 'readings')
    .map((event) => (event.data as { value: number }[])[0]?.value);

describe('EventHub', () => {
  test('a client gets only the topics it asked for', () => {
    const { hub, view, read } = makeHub();
    const socket = new MemorySocket();
    hub.join(socket, new Set(['status']), undefined);
    read(1);
    view.emit({ topic: 'status', data: view.status() });
    expect(socket.events.map((event) => event.name)).toEqual(['status']);
  });

  test('what is kept for clients that come back is told, and its bound', () => {
    const { hub, read } = makeHub({ ringBytes: 1_000 });
    hub.join(new MemorySocket(), ALL, undefined);
    for (let i = 0; i < 50; i++) read(i);
    const [clients, kept] = hub.bounds();
    expect(clients).toMatchObject({ used: 1, max: 64 });
    expect(kept!.used).toBeGreaterThan(500);
    expect(kept!.used).toBeLessThanOrEqual(kept!.max);
  });

  test('when live events are given up every stream ends and none is taken, until they are back', () => {
    const { hub, view, read } = makeHub();
    const socket = new MemorySocket();
    hub.join(socket, ALL, undefined);
    read(1);
    view.liveIsOff = true;
    view.emit({ topic: 'off' });
    expect(socket.ended).toBe(true);
    expect(hub.clients).toBe(0);
    expect(view.listeners).toBe(0);
    expect(hub.full).toBe(true);
    view.liveIsOff = false;
    expect(hub.full).toBe(false);
    const again = new MemorySocket();
    hub.join(again, ALL, socket.events.at(-1)?.id);
    read(2);
    expect(again.events.map((event) => event.name)).toEqual(['reset', 'readings']);
  });

  test('status events tell whether the gateway is ready', () => {
    const { hub, view } = makeHub();
    const socket = new MemorySocket();
    hub.join(socket, ALL, undefined);
    view.reasons = ['no disk'];
    view.emit({ topic: 'status', data: view.status() });
    expect(socket.events[0]?.data).toMatchObject({ notReady: ['no disk'] });
  });

  test('a client that comes back gets exactly what it missed', () => {
    const { hub, read, view } = makeHub();
    const first = new MemorySocket();
    const leave = hub.join(first, ALL, undefined);
    read(1);
    read(2);
    view.emit({ topic: 'status', data: view.status() });
    const last = first.events.at(-1)?.id;
    leave();
    read(3);
    read(4);
    const second = new MemorySocket();
    hub.join(second, ALL, last);
    read(5);
    expect(values(second)).toEqual([3, 4, 5]);
    expect(second.events.some((event) => event.name === 'reset')).toBe(false);
  });

  test.each(['', '-', 'zzz-1', 'nonsense', '__proto__-1', '1-1'])(
    'an id it never gave is answered with reset: %j',
    (id) => {
      const { hub, read } = makeHub();
      hub.join(new MemorySocket(), ALL, undefined);
      read(1);
      const socket = new MemorySocket();
      hub.join(socket, ALL, id);
      expect(socket.events.map((event) => event.name)).toEqual(['reset']);
    },
  );

  test('what has left the ring is told with reset, and the ring stays within its bounds', () => {
    const { hub, read } = makeHub({ ringEvents: 3 });
    const first = new MemorySocket();
    hub.join(first, ALL, undefined);
    for (let i = 1; i <= 10; i++) read(i);
    const ids = first.events.map((event) => event.id);
    const missed = new MemorySocket();
    hub.join(missed, ALL, ids[5]);
    expect(missed.events.map((event) => event.name)).toEqual(['reset']);
    const kept = new MemorySocket();
    hub.join(kept, ALL, ids[6]);
    expect(values(kept)).toEqual([8, 9, 10]);
  });

  test('the ring is bounded in bytes too', () => {
    const { hub, read } = makeHub({ ringBytes: 10 });
    const first = new MemorySocket();
    hub.join(first, ALL, undefined);
    read(1);
    read(2);
    const socket = new MemorySocket();
    hub.join(socket, ALL, first.events[0]?.id);
    expect(socket.events.map((event) => event.name)).toEqual(['reset']);
  });

  test('nothing is subscribed to before the first client and a minute after the last', async () => {
    const { hub, view, clock, read } = makeHub();
    expect(view.listeners).toBe(0);
    const first = new MemorySocket();
    const leave = hub.join(first, ALL, undefined);
    read(1);
    leave();
    await clock.move(59_000);
    expect(view.listeners).toBe(1);
    await clock.move(2_000);
    expect(view.listeners).toBe(0);
    read(2);
    const late = new MemorySocket();
    hub.join(late, ALL, first.events[0]?.id);
    expect(late.events.map((event) => event.name)).toEqual(['reset']);
  });

  test('a client that does not read is cut off and counted; the others go on', () => {
    const { hub, read } = makeHub({ maxUnsentBytes: 1000 });
    const slow = new MemorySocket();
    slow.stuck = true;
    const quick = new MemorySocket();
    hub.join(slow, ALL, undefined);
    hub.join(quick, ALL, undefined);
    for (let i = 0; i < 100; i++) read(i);
    expect(slow.destroyed).toBe(true);
    expect(slow.text.length).toBeLessThan(1300);
    expect(hub.slowClients).toBe(1);
    expect(hub.clients).toBe(1);
    expect(values(quick)).toHaveLength(100);
  });

  test('heartbeats come while nothing happens, and stop with the last client', async () => {
    const { hub, clock } = makeHub();
    const socket = new MemorySocket();
    const leave = hub.join(socket, ALL, undefined);
    await clock.move(10_000);
    await clock.move(10_000);
    expect(socket.events.map((event) => event.name)).toEqual(['heartbeat', 'heartbeat']);
    leave();
    await clock.move(10_000);
    const again = new MemorySocket();
    hub.join(again, ALL, undefined);
    await clock.move(10_000);
    expect(again.events.map((event) => event.name)).toEqual(['heartbeat']);
  });

  test('stop ends every client and leaves the gateway alone', () => {
    const { hub, view } = makeHub();
    const socket = new MemorySocket();
    hub.join(socket, ALL, undefined);
    hub.stop();
    expect(socket.ended).toBe(true);
    expect(view.listeners).toBe(0);
    expect(hub.full).toBe(true);
  });
});

/** Reads a live stream until `enough` says so. */
async function follow(url: string, enough: (events: Event[]) => boolean, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: AbortSignal.any([abort.signal, AbortSignal.timeout(5000)]) });
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (enough(eventsIn(text.slice(0, text.lastIndexOf('\n\n') + 2)))) break;
  }
  abort.abort();
  return { response, events: eventsIn(text) };
}

describe('/api/v1/stream over a socket', () => {
  test('sends events as they happen, and resumes from Last-Event-ID', async () => {
    const one = await startApi();
    running.push(one);
    const key = one.view.addSeries('a', 'x', null);
    const read = (value: number) =>
      one.view.read([{ series: key, sourceTime: value, value, quality: 'good', anomaly: false }]);
    const url = `${one.api.url}api/v1/stream?topics=readings`;
    const following = follow(url, (events) => events.length === 1);
    await expect.poll(() => one.view.listeners, { timeout: 5000 }).toBe(1);
    read(1);
    const { response, events } = await following;
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    read(2);
    const resumed = await follow(url, (seen) => seen.length === 1, { 'last-event-id': events[0]?.id ?? '' });
    expect(resumed.events[0]?.data).toMatchObject([{ value: 2 }]);
  });

  test('an unknown topic is 400 that lists the known ones', async () => {
    const one = await startApi();
    running.push(one);
    const reply = await one.http.inject({ url: '/api/v1/stream?topics=readings,gossip' });
    expect(reply.statusCode).toBe(400);
    expect(reply.json().hint).toContain('aggregates');
  });

  test('beyond the bound on clients it is 503', async () => {
    const one = await startApi({ stream: { maxClients: 1 } });
    running.push(one);
    const abort = new AbortController();
    await fetch(`${one.api.url}api/v1/stream`, { signal: abort.signal });
    const second = await fetch(`${one.api.url}api/v1/stream`);
    expect(second.status).toBe(503);
    expect(second.headers.get('content-type')).toContain('application/problem+json');
    abort.abort();
  });
});
