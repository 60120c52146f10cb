/**
 * ffmpeg is the oracle: what its encoder makes, our decoder must decode as its decoder does.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PeerError } from '../../../src/base/errors.ts';
import { BitWriter } from '../../../src/media/aac-lc/bit-writer.ts';
import { SCALE_FACTORS, SPECTRAL_BOOKS } from '../../../src/media/aac-lc/code-book.ts';
import { AacDecoder } from '../../../src/media/aac-lc/decoder.ts';
import { AacEncoder } from '../../../src/media/aac-lc/encoder.ts';
import { adtsUnits, decodeAdts, encodeAdts, likeness, SOURCES, writeAdts } from '../../helpers/sound.ts';

const RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000];
/** ffmpeg draws other noise for perceptual noise substitution. */
const NO_NOISE = ['-aac_pns', '0'];
const ALIKE = 100;

/** Everything that our decoder gives, by channel. */
function decode(units: readonly Uint8Array[], rate: number, channels: 1 | 2): Float32Array[] {
  const decoder = new AacDecoder(rate, channels);
  const parts: Float32Array[][] = Array.from({ length: channels }, () => []);
  for (const unit of units) {
    for (const [channel, samples] of decoder.decode(unit).entries()) parts[channel]!.push(samples.slice());
  }
  return parts.map((list) => Float32Array.from(list.flatMap((part) => [...part])));
}

/** window_sequence of a unit with one single element, or one pair that shares its ics_info. */
function windowSequence(unit: Uint8Array): number {
  const pair = unit[0]! >> 5 === 1;
  const at = pair ? 3 + 4 + 1 + 1 : 3 + 4 + 8 + 1;
  return (((unit[at >> 3]! << 8) | unit[(at >> 3) + 1]!) >> (14 - (at & 7))) & 3;
}

for (const [number, [name, source]] of Object.entries(SOURCES).entries()) {
  test(`${name}, at all sampling rates, mono and stereo by turns`, async () => {
    for (const [index, rate] of RATES.entries()) {
      const channels = (index + number) % 2 === 0 ? 1 : 2;
      const adts = await encodeAdts(source, rate, channels, NO_NOISE);
      const wanted = await decodeAdts(adts, channels);
      const got = decode(adtsUnits(adts), rate, channels);
      for (const [channel, plane] of wanted.entries()) {
        assert.equal(got[channel]!.length, plane.length);
        const alike = likeness(plane, got[channel]!);
        assert.ok(alike > ALIKE, `${rate} Hz, ${channels} channels: ${alike} dB`);
      }
    }
  });
}

test('each tool by itself: the encoder uses it, and nothing is different', async () => {
  const off = ['-aac_tns', '0', '-aac_is', '0', '-aac_ms', '0', ...NO_NOISE];
  const tools: [string, string, string][] = [
    [SOURCES.clicks, '-aac_tns', '1'],
    [SOURCES.noise, '-aac_is', '1'],
    [SOURCES.speech, '-aac_ms', '1'],
  ];
  for (const [source, tool, value] of tools) {
    const plain = await encodeAdts(source, 44_100, 2, off, 2);
    const tooled = await encodeAdts(source, 44_100, 2, [...off, tool, value], 2);
    assert.notDeepEqual(tooled, plain, `${tool} makes a difference`);
    const wanted = await decodeAdts(tooled, 2);
    const got = decode(adtsUnits(tooled), 44_100, 2);
    for (const channel of [0, 1]) assert.ok(likeness(wanted[channel]!, got[channel]!) > ALIKE, tool);
  }
});

test('all four windows came by', async () => {
  const units = adtsUnits(await encodeAdts(SOURCES.clicks, 44_100, 1, NO_NOISE, 2));
  assert.deepEqual(new Set(units.map(windowSequence)), new Set([0, 1, 2, 3]));
});

test('substituted noise is as loud', async () => {
  const plain = await encodeAdts(SOURCES.noise, 44_100, 2, ['-aac_pns', '0', '-b:a', '64k'], 2);
  const adts = await encodeAdts(SOURCES.noise, 44_100, 2, ['-aac_pns', '1', '-b:a', '64k'], 2);
  assert.notDeepEqual(adts, plain, 'there is some');
  const wanted = await decodeAdts(adts, 2);
  const got = decode(adtsUnits(adts), 44_100, 2);
  const loudness = (plane: Float32Array) => 10 * Math.log10(plane.reduce((sum, value) => sum + value * value, 0));
  for (const channel of [0, 1]) {
    const off = loudness(got[channel]!) - loudness(wanted[channel]!);
    assert.ok(Math.abs(off) < 0.2, `${off} dB`);
  }
});

test('5.1 is mixed down to two', async () => {
  const source =
    "aevalsrc='0.3*sin(2*PI*500*t)|0.3*sin(2*PI*700*t)|0.3*sin(2*PI*900*t)|0|0.3*sin(2*PI*1100*t)|0.3*sin(2*PI*1300*t)':c=5.1";
  const adts = await encodeAdts(source, 48_000, 6, NO_NOISE);
  const mix = 'FL=0.4142*FL+0.2929*FC+0.2929*BL|FR=0.4142*FR+0.2929*FC+0.2929*BR';
  const wanted = await decodeAdts(adts, 2, ['-af', `pan=stereo|${mix}`]);
  const got = decode(adtsUnits(adts), 48_000, 2);
  // the coefficients have four digits
  for (const channel of [0, 1]) assert.ok(likeness(wanted[channel]!, got[channel]!) > 75);
});

test('two channels are mixed down to one, one is put on both sides', async () => {
  const stereo = adtsUnits(await encodeAdts(SOURCES.tone, 48_000, 2, NO_NOISE));
  const [left, right] = decode(stereo, 48_000, 2);
  const [mono] = decode(stereo, 48_000, 1);
  assert.ok(
    likeness(
      Float32Array.from(left!, (value, i) => (value + right![i]!) / 2),
      mono!,
    ) > ALIKE,
  );
  const single = adtsUnits(await encodeAdts(SOURCES.tone, 48_000, 1, NO_NOISE));
  const [only] = decode(single, 48_000, 1);
  for (const side of decode(single, 48_000, 2)) assert.ok(likeness(only!, side) > ALIKE);
});

/** A unit of our own: one channel, one section of book 11 over twenty bands, pulses on four lines. */
function unitWithPulses(): Uint8Array {
  const out = new BitWriter(1024);
  const put = (...fields: [value: number, bits: number][]) => {
    for (const [value, bits] of fields) out.write(value, bits);
  };
  put([0, 3], [0, 4], [150, 8], [0, 1], [0, 2], [1, 1], [20, 6], [0, 1]);
  put([11, 4], [20, 5]);
  for (let band = 0; band < 20; band++) put([SCALE_FACTORS.words[60]!, SCALE_FACTORS.lengths[60]!]);
  put([1, 1], [3, 2], [2, 6], [0, 5], [15, 4], [3, 5], [7, 4], [31, 5], [1, 4], [9, 5], [10, 4], [0, 1], [0, 1]);
  const book = SPECTRAL_BOOKS[11]!;
  for (let line = 0; line < 132; line += 2) {
    const pair = [line % 5, line % 3];
    const symbol = pair[0]! * 17 + pair[1]!;
    put([book.words[symbol]!, book.lengths[symbol]!]);
    for (const value of pair) if (value > 0) put([value & 1, 1]);
  }
  put([7, 3]);
  return out.take();
}

test('pulses, which no encoder at hand makes', async () => {
  const units = Array.from({ length: 8 }, unitWithPulses);
  const wanted = await decodeAdts(writeAdts(units, 48_000, 1), 1);
  const got = decode(units, 48_000, 1);
  const alike = likeness(wanted[0]!, got[0]!);
  assert.ok(alike > ALIKE, `${alike} dB`);
});

test('data and fill elements are passed over', async () => {
  const [unit] = adtsUnits(await encodeAdts(SOURCES.tone, 48_000, 1, NO_NOISE));
  const out = new BitWriter(4096);
  // a data element, aligned, of three bytes, and a fill element of two, in front
  for (const [value, bits] of [
    [4, 3],
    [0, 4],
    [1, 1],
    [3, 8],
    [0xabcdef, 24],
    [6, 3],
    [2, 4],
    [0x1fff, 16],
  ] as const) {
    out.write(value, bits);
  }
  const bits = [...unit!].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1));
  for (const bit of bits) out.write(bit, 1);
  assert.deepEqual(decode([out.take()], 48_000, 1), decode([unit!], 48_000, 1));
});

test('a damaged unit is told, the samples in its place fade out, and what follows is as before', async () => {
  const units = adtsUnits(await encodeAdts(SOURCES.tone, 48_000, 1, NO_NOISE));
  const decoder = new AacDecoder(48_000, 1);
  for (const unit of units.slice(0, 10)) decoder.decode(unit);
  assert.throws(() => decoder.decode(units[10]!.subarray(0, 20)), PeerError);
  const [faded] = decoder.conceal();
  const energy = (samples: Float32Array) => samples.reduce((sum, value) => sum + value * value, 0);
  assert.ok(energy(faded!.subarray(0, 256)) > 10 * energy(faded!.subarray(768)));
  for (const unit of units.slice(11, 13)) decoder.decode(unit);
  assert.deepEqual(decoder.decode(units[13]!)[0], afresh(units, 13));
});

/** What unit `at` becomes when none was lost. */
function afresh(units: readonly Uint8Array[], at: number): Float32Array {
  const decoder = new AacDecoder(48_000, 1);
  let samples = new Float32Array();
  for (const unit of units.slice(0, at + 1)) samples = decoder.decode(unit)[0]!.slice();
  return samples;
}

test('any bytes: sound, or a PeerError; never anything else, and never a sample out of bounds', async () => {
  const stereo = adtsUnits(await encodeAdts(SOURCES.clicks, 44_100, 2, [], 2));
  const decoder = new AacDecoder(44_100, 2);
  const changed = fc.record({
    unit: fc.constantFrom(...stereo),
    changes: fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { minLength: 1, maxLength: 6 }),
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 900 }), changed), (input) => {
      const unit = input instanceof Uint8Array ? input : Uint8Array.from(input.unit);
      if (!(input instanceof Uint8Array))
        for (const [at, value] of input.changes) if (at < unit.length) unit[at] = value;
      let planes: readonly Float32Array[];
      try {
        planes = decoder.decode(unit);
      } catch (error) {
        assert.ok(error instanceof PeerError, String(error));
        planes = decoder.conceal();
      }
      for (const plane of planes) for (const value of plane) if (!(Math.abs(value) <= 256)) assert.fail(`${value}`);
    }),
    { numRuns: 3000 },
  );
});

test('what our encoder makes comes back', () => {
  const encoder = new AacEncoder(48_000, 1, 96_000);
  const decoder = new AacDecoder(48_000, 1);
  const sine = (i: number) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 48_000);
  let got = new Float32Array();
  for (let block = 0; block < 10; block++) {
    const plane = Float32Array.from({ length: 1024 }, (_, i) => sine(block * 1024 + i));
    got = decoder.decode(encoder.encode([plane]))[0]!.slice();
  }
  const wanted = Float32Array.from({ length: 1024 }, (_, i) => sine(9 * 1024 + i - encoder.delay));
  assert.ok(likeness(wanted, got) > 30);
});
