/** Numbers, sizes and times as people read them. */

const NO_VALUE = '–';
const integers = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

/** A measured value with decimals by magnitude, so that its width stays calm while it changes. */
export function formatValue(value: number | boolean | string | null | undefined): string {
  if (value === null || value === undefined) return NO_VALUE;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string') return value;
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) return value.toExponential(2);
  return value.toFixed(size >= 1000 ? 1 : size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

/** A whole number with its thousands apart. */
export function formatCount(value: number): string {
  return integers.format(value);
}

/** A number in little room: 12.3K. */
export function formatCompact(value: number): string {
  return Math.abs(value) < 10_000 ? integers.format(value) : compact.format(value);
}

/** Readings a second. */
export function formatRate(rate: number): string {
  return `${rate >= 100 ? integers.format(rate) : rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)}/s`;
}

/** Bytes in binary units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${units[unit]}`;
}

/** A duration in its two largest units: 3 h 12 min. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return days < 366 ? `${days} d ${hours % 24} h` : `${(days / 365.25).toFixed(1)} years`;
}

const two = (value: number) => String(value).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Time of day, 24 hours, in the zone of the browser. */
export function formatTime(time: number): string {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A day: 7 Jan 2014. */
export function formatDay(time: number): string {
  const date = new Date(time);
  return `${date.getDate()} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
}

/** A moment; without its day where that is the day of `today`. */
export function formatMoment(time: number, today: number): string {
  return formatDay(time) === formatDay(today) ? formatTime(time) : `${formatDay(time)}, ${formatTime(time)}`;
}
