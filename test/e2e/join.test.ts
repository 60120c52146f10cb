/**
 * Who comes late sees a picture at once: metadata and configurations first, then everything since the last key frame.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { startCastgate } from '../helpers/castgate.ts';
import { contentsOf, makeMedia, publish } from '../helpers/ffmpeg.ts';
import { aacBody, avcBody, metadataBody } from '../helpers/frames.ts';
import { LightClient } from '../helpers/light-client.ts';
import { run, until } from '../helpers/program.ts';

const DATA = 18;
const VIDEO = 9;
const AUDIO = 8;

interface TrackView {
  readonly codec: string;
  readonly width?: number;
  readonly height?: number;
}

test('a late player gets metadata, configurations and the whole group of pictures, while nothing more is published', async (t) => {
  const server = await startCastgate(t);
  const app = server.url('live');
  const publisher = await new LightClient(t, 'publish', app, 'show').begun();
  const metadata = metadataBody({ width: 64, height: 36, title: 'late' });
  const group = Array.from({ length: 30 }, (_, n) => avcBody(n === 0 ? 'key' : 'delta', 500 + n, 0, n));
  publisher.write(DATA, 0, metadata);
  publisher.write(VIDEO, 0, avcBody('config'));
  publisher.write(AUDIO, 0, aacBody('config'));
  publisher.write(VIDEO, 0, avcBody('key', 400, 0, 99));
  publisher.write(VIDEO, 40, avcBody('delta', 300, 0, 98));
  for (const [n, body] of group.entries()) publisher.write(VIDEO, 80 + 40 * n, body);
  // it has all arrived once a player that came later has seen the last
  const bodies = [metadata, avcBody('config'), aacBody('config'), ...group];
  for (const name of ['first', 'second']) {
    const player = await new LightClient(t, 'play', app, 'show').begun();
    const media = () => player.received.filter(({ body }) => !body.includes('RtmpSampleAccess'));
    await until(`the ${name} player has it all`, () => media().length >= bodies.length);
    assert.deepEqual(
      media().map(({ body }) => body),
      bodies,
    );
  }
  await server.stop();
});

test('ffmpeg decodes a picture in the middle of a show, and the first one is a key frame', async (t) => {
  const server = await startCastgate(t);
  const url = server.url('live/show');
  publish(t, await makeMedia(t, 'h264-bframes-aac', { seconds: 60 }), url, '-re');
  await until('the show is between key frames', async () => {
    const [stream] = await server.api<{ uptimeSeconds: number }[]>('/v1/streams');
    return stream !== undefined;
  });
  const probe = [
    '-v',
    'error',
    '-analyzeduration',
    '500000',
    '-select_streams',
    'v',
    '-read_intervals',
    '%+#1',
    '-of',
    'csv=p=0',
  ];
  const { stdout } = await run(t, 'ffprobe', [...probe, '-show_entries', 'frame=key_frame,pict_type', url]);
  assert.match(stdout, /^1,I/);
  const { stdout: picture } = await run(t, 'ffmpeg', [
    ...['-v', 'error', '-i', url, '-map', '0:v', '-frames:v', '1', '-f', 'framehash', '-'],
  ]);
  assert.match(picture, /dimensions 0: 320x180/);
  await server.stop();
});

/** ffmpeg 5.1 puts no HEVC into FLV; here a light publisher does, in the enhanced and in the older form. */
for (const form of ['enhanced', 'codec id 12'] as const) {
  test(`HEVC, ${form}, arrives as it was and is described`, async (t) => {
    const server = await startCastgate(t);
    const file = await makeMedia(t, 'hevc-aac', { suffix: 'mp4', seconds: 2 });
    const { config, pictures } = await hevcOf(t, file);
    const app = server.url('live');
    const player = await new LightClient(t, 'play', app, 'hevc', { enhanced: true }).begun();
    const publisher = await new LightClient(t, 'publish', app, 'hevc', { enhanced: true }).begun();
    const sent = [
      hevcBody(form, 'config', 0, config),
      ...pictures.map(({ key, cts, bytes }) => hevcBody(form, key ? 'key' : 'delta', cts, bytes)),
    ];
    for (const [n, body] of sent.entries()) publisher.write(VIDEO, Math.max(0, n - 1) * 40, body);
    const video = () => player.received.filter(({ typeId }) => typeId === VIDEO).map(({ body }) => body);
    await until('all pictures arrive', () => video().length >= sent.length);
    assert.deepEqual(video(), sent);

    const [stream] = await server.api<{ tracks: TrackView[] }[]>('/v1/streams');
    const track = stream?.tracks[0];
    assert.deepEqual([track?.codec, track?.width, track?.height], ['hevc', 320, 180]);

    const received = `${file}.h265`;
    const header = form === 'enhanced' ? 8 : 5;
    writeFileSync(
      received,
      annexB([
        parameterSets(config),
        ...video()
          .slice(1)
          .map((body) => body.subarray(header)),
      ]),
    );
    assert.deepEqual(await decoded(t, received), await decoded(t, file));
    await server.stop();
  });
}

/** HEVCDecoderConfigurationRecord and pictures of an MP4 file. */
async function hevcOf(t: TestContext, file: string) {
  const bytes = readFileSync(file);
  const box = bytes.indexOf('hvcC');
  const config = bytes.subarray(box + 4, box - 4 + bytes.readUInt32BE(box - 4));
  const entries = ['-show_entries', 'packet=pts_time,dts_time,pos,size,flags', '-of', 'json'];
  const { stdout } = await run(t, 'ffprobe', ['-v', 'error', '-select_streams', 'v', ...entries, file]);
  const { packets } = JSON.parse(stdout) as { packets: Record<string, string>[] };
  assert.ok(packets.length > 20);
  return {
    config,
    pictures: packets.map(({ pts_time, dts_time, pos, size, flags }) => ({
      key: flags!.startsWith('K'),
      cts: Math.round((Number(pts_time) - Number(dts_time)) * 1000),
      bytes: bytes.subarray(Number(pos), Number(pos) + Number(size)),
    })),
  };
}

function hevcBody(
  form: 'enhanced' | 'codec id 12',
  role: 'config' | 'key' | 'delta',
  cts: number,
  bytes: Buffer,
): Buffer {
  const frameType = role === 'delta' ? 2 : 1;
  const composition = Buffer.alloc(3);
  composition.writeIntBE(cts, 0, 3);
  if (form === 'codec id 12') {
    return Buffer.concat([Buffer.of((frameType << 4) | 12, role === 'config' ? 0 : 1), composition, bytes]);
  }
  const [packetType, time] = role === 'config' ? [0, Buffer.alloc(0)] : [1, composition];
  return Buffer.concat([Buffer.of(0x80 | (frameType << 4) | packetType), Buffer.from('hvc1'), time, bytes]);
}

/** The parameter sets of a configuration record, each behind its length of four bytes. */
function parameterSets(config: Buffer): Buffer {
  const sets: Buffer[] = [];
  let at = 23;
  for (let arrays = config[22]!; arrays > 0; arrays--) {
    const count = config.readUInt16BE(at + 1);
    at += 3;
    for (let n = 0; n < count; n++) {
      const length = config.readUInt16BE(at);
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(length);
      sets.push(prefix, config.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return Buffer.concat(sets);
}

function annexB(samples: readonly Buffer[]): Buffer {
  const units: Buffer[] = [];
  for (const sample of samples) {
    for (let at = 0; at < sample.length; at += 4 + sample.readUInt32BE(at)) {
      units.push(Buffer.of(0, 0, 0, 1), sample.subarray(at + 4, at + 4 + sample.readUInt32BE(at)));
    }
  }
  return Buffer.concat(units);
}

async function decoded(t: TestContext, file: string): Promise<string[]> {
  const { stdout } = await run(t, 'ffmpeg', ['-v', 'error', '-i', file, '-map', '0:v', '-f', 'framehash', '-']);
  return contentsOf(stdout).packets[0]!.map(({ hash }) => hash);
}
