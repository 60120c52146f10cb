/**
 * RTCP (RFC 3550 section 6): a compound as a list of what it says, and back. Extended reports and what is not known are skipped.
 */
import { type Feedback, readFeedback, writeFeedback } from './rtcp-feedback.ts';
import { RTCP, type RtcpBody, rtcpBodies, rtcpPacket } from './rtcp-packet.ts';
import {
  isTransportFeedback,
  readTransportFeedback,
  type TransportFeedback,
  writeTransportFeedback,
} from './transport-feedback.ts';

/** How one source was received (RFC 3550 section 6.4.1). */
export interface ReportBlock {
  readonly ssrc: number;
  /** Since the last report, in 256ths. */
  readonly fractionLost: number;
  /** Since the beginning; negative with duplicates. */
  readonly lost: number;
  /** The highest sequence number, with its wraps above 16 bits. */
  readonly highest: number;
  /** RTP timestamp units. */
  readonly jitter: number;
  /** The middle 32 bits of the NTP time of the last sender report; 0: none came. */
  readonly lastReport: number;
  /** Since it came, in 65536ths of a second. */
  readonly sinceLastReport: number;
}

/** NTP time: seconds since 1900, and 2^-32 parts of one. */
export interface NtpTime {
  readonly seconds: number;
  readonly fraction: number;
}

export interface SenderReport {
  readonly type: 'sr';
  readonly ssrc: number;
  readonly ntp: NtpTime;
  /** The RTP timestamp of that moment. */
  readonly timestamp: number;
  readonly packets: number;
  /** Payload bytes. */
  readonly bytes: number;
  readonly blocks: readonly ReportBlock[];
}

export interface ReceiverReport {
  readonly type: 'rr';
  readonly ssrc: number;
  readonly blocks: readonly ReportBlock[];
}

/** Sources and their canonical names; other facts are skipped. */
export interface SourceDescription {
  readonly type: 'sdes';
  readonly sources: readonly { readonly ssrc: number; readonly cname: string }[];
}

export interface Goodbye {
  readonly type: 'bye';
  readonly sources: readonly number[];
}

export type RtcpItem = SenderReport | ReceiverReport | SourceDescription | Goodbye | Feedback | TransportFeedback;

const SENDER_BYTES = 24;
const BLOCK_BYTES = 24;
const CNAME = 1;
/** What a five-bit count can say. */
const MAX_COUNT = 31;
const MAX_CNAME_BYTES = 255;

/** RTCP shares a port with RTP; its types stand where RTP has marker and payload type (RFC 5761 section 4). */
export function isRtcp(packet: Buffer): boolean {
  return packet.length >= 4 && packet[1]! >= 192 && packet[1]! <= 223;
}

/** What a compound says, in order; compounds of reduced size too. Malformed packets are left out, whatever follows a broken length as well. */
export function readRtcp(compound: Buffer): RtcpItem[] {
  const items: RtcpItem[] = [];
  for (const body of rtcpBodies(compound)) {
    const item = readItem(body);
    if (item !== undefined) items.push(item);
  }
  return items;
}

/** One compound. The first should be a report (RFC 3550 section 6.1), unless reduced size was agreed. */
export function writeRtcp(items: readonly RtcpItem[]): Buffer {
  return items.length === 1 ? writeItem(items[0]!) : Buffer.concat(items.map(writeItem));
}

/** The middle 32 bits, as report blocks refer to a sender report. */
export function shortNtp({ seconds, fraction }: NtpTime): number {
  return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

function readItem(body: RtcpBody): RtcpItem | undefined {
  switch (body.type) {
    case RTCP.SenderReport:
      return readSenderReport(body);
    case RTCP.ReceiverReport:
      return readReceiverReport(body);
    case RTCP.SourceDescription:
      return readDescription(body);
    case RTCP.Goodbye:
      return readGoodbye(body);
    case RTCP.TransportFeedback:
    case RTCP.PayloadFeedback:
      return isTransportFeedback(body) ? readTransportFeedback(body) : readFeedback(body);
  }
  return undefined;
}

function writeItem(item: RtcpItem): Buffer {
  switch (item.type) {
    case 'sr':
      return writeSenderReport(item);
    case 'rr':
      return writeReceiverReport(item);
    case 'sdes':
      return writeDescription(item);
    case 'bye':
      return writeGoodbye(item);
    case 'twcc':
      return writeTransportFeedback(item);
    default:
      return writeFeedback(item);
  }
}

function readSenderReport({ count, body }: RtcpBody): SenderReport | undefined {
  if (body.length < SENDER_BYTES + BLOCK_BYTES * count) return undefined;
  return {
    type: 'sr',
    ssrc: body.readUInt32BE(0),
    ntp: { seconds: body.readUInt32BE(4), fraction: body.readUInt32BE(8) },
    timestamp: body.readUInt32BE(12),
    packets: body.readUInt32BE(16),
    bytes: body.readUInt32BE(20),
    blocks: readBlocks(body, SENDER_BYTES, count),
  };
}

function writeSenderReport(report: SenderReport): Buffer {
  const blocks = report.blocks.slice(0, MAX_COUNT);
  const packet = rtcpPacket(RTCP.SenderReport, blocks.length, SENDER_BYTES + BLOCK_BYTES * blocks.length);
  packet.writeUInt32BE(report.ssrc, 4);
  packet.writeUInt32BE(report.ntp.seconds, 8);
  packet.writeUInt32BE(report.ntp.fraction, 12);
  packet.writeUInt32BE(report.timestamp, 16);
  packet.writeUInt32BE(report.packets, 20);
  packet.writeUInt32BE(report.bytes, 24);
  writeBlocks(packet, 4 + SENDER_BYTES, blocks);
  return packet;
}

function readReceiverReport({ count, body }: RtcpBody): ReceiverReport | undefined {
  if (body.length < 4 + BLOCK_BYTES * count) return undefined;
  return { type: 'rr', ssrc: body.readUInt32BE(0), blocks: readBlocks(body, 4, count) };
}

function writeReceiverReport(report: ReceiverReport): Buffer {
  const blocks = report.blocks.slice(0, MAX_COUNT);
  const packet = rtcpPacket(RTCP.ReceiverReport, blocks.length, 4 + BLOCK_BYTES * blocks.length);
  packet.writeUInt32BE(report.ssrc, 4);
  writeBlocks(packet, 8, blocks);
  return packet;
}

function readBlocks(body: Buffer, start: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + BLOCK_BYTES * index;
    return {
      ssrc: body.readUInt32BE(at),
      fractionLost: body[at + 4]!,
      lost: body.readIntBE(at + 5, 3),
      highest: body.readUInt32BE(at + 8),
      jitter: body.readUInt32BE(at + 12),
      lastReport: body.readUInt32BE(at + 16),
      sinceLastReport: body.readUInt32BE(at + 20),
    };
  });
}

function writeBlocks(packet: Buffer, start: number, blocks: readonly ReportBlock[]): void {
  let at = start;
  for (const block of blocks) {
    packet.writeUInt32BE(block.ssrc, at);
    packet[at + 4] = block.fractionLost;
    packet.writeIntBE(block.lost, at + 5, 3);
    packet.writeUInt32BE(block.highest, at + 8);
    packet.writeUInt32BE(block.jitter, at + 12);
    packet.writeUInt32BE(block.lastReport, at + 16);
    packet.writeUInt32BE(block.sinceLastReport, at + 20);
    at += BLOCK_BYTES;
  }
}

/** Chunks of an SSRC and items, each ended by a zero byte and filled up to a word (RFC 3550 section 6.5). */
function readDescription({ count, body }: RtcpBody): SourceDescription | undefined {
  const sources: { ssrc: number; cname: string }[] = [];
  let at = 0;
  for (let chunk = 0; chunk < count; chunk++) {
    if (at + 4 > body.length) return undefined;
    const ssrc = body.readUInt32BE(at);
    at += 4;
    while (at < body.length && body[at] !== 0) {
      const end = at + 2 + (body[at + 1] ?? 0);
      if (end > body.length) return undefined;
      if (body[at] === CNAME) sources.push({ ssrc, cname: body.toString('utf8', at + 2, end) });
      at = end;
    }
    at = (at + 4) & ~3;
  }
  return { type: 'sdes', sources };
}

function writeDescription(description: SourceDescription): Buffer {
  const chunks = description.sources.slice(0, MAX_COUNT).map(({ ssrc, cname }) => {
    const name = Buffer.from(cname, 'utf8').subarray(0, MAX_CNAME_BYTES);
    const chunk = Buffer.alloc((6 + name.length + 4) & ~3);
    chunk.writeUInt32BE(ssrc, 0);
    chunk[4] = CNAME;
    chunk[5] = name.length;
    name.copy(chunk, 6);
    return chunk;
  });
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const packet = rtcpPacket(RTCP.SourceDescription, chunks.length, length);
  let at = 4;
  for (const chunk of chunks) at += chunk.copy(packet, at);
  return packet;
}

/** A reason may follow the sources; nobody needs it. */
function readGoodbye({ count, body }: RtcpBody): Goodbye | undefined {
  if (body.length < 4 * count) return undefined;
  return { type: 'bye', sources: Array.from({ length: count }, (_, index) => body.readUInt32BE(4 * index)) };
}

function writeGoodbye(goodbye: Goodbye): Buffer {
  const sources = goodbye.sources.slice(0, MAX_COUNT);
  const packet = rtcpPacket(RTCP.Goodbye, sources.length, 4 * sources.length);
  for (const [index, ssrc] of sources.entries()) packet.writeUInt32BE(ssrc, 4 + 4 * index);
  return packet;
}
