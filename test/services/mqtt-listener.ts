import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { mosquittoPub } from './mosquitto.ts';

const run = promisify(execFile);
const FORMAT = '%t\t%r\t%q\t%C\t%P\t%p';

/** A message as `mosquitto_sub` got it. */
export interface Heard {
  readonly topic: string;
  /** It was kept by the broker from before. */
  readonly retained: boolean;
  readonly qos: number;
  /** Empty before MQTT 5. */
  readonly contentType: string;
  readonly userProperties: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Subscribes with `mosquitto_sub`, a program nobody here wrote, and keeps what comes. */
export class MqttListener {
  readonly heard: Heard[] = [];
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #pub: string;
  #markers = 0;
  readonly #heardMarkers = new Set<string>();
  #output = '';

  private constructor(child: ChildProcess, port: number, pub: string) {
    this.#child = child;
    this.#port = port;
    this.#pub = pub;
    // Not by readline, which takes U+2028 for the end of a line: names may have it.
    let rest = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.#read(line);
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  /** @param programs `mosquitto_sub` and `mosquitto_pub`; `options` are more words of the former */
  static async start(
    programs: { readonly sub: string; readonly pub: string },
    port: number,
    topic: string,
    options: readonly string[] = ['-V', '5'],
  ): Promise<MqttListener> {
    const words = ['-h', '127.0.0.1', '-p', String(port), '-q', '1', '-t', topic, '-t', 'marker/#', '-F', FORMAT];
    // Line by line: into a pipe it would else say nothing before it ends.
    const child = spawn('stdbuf', ['-oL', programs.sub, ...words, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    const listener = new MqttListener(child, port, programs.pub);
    await eventually('the listener hears', () => listener.#isHeard(), 20_000);
    return listener;
  }

  /** Everything that was published before the call has come. */
  async caughtUp(): Promise<readonly Heard[]> {
    const marker = `marker/${++this.#markers}`;
    await mosquittoPub(this.#pub, this.#port, marker, ['{}'], ['-q', '1']);
    await eventually(marker, () => this.#heardMarkers.has(marker));
    return this.heard;
  }

  async stop(): Promise<void> {
    const { pid, exitCode } = this.#child;
    if (pid === undefined || exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }

  async #isHeard(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error(`mosquitto_sub ended: ${this.#output}`);
    await mosquittoPub(this.#pub, this.#port, 'marker/begin', ['{}'], ['-q', '1']);
    return this.#heardMarkers.has('marker/begin');
  }

  #read(line: string): void {
    const [topic = '', retained, qos, contentType = '', userProperties = '', payload = ''] = line.split('\t');
    if (topic.startsWith('marker/')) {
      this.#heardMarkers.add(topic);
      return;
    }
    this.heard.push({
      topic,
      retained: retained === '1',
      qos: Number(qos),
      contentType,
      userProperties,
      payload: JSON.parse(payload),
    });
  }
}

/** What a broker keeps below a topic, for one who comes just now. */
export async function retainedBelow(sub: string, port: number, topic: string): Promise<readonly Heard['payload'][]> {
  const words = ['-h', '127.0.0.1', '-p', String(port), '-t', topic, '--retained-only', '-F', '%p', '-W', '1'];
  // It ends by its time-out, which it calls an error, when the broker has nothing more.
  const { stdout } = await run(sub, words).catch((error: { stdout: string; code?: number }) => {
    if (error.code !== 27) throw error;
    return error;
  });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
