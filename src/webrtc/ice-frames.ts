/**
 * Datagrams over TCP: 16 bits of length before each (RFC 4571, as RFC 6544 uses it).
 */
import { PeerError } from '../base/errors.ts';

/** What leaves one path of the network in one piece has no more; media packets, checks and handshakes stay below. */
export const MAX_FRAME_BYTES = 2_048;
const LENGTH_BYTES = 2;

/** Cuts the bytes of a connection into frames. */
export class IceFrameReader {
  #bytes: Buffer = EMPTY;
  #at = 0;
  /** A frame that began in one piece and ends in another, its length in front. */
  readonly #held = Buffer.alloc(LENGTH_BYTES + MAX_FRAME_BYTES);
  #heldBytes = 0;

  /** Bytes of a frame that has not ended. */
  get held(): number {
    return this.#heldBytes;
  }

  /** Takes what came next; it stays the caller's, who leaves it alone until `next` answers undefined. */
  feed(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  /** The next frame, a view until the next call; empty ones are left out. Throws `PeerError` for one that is too long. */
  next(): Buffer | undefined {
    for (;;) {
      const frame = this.#heldBytes > 0 ? this.#joined() : this.#whole();
      if (frame === undefined || frame.length > 0) return frame;
    }
  }

  #whole(): Buffer | undefined {
    const left = this.#bytes.length - this.#at;
    const length = left < LENGTH_BYTES ? 0 : frameLength(this.#bytes, this.#at);
    if (left < LENGTH_BYTES + length) {
      this.#hold(left);
      return undefined;
    }
    const start = this.#at + LENGTH_BYTES;
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }

  #joined(): Buffer | undefined {
    if (!this.#fill(LENGTH_BYTES)) return undefined;
    const end = LENGTH_BYTES + frameLength(this.#held, 0);
    if (!this.#fill(end)) return undefined;
    this.#heldBytes = 0;
    return this.#held.subarray(LENGTH_BYTES, end);
  }

  /** Holds `total` bytes, if there are so many. */
  #fill(total: number): boolean {
    this.#hold(Math.max(0, Math.min(total - this.#heldBytes, this.#bytes.length - this.#at)));
    return this.#heldBytes >= total;
  }

  #hold(count: number): void {
    this.#bytes.copy(this.#held, this.#heldBytes, this.#at, this.#at + count);
    this.#at += count;
    this.#heldBytes += count;
  }
}

const EMPTY = Buffer.alloc(0);

function frameLength(bytes: Buffer, at: number): number {
  const length = bytes.readUInt16BE(at);
  if (length > MAX_FRAME_BYTES) throw new PeerError('webrtc/ice-tcp', `a frame of ${length} bytes`);
  return length;
}

/** A frame in memory of its own. */
export function iceFrame(bytes: Uint8Array, offset: number, length: number): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + length);
  frame.writeUInt16BE(length, 0);
  frame.set(bytes.subarray(offset, offset + length), LENGTH_BYTES);
  return frame;
}
