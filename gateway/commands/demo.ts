import { join } from 'node:path';
import { Command } from 'commander';
import { demoConfiguration } from '../../config/demo.ts';
import { loadText } from './configuration-file.ts';
import { runGateway, type Whereabouts } from './run.ts';
import type { Surroundings } from './surroundings.ts';

/** `headgate demo`: the gateway on its embedded defaults, with a simulated plant. */
export function demoCommand(surroundings: Surroundings): Command {
  return new Command('demo')
    .description('run the gateway on its embedded defaults with a simulated plant')
    .action(async () => {
      const text = demoConfiguration;
      // Paths in it are relative to the folder in which the demo is started.
      const { configuration } = loadText(text, join(surroundings.workingFolder, 'demo.yaml'), surroundings);
      await runGateway(configuration, text, surroundings, (whereabouts) => {
        greet(whereabouts, configuration.storage.path, surroundings);
        return simulatePlant(whereabouts, surroundings);
      });
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
      '  Stop it with Ctrl+C: nothing that was accepted is lost.',
      '',
      '',
    ].join('\n'),
  );
}

async function simulatePlant({ brokerPort }: Whereabouts, surroundings: Surroundings): Promise<void> {
  const { simulateDevices } = await import('../../simulators/mqtt-devices.ts');
  await simulateDevices({ url: `mqtt://127.0.0.1:${brokerPort}` }, surroundings.signal);
}
