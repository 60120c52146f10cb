/**
 * Why a stream that is live has no pictures for browsers.
 */
import { ERRORS } from '../base/error-table.ts';
import type { LastWords } from './signalling.ts';

export const REORDERED: LastWords = {
  code: 'stream/b-frames',
  reason: `${ERRORS['stream/b-frames']!.what} ${ERRORS['stream/b-frames']!.fix}`,
};

/** Re-encoding was the only way to show pictures, and failed. */
export function lackOfPictures(failure: LastWords, reordered: boolean): LastWords {
  if (!reordered) return failure;
  return { code: REORDERED.code, reason: `${REORDERED.reason} Re-encoding failed: ${failure.reason}` };
}
