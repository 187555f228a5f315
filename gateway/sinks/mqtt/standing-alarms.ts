import { type AlarmEvent, isActive } from '../../core/result.ts';

/** Alarms that are remembered; the oldest are forgotten first. */
const MAX_STANDING = 10_000;

/** A step of an alarm, and whether the broker is to keep it for those who subscribe later. */
export interface AlarmPublish {
  readonly event: AlarmEvent;
  readonly retain: boolean;
}

/**
 * The alarms that are active on each topic. A broker keeps one message for a topic, but a series may have several alarms: what is kept must
 * not say that all is well when only one of them was cleared.
 */
export class StandingAlarms {
  /** The last step of each active alarm, by topic and id. */
  readonly #byTopic = new Map<string, Map<string, AlarmEvent>>();
  #count = 0;

  /** An alarm is known to be active: nothing has to be published of it. */
  add(topic: string, event: AlarmEvent): void {
    const standing = this.#byTopic.get(topic) ?? new Map<string, AlarmEvent>();
    // The one that changed last is the last one.
    if (!standing.delete(event.id)) this.#count++;
    standing.set(event.id, event);
    this.#byTopic.set(topic, standing);
    if (this.#count > MAX_STANDING) this.#forgetOldest();
  }

  /** What to publish of a step, in this order. */
  publishes(topic: string, event: AlarmEvent): readonly AlarmPublish[] {
    // One that is over may be acknowledged, too.
    if (isActive(event)) {
      this.add(topic, event);
      return [{ event, retain: true }];
    }
    const standing = this.#byTopic.get(topic);
    if (standing?.delete(event.id) === true) this.#count--;
    const other = [...(standing?.values() ?? [])].at(-1);
    if (other !== undefined)
      return [
        { event, retain: false },
        { event: other, retain: true },
      ];
    this.#byTopic.delete(topic);
    return [{ event, retain: true }];
  }

  #forgetOldest(): void {
    const [topic, standing] = this.#byTopic.entries().next().value!;
    const [id] = standing.keys();
    standing.delete(id!);
    if (standing.size === 0) this.#byTopic.delete(topic);
    this.#count--;
  }
}
