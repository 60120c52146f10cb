/**
 * Clients that were let in, and behave worse than strangers: in the handshake, and with their own keys afterwards.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { makeCertificate } from '../../../src/webrtc/certificate.ts';
import { CONTENT, writeRecord } from '../../../src/webrtc/dtls-record.ts';
import { writeRtcp } from '../../../src/webrtc/rtcp.ts';
import { mutate } from '../../fuzz/mutation.ts';
import { clientHello } from '../../helpers/dtls-hello.ts';
import type { StudioFamily } from '../../helpers/hostile-studio.ts';
import { until } from '../../helpers/program.ts';
import type { RtcClient } from '../../helpers/rtc-client.ts';
import { pictureNumber, RtpCamera, RtpMicrophone, rtpPacket, TYPES } from '../../helpers/rtp-camera.ts';

const BURST = 40;
const MEBIBYTE = 1 << 20;
/** What all of a family may cost the server, seconds of a processor; it has a machine for itself or not. */
const MAX_PROCESSOR_TIME = 8;
/** A handshake has so few flights, and says each of them so few times. */
const MAX_ANSWERS = 60;
const FRAME_MILLIS = 40;

/** The session of `client` is over, whoever ended it. */
async function gone(client: RtcClient): Promise<void> {
  await until('a session that leads nowhere is over', async () => (await client.about('GET')).status === 404);
}

export const INSIDE: readonly StudioFamily[] = [
  {
    name: 'handshakes',
    async run(studio) {
      const { random } = studio;
      const before = await studio.processorTime();
      const lines = studio.server.lines().length;
      const clients: RtcClient[] = [];
      const join = async (index: number, options: Parameters<typeof studio.ask>[2] = {}) => {
        const client = await studio.ask('publish', `/free/shaking${index}/whip`, options);
        clients.push(client);
        return client.validate();
      };
      // a certificate that was not promised: it is told so at once
      for (let n = 0; n < 5; n++) {
        const client = await join(n, { promised: makeCertificate(Date.now(), randomBytes) });
        client.shake();
        await gone(client);
      }
      const words = studio.server
        .lines()
        .slice(lines)
        .map(({ code }) => code);
      assert.ok(words.filter((code) => code === 'webrtc/dtls-fingerprint').length >= 5, words.join());
      // flights that are spoilt on their way
      const spoilt = await studio.crowd(60, 12, async (index) => {
        const client = await join(100 + index, {
          tamper: (datagram) => (random(2) === 0 ? [mutate([datagram], random).subarray(0, 1_400)] : [datagram]),
        });
        client.shake();
        if (client.connected) await client.leave();
        else
          await until(
            'a spoilt handshake has an end',
            async () => client.connected || (await client.about('GET')).status === 404,
          );
        client.vanish();
      });
      // hellos without an end, and what is none
      const hellos = await join(1_000);
      const noise = await join(1_001);
      const count = Math.round(5_000 * studio.scale);
      for (let n = 0; n < count; n++) {
        hellos.line.send(n % 2 === 0 ? clientHello() : mutate([clientHello()], random).subarray(0, 1_400));
        noise.line.send(writeRecord(20 + random(44), random(3), n, randomBytes(random(1_200))));
        if (n % BURST === 0) await turn();
      }
      assert.ok(hellos.datagrams < MAX_ANSWERS, `${hellos.datagrams} answers to ${count} hellos`);
      await gone(hellos);
      await gone(noise);
      // one that is connected begins anew, and lies about the end
      const settled = await studio.open('play', '/free/screen/whep');
      for (let n = 0; n < 500; n++) {
        settled.line.send(clientHello());
        settled.line.send(writeRecord(CONTENT.alert, 0, n, Buffer.of(2, 40)));
        settled.line.send(writeRecord(CONTENT.handshake, 1, n, randomBytes(200)));
        settled.line.send(writeRecord(CONTENT.applicationData, 1, n, randomBytes(1_000)));
        if (n % 10 === 0) await turn();
      }
      const then = settled.datagrams;
      await until('media goes on', () => settled.datagrams > then + 50);
      assert.equal((await settled.about('GET')).status, 204);
      await settled.leave();
      for (const client of [...clients, settled]) client.vanish();
      const seconds = (await studio.processorTime()) - before;
      assert.ok(seconds < MAX_PROCESSOR_TIME * studio.scale, `${seconds} s of a processor`);
      return `${spoilt} spoilt handshakes, ${2 * count} datagrams behind a check: ${hellos.datagrams} answers, ${seconds.toFixed(1)} s of a processor`;
    },
  },
  {
    name: 'media of a liar',
    async run(studio) {
      const { random } = studio;
      const before = await studio.server.resident();
      let lens: RtpCamera | undefined;
      const liar = await studio.open('publish', '/free/liar/whip', { onRtcp: (compound) => lens?.hear(compound) });
      // what is lost stays lost
      lens = new RtpCamera((packet) => random(100) > 3 && liar.rtp(packet), { repeats: 'never' });
      const microphone = new RtpMicrophone((packet) => liar.rtp(packet));
      const film = (): void => {
        microphone.sound(FRAME_MILLIS);
        lens.picture(2_500, FRAME_MILLIS);
      };
      film();
      film();
      await studio.server.session('publishing', 'liar');
      let [pictures, keys, foreign, orphans, last] = [0, 0, 0, 0, -1];
      const watching = studio.watch('/free/liar/whep', (frame) => {
        if (frame.kind === 'audio') return;
        const number = pictureNumber(frame);
        if (!frame.data.equals(lens.sent[number] ?? Buffer.alloc(0))) foreign += 1;
        else if (frame.role === 'key') keys += 1;
        else if (number !== last + 1) orphans += 1;
        pictures += 1;
        last = number;
      });
      const timer = setInterval(film, FRAME_MILLIS).unref();
      const screen = await watching;
      const real = [
        rtpPacket({ marker: true, payloadType: TYPES.vp8, sequence: 7, timestamp: 9, ssrc: 5 }, randomBytes(90)),
      ];
      const reports = [
        lens.report(1e15),
        writeRtcp([{ type: 'bye', sources: [2, 3] }]),
        writeRtcp([{ type: 'nack', sender: 1, media: 2, lost: [1, 2, 3, 400] }]),
        writeRtcp([{ type: 'pli', sender: 1, media: 2 }]),
      ];
      const types = [TYPES.vp8, TYPES.rtx, TYPES.opus, 0, 63, 64, 95, 127];
      const total = Math.round(12_000 * studio.scale);
      for (let n = 0; n < total; n++) {
        // never the camera's own source: with that one, a client may say what it likes
        const ssrc = 0x1000_0000 + random(2 ** 28);
        const payloadType = types[random(types.length)]!;
        const header = {
          marker: random(2) === 0,
          payloadType,
          sequence: random(65_536),
          timestamp: random(2 ** 31),
          ssrc,
        };
        if (n % 4 === 0)
          liar.rtp(
            rtpPacket(
              { ...header, ssrc: 4_000 + random(9), sequence: (n * 2_999) & 0xffff },
              randomBytes(random(1_100)),
            ),
          );
        else if (n % 4 === 1) liar.rtp(rtpPacket(header, randomBytes(random(1_100))));
        else if (n % 4 === 2) {
          const packet = mutate(real, random).subarray(0, 1_200);
          if (packet.length >= 12 && packet[0]! >> 6 === 2 && packet.readUInt32BE(8) !== lens.ssrc)
            tryRtp(liar, packet);
        } else {
          const compound = mutate(reports, random).subarray(0, 1_200);
          if (compound.length >= 8) liar.rtcp(compound);
        }
        if (n % BURST === 0) await turn();
      }
      const then = pictures;
      await until('pictures go on', () => pictures > then + 50);
      const grown = (await studio.server.resident()) - before;
      clearInterval(timer);
      assert.deepEqual([foreign, orphans], [0, 0], 'a viewer gets whole runs of what the camera took');
      assert.ok(keys > 0 && grown < 64 * MEBIBYTE, `${keys} key pictures, ${grown >> 20} MiB`);
      await screen.client.leave();
      screen.close();
      await liar.leave();
      liar.vanish();
      return `${total} packets: ${pictures} pictures in ${keys} runs of ${lens.sent.length} taken; ${grown >> 20} MiB more`;
    },
  },
  {
    name: 'a source that jumps',
    async run(studio) {
      const { random } = studio;
      const before = await studio.server.liveMemory();
      let lens: RtpCamera | undefined;
      const jumper = await studio.open('publish', '/free/jumper/whip', { onRtcp: (compound) => lens?.hear(compound) });
      lens = new RtpCamera((packet) => jumper.rtp(packet));
      lens.picture(2_500, FRAME_MILLIS);
      await studio.server.session('publishing', 'jumper');
      let seen = 0;
      const watching = studio.watch('/free/jumper/whep', () => {
        seen += 1;
      });
      const timer = setInterval(() => lens?.picture(2_500, FRAME_MILLIS), FRAME_MILLIS).unref();
      const screen = await watching;
      const total = await studio.crowd(10_000, 1, async (n) => {
        // wherever a jump leads, it stays there for two packets, as one that is real does
        if (n % 2 === 0)
          lens.sequence = (lens.sequence + [1, 2, 900, 2_999, 3_001, 30_000, 40_000][random(7)]!) & 0xffff;
        if (n % 7 === 0) lens.timestamp = random(2 ** 31) * 2;
        if (n % 20 === 0) lens.wantsKey = true;
        lens.picture(random(1_500), random(40));
        if (n % BURST === 0) await turn();
      });
      const then = seen;
      // packets that were lost between two jumps may have cost it the count of its keystream; then it is silent
      const open = async () => (await jumper.about('GET')).status === 204;
      await until('a picture comes, or the end', async () => seen > then || !(await open()));
      const grown = (await studio.server.liveMemory()) - before;
      clearInterval(timer);
      assert.ok(grown < 16 * MEBIBYTE, `${grown >> 20} MiB`);
      await screen.client.leave();
      screen.close();
      if (await open()) await jumper.leave();
      jumper.vanish();
      return `${total} pictures, ${seen} of them seen; ${grown >> 20} MiB more`;
    },
  },
];

/** Some headers are so spoilt that no sender would protect them. */
function tryRtp(client: RtcClient, packet: Buffer): void {
  try {
    client.rtp(packet);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
