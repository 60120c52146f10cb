/**
 * All RTMP players of one stream who receive the same bytes. One subscriber to the stream, however many they are: frames of a
 * window become one view of shared memory, and each player gets that view in one write.
 *
 *   frame ──▶ window (views) ──flush──▶ every open player
 *     └─ audio, metadata, configs ──▶ lane ──flush──▶ players whose valve is shut
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { Frame } from '../media/frame.ts';
import type { Source } from '../relay/source.ts';
import type { Subscriber, Subscription } from '../relay/stream.ts';
import type { WriteWindow } from './options.ts';
import type { Player } from './player.ts';
import { SHARED_MESSAGE_STREAM, Slab, type Wire } from './slab.ts';
import { Window } from './window.ts';
import { wireForm } from './wire-form.ts';

/** What sets one audience of a stream apart from another. */
export interface AudienceForm {
  /** Nearly always 1; other numbers when a client plays several streams on one connection. */
  readonly messageStream: number;
  readonly video: boolean;
  readonly audio: boolean;
  /** For players who cannot hear Opus: it is translated, all else is as published. */
  readonly aac: boolean;
}

export const WHOLE: AudienceForm = { messageStream: SHARED_MESSAGE_STREAM, video: true, audio: true, aac: false };

export interface AudienceOptions {
  readonly writeWindow: WriteWindow;
  readonly chunkSize: number;
}

/** In `video` mode, audio waits for the next picture until it has waited for a whole one of these: 100 ms at the most. */
export const AUDIO_HOLD_MILLIS = 50;
/** In `video` mode, so many audio frames without a picture mean there is none to wait for. */
const AUDIO_ALONE_FRAMES = 50;
/** A window that grows beyond this leaves at once. */
const WINDOW_BYTES = 256 << 10;

export class Audience implements Subscriber {
  /** Pictures withheld from late players, over all who were ever here. */
  withheld = 0;
  readonly #stream: Source;
  readonly #clock: Clock;
  readonly #form: AudienceForm;
  readonly #options: AudienceOptions;
  readonly #slab: Slab;
  readonly #window = new Window();
  readonly #lane = new Window();
  readonly #laneSlab: Slab;
  readonly #open: Player[] = [];
  readonly #shut: Player[] = [];
  readonly #subscription: Subscription;
  readonly #onEmpty: () => void;
  #timer: Timer | undefined;
  /** In the window at the last beat, and not flushed since. */
  #heldBytes = 0;
  #audioAlone = 0;
  /** A key frame was seen since the publisher came; video before the first one is of no use to anybody. */
  #anchored: boolean;

  constructor(stream: Source, form: AudienceForm, options: AudienceOptions, clock: Clock, onEmpty: () => void) {
    this.#stream = stream;
    this.#form = form;
    this.#options = options;
    this.#clock = clock;
    this.#onEmpty = onEmpty;
    this.#slab = new Slab(options.chunkSize, form.messageStream);
    this.#laneSlab = new Slab(options.chunkSize, form.messageStream);
    this.#anchored = stream.replay().some(isKey);
    this.#subscription = stream.subscribe(this);
  }

  get viewers(): number {
    return this.#open.length + this.#shut.length;
  }

  /** Sends the newcomer what is in the cache, and from now on what everybody gets; answers whether a picture was in the cache. */
  join(player: Player): boolean {
    // everybody must be at the same point, or the newcomer would get the pending window twice
    this.#flush();
    const late = player.late;
    const replay = (late ? this.#stream.configs() : this.#stream.replay()).filter((frame) => this.#wants(frame));
    const opening = new Window();
    for (const frame of replay) opening.add(this.#wire(frame));
    const pictured = replay.some(isKey);
    const decodable = !this.#form.video || (!late && (pictured || !this.#anchored));
    player.open(opening.take(), decodable);
    (decodable ? this.#open : this.#shut).push(player);
    if (!decodable) this.#subscription.requestKeyFrame();
    if (this.#stream.live) player.events.began();
    else player.events.ended();
    return pictured;
  }

  leave(player: Player): void {
    if (!remove(this.#open, player) && !remove(this.#shut, player)) return;
    if (this.viewers > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#subscription.close();
    this.#onEmpty();
  }

  began(): void {
    this.#flush();
    this.#anchored = false;
    for (const player of this.#all()) player.events.began();
  }

  ended(): void {
    this.#flush();
    for (const player of this.#all()) player.events.ended();
  }

  write(frame: Frame): void {
    if (!this.#wants(frame)) return;
    const picture = frame.kind === 'video' && frame.role !== 'config';
    if (picture && !this.#anchor(frame)) return;
    if (picture && this.#shut.length > 0) {
      if (isKey(frame)) this.#reopen();
      this.withheld += this.#shut.length;
    }
    this.#window.add(this.#wire(frame));
    if (!picture && this.#shut.length > 0) this.#lane.add(this.#laneWire(frame));
    this.#schedule(frame, picture);
  }

  /** Is there a key frame to start from? The first one lets everybody begin. */
  #anchor(frame: Frame): boolean {
    if (this.#anchored) return true;
    if (!isKey(frame)) return false;
    this.#anchored = true;
    return true;
  }

  #schedule(frame: Frame, picture: boolean): void {
    const mode = this.#options.writeWindow;
    if (this.#window.bytes > WINDOW_BYTES) {
      this.#flush();
    } else if (mode === 'video') {
      if (picture) {
        this.#audioAlone = 0;
        this.#flush();
      } else if (frame.kind === 'audio' && ++this.#audioAlone > AUDIO_ALONE_FRAMES) {
        this.#flush();
      }
    } else if (mode === 0) {
      this.#flush();
    } else {
      this.#arm(mode);
    }
  }

  /** Each `AUDIO_HOLD_MILLIS`: what has waited for a picture since the last time waits no longer. */
  beat(): void {
    if (this.#options.writeWindow !== 'video') return;
    if (this.#heldBytes > 0) this.#flush();
    this.#heldBytes = this.#window.bytes;
  }

  #arm(delay: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#clock.after(delay, () => {
      this.#timer = undefined;
      this.#flush();
    });
  }

  /** One write for each open player: this loop is nine tenths of the server's work. */
  #flush(): void {
    if (this.#window.bytes === 0) return;
    this.#heldBytes = 0;
    const views = this.#window.take();
    const open = this.#open;
    let late = false;
    for (let v = 0; v < views.length; v++) {
      const view = views[v]!;
      for (let i = 0; i < open.length; i++) {
        const { transport } = open[i]!;
        transport.write(view);
        // looked at while it is in the processor's cache; hardly ever does a second round follow
        if (transport.queuedBytes > 0) late = true;
      }
    }
    if (this.#lane.bytes > 0) {
      for (const view of this.#lane.take()) for (const player of this.#shut) player.transport.write(view);
    }
    if (late) this.#shutLate();
  }

  #shutLate(): void {
    const open = this.#open;
    for (let i = open.length - 1; i >= 0; i--) {
      const player = open[i]!;
      if (player.transport.queuedBytes > 0 && !player.admits(false)) this.#shutOut(player, i);
    }
  }

  #shutOut(player: Player, at: number): void {
    removeAt(this.#open, at);
    this.#shut.push(player);
  }

  /** A key frame is about to be written: who waits for one and has caught up goes on with the others. */
  #reopen(): void {
    this.#flush();
    for (let i = this.#shut.length - 1; i >= 0; i--) {
      const player = this.#shut[i]!;
      if (!player.admits(true)) continue;
      removeAt(this.#shut, i);
      this.#open.push(player);
    }
  }

  #wants(frame: Frame): boolean {
    if (frame.kind === 'video') return this.#form.video;
    return frame.kind === 'data' || this.#form.audio;
  }

  #wire(frame: Frame): Wire {
    const shared = wireForm(frame, this.#slab);
    return this.#form.messageStream === SHARED_MESSAGE_STREAM ? shared : this.#slab.copy(shared);
  }

  /** In memory of its own, so that a player in jam pins audio and not the video that it does not get. */
  #laneWire(frame: Frame): Wire {
    return this.#laneSlab.copy(wireForm(frame, this.#slab));
  }

  *#all(): Generator<Player> {
    yield* [...this.#open];
    yield* [...this.#shut];
  }
}

/** Decoding may start here: at a key frame of the first track, as in the cache. */
function isKey(frame: Frame): boolean {
  return frame.kind === 'video' && frame.role === 'key' && frame.track === 0;
}

function remove(players: Player[], player: Player): boolean {
  const at = players.indexOf(player);
  if (at < 0) return false;
  removeAt(players, at);
  return true;
}

/** Their order says nothing, so the last one takes the place. */
function removeAt(players: Player[], at: number): void {
  const last = players.pop()!;
  if (at < players.length) players[at] = last;
}
