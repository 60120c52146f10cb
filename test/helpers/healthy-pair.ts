/**
 * A publisher of numbered frames and a player who knows each of them by heart: nothing may be lost, altered, foreign or late for ever.
 */
import assert from 'node:assert/strict';
import { MESSAGE, type Message } from '../../src/rtmp/messages.ts';
import { aacBody, avcBody, metadataBody } from './frames.ts';
import { LightClient } from './light-client.ts';
import { type Scope, until } from './program.ts';

const FRAME_MILLIS = 25;
const GOP = 20;
const PICTURE_BYTES = 1_200;
const SOUND_BYTES = 160;
/** Faults that are told; more are counted. */
const MAX_FAULTS = 10;

export class HealthyPair {
  readonly #publisher: LightClient;
  readonly #player: LightClient;
  readonly #timer: NodeJS.Timeout;
  readonly #faults: string[] = [];
  #faultCount = 0;
  #sent = 0;
  readonly #expected = new Map<number, number>([
    [MESSAGE.Video, 0],
    [MESSAGE.Audio, 0],
  ]);
  #lastAt = 0;
  /** Longest time between two pictures, milliseconds: to be told, not to be judged. */
  longestGap = 0;

  private constructor(publisher: LightClient, player: LightClient) {
    this.#publisher = publisher;
    this.#player = player;
    this.#timer = setInterval(() => this.#send(), FRAME_MILLIS);
  }

  /** `publish`, `play`: addresses of the application, parameters included. */
  static async start(t: Scope, publish: string, play = publish, stream = 'healthy'): Promise<HealthyPair> {
    const early: Message[] = [];
    let receive = (message: Message): void => {
      early.push(message);
    };
    const player = new LightClient(t, 'play', play, stream, { onMedia: (message) => receive(message) });
    await player.begun();
    const publisher = await new LightClient(t, 'publish', publish, stream).begun();
    const pair = new HealthyPair(publisher, player);
    receive = (message) => pair.#receive(message);
    for (const message of early) receive(message);
    publisher.write(MESSAGE.DataAmf0, 0, metadataBody());
    publisher.write(MESSAGE.Video, 0, avcBody('config'));
    publisher.write(MESSAGE.Audio, 0, aacBody('config'));
    t.after(() => clearInterval(pair.#timer));
    return pair;
  }

  /** Pictures that arrived so far. */
  get pictures(): number {
    return this.#expected.get(MESSAGE.Video)!;
  }

  /** All that was sent so far has arrived, as it was, over the first connections. */
  async check(during: string): Promise<void> {
    const sent = this.#sent;
    // a window may hold the last sound until the next picture
    await until(`${during}: the healthy pair's pictures arrive`, () => this.#faultCount > 0 || this.pictures > sent);
    assert.equal(this.#faultCount, 0, `${during}: ${this.#faults.join('; ')}`);
    assert.ok(!this.#publisher.closed && !this.#player.closed, `${during}: the healthy pair was disconnected`);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#publisher.leave();
    await this.#player.leave();
  }

  #send(): void {
    const timestamp = this.#sent * FRAME_MILLIS;
    this.#publisher.write(MESSAGE.Audio, timestamp, sound(this.#sent));
    this.#publisher.write(MESSAGE.Video, timestamp, picture(this.#sent));
    this.#sent += 1;
  }

  #receive({ typeId, timestamp, body }: Message): void {
    if (typeId === MESSAGE.DataAmf0 || body[1] === 0) return;
    const number = this.#expected.get(typeId);
    if (number === undefined) {
      this.#fault(`a message of type ${typeId}`);
      return;
    }
    this.#expected.set(typeId, number + 1);
    const wanted = typeId === MESSAGE.Video ? picture(number) : sound(number);
    if (!body.equals(wanted)) this.#fault(`message ${number} of type ${typeId} is another one`);
    if (timestamp !== number * FRAME_MILLIS) this.#fault(`message ${number} has time ${timestamp}`);
    if (typeId !== MESSAGE.Video) return;
    const now = performance.now();
    if (this.#lastAt > 0) this.longestGap = Math.max(this.longestGap, now - this.#lastAt);
    this.#lastAt = now;
  }

  #fault(text: string): void {
    this.#faultCount += 1;
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(text);
  }
}

function picture(number: number): Buffer {
  return numbered(avcBody(number % GOP === 0 ? 'key' : 'delta', PICTURE_BYTES, 0, number & 255), number);
}

function sound(number: number): Buffer {
  return numbered(aacBody('delta', SOUND_BYTES, number & 255), number);
}

/** The whole number stands at the end. */
function numbered(body: Buffer, number: number): Buffer {
  body.writeUInt32BE(number, body.length - 4);
  return body;
}
