/**
 * A camera that publishes numbered pictures and sounds by WHIP, and a screen that knows each of them: nothing may be lost, altered,
 * foreign or late for ever. What the network loses is asked for, and sent again.
 */
import assert from 'node:assert/strict';
import { systemClock } from '../../src/base/clock.ts';
import type { Frame } from '../../src/media/frame.ts';
import { GOP_DEFAULTS } from '../../src/relay/gop-cache.ts';
import { Stream } from '../../src/relay/stream.ts';
import { RtpPublisher } from '../../src/webrtc/rtp-publisher.ts';
import { type Scope, until } from './program.ts';
import { RtcClient } from './rtc-client.ts';
import { negotiated, pictureNumber, RtpCamera, RtpMicrophone } from './rtp-camera.ts';

const FRAME_MILLIS = 40;
const PICTURE_BYTES = 2_500;
const MAX_FAULTS = 10;

/** What a viewer of a camera sees, put together again. */
export class Screen {
  readonly client: RtcClient;
  readonly #publisher: RtpPublisher;

  /** Plays from `url`; `see` gets each frame but configurations. */
  static async open(t: Scope, url: string, see: (frame: Frame) => void, token?: string): Promise<Screen> {
    let screen: Screen | undefined;
    const early: Buffer[] = [];
    const client = await RtcClient.open(t, 'play', url, {
      ...(token === undefined ? {} : { token }),
      onRtp: (packet) => {
        if (screen === undefined) early.push(Buffer.from(packet));
        else screen.#publisher.rtp(packet);
      },
      onRtcp: (compound) => screen?.hear(compound),
    });
    screen = new Screen(client, see);
    for (const packet of early) screen.#publisher.rtp(packet);
    t.after(() => screen.close());
    return screen;
  }

  private constructor(client: RtcClient, see: (frame: Frame) => void) {
    this.client = client;
    const stream = new Stream('screen', 'screen', GOP_DEFAULTS, () => {});
    const write = (frame: Frame) => {
      if (frame.role !== 'config') see(frame);
    };
    stream.subscribe({ write, began: () => {}, ended: () => {}, viewers: 1 });
    this.#publisher = new RtpPublisher({
      stream,
      negotiated: negotiated(),
      options: { maxPublishBitrate: 10_000_000 },
      clock: systemClock,
      events: { rtcp: (compound) => client.rtcp(compound), evicted: () => {} },
    });
    this.#publisher.requestKeyFrame();
  }

  /** The camera's reports, by which pictures and sounds are put on one clock. */
  hear(compound: Buffer): void {
    this.#publisher.rtcp(compound);
  }

  close(): void {
    this.#publisher.close();
    this.client.vanish();
  }
}

/** Camera and screen. */
export class Screening {
  readonly camera: RtcClient;
  readonly screen: Screen;
  readonly #lens: RtpCamera;
  readonly #timer: NodeJS.Timeout;
  readonly #faults: string[] = [];
  #faultCount = 0;
  #sounds = 0;
  #next: number | undefined;
  #lastAt = 0;
  /** Longest time between two pictures, milliseconds: to be told, not to be judged. */
  longestGap = 0;

  /** `url`: of the stream, without `/whip`. */
  static async start(t: Scope, url: string): Promise<Screening> {
    let lens: RtpCamera | undefined;
    const camera = await RtcClient.open(t, 'publish', `${url}/whip`, { onRtcp: (compound) => lens?.hear(compound) });
    lens = new RtpCamera((packet) => camera.rtp(packet));
    const microphone = new RtpMicrophone((packet) => camera.rtp(packet));
    const timer = setInterval(() => {
      microphone.sound();
      microphone.sound();
      lens.picture(PICTURE_BYTES, FRAME_MILLIS);
    }, FRAME_MILLIS);
    timer.unref();
    t.after(() => clearInterval(timer));
    let seen: (frame: Frame) => void = () => {};
    // both media must be known before somebody watches
    const screen = await until('the camera can be watched', () =>
      Screen.open(t, `${url}/whep`, (frame) => seen(frame)).catch((error: Error) => {
        if (!error.message.startsWith('409')) throw error;
        return undefined;
      }),
    );
    const screening = new Screening(camera, screen, lens, timer);
    seen = (frame) => screening.#see(frame);
    return screening;
  }

  private constructor(camera: RtcClient, screen: Screen, lens: RtpCamera, timer: NodeJS.Timeout) {
    this.camera = camera;
    this.screen = screen;
    this.#lens = lens;
    this.#timer = timer;
  }

  /** All pictures that were taken so far are seen, as they were, by the first connections. */
  async check(during: string): Promise<void> {
    const taken = this.#lens.sent.length;
    const sounds = this.#sounds;
    await until(`${during}: the pictures of the screening arrive`, () => {
      return this.#faultCount > 0 || ((this.#next ?? 0) > taken && this.#sounds > sounds);
    });
    assert.equal(this.#faultCount, 0, `${during}: ${this.#faults.join('; ')}`);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.screen.client.leave();
    await this.camera.leave();
    this.screen.close();
    this.camera.vanish();
  }

  #see(frame: Frame): void {
    if (frame.kind === 'audio') {
      this.#sounds += 1;
      return;
    }
    const number = pictureNumber(frame);
    if (!frame.data.equals(this.#lens.sent[number] ?? Buffer.alloc(0))) this.#fault('a picture that was never taken');
    else if (this.#next !== undefined && number !== this.#next) this.#fault(`picture ${number}, not ${this.#next}`);
    this.#next = number + 1;
    const now = performance.now();
    if (this.#lastAt > 0) this.longestGap = Math.max(this.longestGap, now - this.#lastAt);
    this.#lastAt = now;
  }

  #fault(text: string): void {
    this.#faultCount += 1;
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(text);
  }
}
