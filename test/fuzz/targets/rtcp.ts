/** A compound, decrypted: what was read can be written, and reads the same again. */
import assert from 'node:assert/strict';
import { readRtcp, writeRtcp } from '../../../src/webrtc/rtcp.ts';
import type { FuzzTarget } from '../target.ts';

export const target: FuzzTarget = {
  name: 'rtcp',
  run(bytes) {
    for (const item of readRtcp(bytes)) {
      // what cannot be told apart on the wire: numbers asked for twice, names that are no UTF-8
      if (item.type === 'nack' || item.type === 'sdes') writeRtcp([item]);
      else assert.deepEqual(readRtcp(writeRtcp([item])), [item]);
    }
  },
};
