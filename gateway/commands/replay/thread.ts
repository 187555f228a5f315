/** The other end of `ThreadAnalyst`: analyses what it is sent, and answers each request once, in order. */
import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { Configuration } from '../../../config/configuration.ts';
import type { Answer, Request } from './thread-analyst.ts';

// Each thread needs it anew, and before it loads anything.
enableCompileCache();
const { KeyGroups } = await import('./key-groups.ts');

const groups = new KeyGroups(workerData as Configuration);

parentPort?.on('message', (request: Request) => {
  const answer = answerTo(request);
  parentPort?.postMessage(answer, transferOf(answer));
});

function answerTo(request: Request): Answer {
  if (request.type === 'analyse') return { type: 'analysed', analysed: groups.analyse(request.portion) };
  if (request.type === 'finish') return { type: 'finished', lines: groups.finish(request.group) };
  return { type: 'fates', fates: groups.fates() };
}

/** What goes over without being copied. */
function transferOf(answer: Answer): ArrayBuffer[] {
  if (answer.type !== 'analysed') return [];
  const { buffer, lines, places, ends } = answer.analysed;
  return [buffer, lines.buffer, places.buffer, ends.buffer];
}
