/**
 * Reads one player's chunk stream and measures it: when the first key frame was whole, how old each video message was,
 * and whether the timestamps run on. Any chunk size, header form and interleaving (RTMP 1.0, 5.3.1).
 */
import { markOf, micros } from './wire.ts';

const HEADER_LENGTHS = [11, 7, 3, 0] as const;
const FIRST_CHUNK_SIZE = 128;
const EXTENDED = 0xffffff;
/** At 30 frames/s a step is 33 or 34 ms; one lost frame makes it 66. */
const LONGEST_STEP_MS = 55;

interface ChunkStream {
  delta: number;
  timestamp: number;
  length: number;
  type: number;
  extended: boolean;
  absolute: boolean;
  /** Bytes of the current message so far. */
  have: number;
  body: Buffer;
}

export class ChunkMeter {
  /** Microseconds at which the first key frame was whole; 0: none yet. */
  keyFrameAt = 0;
  /** Set while the window of measurement is open. */
  measuring = false;
  readonly latencies: number[] = [];
  gaps = 0;
  videoMessages = 0;

  #chunkSize: number;
  readonly #streams = new Map<number, ChunkStream>();
  readonly #header = Buffer.alloc(18);
  #headerHave = 0;
  #current: ChunkStream | null = null;
  #chunkLeft = 0;
  #lastVideoTime = -1;

  constructor(chunkSize = FIRST_CHUNK_SIZE) {
    this.#chunkSize = chunkSize;
  }

  /** Take bytes as they came from the socket; they may be overwritten after the call. */
  feed(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.#current === null) {
        this.#header[this.#headerHave++] = bytes[at++]!;
        if (this.#headerHave === this.#headerLength()) this.#startChunk();
        continue;
      }
      const stream = this.#current;
      const take = Math.min(this.#chunkLeft, to - at);
      bytes.copy(stream.body, stream.have, at, at + take);
      at += take;
      stream.have += take;
      this.#chunkLeft -= take;
      if (this.#chunkLeft === 0) this.#endChunk(stream);
    }
  }

  #basicLength(): number {
    const low = this.#header[0]! & 63;
    return low > 1 ? 1 : low + 2;
  }

  #csid(): number {
    const low = this.#header[0]! & 63;
    if (low > 1) return low;
    return 64 + this.#header[1]! + (low === 1 ? this.#header[2]! * 256 : 0);
  }

  /** The length of the header, as far as the bytes so far tell. */
  #headerLength(): number {
    const basic = this.#basicLength();
    if (this.#headerHave < basic) return basic;
    const format = this.#header[0]! >> 6;
    const plain = basic + HEADER_LENGTHS[format]!;
    if (this.#headerHave < plain) return plain;
    const extended =
      format === 3 ? this.#streams.get(this.#csid())?.extended : this.#header.readUIntBE(basic, 3) === EXTENDED;
    return extended ? plain + 4 : plain;
  }

  #startChunk(): void {
    const header = this.#header;
    const format = header[0]! >> 6;
    const basic = this.#basicLength();
    const csid = this.#csid();
    let stream = this.#streams.get(csid);
    if (stream === undefined) {
      if (format !== 0) throw new Error(`chunk stream ${csid} begins without a full header`);
      stream = {
        delta: 0,
        timestamp: 0,
        length: 0,
        type: 0,
        extended: false,
        absolute: true,
        have: 0,
        body: Buffer.alloc(0),
      };
      this.#streams.set(csid, stream);
    }
    if (format < 2) {
      stream.length = header.readUIntBE(basic + 3, 3);
      stream.type = header[basic + 6]!;
    }
    if (format < 3) {
      const plain = header.readUIntBE(basic, 3);
      stream.extended = plain === EXTENDED;
      stream.delta = stream.extended ? header.readUInt32BE(basic + HEADER_LENGTHS[format]!) : plain;
      stream.absolute = format === 0;
    }
    if (stream.have === 0) {
      stream.timestamp = stream.absolute ? stream.delta : stream.timestamp + stream.delta;
      if (stream.body.length < stream.length) stream.body = Buffer.alloc(stream.length * 2);
    }
    this.#headerHave = 0;
    this.#current = stream;
    this.#chunkLeft = Math.min(this.#chunkSize, stream.length - stream.have);
    if (this.#chunkLeft === 0) this.#endChunk(stream);
  }

  #endChunk(stream: ChunkStream): void {
    this.#current = null;
    if (stream.have < stream.length) return;
    stream.have = 0;
    if (stream.type === 1) this.#chunkSize = stream.body.readUInt32BE(0) & 0x7fffffff;
    else if (stream.type === 9) this.#video(stream);
  }

  #video(stream: ChunkStream): void {
    const { body, length, timestamp } = stream;
    if (length < 2 || body[1] !== 1) return;
    const now = micros();
    if (this.keyFrameAt === 0) {
      if (body[0]! >> 4 === 1) this.keyFrameAt = now;
      this.#lastVideoTime = timestamp;
      return;
    }
    const step = timestamp - this.#lastVideoTime;
    this.#lastVideoTime = timestamp;
    if (!this.measuring) return;
    this.videoMessages++;
    if (step <= 0 || step > LONGEST_STEP_MS) this.gaps++;
    const sent = markOf(body, length);
    if (sent > 0) this.latencies.push(now - sent);
  }
}
