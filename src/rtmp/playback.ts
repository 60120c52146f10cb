/**
 * One play of one stream on one connection: which audience it belongs to now, and how long it has waited for a publisher.
 */
import type { Clock, Millis } from '../base/clock.ts';
import type { ValveLimits } from '../relay/valve.ts';
import type { Audience, AudienceForm } from './audience.ts';
import { Player, type PlayerEvents } from './player.ts';
import type { Transport } from './transport.ts';

/** The audience of this playback's stream that has the form: asked at each start, as a stream that nobody used is another one later. */
export type AudienceOf = (form: AudienceForm) => Audience;

export class Playback {
  /** Without its query. */
  readonly name: string;
  readonly #audienceOf: AudienceOf;
  readonly #player: Player;
  readonly #clock: Clock;
  #form: AudienceForm;
  #audience: Audience | undefined;
  /** Since when nobody publishes; undefined while somebody does. */
  #waitingSince: Millis | undefined;

  constructor(
    name: string,
    form: AudienceForm,
    audienceOf: AudienceOf,
    transport: Transport,
    limits: ValveLimits,
    clock: Clock,
    events: PlayerEvents,
  ) {
    this.name = name;
    this.#form = form;
    this.#audienceOf = audienceOf;
    this.#clock = clock;
    this.#waitingSince = clock.now();
    this.#player = new Player(transport, limits, {
      began: () => {
        this.#waitingSince = undefined;
        events.began();
      },
      ended: () => {
        this.#waitingSince ??= clock.now();
        events.ended();
      },
      tooSlow: () => events.tooSlow(),
    });
  }

  /** How long nobody has published what is to be played. */
  get waitingMillis(): Millis {
    return this.#waitingSince === undefined ? 0 : this.#clock.now() - this.#waitingSince;
  }

  /** Begins, or goes on after a pause, with the cache's opening; answers whether a picture was in it. */
  start(): boolean {
    if (this.#audience !== undefined) return false;
    // each start writes an opening: who asks for one after the other is not left to the next check
    if (this.#player.hopeless) {
      this.#player.events.tooSlow();
      return false;
    }
    this.#audience = this.#audienceOf(this.#form);
    return this.#audience.join(this.#player);
  }

  stop(): void {
    this.#audience?.leave(this.#player);
    this.#audience = undefined;
  }

  /** The client wants one kind no longer, or again: it moves to the audience that gets just that. */
  want(kind: 'audio' | 'video', wanted: boolean): void {
    if (this.#form[kind] === wanted) return;
    this.#form = { ...this.#form, [kind]: wanted };
    if (this.#audience === undefined) return;
    this.stop();
    this.start();
  }

  /** About once a second. */
  check(): void {
    this.#player.check(this.#clock);
  }
}
