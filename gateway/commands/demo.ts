import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { demoConfiguration } from '../../config/demo.ts';
import { errorCode } from '../core/disk.ts';
import { GatewayError } from '../core/errors.ts';
import { loadText } from './configuration-file.ts';
import { runGateway, type Whereabouts } from './run.ts';
import type { Surroundings } from './surroundings.ts';

/** `headgate demo`: the gateway on its embedded defaults, with a simulated plant. */
export function demoCommand(surroundings: Surroundings): Command {
  return new Command('demo')
    .description('run the gateway on its embedded defaults with a simulated plant')
    .option('--mqtt <port>', 'where its broker listens', port, 1883)
    .option('--page <port>', 'where its page is', port, 8080)
    .action(async ({ mqtt, page }: { mqtt: number; page: number }) => {
      // Paths in it are relative to the folder in which the demo is started.
      const fileName = join(surroundings.workingFolder, 'demo.yaml');
      const text = demoConfiguration
        .replace('127.0.0.1:1883', `127.0.0.1:${mqtt}`)
        .replace('127.0.0.1:8080', `127.0.0.1:${page}`);
      const { configuration } = loadText(text, fileName, surroundings);
      await runGateway(configuration, text, surroundings, (whereabouts) => {
        greet(whereabouts, configuration.storage.path, surroundings);
        return simulatePlant(whereabouts, surroundings);
      }).catch(namingOtherPorts);
    });
}

function port(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new InvalidArgumentError(`it must be a port, from 1 to 65535: ${text}`);
}

/** Who tries it has no file in which another port could be written. */
function namingOtherPorts(error: unknown): never {
  if (!(error instanceof GatewayError) || errorCode(error.cause) !== 'EADDRINUSE') throw error;
  throw new GatewayError(error.message, {
    hint: 'stop the program that has the port, or take others: npm start -- --mqtt 1884 --page 8081',
    cause: error,
  });
}

function greet({ pageUrl, brokerPort: port }: Whereabouts, storagePath: string, surroundings: Surroundings): void {
  const portOption = port === 1883 ? '' : ` -p ${port}`;
  surroundings.err(
    [
      '',
      '  Headgate is running, with a simulated plant.',
      '',
      `  Page   ${pageUrl}`,
      `  MQTT   127.0.0.1:${port}      try: mosquitto_pub${portOption} -q 1 -t sensors/my-device/temperature -m '{"value": 21.5}'`,
      `  Data   ${storagePath}`,
      '',
      '  Its state is "degraded" until an InfluxDB listens on localhost:8086: results wait on the disk, all else works.',
      '  Stop it with Ctrl+C: nothing that was accepted is lost.',
      '',
      '',
    ].join('\n'),
  );
}

/**
 * The plant is a process of its own, as real devices are: it shares neither memory nor code with the gateway. The channel between them carries
 * nothing; it ends the plant when this process is killed: the next one starts another, and two would publish the same series.
 */
async function simulatePlant({ brokerPort }: Whereabouts, { signal }: Surroundings): Promise<void> {
  const program = join(import.meta.dirname, '..', 'headgate.js');
  const url = `mqtt://127.0.0.1:${brokerPort}`;
  const plant = spawn(process.execPath, [program, 'simulate', 'devices', '--url', url], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const stop = () => plant.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  try {
    await once(plant, 'exit');
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (signal.aborted) return;
  throw new GatewayError(`The simulated plant has ended by itself, with exit code ${plant.exitCode}`, {
    hint: `to see why: headgate simulate devices --url ${url}`,
  });
}
