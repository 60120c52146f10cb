/**
 * A frame cut into equal pieces behind descriptors of a fixed form, as VP8 and VP9 have it.
 */
import type { RtpPayload } from './rtp.ts';

/** Pieces of `data`: the first behind `first`, all others behind `further`. Nothing for an empty frame. */
export function evenPayloads(data: Buffer, first: Buffer, further: Buffer, maxSize: number): readonly RtpPayload[] {
  const payloads: RtpPayload[] = [];
  const count = Math.ceil((data.length + first.length - further.length) / (maxSize - further.length));
  const room = Math.ceil((data.length + first.length + (count - 1) * further.length) / count);
  for (let at = 0; at < data.length; ) {
    const descriptor = at === 0 ? first : further;
    const end = Math.min(data.length, at + room - descriptor.length);
    const size = descriptor.length + end - at;
    payloads.push({ parts: [descriptor, data.subarray(at, end)], size, marker: end === data.length });
    at = end;
  }
  return payloads;
}
