/** The body of a command or data message, AMF 3 inside it included. What is read can be written and read again. */
import assert from 'node:assert/strict';
import { AMF_LIMITS } from '../../../src/rtmp/amf-value.ts';
import { readAmf0, writeAmf0 } from '../../../src/rtmp/amf0.ts';
import type { FuzzTarget } from '../target.ts';

/** A malformed byte is read as a character of three. */
const AGAIN = { ...AMF_LIMITS, maxStringBytes: 3 * AMF_LIMITS.maxStringBytes };

export const target: FuzzTarget = {
  name: 'amf0',
  run(bytes) {
    const values = readAmf0(bytes);
    const written = writeAmf0(values);
    assert.ok(written.length <= 16 * AMF_LIMITS.maxNodes + AGAIN.maxStringBytes, `${written.length} bytes written`);
    assert.deepEqual(readAmf0(written, 0, AGAIN), values);
  },
};
