import { OPCUACertificateManager } from 'node-opcua-certificate-manager';

/**
 * Opens the gateway's own key, certificate and trust list, made when missing. A server that is not trusted is refused, and
 * its certificate kept under `rejected/`. Open it for each connection: what a person has trusted meanwhile is read then.
 */
export async function openPki(pkiPath: string): Promise<OPCUACertificateManager> {
  const manager = new OPCUACertificateManager({
    rootFolder: pkiPath,
    automaticallyAcceptUnknownCertificate: false,
    keySize: 2048,
    disableFileWatchers: true,
  });
  await manager.initialize();
  return manager;
}
