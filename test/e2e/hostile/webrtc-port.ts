/**
 * Strangers at the media port, who never passed a check, and passers-by who know one of somebody else's.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { mutate } from '../../fuzz/mutation.ts';
import { clientHello } from '../../helpers/dtls-hello.ts';
import { type HostileStudio, MAX_SESSIONS, type StudioFamily } from '../../helpers/hostile-studio.ts';
import { until } from '../../helpers/program.ts';
import { type Line, type RtcClient, tcpLine, udpLine } from '../../helpers/rtc-client.ts';
import { rtcpPacket, rtpPacket } from '../../helpers/srtp.ts';
import { stunCheck } from '../../helpers/stun-client.ts';

/** What leaves for each byte that came, over all. */
const MAX_ECHO = 0.2;
/** As many as a socket of usual size holds while the server does something else. */
const BURST = 40;
/** Time enough for an answer on the way, and for two repeats of DTLS and a consent check besides. */
const LISTEN = 600;

/** A line that counts bytes both ways. */
interface Counted {
  readonly line: Line;
  out: number;
  back: number;
  sent: number;
  send(bytes: Buffer): void;
}

function counted(line: Line): Counted {
  const self: Counted = {
    ...{ line, out: 0, back: 0, sent: 0 },
    send(bytes) {
      self.out += bytes.length;
      self.sent += 1;
      line.send(bytes);
    },
  };
  line.receive = (bytes) => {
    self.back += bytes.length;
  };
  return self;
}

/** Every sort of datagram that is worth no answer to somebody who has no password. */
function worthless(studio: HostileStudio, victim: RtcClient): readonly (readonly [sort: string, make: () => Buffer])[] {
  const { random } = studio;
  const { ufrag, password } = victim.remote;
  const username = `${ufrag}:${victim.local.ufrag}`;
  const right = () => stunCheck({ username, password, nominate: true });
  const bytes = (count: number) => randomBytes(random(count));
  const hello = clientHello();
  return [
    ['noise', () => bytes(1_400)],
    ['nothing', () => Buffer.alloc(0)],
    ['a large datagram', () => randomBytes(8_000 + random(50_000))],
    ['STUN cut short', () => right().subarray(0, random(100))],
    // its last eight bytes, a checksum, are nobody's secret
    ['STUN changed', () => Buffer.concat([spoilt(right().subarray(0, -8), random), right().subarray(-8)])],
    ['STUN with more behind', () => Buffer.concat([right(), randomBytes(1 + random(200))])],
    ['no integrity', () => stunCheck({ username, nominate: true })],
    ['no name', () => stunCheck({ password, nominate: true })],
    ['a wrong password', () => stunCheck({ username, password: 'x'.repeat(24 + random(100)), nominate: true })],
    ['the password of the other side', () => stunCheck({ username, password: victim.local.password })],
    ['an unknown name', () => stunCheck({ username: `${bytes(40).toString('hex')}:x`, password })],
    ['a long name', () => stunCheck({ username: 'n'.repeat(1_000), password })],
    ['another other side', () => stunCheck({ username: `${ufrag}:nobody`, password })],
    ['the name the other way round', () => stunCheck({ username: `${victim.local.ufrag}:${ufrag}`, password })],
    ['an indication', () => stunCheck({ username, password, type: 0x0011 })],
    ['an answer', () => stunCheck({ username, password, type: 0x0101 })],
    ['an allocation of TURN', () => stunCheck({ username, password, type: 0x0003 })],
    ['ClientHello', () => hello],
    ['ClientHello changed', () => mutate([hello], random).subarray(0, 1_400)],
    ['an alert of DTLS', () => Buffer.from('15fefd00000000000000000002020a', 'hex')],
    ['RTP', () => rtpPacket(random(9), random(65_536), bytes(1_200))],
    ['goodbye by RTCP', () => Buffer.from('81cb000112345678', 'hex')],
    ['RTCP', () => rtcpPacket(random(9), 'x'.repeat(random(400)))],
    ['a channel of TURN', () => Buffer.concat([Buffer.of(0x40, 0, 0, 8), bytes(8)])],
  ];
}

/** Never by chance what it was. */
function spoilt(bytes: Buffer, random: (below: number) => number): Buffer {
  const changed = mutate([bytes], random).subarray(0, 1_400);
  return changed.equals(bytes) ? changed.subarray(1) : changed;
}

export const PORT: readonly StudioFamily[] = [
  {
    name: 'strangers at the UDP port',
    async run(studio) {
      const victims = await studio.victims('target');
      const sorts = worthless(studio, victims.screen.client);
      const strangers = Array.from({ length: 8 }, () => counted(udpLine(studio.media('udp'))));
      const arrived = await studio.server.metric('webrtc_port_received_total');
      const total = Math.round(20_000 * studio.scale);
      for (let index = 0; index < total; index++) {
        const [, make] = sorts[index % sorts.length]!;
        strangers[studio.random(strangers.length)]!.send(make());
        if (index % BURST === 0) await turn();
      }
      await sleep(LISTEN);
      const sum = (of: 'out' | 'back') => strangers.reduce((all, stranger) => all + stranger[of], 0);
      const [out, back] = [sum('out'), sum('back')];
      assert.equal(back, 0, `${back} bytes came back`);
      const dropped = await studio.server.metric('webrtc_port_dropped_total');
      for (const reason of ['noise', 'stranger', 'malformed', 'not-a-request', 'unknown-user', 'integrity']) {
        assert.ok((dropped.get(reason) ?? 0) > total / 100, `dropped for ${reason}: ${dropped.get(reason)}`);
      }
      const received = (await studio.server.metric('webrtc_port_received_total')).get('')! - arrived.get('')!;
      await victims.check('while strangers call');
      await victims.stop();
      for (const { line } of strangers) line.close();
      return `${total} datagrams of ${sorts.length} sorts, ${out >> 10} KiB, ${received} heard: ${back} bytes back`;
    },
  },
  {
    name: 'checks of somebody else',
    async run(studio) {
      const victims = await studio.victims('replayed');
      const { client } = victims.screen;
      const others = Array.from({ length: 4 }, () => counted(udpLine(studio.media('udp'))));
      const total = Math.round(2_000 * studio.scale);
      for (let index = 0; index < total; index++) {
        // heard on its way, and said again from elsewhere
        const check = client.check();
        client.line.send(check);
        if (index % 10 === 0) await turn();
        const other = others[index % others.length]!;
        other.send(check);
        other.send(rtpPacket(7, index));
        other.send(clientHello());
        other.send(client.protectControl(rtcpPacket(9)));
        if (index % 5 === 0) await turn();
      }
      await sleep(LISTEN);
      const back = others.reduce((all, other) => all + other.back, 0);
      const out = others.reduce((all, other) => all + other.out, 0);
      assert.ok(back <= MAX_ECHO * out, `${back} bytes back for ${out}`);
      await victims.check('while its checks are said again');
      await victims.stop();
      for (const { line } of others) line.close();
      return `${4 * total} datagrams from elsewhere: ${back} bytes back for ${out >> 10} KiB`;
    },
  },
  {
    name: 'forged media from the right address',
    async run(studio) {
      const victims = await studio.victims('forged');
      const { camera } = victims;
      const { client } = victims.screen;
      const { random } = studio;
      let replays = 0;
      const total = await studio.crowd(4_000, 1, async (index) => {
        const from = index % 2 === 0 ? camera : client;
        const control = from.protectControl(rtcpPacket(random(99), 'x'.repeat(4 * random(50))));
        switch (index % 5) {
          case 0:
            from.line.send(rtpPacket(random(4_000), random(65_536), randomBytes(random(1_100))));
            break;
          case 1:
            from.line.send(Buffer.from('81cb000112345678', 'hex'));
            break;
          case 2:
            // a tag that was right before
            control[8 + random(control.length - 8)]! ^= 1 << random(8);
            from.line.send(control);
            break;
          case 3:
            for (let again = 0; again < 3; again++) from.line.send(control);
            replays += 2;
            break;
          default:
            from.line.send(spoilt(Buffer.concat([control]), random));
        }
        if (index % BURST === 0) await turn();
      });
      await victims.check('with forgeries in between');
      await victims.stop();
      return `${total} forgeries, ${replays} replays`;
    },
  },
  {
    name: 'silence afterwards',
    async run(studio) {
      const viewers = await Promise.all(Array.from({ length: 10 }, () => studio.open('play', '/free/screen/whep')));
      await until('all get pictures', () => viewers.every(({ datagrams }) => datagrams > 20));
      const checks = viewers.map((viewer) => viewer.check());
      await Promise.all(viewers.map((viewer) => viewer.leave()));
      // what was on its way
      await sleep(100);
      const before = viewers.map(({ datagrams }) => datagrams);
      for (const [at, viewer] of viewers.entries()) {
        for (const bytes of [checks[at]!, viewer.check(), clientHello(), viewer.protectControl(rtcpPacket(9))]) {
          viewer.line.send(bytes);
        }
      }
      await sleep(LISTEN);
      assert.deepEqual(
        viewers.map(({ datagrams }) => datagrams),
        before,
        'nothing comes after DELETE, whatever is asked',
      );
      for (const viewer of viewers) viewer.vanish();
      return `${viewers.length} viewers left`;
    },
  },
  {
    name: 'connections to the TCP port',
    async run(studio) {
      const place = studio.media('tcp');
      const before = await studio.server.metric('webrtc_port_tcp_connections');
      const frame = (bytes: Buffer) => Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
      const victim = await studio.open('play', '/free/screen/whep', { through: 'tcp' });
      const slow: (readonly [string, string | Buffer])[] = [
        ['nothing', ''],
        ['half a length', Buffer.of(0)],
        ['a frame that does not end', Buffer.of(7, 0)],
        ['a check without password', frame(stunCheck({ username: 'a:b' }))],
        ['a check of nobody', frame(stunCheck({ username: 'a:b', password: 'c' }))],
        ['ClientHello', frame(clientHello())],
        ['RTMP', Buffer.alloc(1_537, 3)],
        ['empty frames', Buffer.alloc(1 << 20)],
      ];
      const wrong: (readonly [string, string | Buffer])[] = [
        ['a frame of 64 KiB', Buffer.alloc(70_000, 0xff)],
        ['HTTP', 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'],
        ['TLS', Buffer.from('16030102000100', 'hex')],
      ];
      const many = Math.round(10 * studio.scale);
      const began = performance.now();
      const waiting = slow.flatMap(([, bytes]) =>
        Array.from({ length: many }, () => studio.dribble(bytes, place.port)),
      );
      await Promise.all(wrong.map(([, bytes]) => studio.exchange(bytes, place.port)));
      const cutAfter = performance.now() - began;
      // more than there is room for
      const storm = Array.from({ length: MAX_SESSIONS + 200 }, () => tcpLine(place));
      await until('those too many are closed', () => storm.filter(({ closed }) => closed).length >= 200);
      for (const line of storm) line.close();
      await studio.pair.check('with many connections');
      // who passed a check and reads no more
      victim.line.pause();
      await Promise.all(waiting);
      victim.vanish();
      await until('all connections are gone', async () => {
        return (await studio.server.metric('webrtc_port_tcp_connections')).get('') === before.get('');
      });
      const seconds = (millis: number) => (millis / 1_000).toFixed(1);
      return `wrong frames cut within ${seconds(cutAfter)} s, ${waiting.length} slow ones within ${seconds(performance.now() - began)} s, ${storm.length} at once`;
    },
  },
];
