/**
 * VP9 as RTP payloads (RFC 9628): written for one layer, read for several.
 */
import type { Frame } from '../media/frame.ts';
import { readVp9Size } from '../media/vpx.ts';
import { type Descriptors, evenPayloads } from './even-payloads.ts';
import { PictureDepacketizer } from './picture-depacketizer.ts';
import type { Depacketizer, RtpPayload } from './rtp.ts';
import { VP9, VP9_HAS_SIZES, Vp9Reader } from './vp9-reader.ts';

function descriptors(flags: number, structure: Buffer): Descriptors {
  const first = (end: number): Buffer => {
    const scalability = structure.length > 0 ? VP9.scalability : 0;
    return Buffer.concat([Buffer.of(flags | VP9.begin | end | scalability), structure]);
  };
  const [middle, last] = [Buffer.of(flags), Buffer.of(flags | VP9.end)];
  return { only: first(VP9.end), first: first(0), middle, last };
}

const NO_STRUCTURE = Buffer.alloc(0);
const INTER = descriptors(VP9.inter, NO_STRUCTURE);
const KEY_WITHOUT_SIZE = descriptors(0, NO_STRUCTURE);

/**
 * One frame or superframe. A key frame tells its size. Without picture identifiers: sequence numbers tell a receiver of one layer all it
 * needs.
 */
export function packetizeVp9(frame: Frame, maxSize: number): readonly RtpPayload[] {
  if (frame.role !== 'key') return evenPayloads(frame.data, INTER, maxSize);
  const size = readVp9Size(frame.data);
  if (size === undefined) return evenPayloads(frame.data, KEY_WITHOUT_SIZE, maxSize);
  const structure = Buffer.of(VP9_HAS_SIZES, size.width >> 8, size.width & 255, size.height >> 8, size.height & 255);
  return evenPayloads(frame.data, descriptors(0, structure), maxSize);
}

export function vp9Depacketizer(): Depacketizer {
  return new PictureDepacketizer(new Vp9Reader());
}
