import { TimeLimitReached } from '../../base/time-limit.ts';
import { messageOf } from '../../core/errors.ts';
import { SinkError } from '../../core/sink.ts';
import { isCertificateProblem } from '../http.ts';
import { isAboutMessage, isTemporary, PROTOCOL_REFUSED, wordsOf } from './reason-codes.ts';

/** There is no connection, or it has ended; nothing may be assumed of the messages that were on their way. */
export class ConnectionLost extends SinkError {
  /** The broker said that it ended the connection for what a message was. */
  readonly isAboutMessage: boolean;
  /** The broker does not know this version of the protocol: it said so, or that may be why it said nothing. */
  readonly aboutProtocol: 'said' | 'perhaps' | undefined;

  constructor(
    message: string,
    options: {
      kind: 'transient' | 'configuration';
      isAboutMessage?: boolean;
      aboutProtocol?: 'said' | 'perhaps' | undefined;
      cause?: unknown;
    },
  ) {
    super(message, options);
    this.isAboutMessage = options.isAboutMessage ?? false;
    this.aboutProtocol = options.aboutProtocol;
  }
}

/** A broker cannot be reached, or has refused the gateway. */
export function cannotConnect(broker: string, error: Error & { readonly code?: unknown }): ConnectionLost {
  const { code } = error;
  if (typeof code === 'number') {
    return new ConnectionLost(`The MQTT broker at ${broker} refuses the gateway: ${wordsOf(code)}`, {
      kind: isTemporary(code) || PROTOCOL_REFUSED.has(code) ? 'transient' : 'configuration',
      aboutProtocol: PROTOCOL_REFUSED.has(code) ? 'said' : undefined,
      cause: error,
    });
  }
  // Where a name has several addresses the message is empty and the code says it.
  return new ConnectionLost(`Cannot reach the MQTT broker at ${broker}: ${messageOf(error) || String(code)}`, {
    kind: isCertificateProblem(error) ? 'configuration' : 'transient',
    cause: error,
  });
}

/** A broker has closed the connection before it answered. */
export function closedUnheard(broker: string): ConnectionLost {
  const message = `The MQTT broker at ${broker} closed the connection without an answer`;
  return new ConnectionLost(message, { kind: 'transient', aboutProtocol: 'perhaps' });
}

/** A broker was given up, as time was over or the write was aborted. */
export function notInTime(broker: string, signal: AbortSignal): ConnectionLost {
  const what = signal.reason instanceof TimeLimitReached ? 'did not answer in time' : 'was not waited for';
  return new ConnectionLost(`The MQTT broker at ${broker} ${what}`, { kind: 'transient', cause: signal.reason });
}

/** A connection has ended. @param code that of the broker's DISCONNECT */
export function ended(broker: string, code: number | undefined, problem: unknown): ConnectionLost {
  const said = code === undefined ? undefined : wordsOf(code);
  const reason = said ?? (problem === undefined ? undefined : messageOf(problem));
  return new ConnectionLost(
    `The connection to the MQTT broker at ${broker} has ended${reason === undefined ? '' : `: ${reason}`}`,
    { kind: 'transient', isAboutMessage: code !== undefined && isAboutMessage(code), cause: problem },
  );
}
