import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nalUnits } from '../../src/media/nal-units.ts';
import { joinNalUnits } from '../helpers/nal-units.ts';

test('NAL units are views, in order, and join to what they came from', () => {
  const unit = fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.array(unit), (units) => {
      const data = joinNalUnits(units);
      const read = [...nalUnits(data, 4)];
      assert.deepEqual(read, units);
      assert.ok(read.every((view) => view.buffer === data.buffer));
    }),
  );
});

const cases = [
  { name: 'one-byte lengths', lengthSize: 1, data: '0265880141', units: ['6588', '41'] },
  { name: 'two-byte lengths', lengthSize: 2, data: '0002658800' + '0141', units: ['6588', '41'] },
  { name: 'empty units are skipped', lengthSize: 2, data: '00000001410000', units: ['41'] },
  { name: 'a cut-off unit is left out', lengthSize: 4, data: '00000001650000000541', units: ['65'] },
  { name: 'a cut-off length is left out', lengthSize: 4, data: '0000000165000000', units: ['65'] },
  { name: 'a length with the highest bit set', lengthSize: 4, data: 'ffffffff65', units: [] },
  { name: 'nothing', lengthSize: 4, data: '', units: [] },
];

for (const { name, lengthSize, data, units } of cases) {
  test(`NAL units: ${name}`, () => {
    const read = [...nalUnits(Buffer.from(data, 'hex'), lengthSize)];
    assert.deepEqual(
      read.map((unit) => unit.toString('hex')),
      units,
    );
  });
}
