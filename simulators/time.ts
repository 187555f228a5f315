/** Wall time in milliseconds since 1970: the only place where the simulators ask what time it is. */
export function wallMs(): number {
  return Date.now();
}

/** Milliseconds from an arbitrary start, never going back. */
export function monotonicMs(): number {
  return performance.now();
}

/** Resolves after `ms` milliseconds, or at once when the signal aborts. It never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.max(0, ms));
    signal?.addEventListener('abort', wake, { once: true });
  });
}

/** Resolves when the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
