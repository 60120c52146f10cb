/** Return: reading what was written gives back the value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader } from '../../src/base/bytes.ts';
import { PeerError } from '../../src/base/errors.ts';
import { AMF_LIMITS, AmfBudget } from '../../src/rtmp/amf-value.ts';
import { readAmf0, writeAmf0 } from '../../src/rtmp/amf0.ts';
import { readAmf3Value } from '../../src/rtmp/amf3.ts';
import { writeAmf3 } from '../../src/rtmp/amf3-writer.ts';
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts';
import {
  headerBytes,
  messageSize,
  writeHeaderInto,
  writeMessage,
  writeMessageInto,
} from '../../src/rtmp/chunk-writer.ts';
import { MESSAGE, writeSetChunkSize } from '../../src/rtmp/messages.ts';
import { amfValue } from '../helpers/amf-values.ts';
import { anyMessage } from '../helpers/chunks.ts';

test('AMF 0: any list of values comes back, and no beginning of it is taken for the whole', () => {
  fc.assert(
    fc.property(fc.array(amfValue, { minLength: 1, maxLength: 3 }), fc.nat(), (values, cut) => {
      const bytes = writeAmf0(values);
      assert.deepEqual(readAmf0(bytes), values);
      const lastBegins = writeAmf0(values.slice(0, -1)).length;
      const short = lastBegins + 1 + (cut % (bytes.length - lastBegins));
      if (short < bytes.length) assert.throws(() => readAmf0(bytes.subarray(0, short)), PeerError);
    }),
    { numRuns: 500 },
  );
});

test('AMF 3: any value comes back', () => {
  fc.assert(
    fc.property(amfValue, (value) => {
      const reader = new ByteReader(writeAmf3(value), 'rtmp/amf');
      assert.deepEqual(readAmf3Value(reader, new AmfBudget(AMF_LIMITS)), value);
      assert.equal(reader.remaining, 0);
    }),
    { numRuns: 500 },
  );
});

test('AMF 0 with a value in AMF 3: the rest is AMF 0 again', () => {
  fc.assert(
    fc.property(amfValue, amfValue, (inside, behind) => {
      const bytes = Buffer.concat([Buffer.of(17), writeAmf3(inside), writeAmf0([behind])]);
      assert.deepEqual(readAmf0(bytes), [inside, behind]);
    }),
  );
});

test('messages: what the writer lays down, the reader takes up; sizes are told beforehand', () => {
  const chunkSize = fc.constantFrom(1, 7, 128, 4096, 65_536);
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 5 }), chunkSize, (messages, chunkSize) => {
      const announced = { typeId: MESSAGE.SetChunkSize, streamId: 0, timestamp: 0, body: writeSetChunkSize(chunkSize) };
      const reader = new ChunkReader();
      reader.feed(writeMessage(announced, 128, 2));
      assert.equal(reader.next(), undefined);
      for (const message of messages) {
        const { chunkStreamId: id, timestamp, body } = message;
        const bytes = writeMessage(message, chunkSize, id);
        assert.equal(bytes.length, messageSize(body.length, timestamp, chunkSize, id));
        reader.feed(bytes);
        assert.deepEqual(reader.next(), message);
        assert.equal(reader.next(), undefined);
      }
    }),
    { numRuns: 300 },
  );
});

test('a message of one chunk is a header in front of its body, wherever that lies', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(20), (message, offset) => {
      const { typeId, streamId, timestamp, chunkStreamId: id, body } = message;
      const header = headerBytes(timestamp, id);
      const target = Buffer.alloc(offset + header + body.length + 3, 0x5a);
      body.copy(target, offset + header);
      assert.equal(writeHeaderInto(target, offset, id, typeId, streamId, timestamp, body.length), offset + header);
      const end = offset + header + body.length;
      const apart = writeMessage(message, 65_536, id);
      assert.deepEqual(target.subarray(offset, end), apart);

      const whole = Buffer.alloc(target.length, 0x5a);
      assert.equal(writeMessageInto(whole, offset, message, 65_536, id), end);
      assert.deepEqual(whole, target);
    }),
  );
});
