import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BitReader, unescapeNal } from '../../src/media/bits.ts';
import { BitWriter, escapeNal } from '../helpers/bit-writer.ts';

const field = fc.oneof(
  fc.record({ form: fc.constant('ue' as const), value: fc.integer({ min: 0, max: 2 ** 32 - 2 }) }),
  fc.record({ form: fc.constant('se' as const), value: fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }) }),
  fc.record({ form: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
  fc.record({ form: fc.constant('u5' as const), value: fc.integer({ min: 0, max: 31 }) }),
);

test('fields of bits are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const writer = new BitWriter();
      for (const { form, value } of fields) {
        if (form === 'ue') writer.ue(value);
        else if (form === 'se') writer.se(value);
        else writer.bits(value, form === 'u32' ? 32 : 5);
      }
      const reader = new BitReader(writer.bytes());
      for (const { form, value } of fields) {
        const read = form === 'ue' ? reader.ue() : form === 'se' ? reader.se() : reader.bits(form === 'u32' ? 32 : 5);
        assert.equal(read + 0, value);
      }
      assert.equal(reader.exhausted, false);
    }),
  );
});

test('past the end everything is 0 and exhausted says so', () => {
  const reader = new BitReader(Buffer.of(0xff));
  assert.equal(reader.bits(6), 63);
  assert.equal(reader.exhausted, false);
  assert.equal(reader.bits(3), 0);
  assert.equal(reader.exhausted, true);
  assert.equal(reader.ue(), 0);
  assert.equal(reader.flag(), false);
  assert.equal(reader.remaining, 0);
});

test('a skip past the end exhausts, and align goes to the next whole byte', () => {
  const reader = new BitReader(Buffer.of(0x80, 0x01, 0xf0), 1);
  reader.align();
  assert.equal(reader.bits(7), 0);
  reader.align();
  assert.equal(reader.bits(4), 15);
  reader.skip(5);
  assert.equal(reader.exhausted, true);
});

test('a run of zeros longer than any code exhausts instead of reading on', () => {
  const reader = new BitReader(Buffer.concat([Buffer.alloc(1000), Buffer.of(0xff)]));
  assert.equal(reader.ue(), 0);
  assert.equal(reader.exhausted, true);
});

test('unescapeNal takes out what escapeNal put in', () => {
  const payload = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 255)).map((bytes) => Buffer.from([...bytes, 0x80]));
  fc.assert(
    fc.property(payload, (bytes) => {
      const escaped = escapeNal(Buffer.of(0x67), bytes);
      assert.equal(escaped.includes(Buffer.of(0, 0, 1)), false);
      assert.deepEqual(unescapeNal(escaped, 1), bytes);
    }),
  );
  assert.deepEqual(unescapeNal(Buffer.of(1), 2), Buffer.alloc(0));
});
