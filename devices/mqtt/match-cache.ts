import type { AedesEmitter } from './aedes-internals.ts';

/** Topics that are known to have no subscriber. */
const MAX_TOPICS = 20_000;

/**
 * Remembers which topics nobody listens to, so that a message only the gateway wants does not pay for matching its topic against
 * the subscriptions. Everything is forgotten when a subscription comes.
 */
export function rememberUnheard(emitter: AedesEmitter): void {
  const unheard = new Set<string>();
  /** Nobody has ever subscribed but aedes itself, below `$SYS/`: then there is nothing to remember either. */
  let isAlone = true;
  const emit = emitter.emit.bind(emitter);
  const on = emitter.on.bind(emitter);
  emitter.emit = (packet, done) => {
    const { topic } = packet;
    if (!emitter.closed) {
      if ((isAlone && !topic.startsWith('$')) || unheard.has(topic)) {
        done();
        return;
      }
      if (emitter._matcher.match(topic).length === 0) {
        if (unheard.size >= MAX_TOPICS) unheard.clear();
        unheard.add(topic);
        done();
        return;
      }
    }
    return emit(packet, done);
  };
  emitter.on = (topic, listener, done) => {
    unheard.clear();
    if (!topic.startsWith('$')) isAlone = false;
    return on(topic, listener, done);
  };
}
