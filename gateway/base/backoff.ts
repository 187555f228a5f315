/** How long to wait before trying again. */
export interface BackoffOptions {
  /** Upper bound of the first wait, in milliseconds. @default 500 */
  readonly firstMs?: number;
  /** Upper bound of every wait, in milliseconds. @default 30000 */
  readonly maxMs?: number;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/**
 * Exponential back-off with full jitter: a uniform wait between 0 and `firstMs · 2^attempt`, capped at `maxMs`, so that many
 * gateways that lost one server do not return in step.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param attempt how many attempts have failed in a row before this wait, from 0
 */
export function backoffMs(attempt: number, options: BackoffOptions = {}): number {
  const { firstMs = 500, maxMs = 30_000, random = Math.random } = options;
  return random() * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
}
