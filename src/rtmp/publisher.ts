/**
 * One RTMP publisher: messages become frames, where they lie already.
 */
import type { Frame } from '../media/frame.ts';
import type { Publication, Publisher, Stream } from '../relay/stream.ts';
import { FlvReader } from './flv.ts';
import { MESSAGE, type Message } from './messages.ts';
import { Slab } from './slab.ts';
import { Timeline } from './timeline.ts';

export interface PublisherEvents {
  /** Another publisher took the name. */
  evicted(reason: string): void;
  /** Pictures are shown in another order than they come; once. */
  reordered(): void;
}

export class RtmpPublisher implements Publisher {
  hasVideo = false;
  hasAudio = false;
  readonly #slab: Slab;
  readonly #reader = new FlvReader();
  readonly #timeline = new Timeline();
  readonly #events: PublisherEvents;
  readonly #publication: Publication;
  readonly #stream: Stream;
  #reordered = false;

  /** Takes `stream`. Throws `RefusedError` when somebody has it, unless `takeover` says why that one must go. */
  constructor(stream: Stream, chunkSize: number, events: PublisherEvents, takeover?: string) {
    this.#slab = new Slab(chunkSize);
    this.#events = events;
    this.#stream = stream;
    this.#publication = stream.publish(this, takeover);
  }

  /** Room for a media body where players will receive it from; see `Slab`. */
  room(typeId: number, timestamp: number, length: number): Buffer | undefined {
    if (typeId !== MESSAGE.Video && typeId !== MESSAGE.Audio) return undefined;
    return this.#slab.room(typeId, timestamp, length);
  }

  /** Relays one message. Throws `PeerError` when it is shorter than its own header. */
  write(message: Message): void {
    const millis = this.#timeline.unwrap(message.timestamp);
    const frame = this.#reader.frameFromFlv(message.typeId, millis, message.body);
    if (frame === undefined) return;
    this.#note(frame);
    // a configuration owns its bytes: it outlives the block that its message came in
    if (frame.role !== 'config') frame.wire = this.#slab.wireOf(message);
    this.#publication.write(frame);
    if (this.#stream.order.reordered && !this.#reordered) {
      this.#reordered = true;
      this.#events.reordered();
    }
  }

  close(): void {
    this.#publication.close();
  }

  /** An RTMP encoder cannot be asked. */
  requestKeyFrame(): void {}

  evicted(reason: string): void {
    this.#events.evicted(reason);
  }

  #note(frame: Frame): void {
    if (frame.kind === 'video') this.hasVideo = true;
    else if (frame.kind === 'audio') this.hasAudio = true;
  }
}
