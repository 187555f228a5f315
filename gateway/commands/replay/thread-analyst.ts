import { Worker } from 'node:worker_threads';
import type { Configuration } from '../../../config/configuration.ts';
import { errorCode } from '../../core/disk.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Analysed, Analyst, Fates } from './analyst.ts';
import type { Portion } from './portion.ts';

/** What a thread is asked. */
export type Request =
  | { readonly type: 'analyse'; readonly portion: Portion }
  | { readonly type: 'finish'; readonly group: number }
  | { readonly type: 'fates' };

/** What it answers, in the order of the requests. */
export type Answer =
  | { readonly type: 'analysed'; readonly analysed: Analysed }
  | { readonly type: 'finished'; readonly lines: Uint8Array }
  | { readonly type: 'fates'; readonly fates: Fates };

/** V8's nursery in a thread, in megabytes: readings live for a moment only. */
const NURSERY_MB = 32;

/** Analyses in a thread of its own. */
export class ThreadAnalyst implements Analyst {
  readonly #worker: Worker;
  readonly #waiting: ((answer: Answer | Error) => void)[] = [];
  #failure: Error | undefined;

  constructor(configuration: Configuration) {
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: configuration,
      resourceLimits: { maxYoungGenerationSizeMb: NURSERY_MB },
    });
    this.#worker.on('message', (answer: Answer) => this.#waiting.shift()?.(answer));
    this.#worker.on('error', (error) => this.#fail(reasonOf(error)));
    this.#worker.on('exit', (code) => this.#fail(new Error(`a worker of the replay has ended with ${code}`)));
  }

  async analyse(portion: Portion): Promise<Analysed | Error> {
    const answer = await this.#ask({ type: 'analyse', portion }, [portion.buffer]);
    return 'analysed' in answer ? answer.analysed : unexpected(answer);
  }

  async finish(group: number): Promise<Uint8Array | Error> {
    const answer = await this.#ask({ type: 'finish', group });
    return 'lines' in answer ? answer.lines : unexpected(answer);
  }

  async fates(): Promise<Fates | Error> {
    const answer = await this.#ask({ type: 'fates' });
    return 'fates' in answer ? answer.fates : unexpected(answer);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(request: Request, transfer: readonly ArrayBuffer[] = []): Promise<Answer | Error> {
    if (this.#failure !== undefined) return Promise.resolve(this.#failure);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(request, transfer);
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const answer of this.#waiting.splice(0)) answer(this.#failure);
  }
}

function reasonOf(error: unknown): Error {
  if (errorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new GatewayError('Cannot replay: a worker is out of memory', {
      hint: 'Replay fewer series at once, or give Node more room with --max-old-space-size in NODE_OPTIONS.',
      cause: error,
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}

function unexpected(answer: Answer | Error): Error {
  return answer instanceof Error ? answer : new Error(`a worker of the replay has answered with ${answer.type}`);
}
