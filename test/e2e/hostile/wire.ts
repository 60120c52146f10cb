/**
 * Strangers who break handshake, chunks and lengths.
 */
import assert from 'node:assert/strict';
import { mutate } from '../../fuzz/mutation.ts';
import { readCaptures } from '../../helpers/capture.ts';
import { basicHeader, u32 } from '../../helpers/chunks.ts';
import { commandBytes, HANDSHAKE, messageBytes } from '../../helpers/dialogue.ts';
import { avcBody } from '../../helpers/frames.ts';
import { connectBytes, type Family, type HostileTown } from '../../helpers/hostile-town.ts';
import { until } from '../../helpers/program.ts';

const SET_CHUNK_SIZE = 1;
const ABORT = 2;
const VIDEO = 9;
const COMMAND = 20;
const LARGEST_LENGTH = 0xffffff;

/** A chunk that begins a message of `length` bytes, with `body` of it. */
function beginning(chunkStreamId: number, typeId: number, streamId: number, length: number, body: Buffer): Buffer {
  const header = Buffer.alloc(11);
  header.writeUIntBE(length, 3, 3);
  header[6] = typeId;
  header.writeUInt32LE(streamId, 7);
  return Buffer.concat([basicHeader(0, chunkStreamId), header, body]);
}

function control(typeId: number, value: number): Buffer {
  return beginning(2, typeId, 0, 4, u32(value >>> 0));
}

function noise(town: HostileTown, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => town.random(256)));
}

export const WIRE: readonly Family[] = [
  {
    name: 'garbage',
    async run(town) {
      const smuggled =
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/sessions HTTP/1.1\r\n\r\n';
      const openings = [
        ...[
          'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
          smuggled,
          'CONNECT :22 HTTP/1.1\r\n\r\n',
          'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
        ],
        ...[
          'SSH-2.0-x\r\n',
          '\x16\x03\x01\xff\xff\x01\x00',
          '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00',
          '\x80\x2e\x01',
        ],
        ...[
          'OPTIONS rtsp://a RTSP/1.0\r\n\r\n',
          '\x00',
          '\x03',
          `\x06${'x'.repeat(1_536)}`,
          `\x03${'\xff'.repeat(4_000)}`,
        ],
      ].map((text) => Buffer.from(text, 'latin1'));
      await town.crowd(600, 50, async (index) => {
        const opening = index % 3 === 0 ? openings[town.random(openings.length)]! : noise(town, 1 + town.random(4_000));
        const stranger = town.stranger().send(opening);
        await stranger.done();
        assert.doesNotMatch(stranger.heard, /"id"|bytesIn/, 'nothing of the admin interface is behind this door');
      });
    },
  },
  {
    name: 'handshakes cut off and changed',
    async run(town) {
      await town.crowd(300, 50, async (index) => {
        const whole = Buffer.concat([HANDSHAKE, connectBytes('free')]);
        if (index % 2 === 0)
          await town
            .stranger()
            .send(whole.subarray(0, town.random(HANDSHAKE.length)))
            .done();
        else
          await town
            .stranger()
            .send(mutate([whole], town.random))
            .done();
      });
    },
  },
  {
    name: 'declared_length',
    async run(town) {
      // before the login a message may have 64 KiB, and is refused at its header
      for (const length of [65_537, 1 << 20, LARGEST_LENGTH]) {
        const early = town.stranger().send(HANDSHAKE, beginning(3, COMMAND, 0, length, Buffer.alloc(64)));
        await early.thrownOut(`${length} bytes declared before connect`);
        const late = await town.insider();
        late.send(beginning(6, VIDEO, 1, LARGEST_LENGTH, Buffer.alloc(64)));
        await late.thrownOut('16 MiB declared');
      }
      // within the limits, never sent, on many connections: what is declared costs nothing
      const before = await town.server.resident();
      const waiting = await Promise.all(Array.from({ length: 60 }, () => town.insider()));
      for (const stranger of waiting) stranger.send(beginning(6, VIDEO, 1, 8 << 20, Buffer.alloc(100)));
      await town.pair.check('while 480 MiB are declared');
      const grown = (await town.server.resident()) - before;
      assert.ok(grown < 64 << 20, `480 MiB declared cost ${grown >> 20} MiB`);
      await Promise.all(waiting.map((stranger) => stranger.done()));
    },
  },
  {
    name: 'chunk_sizes',
    async run(town) {
      for (const size of [0, 0x8000_0000, 0xffff_ffff, 0x7fff_ffff]) {
        const stranger = await town.insider();
        await stranger
          .send(control(SET_CHUNK_SIZE, size), beginning(6, VIDEO, 1, 4_000_000, Buffer.alloc(5_000)))
          .done();
      }
      // chunks of one byte: refused, or done in reasonable time
      for (const size of [1, 2, 16]) {
        const stranger = await town.insider();
        const body = Array.from({ length: 20_000 }, () => Buffer.from([0xc6, ...Buffer.alloc(size)]));
        await stranger
          .send(control(SET_CHUNK_SIZE, size), beginning(6, VIDEO, 1, 8_000_000, Buffer.alloc(size)), ...body)
          .done();
      }
    },
  },
  {
    name: 'csid_flood',
    async run(town) {
      for (const most of [64, 4_000, 65_599]) {
        const stranger = await town.insider();
        const chunks: Buffer[] = [];
        for (let id = 3; id < most; id++) chunks.push(beginning(id, VIDEO, 1, 60_000, Buffer.alloc(128)));
        stranger.send(...chunks);
        if (most > 64) await stranger.thrownOut(`${most} messages begun and none finished`);
        else await stranger.done();
      }
    },
  },
  {
    name: 'mutated_session',
    async run(town) {
      const captures = readCaptures().map(({ bytes }) => bytes.subarray(0, 24 << 10));
      const dialogues = captures.map((bytes) => bytes.subarray(HANDSHAKE.length));
      await town.crowd(2_400, 60, async (index) => {
        const stranger = town.stranger();
        // mostly behind a handshake that is right
        if (index % 8 === 0) stranger.send(mutate(captures, town.random));
        else stranger.send(HANDSHAKE, mutate(dialogues, town.random));
        await stranger.done();
      });
    },
  },
  {
    name: 'abort_and_interleave',
    async run(town) {
      const stranger = await town.insider();
      const body = avcBody('key', 3_000, 0, 7);
      const other = avcBody('key', 900, 0, 8);
      const player = await town.client('play', 'free', 'patchwork').begun();
      stranger.send(commandBytes(1, ['publish', 0, null, 'patchwork']));
      await stranger.hears('NetStream.Publish.Start');
      stranger.send(messageBytes(VIDEO, 1, avcBody('config')));
      // begun, given up, begun again; another message in the middle of it; every second byte in a packet of its own
      const whole = messageBytes(VIDEO, 1, body, 40, 6);
      const cut = 1 + 11 + 128 + 1 + 128;
      const pieces = [
        whole.subarray(0, cut),
        control(ABORT, 6),
        whole.subarray(0, cut),
        messageBytes(VIDEO, 1, other, 40, 7),
        whole.subarray(cut),
        messageBytes(VIDEO, 1, other, 80, 65_599),
      ];
      for (const byte of Buffer.concat(pieces)) stranger.socket.write(Buffer.of(byte));
      const pictures = () => player.received.filter(({ typeId, body: bytes }) => typeId === VIDEO && bytes[1] === 1);
      await until('all three pictures arrive', () => pictures().length === 3);
      assert.deepEqual(
        pictures().map(({ body: bytes, timestamp }) => [timestamp, bytes.length]),
        [
          [40, other.length],
          [40, body.length],
          [80, other.length],
        ],
      );
      assert.ok(pictures()[1]!.body.equals(body));
      await player.leave();
      await stranger.done();
    },
  },
];
