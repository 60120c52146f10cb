/**
 * The town's web sites: each remembers logins as the vendor's script does, gives orders, and has moods. And the way to them.
 */
import type { Clock, Millis } from '../../src/base/clock.ts';
import type { Hook, WebAnswer, WebClient, WebRequest } from '../../src/control/web-client.ts';
import { fault, redirectFault, statusFault } from '../../src/control/web-fault.ts';
import type { Dice } from './dice.ts';
import type { MortalClock } from './mortal-clock.ts';
import { type PhpArray, phpKey, phpText, readReport } from './php-report.ts';

export const MOODS = [
  'quick', 'slow', 'silent', 'refused', 'reset', '500', '403', 'redirect', 'garbage', 'empty', 'denied', 'huge',
  'html', 'hijacked', 'warning', 'amp', 'cut', 'twice', 'stranger',
] as const; // biome-ignore format: a list of words
export type Mood = (typeof MOODS)[number];

/** In these the site answers soon, and as it should. */
const PROMPT: ReadonlySet<Mood> = new Set<Mood>(['quick', 'warning', 'amp', 'twice', 'stranger']);
const SLOWEST_PROMPT_ANSWER: Millis = 100;
const LONGEST_WAY: Millis = 60;

/** One request, and what became of it. */
export interface Call {
  readonly hook: Hook;
  readonly site: TownSite;
  readonly url: string;
  /** The `s` of a login or logout. */
  readonly name: string;
  readonly params: readonly string[];
  readonly form: Buffer | undefined;
  readonly sentAt: Millis;
  readonly deadline: Millis;
  readonly house: number;
  /** The site let somebody in, in this role. */
  yes?: 'broadcaster' | 'watcher';
  readonly orders: Order[];
}

export interface Order {
  readonly number: number;
  readonly site: TownSite;
  /** The session's name. */
  readonly name: string;
  readonly text: string;
  /** The whole answer can be read, so that it must be carried out. */
  binding: boolean;
  deliveredAt?: Millis;
}

/** Who wants to know what goes to and fro. */
export interface WebWitness {
  asked(call: Call): void;
  acted(call: Call): void;
  /** The server hears the answer, or gives up. */
  settled(call: Call, answer: WebAnswer): void;
}

export class TownSite {
  readonly host: string;
  readonly #dice: Dice;
  readonly #clock: Clock;
  readonly #moods: Record<Hook, Mood> = { webLogin: 'quick', webLogout: 'quick', webStatus: 'quick' };
  /** When each hook last did not do as it should. */
  readonly troubledAt: Record<Hook, Millis> = { webLogin: -1e9, webLogout: -1e9, webStatus: -1e9 };
  readonly memory = new Map<string, string>();
  /** How often it orders one of those it sees to leave. */
  strictness = 0;
  #lastOrder = 0;

  constructor(host: string, clock: Clock, dice: Dice) {
    this.host = host;
    this.#clock = clock;
    this.#dice = dice;
  }

  get options() {
    const at = (task: string) => `https://${this.host}/ajax?action=vwls&task=${task}`;
    return {
      webLogin: `${at('rtmp_login')}&s=`,
      webLogout: `${at('rtmp_logout')}&s=`,
      webStatus: at('rtmp_status'),
      webKey: `secret of ${this.host}`,
    };
  }

  turn(hook: Hook, mood: Mood): void {
    this.troubled(hook);
    this.#moods[hook] = mood;
  }

  mood(hook: Hook): Mood {
    return this.#moods[hook];
  }

  /** Did `hook` answer soon, and as it should, all the time since? */
  promptSince(hook: Hook, since: Millis): boolean {
    return PROMPT.has(this.#moods[hook]) && this.troubledAt[hook] < since;
  }

  troubled(hook: Hook): void {
    if (!PROMPT.has(this.#moods[hook])) this.troubledAt[hook] = this.#clock.now();
  }

  /** Hears a call: what it does, what it says, and after how long; undefined: it never says anything. */
  hear(call: Call, maxBody: number): { answer: WebAnswer; after: Millis } | undefined {
    const mood = this.#moods[call.hook];
    const dice = this.#dice;
    const after = mood === 'slow' ? dice.between(1_500, 25_000) : dice.between(1, SLOWEST_PROMPT_ANSWER);
    const { host } = this;
    const say = (body: string): WebAnswer =>
      body.length > maxBody
        ? fault('web/too-large', `${host}: too large`, { status: 200 })
        : { ok: true, body: Buffer.from(body) };
    const answer = (): WebAnswer | undefined => {
      switch (mood) {
        case 'silent':
          if (dice.chance(0.5)) this.#act(call);
          return undefined;
        case 'refused':
          return fault('web/unreachable', `${host} refuses`, { cause: 'ECONNREFUSED' });
        case 'reset':
          if (dice.chance(0.5)) this.#act(call);
          return fault('web/unreachable', `${host} broke off`, { cause: 'ECONNRESET' });
        case '500':
        case '403':
          if (dice.chance(0.2)) this.#act(call);
          return statusFault(Number(mood), host);
        case 'redirect':
          return redirectFault('/wp-login.php', new URL(call.url), 302);
        default:
          return say(this.#body(call, mood, maxBody));
      }
    };
    const given = answer();
    return given === undefined ? undefined : { answer: given, after };
  }

  #body(call: Call, mood: Mood, maxBody: number): string {
    // HTTP 200 to a logout is all that anybody looks at: then it was done
    if (call.hook === 'webLogout') {
      const body = this.#act(call);
      return mood === 'huge' ? 'x'.repeat(maxBody + 1) : mood === 'empty' ? '' : body;
    }
    switch (mood) {
      case 'garbage':
        return '\u0000\u0001login=maybe&controlUsers=O:8:"stdClass":0:{}';
      case 'empty':
        return this.#dice.pick(['', ' \r\n\t\t']);
      case 'denied':
        return 'VideoWhisper=1&denied=NotFromAllowedIP-192.0.2.1';
      case 'huge':
        return 'login=1&'.padEnd(maxBody + 1, 'x');
      case 'html':
        return '<!DOCTYPE html><html><body>Just a moment… login=1</body></html>';
      case 'hijacked':
        if (call.hook === 'webLogin') return 'VideoWhisper=1&login=1&role=1&webKey=another';
        return 'PHP Fatal error:  Uncaught TypeError: count()';
      case 'warning':
        return `<br />\n<b>Warning</b>:  Undefined variable $x in <b>/srv/x.php</b> on line <b>7</b><br />\n${this.#act(call)}`;
      case 'amp':
        return this.#act(call).replaceAll('&', '&amp;').replaceAll('>', '&gt;');
      case 'cut': {
        const body = this.#act(call);
        for (const order of call.orders) order.binding = false;
        return call.hook === 'webStatus' ? body.slice(0, this.#dice.between(0, body.length - 1)) : body;
      }
      default:
        return this.#act(call);
    }
  }

  #act(call: Call): string {
    if (call.hook === 'webStatus') return this.#status(call);
    if (call.hook === 'webLogout') return this.memory.delete(call.name) ? 'logout=1\n\t\t' : 'logout=\n\t\t';
    const answer = this.memory.get(call.name) ?? this.#login(call.params);
    if (answer.includes('login=1')) {
      this.memory.set(call.name, answer);
      call.yes = answer.includes('role=1') ? 'broadcaster' : 'watcher';
    }
    return `${answer}\t\t\t\t\t`;
  }

  #login([session, , key, broadcaster]: readonly string[]): string {
    const echo = `webKey=${encodeURIComponent(this.options.webKey)}&start=1700000000&canKick=0`;
    if (broadcaster === '1' && key === rightKey(session!)) return `VideoWhisper=1&login=1&${echo}&role=1`;
    if (key === VIEW_KEY) return `VideoWhisper=1&login=1&${echo}`;
    return 'VideoWhisper=1&login=0&missingSession=0&invalid=0&verified=0&wrongKey=1&k=x&p=6';
  }

  /** Lists everybody it was told of, as the script does: viewers all under one empty key, so that only the last is left. */
  #status(call: Call): string {
    const rows = rowsOf(call.form!);
    if (rows === undefined) return 'PHP Fatal error:  Uncaught TypeError: count()';
    const entries = new Map<string, PhpArray>();
    for (const row of rows)
      entries.set(row.get('role') === '1' || this.#dice.chance(0.5) ? `${row.get('session')}` : '', row);
    const mood = this.#moods.webStatus;
    let users = '';
    for (const [key, row] of entries)
      users += this.#entry(key, `${row.get('session')}`, this.#order(call, `${row.get('session')}`));
    let count = entries.size;
    if (mood === 'stranger') {
      users += this.#entry('nobody-here', 'nobody-here', 'you were never here (0)');
      count++;
    }
    if (mood === 'twice') {
      users += [...entries]
        .map(([key, row]) =>
          this.#entry(
            key,
            `${row.get('session')}`,
            call.orders.find(({ name }) => name === row.get('session'))?.text ?? '',
          ),
        )
        .join('');
      count += entries.size;
    }
    return `VideoWhisper=1&usersCount=${rows.length}&controlUsers=a:${count}:{${users}}&controlSessions=a:0:{}`;
  }

  #order(call: Call, name: string): string {
    if (!this.#dice.chance(this.strictness)) return '';
    const number = ++this.#lastOrder;
    const text = this.#dice.pick([`Time is up (${number})`, `A>B (${number})`, `Gone+by+order+(${number})`]);
    call.orders.push({ number, site: this, name, text, binding: true });
    return text;
  }

  #entry(key: string, session: string, disconnect: string): string {
    const fields = `${phpText('disconnect')}${phpText(disconnect)}${phpText('session')}${phpText(session)}${phpText('dS')}i:0;${phpText('type')}N;`;
    return `${phpKey(key)}a:4:{${fields}}`;
  }
}

/** Undefined when the report cannot be read: its law has said so already. */
function rowsOf(form: Buffer): PhpArray[] | undefined {
  try {
    return [...readReport(form).users.values()] as PhpArray[];
  } catch {
    return undefined;
  }
}

export const VIEW_KEY = 'view-key';

export function rightKey(session: string): string {
  return `key of ${session}`;
}

/** The way of one server to all sites. */
export class TownWeb implements WebClient {
  readonly #clock: Clock;
  readonly #own: MortalClock;
  readonly #dice: Dice;
  readonly #sites: ReadonlyMap<string, TownSite>;
  readonly #witness: WebWitness;
  readonly #house: number;
  readonly #open = new Set<(answer: WebAnswer) => void>();
  #closed = false;

  constructor(
    house: number,
    clock: Clock,
    own: MortalClock,
    dice: Dice,
    sites: Iterable<TownSite>,
    witness: WebWitness,
  ) {
    this.#house = house;
    this.#clock = clock;
    this.#own = own;
    this.#dice = dice;
    this.#sites = new Map([...sites].map((site) => [site.host, site]));
    this.#witness = witness;
  }

  send({ hook, url, form, deadline, maxBody }: WebRequest): Promise<WebAnswer> {
    const to = new URL(url);
    const site = this.#sites.get(to.host);
    if (this.#closed || site === undefined) return Promise.resolve(fault('web/unreachable', 'no such host'));
    const { searchParams } = to;
    const call: Call = {
      hook,
      site,
      url,
      name: searchParams.get('s') ?? '',
      params: searchParams.getAll('p[]'),
      form,
      sentAt: this.#clock.now(),
      deadline,
      house: this.#house,
      orders: [],
    };
    this.#witness.asked(call);
    return new Promise((resolve) => {
      const settle = (answer: WebAnswer) => {
        if (!this.#open.delete(settle) || !this.#own.alive) return;
        timer.cancel();
        this.#witness.settled(call, answer);
        resolve(answer);
      };
      this.#open.add(settle);
      const timer = this.#own.after(deadline, () => settle(fault('web/timeout', `${site.host}: too slow`)));
      this.#clock.after(this.#dice.between(1, LONGEST_WAY), () => {
        const heard = site.hear(call, maxBody);
        this.#witness.acted(call);
        if (heard !== undefined) this.#clock.after(heard.after, () => settle(heard.answer));
      });
    });
  }

  close(): void {
    this.#closed = true;
    for (const settle of [...this.#open]) settle(fault('web/unreachable', 'closed'));
  }
}
