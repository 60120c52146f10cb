/**
 * A page that speaks Wowza's signalling, in a real browser.
 */
import { readFileSync } from 'node:fs';
import type { Browser, RtcPage } from './browser.ts';

const SCRIPT = readFileSync(new URL('./wowza-page.js', import.meta.url), 'utf8');

/** A reply of the classic dialect, as it came. */
export interface ClassicReply {
  readonly status: number;
  readonly statusDescription: string;
  readonly direction: string;
  readonly command: string;
  readonly streamInfo: { readonly applicationName: string; readonly streamName: string; readonly sessionId: string };
  readonly sdp?: { readonly type: string; readonly sdp: string };
  readonly iceCandidates?: readonly { readonly candidate: string; readonly sdpMid: string }[];
  readonly availableStreams?: readonly { readonly streamName: string; readonly readyVideo: boolean }[] | null;
}

/** One of v2, with the candidates that came behind it. */
export interface V2Reply {
  readonly statusCode: number;
  readonly statusDescription: string;
  readonly message?: { readonly connectionId: string; readonly sdp: string };
  readonly candidates: readonly { readonly messageType: string; readonly candidate: string }[];
}

export class WowzaPage {
  readonly rtc: RtcPage;
  readonly #socket: string;

  /** `socket`: address of the WebSocket. */
  constructor(rtc: RtcPage, socket: string) {
    this.rtc = rtc;
    this.#socket = socket;
  }

  publish(app: string, stream: string, options: object = {}): Promise<ClassicReply & { readonly offer: string }> {
    return this.#run('publish', this.#socket, app, stream, options);
  }

  play(app: string, stream: string, options: object = {}): Promise<ClassicReply> {
    return this.#run('play', this.#socket, app, stream, options);
  }

  available(app: string, stream = '', direction = 'play'): Promise<ClassicReply> {
    return this.#run('available', this.#socket, app, stream, direction);
  }

  v2(which: 'publisher' | 'viewer', app: string, stream: string, options: object = {}): Promise<V2Reply> {
    return this.#run('v2', which, this.#socket, app, stream, options);
  }

  restart(which: 'publisher' | 'viewer'): Promise<V2Reply> {
    return this.#run('restart', which);
  }

  ended(which: 'publisher' | 'viewer'): Promise<string> {
    return this.#run('ended', which);
  }

  #run<T>(name: string, ...values: readonly unknown[]): Promise<T> {
    return this.rtc.page.evaluate(`wowza.${name}(${values.map((value) => JSON.stringify(value)).join(', ')})`);
  }
}

/** A page at `url` whose WebSocket is at `socket`. */
export async function openWowzaPage(browser: Browser, url: string, socket: string): Promise<WowzaPage> {
  const rtc = await browser.page(url);
  await rtc.page.evaluate(SCRIPT);
  return new WowzaPage(rtc, socket);
}
