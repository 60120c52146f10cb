import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import { FlvReader, flvFromFrame } from '../../src/rtmp/flv.ts';
import { MAX_CONFIG_BYTES } from '../../src/rtmp/flv-frame.ts';
import { amfString, frame, metadataBody } from '../helpers/frames.ts';

const SET = amfString('@setDataFrame');
const META = metadataBody({ width: 1280, encoder: 'obs' });
const CUE = Buffer.concat([amfString('onCuePoint'), Buffer.of(5)]);
const NUMBER = Buffer.alloc(9);

const rows = [
  { name: 'onMetaData', typeId: 18, message: META, relayed: META, role: 'config' },
  {
    name: 'onMetaData behind @setDataFrame',
    typeId: 18,
    message: Buffer.concat([SET, META]),
    relayed: META,
    role: 'config',
  },
  {
    name: 'onMetaData in AMF3 framing',
    typeId: 15,
    message: Buffer.concat([Buffer.of(0), SET, META]),
    relayed: META,
    role: 'config',
  },
  { name: 'a cue point', typeId: 18, message: CUE, relayed: CUE, role: 'delta' },
  {
    name: 'a cue point behind @setDataFrame',
    typeId: 18,
    message: Buffer.concat([SET, CUE]),
    relayed: CUE,
    role: 'delta',
  },
  {
    name: 'a cue point in AMF3 framing',
    typeId: 15,
    message: Buffer.concat([Buffer.of(0), CUE]),
    relayed: CUE,
    role: 'delta',
  },
  { name: 'AMF3 framing that is missing', typeId: 15, message: CUE, relayed: CUE, role: 'delta' },
  { name: 'data without a name', typeId: 18, message: NUMBER, relayed: NUMBER, role: 'delta' },
  {
    name: 'AMF3 data without a name',
    typeId: 15,
    message: Buffer.of(9, 1),
    relayed: Buffer.of(9, 1),
    role: 'delta',
    as: 15,
  },
  {
    name: 'a name that only begins alike',
    typeId: 18,
    message: amfString('onMetaDatum'),
    relayed: amfString('onMetaDatum'),
    role: 'delta',
  },
];

for (const { name, typeId, message, relayed, role, as = 18 } of rows) {
  test(`data message: ${name}`, () => {
    const read = new FlvReader().frameFromFlv(typeId, 40, message);
    assert.ok(read);
    assert.equal(read.kind, 'data');
    assert.equal(read.role, role);
    assert.equal(read.codec, role === 'config' ? 'metadata' : 'other');
    assert.deepEqual(read.data, relayed);
    assert.deepEqual(read.body, relayed);
    assert.deepEqual([read.typeId, read.millis, read.dts, read.pts], [as, 40, 40_000, 40_000]);
    if (role === 'config') assert.equal(read.body.buffer.byteLength, relayed.length);
    else assert.equal(read.body.buffer, message.buffer);
  });
}

const nothing = [SET, Buffer.concat([amfString('@clearDataFrame'), amfString('onMetaData')]), Buffer.alloc(0)];

for (const message of nothing) {
  test(`a message for the server alone is not relayed: ${message.toString('latin1')}`, () => {
    assert.equal(new FlvReader().frameFromFlv(18, 0, message), undefined);
  });
}

test('AMF3 framing of nothing is nothing', () => {
  assert.equal(new FlvReader().frameFromFlv(15, 0, Buffer.of(0)), undefined);
});

test('metadata is bounded', () => {
  const message = Buffer.concat([SET, META, Buffer.alloc(MAX_CONFIG_BYTES - META.length)]);
  assert.equal(new FlvReader().frameFromFlv(18, 0, message)?.role, 'config');
  const larger = Buffer.concat([message, Buffer.of(0)]);
  assert.throws(() => new FlvReader().frameFromFlv(18, 0, larger), PeerError);
});

test('metadata from elsewhere is written as it is', () => {
  const metadata = frame('data', 'config', 5, { data: META });
  const written = flvFromFrame(metadata);
  assert.deepEqual(written, { typeId: 18, millis: 5, body: META });
});
