/** The browser's clock and timers: the page's only place for ambient time. */

/** Wall time in epoch milliseconds, of the machine that shows the page. */
export function now(): number {
  return Date.now();
}

/** Milliseconds for durations. */
export function monotonicMs(): number {
  return performance.now();
}

/** Calls `run` once after `ms`; returns how to call it off. */
export function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

/** Calls `run` every `ms`; returns how to stop. */
export function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  return () => clearInterval(timer);
}

/** A function that calls `run` at most once every `ms`, the last call never lost. */
export function throttled(ms: number, run: () => void): () => void {
  let waiting = false;
  let last = -Infinity;
  const fire = () => {
    waiting = false;
    last = monotonicMs();
    run();
  };
  return () => {
    if (waiting) return;
    waiting = true;
    after(Math.max(0, last + ms - monotonicMs()), fire);
  };
}
