/**
 * The frame that all RTCP packets share (RFC 3550 section 6.4): a byte with a count or format, a type, and the length in words.
 */

export const RTCP = {
  SenderReport: 200,
  ReceiverReport: 201,
  SourceDescription: 202,
  Goodbye: 203,
  TransportFeedback: 205,
  PayloadFeedback: 206,
} as const;

/** The part behind the header word of one packet. */
export interface RtcpBody {
  readonly type: number;
  /** Count or feedback format: five bits. */
  readonly count: number;
  /** A view, without padding. */
  readonly body: Buffer;
}

const VERSION = 0x80;
const PADDING = 0x20;
/** Packets in one compound that are looked at; browsers send up to six. */
const MAX_PACKETS = 32;

/** The packets of a compound, in order, up to the first that is malformed. Any packet may lead (RFC 5506). */
export function rtcpBodies(compound: Buffer): RtcpBody[] {
  const bodies: RtcpBody[] = [];
  for (let at = 0; at + 4 <= compound.length && bodies.length < MAX_PACKETS; ) {
    const first = compound[at]!;
    const end = at + 4 + 4 * compound.readUInt16BE(at + 2);
    if ((first & 0xc0) !== VERSION || end > compound.length) break;
    const padding = (first & PADDING) === 0 ? 0 : compound[end - 1]!;
    if ((first & PADDING) !== 0 && (padding === 0 || padding > end - at - 4)) break;
    bodies.push({ type: compound[at + 1]!, count: first & 31, body: compound.subarray(at + 4, end - padding) });
    at = end;
  }
  return bodies;
}

/** A zeroed packet with its header; `length` bytes behind it, rounded up to whole words. The caller fills in from byte 4. */
export function rtcpPacket(type: number, count: number, length: number): Buffer {
  const words = (length + 3) >> 2;
  const packet = Buffer.alloc(4 + 4 * words);
  packet[0] = VERSION | count;
  packet[1] = type;
  packet.writeUInt16BE(words, 2);
  return packet;
}
