/** Something that is started and stopped by the runtime. */
export interface Lifecycle {
  /**
   * Returns once it is able to work, quickly: a peer that cannot be reached is retried in the background and told in the
   * status, not awaited. Rejects only for what a person must mend (a port in use, a folder not writable).
   * `signal` aborts the start itself.
   */
  start(signal: AbortSignal): Promise<void>;
  /** Stops and frees everything; `signal` aborts when the time for a clean stop is over. Safe before `start` and twice. */
  stop(signal: AbortSignal): Promise<void>;
}

/** Where a component is in its life. `failed` is final; `degraded` works, but somebody should look. */
export type ComponentState = 'starting' | 'running' | 'degraded' | 'draining' | 'stopped' | 'failed';
