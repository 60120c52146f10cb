/**
 * What is published in the town: messages that carry who sent them and which one it is, and the check of what a viewer receives.
 */
import type { Millis } from '../../src/base/clock.ts';
import { AMF_LIMITS, amfFields } from '../../src/rtmp/amf-value.ts';
import { readAmf0 } from '../../src/rtmp/amf0.ts';
import { MESSAGE, type Message } from '../../src/rtmp/messages.ts';
import { AAC_CONFIG, AVC_CONFIG, amfString, metadataBody } from '../helpers/frames.ts';
import type { Dice } from './dice.ts';

export type Kind = 'metadata' | 'avc' | 'aac' | 'key' | 'delta' | 'audio';

/** One message as it was sent. */
export interface Sent {
  readonly number: number;
  readonly kind: Kind;
  readonly at: Millis;
  readonly timestamp: number;
  /** As viewers must receive it. */
  readonly body: Buffer;
  /** The one of its sort before it, by number; sorts are pictures and sounds. */
  readonly after: number | undefined;
}

const TYPES: Readonly<Record<Kind, number>> = {
  metadata: MESSAGE.DataAmf0,
  avc: MESSAGE.Video,
  aac: MESSAGE.Audio,
  key: MESSAGE.Video,
  delta: MESSAGE.Video,
  audio: MESSAGE.Audio,
};

/** The messages of one connection that publishes. */
export class Source {
  readonly id: number;
  /** `app/stream` */
  readonly stream: string;
  readonly ip: string;
  readonly sent: Sent[] = [];
  /** Neither its network nor its person ever faltered. */
  healthy = true;
  readonly #dice: Dice;
  readonly #group: number;
  /** Some of its pictures are larger than what a slow viewer may be behind. */
  readonly large: boolean;
  readonly audioOnly: boolean;
  /** When its session ended at the server. */
  endedAt: Millis | undefined;
  #timestamp: number;
  #lastPicture: number | undefined;
  #lastSound: number | undefined;
  #pictures = 0;

  constructor(id: number, stream: string, ip: string, dice: Dice) {
    this.id = id;
    this.stream = stream;
    this.ip = ip;
    this.#dice = dice;
    this.#group = dice.between(3, 20);
    this.large = dice.chance(0.2);
    this.audioOnly = dice.chance(0.1);
    this.#timestamp = dice.chance(0.1) ? 2 ** 32 - dice.between(1, 20_000) : 0;
  }

  /** What goes over the wire next, `step` ms after the last. */
  next(kind: Kind, now: Millis, step: Millis): { typeId: number; timestamp: number; body: Buffer } {
    const number = this.sent.length;
    this.#timestamp = (this.#timestamp + step) % 2 ** 32;
    const body = this.#body(kind, number);
    const after = kind === 'audio' ? this.#lastSound : isPicture(kind) ? this.#lastPicture : undefined;
    this.sent.push({ number, kind, at: now, timestamp: this.#timestamp, body, after });
    if (kind === 'audio') this.#lastSound = number;
    if (isPicture(kind)) this.#lastPicture = number;
    const wire = kind === 'metadata' ? Buffer.concat([amfString('@setDataFrame'), body]) : body;
    return { typeId: TYPES[kind], timestamp: this.#timestamp, body: wire };
  }

  /** A picture of its group: the first is a key frame. */
  nextPicture(): 'key' | 'delta' {
    return this.#pictures++ % this.#group === 0 ? 'key' : 'delta';
  }

  #body(kind: Kind, number: number): Buffer {
    if (kind === 'metadata') return metadataBody({ source: this.id, number });
    const mark = Buffer.alloc(8);
    mark.writeUInt32BE(this.id);
    mark.writeUInt32BE(number, 4);
    if (kind === 'avc') return Buffer.concat([Buffer.of(0x17, 0, 0, 0, 0), AVC_CONFIG, mark]);
    if (kind === 'aac') return Buffer.concat([Buffer.of(0xaf, 0), AAC_CONFIG, mark]);
    if (kind === 'audio')
      return Buffer.concat([Buffer.of(0xaf, 1), this.#dice.bytes(this.#dice.between(8, 200)), mark]);
    const most = kind === 'key' ? (this.large ? 90_000 : 4_000) : this.large ? 9_000 : 900;
    const fill = this.#dice.bytes(this.#dice.between(16, most));
    return Buffer.concat([Buffer.of(kind === 'key' ? 0x17 : 0x27, 1, 0, 0, 0), fill, mark]);
  }
}

export function isPicture(kind: Kind): boolean {
  return kind === 'key' || kind === 'delta';
}

/** Whose message it is, and which; undefined when it bears no mark. */
export function markOf({ typeId, body }: Message): { source: number; number: number } | undefined {
  if (typeId !== MESSAGE.DataAmf0) {
    if (body.length < 8) return undefined;
    return { source: body.readUInt32BE(body.length - 8), number: body.readUInt32BE(body.length - 4) };
  }
  const fields = amfFields(readAmf0(body, 0, AMF_LIMITS)[1]);
  const [source, number] = [fields?.get('source'), fields?.get('number')];
  return typeof source === 'number' && typeof number === 'number' ? { source, number } : undefined;
}

/** What one viewer has seen of one stream, in one go. Answers what is wrong with a message, if anything. */
export class Eye {
  /** Of the source that it sees now. */
  source: Source | undefined;
  picture: Sent | undefined;
  sound: Sent | undefined;
  readonly #stream: string;
  readonly #past = new Set<Source>();
  #last = -1;
  /** It asked for the same again: the opening may show what was seen. */
  #again = false;

  constructor(stream: string) {
    this.#stream = stream;
  }

  again(): void {
    this.#again = true;
  }

  /** `missesNothing`: each picture must follow the one before it. */
  see(source: Source | undefined, message: Message, number: number, missesNothing: boolean): string | undefined {
    const sent = source?.sent[number];
    if (source === undefined || sent === undefined) return 'a message that nobody sent';
    const what = `${sent.kind} ${source.id}:${number}`;
    if (source.stream !== this.#stream) return `${what} of ${source.stream} reached a viewer of ${this.#stream}`;
    if (!message.body.equals(sent.body)) return `${what} was altered`;
    if (message.typeId !== TYPES[sent.kind]) return `${what} came as type ${message.typeId}`;
    if (message.timestamp !== sent.timestamp) return `${what} has time ${message.timestamp}, not ${sent.timestamp}`;
    if (source !== this.source) {
      if (this.#past.has(source)) return `${what} came after its publisher's successor`;
      if (this.source !== undefined) this.#past.add(this.source);
      this.source = source;
      this.picture = this.sound = undefined;
      this.#last = -1;
    }
    return this.#order(sent, what, missesNothing);
  }

  #order(sent: Sent, what: string, missesNothing: boolean): string | undefined {
    const { kind, number, after } = sent;
    if (!isPicture(kind) && kind !== 'audio') return undefined;
    if (number <= this.#last) {
      if (!this.#again || (kind !== 'key' && kind !== 'audio')) return `${what} came after ${this.#last}`;
      this.#again = false;
      this.picture = this.sound = undefined;
    }
    this.#last = number;
    const before = kind === 'audio' ? this.sound : this.picture;
    if (kind === 'delta' && before?.number !== after) {
      return `${what} follows ${before?.number ?? 'nothing'}, not ${after}: it cannot be decoded`;
    }
    if (missesNothing && before !== undefined && before.number !== after) {
      return `${what} follows ${before.number}, not ${after}: something is missing`;
    }
    if (kind === 'audio') this.sound = sent;
    else this.picture = sent;
    return undefined;
  }
}
