import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import type { Frame } from '../../src/media/frame.ts';
import { FlvReader, flvFromFrame } from '../../src/rtmp/flv.ts';
import { frame } from '../helpers/frames.ts';

const ALL = { fourCc: new Set(['*']), multitrack: true };
/** Hexadecimal with blanks. */
const bytes = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

const VIDEO = 9;
const AUDIO = 8;

const fourCc = (name: string) => Buffer.from(name, 'latin1').toString('hex');

interface Row {
  readonly name: string;
  readonly typeId: number;
  readonly body: string;
  readonly frame: {
    readonly role: Frame['role'];
    readonly codec: Frame['codec'];
    readonly data: string;
    readonly cts?: number;
    readonly nanos?: number;
    readonly track?: number;
  };
  readonly readOnly?: true;
}

const hvc1 = fourCc('hvc1');
const av01 = fourCc('av01');
const opus = fourCc('Opus');

const rows: Row[] = [
  {
    name: 'HEVC configuration',
    typeId: VIDEO,
    body: `90${hvc1}0101`,
    frame: { role: 'config', codec: 'hevc', data: '0101' },
  },
  {
    name: 'HEVC key frame with composition time',
    typeId: VIDEO,
    body: `91${hvc1}0000502601`,
    frame: { role: 'key', codec: 'hevc', cts: 80, data: '2601' },
  },
  {
    name: 'HEVC inter frame with negative composition time',
    typeId: VIDEO,
    body: `a1${hvc1}ffffd80201`,
    frame: { role: 'delta', codec: 'hevc', cts: -40, data: '0201' },
  },
  {
    name: 'HEVC without composition time',
    typeId: VIDEO,
    body: `a3${hvc1}0201`,
    frame: { role: 'delta', codec: 'hevc', data: '0201' },
  },
  {
    name: 'VVC key frame with composition time',
    typeId: VIDEO,
    body: `91${fourCc('vvc1')}00002800`,
    frame: { role: 'key', codec: 'vvc', cts: 40, data: '00' },
  },
  {
    name: 'AV1 configuration',
    typeId: VIDEO,
    body: `90${av01}8100`,
    frame: { role: 'config', codec: 'av1', data: '8100' },
  },
  { name: 'AV1 key frame', typeId: VIDEO, body: `91${av01}0a0b`, frame: { role: 'key', codec: 'av1', data: '0a0b' } },
  {
    name: 'AV1 without composition time, said twice',
    typeId: VIDEO,
    body: `a3${av01}32`,
    frame: { role: 'delta', codec: 'av1', data: '32' },
    readOnly: true,
  },
  { name: 'VP9', typeId: VIDEO, body: `a1${fourCc('vp09')}86`, frame: { role: 'delta', codec: 'vp9', data: '86' } },
  { name: 'VP8', typeId: VIDEO, body: `91${fourCc('vp08')}10`, frame: { role: 'key', codec: 'vp8', data: '10' } },
  {
    name: 'AVC',
    typeId: VIDEO,
    body: `a1${fourCc('avc1')}00002841`,
    frame: { role: 'delta', codec: 'h264', cts: 40, data: '41' },
    readOnly: true,
  },
  {
    name: 'end of sequence',
    typeId: VIDEO,
    body: `92${hvc1}`,
    frame: { role: 'delta', codec: 'other', data: '' },
    readOnly: true,
  },
  {
    name: 'colour facts',
    typeId: VIDEO,
    body: `94${hvc1}020009636f6c6f72496e666f`,
    frame: { role: 'config', codec: 'metadata', data: '020009636f6c6f72496e666f' },
    readOnly: true,
  },
  {
    name: 'colour facts in a command frame, whose type does not count',
    typeId: VIDEO,
    body: `d4${hvc1}0200`,
    frame: { role: 'config', codec: 'metadata', data: '0200' },
    readOnly: true,
  },
  {
    name: 'AV1 configuration in the manner of MPEG-2 TS',
    typeId: VIDEO,
    body: `95${av01}8081`,
    frame: { role: 'config', codec: 'other', data: '8081' },
    readOnly: true,
  },
  {
    name: 'configuration of an unknown codec',
    typeId: VIDEO,
    body: `90${fourCc('xxxx')}01`,
    frame: { role: 'config', codec: 'other', data: '01' },
    readOnly: true,
  },
  {
    name: 'key frame of an unknown codec',
    typeId: VIDEO,
    body: `91${fourCc('xxxx')}000001`,
    frame: { role: 'key', codec: 'other', data: '000001' },
    readOnly: true,
  },
  {
    name: 'packet type of the future',
    typeId: VIDEO,
    body: `9f${hvc1}aa`,
    frame: { role: 'delta', codec: 'other', data: 'aa' },
    readOnly: true,
  },
  {
    name: 'seek command',
    typeId: VIDEO,
    body: 'd100',
    frame: { role: 'delta', codec: 'other', data: '00' },
    readOnly: true,
  },
  {
    name: 'a nanosecond offset',
    typeId: VIDEO,
    body: `97 0207a120 03${hvc1}0201`,
    frame: { role: 'key', codec: 'hevc', nanos: 500_000, data: '0201' },
    readOnly: true,
  },
  {
    name: 'a nanosecond offset out of range',
    typeId: VIDEO,
    body: `a7 020f4240 03${hvc1}0201`,
    frame: { role: 'delta', codec: 'hevc', data: '0201' },
    readOnly: true,
  },
  {
    name: 'a nanosecond offset too short to be one, then one that counts',
    typeId: VIDEO,
    body: `a7 0101ff07 02000001 03${hvc1}0201`,
    frame: { role: 'delta', codec: 'hevc', nanos: 1, data: '0201' },
    readOnly: true,
  },
  {
    name: 'a long modifier of another kind',
    typeId: VIDEO,
    body: `a7 ff00ff${'07'.repeat(256)} 13${hvc1}0201`,
    frame: { role: 'delta', codec: 'hevc', data: '0201' },
    readOnly: true,
  },
  {
    name: 'modifiers of nothing',
    typeId: VIDEO,
    body: `a7 0200000103`,
    frame: { role: 'delta', codec: 'other', nanos: 1, data: '' },
    readOnly: true,
  },
  {
    name: 'too many modifiers',
    typeId: VIDEO,
    body: `a7${'000007'.repeat(16)}000003${hvc1}02`,
    frame: { role: 'delta', codec: 'other', data: `000003${hvc1}02` },
    readOnly: true,
  },
  {
    name: 'second track, AVC with composition time',
    typeId: VIDEO,
    body: `a6 01${fourCc('avc1')}01 00005041`,
    frame: { role: 'delta', codec: 'h264', cts: 80, track: 1, data: '41' },
  },
  {
    name: 'second track, AVC configuration',
    typeId: VIDEO,
    body: `96 00${fourCc('avc1')}01 0164`,
    frame: { role: 'config', codec: 'h264', track: 1, data: '0164' },
  },
  {
    name: 'first track in the multitrack form',
    typeId: VIDEO,
    body: `a6 03${hvc1}00 0201`,
    frame: { role: 'delta', codec: 'hevc', data: '0201' },
    readOnly: true,
  },
  {
    name: 'multitrack inside multitrack',
    typeId: VIDEO,
    body: `a6 06${hvc1}00`,
    frame: { role: 'delta', codec: 'other', data: `${hvc1}00` },
    readOnly: true,
  },
  {
    name: 'multitrack layout of the future',
    typeId: VIDEO,
    body: `a6 31${hvc1}00`,
    frame: { role: 'delta', codec: 'other', data: `${hvc1}00` },
    readOnly: true,
  },
  {
    name: 'more tracks than anybody has',
    typeId: VIDEO,
    body: `a6 13${hvc1}${'0000000102'.repeat(17)}`,
    frame: { role: 'delta', codec: 'other', data: '0000000102' },
    readOnly: true,
  },
  { name: 'Opus header', typeId: AUDIO, body: `90${opus}4f70`, frame: { role: 'config', codec: 'opus', data: '4f70' } },
  {
    name: 'Opus header of nothing',
    typeId: AUDIO,
    body: `90${opus}`,
    frame: { role: 'config', codec: 'opus', data: '' },
  },
  { name: 'Opus', typeId: AUDIO, body: `91${opus}fc00`, frame: { role: 'delta', codec: 'opus', data: 'fc00' } },
  {
    name: 'FLAC',
    typeId: AUDIO,
    body: `91${fourCc('fLaC')}fff8`,
    frame: { role: 'delta', codec: 'flac', data: 'fff8' },
  },
  {
    name: 'AC-3',
    typeId: AUDIO,
    body: `91${fourCc('ac-3')}0b77`,
    frame: { role: 'delta', codec: 'ac3', data: '0b77' },
  },
  {
    name: 'E-AC-3',
    typeId: AUDIO,
    body: `91${fourCc('ec-3')}0b77`,
    frame: { role: 'delta', codec: 'eac3', data: '0b77' },
  },
  {
    name: 'AAC configuration',
    typeId: AUDIO,
    body: `90${fourCc('mp4a')}1210`,
    frame: { role: 'config', codec: 'aac', data: '1210' },
    readOnly: true,
  },
  {
    name: 'MP3',
    typeId: AUDIO,
    body: `91${fourCc('.mp3')}fffb`,
    frame: { role: 'delta', codec: 'mp3', data: 'fffb' },
    readOnly: true,
  },
  {
    name: 'channel layout',
    typeId: AUDIO,
    body: `94${opus}010600003f`,
    frame: { role: 'config', codec: 'metadata', data: '010600003f' },
    readOnly: true,
  },
  {
    name: 'end of audio',
    typeId: AUDIO,
    body: `92${opus}`,
    frame: { role: 'delta', codec: 'other', data: '' },
    readOnly: true,
  },
  {
    name: 'audio packet type that only video has',
    typeId: AUDIO,
    body: `93${opus}fc`,
    frame: { role: 'delta', codec: 'other', data: 'fc' },
    readOnly: true,
  },
  {
    name: 'audio with a nanosecond offset',
    typeId: AUDIO,
    body: `97 0203d090 01${opus}fc`,
    frame: { role: 'delta', codec: 'opus', nanos: 250_000, data: 'fc' },
    readOnly: true,
  },
  {
    name: 'third audio track',
    typeId: AUDIO,
    body: `95 01${opus}02 fc00`,
    frame: { role: 'delta', codec: 'opus', track: 2, data: 'fc00' },
  },
  {
    name: 'second audio track, AAC',
    typeId: AUDIO,
    body: `95 00${fourCc('mp4a')}01 1210`,
    frame: { role: 'config', codec: 'aac', track: 1, data: '1210' },
  },
];

for (const { name, typeId, body, frame: expected, readOnly } of rows) {
  test(`enhanced tag${readOnly ? '' : ' both ways'}: ${name}`, () => {
    const message = bytes(body);
    const read = new FlvReader().frameFromFlv(typeId, 7, message);
    assert.ok(read);
    const { kind, role, codec, dts, pts, data, track } = read;
    assert.equal(kind, typeId === VIDEO ? 'video' : 'audio');
    const { cts = 0, nanos = 0 } = expected;
    assert.deepEqual({ role, codec, data: data.toString('hex') }, { ...pick(expected) });
    assert.equal(track, expected.track ?? 0);
    assert.equal(dts, 7000 + nanos / 1000);
    assert.equal(pts, dts + cts * 1000);
    assert.deepEqual(read.body, bytes(body));
    assert.equal(read.others, undefined);
    if (readOnly) return;
    const written = flvFromFrame({ kind, role, codec, dts, pts, data, track }, ALL);
    assert.deepEqual(written, { typeId, millis: 7, body: message });
  });
}

function pick({ role, codec, data }: Row['frame']) {
  return { role, codec, data };
}

const broken: [string, number, string][] = [
  ['FourCC cut off', VIDEO, '916876'],
  ['composition time cut off', VIDEO, `91${hvc1}0000`],
  ['modifier without a size', VIDEO, '97'],
  ['modifier cut off', VIDEO, '97020000'],
  ['modifier without what follows it', VIDEO, '9702000001'],
  ['long modifier cut off', AUDIO, '97ff00'],
  ['multitrack without a layout', VIDEO, '96'],
  ['multitrack without a track', VIDEO, `9601${hvc1}`],
  ['a track longer than the message', VIDEO, `a613${hvc1}00000003 0201`],
  ['a second track cut off', VIDEO, `a613${hvc1}000000020201 0100`],
  ['a track shorter than its composition time', VIDEO, `a611${hvc1}000000020000 02010000`],
  ['audio FourCC cut off', AUDIO, '914f'],
];

for (const [name, typeId, body] of broken) {
  test(`a fault of the peer: ${name}`, () => {
    assert.throws(
      () => new FlvReader().frameFromFlv(typeId, 0, bytes(body)),
      (error) => error instanceof PeerError && error.code === 'rtmp/flv',
    );
  });
}

const many = [
  {
    name: 'one codec',
    config: `96 10${hvc1} 000000020101 0300000402020202`,
    units: `a6 11${hvc1} 00000005ffffd80201 030000040000280a`,
    codecs: ['hevc', 'hevc'],
    cts: [-40, 40],
    data: ['0201', '0a'],
  },
  {
    name: 'a codec each',
    config: `96 20 ${hvc1}000000020101 ${av01}030000028100`,
    units: `a6 21 ${hvc1}000000050000280201 ${av01}030000020a0b`,
    codecs: ['hevc', 'av1'],
    cts: [40, 0],
    data: ['0201', '0a0b'],
  },
];

for (const { name, config, units, codecs, cts, data } of many) {
  test(`many tracks in one message, ${name}: one frame, the others beside it`, () => {
    const reader = new FlvReader();
    const start = reader.frameFromFlv(VIDEO, 0, bytes(config));
    const unit = reader.frameFromFlv(VIDEO, 10, bytes(units));
    assert.ok(start && unit);
    assert.deepEqual(start.body, bytes(config));
    assert.deepEqual(unit.body, bytes(units));
    const tracks = [unit, ...(unit.others ?? [])];
    const configs = [start, ...(start.others ?? [])];
    assert.deepEqual(
      tracks.map((track) => track.track),
      [0, 3],
    );
    assert.deepEqual(
      tracks.map((track) => track.codec),
      codecs,
    );
    assert.deepEqual(
      tracks.map((track) => (track.pts - track.dts) / 1000),
      cts,
    );
    assert.deepEqual(
      tracks.map((track) => track.data.toString('hex')),
      data,
    );
    for (const [at, track] of tracks.entries()) assert.equal(track.config, configs[at]);
    assert.ok(configs.every((each) => each.role === 'config' && each.data.buffer.byteLength === start.body.length));
  });
}

test('the configuration of each track is remembered apart', () => {
  const reader = new FlvReader();
  const first = reader.frameFromFlv(VIDEO, 0, bytes(`90${hvc1}0101`));
  const second = reader.frameFromFlv(VIDEO, 0, bytes(`9600${hvc1}01 0202`));
  reader.frameFromFlv(VIDEO, 0, bytes(`94${hvc1}0200`));
  assert.equal(reader.frameFromFlv(VIDEO, 0, bytes(`a3${hvc1}0201`))?.config, first);
  assert.equal(reader.frameFromFlv(VIDEO, 0, bytes(`a603${hvc1}01 0201`))?.config, second);
  // tracks without end are relayed, their configurations not remembered
  reader.frameFromFlv(VIDEO, 0, bytes(`9600${hvc1}ff 0202`));
  assert.equal(reader.frameFromFlv(VIDEO, 0, bytes(`a603${hvc1}ff 0201`))?.config, undefined);
});

test('a player gets the FourCCs it named, and several tracks only when it said so', () => {
  const hevc = frame('video', 'key', 0, { codec: 'hevc' });
  const second = frame('video', 'key', 0, { track: 1 });
  const none = { fourCc: new Set<string>(), multitrack: true };
  const some = { fourCc: new Set(['hvc1', 'avc1']), multitrack: false };
  assert.equal(flvFromFrame(hevc, none), undefined);
  assert.ok(flvFromFrame(hevc, some));
  assert.equal(flvFromFrame(second, some), undefined);
  assert.equal(flvFromFrame(second, none), undefined);
  assert.ok(flvFromFrame(second, { ...some, multitrack: true }));
});
