import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader } from '../../src/base/bytes.ts';
import {
  AMF_LIMITS,
  AmfBudget,
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfTypedObject,
  type AmfValue,
  ecmaArray,
} from '../../src/rtmp/amf-value.ts';
import { readAmf3Value } from '../../src/rtmp/amf3.ts';
import { writeAmf3 } from '../../src/rtmp/amf3-writer.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const refused = { name: 'PeerError', code: 'rtmp/amf' };

function read(message: Buffer): AmfValue {
  const reader = new ByteReader(message, 'rtmp/amf');
  const value = readAmf3Value(reader, new AmfBudget(AMF_LIMITS));
  assert.equal(reader.remaining, 0, 'all bytes are read');
  return value;
}

/** Each line is read and written. */
const BOTH_WAYS: readonly (readonly [string, AmfValue, string])[] = [
  ['undefined', undefined, '00'],
  ['null', null, '01'],
  ['false', false, '02'],
  ['true', true, '03'],
  ['0', 0, '04 00'],
  ['127, the last of one byte', 127, '04 7f'],
  ['128', 128, '04 8100'],
  ['16383, the last of two', 16_383, '04 ff7f'],
  ['16384', 16_384, '04 818000'],
  ['2097151, the last of three', 2_097_151, '04 ffff7f'],
  ['2097152', 2_097_152, '04 80c08000'],
  ['the largest integer', 0x0fff_ffff, '04 bfffffff'],
  ['the smallest integer', -0x1000_0000, '04 c0808000'],
  ['-1', -1, '04 ffffffff'],
  ['the first beyond integers', 0x1000_0000, '05 41b0000000000000'],
  ['the first below integers', -0x1000_0001, '05 c1b0000001000000'],
  ['minus zero', -0, '05 8000000000000000'],
  ['a fraction', 0.5, '05 3fe0000000000000'],
  ['an empty string', '', '06 01'],
  ['a string', 'abc', '06 07 616263'],
  ['a date', new AmfDate(1000), '08 01 408f400000000000'],
  ['a list', [1, null], '09 05 01 04 01 01'],
  ['an empty list', [], '09 01 01'],
  ['an array with keys', ecmaArray({ a: 1 }), '09 01 03 61 04 01 01'],
  ['an object', new Map([['a', true]]), '0a 0b 01 03 61 03 01'],
  ['a typed object', new AmfTypedObject('C', new Map([['a', null]])), '0a 13 03 43 03 61 01'],
  ['a byte array', Buffer.of(1, 2), '0c 05 0102'],
  ['a dictionary', new AmfDictionary([[true, 'a']]), '11 03 00 03 06 03 61'],
  ['keys that every object of JavaScript has', new Map([['__proto__', 1]]), '0a 0b 01 13 5f5f70726f746f5f5f 04 01 01'],
];

for (const [what, value, hex] of BOTH_WAYS) {
  test(`reads and writes ${what}`, () => {
    assert.deepEqual(read(bytes(hex)), value);
    assert.equal(writeAmf3(value).toString('hex'), hex.replaceAll(' ', ''));
  });
}

const twice = (value: AmfValue): AmfValue => [value, value];

/** What others write and we do not. */
const READ_ONLY: readonly (readonly [string, AmfValue, string])[] = [
  ['XML documents and XML as text', ['<a/>', '<b/>'], '09 05 01 07 09 3c612f3e 0b 09 3c622f3e'],
  ['an array with keys and a list', ecmaArray({ a: 1, 0: true, 1: false }), '09 05 03 61 04 01 01 03 02'],
  ['a vector of integers', [-1, 2], '0d 05 00 ffffffff 00000002'],
  ['a vector of unsigned integers', [0xffff_ffff], '0e 03 01 ffffffff'],
  ['a vector of doubles', [0.5], '0f 03 00 3fe0000000000000'],
  ['a vector of objects', [new Map(), null], '10 05 00 03 43 0a 0b 01 01 01'],
  [
    'sealed and dynamic members together',
    new AmfTypedObject(
      'C',
      new Map([
        ['s', 1],
        ['d', 2],
      ]),
    ),
    '0a 1b 03 43 03 73 04 01 03 64 04 02 01',
  ],
  ['a dictionary with weak keys', new AmfDictionary([[new Map(), 1]]), '11 03 01 0a 0b 01 01 04 01'],
  ['a reference to a string', ['ab', 'ab'], '09 05 01 06 05 6162 06 00'],
  [
    'strings that are keys and class names too',
    [new AmfTypedObject('C', new Map([['k', null]])), 'C', 'k'],
    '09 07 01 0a 13 03 43 03 6b 01 06 00 06 02',
  ],
  ['no reference to the empty string', ['', 'a', 'a'], '09 07 01 06 01 06 03 61 06 00'],
  ['a reference to an object', twice(new Map([['a', null]])), '09 05 01 0a 0b 01 03 61 01 01 0a 02'],
  ['a reference to a date', twice(new AmfDate(0)), '09 05 01 08 01 0000000000000000 08 02'],
  ['a reference to a byte array', twice(Buffer.of(7)), '09 05 01 0c 03 07 0c 02'],
  ['a reference to XML', twice('x'), '09 05 01 0b 03 78 0b 02'],
  ['a reference to a vector', twice([1]), '09 05 01 0d 03 00 00000001 0d 02'],
  ['a reference to a dictionary', twice(new AmfDictionary([])), '09 05 01 11 01 00 11 02'],
  [
    'a reference to traits',
    [1, 2].map((n) => new AmfTypedObject('C', new Map([['a', n]]))),
    '09 05 01 0a 13 03 43 03 61 04 01 0a 01 04 02',
  ],
  ['an empty array with keys as a list', [], '09 01 01'],
];

for (const [what, value, hex] of READ_ONLY) {
  test(`reads ${what}`, () => assert.deepEqual(read(bytes(hex)), value));
}

const REFUSED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['a marker nobody defined', '12'],
  ['half an integer', '04 ff'],
  ['half a double', '05 00'],
  ['a string longer than the message', '06 07 6162'],
  ['a string of 256 MB', '06 ffffffff 61'],
  ['a reference to a string that was not sent', '06 00'],
  ['a reference to an object that was not sent', '0a 00'],
  ['a reference to an object far away', '0a fffffffe'],
  ['a reference to traits that were not sent', '0a 01'],
  ['an array that holds itself', '09 03 01 09 00'],
  ['an object that holds itself', '0a 0b 01 03 61 0a 00 01'],
  ['a dictionary that is its own key', '11 03 00 11 00 01'],
  ['an array of 268,435,455', '09 ffffffff 01 01'],
  ['a vector of 268,435,455 integers', '0d ffffffff 00 00000001'],
  ['a vector of 268,435,455 doubles', '0f ffffffff 00'],
  ['a dictionary of 268,435,455', '11 ffffffff 00 01 01'],
  ['a byte array of 256 MB', '0c ffffffff 00'],
  ['a class with 33,554,431 members', '0a fffffff3 01 03 61'],
  ['a class with a nameless member', '0a 13 03 43 01 04 01'],
  ['an externalizable class', '0a 07 43 666c65782e6d657373616765'],
  ['an array without the end of its keys', '09 01 03 61 01'],
];

for (const [what, hex] of REFUSED) {
  test(`refuses ${what}`, () => assert.throws(() => read(bytes(hex)), refused));
}

test('an externalizable class is named', () => {
  assert.throws(() => read(bytes('0a 07 07 612e62')), { ...refused, message: /a\.b/ });
});

test('nesting: 32 levels are read, 33 are not, 150,000 neither', () => {
  const nested = (levels: number) => Buffer.concat([Buffer.from('090301'.repeat(levels), 'hex'), Buffer.of(1)]);
  assert.ok(Array.isArray(read(nested(AMF_LIMITS.maxDepth))));
  for (const levels of [AMF_LIMITS.maxDepth + 1, 150_000]) {
    assert.throws(() => read(nested(levels)), { ...refused, message: /deep/ });
  }
  const objects = Buffer.from('0a0b010361'.repeat(150_000), 'hex');
  assert.throws(() => read(objects), { ...refused, message: /deep/ });
});

test('values: the limit counts members of classes and elements of vectors', () => {
  const members = (count: number) => `0a ${u29((count << 4) | 3)} 01 0361 ${'00'.repeat(count - 1)}`;
  assert.throws(() => read(bytes(members(5000))), { ...refused, message: /too many values/ });
  const vector = Buffer.concat([bytes(`0d ${u29((5000 << 1) | 1)} 00`), Buffer.alloc(20_000)]);
  assert.throws(() => read(vector), { ...refused, message: /too many values/ });
});

test('references are paid for: strings, member names, and lists of lists', () => {
  const wide = `06 ${u29((2000 << 1) | 1)} ${'61'.repeat(2000)}`;
  assert.throws(() => read(bytes(`09 ${u29((1000 << 1) | 1)} 01 ${wide} ${'0600'.repeat(999)}`)), {
    ...refused,
    message: /string bytes/,
  });
  const member = `0a 13 01 ${wide.slice(3)} 01`;
  assert.throws(() => read(bytes(`09 ${u29((1000 << 1) | 1)} 01 ${member} ${'0a0101'.repeat(999)}`)), {
    ...refused,
    message: /string bytes/,
  });
  // Each list holds the one before it 16 times.
  const list = (index: number) => `09 21 01 ${`09 ${u29(index << 1)}`.repeat(16)}`;
  const lists = [1, 2, 3, 4, 5, 6].map(list).join('');
  assert.throws(() => read(bytes(`09 0f 01 09 01 01 ${lists}`)), { ...refused, message: /too many values/ });
});

test('an array with keys and without fields is written as a list', () => {
  assert.deepEqual(read(writeAmf3(new AmfEcmaArray(new Map()))), []);
});

test('a field with an empty key, which AMF 3 cannot say, is left out', () => {
  assert.deepEqual(read(writeAmf3({ '': 1, a: 2 })), new Map([['a', 2]]));
});

test('plain records are dynamic objects', () => {
  assert.deepEqual(read(writeAmf3({ a: [{ b: 1 }] })), new Map([['a', [new Map([['b', 1]])]]]));
});

function u29(value: number): string {
  const integer = writeAmf3(value);
  return integer.subarray(1).toString('hex');
}
