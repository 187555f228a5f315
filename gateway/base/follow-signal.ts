/**
 * Aborts `controller`, with the same reason, when `signal` aborts. Call what is returned when that is no longer wanted.
 *
 * `AbortSignal.any` does the same for ever: with a signal that lives as long as the process, every call leaves something behind.
 */
export function followSignal(signal: AbortSignal, controller: AbortController): () => void {
  const follow = () => controller.abort(signal.reason);
  if (signal.aborted) follow();
  else signal.addEventListener('abort', follow, { once: true });
  return () => signal.removeEventListener('abort', follow);
}
