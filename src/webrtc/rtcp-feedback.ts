/**
 * Feedback about lost packets, broken pictures and bandwidth: generic NACK and PLI (RFC 4585 sections 6.2.1 and 6.3.1), FIR
 * (RFC 5104 section 4.3.1) and REMB (draft-alvestrand-rmcat-remb-03).
 */
import { RTCP, type RtcpBody, rtcpPacket } from './rtcp-packet.ts';

export interface Nack {
  readonly type: 'nack';
  /** SSRC of who asks. */
  readonly sender: number;
  /** SSRC of the packets asked for. */
  readonly media: number;
  /** Sequence numbers, 16 bits each, in the order of the packet. */
  readonly lost: readonly number[];
}

export interface PictureLoss {
  readonly type: 'pli';
  readonly sender: number;
  readonly media: number;
}

export interface FullIntraRequest {
  readonly type: 'fir';
  readonly sender: number;
  /** A number that is repeated with a repeated request, 8 bits. */
  readonly requests: readonly { readonly media: number; readonly number: number }[];
}

/** Receiver estimated maximum bitrate. */
export interface BitrateLimit {
  readonly type: 'remb';
  readonly sender: number;
  /** Bits a second; 18 bits of it are exact. */
  readonly bitrate: number;
  /** The streams that share it. */
  readonly media: readonly number[];
}

export type Feedback = Nack | PictureLoss | FullIntraRequest | BitrateLimit;

const FORMAT = { Nack: 1, Pli: 1, Fir: 4, Application: 15 } as const;
/** Sequence numbers taken out of one NACK. */
const MAX_LOST = 1024;
const REMB = 0x52454d42;
const MAX_MANTISSA = 2 ** 18 - 1;
const MAX_MEDIA = 255;

/** Reads feedback; undefined when it is malformed or of a format that is not known here. */
export function readFeedback({ type, count, body }: RtcpBody): Feedback | undefined {
  if (body.length < 8) return undefined;
  const sender = body.readUInt32BE(0);
  const media = body.readUInt32BE(4);
  if (type === RTCP.TransportFeedback) {
    return count === FORMAT.Nack ? { type: 'nack', sender, media, lost: readLost(body) } : undefined;
  }
  if (count === FORMAT.Pli) return { type: 'pli', sender, media };
  if (count === FORMAT.Fir) return readFir(sender, body);
  return count === FORMAT.Application ? readRemb(sender, body) : undefined;
}

export function writeFeedback(item: Feedback): Buffer {
  switch (item.type) {
    case 'nack':
      return writeNack(item);
    case 'pli':
      return feedbackPacket(RTCP.PayloadFeedback, FORMAT.Pli, item.sender, item.media, 0);
    case 'fir':
      return writeFir(item);
    case 'remb':
      return writeRemb(item);
  }
}

/** A feedback packet with `length` zeroed bytes from byte 12. */
export function feedbackPacket(type: number, format: number, sender: number, media: number, length: number): Buffer {
  const packet = rtcpPacket(type, format, 8 + length);
  packet.writeUInt32BE(sender, 4);
  packet.writeUInt32BE(media, 8);
  return packet;
}

function readLost(body: Buffer): number[] {
  const lost: number[] = [];
  for (let at = 8; at + 4 <= body.length && lost.length + 17 <= MAX_LOST; at += 4) {
    const first = body.readUInt16BE(at);
    const followers = body.readUInt16BE(at + 2);
    lost.push(first);
    for (let bit = 0; bit < 16; bit++) {
      if ((followers >> bit) & 1) lost.push((first + bit + 1) & 0xffff);
    }
  }
  return lost;
}

/** Sequence numbers within 16 behind the first of their word share it. */
function writeNack({ sender, media, lost }: Nack): Buffer {
  const words: { first: number; followers: number }[] = [];
  for (const sequence of lost) {
    const word = words.at(-1);
    const behind = word === undefined ? 0 : (sequence - word.first) & 0xffff;
    if (word !== undefined && behind >= 1 && behind <= 16) word.followers |= 1 << (behind - 1);
    else words.push({ first: sequence, followers: 0 });
  }
  const packet = feedbackPacket(RTCP.TransportFeedback, FORMAT.Nack, sender, media, 4 * words.length);
  for (const [index, { first, followers }] of words.entries()) {
    packet.writeUInt16BE(first, 12 + 4 * index);
    packet.writeUInt16BE(followers, 14 + 4 * index);
  }
  return packet;
}

function readFir(sender: number, body: Buffer): FullIntraRequest {
  const requests: { media: number; number: number }[] = [];
  for (let at = 8; at + 8 <= body.length; at += 8)
    requests.push({ media: body.readUInt32BE(at), number: body[at + 4]! });
  return { type: 'fir', sender, requests };
}

function writeFir({ sender, requests }: FullIntraRequest): Buffer {
  const packet = feedbackPacket(RTCP.PayloadFeedback, FORMAT.Fir, sender, 0, 8 * requests.length);
  for (const [index, { media, number }] of requests.entries()) {
    packet.writeUInt32BE(media, 12 + 8 * index);
    packet[16 + 8 * index] = number;
  }
  return packet;
}

/** Behind the name: how many SSRCs, then the bitrate as 6 bits of exponent and 18 of mantissa. */
function readRemb(sender: number, body: Buffer): BitrateLimit | undefined {
  if (body.length < 16 || body.readUInt32BE(8) !== REMB) return undefined;
  const size = body[12]!;
  if (body.length < 16 + 4 * size) return undefined;
  const bitrate = (body.readUIntBE(13, 3) & MAX_MANTISSA) * 2 ** (body[13]! >> 2);
  const media = Array.from({ length: size }, (_, index) => body.readUInt32BE(16 + 4 * index));
  return { type: 'remb', sender, bitrate, media };
}

function writeRemb({ sender, bitrate, media }: BitrateLimit): Buffer {
  const named = media.slice(0, MAX_MEDIA);
  const packet = feedbackPacket(RTCP.PayloadFeedback, FORMAT.Application, sender, 0, 8 + 4 * named.length);
  let exponent = 0;
  let mantissa = Math.max(0, Math.floor(bitrate));
  for (; mantissa > MAX_MANTISSA; exponent++) mantissa = Math.floor(mantissa / 2);
  packet.writeUInt32BE(REMB, 12);
  packet[16] = named.length;
  packet.writeUIntBE(exponent * 2 ** 18 + mantissa, 17, 3);
  for (const [index, ssrc] of named.entries()) packet.writeUInt32BE(ssrc, 20 + 4 * index);
  return packet;
}
