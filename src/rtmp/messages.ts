/**
 * RTMP messages: their types, and the bodies of those that steer the connection itself (RTMP 1.0, sections 5.4, 6.2 and 7.1).
 */
import { ByteReader } from '../base/bytes.ts';
import { PeerError } from '../base/errors.ts';

export const MESSAGE = {
  SetChunkSize: 1,
  Abort: 2,
  Acknowledgement: 3,
  UserControl: 4,
  WindowAckSize: 5,
  SetPeerBandwidth: 6,
  Audio: 8,
  Video: 9,
  DataAmf3: 15,
  SharedObjectAmf3: 16,
  CommandAmf3: 17,
  DataAmf0: 18,
  SharedObjectAmf0: 19,
  CommandAmf0: 20,
  Aggregate: 22,
} as const;

/** Events of user control messages (7.1.7); the last two are not in the specification, servers of Adobe send them. */
export const USER_CONTROL = {
  StreamBegin: 0,
  StreamEof: 1,
  StreamDry: 2,
  SetBufferLength: 3,
  StreamIsRecorded: 4,
  PingRequest: 6,
  PingResponse: 7,
  BufferEmpty: 31,
  BufferReady: 32,
} as const;

/** Who may lower the window of a peer (5.4.5). */
export const PEER_BANDWIDTH_LIMIT = { hard: 0, soft: 1, dynamic: 2 } as const;

export interface Message {
  /** One of `MESSAGE`, or a type we do not know. */
  readonly typeId: number;
  /** The message stream; 0 is the connection itself. */
  readonly streamId: number;
  /** Milliseconds, absolute, modulo 2^32. */
  readonly timestamp: number;
  readonly chunkStreamId: number;
  readonly body: Buffer;
}

/** The code under which faults in a body are reported. */
const FAULT = 'rtmp/message';

/** Bytes, as sent: bit 31 is still in it (5.4.1 wants it 0; the chunk reader checks). */
export const readSetChunkSize = readU32;
/** The chunk stream whose partial message is to be forgotten. */
export const readAbort = readU32;
/** Bytes received so far by the peer, modulo 2^32. */
export const readAcknowledgement = readU32;
/** Bytes after which the peer wants an acknowledgement. */
export const readWindowAckSize = readU32;

export const writeSetChunkSize = writeU32;
export const writeAbort = writeU32;
export const writeAcknowledgement = writeU32;
export const writeWindowAckSize = writeU32;

export interface PeerBandwidth {
  /** Bytes, as a window of acknowledgement. */
  readonly size: number;
  /** One of `PEER_BANDWIDTH_LIMIT`, or what the peer made up. */
  readonly limit: number;
}

export function readPeerBandwidth(body: Buffer): PeerBandwidth {
  const reader = new ByteReader(body, FAULT);
  return { size: reader.u32(), limit: reader.u8() };
}

export function writePeerBandwidth({ size, limit }: PeerBandwidth): Buffer {
  const body = Buffer.allocUnsafe(5);
  body.writeUInt32BE(size, 0);
  body[4] = limit;
  return body;
}

export interface UserControl {
  /** One of `USER_CONTROL`, or one we do not know. */
  readonly event: number;
  /** The message stream, or for pings the time to be sent back; 0 when the event carries none. */
  readonly value: number;
  /** Milliseconds, in SetBufferLength only. */
  readonly bufferMillis?: number;
}

export function readUserControl(body: Buffer): UserControl {
  const reader = new ByteReader(body, FAULT);
  const event = reader.u16();
  if (event === USER_CONTROL.SetBufferLength) return { event, value: reader.u32(), bufferMillis: reader.u32() };
  // Events that we do not know may be shorter (librtmp sends 26 with one byte), and are no reason to part.
  if (event === USER_CONTROL.PingRequest) return { event, value: reader.u32() };
  return { event, value: reader.remaining >= 4 ? reader.u32() : 0 };
}

export function writeUserControl({ event, value, bufferMillis }: UserControl): Buffer {
  const body = Buffer.allocUnsafe(bufferMillis === undefined ? 6 : 10);
  body.writeUInt16BE(event, 0);
  body.writeUInt32BE(value, 2);
  if (bufferMillis !== undefined) body.writeUInt32BE(bufferMillis, 6);
  return body;
}

/** Type, length, timestamp with its high byte last, stream: as in front of an FLV tag. */
const AGGREGATE_HEADER = 11;
const BACK_POINTER = 4;
/** Messages in one aggregate; encoders pack a few frames. */
const MAX_AGGREGATED = 4096;

/**
 * The messages inside an aggregate (7.1.6), their bodies views of its own. They belong to its message stream; the first one
 * takes its timestamp, the others keep their distance to the first. Back pointers serve those who read a file backwards: they
 * have to be there, what they say is nothing to us. Throws `PeerError` (rtmp/message).
 */
export function splitAggregate(aggregate: Message): Message[] {
  const { streamId, chunkStreamId, body } = aggregate;
  const reader = new ByteReader(body, FAULT);
  const messages: Message[] = [];
  let shift = 0;
  while (reader.remaining > 0) {
    if (messages.length === MAX_AGGREGATED) throw new PeerError(FAULT, `an aggregate of more than ${MAX_AGGREGATED}`);
    const header = reader.take(AGGREGATE_HEADER);
    const typeId = body[header]!;
    if (
      typeId !== MESSAGE.Audio &&
      typeId !== MESSAGE.Video &&
      typeId !== MESSAGE.DataAmf0 &&
      typeId !== MESSAGE.DataAmf3
    ) {
      throw new PeerError(FAULT, `an aggregate with a message of type ${typeId} in it`);
    }
    const length = body.readUIntBE(header + 1, 3);
    const sent = body.readUIntBE(header + 4, 3) + body[header + 7]! * 0x100_0000;
    if (messages.length === 0) shift = aggregate.timestamp - sent;
    messages.push({ typeId, streamId, timestamp: (sent + shift) >>> 0, chunkStreamId, body: reader.bytes(length) });
    reader.take(BACK_POINTER);
  }
  return messages;
}

function readU32(body: Buffer): number {
  return new ByteReader(body, FAULT).u32();
}

function writeU32(value: number): Buffer {
  const body = Buffer.allocUnsafe(4);
  body.writeUInt32BE(value, 0);
  return body;
}
