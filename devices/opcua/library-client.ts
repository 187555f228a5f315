import type { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import {
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  type UserIdentityInfo,
  UserTokenType,
} from 'node-opcua-client';
import type { OpcuaSecurity, ResolvedOptions } from './options.ts';

/** A sign of life is exchanged at least this often when nothing changes, in milliseconds. */
export const KEEP_ALIVE_MS = 5_000;

/** node-opcua's client, set up to try for ever and to trust nobody by itself. */
export function makeClient(options: ResolvedOptions, pki: OPCUACertificateManager): OPCUAClient {
  const { name, outageMs, security = {} } = options;
  const policy = security.policy ?? 'None';
  const mode = security.mode ?? (policy === 'None' ? 'None' : 'SignAndEncrypt');
  return OPCUAClient.create({
    applicationName: 'Headgate',
    clientName: `headgate ${name}`,
    clientCertificateManager: pki,
    securityPolicy: SecurityPolicy[policy],
    securityMode: MessageSecurityMode[mode],
    endpointMustExist: false,
    requestedSessionTimeout: Math.max(outageMs, 6 * KEEP_ALIVE_MS),
    keepSessionAlive: true,
    keepAliveInterval: KEEP_ALIVE_MS,
    connectionStrategy: { maxRetry: -1, initialDelay: 500, maxDelay: 2_000, randomisationFactor: 0.5 },
  });
}

/** Who logs in: a user with a password, or nobody in particular. */
export function identityOf(security: OpcuaSecurity | undefined): UserIdentityInfo {
  const { user, password = '' } = security ?? {};
  if (user === undefined) return { type: UserTokenType.Anonymous };
  return { type: UserTokenType.UserName, userName: user, password };
}
