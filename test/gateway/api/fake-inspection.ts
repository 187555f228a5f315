import type { Explanation, Inspection, TapListener, TapQuery, TapStage } from '../../../gateway/core/inspection.ts';

/** A look into a pipeline that a test writes itself. */
export class FakeInspection implements Inspection {
  readonly stages: readonly TapStage[] = [
    { name: 'accepted', of: 'readings', description: 'Readings that are durable.' },
    { name: 'window:minute', of: 'results', description: 'Results of the window minute.' },
  ];
  /** Of whatever is asked; where it is undefined, of the series that `knows` knows a plain one. */
  explanation: Explanation | undefined;
  /** Who watches. */
  readonly taps: (TapQuery & { readonly listener: TapListener })[] = [];
  readonly #knows: (series: string) => boolean;

  constructor(knows: (series: string) => boolean) {
    this.#knows = knows;
  }

  async explain({ series, time }: { series: string; time: number }): Promise<Explanation | undefined> {
    if (this.explanation !== undefined) return { ...this.explanation, series, time };
    return this.#knows(series) ? plain(series, time) : undefined;
  }

  tap(query: TapQuery, listener: TapListener): () => void {
    const tap = { ...query, listener };
    this.taps.push(tap);
    return () => {
      this.taps.splice(this.taps.indexOf(tap), 1);
    };
  }
}

/** A reading that one window has taken. */
function plain(series: string, time: number): Explanation {
  const start = Math.floor(time / 60_000) * 60_000;
  const end = start + 60_000;
  return {
    series,
    time,
    verdict: 'taken',
    summary: 'It went through everything that uses its series.',
    readings: [{ sourceTime: time, value: 46.5, quality: 'good', anomaly: false }],
    duplicates: 0,
    watermarkThen: null,
    watermark: time,
    nearest: { before: null, after: null },
    windows: [
      { window: 'minute', from: null, start, end, closesAt: end, state: 'open', revision: null, holds: true },
      { window: 'hour', from: 'minute', start, end, closesAt: end, state: 'given', revision: 2, holds: true },
    ],
    consumers: {
      reduction: 'series: */temperature, deadband: 0.5',
      readBy: ['derive:fahrenheit', 'join:load (left)'],
      windows: ['minute', 'hour'],
      detectors: [{ detector: 'range', options: { max: 50 } }],
    },
    derived: [
      {
        by: 'derive:fahrenheit',
        series: `${series}_f`,
        from: time,
        to: time,
        mayFollow: false,
        readings: [{ sourceTime: time, value: 115.7, quality: 'good', anomaly: false }],
      },
    ],
    alarms: [],
    refused: [],
  };
}
