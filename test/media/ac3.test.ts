import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAc3Header } from '../../src/media/ac3.ts';
import { BitWriter } from '../helpers/bit-writer.ts';

/** Channels, and which of the mix level fields are there, by audio coding mode (table 4.3). */
const modes = [
  { channels: 2, levels: 0 },
  { channels: 1, levels: 0 },
  { channels: 2, levels: 1 },
  { channels: 3, levels: 1 },
  { channels: 3, levels: 1 },
  { channels: 4, levels: 2 },
  { channels: 4, levels: 1 },
  { channels: 5, levels: 2 },
];

for (const [mode, { channels, levels }] of modes.entries()) {
  for (const lfe of [false, true]) {
    test(`audio coding mode ${mode}${lfe ? ' with low frequencies' : ''}`, () => {
      // all level bits are the opposite of the flag that follows them
      const level = lfe ? 0 : 2 ** (2 * levels) - 1;
      const ac3 = new BitWriter().bits(0x0b77, 16).bits(0, 16).bits(1, 2).bits(20, 6).bits(8, 5).bits(0, 3);
      ac3
        .bits(mode, 3)
        .bits(level, 2 * levels)
        .flag(lfe)
        .bits(0, 16);
      const expected = { sampleRate: 44_100, channels: channels + (lfe ? 1 : 0) };
      assert.deepEqual(readAc3Header(ac3.bytes()), expected);
      const eac3 = new BitWriter().bits(0x0b77, 16).bits(0, 16).bits(1, 2).bits(3, 2).bits(mode, 3).flag(lfe);
      assert.deepEqual(readAc3Header(eac3.bits(16, 5).bits(0, 19).bytes()), expected);
    });
  }
}

const none: [string, string][] = [
  ['no sync word', '0b76b50b1e40ebf8'],
  ['cut off', '0b77b50b1e40eb'],
  ['reserved rate', '0b77b50bde40ebf8'],
  ['reserved half rate', '0b77017ff487c000'],
  ['stream id of the future', '0b77b50b1e88ebf8'],
];

for (const [name, data] of none) {
  test(`no AC-3 header: ${name}`, () => {
    assert.equal(readAc3Header(Buffer.from(data, 'hex')), undefined);
  });
}
