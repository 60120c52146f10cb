/**
 * A real Chromium: pages of castgate and pages of our own, a camera and a microphone that are made up.
 */
import { readFileSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';
import { type Scope, until } from './program.ts';

const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  // the tests run as root, in containers
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--ignore-certificate-errors',
];
const SCRIPT = readFileSync(new URL('./rtc-page.js', import.meta.url), 'utf8');

export interface BrowserOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  /** More for Chromium's command line. */
  readonly arguments?: readonly string[];
  /** Do pages keep to their own policy? The test's own scripts do not run in them then. Default false. */
  readonly strict?: boolean;
  /** Left out of what is usually given on the command line. */
  readonly without?: readonly string[];
}

/** What signalling led to. */
export interface Signalled {
  readonly status: number;
  /** Address of the session; empty when refused, as is the answer. */
  readonly location: string;
  readonly answer: string;
  /** Body of the refusal. */
  readonly problem: string;
}

/** As `RTCStats` has it; what there is not is undefined. */
export type RtpStats = Readonly<Record<string, number | undefined>>;

/** The pair of candidates in use. */
export interface UsedPair {
  readonly state: string;
  readonly local: UsedCandidate;
  readonly remote: UsedCandidate;
}

export interface UsedCandidate {
  readonly protocol: string;
  readonly port: number;
  readonly usernameFragment: string;
}

export interface Presented {
  readonly mediaTime: number;
  readonly width: number;
  readonly height: number;
  /** Milliseconds since the viewer was made. */
  readonly after: number;
}

export class Browser {
  readonly #newPage: () => Promise<Page>;

  constructor(newPage: () => Promise<Page>) {
    this.#newPage = newPage;
  }

  async open(url: string): Promise<Page> {
    const page = await this.#newPage();
    await page.goto(url);
    return page;
  }

  /** A page at `url` that publishes and watches by `rtc-page.js`. */
  async page(url: string): Promise<RtcPage> {
    const page = new RtcPage(await this.#newPage());
    await page.goto(url);
    return page;
  }
}

/** Opens a Chromium of its own, which ends with the test. */
export async function openBrowser(t: Scope, options: BrowserOptions = {}): Promise<Browser> {
  const { without = [], arguments: more = [], strict = false } = options;
  const args = [...ARGUMENTS.filter((argument) => !without.includes(argument)), ...more];
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args });
  t.after(() => browser.close());
  const context = await browser.newContext({
    bypassCSP: !strict,
    viewport: options.viewport ?? { width: 1_280, height: 800 },
  });
  return new Browser(() => context.newPage());
}

export class RtcPage {
  readonly page: Page;
  /** What the page wrote on its console. */
  readonly said: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => this.said.push(message.text()));
    page.on('pageerror', (error) => this.said.push(String(error)));
  }

  async goto(url: string): Promise<void> {
    await this.page.goto(url);
    await this.page.evaluate(SCRIPT);
  }

  publish(url: string, options: object = {}): Promise<Signalled> {
    return this.run('publish', url, options);
  }

  watch(url: string, options: object = {}): Promise<Signalled> {
    return this.run('watch', url, options);
  }

  /** Restarts ICE by PATCH; back when checks succeed again. */
  restart(
    which: 'publisher' | 'viewer',
    location: string,
    options: object = {},
  ): Promise<{ readonly status: number; readonly problem: string; readonly etag: string }> {
    return this.run('restart', which, location, options);
  }

  /** Undefined while there is none. */
  pair(which: 'publisher' | 'viewer'): Promise<UsedPair | undefined> {
    return this.run('pair', which);
  }

  stats(which: 'publisher' | 'viewer', kind: 'audio' | 'video'): Promise<RtpStats> {
    return this.run('stats', which, kind);
  }

  tone(millis?: number): Promise<{ readonly hertz: number; readonly decibels: number }> {
    return this.run('tone', millis);
  }

  presented(): Promise<readonly Presented[]> {
    return this.page.evaluate('presented');
  }

  /** Waits until `count` frames have been decoded. */
  decoded(count: number): Promise<RtpStats> {
    return until(`${count} frames are decoded`, async () => {
      const stats = await this.stats('viewer', 'video');
      return Number(stats['framesDecoded']) >= count ? stats : undefined;
    });
  }

  /** Calls a function of `rtc-page.js`. */
  run<T>(name: string, ...values: readonly unknown[]): Promise<T> {
    const given = values.map((value) => (value === undefined ? 'undefined' : JSON.stringify(value))).join(', ');
    return this.page.evaluate(`rtc.${name}(${given})`) as Promise<T>;
  }
}
