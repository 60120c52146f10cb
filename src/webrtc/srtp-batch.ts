/**
 * A batch of packets that several viewers get: put in once, then protected and sent for up to four viewers at a time.
 *
 * The keystream of a packet follows from the viewer's key, the SSRC and the packet's index and from nothing else. So an index may be
 * used again only for the same packet, to send it once more; who hands out indexes (`TrackCursor`, `Retransmission`) sees to that.
 */
import { type Cipheriv, createCipheriv, createSecretKey } from 'node:crypto';
import type { Path } from './path.ts';
import { deriveSrtpKeys } from './srtp-derivation.ts';
import { SrtpKernel } from './srtp-kernel.ts';
import {
  AT,
  BATCH_PACKETS,
  BLOCK_BYTES,
  JOB,
  JOB_WORDS,
  KEY_ROOM,
  KEYSTREAM_BYTES,
  LANES,
  MAX_PLAIN_BYTES,
  SLOT_BYTES,
  TAG_BYTES,
} from './srtp-kernel-code.ts';
import type { SrtpKeys } from './srtp-keys.ts';
import { SrtpSender } from './srtp-sender.ts';

/** What a viewer's packets are protected with: AES and the kernel, or packet by packet. */
export type ViewerKeys = { readonly aes: Cipheriv; readonly kernel: Buffer } | { readonly sender: SrtpSender };

/** Who gets a batch. */
export interface Recipient {
  readonly keys: ViewerKeys;
  readonly path: Path | undefined;
  /** The same for all packets of one SSRC, or an index would have two texts. */
  readonly payloadType: number;
  /** Of the batch's first packet: 65,536 times the roll-overs plus the sequence number. The others follow without a gap. */
  readonly index: number;
}

/** The sequence numbers of one roll-over. */
export const SEQUENCES = 65_536;
const SEQUENCE = SEQUENCES - 1;
const MARKER = 0x80;
const TYPE_AT = 1;
const SEQUENCE_AT = 2;

export class SrtpBatch {
  /** Payload bytes of the batch, as sender reports count them. */
  payloadBytes = 0;
  count = 0;
  /** Tells one batch from another. */
  serial = 0;
  /** Packets sent since the start, each recipient's counted. */
  packets = 0;
  readonly #kernel: SrtpKernel | null;
  /** Bytes of the batch with headers. */
  #plainBytes = 0;
  #ssrc = 0;
  /** Plain packets: in the kernel's memory if there is one. */
  readonly #plain: Buffer;
  readonly #plainAt: number;
  readonly #sizes = new Int32Array(BATCH_PACKETS);
  readonly #headers = new Int32Array(BATCH_PACKETS);
  /** Of keystream, for each packet. */
  readonly #blocks = new Int32Array(BATCH_PACKETS);
  #counters: Buffer | undefined;
  readonly #out = Buffer.alloc(SLOT_BYTES);
  /** Whose job each lane of the kernel does. */
  readonly #lanes: Recipient[] = [];

  /** `kernel`: null to do without. */
  constructor(kernel: SrtpKernel | null = SrtpKernel.make() ?? null) {
    this.#kernel = kernel;
    this.#plain = kernel?.memory ?? Buffer.alloc(BATCH_PACKETS * SLOT_BYTES);
    this.#plainAt = kernel === null ? 0 : AT.plain;
  }

  keysOf({ profile, local }: SrtpKeys): ViewerKeys {
    if (this.#kernel === null || profile !== 'aes128-cm-sha1-80') return { sender: new SrtpSender(profile, local) };
    const keys = deriveSrtpKeys(profile, local, 'rtp');
    return {
      aes: createCipheriv('aes-128-ecb', createSecretKey(keys.cipher), null),
      kernel: this.#kernel.keyOf(keys),
    };
  }

  /** A new batch. */
  begin(ssrc: number): void {
    this.#ssrc = ssrc;
    this.#counters = undefined;
    this.serial += 1;
    this.count = 0;
    this.payloadBytes = 0;
    this.#plainBytes = 0;
  }

  /**
   * One more packet, `BATCH_PACKETS` at most: `size` bytes of `bytes` from `offset`, of which the first `header` stay readable. Payload
   * type and sequence number are set for each recipient.
   */
  put(bytes: Buffer, offset: number, size: number, header: number): void {
    const packet = this.count;
    if (packet === BATCH_PACKETS || size > MAX_PLAIN_BYTES)
      throw new RangeError(`no room for packet ${packet} of ${size} bytes`);
    bytes.copy(this.#plain, this.#plainAt + packet * SLOT_BYTES, offset, offset + size);
    this.#sizes[packet] = size;
    this.#headers[packet] = header;
    this.#blocks[packet] = Math.ceil((size - header) / BLOCK_BYTES);
    this.payloadBytes += size - header;
    this.#plainBytes += size;
    this.count += 1;
  }

  /** Bytes of the batch with headers and tags, as the viewer of `keys` gets it. */
  wireBytesFor(keys: ViewerKeys): number {
    return this.#plainBytes + this.count * ('sender' in keys ? keys.sender.trailer : TAG_BYTES);
  }

  /** Sends the batch to `recipients`, at most four; if any is served packet by packet, it is the only one. */
  send(recipients: readonly Recipient[]): void {
    const first = recipients[0];
    if (first === undefined) return;
    this.packets += this.count * recipients.length;
    if ('sender' in first.keys) this.#sendSingly(first, first.keys.sender);
    else this.#sendTogether(this.#kernel!, recipients);
  }

  #sendSingly({ path, payloadType, index }: Recipient, sender: SrtpSender): void {
    for (let packet = 0; packet < this.count; packet++) {
      const at = this.#plainAt + packet * SLOT_BYTES;
      this.#plain[at + TYPE_AT] = (this.#plain[at + TYPE_AT]! & MARKER) | payloadType;
      this.#plain.writeUInt16BE((index + packet) & SEQUENCE, at + SEQUENCE_AT);
      const plain = this.#plain.subarray(at, at + this.#sizes[packet]!);
      path?.send(this.#out, 0, sender.protectInto(this.#out, plain, index + packet));
    }
  }

  #sendTogether(kernel: SrtpKernel, recipients: readonly Recipient[]): void {
    for (let viewer = 0; viewer < recipients.length; viewer++) this.#makeKeystream(kernel, viewer, recipients[viewer]!);
    const words = kernel.words;
    let keystream = AT.keystream;
    let lane = 0;
    for (let packet = 0; packet < this.count; packet++) {
      for (let viewer = 0; viewer < recipients.length; viewer++) {
        const recipient = recipients[viewer]!;
        const index = recipient.index + packet;
        const job = AT.jobs / 4 + lane * JOB_WORDS;
        words[job + JOB.plain] = AT.plain + packet * SLOT_BYTES;
        words[job + JOB.keystream] = keystream + viewer * KEYSTREAM_BYTES;
        words[job + JOB.out] = AT.out + lane * SLOT_BYTES;
        words[job + JOB.size] = this.#sizes[packet]!;
        words[job + JOB.header] = this.#headers[packet]!;
        words[job + JOB.rollOver] = index / SEQUENCES;
        words[job + JOB.own] = ownHeader(recipient.payloadType, index & SEQUENCE);
        words[job + JOB.key] = AT.keys + viewer * KEY_ROOM;
        this.#lanes[lane++] = recipient;
        if (lane === LANES) {
          this.#seal(kernel, lane);
          lane = 0;
        }
      }
      keystream += this.#blocks[packet]! * BLOCK_BYTES;
    }
    if (lane > 0) this.#seal(kernel, lane);
  }

  #makeKeystream(kernel: SrtpKernel, viewer: number, { keys, index }: Recipient): void {
    if (!('aes' in keys)) throw new TypeError('a recipient without keys for the kernel');
    const key = AT.keys + viewer * KEY_ROOM;
    kernel.memory.set(keys.kernel, key);
    let at = AT.counters;
    for (let packet = 0; packet < this.count; packet++) {
      const own = index + packet;
      const blocks = this.#blocks[packet]!;
      kernel.counters(at, key, this.#ssrc, own / SEQUENCES, own & SEQUENCE, blocks);
      at += blocks * BLOCK_BYTES;
    }
    this.#counters ??= kernel.memory.subarray(AT.counters, at);
    const keystream = keys.aes.update(this.#counters);
    kernel.memory.set(keystream, AT.keystream + viewer * KEYSTREAM_BYTES);
    giveBack(keystream);
  }

  /** The first `lanes` lanes have a job; what the others do is short and goes nowhere. */
  #seal(kernel: SrtpKernel, lanes: number): void {
    const words = kernel.words;
    for (let lane = lanes; lane < LANES; lane++) {
      const job = AT.jobs / 4 + lane * JOB_WORDS;
      words.copyWithin(job, AT.jobs / 4, AT.jobs / 4 + JOB_WORDS);
      words[job + JOB.out] = AT.out + lane * SLOT_BYTES;
      words[job + JOB.size] = 0;
      words[job + JOB.header] = 0;
    }
    kernel.seal();
    for (let lane = 0; lane < lanes; lane++) {
      const size = words[AT.jobs / 4 + lane * JOB_WORDS + JOB.size]!;
      this.#lanes[lane]!.path?.send(kernel.memory, AT.out + lane * SLOT_BYTES, size + TAG_BYTES);
    }
  }
}

/**
 * Frees the memory of `bytes` now. Node cannot write keystream into memory that is there already, and tens of megabytes of it a second
 * would have the collector mark the whole heap again and again. Memory that is shared with others is left alone.
 */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** Payload type and sequence number at their places in the first word of an RTP header, low byte first. */
function ownHeader(payloadType: number, sequence: number): number {
  return (payloadType << 8) | ((sequence & 0xff00) << 8) | (sequence << 24);
}
