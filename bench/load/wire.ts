/**
 * RTMP as the load tool speaks it: commands as bytes made once, media messages as templates whose time and mark are
 * filled in at each send. Independent of the server's own code, so that neither hides a fault of the other.
 */
import { randomBytes } from 'node:crypto';

export const HANDSHAKE_SIZE = 1536;
/** S0, S1 and S2. */
export const SERVER_HANDSHAKE_SIZE = 1 + 2 * HANDSHAKE_SIZE;
/** What OBS uses; each chunk is a write of its own, as in librtmp. */
export const PUBLISH_CHUNK = 4_096;
/** Raw mode (the C floor): every message is one chunk, so that twelve bytes tell its length and type. */
export const RAW_CHUNK = 0xffffff;

const MESSAGE_SET_CHUNK_SIZE = 1;
const MESSAGE_COMMAND = 20;
const MESSAGE_VIDEO = 9;
const CSID = { control: 2, command: 3, audio: 4, video: 6 } as const;

type Amf = number | string | boolean | null | { readonly [key: string]: Amf };

/** AMF0, the types that commands need (Adobe AMF0 specification, section 2). */
function amf(value: Amf): Buffer {
  if (value === null) return Buffer.from([5]);
  if (typeof value === 'boolean') return Buffer.from([1, value ? 1 : 0]);
  if (typeof value === 'string') return Buffer.concat([Buffer.from([2]), text(value)]);
  if (typeof value === 'number') {
    const out = Buffer.alloc(9);
    out.writeDoubleBE(value, 1);
    return out;
  }
  const fields = Object.entries(value).flatMap(([key, field]) => [text(key), amf(field)]);
  return Buffer.concat([Buffer.from([3]), ...fields, Buffer.from([0, 0, 9])]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const out = Buffer.alloc(2 + bytes.length);
  out.writeUInt16BE(bytes.length);
  bytes.copy(out, 2);
  return out;
}

/** A whole message: a type 0 chunk header and type 3 headers after each `chunkSize` bytes (RTMP 1.0, 5.3.1). */
function message(csid: number, type: number, streamId: number, payload: Buffer, chunkSize: number): Buffer {
  const header = Buffer.alloc(12);
  header[0] = csid;
  header.writeUIntBE(payload.length, 4, 3);
  header[7] = type;
  header.writeUInt32LE(streamId, 8);
  const parts = [header, payload.subarray(0, chunkSize)];
  for (let at = chunkSize; at < payload.length; at += chunkSize) {
    parts.push(Buffer.from([0xc0 | csid]), payload.subarray(at, at + chunkSize));
  }
  return Buffer.concat(parts);
}

// Commands go out in the protocol's first chunk size, which holds until the peer says otherwise.
function command(streamId: number, ...values: Amf[]): Buffer {
  return message(CSID.command, MESSAGE_COMMAND, streamId, Buffer.concat(values.map(amf)), 128);
}

function connect(port: number, app: string): Buffer {
  const tcUrl = `rtmp://127.0.0.1:${port}/${app}`;
  const info = {
    app,
    flashVer: 'LNX 9,0,124,2',
    tcUrl,
    fpad: false,
    capabilities: 15,
    audioCodecs: 4071,
    videoCodecs: 252,
  };
  return command(0, 'connect', 1, info);
}

/** C0 and C1, the simple handshake. */
export function clientHello(): Buffer {
  const out = Buffer.alloc(1 + HANDSHAKE_SIZE);
  out[0] = 3;
  randomBytes(HANDSHAKE_SIZE - 8).copy(out, 9);
  return out;
}

/** C2 is an echo of S1; servers that speak the simple handshake do not look at it. */
export function clientEcho(): Buffer {
  return Buffer.alloc(HANDSHAKE_SIZE);
}

/** Connect, createStream and play in one write: stream 1 is the first stream on every server under test. */
export function playRequest(port: number, app: string, stream: string): Buffer {
  return Buffer.concat([
    connect(port, app),
    command(0, 'createStream', 2, null),
    command(1, 'play', 3, null, stream, -2000),
  ]);
}

/** Connect alone: a session without a stream. */
export function connectRequest(port: number, app: string): Buffer {
  return connect(port, app);
}

export function publishRequest(port: number, app: string, stream: string): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(PUBLISH_CHUNK);
  return Buffer.concat([
    connect(port, app),
    command(0, 'createStream', 2, null),
    command(1, 'publish', 3, null, stream, 'live'),
    message(CSID.control, MESSAGE_SET_CHUNK_SIZE, 0, size, 128),
  ]);
}

/** The floor's hello: a role and the number of the stream. */
export function rawHello(role: 'publish' | 'play', stream: number): Buffer {
  const out = Buffer.alloc(8);
  out.write(role === 'publish' ? 'PUB0' : 'PLY0');
  out.writeUInt32BE(stream, 4);
  return out;
}

// The mark: a NAL unit of type 30, which H.264 leaves unspecified and decoders pass over (table 7-1), holding the send
// time in decimal microseconds of the monotonic clock, which all processes of one machine share.
const MARK_NAL = Buffer.from([0, 0, 0, 17, 30]);
export const MARK_SIZE = 16;

/** The send time at the end of a picture, in microseconds; 0 when its publisher wrote none. */
export function markOf(body: Buffer, length: number): number {
  let time = 0;
  for (let at = length - MARK_SIZE; at < length; at++) {
    const digit = body[at]! - 48;
    if (at < 0 || digit < 0 || digit > 9) return 0;
    time = time * 10 + digit;
  }
  return time;
}

/** A message that is sent again and again: patch the time and the mark, then write all of it. */
export interface Template {
  readonly type: number;
  readonly bytes: Buffer;
  /** The mark's place in `bytes`, or -1. */
  readonly mark: number;
}

export function template(type: number, payload: Buffer, chunkSize: number, marked: boolean): Template {
  const csid = type === MESSAGE_VIDEO ? CSID.video : CSID.audio;
  if (!marked) return { type, bytes: message(csid, type, 1, payload, chunkSize), mark: -1 };
  // A mark cut in two by a chunk header could not be patched in place: the unit grows until it is whole.
  let body = Buffer.concat([payload, MARK_NAL, Buffer.alloc(MARK_SIZE, '0')]);
  for (
    let pad = 1;
    body.length > chunkSize && body.length % chunkSize < MARK_SIZE && body.length % chunkSize > 0;
    pad++
  ) {
    const nal = Buffer.from(MARK_NAL);
    nal.writeUInt32BE(17 + pad);
    body = Buffer.concat([payload, nal, Buffer.alloc(pad + MARK_SIZE, '0')]);
  }
  const bytes = message(csid, type, 1, body, chunkSize);
  return { type, bytes, mark: bytes.length - MARK_SIZE };
}

/** A fresh copy of `source` for the time `timestamp` (milliseconds, below 0xFFFFFF: four hours). */
export function stamp(source: Template, timestamp: number, now: number): Buffer {
  const out = Buffer.allocUnsafe(source.bytes.length);
  source.bytes.copy(out);
  out.writeUIntBE(timestamp, 1, 3);
  if (source.mark >= 0) out.write(String(now).padStart(MARK_SIZE, '0'), source.mark, 'latin1');
  return out;
}

/** The monotonic clock in whole microseconds, the same in every process of this machine. */
export function micros(): number {
  return Math.floor(Number(process.hrtime.bigint()) / 1000);
}
