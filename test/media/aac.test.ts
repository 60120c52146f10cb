import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AacConfig, readAacConfig, writeAacConfig } from '../../src/media/aac.ts';
import { BitWriter } from '../helpers/bit-writer.ts';

const plain = { objectType: 2, sbr: false, ps: false };

/** Configurations that we write ourselves. */
const bothWays: [string, string, AacConfig][] = [
  ['LC, 44.1 kHz, stereo', '1210', { ...plain, coreRate: 44_100, sampleRate: 44_100, channels: 2 }],
  ['LC, 48 kHz, mono', '1188', { ...plain, coreRate: 48_000, sampleRate: 48_000, channels: 1 }],
  ['LC, 8 kHz, 7.1', '15b8', { ...plain, coreRate: 8000, sampleRate: 8000, channels: 8 }],
  ['Main, 96 kHz, 5.1', '0830', { ...plain, objectType: 1, coreRate: 96_000, sampleRate: 96_000, channels: 6 }],
  ['LC, rate spelt out, mono', '1780271088', { ...plain, coreRate: 20_001, sampleRate: 20_001, channels: 1 }],
];

for (const [name, hex, config] of bothWays) {
  test(`AudioSpecificConfig both ways: ${name}`, () => {
    assert.deepEqual(readAacConfig(Buffer.from(hex, 'hex')), config);
    assert.equal(writeAacConfig(config.objectType, config.sampleRate, config.channels).toString('hex'), hex);
  });
}

/** Object type, 24 kHz, channel configuration. */
function said(objectType: number, channelConfig: number): BitWriter {
  return new BitWriter().bits(objectType, 5).bits(6, 4).bits(channelConfig, 4);
}

/** program_config_element with all its options, two comment bytes behind it. */
function programConfig(writer: BitWriter): Buffer {
  writer.bits(0, 4).bits(1, 2).bits(6, 4).bits(2, 4).bits(0, 4).bits(1, 4).bits(1, 2).bits(1, 3).bits(1, 4);
  writer.bits(0b11111, 5).bits(0b11111, 5).bits(0b1111, 4);
  writer.bits(0b10000, 5).bits(0b00001, 5).bits(0b10010, 5).bits(15, 4).bits(15, 4).bits(31, 5);
  // the padding may hold anything
  while (writer.length % 8 !== 0) writer.bits(1, 1);
  return writer.bits(2, 8).bits(0x6162, 16).bytes();
}

const he = { objectType: 2, coreRate: 24_000, sampleRate: 48_000, sbr: true };

/** Other forms that encoders send. */
const readOnly: [string, Buffer, AacConfig][] = [
  [
    'ffmpeg: LC that denies being HE',
    Buffer.from('121056e500', 'hex'),
    { ...plain, coreRate: 44_100, sampleRate: 44_100, channels: 2 },
  ],
  ['HE, said at the front', Buffer.from('2b118800', 'hex'), { ...he, channels: 2, ps: false }],
  ['HE v2, said at the front', Buffer.from('eb098800', 'hex'), { ...he, channels: 2, ps: true }],
  [
    'HE, said at the back',
    said(2, 2).bits(0, 3).bits(0x2b7, 11).bits(5, 5).bits(1, 1).bits(3, 4).bytes(),
    { ...he, channels: 2, ps: false },
  ],
  [
    'HE v2, said at the back',
    said(2, 1).bits(0, 3).bits(0x2b7, 11).bits(5, 5).bits(1, 1).bits(3, 4).bits(0x548, 11).bits(1, 1).bytes(),
    { ...he, channels: 2, ps: true },
  ],
  [
    'HE, said at the back, behind a core coder delay',
    said(2, 2).bits(0b01, 2).bits(0x1fff, 14).bits(0, 1).bits(0x2b7, 11).bits(5, 5).bits(1, 1).bits(3, 4).bytes(),
    { ...he, channels: 2, ps: false },
  ],
  [
    'HE, said at the back, behind an extension',
    said(2, 2).bits(0b0011, 4).bits(0x2b7, 11).bits(5, 5).bits(1, 1).bits(3, 4).bytes(),
    { ...he, channels: 2, ps: false },
  ],
  [
    'HE, said at the back, behind resilience flags and error protection',
    said(17, 2).bits(0b0011110, 7).bits(0, 2).bits(0x2b7, 11).bits(5, 5).bits(1, 1).bits(3, 4).bytes(),
    { ...he, objectType: 17, channels: 2, ps: false },
  ],
  [
    'HE, said at the back, behind a layer number',
    said(6, 2).bits(0, 3).bits(0b111, 3).bits(0x2b7, 11).bits(5, 5).bits(1, 1).bits(3, 4).bytes(),
    { ...he, objectType: 6, channels: 2, ps: false },
  ],
  [
    'LC, channels in a program config element: two pairs, centre, low frequency',
    programConfig(said(2, 0).bits(0, 3)),
    { ...plain, coreRate: 24_000, sampleRate: 24_000, channels: 6 },
  ],
  [
    'HE over BSAC, with its own channel field, channels in a program config element',
    programConfig(new BitWriter().bits(5, 5).bits(6, 4).bits(0, 4).bits(3, 4).bits(22, 5).bits(15, 4).bits(0, 3)),
    { ...he, objectType: 22, channels: 6, ps: false },
  ],
  [
    'LC, program config element missing',
    Buffer.from('1180', 'hex'),
    { ...plain, coreRate: 48_000, sampleRate: 48_000, channels: 0 },
  ],
  [
    'xHE, type escaped',
    Buffer.from('f94640', 'hex'),
    { ...plain, objectType: 42, coreRate: 48_000, sampleRate: 48_000, channels: 2 },
  ],
];

for (const [name, bytes, config] of readOnly) {
  test(`AudioSpecificConfig: ${name}`, () => {
    assert.deepEqual(readAacConfig(bytes), config);
  });
}

test('a configuration without a rate or too short is none', () => {
  for (const hex of ['', '12', '1780', '1690', '1710'])
    assert.equal(readAacConfig(Buffer.from(hex, 'hex')), undefined, hex);
});
