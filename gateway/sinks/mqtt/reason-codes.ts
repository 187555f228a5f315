/** Reason codes of MQTT 5 (§2.4), and from 1 to 5 the answers to a CONNECT of MQTT 3.1.1 (§3.2.2.3). */
const WORDS: Readonly<Record<number, string>> = {
  1: 'unacceptable protocol version',
  2: 'client id refused',
  3: 'server unavailable',
  4: 'wrong user or password',
  5: 'not authorized',
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'implementation specific error',
  132: 'unsupported protocol version',
  133: 'client id not valid',
  134: 'wrong user or password',
  135: 'not authorized',
  136: 'server unavailable',
  137: 'server busy',
  138: 'banned',
  139: 'server shutting down',
  140: 'bad authentication method',
  141: 'keep-alive time-out',
  142: 'session taken over: another client has the same client id',
  144: 'topic name invalid',
  145: 'packet identifier in use',
  147: 'receive maximum exceeded',
  149: 'packet too large',
  150: 'message rate too high',
  151: 'quota exceeded',
  152: 'administrative action',
  153: 'payload format invalid',
  154: 'retain not supported',
  155: 'QoS not supported',
  156: 'use another server',
  157: 'server moved',
  159: 'connection rate exceeded',
  160: 'maximum connect time',
};

/** The broker does not speak this version of MQTT. */
export const PROTOCOL_REFUSED: ReadonlySet<number> = new Set([1, 132]);

/** The user there lacks a right. */
export const NOT_AUTHORIZED = 135;

const TEMPORARY: ReadonlySet<number> = new Set([3, 136, 137, 139, 150, 151, 159]);
const ABOUT_MESSAGE: ReadonlySet<number> = new Set([129, 144, 149, 153]);

/** Whether it may pass later. */
export function isTemporary(code: number): boolean {
  return TEMPORARY.has(code);
}

/** Whether a connection that ended with it ended for what a message was. */
export function isAboutMessage(code: number): boolean {
  return ABOUT_MESSAGE.has(code);
}

/** A code in words, for a person. @param more the broker's own words, where it has any */
export function wordsOf(code: number, more?: string): string {
  const words = `${WORDS[code] ?? 'unknown reason'} (0x${code.toString(16).padStart(2, '0')})`;
  return more === undefined ? words : `${words}: ${more}`;
}
