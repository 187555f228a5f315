import { Command, InvalidArgumentError, Option } from 'commander';
import { GatewayError, messageOf } from '../core/errors.ts';
import { Progress } from './progress.ts';
import type { Surroundings } from './surroundings.ts';

/** `headgate simulate`: devices and plants to try a gateway with. The simulators are loaded only when they are asked for. */
export function simulateCommand(surroundings: Surroundings): Command {
  return new Command('simulate')
    .description('simulate devices, an OPC-UA plant, or play a recorded CSV')
    .addCommand(devicesCommand(surroundings))
    .addCommand(plantCommand(surroundings))
    .addCommand(csvCommand(surroundings));
}

function devicesCommand(surroundings: Surroundings): Command {
  return new Command('devices')
    .description('devices that publish over MQTT, with faults now and then')
    .option('--url <url>', 'the broker', 'mqtt://127.0.0.1:1883')
    .option('--devices <count>', 'how many devices, instead of the press shop', wholeNumber)
    .option('--period <ms>', 'time between two values of a metric', wholeNumber, 1000)
    .option('--seed <number>', 'the same seed gives the same values', wholeNumber, 1)
    .option('--user <name>', 'user of the broker, if it wants one')
    .option('--password <password>', 'password of that user')
    .action(
      async (options: {
        url: string;
        devices?: number;
        period: number;
        seed: number;
        user?: string;
        password?: string;
      }) => {
        const { simulateDevices } = await import('../../simulators/mqtt-devices.ts');
        const counts = await mendable(`simulate devices at ${options.url}`, () =>
          simulateDevices(
            {
              url: options.url,
              periodMs: options.period,
              seed: options.seed,
              ...(options.devices === undefined ? {} : { devices: options.devices }),
              ...credentials(options),
              onEvent: (message) => surroundings.err(`${message}\n`),
            },
            surroundings.signal,
          ),
        );
        await surroundings.out(`${JSON.stringify(counts)}\n`);
      },
    );
}

function plantCommand(surroundings: Surroundings): Command {
  return new Command('opcua')
    .description('a plant on an OPC-UA server')
    .option('--port <port>', 'where it listens', wholeNumber, 4840)
    .option('--seed <number>', 'the same seed gives the same values', wholeNumber, 1)
    .action(async (options: { port: number; seed: number }) => {
      const { startPlant } = await import('../../simulators/opcua-plant.ts');
      const { port, seed } = options;
      const plant = await mendable(`start a plant on port ${port}`, () =>
        startPlant({ port, seed }, surroundings.signal),
      );
      surroundings.err(`OPC-UA plant at ${plant.endpointUrl}\n`);
      await new Promise<void>((resolve) =>
        surroundings.signal.addEventListener('abort', () => resolve(), { once: true }),
      );
      await plant.stop();
    });
}

interface CsvCommandOptions {
  readonly via: 'mqtt' | 'opcua';
  readonly url: string;
  readonly port: number;
  readonly device?: string;
  readonly topic: string;
  readonly speed: number | 'full';
  readonly user?: string;
  readonly password?: string;
}

function csvCommand(surroundings: Surroundings): Command {
  return new Command('csv')
    .description('play a CSV: the first column is the time, every other column a metric')
    .argument('<file>', 'CSV with a head line, comma or semicolon')
    .addOption(new Option('--via <protocol>', 'how it is sent').choices(['mqtt', 'opcua']).default('mqtt'))
    .option('--url <url>', 'the broker, for mqtt', 'mqtt://127.0.0.1:1883')
    .option('--port <port>', 'where the server listens, for opcua', wholeNumber, 4840)
    .option('--device <name>', 'name of the device; the name of the file without it')
    .option('--topic <topic>', 'where values are published', 'sensors/{device}/{metric}')
    .option('--speed <factor>', "times real time, or 'full'", speed, 'full' as const)
    .option('--user <name>', 'user of the broker, if it wants one')
    .option('--password <password>', 'password of that user')
    .action(async (file: string, options: CsvCommandOptions) => {
      const { device } = options;
      const table = { file, speed: options.speed, ...(device === undefined ? {} : { device }) };
      const play = options.via === 'mqtt' ? playOverMqtt : playOverOpcua;
      await mendable(`play ${file}`, () => play(table, options, surroundings));
    });
}

interface Table {
  readonly file: string;
  readonly device?: string;
  readonly speed: number | 'full';
}

async function playOverMqtt(table: Table, options: CsvCommandOptions, surroundings: Surroundings): Promise<void> {
  const { playCsv } = await import('../../simulators/csv-player.ts');
  const progress = new Progress(surroundings);
  const counts = await playCsv(
    {
      ...table,
      url: options.url,
      topic: options.topic,
      ...credentials(options),
      onProgress: ({ sent, acknowledged }) => progress.show(() => `${sent} sent, ${acknowledged} acknowledged`),
    },
    surroundings.signal,
  );
  progress.done();
  await surroundings.out(`${JSON.stringify(counts)}\n`);
}

async function playOverOpcua(table: Table, options: CsvCommandOptions, surroundings: Surroundings): Promise<void> {
  const { playOpcua } = await import('../../simulators/opcua-player.ts');
  const progress = new Progress(surroundings);
  const counts = await playOpcua(
    {
      ...table,
      port: options.port,
      onReady: (endpointUrl, nodeIds) => {
        surroundings.err(`OPC-UA server at ${endpointUrl}; it starts when a client monitors:\n${nodeIds.join('\n')}\n`);
      },
      onProgress: ({ rows }) => progress.show(() => `${rows} rows played`),
    },
    surroundings.signal,
  );
  progress.done();
  await surroundings.out(`${JSON.stringify(counts)}\n`);
}

/**
 * The simulators know nothing of the gateway, nor of its errors. What they throw is for the user to mend (a file that is not there, a port in
 * use), but for what only a fault in the code can be.
 */
async function mendable<T>(what: string, simulate: () => Promise<T>): Promise<T> {
  try {
    return await simulate();
  } catch (error) {
    if (error instanceof TypeError || error instanceof ReferenceError) throw error;
    throw new GatewayError(`Cannot ${what}: ${messageOf(error)}`, { cause: error });
  }
}

function credentials({ user, password }: { user?: string; password?: string }): {
  username?: string;
  password?: string;
} {
  return { ...(user === undefined ? {} : { username: user }), ...(password === undefined ? {} : { password }) };
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new InvalidArgumentError(`it must be a whole number from 0: ${text}`);
  return number;
}

function speed(text: string): number | 'full' {
  if (text === 'full') return 'full';
  const factor = Number(text);
  if (!Number.isFinite(factor) || factor <= 0)
    throw new InvalidArgumentError(`it must be 'full' or a number above 0: ${text}`);
  return factor;
}
