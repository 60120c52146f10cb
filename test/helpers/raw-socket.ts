/**
 * A WebSocket spoken byte by byte (RFC 6455), for what a proper client would never send.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export const OPCODE = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameShape {
  /** With the reserved bits, if any. Default: the end of a message. */
  readonly first?: number;
  readonly masked?: boolean;
  /** What the header says; the payload's own otherwise. */
  readonly length?: bigint;
}

/** One frame of a client. */
export function socketFrame(opcode: number, payload: Buffer, shape: FrameShape = {}): Buffer {
  const { first = 0x80, masked = true, length = BigInt(payload.length) } = shape;
  const mark = masked ? 0x80 : 0;
  const size =
    length < 126n
      ? Buffer.of(mark | Number(length))
      : length < 65_536n
        ? Buffer.of(mark | 126, Number(length) >> 8, Number(length) & 255)
        : Buffer.concat([Buffer.of(mark | 127), bytesOf(length)]);
  const key = masked ? randomBytes(4) : Buffer.alloc(0);
  const body = masked ? payload.map((byte, at) => byte ^ key[at & 3]!) : payload;
  return Buffer.concat([Buffer.of(first | opcode), size, key, body]);
}

/** The connection, once it has become a WebSocket; nothing is read from it any more. */
export async function upgraded(port: number, path = '/webrtc-session.json'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  const key = randomBytes(16).toString('base64');
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
  socket.write(`GET ${path} HTTP/1.1\r\nHost: h\r\n${upgrade}\r\nSec-WebSocket-Key: ${key}\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  if (!String(answer).startsWith('HTTP/1.1 101 ')) throw new Error(String(answer));
  socket.pause();
  return socket;
}

function bytesOf(length: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, length));
  return bytes;
}
