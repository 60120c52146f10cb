/**
 * VP9 frames out of payloads (RFC 9628 section 4): all layers of a picture, as one frame or superframe.
 */
import { vp9ConfigOf } from '../media/vpx-record.ts';
import type { Picture, PictureReader } from './picture-depacketizer.ts';
import type { UnitBytes } from './unit-bytes.ts';

/** The first byte of the payload descriptor. */
export const VP9 = {
  pictureId: 0x80,
  inter: 0x40,
  layers: 0x20,
  flexible: 0x10,
  begin: 0x08,
  end: 0x04,
  scalability: 0x02,
} as const;

/** In the scalability structure: sizes of the layers, and pictures of a group. */
export const VP9_HAS_SIZES = 0x10;
const HAS_GROUP = 0x08;
/** Picture identifiers of 15 bits. */
const LONG_ID = 0x80;
/** One more reference follows; three at most. */
const MORE_REFERENCES = 1;
const MAX_REFERENCES = 3;
/** The spatial layer in the byte of layer indices. */
const SPATIAL = 0x0e;
/** A superframe holds so many frames. */
const MAX_FRAMES = 8;

interface Descriptor {
  readonly size: number;
  /** 0 without layers. */
  readonly spatial: number;
}

/** Reads the descriptor; a size above the payload's means that it is cut off. */
function readDescriptor(payload: Buffer): Descriptor {
  const flags = payload[0]!;
  let at = 1;
  let spatial = 0;
  if ((flags & VP9.pictureId) !== 0) at += ((payload[at] ?? 0) & LONG_ID) !== 0 ? 2 : 1;
  if ((flags & VP9.layers) !== 0) {
    spatial = ((payload[at] ?? 0) & SPATIAL) >> 1;
    // TL0PICIDX
    at += (flags & VP9.flexible) !== 0 ? 1 : 2;
  }
  if ((flags & VP9.flexible) !== 0 && (flags & VP9.inter) !== 0) {
    for (let left = MAX_REFERENCES; left > 0; left--) {
      const reference = payload[at++] ?? 0;
      if ((reference & MORE_REFERENCES) === 0) break;
    }
  }
  if ((flags & VP9.scalability) !== 0) at = scalabilityEnd(payload, at);
  return { size: at, spatial };
}

function scalabilityEnd(payload: Buffer, start: number): number {
  const structure = payload[start] ?? 0;
  let at = start + 1;
  if ((structure & VP9_HAS_SIZES) !== 0) at += 4 * ((structure >> 5) + 1);
  if ((structure & HAS_GROUP) !== 0) {
    for (let left = payload[at++] ?? 0; left > 0 && at < payload.length; left--) at += 1 + ((payload[at]! >> 2) & 3);
  }
  return at;
}

export class Vp9Reader implements PictureReader {
  /** Where the frames of the picture begin, one for each layer. */
  #starts: number[] = [];
  #open = false;
  #config: Buffer | undefined;

  start(): void {
    this.#starts = [];
    this.#open = false;
  }

  take(payload: Buffer, bytes: UnitBytes): boolean {
    const flags = payload[0]!;
    const { size, spatial } = readDescriptor(payload);
    if (size >= payload.length) return false;
    const begins = (flags & VP9.begin) !== 0;
    if (begins === this.#open) return false;
    if (begins) {
      // a picture begins with its lowest layer
      if (this.#starts.length === MAX_FRAMES || (this.#starts.length === 0 && spatial !== 0)) return false;
      this.#starts.push(bytes.length);
    }
    this.#open = (flags & VP9.end) === 0;
    return bytes.append(payload, size);
  }

  finish(bytes: UnitBytes): Picture | 'empty' | 'damaged' {
    if (this.#open) return 'damaged';
    if (this.#starts.length === 0) return 'empty';
    if (this.#starts.length > 1 && !bytes.append(superframeIndex(this.#starts, bytes.length))) return 'damaged';
    const data = bytes.copy();
    const config = vp9ConfigOf(data);
    if (config !== undefined && !this.#config?.equals(config)) this.#config = config;
    return this.#config === undefined ? 'damaged' : { key: config !== undefined, data, config: this.#config };
  }
}

/** Annex B of the bitstream specification: sizes in little endian, between two equal bytes that say how many and how wide. */
function superframeIndex(starts: readonly number[], end: number): Buffer {
  const WIDTH = 4;
  const marker = 0xc0 | ((WIDTH - 1) << 3) | (starts.length - 1);
  const index = Buffer.alloc(2 + WIDTH * starts.length, marker);
  starts.forEach((start, frame) => {
    index.writeUInt32LE((starts[frame + 1] ?? end) - start, 1 + WIDTH * frame);
  });
  return index;
}
