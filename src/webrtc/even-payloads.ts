/**
 * A frame cut into equal pieces behind descriptors of a fixed form, as VP8 and VP9 have it.
 */
import type { RtpPayload } from './rtp.ts';

/** What stands in front of a piece, by its place in the frame; `middle` and `last` are equally long. */
export interface Descriptors {
  readonly only: Buffer;
  readonly first: Buffer;
  readonly middle: Buffer;
  readonly last: Buffer;
}

/** Nothing for an empty frame. */
export function evenPayloads(data: Buffer, descriptors: Descriptors, maxSize: number): readonly RtpPayload[] {
  const { only, first, middle, last } = descriptors;
  if (data.length === 0) return [];
  if (only.length + data.length <= maxSize) {
    return [{ parts: [only, data], size: only.length + data.length, marker: true }];
  }
  const payloads: RtpPayload[] = [];
  // as if all descriptors had the same length, and the first packet that much more to carry
  const more = first.length - middle.length;
  const count = Math.ceil((data.length + more) / (maxSize - middle.length));
  const room = Math.ceil((data.length + more) / count) + middle.length;
  for (let at = 0; at < data.length; ) {
    const rest = data.length - at;
    const descriptor = at === 0 ? first : rest + last.length <= room ? last : middle;
    const end = at + Math.min(rest, room - descriptor.length);
    const size = descriptor.length + end - at;
    payloads.push({ parts: [descriptor, data.subarray(at, end)], size, marker: end === data.length });
    at = end;
  }
  return payloads;
}
