/**
 * A real Chromium: pages of castgate and pages of our own, a camera and a microphone that are made up.
 */
import { chromium, type Page } from 'playwright-core';
import type { Scope } from './program.ts';

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

export interface BrowserOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** Opens an empty page in a Chromium of its own, which ends with the test. What the page says on its console is kept in `said`. */
export async function openBrowser(t: Scope, options: BrowserOptions = {}): Promise<BrowserPage> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS });
  t.after(() => browser.close());
  const context = await browser.newContext({ viewport: options.viewport ?? { width: 1_280, height: 800 } });
  return {
    open: async (url) => {
      const page = await context.newPage();
      const said: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(String(error)));
      await page.goto(url);
      return Object.assign(page, { said });
    },
  };
}

export interface BrowserPage {
  open(url: string): Promise<Page & { readonly said: readonly string[] }>;
}
