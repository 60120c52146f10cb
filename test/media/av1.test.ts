import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findSequenceHeader, readAv1Sequence } from '../../src/media/av1.ts';
import { BitWriter } from '../helpers/bit-writer.ts';

const headerFields = fc.record({
  reduced: fc.boolean(),
  timing: fc.option(
    fc.record({ ticks: fc.option(fc.constantFrom(1, 2)), delayBits: fc.option(fc.integer({ min: 1, max: 32 })) }),
  ),
  displayDelay: fc.boolean(),
  points: fc.array(fc.record({ level: fc.integer({ min: 0, max: 31 }), decoder: fc.boolean(), delay: fc.boolean() }), {
    minLength: 1,
    maxLength: 32,
  }),
  size: fc.tuple(fc.integer({ min: 1, max: 65_536 }), fc.integer({ min: 1, max: 65_536 })),
});

/** Writes a sequence header up to the size, as 5.5.1 to 5.5.5 lay it out. */
function writeHeader(header: typeof headerFields extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const writer = new BitWriter().bits(0, 3).flag(header.reduced).flag(header.reduced);
  if (header.reduced) writer.bits(8, 5);
  else {
    const delayBits = header.timing?.delayBits ?? null;
    writer.flag(header.timing !== null);
    if (header.timing !== null) {
      writer
        .bits(1, 32)
        .bits(50, 32)
        .flag(header.timing.ticks !== null);
      if (header.timing.ticks !== null) writer.ue(header.timing.ticks - 1);
      writer.flag(delayBits !== null);
      if (delayBits !== null)
        writer
          .bits(delayBits - 1, 5)
          .bits(2 ** 32 - 1, 32)
          .bits(9, 5)
          .bits(9, 5);
    }
    writer.flag(header.displayDelay).bits(header.points.length - 1, 5);
    for (const { level, decoder, delay } of header.points) {
      writer.bits(0xfff, 12).bits(level, 5);
      if (level > 7) writer.flag(true);
      if (delayBits !== null) {
        writer.flag(decoder);
        if (decoder)
          writer
            .bits(2 ** delayBits - 1, delayBits)
            .bits(0, delayBits)
            .flag(true);
      }
      if (header.displayDelay) {
        writer.flag(delay);
        if (delay) writer.bits(15, 4);
      }
    }
  }
  return writer
    .bits(15, 4)
    .bits(15, 4)
    .bits(header.size[0] - 1, 16)
    .bits(header.size[1] - 1, 16)
    .bytes();
}

test('a sequence header is read as it was written', () => {
  fc.assert(
    fc.property(headerFields, (header) => {
      const ticks = header.reduced ? undefined : (header.timing?.ticks ?? undefined);
      assert.deepEqual(readAv1Sequence(writeHeader(header)), {
        width: header.size[0],
        height: header.size[1],
        fps: ticks === undefined ? undefined : 50 / ticks,
      });
    }),
    { numRuns: 500 },
  );
});

const long = `0a8101${'00'.repeat(129)}`;

const units: [string, string, string | undefined][] = [
  ['alone', '0a02abcd', 'abcd'],
  ['without a size', '08abcd', 'abcd'],
  ['behind a delimiter', '12000a01ab', 'ab'],
  ['with an extension', '0e0002abcd', 'abcd'],
  ['with a size of two bytes', long, '00'.repeat(129)],
  ['with a size of three bytes', '0a818000ab', 'ab'],
  ['with a size of four bytes', '0a81808000ab', undefined],
  ['with a size cut off', '0a81', undefined],
  ['longer than the data', '0a03abcd', undefined],
  ['missing', '120032021000', undefined],
  ['of nothing', '', undefined],
];

for (const [name, bytes, found] of units) {
  test(`the sequence header among bitstream units: ${name}`, () => {
    assert.equal(findSequenceHeader(Buffer.from(bytes, 'hex'))?.toString('hex'), found);
  });
}
