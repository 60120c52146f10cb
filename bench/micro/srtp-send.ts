/**
 * What does a packet of 1,200 bytes cost on its way to a viewer: its protection alone, and all the way through audience, ring, kernel
 * and UDP port to another process on the loopback? Beside it the sender of werift, layer for layer its own code.
 *
 * CPU microseconds a packet, user and system; on the loopback that includes handing it over to the receiver.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import * as werift from 'werift';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { Hub } from '../../src/relay/hub.ts';
import { newMediaPortCounts } from '../../src/webrtc/ice-remote.ts';
import type { Path } from '../../src/webrtc/path.ts';
import { RtpAudiences } from '../../src/webrtc/rtp-audiences.ts';
import { SrtpBatch } from '../../src/webrtc/srtp-batch.ts';
import { BATCH_PACKETS, LANES, TAG_BYTES } from '../../src/webrtc/srtp-kernel-code.ts';
import { UdpPort } from '../../src/webrtc/udp-port.ts';
import { LogRecorder } from '../../test/helpers/log-recorder.ts';
import { srtpKeys } from '../../test/helpers/srtp-reference.ts';
import { negotiated, videoFrame } from '../../test/helpers/viewer-town.ts';
import { print, secondsPerRound } from './measure.ts';

const NOWHERE: Path = { ip: '', port: 0, protocol: 'udp', queuedBytes: 0, send() {} };
const PACKET_BYTES = 1_182;
const VIEWERS = 400;
const WERIFT_VIEWERS = 100;
/** Of 2 Mbit/s at 30 pictures a second. */
const PACKETS_PER_PICTURE = 7;
const SINK_SOCKETS = 32;
const RUN_MILLIS = 1_500;
const RUNS = 5;

if (process.send !== undefined && process.argv[2] === 'sink') sink(Number(process.argv[3]));
else {
  // as in src/main.ts
  for (const flag of ['--external-memory-accounted-in-global-limit', '--external-memory-max-growing-factor=2']) {
    setFlagsFromString(flag);
  }
  await main();
}

/** Greets `port` from many sockets, then receives and throws away. */
function sink(port: number): void {
  for (let i = 0; i < SINK_SOCKETS; i++) {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    socket.on('message', () => {});
    socket.bind(0, '127.0.0.1', () => socket.send('hello', port, '127.0.0.1'));
  }
}

async function main(): Promise<void> {
  protection();
  const figures = { floor: [] as number[], ours: [] as number[], theirs: [] as number[] };
  // in turns, so that all meet the same machine
  for (let run = 0; run < RUNS; run++) {
    figures.floor.push(await onLoopback(bareSender));
    figures.ours.push(await onLoopback(castgateSender));
    figures.theirs.push(await weriftSender());
  }
  const [floor, ours, theirs] = [median(figures.floor), median(figures.ours), median(figures.theirs)];
  print({ name: 'to the receiver: unprotected, the port alone', value: floor, unit: 'us' });
  print({ name: `to the receiver: castgate, ${VIEWERS} viewers`, value: ours, unit: 'us' });
  print({ name: `to the receiver: werift, ${WERIFT_VIEWERS} viewers`, value: theirs, unit: 'us' });
  print({ name: 'werift / castgate', value: theirs / ours, unit: 'x' });
  print({ name: 'the same above the port alone', value: (theirs - floor) / (ours - floor), unit: 'x' });
}

function protection(): void {
  const packet = rtpPacket();
  const batch = new SrtpBatch();
  for (const viewers of [LANES, 1]) {
    const recipients = Array.from({ length: viewers }, () => ({
      ...{ keys: batch.keysOf(srtpKeys()), path: NOWHERE, payloadType: 96, index: 70_000 },
    }));
    for (const count of [1, PACKETS_PER_PICTURE, BATCH_PACKETS]) {
      const seconds = secondsPerRound(() => {
        batch.begin(1);
        for (let i = 0; i < count; i++) batch.put(packet, 0, packet.length, 12);
        batch.send(recipients);
      });
      const value = (seconds * 1e6) / (count * viewers);
      print({ name: `protect, ${viewers} viewers, ${count} packets at once`, value, unit: 'us' });
    }
  }
  for (const profile of ['aes128-cm-sha1-80', 'aead-aes-128-gcm'] as const) {
    const single = new SrtpBatch(null);
    const recipient = { keys: single.keysOf(srtpKeys(profile)), path: NOWHERE, payloadType: 96, index: 70_000 };
    const seconds = secondsPerRound(() => {
      single.begin(1);
      single.put(packet, 0, packet.length, 12);
      single.send([recipient]);
    });
    print({ name: `protect without the kernel, ${profile}`, value: seconds * 1e6, unit: 'us' });
  }
  const session = weriftSession();
  const { header, payload } = werift.RtpPacket.deSerialize(packet);
  const seconds = secondsPerRound(() => session.encrypt(payload, header));
  print({ name: 'werift: protect, aes128-cm-sha1-80', value: seconds * 1e6, unit: 'us' });
}

/** Gives `sender` paths through the UDP port to a receiver; answers what it does. */
async function onLoopback(sender: (paths: readonly Path[]) => Promise<number>): Promise<number> {
  const paths: Path[] = [];
  const port = await UdpPort.open({
    listen: '127.0.0.1:0',
    receive: (_bytes, path) => paths.push(path),
    counts: newMediaPortCounts(),
    log: new LogRecorder(),
  });
  const child = startSink(port.address.port);
  try {
    while (paths.length < SINK_SOCKETS) await turn();
    return await sender(paths);
  } finally {
    child.kill();
    port.close();
  }
}

function bareSender(paths: readonly Path[]): Promise<number> {
  const packet = randomBytes(PACKET_BYTES + TAG_BYTES);
  return microsPerPacket(async () => {
    for (let i = 0; i < PACKETS_PER_PICTURE * VIEWERS; i++) paths[i % paths.length]!.send(packet, 0, packet.length);
    await turn();
    return PACKETS_PER_PICTURE * VIEWERS;
  });
}

async function castgateSender(paths: readonly Path[]): Promise<number> {
  const stream = new Hub().stream('bench', 'room');
  // what is due soon is done at once: this bench is no test of the event loop
  const due: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    soon(then) {
      due.push(then);
      return { cancel() {} };
    },
  };
  const audiences = new RtpAudiences({ clock, random: randomBytes, maxDatagram: 1_200 });
  const publication = stream.publish({ requestKeyFrame() {}, evicted() {} });
  const events = { rtcp() {}, changed() {}, began() {}, ended() {} };
  const viewers = Array.from({ length: VIEWERS }, (_, index) => {
    const viewer = audiences.join(stream, negotiated({ audio: false }), srtpKeys(), events);
    viewer.path = paths[index % paths.length]!;
    return viewer;
  });
  let number = 0;
  const value = await microsPerPacket(async () => {
    const role = number === 0 ? 'key' : 'delta';
    publication.write(videoFrame(role, number, number * 33, PACKETS_PER_PICTURE * 1_160));
    number += 1;
    for (let then = due.shift(); then !== undefined; then = due.shift()) then();
    await turn();
    return PACKETS_PER_PICTURE * VIEWERS;
  });
  const { packets } = viewers[0]!.stats();
  if (packets < PACKETS_PER_PICTURE * (number - 1))
    throw new Error(`${packets} packets of ${number} pictures were sent`);
  for (const viewer of viewers) viewer.leave();
  return value;
}

function weriftSession(): werift.SrtpSession {
  const { local, remote } = srtpKeys();
  return new werift.SrtpSession({
    keys: {
      ...{ localMasterKey: local.key, localMasterSalt: local.salt },
      ...{ remoteMasterKey: remote.key, remoteMasterSalt: remote.salt },
    },
    profile: werift.ProtectionProfileAes128CmHmacSha1_80,
  });
}

/** Its sender, its SRTP and its UDP transport; only handshake and ICE are left out, and a connection stands in for them. */
async function weriftSender(): Promise<number> {
  const sinks: { address: string; port: number }[] = [];
  const transport = await werift.UdpTransport.init('udp4');
  transport.onData = (_data, [address, port]) => sinks.push({ address, port });
  const child = startSink(transport.port);
  try {
    while (sinks.length < SINK_SOCKETS) await turn();
    const senders = Array.from({ length: WERIFT_VIEWERS }, (_, index) => {
      const { address, port } = sinks[index % sinks.length]!;
      const sender = new werift.RTCRtpSender('video');
      const connection = { send: (data: Buffer) => transport.send(data, [address, port]) };
      const dtls = {
        ...{ state: 'connected', onStateChange: new werift.Event(), transportSequenceNumber: 0, config: {} },
        ...{ srtp: weriftSession(), iceTransport: { connection }, bytesSent: 0, packetsSent: 0 },
        sendRtp: werift.RTCDtlsTransport.prototype.sendRtp,
      };
      sender.setDtlsTransport(dtls as never);
      const codec = new werift.RTCRtpCodecParameters({ mimeType: 'video/H264', clockRate: 90_000, payloadType: 96 });
      sender.prepareSend({ codecs: [codec], headerExtensions: [] });
      return sender;
    });
    const packet = werift.RtpPacket.deSerialize(rtpPacket());
    return await microsPerPacket(async () => {
      for (let i = 0; i < PACKETS_PER_PICTURE; i++) {
        packet.header.sequenceNumber = (packet.header.sequenceNumber + 1) & 0xffff;
        for (const sender of senders) await sender.sendRtp(packet);
      }
      await turn();
      return PACKETS_PER_PICTURE * senders.length;
    });
  } finally {
    child.kill();
    await transport.close();
  }
}

function rtpPacket(): Buffer {
  const packet = randomBytes(PACKET_BYTES);
  packet[0] = 0x80;
  packet[1] = 96;
  return packet;
}

function startSink(port: number): ChildProcess {
  return fork(new URL(import.meta.url), ['sink', String(port)]);
}

async function microsPerPacket(round: () => Promise<number>): Promise<number> {
  const until = (end: number) => async (): Promise<number> => {
    let packets = 0;
    while (performance.now() < end) packets += await round();
    return packets;
  };
  await until(performance.now() + RUN_MILLIS / 3)();
  const start = process.cpuUsage();
  const packets = await until(performance.now() + RUN_MILLIS)();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / packets;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
