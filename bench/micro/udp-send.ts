/**
 * What does it cost to send one datagram of 1,200 bytes over loopback, and what of it is not the kernel's? Over the bare handle, and by
 * public API. Nobody reads: the kernel drops what its buffer does not take.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { quiet } from '../../src/base/log.ts';
import { newMediaPortCounts, type Remote } from '../../src/webrtc/ice-remote.ts';
import { UdpPort } from '../../src/webrtc/udp-port.ts';
import { print } from './measure.ts';

const BYTES = 1_200;
const DATAGRAMS = 100_000;
const RUNS = 5;

const reader = createSocket('udp4');
reader.bind(0, '127.0.0.1');
await once(reader, 'listening');

for (const bare of [true, false]) {
  const remote = Promise.withResolvers<Remote>();
  const setup = { listen: '127.0.0.1:0', counts: newMediaPortCounts(), log: quiet, bare };
  const port = await UdpPort.open({ ...setup, receive: (_, from) => remote.resolve(from) });
  reader.send(Buffer.of(1), port.address.port, '127.0.0.1');
  const path = await remote.promise;
  const memory = new Uint8Array(64 << 10);
  const runs = Array.from({ length: RUNS + 1 }, () => run(path, memory)).slice(1);
  const how = bare ? 'bare handle' : 'public API';
  print({ name: `${BYTES} bytes sent, ${how}`, value: median(runs.map(({ all }) => all)), unit: 'us' });
  print({ name: `of it in this process, ${how}`, value: median(runs.map(({ user }) => user)), unit: 'us' });
  port.close();
}
reader.close();

function run(path: Remote, memory: Uint8Array): { all: number; user: number } {
  const start = process.cpuUsage();
  for (let count = 0; count < DATAGRAMS; count++) path.send(memory, (count & 31) * BYTES, BYTES);
  const { user, system } = process.cpuUsage(start);
  return { all: (user + system) / DATAGRAMS, user: user / DATAGRAMS };
}

function median(values: number[]): number {
  return values.sort((one, other) => one - other)[values.length >> 1]!;
}
