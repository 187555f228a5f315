import { systemClock } from '../../gateway/base/system-clock.ts';
import { letter } from '../gateway/api/fake-rows.ts';
import { FakeView } from '../gateway/api/fake-view.ts';

const HISTORY_MS = 280_000;
const WINDOW_MS = 10_000;

interface Sensor {
  readonly key: string;
  readonly level: number;
  readonly swing: number;
  readonly periodMs: number;
}

/** A fake gateway with a small plant that has run for some minutes, and goes on when told. */
export class LivePlant {
  readonly view = new FakeView();
  readonly oil: string;
  #faulty = false;
  #time: number;
  readonly #sensors: Sensor[] = [];
  #open = new Map<string, { start: number; values: number[] }>();

  constructor(now: number = systemClock.now()) {
    this.#time = now - HISTORY_MS;
    this.view.now = now;
    this.oil = this.#sensor('press-1', 'oil_temperature', '°C', 46, 4, 90_000);
    this.#sensor('press-1', 'pressure', 'bar', 182, 9, 14_000);
    this.#sensor('pump-1', 'vibration', 'mm/s', 2.4, 0.7, 7_000);
    this.#sensor('pump-1', 'current', 'A', 12.8, 1.1, 31_000);
    this.#sensor('oven-3', 'temperature', '°C', 218, 3, 120_000);
    this.#sensor('hall', 'humidity', '%', 41, 6, 200_000);
    this.view.letters = [
      letter(
        'no decoder understands the payload: unexpected end of JSON at byte 14',
        'sensors/press-1/oil',
        '{"value": 21.5',
        now - 9_000,
      ),
      letter(
        "the topic fits no template: it has 5 parts, 'sensors/_/+' has 3",
        'sensors/a/b/c/d',
        '17.2',
        now - 65_000,
      ),
      letter('the value is NaN: only finite numbers are kept', 'sensors/pump-1/flow', 'NaN', now - 130_000),
    ];
    this.advance(HISTORY_MS);
  }

  /** From now on, or no longer, the oil is far too warm. */
  set faulty(on: boolean) {
    this.#faulty = on;
  }

  get time(): number {
    return this.#time;
  }

  /** Lets time pass: two readings a second from every sensor, and the windows that end. */
  advance(ms: number): void {
    for (const end = this.#time + ms; this.#time < end; this.#time += 500) {
      this.view.now = Math.max(this.view.now, this.#time);
      for (const sensor of this.#sensors) this.#read(sensor);
    }
  }

  #sensor(device: string, metric: string, unit: string, level: number, swing: number, periodMs: number): string {
    const key = this.view.addSeries(device, metric, unit);
    this.#sensors.push({ key, level, swing, periodMs });
    return key;
  }

  #read({ key, level, swing, periodMs }: Sensor): void {
    const time = this.#time;
    const noise = Math.sin(time / 137 + level) * Math.sin(time / 51) * 0.18;
    const fault = this.#faulty && key === this.oil ? 21 : 0;
    const value = level + swing * (Math.sin((time / periodMs) * 2 * Math.PI) + noise) + fault;
    const quality = key.startsWith('hall') ? 'uncertain' : 'good';
    this.view.read([{ series: key, sourceTime: time, value, quality, anomaly: fault > 0 }], 2);
    this.#window(key, time, value);
  }

  #window(key: string, time: number, value: number): void {
    const start = Math.floor(time / WINDOW_MS) * WINDOW_MS;
    const open = this.#open.get(key);
    if (open !== undefined && open.start === start) {
      open.values.push(value);
      return;
    }
    this.#open.set(key, { start, values: [value] });
    if (open === undefined) return;
    const { values } = open;
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
    const fields = { count: values.length, mean, min: Math.min(...values), max: Math.max(...values) };
    this.view.close({
      series: key,
      window: '10s',
      start: open.start,
      end: open.start + WINDOW_MS,
      revision: 0,
      good: 1,
      fields,
    });
  }
}
