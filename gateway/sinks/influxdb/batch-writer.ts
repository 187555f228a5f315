import type { Result } from '../../core/result.ts';
import type { Rejection } from '../../core/sink.ts';
import { shorten } from '../http.ts';
import type { Point } from './line-protocol.ts';
import type { Outcome } from './request.ts';
import { Suspicions } from './suspicions.ts';

/** InfluxData's advice for one request; a larger batch goes in several. */
const MAX_LINES = 5000;

/** A result, and the line that it became. */
export interface Line {
  readonly result: Result;
  readonly point: Point;
  readonly text: string;
}

/** What the server says of a request about these very lines; everything else is thrown. */
export type LinesOutcome = Exclude<Outcome, { kind: 'noDatabase' }>;

type Lines = readonly Line[];

/**
 * Stores lines in as few requests as it takes to find those that the server refuses for ever. Writing a stored point again is
 * harmless, so a request that was refused in part is followed by smaller ones.
 */
export class BatchWriter {
  readonly #send: (lines: Lines, signal: AbortSignal) => Promise<LinesOutcome>;
  readonly #suspicions = new Suspicions();
  /** Half of the smallest request that was too large for the server. */
  #maxRequestBytes = Number.POSITIVE_INFINITY;

  /** @param send one request; what it throws ends the write, whose lines are then sent again as a whole, some other time */
  constructor(send: (lines: Lines, signal: AbortSignal) => Promise<LinesOutcome>) {
    this.#send = send;
  }

  /** Stores lines, but for the rejections that are returned. */
  async write(lines: Lines, signal: AbortSignal): Promise<readonly Rejection[]> {
    const rejections: Rejection[] = [];
    const isSuspect = ({ point }: Line) => this.#suspicions.reasonFor(point) !== undefined;
    const suspects = lines.filter(isSuspect);
    const others = suspects.length === 0 ? lines : lines.filter((line) => !isSuspect(line));
    for (const some of this.#requests(others)) await this.#store(some, rejections, signal);
    for (const some of this.#requests(suspects)) {
      const before = rejections.length;
      await this.#store(some, rejections, signal);
      if (rejections.length === before) this.#suspicions.clear(some.map(({ point }) => point));
    }
    return rejections;
  }

  /** Cuts lines into requests that are not too large. */
  *#requests(lines: Lines): Generator<Lines> {
    let from = 0;
    let bytes = 0;
    for (const [index, { text }] of lines.entries()) {
      if (index > from && (bytes + text.length > this.#maxRequestBytes || index - from >= MAX_LINES)) {
        yield lines.slice(from, index);
        from = index;
        bytes = 0;
      }
      bytes += text.length + 1;
    }
    if (from < lines.length) yield lines.slice(from);
  }

  /** Stores lines in their order; those that are refused for ever end in `rejections`. */
  async #store(lines: Lines, rejections: Rejection[], signal: AbortSignal): Promise<void> {
    const outcome = await this.#send(lines, signal);
    if (outcome.kind === 'stored') return;
    for (const part of outcome.kind === 'tooLarge'
      ? this.#smaller(lines, rejections)
      : this.#parts(lines, outcome, rejections)) {
      await this.#store(part, rejections, signal);
    }
  }

  #smaller(lines: Lines, rejections: Rejection[]): readonly Lines[] {
    if (lines.length === 1) {
      const reason = 'InfluxDB answered 413: the point is too large for its max-body-size';
      rejections.push({ result: lines[0]!.result, reason });
      return [];
    }
    const bytes = lines.reduce((sum, { text }) => sum + text.length + 1, 0);
    this.#maxRequestBytes = Math.min(this.#maxRequestBytes, bytes / 2);
    return halves(lines);
  }

  /**
   * What to ask about next, after lines were refused in part or whole. The server drops points shard by shard and tells only one shard's
   * count and the first reason: so its word is taken where it can only mean these very lines.
   */
  #parts(
    lines: Lines,
    { reason, dropped }: LinesOutcome & { kind: 'refused' },
    rejections: Rejection[],
  ): readonly Lines[] {
    const points = lines.map(({ point }) => point);
    if (lines.length === 1 || dropped === lines.length) {
      this.#suspicions.add(reason, points);
      return this.#refuse(lines, reason, rejections);
    }
    const suspicion = Suspicions.of(reason, dropped, points);
    const isSuspect = ({ point, text }: Line) => suspicion?.(point) ?? reason.includes(`unable to parse '${text}'`);
    const suspects = lines.filter(isSuspect);
    if (suspects.length === 0 || suspects.length === lines.length) return halves(lines);
    this.#suspicions.add(
      reason,
      suspects.map(({ point }) => point),
    );
    return [lines.filter((line) => !isSuspect(line)), suspects];
  }

  /** All lines are refused, but the words are about the first of them: others, refused for another reason, are asked about again. */
  #refuse(lines: Lines, reason: string, rejections: Rejection[]): readonly Lines[] {
    const known = (line: Line) => this.#suspicions.reasonFor(line.point);
    const unknown = lines.filter((line) => known(line) === undefined);
    const askAgain = unknown.length < lines.length;
    for (const line of lines) {
      const own = known(line) ?? (askAgain ? undefined : reason);
      if (own !== undefined) rejections.push({ result: line.result, reason: shorten(own) });
    }
    return askAgain && unknown.length > 0 ? [unknown] : [];
  }
}

function halves(lines: Lines): readonly Lines[] {
  const middle = Math.ceil(lines.length / 2);
  return [lines.slice(0, middle), lines.slice(middle)];
}
