import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import type { Frame } from '../../src/media/frame.ts';
import { FlvReader, flvFromFrame } from '../../src/rtmp/flv.ts';
import { MAX_CONFIG_BYTES } from '../../src/rtmp/flv-frame.ts';
import { AAC_CONFIG, AVC_CONFIG, aacBody, avcBody, frame } from '../helpers/frames.ts';

const LEGACY_ONLY = { fourCc: new Set<string>(), multitrack: false };
/** Hexadecimal with blanks. */
const bytes = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

const VIDEO = 9;
const AUDIO = 8;

interface Row {
  readonly name: string;
  readonly typeId: number;
  readonly body: string;
  readonly frame: Pick<Frame, 'role' | 'codec'> & { readonly cts?: number; readonly data: string };
  /** A form that we read and would write otherwise. */
  readonly readOnly?: true;
}

const rows: Row[] = [
  {
    name: 'AVC configuration',
    typeId: VIDEO,
    body: '1700000000 0164',
    frame: { role: 'config', codec: 'h264', data: '0164' },
  },
  {
    name: 'AVC key frame',
    typeId: VIDEO,
    body: '1701000000 6588',
    frame: { role: 'key', codec: 'h264', data: '6588' },
  },
  {
    name: 'AVC inter frame shown 80 ms later',
    typeId: VIDEO,
    body: '2701000050 4188',
    frame: { role: 'delta', codec: 'h264', cts: 80, data: '4188' },
  },
  {
    name: 'AVC inter frame shown earlier than decoded',
    typeId: VIDEO,
    body: '2701ffffd8 4188',
    frame: { role: 'delta', codec: 'h264', cts: -40, data: '4188' },
  },
  {
    name: 'AVC, the largest composition time',
    typeId: VIDEO,
    body: '27017fffff 41',
    frame: { role: 'delta', codec: 'h264', cts: 8_388_607, data: '41' },
  },
  {
    name: 'AVC disposable frame',
    typeId: VIDEO,
    body: '3701000000 01',
    frame: { role: 'delta', codec: 'h264', data: '01' },
    readOnly: true,
  },
  {
    name: 'AVC generated key frame',
    typeId: VIDEO,
    body: '4701000000 65',
    frame: { role: 'key', codec: 'h264', data: '65' },
    readOnly: true,
  },
  {
    name: 'AVC configuration in an inter frame',
    typeId: VIDEO,
    body: '2700000000 01',
    frame: { role: 'config', codec: 'h264', data: '01' },
    readOnly: true,
  },
  {
    name: 'AVC end of sequence',
    typeId: VIDEO,
    body: '1702000000',
    frame: { role: 'delta', codec: 'other', data: '' },
    readOnly: true,
  },
  {
    name: 'AVC end of sequence without composition time',
    typeId: VIDEO,
    body: '1702',
    frame: { role: 'delta', codec: 'other', data: '' },
    readOnly: true,
  },
  {
    name: 'AVC packet type of the future',
    typeId: VIDEO,
    body: '1709000000 aa',
    frame: { role: 'delta', codec: 'other', data: 'aa' },
    readOnly: true,
  },
  {
    name: 'AVC picture of nothing',
    typeId: VIDEO,
    body: '1701000000',
    frame: { role: 'delta', codec: 'other', data: '' },
    readOnly: true,
  },
  {
    name: 'AVC configuration of nothing',
    typeId: VIDEO,
    body: '1700000000',
    frame: { role: 'delta', codec: 'other', data: '' },
    readOnly: true,
  },
  {
    name: 'HEVC configuration by codec id',
    typeId: VIDEO,
    body: '1c00000000 0101',
    frame: { role: 'config', codec: 'hevc', data: '0101' },
    readOnly: true,
  },
  {
    name: 'HEVC picture by codec id',
    typeId: VIDEO,
    body: '2c01000028 0201',
    frame: { role: 'delta', codec: 'hevc', cts: 40, data: '0201' },
    readOnly: true,
  },
  {
    name: 'Sorenson key frame',
    typeId: VIDEO,
    body: '12 0000',
    frame: { role: 'key', codec: 'flv1', data: '0000' },
  },
  {
    name: 'Sorenson inter frame',
    typeId: VIDEO,
    body: '22 0001',
    frame: { role: 'delta', codec: 'flv1', data: '0001' },
  },
  {
    name: 'VP6 key frame',
    typeId: VIDEO,
    body: '14 00aa',
    frame: { role: 'key', codec: 'other', data: '00aa' },
    readOnly: true,
  },
  {
    name: 'seek command',
    typeId: VIDEO,
    body: '5701',
    frame: { role: 'delta', codec: 'other', data: '01' },
    readOnly: true,
  },
  {
    name: 'command of one byte',
    typeId: VIDEO,
    body: '57',
    frame: { role: 'delta', codec: 'other', data: '' },
    readOnly: true,
  },
  {
    name: 'AAC configuration',
    typeId: AUDIO,
    body: 'af00 1210',
    frame: { role: 'config', codec: 'aac', data: '1210' },
  },
  { name: 'AAC unit', typeId: AUDIO, body: 'af01 2112', frame: { role: 'delta', codec: 'aac', data: '2112' } },
  {
    name: 'AAC unit with other sound bits',
    typeId: AUDIO,
    body: 'a201 21',
    frame: { role: 'delta', codec: 'aac', data: '21' },
    readOnly: true,
  },
  {
    name: 'AAC packet type of the future',
    typeId: AUDIO,
    body: 'af02 21',
    frame: { role: 'delta', codec: 'other', data: '21' },
    readOnly: true,
  },
  {
    name: 'AAC unit of nothing',
    typeId: AUDIO,
    body: 'af01',
    frame: { role: 'delta', codec: 'other', data: '' },
    readOnly: true,
  },
  { name: 'MP3', typeId: AUDIO, body: '2f fffb90', frame: { role: 'delta', codec: 'mp3', data: 'fffb90' } },
  { name: 'MP3 at 8 kHz', typeId: AUDIO, body: 'e2 ffe3', frame: { role: 'delta', codec: 'mp3', data: 'ffe3' } },
  { name: 'G.711 A-law', typeId: AUDIO, body: '72 d5d5', frame: { role: 'delta', codec: 'g711a', data: 'd5d5' } },
  { name: 'G.711 mu-law', typeId: AUDIO, body: '82 ffff', frame: { role: 'delta', codec: 'g711u', data: 'ffff' } },
  { name: 'Speex', typeId: AUDIO, body: 'b6 3054', frame: { role: 'delta', codec: 'speex', data: '3054' } },
  {
    name: 'PCM, stereo',
    typeId: AUDIO,
    body: '3f 00010203',
    frame: { role: 'delta', codec: 'pcm', data: '00010203' },
  },
  {
    name: 'PCM, platform endian',
    typeId: AUDIO,
    body: '0e 0001',
    frame: { role: 'delta', codec: 'pcm', data: '0001' },
  },
  {
    name: 'Opus as format 13',
    typeId: AUDIO,
    body: 'd3 fc00',
    frame: { role: 'delta', codec: 'opus', data: 'fc00' },
    readOnly: true,
  },
  {
    name: 'Nellymoser',
    typeId: AUDIO,
    body: '62 aabb',
    frame: { role: 'delta', codec: 'other', data: 'aabb' },
    readOnly: true,
  },
];

for (const { name, typeId, body, frame: expected, readOnly } of rows) {
  test(`FLV tag${readOnly ? '' : ' both ways'}: ${name}`, () => {
    const message = bytes(body);
    const read = new FlvReader().frameFromFlv(typeId, 1000, message);
    assert.ok(read);
    const { kind, role, codec, dts, pts, data, track, config } = read;
    assert.equal(kind, typeId === VIDEO ? 'video' : 'audio');
    assert.deepEqual({ role, codec, data: data.toString('hex'), cts: (pts - dts) / 1000 }, { cts: 0, ...expected });
    assert.equal(dts, 1_000_000);
    assert.equal(track, 0);
    assert.deepEqual([read.typeId, read.millis, read.body], [typeId, 1000, message]);
    if (readOnly) return;
    const written = flvFromFrame({ kind, role, codec, dts, pts, data, track, config }, LEGACY_ONLY);
    assert.deepEqual(written, { typeId, millis: 1000, body: message });
  });
}

const broken: [string, number, string][] = [
  ['AVC tag of one byte', VIDEO, '17'],
  ['AVC tag without its composition time', VIDEO, '17010000'],
  ['AVC configuration cut off', VIDEO, '1700'],
  ['HEVC tag of two bytes', VIDEO, '2c01'],
  ['AAC tag of one byte', AUDIO, 'af'],
];

for (const [name, typeId, body] of broken) {
  test(`a fault of the peer: ${name}`, () => {
    assert.throws(
      () => new FlvReader().frameFromFlv(typeId, 0, bytes(body)),
      (error) => error instanceof PeerError && error.code === 'rtmp/flv',
    );
  });
}

test('an empty message and one that is no media yield nothing', () => {
  const reader = new FlvReader();
  for (const typeId of [AUDIO, VIDEO, 15, 18]) assert.equal(reader.frameFromFlv(typeId, 0, Buffer.alloc(0)), undefined);
  assert.equal(reader.frameFromFlv(20, 0, Buffer.of(2, 0, 0)), undefined);
});

test('data is a view into the message, and the message is relayed as the same object', () => {
  const body = avcBody('key');
  const read = new FlvReader().frameFromFlv(VIDEO, 0, body);
  assert.equal(read?.body, body);
  assert.equal(read?.data.buffer, body.buffer);
  assert.equal(read?.data.byteOffset, body.byteOffset + 5);
  assert.equal(flvFromFrame(read!, LEGACY_ONLY), read);
});

test('a configuration owns its bytes, and no more', () => {
  const slab = Buffer.alloc(1 << 20);
  avcBody('config').copy(slab, 1000);
  const body = slab.subarray(1000, 1000 + 5 + AVC_CONFIG.length);
  const read = new FlvReader().frameFromFlv(VIDEO, 0, body);
  slab.fill(0);
  assert.deepEqual(read?.data, AVC_CONFIG);
  assert.equal(read?.data.buffer.byteLength, 5 + AVC_CONFIG.length);
  assert.equal(read?.data.buffer, read?.body.buffer);
});

test('a configuration is bounded', () => {
  const reader = new FlvReader();
  const largest = Buffer.alloc(MAX_CONFIG_BYTES);
  Buffer.from('1700000000', 'hex').copy(largest);
  assert.equal(reader.frameFromFlv(VIDEO, 0, largest)?.role, 'config');
  const tooLarge = Buffer.concat([largest, Buffer.of(0)]);
  assert.throws(() => reader.frameFromFlv(VIDEO, 0, tooLarge), PeerError);
});

test('a frame knows the configuration in force for its kind and codec', () => {
  const reader = new FlvReader();
  assert.equal(reader.frameFromFlv(VIDEO, 0, avcBody('key'))?.config, undefined);
  const video = reader.frameFromFlv(VIDEO, 0, avcBody('config'));
  const audio = reader.frameFromFlv(AUDIO, 0, aacBody('config'));
  assert.equal(reader.frameFromFlv(VIDEO, 0, avcBody('key'))?.config, video);
  assert.equal(reader.frameFromFlv(AUDIO, 0, aacBody('delta'))?.config, audio);
  assert.deepEqual(audio?.data, AAC_CONFIG);
  const second = reader.frameFromFlv(VIDEO, 0, avcBody('config'));
  assert.equal(reader.frameFromFlv(VIDEO, 0, avcBody('delta'))?.config, second);
  // another codec, whose configuration never came
  assert.equal(reader.frameFromFlv(VIDEO, 0, Buffer.from('1c0100000001', 'hex'))?.config, undefined);
  assert.equal(reader.frameFromFlv(AUDIO, 0, Buffer.of(0x72, 1))?.config?.codec, 'g711a');
  // an empty one displaces nothing
  reader.frameFromFlv(VIDEO, 0, Buffer.from('1700000000', 'hex'));
  assert.equal(reader.frameFromFlv(VIDEO, 0, avcBody('delta'))?.config, second);
});

test('timestamps beyond 32 bits are kept', () => {
  const millis = 2 ** 32 + 40;
  const read = new FlvReader().frameFromFlv(VIDEO, millis, avcBody('delta', 64, 80));
  assert.equal(read?.dts, millis * 1000);
  assert.equal(read?.pts, (millis + 80) * 1000);
});

test('frames from elsewhere are written once for all players', () => {
  const key = frame('video', 'key', 1000);
  assert.equal(flvFromFrame(key, LEGACY_ONLY), flvFromFrame(key, { fourCc: new Set(['*']), multitrack: true }));
});

/** Audio without a sound byte: what FLV demands, or what the data says. */
const defaults: [Frame['codec'], string, string | undefined][] = [
  ['g711a', 'd5', '72d5'],
  ['g711u', 'ff', '82ff'],
  ['speex', '30', 'b230'],
  ['mp3', 'fffb90c4', '2efffb90c4'],
  ['mp3', 'fff36044', '2bfff36044'],
  ['mp3', 'ffe318c4', 'e2ffe318c4'],
  ['mp3', '000000', undefined],
  ['pcm', '0001', undefined],
];

for (const [codec, data, body] of defaults) {
  test(`${codec} of ${data} without a configuration is written as ${body}`, () => {
    const unit = frame('audio', 'delta', 20, { codec, data: Buffer.from(data, 'hex') });
    assert.equal(flvFromFrame(unit, LEGACY_ONLY)?.body.toString('hex'), body);
  });
}

test('what RTMP has no message for is not written', () => {
  const sound = frame('audio', 'config', 0, { codec: 'mp3', data: Buffer.of(0x2f) });
  const all = { fourCc: new Set(['*']), multitrack: true };
  assert.equal(flvFromFrame(sound, all), undefined);
  assert.equal(flvFromFrame(frame('video', 'key', 0, { codec: 'other' }), all), undefined);
  assert.equal(flvFromFrame(frame('data', 'delta', 0, { codec: 'other' }), all), undefined);
});

test('composition times that FLV has no room for are cut', () => {
  const late = { ...frame('video', 'delta', 0), pts: 1e13 };
  assert.equal(flvFromFrame(late, LEGACY_ONLY)?.body.readIntBE(2, 3), 0x7f_ffff);
});
