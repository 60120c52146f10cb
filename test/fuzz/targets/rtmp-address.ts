/** What a client asks for: an address, and as a stream name. What is not refused has names that a site can be told. */
import assert from 'node:assert/strict';
import { RefusedError } from '../../../src/base/errors.ts';
import { parseRtmpAddress, parseStreamName } from '../../../src/session/address.ts';
import { isSafeName } from '../../../src/session/safe-text.ts';
import type { FuzzTarget } from '../target.ts';

export const target: FuzzTarget = {
  name: 'rtmp-address',
  run(bytes) {
    const text = bytes.toString();
    const address = unlessRefused(() => parseRtmpAddress(text, text));
    if (address !== undefined) assert.ok(isSafeName(address.app));
    for (const name of address?.params.slice(0, 2) ?? []) assert.ok(name === '' || isSafeName(name));
    const stream = unlessRefused(() => parseStreamName(text));
    if (stream !== undefined) assert.ok(isSafeName(stream.name) && !stream.name.split('/').includes('..'));
  },
};

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
