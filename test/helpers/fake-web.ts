/**
 * Web sites on a test's own time: a `WebClient` without a network, and behind it a site that remembers logins as the vendor's
 * plugin does and has moods.
 */
import type { Clock, Millis } from '../../src/base/clock.ts';
import type { Hook, WebAnswer, WebClient, WebRequest } from '../../src/control/web-client.ts';
import { fault, redirectFault, statusFault } from '../../src/control/web-fault.ts';

/** What a site does with a request: seldom what it should. */
export type Mood =
  | 'good'
  | 'silent'
  | 'refused'
  | 'reset'
  | '500'
  | '403'
  | '404'
  | 'redirect'
  | 'huge'
  | 'gzip'
  | 'empty'
  | 'blank'
  | 'denied'
  | 'html'
  | 'warning'
  | 'garbage'
  | 'fatal'
  | 'zero'
  | 'cut';

export interface Heard {
  readonly hook: Hook;
  readonly url: URL;
  /** The `s` of a login or logout. */
  readonly name: string;
  /** The `p[]` of a login. */
  readonly params: readonly string[];
  /** The fields of a report. */
  readonly form: URLSearchParams;
  readonly at: Millis;
}

type Reply = (heard: Heard) => string;

/** A web site with the vendor's memory: a name that was let in is let in again, whatever the key, until it is logged out. */
export class FakeSite {
  readonly host: string;
  moods: Record<Hook, Mood> = { webLogin: 'good', webLogout: 'good', webStatus: 'good' };
  delays: Record<Hook, Millis> = { webLogin: 20, webLogout: 10, webStatus: 50 };
  readonly heard: Heard[] = [];
  /** Names that it believes to be here, and what it said of them. */
  readonly remembered = new Map<string, string>();
  /** Decides about a login that it does not remember. */
  login: Reply = ({ params }) => (params[3] === '1' ? 'login=1&role=1' : 'login=1');
  /** What it answers to a report. */
  status: Reply = () => 'VideoWhisper=1&usersCount=0&controlUsers=a:0:{}&controlSessions=a:0:{}';
  /** Requests of each hook under way, and the most there ever were. */
  readonly open: Record<Hook, number> = { webLogin: 0, webLogout: 0, webStatus: 0 };
  readonly most: Record<Hook, number> = { webLogin: 0, webLogout: 0, webStatus: 0 };

  constructor(host = 'site.example') {
    this.host = host;
  }

  get options() {
    return {
      webLogin: `https://${this.host}/ajax?action=vwls&task=rtmp_login&s=`,
      webLogout: `https://${this.host}/ajax?action=vwls&task=rtmp_logout&s=`,
      webStatus: `https://${this.host}/ajax?action=vwls&task=rtmp_status`,
    };
  }

  /** The names of those calls of `hook` that it answered or would have. */
  names(hook: Hook): string[] {
    return this.heard.filter((each) => each.hook === hook).map((each) => each.name);
  }

  times(hook: Hook): Millis[] {
    return this.heard.filter((each) => each.hook === hook).map((each) => each.at);
  }

  bodyFor(heard: Heard): string {
    if (heard.hook === 'webStatus') return this.status(heard);
    if (heard.hook === 'webLogout') return this.remembered.delete(heard.name) ? 'logout=1\n\t\t' : 'logout=\n\t\t';
    const answer = this.remembered.get(heard.name) ?? `VideoWhisper=1&${this.login(heard)}`;
    if (answer.includes('login=1')) this.remembered.set(heard.name, answer);
    return `${answer}\t\t\t\t\t`;
  }
}

/** Sends to the sites it knows; others cannot be looked up. */
export class FakeWeb implements WebClient {
  readonly #clock: Clock;
  readonly #sites = new Map<string, FakeSite>();
  readonly #open = new Set<(answer: WebAnswer) => void>();
  closed = false;

  constructor(clock: Clock, ...sites: FakeSite[]) {
    this.#clock = clock;
    for (const site of sites) this.#sites.set(site.host, site);
  }

  send(request: WebRequest): Promise<WebAnswer> {
    const url = new URL(request.url);
    const site = this.#sites.get(url.host);
    if (this.closed || site === undefined) return Promise.resolve(fault('web/unreachable', 'no such host'));
    const { hook } = request;
    const heard: Heard = {
      hook,
      url,
      name: url.searchParams.get('s') ?? '',
      params: url.searchParams.getAll('p[]'),
      form: new URLSearchParams(request.form?.toString() ?? ''),
      at: this.#clock.now(),
    };
    site.open[hook]++;
    site.most[hook] = Math.max(site.most[hook], site.open[hook]);
    return new Promise((resolve) => {
      const settle = (answer: WebAnswer) => {
        if (!this.#open.delete(settle)) return;
        site.open[hook]--;
        deadline.cancel();
        answering.cancel();
        resolve(answer);
      };
      this.#open.add(settle);
      const deadline = this.#clock.after(request.deadline, () => settle(fault('web/timeout', `${url.host}: too slow`)));
      // the site decides when it answers, not when it is asked
      const answering = this.#clock.after(site.delays[hook], () => {
        const answer = answerIn(site.moods[hook], site, { ...heard, at: heard.at }, request.maxBody);
        if (answer !== undefined) settle(answer);
      });
      site.heard.push(heard);
    });
  }

  close(): void {
    this.closed = true;
    for (const settle of [...this.#open]) settle(fault('web/unreachable', 'closed'));
  }
}

function answerIn(mood: Mood, site: FakeSite, heard: Heard, maxBody: number): WebAnswer | undefined {
  const { host } = site;
  const say = (text: string): WebAnswer =>
    text.length > maxBody
      ? fault('web/too-large', `${host}: too large`, { status: 200 })
      : { ok: true, body: Buffer.from(text) };
  switch (mood) {
    case 'good':
      return say(site.bodyFor(heard));
    case 'silent':
      return undefined;
    case 'refused':
      return fault('web/unreachable', `${host} refuses`, { cause: 'ECONNREFUSED' });
    case 'reset':
      return fault('web/unreachable', `${host} broke off`, { cause: 'ECONNRESET' });
    case '500':
    case '403':
    case '404':
      return statusFault(Number(mood), host);
    case 'redirect':
      return redirectFault('/wp-login.php?redirect_to=x', heard.url, 302);
    case 'huge':
      return say('x'.repeat(maxBody + 1));
    case 'gzip':
      return fault('web/answer', `${host} compresses`, { status: 200 });
    case 'empty':
      return say('');
    case 'blank':
      return say(' \r\n\t\t');
    case 'denied':
      return say('VideoWhisper=1&denied=NotFromAllowedIP-192.0.2.1');
    case 'html':
      return say('<!DOCTYPE html><html><body>Just a moment… login=1</body></html>');
    case 'warning':
      return say(
        `<br />\n<b>Warning</b>:  Undefined variable in <b>/srv/x.php</b> on line <b>7</b><br />\n${site.bodyFor(heard)}`,
      );
    case 'garbage':
      return say('\u0000\u0001login=maybe&controlUsers=O:8:"stdClass":0:{}');
    case 'fatal':
      return say('PHP Fatal error:  Uncaught TypeError: count(): Argument #1');
    case 'zero':
      return say('0');
    case 'cut':
      return say('VideoWhisper=1&usersCount=1&controlUsers=a:1:{s:3:"bob";a:2:{s:10:"disconnect";s:4:"gone";');
  }
}
