import { DeadlineQueue } from '../../base/deadline-queue.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { DerivedAt } from '../../core/inspection.ts';
import type { Bound } from '../../core/memory.ts';
import { asNumber, type Reading, type Series } from '../../core/reading.ts';
import { type Deriver, Fate, type Outlet } from '../../core/stage.ts';
import type { SeriesAccess } from '../derive/derivation.ts';
import { type DeviceClock, type SeriesClock, Watermarks } from '../watermark.ts';
import { AsOfMatcher } from './as-of-matcher.ts';
import { IntervalMatcher } from './interval-matcher.ts';
import { JoinDefinition, type JoinKind, type JoinSettings } from './join-definition.ts';
import { JoinGroup, JoinSurfacing } from './join-group.ts';
import { JoinOutput } from './join-output.ts';
import { restoreJoin, snapshotJoin } from './join-snapshot.ts';
import { joinedAt } from './joined-at.ts';
import { JoinedSeries } from './joined-series.ts';
import type { Matcher, TakePair } from './matcher.ts';
import { WindowMatcher } from './window-matcher.ts';
import { WindowPairsMatcher } from './window-pairs-matcher.ts';

/** Readings that one join holds, for all its groups together: about 100 bytes each. */
const MAX_HELD = 100_000;

/**
 * Joins the readings of two sides in event time, group by group: a group are the series in which what `on` names is equal.
 *
 * - The watermark of a group is the least of what its series have reached, less the allowed disorder. Readings are matched in order of time once it has
 *   reached them: disorder within the bound changes nothing. What is older than it is late.
 * - A series that brings nothing newer for `waitMs` is idle, and no longer waited for; nor is a side that has had no series for so long since the group
 *   began. When all are idle, what waits is matched. When a silent group begins again all of them are waited for
 *   again: after an outage one side often comes whole before the other.
 * - A text has no number: it is filtered, as is a reading of a second series of the right in one group, which is told as a failure.
 * - When the clock is set back, a group that has its times from there, or waits for its window to end there, gives what it has; one that has its
 *   times from there begins anew.
 */
export class Join implements Deriver {
  readonly source: string;
  readonly #definition: JoinDefinition;
  readonly #access: SeriesAccess;
  readonly #maxHeld: number;
  readonly #watermarks: Watermarks;
  /** By series id: the sides that a series takes; null where it takes none, a sentence where it should. */
  readonly #sides: (readonly (JoinedSeries | string)[] | null | undefined)[] = [];
  /** By order of the group's clock. */
  readonly #groups: JoinGroup[] = [];
  readonly #byKey = new Map<string, JoinGroup>();
  readonly #surfacings = new DeadlineQueue<JoinSurfacing>();
  readonly #output: JoinOutput;
  readonly #take: TakePair;
  /** What `advance` has reached: a reading that has waited came earlier, and time does not go back for it. */
  #now: EpochMs = Number.NEGATIVE_INFINITY;
  #held = 0;
  #notRestored: string | undefined;

  /** @throws GatewayError for settings that are not allowed */
  constructor(settings: JoinSettings, access: SeriesAccess, maxHeld = MAX_HELD) {
    this.#definition = new JoinDefinition(settings, access.tables.types);
    this.source = this.#definition.source;
    this.#access = access;
    this.#maxHeld = maxHeld;
    this.#watermarks = new Watermarks({ ...settings, idleTimeoutMs: settings.waitMs });
    this.#output = new JoinOutput(this.#definition, access);
    this.#take = this.#output.take;
  }

  process(reading: Reading, outlet: Outlet): Fate {
    const { series, value, receiveTime } = reading;
    // One that no checkpoint knows may not have been told what time it is.
    if (this.#now === Number.NEGATIVE_INFINITY) this.#now = receiveTime;
    let sides = this.#sides[series.id];
    if (sides === undefined) sides = this.#meet(series, this.#now);
    if (sides === null || typeof value === 'string') return Fate.filtered;
    this.#output.begin(this.#now, outlet);
    let fate: Fate = Fate.filtered;
    for (let i = 0; i < sides.length; i++) {
      const side = sides[i]!;
      if (typeof side === 'string') outlet.fail(side);
      else if (!this.#hold(side, reading, asNumber(value))) fate = Fate.late;
      else if (fate === Fate.filtered) fate = Fate.aggregated;
    }
    return fate;
  }

  advance(now: EpochMs, outlet: Outlet): void {
    if (now > this.#now) this.#now = now;
    for (;;) {
      const surfaceAt = this.#surfacings.peek()?.due ?? Number.POSITIVE_INFINITY;
      const idleAt = this.#idleAt;
      if (Math.min(surfaceAt, idleAt) > now) return;
      this.#output.begin(Math.min(surfaceAt, idleAt), outlet);
      if (idleAt <= surfaceAt) this.#expire(idleAt);
      else this.#surface();
    }
  }

  isDue(now: EpochMs): boolean {
    return this.nextDue <= now;
  }

  get nextDue(): EpochMs {
    return Math.min(this.#surfacings.peek()?.due ?? Number.POSITIVE_INFINITY, this.#idleAt);
  }

  step(now: EpochMs, byMs: number, outlet: Outlet): void {
    this.#now = now;
    this.#watermarks.step(byMs);
    if (byMs > 0) return;
    this.#output.begin(now, outlet);
    for (const group of this.#groups) this.#setBack(group);
  }

  get derivedSeries(): number {
    return this.#output.series;
  }

  derivedAt({ id }: Series, time: EpochMs): readonly DerivedAt[] {
    const { kind } = this.#definition.settings;
    const sides = this.#sides[id] ?? [];
    return sides.flatMap((side) => (typeof side === 'string' ? [] : joinedAt(this.source, kind, side, time)));
  }

  bounds(maxSeries: number): readonly Bound[] {
    // One may be held of each series, however many there are.
    return [
      { name: `${this.source}: readings held`, used: this.#held, max: this.#maxHeld + 2 * maxSeries, unit: 'readings' },
    ];
  }

  snapshot(): unknown {
    return snapshotJoin(this.#definition.form, this.#now, this.#watermarks, this.#groups);
  }

  get notRestored(): string | undefined {
    return this.#notRestored;
  }

  /** Into a new join. What was held for another form of the join is dropped: see `notRestored`. */
  restore(snapshot: unknown): void {
    const restored = restoreJoin(snapshot, this.#definition.form, {
      reach: (now) => {
        this.#now = now;
      },
      clocks: (part) => this.#watermarks.restore(part),
      group: (key, { device }) => this.#addGroup(key, device),
      find: (key) => this.#access.find(key),
      add: (series, group, isLeft, clock, hasDerived) => {
        const joined = this.#addSeries(series, group, isLeft, clock);
        this.#remember(series, [...(this.#sides[series.id] ?? []), joined]);
        if (hasDerived) this.#output.seriesOf(joined);
      },
    });
    if (restored !== undefined) this.#notRestored = `${this.source}: ${restored}`;
    for (const group of this.#groups) {
      this.#refuseAgain(group);
      this.#held += group.held;
      if (group.surfacesAt < Number.POSITIVE_INFINITY)
        this.#surfacings.push(new JoinSurfacing(group.surfacesAt, group));
    }
  }

  /** When the first series becomes idle; +∞ when all are. */
  get #idleAt(): EpochMs {
    // Puts the first deadline right.
    this.#watermarks.hasExpired(Number.POSITIVE_INFINITY);
    return this.#watermarks.nextDeadline;
  }

  /** @returns false where the reading is late */
  #hold(side: JoinedSeries, { sourceTime: time, quality, stamped = false }: Reading, value: number): boolean {
    const { group, clock } = side;
    this.#watermarks.learn(clock, time);
    if (time < group.matchedTo) return false;
    if (group.clock.active === 0) this.#wake(group);
    const before = group.held;
    group.hold({ of: side, time, value, quality, stamped });
    if (this.#watermarks.observe(clock, time, this.#output.now, stamped)) this.#follow(group);
    // What comes just at the watermark waits for nobody where there is no disorder.
    else if (time === group.matchedTo) this.#follow(group);
    this.#held += group.held - before;
    while (this.#held > this.#maxHeld && group.held > 1) this.#shed(group);
    return true;
  }

  #follow(group: JoinGroup): void {
    group.match(group.clock.watermark, group.clock.outOfOrdernessMs === 0, this.#take);
  }

  #wake(group: JoinGroup): void {
    for (const { clock } of group.all) this.#watermarks.expect(clock, this.#output.now);
    const { left, right } = group.vacant;
    for (const clock of [left, right]) if (clock !== undefined) this.#watermarks.expect(clock, this.#output.now);
  }

  #shed(group: JoinGroup): void {
    const before = group.held;
    if (group.shed(this.#take))
      this.#output.fail(`more readings are held than ${this.#maxHeld}: the oldest meets no further ones`);
    this.#held += group.held - before;
  }

  #expire(at: EpochMs): void {
    const clock = this.#watermarks.expire(at);
    if (clock === undefined) return;
    const group = this.#groups[clock.order]!;
    const before = group.held;
    if (clock.active > 0) this.#follow(group);
    else this.#giveSilent(group);
    this.#held += group.held - before;
  }

  /** Nobody is waited for any more; a window gives what it has once its end has come in receive time, too. */
  #giveSilent(group: JoinGroup): void {
    group.matchAll(this.#take);
    const end = group.openUntil;
    if (end === Number.POSITIVE_INFINITY || group.surfacesAt === end) return;
    if (end <= this.#output.now) {
      group.endWindow(this.#take);
      return;
    }
    group.surfacesAt = end;
    this.#surfacings.push(new JoinSurfacing(end, group));
  }

  #surface(): void {
    const { group, due } = this.#surfacings.pop()!;
    // It may have been planned anew since.
    if (group.surfacesAt === due) group.surfacesAt = Number.POSITIVE_INFINITY;
    const before = group.held;
    if (group.clock.active === 0 && group.openUntil <= due) group.endWindow(this.#take);
    this.#held += group.held - before;
  }

  #setBack(group: JoinGroup): void {
    const isAhead = group.all.some(({ clock }) => clock.stamped && clock.newest > this.#output.now);
    if (!isAhead && group.clock.active > 0) return;
    const before = group.held;
    group.matchAll(this.#take);
    group.endWindow(this.#take);
    if (isAhead) {
      this.#watermarks.beginAnew(group.clock, [...group.all.map(({ clock }) => clock), ...vacantOf(group)]);
      group.beginAnew();
    }
    this.#held += group.held - before;
  }

  #meet(series: Series, now: EpochMs): readonly (JoinedSeries | string)[] | null {
    const { isLeft, isRight } = this.#definition;
    const sides: (JoinedSeries | string)[] = [];
    if (isLeft(series)) sides.push(this.#sideOf(series, true, now));
    if (isRight(series)) sides.push(this.#sideOf(series, false, now));
    return this.#remember(series, sides.length === 0 ? null : sides);
  }

  #remember<T extends readonly (JoinedSeries | string)[] | null>(series: Series, sides: T): T {
    // Filled densely, so that V8 keeps the array fast.
    while (this.#sides.length < series.id) this.#sides.push(undefined);
    this.#sides[series.id] = sides;
    return sides;
  }

  #sideOf(series: Series, isLeft: boolean, now: EpochMs): JoinedSeries | string {
    const found = this.#definition.keyOf(series);
    if (typeof found === 'string') return found;
    const group = this.#byKey.get(found.key) ?? this.#newGroup(found.key, now);
    if (!isLeft && group.right !== undefined) return secondRight(series, group.right);
    const { vacant } = group;
    const clock = (isLeft ? vacant.left : vacant.right) ?? this.#watermarks.trackIn(group.clock.key);
    vacant[isLeft ? 'left' : 'right'] = undefined;
    return this.#addSeries(series, group, isLeft, clock);
  }

  /** A series of the left that would be a second one of the right: no snapshot says that it is no member there. */
  #refuseAgain({ lefts, right }: JoinGroup): void {
    if (right === undefined) return;
    for (const left of lefts) {
      const { series } = left;
      if (series === right.series || !this.#definition.isRight(series)) continue;
      this.#remember(series, [left, secondRight(series, right)]);
    }
  }

  #addSeries(series: Series, group: JoinGroup, isLeft: boolean, clock: SeriesClock): JoinedSeries {
    const joined = new JoinedSeries(series, group, isLeft, clock, group.all.length);
    group.add(joined);
    return joined;
  }

  #newGroup(key: string, now: EpochMs): JoinGroup {
    const [left, right] = [this.#watermarks.trackIn(key), this.#watermarks.trackIn(key)];
    for (const clock of [left, right]) this.#watermarks.expect(clock, now);
    const group = this.#addGroup(key, left.device);
    group.vacant = { left, right };
    return group;
  }

  #addGroup(key: string, clock: DeviceClock): JoinGroup {
    const group = new JoinGroup(key, clock, makeMatcher(this.#definition.settings.kind));
    this.#groups[clock.order] = group;
    this.#byKey.set(key, group);
    return group;
  }
}

function makeMatcher(kind: JoinKind): Matcher {
  if ('withinMs' in kind) return new IntervalMatcher(kind.withinMs);
  if ('asOfMs' in kind) return new AsOfMatcher(kind.asOfMs);
  const { tumblingMs, aggregate } = kind;
  return aggregate === 'pairs' ? new WindowPairsMatcher(tumblingMs) : new WindowMatcher(tumblingMs, aggregate);
}

function secondRight({ key }: Series, { series }: JoinedSeries): string {
  return `${key} and ${series.key} are both the right side for the same left one: name in \`on\` what tells them apart`;
}

function vacantOf({ vacant: { left, right } }: JoinGroup): readonly SeriesClock[] {
  return [left, right].filter((clock) => clock !== undefined);
}
