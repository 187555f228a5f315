import { createServer } from 'node:net';
import { Aedes } from 'aedes';

/**
 * The measure for the embedded broker: aedes as it comes, without a gateway around it. Prints `{"port":…}` and serves until
 * its standard input ends.
 */
const aedes = new Aedes();
await aedes.listen();
const server = createServer(aedes.handle);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : undefined })}\n`);
});
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
