import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import {
  AMF_LIMITS,
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfTypedObject,
  type AmfValue,
  amfFields,
  ecmaArray,
} from '../../src/rtmp/amf-value.ts';
import { readAmf0, writeAmf0 } from '../../src/rtmp/amf0.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const refused = { name: 'PeerError', code: 'rtmp/amf' };

/** Each line is read and written. */
const BOTH_WAYS: readonly (readonly [string, AmfValue, string])[] = [
  ['a number', 3.5, '00 400c000000000000'],
  ['minus zero', -0, '00 8000000000000000'],
  ['true', true, '01 01'],
  ['false', false, '01 00'],
  ['a string', 'abc', '02 0003 616263'],
  ['an empty string', '', '02 0000'],
  ['a string beyond ASCII', 'é🎥', '02 0006 c3a9 f09f8ea5'],
  ['the longest short string', 'x'.repeat(0xffff), `02 ffff ${'78'.repeat(0xffff)}`],
  ['the shortest long string', 'x'.repeat(0x10000), `0c 00010000 ${'78'.repeat(0x10000)}`],
  ['null', null, '05'],
  ['undefined', undefined, '06'],
  [
    'an object',
    new Map<string, AmfValue>([
      ['a', 1],
      ['', null],
    ]),
    '03 0001 61 00 3ff0000000000000 0000 05 0000 09',
  ],
  ['an empty object', new Map(), '03 0000 09'],
  ['an ECMA array', ecmaArray({ a: true }), '08 00000001 0001 61 01 01 0000 09'],
  ['a strict array', [null, [true]], '0a 00000002 05 0a 00000001 01 01'],
  ['a date', new AmfDate(1000), '0b 408f400000000000 0000'],
  ['a typed object', new AmfTypedObject('C', new Map([['a', null]])), '10 0001 43 0001 61 05 0000 09'],
  ['a byte array, in AMF 3', Buffer.of(1, 2), '11 0c 05 0102'],
  ['a dictionary, in AMF 3', new AmfDictionary([[1, true]]), '11 11 03 00 04 01 03'],
  [
    'a key that every object of JavaScript has',
    new Map([
      ['__proto__', 'x'],
      ['toString', 'y'],
    ]),
    '03 0009 5f5f70726f746f5f5f 02 0001 78 0008 746f537472696e67 02 0001 79 0000 09',
  ],
];

for (const [what, value, hex] of BOTH_WAYS) {
  test(`reads and writes ${what}`, () => {
    assert.deepEqual(readAmf0(bytes(hex)), [value]);
    assert.equal(writeAmf0([value]).toString('hex'), hex.replaceAll(' ', ''));
  });
}

/** What others write and we do not. */
const READ_ONLY: readonly (readonly [string, readonly AmfValue[], string])[] = [
  ['nothing', [], ''],
  ['several values', ['a', 1, null], '02 0001 61 00 3ff0000000000000 05'],
  ['a boolean of 2 as true', [true], '01 02'],
  ['a long string that is short', ['a'], '0c 00000001 61'],
  ['XML as its text', ['<a/>'], '0f 00000004 3c612f3e'],
  ['an unsupported value as undefined', [undefined], '0d'],
  ['an ECMA array whose count is 0', [new AmfEcmaArray(new Map([['a', null]]))], '08 00000000 0001 61 05 0000 09'],
  [
    'an ECMA array whose count is too large',
    [new AmfEcmaArray(new Map([['a', null]]))],
    '08 ffffffff 0001 61 05 0000 09',
  ],
  ['a date with a time zone', [new AmfDate(0)], '0b 0000000000000000 ffc4'],
  ['the last of two equal keys', [new Map([['a', true]])], '03 0001 61 05 0001 61 01 01 0000 09'],
  ['broken UTF-8 as U+FFFD', ['\ufffd'], '02 0001 ff'],
  ['a reference as a copy', [[], [null], [null]], '0a 00000000 0a 00000001 05 07 0001'],
  ['a reference inside its own list', [[[true], [true]]], '0a 00000002 0a 00000001 01 01 07 0001'],
  ['AMF 3, and AMF 0 again behind it', [5, 'b'], '11 04 05 02 0001 62'],
];

for (const [what, values, hex] of READ_ONLY) {
  test(`reads ${what}`, () => assert.deepEqual(readAmf0(bytes(hex)), values));
}

const REFUSED: readonly (readonly [string, string])[] = [
  ['a movie clip', '04'],
  ['a record set', '0e'],
  ['an object end outside an object', '09'],
  ['a marker nobody defined', '12'],
  ['half a number', '00 3ff00000'],
  ['a boolean without its byte', '01'],
  ['a string longer than the message', '02 0004 616263'],
  ['a long string of 4 GB', '0c ffffffff 61'],
  ['an object without its end', '03 0001 61 05'],
  ['an object with half an end', '03 0000'],
  ['an object whose last value is missing', '03 0001 61'],
  ['an array of 4,294,967,295', '0a ffffffff 05 05'],
  ['a reference to nothing', '07 0000'],
  ['a reference to the value around it', '03 0001 61 07 0000 0000 09'],
  ['a reference to the list around it', '0a 00000001 07 0000'],
  ['a key that could not be written again', `03 ${'5556'} ${'ff'.repeat(0x5556)} 05 0000 09`],
];

for (const [what, hex] of REFUSED) {
  test(`refuses ${what}`, () => assert.throws(() => readAmf0(bytes(hex)), refused));
}

test('plain records are objects, undefined fields included, in their order', () => {
  const [object] = readAmf0(writeAmf0([{ b: 1, a: undefined, nested: { list: [{ x: 'y' }] } }]));
  assert.deepEqual(
    object,
    new Map<string, AmfValue>([
      ['b', 1],
      ['a', undefined],
      ['nested', new Map([['list', [new Map([['x', 'y']])]]])],
    ]),
  );
});

test('values begin where they are said to begin', () => {
  assert.deepEqual(readAmf0(bytes('00 02 0001 61'), 1), ['a']);
});

test('fields of whatever has fields', () => {
  const fields = new Map([['a', 1]]);
  assert.equal(amfFields(fields), fields);
  assert.equal(amfFields(new AmfEcmaArray(fields)), fields);
  assert.equal(amfFields(new AmfTypedObject('C', fields)), fields);
  for (const value of [null, undefined, 1, 'a', [1], new AmfDate(0)]) assert.equal(amfFields(value), undefined);
});

test('a key longer than two bytes can say is a mistake of ours', () => {
  assert.throws(() => writeAmf0([{ ['x'.repeat(0x10000)]: 1 }]), RangeError);
});

test('the longest key that is read can be written, even if all of it is malformed', () => {
  const read = readAmf0(bytes(`03 5555 ${'ff'.repeat(0x5555)} 05 0000 09`));
  assert.equal(writeAmf0(read).readUInt16BE(1), 0xffff);
});

test('a reference to a byte array gives one of its own', () => {
  const [first, second] = readAmf0(bytes('11 09 05 01 0c 05 0102 0c 02'))[0] as readonly Buffer[];
  first!.fill(0xee);
  assert.deepEqual(second, Buffer.of(1, 2));
});

test('what is read never shares memory with the message', () => {
  const message = bytes('02 0001 61 11 0c 05 0102');
  const values = readAmf0(message);
  message.fill(0xee);
  assert.deepEqual(values, ['a', Buffer.of(1, 2)]);
});

// Limits: depth, values, string bytes.

test('nesting: 32 levels are read, 33 are not, 150,000 neither', () => {
  const nested = (levels: number) => Buffer.concat([Buffer.from('0a00000001'.repeat(levels), 'hex'), Buffer.of(5)]);
  assert.equal(readAmf0(nested(AMF_LIMITS.maxDepth)).length, 1);
  for (const levels of [AMF_LIMITS.maxDepth + 1, 150_000]) assert.throws(() => readAmf0(nested(levels)), refused);
  const objects = (levels: number) => Buffer.from('03000161'.repeat(levels), 'hex');
  assert.throws(() => readAmf0(objects(150_000)), { ...refused, message: /deep/ });
});

test('values: as many as the limit, not one more', () => {
  const many = (count: number) => Buffer.alloc(count, 5);
  assert.equal(readAmf0(many(AMF_LIMITS.maxNodes)).length, AMF_LIMITS.maxNodes);
  assert.throws(() => readAmf0(many(AMF_LIMITS.maxNodes + 1)), { ...refused, message: /too many values/ });
  assert.throws(() => readAmf0(Buffer.alloc(8 << 20, 5)), refused);
});

test('strings and keys: as many bytes as the limit, not one more', () => {
  const limits = { ...AMF_LIMITS, maxStringBytes: 10 };
  assert.deepEqual(readAmf0(bytes('02 0004 61616161 03 0006 626262626262 05 0000 09'), 0, limits).length, 2);
  assert.throws(() => readAmf0(bytes('02 0005 6161616161 03 0006 626262626262 05 0000 09'), 0, limits), refused);
});

test('references are paid for: lists of lists of lists do not unfold', () => {
  // Each list holds the one before it 16 times: 16^8 values, in a few hundred bytes.
  const list = (index: number) => `0a 00000010 ${`07 000${index}`.repeat(16)}`;
  const bomb = ['0a 00000000', ...[0, 1, 2, 3, 4, 5, 6, 7].map(list)].join('');
  assert.throws(() => readAmf0(bytes(bomb)), { ...refused, message: /too many values/ });
});

test('references are paid for: strings, keys, class names and byte arrays too', () => {
  const wide = 'x'.repeat(1000);
  const values: readonly AmfValue[] = [
    [wide],
    new Map([[wide, null]]),
    new AmfEcmaArray(new Map([[wide, null]])),
    new AmfTypedObject(wide, new Map()),
    [Buffer.alloc(1000)],
    [new AmfDictionary([[wide, null]])],
  ];
  for (const value of values) {
    const once = Buffer.concat([writeAmf0([value]), Buffer.from('070000', 'hex')]);
    assert.deepEqual(readAmf0(once), [value, value]);
    const often = Buffer.concat([once, Buffer.from('070000'.repeat(300), 'hex')]);
    assert.throws(() => readAmf0(often), { ...refused, message: /string bytes/ });
  }
});

test('references are paid for: a copy may not be deeper than the limit', () => {
  const deep = `0a 00000001 ${'0a00000001'.repeat(29)} 05`;
  const under = (levels: number) => `${'0a00000001'.repeat(levels)} 07 0000`;
  assert.equal(readAmf0(bytes(`${deep} ${under(2)}`)).length, 2);
  assert.throws(() => readAmf0(bytes(`${deep} ${under(3)}`)), { ...refused, message: /deep/ });
});

test('refusals are errors of the peer, never of ours', () => {
  for (let marker = 0; marker < 256; marker++) {
    for (const rest of ['', '00', 'ffffffff', '00000000', '0001610009']) {
      const message = Buffer.concat([Buffer.of(marker), Buffer.from(rest, 'hex')]);
      try {
        readAmf0(message);
      } catch (error) {
        assert.ok(error instanceof PeerError, `${message.toString('hex')}: ${error}`);
      }
    }
  }
});
