import { isIP } from 'node:net';
import { GatewayError } from '../core/errors.ts';

/** Where to listen. */
export interface Listen {
  /** A host name or an address; `0.0.0.0` and `::` mean every interface. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** True when only programs on this machine can connect to `host`. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (isIP(name) === 4) return name.startsWith('127.');
  return name === '::1' || name === 'localhost' || name.endsWith('.localhost');
}

/** Refuses to listen beyond loopback where anybody could connect; nothing listens beyond it until a credential exists. */
export function checkListen({ host, port }: Listen, allowAnonymous: boolean): void {
  if (isLoopback(host) || allowAnonymous) return;
  throw new GatewayError(
    `Cannot listen on ${host}:${port} as anybody on the network could use the API without a password`,
    {
      hint: 'listen on 127.0.0.1, or set `allowAnonymous: true` where the network itself is trusted',
    },
  );
}

/** What a person can do about a failed listen. */
export function listenError({ host, port }: Listen, error: unknown): GatewayError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program, perhaps another gateway, uses this port: stop it or choose another port',
    EACCES: 'ports below 1024 need a privilege: choose a higher port',
    EADDRNOTAVAIL: 'this machine does not have that address: choose one that `ip address` lists',
    ENOTFOUND: 'the host name is not known: use an address',
  };
  const hint = hints[code] ?? 'choose another address or port';
  return new GatewayError(`Cannot listen on ${host}:${port}: ${code || String(error)}`, { hint, cause: error });
}
