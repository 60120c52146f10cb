/**
 * VP8 as RTP payloads (RFC 7741).
 */
import type { Frame } from '../media/frame.ts';
import { readVp8Size } from '../media/vpx.ts';
import { vp8ConfigOf } from '../media/vpx-record.ts';
import { type Descriptors, evenPayloads } from './even-payloads.ts';
import { type Picture, PictureDepacketizer, type PictureReader } from './picture-depacketizer.ts';
import type { Depacketizer, RtpPayload } from './rtp.ts';
import type { UnitBytes } from './unit-bytes.ts';

/** First byte of the payload descriptor: extended, start of a partition, partition index. */
const EXTENDED = 0x80;
const START = 0x10;
const PARTITION = 7;
/** Second byte: picture id, TL0PICIDX, temporal layer, key index. */
const PICTURE_ID = 0x80;
const TL0_PICTURE = 0x40;
const LAYER_OR_KEY = 0x30;
/** The picture id has 15 bits. */
const LONG_ID = 0x80;
/** In the first byte of a frame: not a key frame. */
const INTER_FRAME = 1;

const FIRST = Buffer.of(START);
const FURTHER = Buffer.of(0);
const DESCRIPTORS: Descriptors = { only: FIRST, first: FIRST, middle: FURTHER, last: FURTHER };

/** One frame, its partitions not told apart. Without picture identifiers: sequence numbers tell a receiver of one layer all it needs. */
export function packetizeVp8(frame: Frame, maxSize: number): readonly RtpPayload[] {
  return evenPayloads(frame.data, DESCRIPTORS, maxSize);
}

/** Bytes of the payload descriptor; more than the payload has when it is cut off. */
function descriptorSize(payload: Buffer): number {
  if ((payload[0]! & EXTENDED) === 0) return 1;
  const flags = payload[1] ?? 0;
  let size = 2;
  if ((flags & PICTURE_ID) !== 0) size += ((payload[2] ?? 0) & LONG_ID) !== 0 ? 2 : 1;
  if ((flags & TL0_PICTURE) !== 0) size += 1;
  if ((flags & LAYER_OR_KEY) !== 0) size += 1;
  return size;
}

class Vp8Reader implements PictureReader {
  #config: Buffer | undefined;

  start(): void {}

  take(payload: Buffer, bytes: UnitBytes): boolean {
    const size = descriptorSize(payload);
    if (size >= payload.length) return false;
    // a picture begins with partition 0, and only there
    const begins = (payload[0]! & START) !== 0 && (payload[0]! & PARTITION) === 0;
    return begins === (bytes.length === 0) && bytes.append(payload, size);
  }

  finish(bytes: UnitBytes): Picture | 'empty' | 'damaged' {
    if (bytes.length === 0) return 'empty';
    const data = bytes.copy();
    const key = (data[0]! & INTER_FRAME) === 0;
    if (key) {
      if (readVp8Size(data) === undefined) return 'damaged';
      this.#config = vp8ConfigOf(data);
    }
    return this.#config === undefined ? 'damaged' : { key, data, config: this.#config };
  }
}

export function vp8Depacketizer(): Depacketizer {
  return new PictureDepacketizer(new Vp8Reader());
}
