import uPlot, { type AlignedData, type Options } from 'uplot';
import type { AggregateRow } from '../../core/sink.ts';
import type { ReadingRow } from '../../core/view.ts';
import type { ChartData } from './chart-data.ts';
import { formatDay, formatTime, formatValue } from './format.ts';

/** What lies under the pointer. */
export interface Hover {
  readonly time: number;
  readonly reading: ReadingRow | undefined;
  readonly aggregate: AggregateRow | undefined;
}

interface Colours {
  readonly line: string;
  readonly band: string;
  readonly mean: string;
  readonly anomaly: string;
  readonly alarm: string;
  readonly axis: string;
  readonly grid: string;
}

const AXIS_HEIGHT = 46;
const AXIS_WIDTH = 54;
/** With fewer readings in sight each is a dot, too. */
const SPARSE = 30;
// A pause this many times the usual interval is drawn as a gap.
const GAP_INTERVALS = 10;

/**
 * The chart of one series: its readings as a line that breaks where there are none, the window's minimum to maximum as a band with the mean as
 * steps, anomalies as points, alarms as shaded spans. Times are in seconds inside uPlot.
 */
export class Chart {
  readonly #host: HTMLElement;
  readonly #onHover: (hover: Hover | undefined) => void;
  readonly #sizes: ResizeObserver;
  readonly #theme = matchMedia('(prefers-color-scheme: dark)');
  readonly #rebuild = () => this.#make();
  #plot: uPlot | undefined;
  #data: ChartData | undefined;
  #aggregates: AggregateRow[] = [];

  constructor(host: HTMLElement, onHover: (hover: Hover | undefined) => void) {
    this.#host = host;
    this.#onHover = onHover;
    this.#sizes = new ResizeObserver(() => this.#plot?.setSize(this.#size()));
    this.#sizes.observe(host);
    this.#theme.addEventListener('change', this.#rebuild);
    this.#make();
  }

  /** Draws the present state of `data`. */
  draw(data: ChartData): void {
    this.#data = data;
    this.#aggregates = data.aggregates();
    this.#plot?.setData(this.#columns(data));
  }

  /** Removes the chart and everything that listens. */
  close(): void {
    this.#sizes.disconnect();
    this.#theme.removeEventListener('change', this.#rebuild);
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(1, this.#host.clientWidth), height: Math.max(1, this.#host.clientHeight) };
  }

  #make(): void {
    this.#plot?.destroy();
    const colours = readColours(this.#host);
    const font = `12px ${getComputedStyle(this.#host).fontFamily}`;
    const axis = { stroke: colours.axis, font, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false } };
    const options: Options = {
      ...this.#size(),
      padding: [12, 30, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7, width: 2 } },
      scales: { x: { time: true, range: () => this.#xRange() }, y: { range: () => this.#yRange() } },
      axes: [
        { ...axis, size: AXIS_HEIGHT, space: 80, values: (_plot, splits) => timeLabels(splits) },
        { ...axis, size: AXIS_WIDTH, values: (_plot, splits) => valueLabels(splits) },
      ],
      series: [
        {},
        { stroke: colours.line, width: 1.6, points: { show: isSparse, size: 6, fill: colours.line } },
        {
          stroke: colours.anomaly,
          fill: colours.anomaly,
          paths: () => null,
          points: { show: true, size: 8, fill: colours.anomaly, stroke: colours.anomaly },
        },
      ],
      hooks: {
        drawClear: [(plot) => this.#drawAlarms(plot, colours.alarm)],
        drawAxes: [(plot) => this.#drawWindows(plot, colours)],
        setCursor: [(plot) => this.#hover(plot)],
      },
    };
    this.#plot = new uPlot(options, this.#data ? this.#columns(this.#data) : [[], [], []], this.#host);
  }

  #xRange(): [number, number] {
    const span = this.#data?.span() ?? { from: 0, to: 1000 };
    return [span.from / 1000, span.to / 1000];
  }

  #yRange(): [number, number] {
    const { from } = this.#data?.span() ?? { from: 0 };
    let low = Infinity;
    let high = -Infinity;
    const see = (value: number) => {
      if (value < low) low = value;
      if (value > high) high = value;
    };
    for (const { sourceTime, value } of this.#data?.readings ?? []) {
      if (sourceTime >= from && typeof value !== 'string') see(Number(value));
    }
    for (const { fields } of this.#aggregates) {
      see(fields['min'] ?? fields['mean'] ?? fields['value'] ?? low);
      see(fields['max'] ?? fields['mean'] ?? fields['value'] ?? high);
    }
    if (low > high) return [0, 1];
    // A constant still gets a scale, and nothing touches the frame.
    const room = (high - low) * 0.08 || Math.abs(high) * 0.02 || 1;
    return [low - room, high + room];
  }

  #columns(data: ChartData): AlignedData {
    const { from } = data.span();
    const rows = data.readings.filter((row) => row.sourceTime >= from && typeof row.value !== 'string');
    const gap = GAP_INTERVALS * usualInterval(rows);
    const times: number[] = [];
    const values: (number | null)[] = [];
    const anomalies: (number | null)[] = [];
    let before = Infinity;
    for (const { sourceTime, value, anomaly } of rows) {
      if (sourceTime - before > gap) {
        times.push((before + sourceTime) / 2000);
        values.push(null);
        anomalies.push(null);
      }
      before = sourceTime;
      times.push(sourceTime / 1000);
      values.push(Number(value));
      anomalies.push(anomaly ? Number(value) : null);
    }
    if (times.length === 0) {
      // uPlot draws no axes without data: an empty point at each end gives it the scale.
      const [start, end] = this.#xRange();
      return [
        [start, end],
        [null, null],
        [null, null],
      ];
    }
    return [times, values, anomalies];
  }

  #drawAlarms(plot: uPlot, colour: string): void {
    const end = this.#xRange()[1];
    clipped(plot, (ink) => {
      ink.fillStyle = colour;
      for (const { raisedAt, clearedAt } of this.#data?.alarms ?? []) {
        const left = plot.valToPos(raisedAt / 1000, 'x', true);
        const right = plot.valToPos(clearedAt === null ? end : clearedAt / 1000, 'x', true);
        ink.fillRect(left, plot.bbox.top, Math.max(2, right - left), plot.bbox.height);
      }
    });
  }

  #drawWindows(plot: uPlot, colours: Colours): void {
    const thickness = Math.max(1, Math.round(1.5 * devicePixelRatio));
    clipped(plot, (ink) => {
      for (const { start, end, fields } of this.#aggregates) {
        const left = plot.valToPos(start / 1000, 'x', true);
        const width = Math.max(1, plot.valToPos(end / 1000, 'x', true) - left);
        const { min, max, mean, value } = fields;
        if (min !== undefined && max !== undefined) {
          const top = plot.valToPos(max, 'y', true);
          ink.fillStyle = colours.band;
          ink.fillRect(left, top, width, Math.max(1, plot.valToPos(min, 'y', true) - top));
        }
        if (mean !== undefined) {
          ink.fillStyle = colours.mean;
          ink.fillRect(left, plot.valToPos(mean, 'y', true) - thickness / 2, width, thickness);
        }
        if (value !== undefined) {
          // A reading that came too late for its window.
          const size = 4 * thickness;
          ink.fillStyle = colours.mean;
          ink.fillRect(left - size / 2, plot.valToPos(value, 'y', true) - size / 2, size, size);
        }
      }
    });
  }

  #hover(plot: uPlot): void {
    const { left, idx } = plot.cursor;
    const time = left === undefined || left < 0 ? undefined : plot.posToVal(left, 'x') * 1000;
    if (time === undefined || this.#data === undefined) {
      this.#onHover(undefined);
      return;
    }
    const at = idx === null || idx === undefined ? undefined : plot.data[0][idx];
    const reading = at === undefined ? undefined : this.#data.readings.find((row) => row.sourceTime / 1000 === at);
    const aggregate = this.#aggregates.find((row) => row.start <= time && time < row.end);
    this.#onHover({ time: reading?.sourceTime ?? time, reading, aggregate });
  }
}

function clipped(plot: uPlot, draw: (ink: CanvasRenderingContext2D) => void): void {
  const { left, top, width, height } = plot.bbox;
  plot.ctx.save();
  plot.ctx.beginPath();
  plot.ctx.rect(left, top, width, height);
  plot.ctx.clip();
  draw(plot.ctx);
  plot.ctx.restore();
}

/** Median interval of the last readings, at least 0.1 s, so that one pause does not count as usual. */
function usualInterval(rows: readonly ReadingRow[]): number {
  const last = rows.slice(-200);
  const intervals = last.slice(1).map((row, index) => row.sourceTime - (last[index]?.sourceTime ?? 0));
  const median = intervals.sort((a, b) => a - b)[intervals.length >> 1];
  return median === undefined ? Infinity : Math.max(median, 100);
}

/** Times of day, with the day below the first one and wherever it changes. */
function timeLabels(splits: readonly number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  let day = '';
  return splits.map((split) => {
    const time = formatTime(split * 1000);
    const today = formatDay(split * 1000);
    const label = step >= 60 ? time.slice(0, 5) : time;
    if (today === day) return label;
    day = today;
    return `${label}\n${today}`;
  });
}

function valueLabels(splits: readonly number[]): string[] {
  const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0));
  // As many decimals as the step itself has, so that no label is rounded.
  let decimals = 0;
  while (decimals < 6 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals += 1;
  return splits.map((split) => (Math.abs(split) >= 1e6 ? formatValue(split) : split.toFixed(decimals)));
}

function readColours(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    line: colour('--chart-line'),
    band: colour('--chart-band'),
    mean: colour('--chart-mean'),
    anomaly: colour('--critical'),
    alarm: colour('--chart-alarm'),
    axis: colour('--muted'),
    grid: colour('--grid'),
  };
}

/** Few readings are dots, too: of a single one there is no line. */
function isSparse(_plot: uPlot, _series: number, first: number, last: number): boolean {
  return last - first < SPARSE;
}
