import { isoTime } from '../../base/iso-time.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Series } from '../../core/reading.ts';
import type { Outlet } from '../../core/stage.ts';
import type { SeriesAccess } from '../derive/derivation.ts';
import { tableRows } from '../enrich/tables.ts';
import type { JoinDefinition, JoinKind } from './join-definition.ts';
import type { JoinedSeries } from './joined-series.ts';
import type { Pair, TakePair } from './matcher.ts';

interface JoinContext extends Record<string, unknown> {
  left: number;
  right: number;
  device: string;
  tags: Series['tags'];
}

const NOWHERE: Outlet = { derive: () => undefined, fail: () => undefined };

/** Makes derived readings of pairs: by the expression of a join, as readings of a series like the left one. */
export class JoinOutput {
  readonly #definition: JoinDefinition;
  readonly #access: SeriesAccess;
  readonly #tableNames: readonly string[];
  /** One object for all evaluations. */
  readonly #context: JoinContext = { left: 0, right: 0, device: '', tags: {} };
  #series = 0;
  #outlet: Outlet = NOWHERE;
  /** Receive time of what is derived. */
  now: EpochMs = Number.NEGATIVE_INFINITY;
  /** Derives what comes of a pair, into the outlet of the last `begin`. */
  readonly take: TakePair = (pair) => this.#derive(pair);

  constructor(definition: JoinDefinition, access: SeriesAccess) {
    this.#definition = definition;
    this.#access = access;
    this.#tableNames = access.tables.names;
  }

  /** Series it has made. */
  get series(): number {
    return this.#series;
  }

  /** What follows is derived at receive time `now`, and goes there. */
  begin(now: EpochMs, outlet: Outlet): void {
    this.now = now;
    this.#outlet = outlet;
  }

  /** See `Outlet`. */
  fail(reason: string): void {
    this.#outlet.fail(reason);
  }

  /** The derived series of one of the left, made when it is asked for first; or a sentence why there is none. */
  seriesOf(left: JoinedSeries): Series | string {
    if (left.output === undefined) {
      const { metric, unit } = this.#definition.settings;
      const { device, tags } = left.series;
      left.output = this.#access.derive({ device, metric, tags }, unit);
      left.rows = tableRows(this.#access.tables, left.series);
      if (typeof left.output !== 'string') this.#series++;
    }
    return left.output;
  }

  #derive({ left, leftValue, rightValue, time, quality, stamped }: Pair): void {
    if (leftValue === undefined || rightValue === undefined) {
      const side = leftValue === undefined ? left : left.group.right;
      this.#outlet.fail(tooLarge(this.#definition.settings.kind, side, time));
      return;
    }
    const series = this.seriesOf(left);
    if (typeof series === 'string') {
      this.#outlet.fail(series);
      return;
    }
    const { expression } = this.#definition;
    const context = this.#context;
    context.left = leftValue;
    context.right = rightValue;
    context.device = left.series.device;
    context.tags = left.series.tags;
    left.rows?.fill(context, this.#tableNames);
    const value = expression.evaluate(context);
    if (value === undefined) {
      this.#outlet.fail(`${expression.problem}, for left ${leftValue} and right ${rightValue} of ${left.series.key}`);
      return;
    }
    this.#outlet.derive({
      series,
      source: this.#definition.source,
      value,
      quality,
      sourceTime: time,
      receiveTime: this.now,
      stamped,
      // The same members in the same order as in readings from a source, so that V8 knows one form of them.
      ahead: false,
      provisional: false,
    });
  }
}

/** Says that a window join cannot add up one side of a window, which has ended with the time of the pair. */
function tooLarge(kind: JoinKind, side: JoinedSeries | undefined, time: EpochMs): string {
  const end = time + 1;
  const start = 'tumblingMs' in kind ? end - kind.tumblingMs : time;
  const [from, to] = [start, end].map(isoTime);
  return `the sum of ${side?.series.key} from ${from} to ${to} is beyond the largest number, 1.8e+308`;
}
