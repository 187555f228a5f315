/** Unit of the timestamps of line protocol, in the words of InfluxDB's `precision`. */
export type LinePrecision = 'ns' | 'us' | 'ms' | 's' | 'm' | 'h';

/** A request to write line protocol. */
export interface LineWrite {
  /** Its bytes as they come in; an error in between is thrown on. What is refused early is not read to its end. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Length that was announced, in bytes. */
  readonly announcedBytes: number | undefined;
  readonly encoding: 'identity' | 'gzip';
  readonly precision: LinePrecision;
}

/** What became of a request. */
export type LineWriteOutcome =
  /** Everything that could be read is durable; `refused` lines or values are dead letters, `reason` is that of the first. */
  | { readonly kind: 'durable'; readonly refused: number; readonly reason: string | undefined }
  /** Nothing of it was taken, and never would be. */
  | { readonly kind: 'too-large' | 'unreadable'; readonly detail: string }
  /** It is not acknowledged, and may be sent again in a moment. */
  | { readonly kind: 'busy'; readonly detail: string };

/** The source behind the HTTP routes that take line protocol. */
export interface LineWrites {
  /** Resolves when what it says is durable. Rejects only with an error of the body itself. */
  write(request: LineWrite): Promise<LineWriteOutcome>;
}
