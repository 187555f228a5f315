import { DeadlineQueue } from '../../base/deadline-queue.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Emit } from '../../core/stage.ts';
import { giveResult } from './given-windows.ts';
import { type DeviceState, openOf, Surfacing } from './series-state.ts';

/** Devices of which all series are idle: each of their windows gives what it has once its end has come in receive time. */
export class SilentDevices {
  readonly #surfacings = new DeadlineQueue<Surfacing>();

  /** When there is something to look at next, in receive time; +∞ where there is not. */
  get nextDue(): EpochMs {
    return this.#surfacings.peek()?.due ?? Number.POSITIVE_INFINITY;
  }

  /** Gives what windows of a silent device have ended by `time`, and plans for those that end later. */
  give(device: DeviceState, time: EpochMs, emit: Emit): void {
    for (const [state, windows, window] of openOf(device.series)) {
      if (window.end <= time) giveResult(state, windows, window, emit);
    }
    this.plan(device);
  }

  /** Plans to look at the windows of a silent device when the next of them ends. */
  plan(device: DeviceState): void {
    let next = Number.POSITIVE_INFINITY;
    for (const [, , { end, changed, isPartial }] of openOf(device.series)) {
      if ((changed || isPartial) && end < next) next = end;
    }
    if (next >= device.surfacesAt) return;
    device.surfacesAt = next;
    this.#surfacings.push(new Surfacing(next, device));
  }

  /** `nextDue` has come. */
  surface(emit: Emit): void {
    const surfacing = this.#surfacings.pop();
    if (surfacing === undefined) return;
    const { device, due } = surfacing;
    device.surfacesAt = Number.POSITIVE_INFINITY;
    if (device.clock.active === 0) this.give(device, due, emit);
  }
}
