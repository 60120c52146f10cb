/**
 * The RTP header (RFC 3550 section 5.1) and its extensions (RFC 8285). Reading looks at the packet where it lies and copies nothing.
 */

/** What a header says, and where the payload lies in the packet. */
export interface RtpHeader {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payloadStart: number;
  /** Padding lies behind. */
  readonly payloadEnd: number;
}

export type RtpHeaderFields = Omit<RtpHeader, 'payloadStart' | 'payloadEnd'>;

/** A header without contributing sources and extensions. */
export const RTP_HEADER_BYTES = 12;

const VERSION = 2;
const PADDING = 0x20;
const EXTENSION = 0x10;
const MARKER = 0x80;
const ONE_BYTE_FORM = 0xbede;
/** The low four bits are the application's. */
const TWO_BYTE_FORM = 0x1000;
/** In the one-byte form: stop reading (RFC 8285 section 4.2). */
const STOP = 15;
const MAX_ONE_BYTE_ID = 14;
const MAX_ONE_BYTE_LENGTH = 16;
const MAX_EXTENSION_WORDS = 0xffff;

/**
 * Bytes of the header with contributing sources and extensions, which SRTP leaves readable; undefined when the packet is shorter or of
 * another version.
 */
export function rtpHeaderSize(packet: Buffer): number | undefined {
  const { length } = packet;
  if (length < RTP_HEADER_BYTES || packet[0]! >> 6 !== VERSION) return undefined;
  let size = RTP_HEADER_BYTES + 4 * (packet[0]! & 15);
  if ((packet[0]! & EXTENSION) !== 0) {
    if (size + 4 > length) return undefined;
    size += 4 + 4 * packet.readUInt16BE(size + 2);
  }
  return size <= length ? size : undefined;
}

/** Reads the header of a packet that is not encrypted; undefined when it is cut off or its padding is impossible. */
export function readRtpHeader(packet: Buffer): RtpHeader | undefined {
  const payloadStart = rtpHeaderSize(packet);
  if (payloadStart === undefined) return undefined;
  let payloadEnd = packet.length;
  if ((packet[0]! & PADDING) !== 0) {
    const padding = packet[payloadEnd - 1]!;
    if (padding === 0 || padding > payloadEnd - payloadStart) return undefined;
    payloadEnd -= padding;
  }
  const second = packet[1]!;
  return {
    marker: second >= MARKER,
    payloadType: second & 127,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    payloadStart,
    payloadEnd,
  };
}

/** A view of extension `id`; undefined when the packet has none. Both functions below want a packet whose header is whole. */
export function extensionOf(packet: Buffer, id: number): Buffer | undefined {
  const place = findExtension(packet, id);
  return place < 0 ? undefined : packet.subarray(place >> 8, (place >> 8) + (place & 255));
}

/** Extension `id` as an unsigned number; undefined when the packet has none, or not one of 1 to 6 bytes. Allocates nothing. */
export function extensionNumber(packet: Buffer, id: number): number | undefined {
  const place = findExtension(packet, id);
  const length = place & 255;
  return place < 0 || length === 0 || length > 6 ? undefined : packet.readUIntBE(place >> 8, length);
}

/** Where the value of extension `id` lies, times 256, plus its length; -1 when there is none. */
function findExtension(packet: Buffer, id: number): number {
  if ((packet[0]! & EXTENSION) === 0) return -1;
  const block = RTP_HEADER_BYTES + 4 * (packet[0]! & 15);
  const form = packet.readUInt16BE(block);
  const end = block + 4 + 4 * packet.readUInt16BE(block + 2);
  const oneByte = form === ONE_BYTE_FORM;
  if (!oneByte && (form & 0xfff0) !== TWO_BYTE_FORM) return -1;
  let at = block + 4;
  while (at < end) {
    const first = packet[at++]!;
    // a padding byte stands alone
    if (first === 0) continue;
    const found = oneByte ? first >> 4 : first;
    if (oneByte && found === STOP) return -1;
    if (!oneByte && at === end) return -1;
    const length = oneByte ? (first & 15) + 1 : packet[at++]!;
    if (at + length > end) return -1;
    if (found === id) return (at << 8) | length;
    at += length;
  }
  return -1;
}

/** Writes a header at `offset` of `target`, `extensions` as `writeExtensions` made them behind it. Answers where the payload starts. */
export function writeRtpHeader(target: Buffer, offset: number, fields: RtpHeaderFields, extensions?: Buffer): number {
  target[offset] = (VERSION << 6) | (extensions === undefined ? 0 : EXTENSION);
  target[offset + 1] = (fields.marker ? MARKER : 0) | fields.payloadType;
  target.writeUInt16BE(fields.sequence, offset + 2);
  target.writeUInt32BE(fields.timestamp, offset + 4);
  target.writeUInt32BE(fields.ssrc, offset + 8);
  const end = offset + RTP_HEADER_BYTES;
  return extensions === undefined ? end : end + extensions.copy(target, end);
}

export interface RtpExtension {
  /** 1 to 255. */
  readonly id: number;
  /** At most 255 bytes. */
  readonly value: Buffer;
}

/** An extension block for `writeRtpHeader`, padded to whole words: in the one-byte form when all of them fit it. */
export function writeExtensions(extensions: readonly RtpExtension[]): Buffer {
  const oneByte = extensions.every(
    ({ id, value }) => id <= MAX_ONE_BYTE_ID && value.length > 0 && value.length <= MAX_ONE_BYTE_LENGTH,
  );
  let size = 0;
  for (const { value } of extensions) size += (oneByte ? 1 : 2) + value.length;
  const words = (size + 3) >> 2;
  if (words > MAX_EXTENSION_WORDS) throw new RangeError(`extensions of ${size} bytes`);
  const block = Buffer.alloc(4 + 4 * words);
  block.writeUInt16BE(oneByte ? ONE_BYTE_FORM : TWO_BYTE_FORM, 0);
  block.writeUInt16BE(words, 2);
  let at = 4;
  for (const { id, value } of extensions) {
    if (oneByte) {
      block[at++] = (id << 4) | (value.length - 1);
    } else {
      block[at++] = id;
      block[at++] = value.length;
    }
    at += value.copy(block, at);
  }
  return block;
}
