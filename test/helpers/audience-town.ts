/**
 * One stream, one publisher at a time, any number of players with queues of their own, and a check of what each of them received.
 */
import assert from 'node:assert/strict';
import type { Millis } from '../../src/base/clock.ts';
import { Hub } from '../../src/relay/hub.ts';
import type { ValveLimits } from '../../src/relay/valve.ts';
import { type AudienceForm, type AudienceOptions, WHOLE } from '../../src/rtmp/audience.ts';
import { Audiences } from '../../src/rtmp/audiences.ts';
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts';
import { writeMessage } from '../../src/rtmp/chunk-writer.ts';
import { MESSAGE, type Message, writeSetChunkSize } from '../../src/rtmp/messages.ts';
import { Playback } from '../../src/rtmp/playback.ts';
import { RtmpPublisher } from '../../src/rtmp/publisher.ts';
import { FakeTransport } from './duplex.ts';
import { AAC_CONFIG, AVC_CONFIG, amfString, metadataBody } from './frames.ts';
import { VirtualClock } from './virtual-clock.ts';

export type Kind = 'key' | 'delta' | 'audio' | 'avc' | 'aac' | 'metadata';

/** One message as it was published. */
export interface Sent {
  readonly number: number;
  readonly kind: Kind;
  readonly timestamp: Millis;
  /** As players must receive it. */
  readonly body: Buffer;
  /** Publishers count up: who published it. */
  readonly era: number;
  /** The picture before it, by number; undefined for key frames and the rest. */
  readonly after?: number | undefined;
}

export const LIMITS: ValveLimits = { highBytes: 4_000, lowBytes: 500, hardBytes: 2 ** 40, stallMillis: 2 ** 40 };

const MESSAGE_TYPES: Readonly<Record<Kind, number>> = {
  key: MESSAGE.Video,
  delta: MESSAGE.Video,
  avc: MESSAGE.Video,
  audio: MESSAGE.Audio,
  aac: MESSAGE.Audio,
  metadata: MESSAGE.DataAmf0,
};

export class Viewer {
  readonly transport: FakeTransport;
  readonly playback: Playback;
  readonly received: Message[] = [];
  /** For each start: how many messages had been received, and how many published. */
  readonly starts: { received: number; published: number }[] = [];
  readonly stops: number[] = [];
  readonly told: string[] = [];
  readonly messageStream: number;
  readonly reader = new ChunkReader({ maxMessage: 16 << 20 });

  constructor(town: AudienceTown, form: AudienceForm, limits: ValveLimits) {
    this.messageStream = form.messageStream;
    const { chunkSize } = town.options;
    const announce = { typeId: MESSAGE.SetChunkSize, streamId: 0, timestamp: 0, body: writeSetChunkSize(chunkSize) };
    this.reader.feed(writeMessage(announce, 128, 2));
    assert.equal(this.reader.next(), undefined);
    this.transport = new FakeTransport((bytes) => {
      this.reader.feed(bytes);
      for (let next = this.reader.next(); next !== undefined; next = this.reader.next()) this.received.push(next);
    });
    const of = (wanted: AudienceForm) => town.audiences.of(town.hub.stream('live', town.name), wanted, town.options);
    this.playback = new Playback(town.name, form, of, this.transport, limits, town.clock, {
      began: () => this.told.push('began'),
      ended: () => this.told.push('ended'),
      tooSlow: () => this.told.push('too slow'),
    });
  }
}

export class AudienceTown {
  readonly name = 'live/a';
  readonly clock = new VirtualClock();
  readonly hub = new Hub();
  readonly audiences = new Audiences(this.clock, (stream) => stream);
  readonly options: AudienceOptions;
  readonly sent: Sent[] = [];
  readonly viewers: Viewer[] = [];
  timestamp = 0;
  #publisher: RtmpPublisher | undefined;
  #era = 0;
  #lastPicture: number | undefined;

  constructor(options: Partial<AudienceOptions> = {}) {
    this.options = { writeWindow: 'video', chunkSize: 65_536, ...options };
  }

  get live(): boolean {
    return this.#publisher !== undefined;
  }

  /** A publisher comes, with metadata and configurations; takes over when there is one. */
  begin(takeover?: string): void {
    const [evicted, reordered] = [() => {}, () => {}];
    this.#publisher = new RtmpPublisher(
      this.hub.stream('live', this.name),
      this.options.chunkSize,
      { evicted, reordered },
      takeover,
    );
    this.#era += 1;
    this.#lastPicture = undefined;
    for (const kind of ['metadata', 'avc', 'aac'] as const) this.publish(kind);
  }

  leave(): void {
    this.#publisher?.close();
    this.#publisher = undefined;
  }

  /** One message of `size` payload bytes; the timestamp has been advanced by `step`. */
  publish(kind: Kind, size = 100, step = 0): Sent {
    const publishing = this.compose(kind, size, step);
    this.#write(publishing.typeId, publishing.sent, this.#roomFor(publishing.typeId, publishing.sent));
    return publishing.sent;
  }

  /** Sound that comes between the chunks of a picture: the picture began first, and is complete last. */
  publishInterleaved(size: number, step: number): void {
    const audio = this.compose('audio', 40, step);
    // numbers follow the order of completion, memory that of the beginning
    const picture = this.compose('delta', size, 0);
    const room = this.#roomFor(MESSAGE.Video, picture.sent);
    this.#write(MESSAGE.Audio, audio.sent, this.#roomFor(MESSAGE.Audio, audio.sent));
    this.#write(MESSAGE.Video, picture.sent, room);
  }

  /** Room for a message that its sender then gives up. */
  abandon(size: number): void {
    this.#publisher?.room(MESSAGE.Video, this.timestamp, size)?.fill(0xdd);
  }

  compose(kind: Kind, size: number, step: number): { typeId: number; sent: Sent } {
    const number = this.sent.length;
    this.timestamp = (this.timestamp + step) % 2 ** 32;
    const picture = kind === 'key' || kind === 'delta';
    const after = kind === 'delta' ? this.#lastPicture : undefined;
    const body = bodyOf(kind, number, size);
    const sent: Sent = { number, kind, timestamp: this.timestamp, body, era: this.#era, after };
    // what no run holds begins none
    if (picture) this.#lastPicture = number;
    this.sent.push(sent);
    return { typeId: MESSAGE_TYPES[kind], sent };
  }

  #roomFor(typeId: number, { timestamp, body }: Sent): Buffer | undefined {
    if (body.length > 64 << 10) return undefined;
    return this.#publisher?.room(typeId, timestamp, body.length);
  }

  #write(typeId: number, sent: Sent, room: Buffer | undefined): void {
    const body = room ?? Buffer.alloc(sent.body.length);
    sent.body.copy(body);
    this.#publisher!.write({ typeId, streamId: 1, timestamp: sent.timestamp, chunkStreamId: 6, body });
  }

  join(form: Partial<AudienceForm> = {}, limits: Partial<ValveLimits> = {}): Viewer {
    const viewer = new Viewer(this, { ...WHOLE, ...form }, { ...LIMITS, ...limits });
    this.viewers.push(viewer);
    this.resume(viewer);
    return viewer;
  }

  pause(viewer: Viewer): void {
    if (viewer.stops.length < viewer.starts.length) viewer.stops.push(this.sent.length);
    viewer.playback.stop();
  }

  resume(viewer: Viewer): void {
    if (viewer.stops.length === viewer.starts.length)
      viewer.starts.push({ received: viewer.received.length, published: this.sent.length });
    viewer.playback.start();
  }

  /** Everything that waits anywhere arrives. */
  settle(): void {
    this.clock.advance(2_000);
    for (const { transport } of this.viewers) {
      transport.stalled = false;
      transport.drain();
    }
  }

  /** What a viewer has received, as what was published. Fails on anything that was not. */
  seen(viewer: Viewer): Sent[] {
    return viewer.received.map((message) => {
      const sent = this.sent[numberIn(message)];
      assert.ok(sent !== undefined, 'a message that nobody published');
      assert.equal(message.typeId, MESSAGE_TYPES[sent.kind]);
      assert.equal(message.streamId, viewer.messageStream);
      assert.equal(message.timestamp, sent.timestamp);
      assert.ok(message.body.equals(sent.body), `message ${sent.number} (${sent.kind}) differs`);
      return sent;
    });
  }
}

/** The number of a message stands at the end of its body, in front of AMF's end marker for metadata. */
function bodyOf(kind: Kind, number: number, size: number): Buffer {
  const mark = Buffer.alloc(4);
  mark.writeUInt32BE(number);
  if (kind === 'metadata') return metadataBody({ number });
  if (kind === 'avc') return Buffer.concat([Buffer.of(0x17, 0, 0, 0, 0), AVC_CONFIG, mark]);
  if (kind === 'aac') return Buffer.concat([Buffer.of(0xaf, 0), AAC_CONFIG, mark]);
  const fill = Buffer.alloc(Math.max(8, size), number);
  if (kind === 'audio') return Buffer.concat([Buffer.of(0xaf, 1), fill, mark]);
  return Buffer.concat([Buffer.of(kind === 'key' ? 0x17 : 0x27, 1, 0, 0, 0), fill, mark]);
}

const METADATA_HEAD = amfString('onMetaData').length + 5 + amfString('number').length - 1 + 1;

function numberIn({ typeId, body }: Message): number {
  return typeId === MESSAGE.DataAmf0 ? body.readDoubleBE(METADATA_HEAD) : body.readUInt32BE(body.length - 4);
}
