/**
 * An error for the person who must act. `message` says what was attempted and what was wrong with which value;
 * `hint` says what is allowed or how to recover.
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.hint = options.hint;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
