import { join } from 'node:path';
import type { Configuration } from '../../config/configuration.ts';
import type {
  MqttClientConfiguration,
  OpcuaConfiguration,
  SourceConfiguration,
} from '../../config/source-configuration.ts';
import { MqttBroker } from '../../devices/mqtt/broker.ts';
import type { Clock } from '../core/clock.ts';
import type { Intake } from '../core/intake.ts';
import type { Source } from '../core/source.ts';
import type { Logger } from '../core/telemetry.ts';

/** What every source is given. */
export interface SourceParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes a source for its intake. */
export type SourceFactory = (intake: Intake) => Source;

/**
 * The sources of a configuration, ready to be made. The libraries of the clients are loaded only when one is configured: importing OPC-UA
 * costs 90 MB.
 */
export async function sourceFactories(
  { sources, storage }: Configuration,
  parts: SourceParts,
): Promise<readonly { readonly name: string; readonly make: SourceFactory }[]> {
  const factories: { name: string; make: SourceFactory }[] = [];
  for (const source of sources) {
    const ownParts = { ...parts, logger: parts.logger.child({ source: source.name }) };
    factories.push({ name: source.name, make: await sourceFactory(source, storage.path, ownParts) });
  }
  return factories;
}

async function sourceFactory(
  source: SourceConfiguration,
  storagePath: string,
  parts: SourceParts,
): Promise<SourceFactory> {
  if (source.type === 'opcua') return opcuaFactory(source, storagePath, parts);
  if (source.role === 'broker') return (intake) => new MqttBroker(source, intake, parts);
  return mqttClientFactory(source, parts);
}

async function mqttClientFactory(source: MqttClientConfiguration, parts: SourceParts): Promise<SourceFactory> {
  const { MqttClientSource } = await import('../../devices/mqtt/client.ts');
  return (intake) => new MqttClientSource(source, intake, parts);
}

async function opcuaFactory(
  source: OpcuaConfiguration,
  storagePath: string,
  parts: SourceParts,
): Promise<SourceFactory> {
  const { OpcuaClient } = await import('../../devices/opcua/opcua-client.ts');
  const pkiPath = join(storagePath, 'opcua-pki');
  return (intake) => new OpcuaClient({ ...source, pkiPath }, intake, parts);
}
