/** The other end of `ThreadAnalyst`: analyses what it is sent, and answers each request once, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Configuration } from '../../../config/configuration.ts';
import { KeyGroups } from './key-groups.ts';
import type { Answer, Request } from './thread-analyst.ts';

const groups = new KeyGroups(workerData as Configuration);

parentPort?.on('message', (request: Request) => {
  const answer = answerTo(request);
  parentPort?.postMessage(answer, answer.type === 'analysed' ? [answer.analysed.buffer] : []);
});

function answerTo(request: Request): Answer {
  if (request.type === 'analyse') return { type: 'analysed', analysed: groups.analyse(request.portion) };
  if (request.type === 'finish') return { type: 'finished', lines: groups.finish(request.group) };
  return { type: 'fates', fates: groups.fates() };
}
