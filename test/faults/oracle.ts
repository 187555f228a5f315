import type { LedgerCounts } from '../../gateway/core/view.ts';
import { eventually } from '../services/eventually.ts';
import type { GatewayProcess } from '../services/gateway-process.ts';
import { uncounted } from '../services/uncounted.ts';
import { acknowledgedIn, type PublisherReport, T0 } from './publisher.ts';

/** One window of one device, as it must be or as it is. */
export interface WindowCounts {
  readonly start: number;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** What is stored against what was acknowledged, counted in readings. */
export interface Balance {
  readonly acknowledged: number;
  /** Acknowledged and in no window. */
  readonly lost: number;
  /** In a window, and not published, or counted there twice. */
  readonly phantom: number;
  /** Windows with the right number of readings, but not these. */
  readonly wrongWindows: number;
  /** What the gateway's own ledgers miss, those of its sinks too. */
  readonly imbalance: number;
  readonly ledger: LedgerCounts;
}

/** True when nothing is lost, nothing too much, every window right, and the ledger of the gateway balances. */
export function isExact({ lost, phantom, wrongWindows, imbalance: missing, ledger }: Balance): boolean {
  const { late, rejected, dropped, filtered } = ledger;
  return [lost, phantom, wrongWindows, missing, late, rejected, dropped, filtered].every((count) => count === 0);
}

/** A balance in words. */
export function describeBalance({ acknowledged, lost, phantom, wrongWindows, imbalance: missing }: Balance): string {
  const rest = wrongWindows === 0 && missing === 0 ? '' : `, ${wrongWindows} windows wrong, ledger off by ${missing}`;
  return `${lost} lost, ${phantom} too much, of ${acknowledged}${rest}`;
}

/** Several balances as one. */
export function sumOf(balances: readonly Balance[]): Balance {
  const columns = (a: LedgerCounts, b: LedgerCounts) =>
    Object.fromEntries(Object.entries(a).map(([name, count]) => [name, count + b[name as keyof LedgerCounts]]));
  return balances.reduce((a, b) => ({
    acknowledged: a.acknowledged + b.acknowledged,
    lost: a.lost + b.lost,
    phantom: a.phantom + b.phantom,
    wrongWindows: a.wrongWindows + b.wrongWindows,
    imbalance: a.imbalance + Math.abs(b.imbalance),
    ledger: columns(a.ledger, b.ledger) as unknown as LedgerCounts,
  }));
}

/** The windows of a device that has had readings 0 to `sent` − 1 acknowledged, by arithmetic alone. */
export function expectedWindows(sent: number, stepMs: number, sizeMs: number): readonly WindowCounts[] {
  const perWindow = sizeMs / stepMs;
  return Array.from({ length: Math.ceil(sent / perWindow) }, (_, i) => {
    const min = i * perWindow;
    const max = Math.min(sent, min + perWindow) - 1;
    const count = max - min + 1;
    return { start: T0 + i * sizeMs, count, sum: ((min + max) * count) / 2, min, max };
  });
}

/** Compares windows of one device. Both are in order of their start. */
export function compareWindows(
  expected: readonly WindowCounts[],
  stored: readonly WindowCounts[],
): Pick<Balance, 'lost' | 'phantom' | 'wrongWindows'> {
  const unexpected = new Map(stored.map((window) => [window.start, window]));
  let [lost, phantom, wrongWindows] = [0, 0, 0];
  for (const { start, count, sum, min, max } of expected) {
    const found = unexpected.get(start);
    unexpected.delete(start);
    lost += Math.max(0, count - (found?.count ?? 0));
    phantom += Math.max(0, (found?.count ?? 0) - count);
    if (found?.count === count && (found.sum !== sum || found.min !== min || found.max !== max)) wrongWindows++;
  }
  for (const { count } of unexpected.values()) phantom += count;
  return { lost, phantom, wrongWindows };
}

/** Where a rig reads results back. */
export type StoredWindows = (device: string) => Promise<readonly WindowCounts[]>;

/**
 * Waits until all is analysed and delivered, and compares every window of every device. The report must be final.
 *
 * @param options `mayLose` where something is expected to be missing: then it is not waited for
 */
export async function balance(
  gateway: GatewayProcess,
  report: PublisherReport,
  { stored = historyOf(gateway), stepMs = 10, sizeMs = 1_000, timeoutMs = 30_000, mayLose = false } = {},
): Promise<Balance> {
  const expected = report.devices.map(({ name, sent }) => ({ name, windows: expectedWindows(sent, stepMs, sizeMs) }));
  await drained(gateway, timeoutMs);
  const compare = async () => {
    const all: ReturnType<typeof compareWindows>[] = [];
    for (const { name, windows } of expected) all.push(compareWindows(windows, await stored(name)));
    const sum = (of: 'lost' | 'phantom' | 'wrongWindows') => all.reduce((total, each) => total + each[of], 0);
    return { lost: sum('lost'), phantom: sum('phantom'), wrongWindows: sum('wrongWindows') };
  };
  // The last windows end when their devices are idle; a loss never mends, so waiting hides nothing.
  let found = await compare();
  const deadline = performance.now() + Math.min(timeoutMs, 10_000);
  while (!mayLose && found.lost + found.wrongWindows > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    found = await compare();
  }
  const status = await gateway.status();
  const { ledger } = status;
  const result = { acknowledged: acknowledgedIn(report), ...found, imbalance: uncounted(status), ledger };
  // Whoever looks for the cause has only this: the folder is about to go.
  const isWrong = result.lost + result.phantom + result.wrongWindows + Math.abs(result.imbalance) > 0;
  if (!mayLose && isWrong) process.stderr.write(`${warningsOf(gateway)}\n${JSON.stringify(status)}\n`);
  return result;
}

function warningsOf({ output }: GatewayProcess): string {
  const lines = output.split('\n').filter((line) => /"level":"(warn|error|fatal)"/.test(line) || !line.startsWith('{'));
  return lines.slice(-60).join('\n');
}

/** Resolves when nothing is in flight and every sink has everything. */
export async function drained(gateway: GatewayProcess, timeoutMs = 30_000): Promise<void> {
  await eventually(
    'everything is analysed and delivered',
    async () => {
      const { ledger, sinks, outbox } = await gateway.status();
      const isDurable = outbox.durableOffset === outbox.nextOffset;
      return ledger.inFlight === 0 && isDurable && sinks.every(({ backlog }) => backlog.records === 0);
    },
    timeoutMs,
  );
}

interface AggregatesReply {
  readonly aggregates: readonly { readonly start: number; readonly fields: Readonly<Record<string, number>> }[];
}

const PAGE = 10_000;

/** The windows named `s` in the gateway's own history. */
export function historyOf(gateway: GatewayProcess, window = 's'): StoredWindows {
  return async (device) => {
    const windows: WindowCounts[] = [];
    for (let to = ''; ; to = `&to=${windows[0]!.start}`) {
      const path = `/api/v1/aggregates?series=${device}/seq&window=${window}&limit=${PAGE}${to}`;
      const { aggregates } = await gateway.get<AggregatesReply>(path);
      const page = aggregates.map(({ start, fields }) => ({
        start,
        count: fields['count']!,
        sum: fields['sum']!,
        min: fields['min']!,
        max: fields['max']!,
      }));
      windows.unshift(...page);
      if (page.length < PAGE) return windows;
    }
  };
}
