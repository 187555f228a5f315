import type { Report } from './report.ts';

const MIB = 2 ** 20;

/** No log takes a record of more than a quarter of it: a message of QoS 2 is a record, with all its readings, and may have some megabytes. */
const LEAST_JOURNAL_BYTES = 16 * MIB;
/** Results come in records of a quarter of a megabyte at the most, unless a single one is larger. */
const LEAST_RESULTS_BYTES = 4 * MIB;
/** What a reading takes in the journal, which has to hold twice as many as are remembered, in half of its room. */
const BYTES_OF_A_READING = 64;

/** The sizes of a `storage` section; a part that is missing was invalid, and has been told of. */
export interface StorageSizes {
  readonly journal?: { readonly maxBytes?: number | undefined } | undefined;
  readonly outbox?: { readonly maxBytes?: number | undefined } | undefined;
  readonly alarms?: { readonly maxBytes?: number | undefined } | undefined;
  readonly rememberedReadings?: number | undefined;
}

/** Checks that every log has room for the largest record that can come, and the journal for what is remembered. */
export function checkStorage(storage: StorageSizes, report: Report): void {
  const { journal, outbox, alarms, rememberedReadings = 0 } = storage;
  atLeast('journal', journal?.maxBytes, LEAST_JOURNAL_BYTES, report);
  atLeast('outbox', outbox?.maxBytes, LEAST_RESULTS_BYTES, report);
  atLeast('alarms', alarms?.maxBytes, LEAST_RESULTS_BYTES, report);
  const journalBytes = journal?.maxBytes ?? Number.POSITIVE_INFINITY;
  const room = Math.floor(journalBytes / 4 / BYTES_OF_A_READING);
  if (journalBytes >= LEAST_JOURNAL_BYTES && rememberedReadings > room) {
    report(
      'storage.rememberedReadings',
      `a restart reads what is remembered from the journal, and one of ${inMib(journalBytes)} holds ${room} beside what is new: got ${rememberedReadings}`,
      `at most ${room}, or a storage.journal.maxBytes of ${inMib(rememberedReadings * 4 * BYTES_OF_A_READING)}`,
    );
  }
}

function atLeast(log: string, maxBytes: number | undefined, leastBytes: number, report: Report): void {
  if (maxBytes === undefined || maxBytes >= leastBytes) return;
  report(
    `storage.${log}.maxBytes`,
    `must be at least ${inMib(leastBytes)}, so that the largest record there can be has room in a quarter of it: got ${maxBytes} bytes`,
  );
}

function inMib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
