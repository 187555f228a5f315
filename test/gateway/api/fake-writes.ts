import type { LineWrite, LineWriteOutcome, LineWrites } from '../../../gateway/core/line-writes.ts';

/** Takes what is written and answers what the test says. */
export class FakeWrites implements LineWrites {
  readonly taken: { text: string; encoding: string; precision: string; announcedBytes: number | undefined }[] = [];
  outcome: LineWriteOutcome = { kind: 'durable', refused: 0, reason: undefined };

  async write({ body, encoding, precision, announcedBytes }: LineWrite): Promise<LineWriteOutcome> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    this.taken.push({ text: Buffer.concat(chunks).toString('latin1'), encoding, precision, announcedBytes });
    return this.outcome;
  }
}
