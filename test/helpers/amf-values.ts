/** AMF values of every kind, for laws. */
import fc from 'fast-check';
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  type AmfObject,
  AmfTypedObject,
  type AmfValue,
} from '../../src/rtmp/amf-value.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('__proto__', 'toString', 'constructor', 'ключ', '🎥'),
);
const name = text.filter((key) => key !== '');

const scalar: fc.Arbitrary<AmfValue> = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(
    -0,
    0x0fff_ffff,
    0x1000_0000,
    -0x1000_0000,
    -0x1000_0001,
    127,
    128,
    16_383,
    16_384,
    0x1f_ffff,
    0x20_0000,
  ),
  fc.boolean(),
  text,
  fc.constantFrom(null, undefined),
  fc.double().map((millis) => new AmfDate(millis)),
  fc.uint8Array({ maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
);

/** Trees that both versions of AMF can say and give back as they were. */
export const amfValue: fc.Arbitrary<AmfValue> = fc.letrec<{ value: AmfValue }>((tie) => {
  const value = tie('value');
  const fields = (minLength: number): fc.Arbitrary<AmfObject> =>
    fc
      .uniqueArray(fc.tuple(name, value), { minLength, maxLength: 4, selector: ([key]) => key })
      .map((all) => new Map(all));
  return {
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(value, { maxLength: 4 }),
      fields(0),
      // Without keys, AMF 3 cannot tell it from a list.
      fields(1).map((all) => new AmfEcmaArray(all)),
      fc.tuple(name, fields(0)).map(([className, all]) => new AmfTypedObject(className, all)),
      fc.array(fc.tuple(value, value), { maxLength: 3 }).map((entries) => new AmfDictionary(entries)),
    ),
  };
}).value;
