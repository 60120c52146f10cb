/**
 * Arrival times of packets, told to their sender (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).
 */
import { feedbackPacket } from './rtcp-feedback.ts';
import { RTCP, type RtcpBody } from './rtcp-packet.ts';

export interface TransportFeedback {
  readonly type: 'twcc';
  readonly sender: number;
  readonly media: number;
  /** The transport-wide sequence number of the first packet told of, 16 bits. */
  readonly base: number;
  /** Where the first delta counts from: units of 64 ms from any start, signed, 24 bits. */
  readonly reference: number;
  /** Of this feedback, 8 bits. */
  readonly number: number;
  /**
   * One for each packet from `base`: units of 250 µs, signed, 16 bits, since the packet before it that came; undefined: it has not
   * come.
   */
  readonly deltas: readonly (number | undefined)[];
}

/** Microseconds of one unit of `reference`, and of a delta. */
export const REFERENCE_MICROS = 64_000;
export const DELTA_MICROS = 250;

const FORMAT = 15;
/** Packets that one feedback may tell of. A second at 24 Mbit/s. */
const MAX_PACKETS = 2048;
const MAX_SMALL = 255;
const SYMBOL = { Missing: 0, Small: 1, Large: 2 } as const;
const MAX_RUN = 0x1fff;
const VECTOR = 0x8000;
const TWO_BITS = 0x4000;

export function isTransportFeedback({ type, count }: RtcpBody): boolean {
  return type === RTCP.TransportFeedback && count === FORMAT;
}

/** Reads feedback; undefined when it is malformed. */
export function readTransportFeedback({ body }: RtcpBody): TransportFeedback | undefined {
  if (body.length < 16) return undefined;
  const size = body.readUInt16BE(10);
  if (size > MAX_PACKETS) return undefined;
  const symbols: number[] = [];
  let at = 16;
  for (; symbols.length < size; at += 2) {
    if (at + 2 > body.length) return undefined;
    unpack(body.readUInt16BE(at), symbols, size);
  }
  const deltas: (number | undefined)[] = [];
  for (const symbol of symbols) {
    if (symbol === SYMBOL.Missing) {
      deltas.push(undefined);
      continue;
    }
    if (symbol > SYMBOL.Large || at + symbol > body.length) return undefined;
    deltas.push(symbol === SYMBOL.Small ? body[at]! : body.readInt16BE(at));
    at += symbol;
  }
  return {
    type: 'twcc',
    sender: body.readUInt32BE(0),
    media: body.readUInt32BE(4),
    base: body.readUInt16BE(8),
    reference: body.readIntBE(12, 3),
    number: body[15]!,
    deltas,
  };
}

/** Deltas that do not fit 16 bits, and more of them than the format's reader takes, are the caller's to avoid. */
export function writeTransportFeedback(feedback: TransportFeedback): Buffer {
  const { sender, media, base, reference, number, deltas } = feedback;
  const symbols = deltas.map(symbolOf);
  const chunks = pack(symbols);
  const length = 8 + 2 * chunks.length + symbols.reduce((sum, symbol) => sum + symbol, 0);
  const packet = feedbackPacket(RTCP.TransportFeedback, FORMAT, sender, media, length);
  packet.writeUInt16BE(base, 12);
  packet.writeUInt16BE(deltas.length, 14);
  packet.writeIntBE(reference, 16, 3);
  packet[19] = number;
  let at = 20;
  for (const chunk of chunks) at = packet.writeUInt16BE(chunk, at);
  for (const delta of deltas) {
    if (delta === undefined) continue;
    at = symbolOf(delta) === SYMBOL.Small ? packet.writeUInt8(delta, at) : packet.writeInt16BE(delta, at);
  }
  return packet;
}

/** A symbol is also the number of bytes that its delta takes. */
function symbolOf(delta: number | undefined): number {
  if (delta === undefined) return SYMBOL.Missing;
  return delta >= 0 && delta <= MAX_SMALL ? SYMBOL.Small : SYMBOL.Large;
}

function unpack(chunk: number, symbols: number[], size: number): void {
  if ((chunk & VECTOR) === 0) {
    const run = Math.min(chunk & MAX_RUN, size - symbols.length);
    for (let i = 0; i < run; i++) symbols.push((chunk >> 13) & 3);
    return;
  }
  const bits = (chunk & TWO_BITS) === 0 ? 1 : 2;
  for (let shift = 14 - bits; shift >= 0 && symbols.length < size; shift -= bits) {
    symbols.push((chunk >> shift) & (2 ** bits - 1));
  }
}

function pack(symbols: readonly number[]): number[] {
  const chunks: number[] = [];
  for (let at = 0; at < symbols.length; ) {
    const symbol = symbols[at]!;
    let run = 1;
    while (run < MAX_RUN && symbols[at + run] === symbol) run++;
    const narrow = symbols.slice(at, at + 14).every((other) => other <= SYMBOL.Small);
    const wide = narrow ? 14 : 7;
    if (run >= Math.min(wide, symbols.length - at)) {
      chunks.push((symbol << 13) | run);
      at += run;
    } else {
      chunks.push(vector(symbols, at, narrow ? 1 : 2));
      at += wide;
    }
  }
  return chunks;
}

function vector(symbols: readonly number[], at: number, bits: number): number {
  let chunk = bits === 1 ? VECTOR : VECTOR | TWO_BITS;
  for (let shift = 14 - bits, i = at; shift >= 0; shift -= bits, i++) chunk |= (symbols[i] ?? 0) << shift;
  return chunk;
}
