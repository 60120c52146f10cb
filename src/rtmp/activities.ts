/**
 * What one RTMP client does on its message streams: the streams it publishes and those it plays.
 */
import type { Millis } from '../base/clock.ts';
import { ERRORS } from '../base/error-table.ts';
import { RefusedError } from '../base/errors.ts';
import { type Logger, withoutQuery } from '../base/log.ts';
import { parseStreamName } from '../session/address.ts';
import type { SessionStream } from '../session/session.ts';
import { WHOLE } from './audience.ts';
import type { RtmpConnection } from './connection.ts';
import { MESSAGE, type Message } from './messages.ts';
import type { NetStreamEvent, Question } from './net-stream.ts';
import { Playback } from './playback.ts';
import { RtmpPublisher } from './publisher.ts';
import type { RtmpSession } from './rtmp-session.ts';
import type { Transport } from './transport.ts';
import { countClosed, type RtmpWorld } from './world.ts';

export interface ActivityEvents {
  /** When the TCP connection was opened, for the join time. */
  readonly openedAt: Millis;
  /** The client can play Opus. */
  readonly hearsOpus: boolean;
  /** Nothing is published or played any more. */
  idle(): void;
  /** The engine has something to say. */
  flush(): void;
  dismiss(code: string, reason: string): void;
}

/** An encoder that has gone on for so long reads what it is told. */
const WARN_AFTER: Millis = 2_000;

export class Activities {
  readonly #world: RtmpWorld;
  readonly #session: RtmpSession;
  readonly #engine: RtmpConnection;
  readonly #transport: Transport;
  readonly #log: Logger;
  readonly #events: ActivityEvents;
  readonly #publishers = new Map<number, RtmpPublisher>();
  readonly #playbacks = new Map<number, Playback>();
  /** Published with pictures out of order, since when; the encoder has not been told. */
  readonly #reordered = new Map<number, Millis>();
  /** What is done on each message stream. */
  readonly #streams = new Map<number, SessionStream>();

  constructor(
    world: RtmpWorld,
    session: RtmpSession,
    engine: RtmpConnection,
    transport: Transport,
    log: Logger,
    events: ActivityEvents,
  ) {
    this.#world = world;
    this.#session = session;
    this.#engine = engine;
    this.#transport = transport;
    this.#log = log;
    this.#events = events;
  }

  get publishing(): boolean {
    return this.#publishers.size > 0;
  }

  get playing(): boolean {
    return this.#playbacks.size > 0;
  }

  room(typeId: number, streamId: number, timestamp: number, length: number): Buffer | undefined {
    return this.#publishers.get(streamId)?.room(typeId, timestamp, length);
  }

  media(streamId: number, message: Message): void {
    const publisher = this.#publishers.get(streamId);
    if (publisher === undefined) return;
    publisher.write(message);
    if (message.typeId === MESSAGE.Video) this.#world.counts.videoFrames += 1;
    else if (message.typeId === MESSAGE.Audio) this.#world.counts.audioFrames += 1;
    this.#session.hasVideo = publisher.hasVideo;
    this.#session.hasAudio = publisher.hasAudio;
  }

  event(event: NetStreamEvent): void {
    switch (event.type) {
      case 'publish':
        this.#try(event.question, 'NetStream.Publish.Denied', () => this.#publish(event.question, event.name));
        break;
      case 'play':
        if (event.restart) this.#stopPlaying(event.question.streamId);
        this.#try(event.question, 'NetStream.Play.Failed', () => this.#play(event.question, event.name));
        break;
      case 'stopped':
        if (event.was === 'publish') this.#stopPublishing(event.streamId);
        else this.#stopPlaying(event.streamId);
        break;
      case 'paused':
        if (event.paused) this.#playbacks.get(event.streamId)?.stop();
        else this.#resume(event.streamId);
        break;
      case 'wants':
        this.#events.flush();
        this.#playbacks.get(event.streamId)?.want(event.kind, event.wanted);
        break;
    }
  }

  /** About once a second. */
  check(): void {
    this.#warnReordered();
    const { playWait } = this.#world.options;
    for (const [streamId, playback] of this.#playbacks) {
      playback.check();
      if (playWait === 0 || playback.waitingMillis <= playWait) continue;
      this.#engine.status(streamId, 'error', 'NetStream.Play.StreamNotFound', `${playback.name} is not live.`);
      countClosed(this.#world.counts, 'stream/not-found');
      this.#log.info({ code: 'stream/not-found', stream: playback.name }, 'the stream did not go live');
      this.#engine.stop(streamId);
      this.#stopPlaying(streamId);
    }
  }

  /** Idempotent. */
  close(): void {
    for (const streamId of [...this.#publishers.keys()]) this.#stopPublishing(streamId);
    for (const streamId of [...this.#playbacks.keys()]) this.#stopPlaying(streamId);
  }

  #try(question: Question, status: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      countClosed(this.#world.counts, error.code);
      this.#log.info({ code: error.code, reason: error.message }, `${question.asks} refused`);
      const code = error.code === 'access/duplicate' ? 'NetStream.Publish.BadName' : status;
      this.#engine.refuse(question, code, error.message);
    }
  }

  #publish(question: Question, rawName: string): void {
    const { name, query } = parseStreamName(rawName);
    if (this.#session.role !== 'broadcaster') {
      throw new RefusedError('access/role', 'This address may only watch; publish with the broadcaster address.');
    }
    const publisher = new RtmpPublisher(
      this.#world.hub.stream(this.#session.app, name),
      this.#world.options.chunkSize,
      {
        evicted: (reason) => this.#events.dismiss('access/taken-over', reason),
        reordered: () => this.#noteReordered(question.streamId, name),
      },
      this.#takeover(name),
    );
    this.#publishers.set(question.streamId, publisher);
    this.#streams.set(question.streamId, { name, query, doing: 'publish' });
    this.#world.registry.claim(this.#session, name);
    this.#show();
    this.#engine.accept(question, name);
    this.#world.pacer.join();
    this.#world.gate.published(this.#session);
    this.#log.info({ stream: name }, 'publishing');
  }

  /** Browsers cannot show such a stream, and only the encoder can mend that. */
  #noteReordered(streamId: number, name: string): void {
    const { what, fix } = ERRORS['stream/b-frames']!;
    this.#log.warn({ code: 'stream/b-frames', stream: name }, `${what} ${fix}`);
    this.#reordered.set(streamId, this.#world.clock.now());
  }

  /** Tells encoders that go on; who sends a file at full speed and leaves without reading would lose its end to a reset. */
  #warnReordered(): void {
    const { what, fix } = ERRORS['stream/b-frames']!;
    for (const [streamId, since] of this.#reordered) {
      if (this.#world.clock.now() - since < WARN_AFTER) continue;
      this.#reordered.delete(streamId);
      this.#engine.status(streamId, 'warning', 'NetStream.Publish.BFrames', `${what} ${fix}`);
    }
  }

  /** Why the one who publishes `name` now must go; undefined when there is nobody or it may stay. */
  #takeover(name: string): string | undefined {
    const holder = this.#world.registry.publisherOf(this.#session.app, name);
    if (holder === undefined || holder === this.#session) return undefined;
    if (!this.#world.gate.mayTakeOver(this.#session, holder)) return undefined;
    return 'Another encoder with the same credentials took over this stream.';
  }

  #play(question: Question, rawName: string): void {
    const { name, query } = parseStreamName(rawName);
    const { world, session } = { world: this.#world, session: this.#session };
    const live = world.hub.find(session.app, name)?.live === true;
    const { streamId } = question;
    const options = { writeWindow: world.writeWindow(session.app), chunkSize: world.options.chunkSize };
    const limits = {
      highBytes: world.options.viewerQueue,
      lowBytes: world.options.viewerQueue >> 3,
      hardBytes: world.options.viewerQueue * 2,
      stallMillis: world.options.viewerTimeout,
    };
    let toldLive = live;
    const playback = new Playback(
      name,
      { ...WHOLE, messageStream: streamId, aac: !this.#events.hearsOpus },
      (form) => world.audiences.of(world.hub.stream(session.app, name), form, options),
      this.#transport,
      limits,
      world.clock,
      {
        began: () => {
          if (!toldLive) this.#notify(streamId, true, name);
          toldLive = true;
        },
        ended: () => {
          if (toldLive) this.#notify(streamId, false, name);
          toldLive = false;
        },
        tooSlow: () => this.#events.dismiss('rtmp/slow-viewer', 'This connection is too slow for the stream.'),
      },
    );
    this.#playbacks.set(streamId, playback);
    this.#streams.set(streamId, { name, query, doing: 'play' });
    this.#show();
    this.#engine.accept(question, name);
    this.#events.flush();
    if (playback.start()) world.observeJoin(world.clock.now() - this.#events.openedAt);
    this.#log.debug({ stream: withoutQuery(rawName), live }, 'playing');
  }

  #notify(streamId: number, live: boolean, name: string): void {
    this.#engine.notify(streamId, live, name);
    this.#events.flush();
  }

  #resume(streamId: number): void {
    // the answer to the command goes first, then the picture
    this.#events.flush();
    this.#playbacks.get(streamId)?.start();
  }

  #stopPublishing(streamId: number): void {
    const publisher = this.#publishers.get(streamId);
    if (publisher === undefined) return;
    this.#publishers.delete(streamId);
    this.#reordered.delete(streamId);
    this.#world.pacer.leave();
    const { name } = this.#streams.get(streamId)!;
    this.#world.registry.release(this.#session, name);
    this.#log.info({ stream: name }, 'stopped publishing');
    this.#forget(streamId);
    publisher.close();
    this.#world.gate.published(this.#session);
  }

  #stopPlaying(streamId: number): void {
    const playback = this.#playbacks.get(streamId);
    if (playback === undefined) return;
    this.#playbacks.delete(streamId);
    playback.stop();
    this.#forget(streamId);
  }

  /** What the session does is what it publishes, else what it plays. */
  #show(): void {
    const streams = [...this.#streams.values()];
    const shown = streams.find(({ doing }) => doing === 'publish') ?? streams.at(-1);
    this.#session.stream = shown;
    if (this.#session.state === 'closing') return;
    this.#session.state = shown === undefined ? 'connected' : shown.doing === 'publish' ? 'publishing' : 'playing';
  }

  #forget(streamId: number): void {
    this.#streams.delete(streamId);
    this.#show();
    if (this.#streams.size === 0) this.#events.idle();
  }
}
