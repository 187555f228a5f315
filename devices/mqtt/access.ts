import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { isMqttText } from './reading-rules.ts';

/** Somebody who may connect to the embedded broker. */
export interface MqttUser {
  readonly name: string;
  /** In plain text, as the configuration has it; never logged. */
  readonly password: string;
}

/** Return codes of CONNACK [MQTT-3.2.2-6]. */
export const ConnackCode = { accepted: 0, identifierRejected: 2, badCredentials: 4, notAuthorized: 5 } as const;
export type ConnackCode = (typeof ConnackCode)[keyof typeof ConnackCode];

/** Who may connect. */
export class Access {
  readonly #hashes = new Map<string, Buffer>();
  readonly #allowAnonymous: boolean;

  /** @param allowAnonymous whether clients without a user name are let in; @default only when there are no users */
  constructor(users: readonly MqttUser[] = [], allowAnonymous = users.length === 0) {
    for (const user of users) this.#hashes.set(user.name, sha256(user.password));
    this.#allowAnonymous = allowAnonymous;
  }

  /** Judges a name and a password in a time that tells neither which names exist nor how much of a password is right. */
  judge(name: string | undefined, password: Uint8Array | undefined): ConnackCode {
    if (name === undefined || this.#hashes.size === 0) {
      return this.#allowAnonymous ? ConnackCode.accepted : ConnackCode.notAuthorized;
    }
    const expected = this.#hashes.get(name) ?? NOBODY;
    const equal = timingSafeEqual(expected, sha256(password ?? new Uint8Array()));
    return equal && expected !== NOBODY ? ConnackCode.accepted : ConnackCode.badCredentials;
  }
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

const NOBODY = Buffer.alloc(32);

/** Longest client id or user name, in UTF-16 code units. */
const MAX_ID_LENGTH = 1024;

/** True for a client id or user name that may go into a topic, a log line or a file name pattern. */
export function isClientName(name: string): boolean {
  return name.length <= MAX_ID_LENGTH && isMqttText(name);
}

/** True for a host that only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}
