import type { Series } from '../../core/reading.ts';
import type { TableRows } from '../enrich/tables.ts';
import type { SeriesClock } from '../watermark.ts';
import type { JoinGroup } from './join-group.ts';

/** One series as one side of a join. */
export class JoinedSeries {
  readonly series: Series;
  readonly group: JoinGroup;
  readonly isLeft: boolean;
  readonly clock: SeriesClock;
  /** Place in the group, from 0: in order of appearance. */
  readonly place: number;
  /** Of the left: the derived series, or a sentence why there is none. Undefined until there is something to derive. */
  output: Series | string | undefined;
  /** Of the left: undefined where there are no tables, or nothing was derived yet. */
  rows: TableRows | undefined;

  constructor(series: Series, group: JoinGroup, isLeft: boolean, clock: SeriesClock, place: number) {
    this.series = series;
    this.group = group;
    this.isLeft = isLeft;
    this.clock = clock;
    this.place = place;
  }
}
