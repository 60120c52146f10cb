/**
 * What real clients sent means what it meant when it was recorded, however TCP cuts it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '../fuzz/mutation.ts';
import { eventsOf, readCaptures } from '../helpers/capture.ts';

const CUTS = 5;
const LONGEST_PIECE = 3_000;
/** Byte by byte, only this many: the dialogue, and the first pictures. */
const SINGLE_BYTES = 24 << 10;
const MAX_BYTES = 200_000;

describe('captures', () => {
  for (const { name, bytes, client, events } of readCaptures()) {
    describe(`${name} (${client})`, () => {
      it('is as recorded', () => {
        assert.ok(bytes.length < MAX_BYTES);
        assert.deepEqual(eventsOf([bytes]), events);
      });

      it('is the same byte by byte', () => {
        const single = Array.from({ length: Math.min(SINGLE_BYTES, bytes.length) }, (_, n) => bytes.subarray(n, n + 1));
        assert.deepEqual(eventsOf([...single, bytes.subarray(single.length)]), events);
      });

      it('is the same in random pieces', () => {
        for (let seed = 1; seed <= CUTS; seed++)
          assert.deepEqual(eventsOf(pieces(bytes, seed)), events, `seed ${seed}`);
      });
    });
  }

  it('hold each kind of client', () => {
    const found = readCaptures().map(({ name }) => name);
    assert.deepEqual(found, [
      'ffmpeg-play',
      'ffmpeg-publish',
      'gstreamer-play',
      'gstreamer-publish',
      'obs-publish',
      'rtmpdump-play',
    ]);
  });
});

function pieces(bytes: Buffer, seed: number): Buffer[] {
  const random = seededRandom(seed);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random(LONGEST_PIECE);
    found.push(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}
