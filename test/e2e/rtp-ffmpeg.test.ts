/**
 * Real media by RTP: what ffmpeg cuts into packets comes back as the packets of its file, and what we cut ffmpeg decodes to the same
 * pictures and sound.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AudioCodec, Frame, VideoCodec } from '../../src/media/frame.ts';
import type { AccessUnit } from '../../src/webrtc/rtp.ts';
import { RtpClock } from '../../src/webrtc/rtp-clock.ts';
import { depacketizerOf, rtpFormatOf } from '../../src/webrtc/rtp-formats.ts';
import { RTP_HEADER_BYTES, readRtpHeader, writeRtpHeader } from '../../src/webrtc/rtp-header.ts';
import { contentsOf, type Packet, readMedia } from '../helpers/ffmpeg.ts';
import { Program, run } from '../helpers/program.ts';
import { rtpCodec } from '../helpers/rtp.ts';

const SECONDS = 2;
const PAYLOAD_TYPE = 96;
const MAX_SIZE = 1188;
/** A live stream has no start to skip: 312 samples of two channels more than the file. */
const OPUS_PRE_SKIP_BYTES = 312 * 4;

interface Medium {
  readonly codec: VideoCodec | AudioCodec;
  readonly suffix: string;
  readonly encode: string;
}

const PICTURE = `-f lavfi -i testsrc2=size=640x360:rate=25 -t ${SECONDS} -pix_fmt yuv420p`;
const SOUND = `-f lavfi -i sine=frequency=440:sample_rate=48000 -t ${SECONDS} -ac 2`;
const MEDIA: readonly Medium[] = [
  {
    codec: 'h264',
    suffix: 'mp4',
    encode: `${PICTURE} -c:v libx264 -preset veryfast -bf 0 -g 25 -x264-params slices=3`,
  },
  {
    codec: 'hevc',
    suffix: 'mp4',
    encode: `${PICTURE} -c:v libx265 -preset ultrafast -x265-params log-level=none:info=0 -bf 0 -g 25 -tag:v hvc1`,
  },
  { codec: 'vp8', suffix: 'ivf', encode: `${PICTURE} -c:v libvpx -deadline realtime -cpu-used 8 -b:v 2M -g 25` },
  { codec: 'vp9', suffix: 'ivf', encode: `${PICTURE} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 2M -g 25` },
  { codec: 'opus', suffix: 'ogg', encode: `${SOUND} -c:a libopus -b:a 64k` },
  { codec: 'g711u', suffix: 'wav', encode: `${SOUND} -ac 1 -ar 8000 -c:a pcm_mulaw` },
];

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'castgate-rtp-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function bound(t: TestContext): Promise<Socket> {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** What ffmpeg sends of `file` at its own pace, put together. */
async function unitsFromFfmpeg(t: TestContext, medium: Medium, file: string): Promise<AccessUnit[]> {
  const socket = await bound(t);
  const packets: Buffer[] = [];
  socket.on('message', (bytes) => packets.push(bytes));
  const sdp = `${file}.sdp`;
  const target = `rtp://127.0.0.1:${socket.address().port}?rtcpport=9&pkt_size=1200`;
  const words = ['-v', 'error', '-re', '-i', file, '-c', 'copy', '-strict', 'experimental', '-f', 'rtp'];
  await run(t, 'ffmpeg', [...words, '-sdp_file', sdp, target]);
  for (let seen = -1; seen !== packets.length; await sleep(100)) seen = packets.length;
  const parameters = [...readFileSync(sdp, 'utf8').matchAll(/(sprop-[a-z-]+)=([^;\s]+)/g)];
  const channels = medium.codec === 'opus' ? 2 : 1;
  const codec = rtpCodec(medium.codec, {
    channels,
    parameters: new Map(parameters.map(([, name, value]) => [name!, value!])),
  });
  const depacketizer = depacketizerOf(codec)!;
  const units: AccessUnit[] = [];
  const firstSequence = packets[0]!.readUInt16BE(2);
  for (const [index, bytes] of packets.entries()) {
    const header = readRtpHeader(bytes);
    assert.ok(header, 'a whole packet');
    assert.equal(header.sequence, (firstSequence + index) & 0xffff, 'none lost on the way');
    const payload = bytes.subarray(header.payloadStart, header.payloadEnd);
    units.push(...depacketizer.push({ ...header, payload }, false));
  }
  assert.equal(depacketizer.broken, false);
  return units;
}

/** Decodes to pictures or samples; ffmpeg runs until the answer is called for them. */
function decode(t: TestContext, kind: string, input: readonly string[], output: string): () => Promise<Buffer> {
  const form = kind === 'video' ? ['-fps_mode', 'passthrough', '-f', 'rawvideo'] : ['-f', 's16le'];
  const program = new Program(t, 'ffmpeg', ['-nostdin', '-v', 'error', ...input, ...form, output]);
  return async () => {
    const { stderr } = await program.success();
    assert.equal(stderr, '');
    return readFileSync(output);
  };
}

async function isListening(port: number): Promise<void> {
  const inHex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  while (!readFileSync('/proc/net/udp', 'utf8').includes(inHex)) await sleep(20);
}

/** The sound in a file, which ends with it. */
function wholeOf(source: readonly Packet[], file: string): Buffer {
  return readFileSync(file).subarray(-source.reduce((sum, { size }) => sum + size, 0));
}

function md5(data: Buffer): string {
  return createHash('md5').update(data).digest('hex');
}

/** An address for RTP whose next port is left for RTCP. */
async function freePort(): Promise<number> {
  for (;;) {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    await new Promise<void>((resolve) => socket.close(resolve));
    if (port % 2 === 0) return port;
  }
}

/** Sends units by our packetizer, three times as fast as they were made, over the wraps of timestamp and sequence number. */
async function send(t: TestContext, medium: Medium, units: readonly AccessUnit[], port: number): Promise<void> {
  const { packetize, clockRate, kind } = rtpFormatOf(medium.codec)!;
  const socket = await bound(t);
  const clock = new RtpClock(clockRate, 0xffff_0000);
  const start = clock.timestamp(0);
  let config: Frame | undefined;
  let sequence = 65_500;
  for (const { timestamp, key, data, config: next } of units) {
    const facts = { kind, codec: medium.codec, dts: 0, pts: 0, track: 0 } as const;
    if (next !== undefined) config = { ...facts, role: 'config', data: next, size: next.length };
    const frame: Frame = { ...facts, role: key ? 'key' : 'delta', data, size: data.length, config };
    for (const { parts, size, marker } of packetize(frame, MAX_SIZE)) {
      const packet = Buffer.alloc(RTP_HEADER_BYTES + size);
      const fields = { marker, payloadType: PAYLOAD_TYPE, sequence, timestamp: (start + timestamp) >>> 0, ssrc: 7 };
      let end = writeRtpHeader(packet, 0, fields);
      for (const part of parts) end += part.copy(packet, end);
      socket.send(packet, port, '127.0.0.1');
      sequence = (sequence + 1) & 0xffff;
    }
    await sleep(1000 * (SECONDS / 3 / units.length));
  }
}

for (const medium of MEDIA) {
  test(`${medium.codec} from ffmpeg, and back to it`, async (t) => {
    const file = join(scratch(t), `source.${medium.suffix}`);
    await run(t, 'ffmpeg', ['-v', 'error', ...medium.encode.split(' '), file]);
    const source = contentsOf((await readMedia(t, file).success()).stdout).packets[0]!;
    const units = await unitsFromFfmpeg(t, medium, file);
    // a file of G.711 has no packets of its own
    const data =
      medium.codec === 'g711u' ? [Buffer.concat(units.map((unit) => unit.data))] : units.map((unit) => unit.data);
    const expected = medium.codec === 'g711u' ? [md5(wholeOf(source, file))] : source.map(({ hash }) => hash);
    assert.deepEqual(data.map(md5), expected);
    const { encoding, clockRate, kind } = rtpFormatOf(medium.codec)!;
    const port = await freePort();
    const sdp = join(scratch(t), 'ours.sdp');
    const rate = medium.codec === 'opus' ? `${clockRate}/2` : clockRate;
    const lines = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
    lines.push(`m=${kind} ${port} RTP/AVP ${PAYLOAD_TYPE}`, `a=rtpmap:${PAYLOAD_TYPE} ${encoding}/${rate}`, '');
    writeFileSync(sdp, lines.join('\r\n'));
    // ffmpeg hears no end: it stops when it has enough, and the last ones may wait in its queues
    const wanted = units.length - 4;
    const opened = ['-protocol_whitelist', 'file,udp,rtp', '-i', sdp, '-frames', String(wanted)];
    const playing = decode(t, kind, opened, join(scratch(t), 'ours'));
    await isListening(port);
    await send(t, medium, units, port);
    const ours = await playing();
    const theirs = await decode(t, kind, ['-i', file], join(scratch(t), 'theirs'))();
    const skipped = medium.codec === 'opus' ? OPUS_PRE_SKIP_BYTES : 0;
    const both = Math.min(ours.length - skipped, theirs.length);
    assert.ok(both > theirs.length / 2, `${both} bytes of ${theirs.length}`);
    assert.ok(ours.subarray(skipped, skipped + both).equals(theirs.subarray(0, both)), 'the same pictures, or sound');
  });
}
