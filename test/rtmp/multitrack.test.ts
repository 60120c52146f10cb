import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlvReader } from '../../src/rtmp/flv.ts';
import { AUDIO, bytes, type FlvRow, fourCc, testBroken, testRows, VIDEO } from '../helpers/flv-row.ts';

const hvc1 = fourCc('hvc1');
const av01 = fourCc('av01');
const opus = fourCc('Opus');

const rows: FlvRow[] = [
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

testRows(rows);

testBroken([
  ['multitrack without a layout', VIDEO, '96'],
  ['multitrack without a track', VIDEO, `9601${hvc1}`],
  ['a track longer than the message', VIDEO, `a613${hvc1}00000003 0201`],
  ['a second track cut off', VIDEO, `a613${hvc1}000000020201 0100`],
  ['a track shorter than its composition time', VIDEO, `a611${hvc1}000000020000 02010000`],
]);

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
