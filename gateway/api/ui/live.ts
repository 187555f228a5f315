import type { Aggregate, AlarmEvent } from '../../core/result.ts';
import type { LiveReading } from '../../core/view.ts';
import type { StatusReply } from '../status-reply.ts';
import { after, every, monotonicMs } from './browser-clock.ts';

/** What the live stream tells. */
export interface LiveListener {
  /** The line is up. Everything must be read anew when `gap` is true: something may have been missed. */
  up(gap: boolean): void;
  /** The line is down; it is being tried again. */
  down(): void;
  readings(batch: readonly LiveReading[]): void;
  aggregate(aggregate: Aggregate): void;
  alarm(alarm: AlarmEvent): void;
  status(status: StatusReply): void;
}

const RETRY_MS = 2_000;
// The gateway sends a heartbeat every 10 s: without a word for this long the line is dead, whatever TCP says.
const SILENCE_MS = 25_000;

/** Listens to the gateway for as long as the page is open, and connects again whenever the line breaks. */
export function listenLive(listener: LiveListener): void {
  let source: EventSource | undefined;
  let lastWord = monotonicMs();
  let known = false;

  const connect = () => {
    source?.close();
    lastWord = monotonicMs();
    const fresh = new EventSource('/api/v1/stream?topics=readings,aggregates,alarms,status');
    source = fresh;
    const on = <T>(name: string, take: (data: T) => void) =>
      fresh.addEventListener(name, (event) => {
        lastWord = monotonicMs();
        take(JSON.parse(event.data));
      });
    // The browser resumes a broken line by itself with Last-Event-ID; a source made here starts without, so there is a gap.
    let gap = true;
    fresh.onopen = () => {
      lastWord = monotonicMs();
      listener.up(gap && known);
      known = true;
      gap = false;
    };
    fresh.onerror = () => {
      listener.down();
      if (fresh.readyState === EventSource.CLOSED && source === fresh) after(RETRY_MS, connect);
    };
    on('heartbeat', () => undefined);
    on('reset', () => listener.up(true));
    on('readings', listener.readings);
    on('aggregates', listener.aggregate);
    on('alarms', listener.alarm);
    on('status', listener.status);
  };

  every(5_000, () => {
    if (monotonicMs() - lastWord < SILENCE_MS) return;
    listener.down();
    connect();
  });
  connect();
}
