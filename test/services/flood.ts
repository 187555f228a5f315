/**
 * A program: clients that publish at QoS 1 to ever new topics, as fast as they are acknowledged, for so long.
 *
 *     node flood.ts PORT CLIENTS IN_FLIGHT SECONDS
 *
 * Prints how many publishes were sent and how many acknowledged, as JSON. A lost connection is made anew; what was on its way is not sent again.
 */
import { connect } from 'node:net';
import { connectFrame, publishFrame } from '../devices/mqtt/raw-client.ts';

const [port, clients, inFlight, seconds] = process.argv.slice(2).map(Number) as [number, number, number, number];
let sent = 0;
let acknowledged = 0;
let connections = 0;
let ending = false;

function client(name: string): void {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let received = Buffer.alloc(0);
  let waiting = 0;
  let next = 0;
  const publish = () => {
    const frames: Buffer[] = [];
    for (; !ending && waiting < inFlight; waiting++) {
      const id = (next++ % 60_000) + 1;
      frames.push(publishFrame({ topic: `sensors/${name}/m${next}`, payload: `${next}`, id }));
      sent++;
    }
    if (frames.length > 0) socket.write(Buffer.concat(frames));
  };
  socket.on('connect', () => {
    connections++;
    socket.write(connectFrame({ id: name }));
  });
  socket.on('data', (data) => {
    received = Buffer.concat([received, data]);
    while (received.length >= 4) {
      if (received[0] === 0x40) {
        acknowledged++;
        waiting--;
      }
      received = received.subarray(4);
    }
    publish();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    if (!ending) setTimeout(() => client(name), 50);
  });
}

for (let i = 0; i < clients; i++) client(`flood-${i}`);
setTimeout(() => {
  ending = true;
}, seconds * 1000);
// What is on its way when the time is over has a moment to be answered.
setTimeout(
  () => {
    process.stdout.write(`${JSON.stringify({ sent, acknowledged, connections })}\n`, () => process.exit());
  },
  seconds * 1000 + 12_000,
);
