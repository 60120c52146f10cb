/**
 * H.264 out of an FLV stream that ffmpeg writes (FLV 10.1, annex E): the configuration record, then a tag for each picture.
 */
import { PeerError } from '../../base/errors.ts';
import type { Micros } from '../frame.ts';

export interface EncodedPicture {
  /** `data` is the AVCDecoderConfigurationRecord. */
  readonly config: boolean;
  readonly key: boolean;
  /** Whole milliseconds. */
  readonly time: Micros;
  /** NAL units behind lengths of four bytes; a copy. */
  readonly data: Buffer;
}

const FILE_HEADER_BYTES = 13;
const TAG_HEADER_BYTES = 11;
const TAG_SIZE_BYTES = 4;
const VIDEO_HEADER_BYTES = 5;
const VIDEO = 9;
const KEY_H264 = 0x17;
const DELTA_H264 = 0x27;
const RECORD = 0;
const PICTURE = 1;
/** One picture; far more than the bitrate we ask for allows. */
const MAX_TAG = 8 << 20;
const MICROS = 1_000;

export class FlvTags {
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;

  /** Takes what was read next; gives each picture that is whole by now. Throws `PeerError` when it is no such stream. */
  *push(bytes: Buffer): Generator<EncodedPicture, void, undefined> {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    if (!this.#begun && all.length >= FILE_HEADER_BYTES) {
      if (all.toString('latin1', 0, 3) !== 'FLV') throw new PeerError('media/encoder', 'ffmpeg answers with no FLV');
      this.#begun = true;
      at = FILE_HEADER_BYTES;
    }
    while (this.#begun && at + TAG_HEADER_BYTES <= all.length) {
      const size = all.readUIntBE(at + 1, 3);
      if (size > MAX_TAG) throw new PeerError('media/encoder', `ffmpeg answers with a picture of ${size} bytes`);
      const start = at + TAG_HEADER_BYTES;
      const next = start + size + TAG_SIZE_BYTES;
      if (next > all.length) break;
      const picture = pictureOf(all, at, all.subarray(start, start + size));
      at = next;
      if (picture !== undefined) yield picture;
    }
    this.#rest = Buffer.from(all.subarray(at));
  }
}

function pictureOf(all: Buffer, at: number, body: Buffer): EncodedPicture | undefined {
  if (all[at] !== VIDEO || body.length <= VIDEO_HEADER_BYTES) return undefined;
  const [coding, type] = body;
  if ((coding !== KEY_H264 && coding !== DELTA_H264) || (type !== RECORD && type !== PICTURE)) return undefined;
  // eight more bits stand behind the first 24
  const decoded = all.readUIntBE(at + 4, 3) + all[at + 7]! * 0x100_0000;
  return {
    config: type === RECORD,
    key: coding === KEY_H264,
    time: (decoded + body.readIntBE(2, 3)) * MICROS,
    data: Buffer.from(body.subarray(VIDEO_HEADER_BYTES)),
  };
}
