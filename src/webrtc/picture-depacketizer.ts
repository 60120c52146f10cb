/**
 * Where pictures begin and end among the packets of one source, and which of them can be decoded: the same for every video format.
 */
import type { AccessUnit, Depacketizer, RtpPacket } from './rtp.ts';
import { UnitBytes } from './unit-bytes.ts';

export interface Picture {
  readonly key: boolean;
  readonly data: Buffer;
  /** The configuration in force. */
  readonly config: Buffer;
}

/** What a payload format knows of one picture's packets. */
export interface PictureReader {
  /** Forgets the picture before. */
  start(): void;
  /**
   * Takes the next payload of the picture, never an empty one, and appends what it means to `bytes`. False when it is malformed, does
   * not follow the one before, or is too much.
   */
  take(payload: Buffer, bytes: UnitBytes): boolean;
  /**
   * The picture; `empty` when there is none in what came. `sure`: its first packet is known to be the first, so that the reader need
   * not look for a sign of it. `damaged` when something lacks.
   */
  finish(bytes: UnitBytes, sure: boolean): Picture | 'empty' | 'damaged';
}

const NONE: readonly AccessUnit[] = [];

/**
 * Cuts at the marker and where the timestamp changes. Waits for a key picture at first and after every loss: whatever comes before it
 * has lost its reference.
 */
export class PictureDepacketizer implements Depacketizer {
  readonly #reader: PictureReader;
  readonly #bytes = new UnitBytes();
  /** `spoilt`: the rest of the picture is of no use. */
  #state: 'between' | 'within' | 'spoilt' = 'between';
  #timestamp = 0;
  /** Nothing is missing before the first packet of the picture. */
  #sure = false;
  #broken = true;
  #told: Buffer | undefined;

  constructor(reader: PictureReader) {
    this.#reader = reader;
  }

  get broken(): boolean {
    return this.#broken;
  }

  push(packet: RtpPacket, gap: boolean): readonly AccessUnit[] {
    let units = NONE;
    if (gap) this.#lose();
    if (this.#state !== 'between' && packet.timestamp !== this.#timestamp) {
      units = this.#finish(units);
      this.#sure = !gap;
    }
    // a packet of nothing but padding
    if (packet.payload.length === 0) return units;
    if (this.#state === 'between') {
      this.#state = 'within';
      this.#timestamp = packet.timestamp;
      this.#bytes.clear();
      this.#reader.start();
    }
    if (this.#state === 'within' && !this.#reader.take(packet.payload, this.#bytes)) this.#spoil();
    if (packet.marker) {
      units = this.#finish(units);
      this.#sure = true;
    }
    return units;
  }

  #lose(): void {
    this.#broken = true;
    this.#sure = false;
    if (this.#state === 'within') this.#spoil();
  }

  #spoil(): void {
    this.#state = 'spoilt';
    this.#broken = true;
    this.#bytes.clear();
  }

  #finish(units: readonly AccessUnit[]): readonly AccessUnit[] {
    const picture = this.#state === 'within' ? this.#reader.finish(this.#bytes, this.#sure) : 'empty';
    this.#state = 'between';
    this.#bytes.clear();
    if (picture === 'empty') return units;
    if (picture === 'damaged') {
      this.#broken = true;
      return units;
    }
    const { key, data, config } = picture;
    if (key) this.#broken = false;
    if (this.#broken) return units;
    const isNew = this.#told === undefined || (this.#told !== config && !this.#told.equals(config));
    this.#told = config;
    return [...units, { timestamp: this.#timestamp, key, data, config: isNew ? config : undefined }];
  }
}
