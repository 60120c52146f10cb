import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leb128, obus, readLeb128 } from '../../src/media/obu.ts';

test('numbers both ways', () => {
  for (const [value, text] of [
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [16_384, '808001'],
    [0x7fff_ffff, 'ffffffff07'],
  ] as const) {
    const bytes = Buffer.from(text, 'hex');
    assert.deepEqual(leb128(value), bytes);
    assert.deepEqual(readLeb128(Buffer.concat([Buffer.of(9), bytes]), 1), { value, end: 1 + bytes.length });
    assert.equal(readLeb128(bytes.subarray(0, -1), 0), undefined);
  }
  assert.deepEqual(readLeb128(Buffer.from('8080808000', 'hex'), 0), { value: 0, end: 5 });
  assert.equal(readLeb128(Buffer.from('8080808010', 'hex'), 0), undefined, 'above 32 bits');
});

test('units with and without extension and size', () => {
  const read = [...obus(Buffer.from('1200' + '0e2802aabb' + '30cc', 'hex'))];
  assert.deepEqual(
    read.map(({ type, header, payload }) => [type, header.toString('hex'), payload.toString('hex')]),
    [
      [2, '12', ''],
      [1, '0e28', 'aabb'],
      [6, '30', 'cc'],
    ],
  );
});

test('cut-off units end the list', () => {
  for (const text of ['3205aa', '36', '32', '3280']) assert.deepEqual([...obus(Buffer.from(text, 'hex'))], [], text);
});
