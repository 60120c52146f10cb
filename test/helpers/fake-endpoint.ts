/**
 * The endpoint as signalling doors see it, without media: answers what it is told to, and remembers what it was asked.
 */
import { RefusedError } from '../../src/base/errors.ts';
import type {
  AvailableStream,
  LastWords,
  Signalled,
  SignallingEndpoint,
  SignalRequest,
  SignalSession,
} from '../../src/webrtc/signalling.ts';

export const CANDIDATE = 'candidate:1 1 udp 2130706431 192.0.2.1 8189 typ host';
/** The answer, or offer, that it makes. */
export const SERVER_SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:video0',
  'a=ice-ufrag:server1',
  'a=ice-pwd:serverpassword1',
  `a=${CANDIDATE}`,
  'a=end-of-candidates',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:1',
  'a=ice-ufrag:server1',
  'a=ice-pwd:serverpassword1',
  '',
].join('\r\n');
export const CLIENT_SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:aaaa\r\na=ice-pwd:client\r\n';

export class FakeSession implements SignalSession {
  readonly id: string;
  readonly number: number;
  readonly request: SignalRequest;
  open = true;
  lastWords: LastWords | undefined;
  readonly patches: string[] = [];
  readonly answers: string[] = [];
  hangUps = 0;
  #generation = 1;
  #ufrag = 'aaaa';

  constructor(number: number, request: SignalRequest) {
    this.number = number;
    this.id = number.toString(16).padStart(32, '0');
    this.request = request;
  }

  get etag(): string {
    return `"ice-${this.#generation}"`;
  }

  belongsTo({ door, app, stream, token }: SignalRequest): boolean {
    if (door !== this.request.door) return false;
    return app === this.request.app && stream === this.request.stream && token === this.request.token;
  }

  restarts(fragment: string): boolean {
    return (/a=ice-ufrag:(\S+)/.exec(fragment)?.[1] ?? this.#ufrag) !== this.#ufrag;
  }

  patch(fragment: string, again = false): string | undefined {
    if (fragment.includes('nonsense')) throw new RefusedError('webrtc/sdp', 'The fragment cannot be read.');
    this.patches.push(fragment);
    if (this.restarts(fragment)) {
      this.#generation++;
      this.#ufrag = /a=ice-ufrag:(\S+)/.exec(fragment)![1]!;
    } else if (!again || this.#generation === 1 || !fragment.includes('a=ice-pwd:')) return undefined;
    const of = this.#generation;
    return `a=ice-lite\r\na=ice-ufrag:server${of}\r\na=ice-pwd:serverpassword${of}\r\na=${CANDIDATE}\r\na=end-of-candidates\r\n`;
  }

  answer(sdp: string): void {
    if (sdp.includes('nonsense')) throw new RefusedError('webrtc/sdp', 'The answer cannot be read.');
    this.answers.push(sdp);
  }

  hangUp(): void {
    this.hangUps++;
    this.open = false;
  }
}

export class FakeEndpoint implements SignallingEndpoint {
  iceLinks: readonly string[] = [];
  /** What publish, play and offerPlay do before they answer; it may throw, or take its time. */
  before: (request: SignalRequest, doing: 'publish' | 'play') => unknown = () => {};
  streams: readonly AvailableStream[] = [];
  readonly requests: (SignalRequest & { readonly asked: 'publish' | 'play' | 'offerPlay'; readonly offer?: string })[] =
    [];
  readonly listings: Omit<SignalRequest, 'stream'>[] = [];
  readonly sessions = new Map<string, FakeSession>();

  get last(): FakeSession {
    return [...this.sessions.values()].at(-1)!;
  }

  publish(request: SignalRequest, offer: string): Promise<Signalled> {
    return this.#signal(request, 'publish', offer);
  }

  play(request: SignalRequest, offer: string): Promise<Signalled> {
    return this.#signal(request, 'play', offer);
  }

  offerPlay(request: SignalRequest): Promise<Signalled> {
    return this.#signal(request, 'offerPlay');
  }

  async available(request: Omit<SignalRequest, 'stream'>): Promise<readonly AvailableStream[]> {
    this.listings.push(request);
    await this.before({ ...request, stream: '' }, 'play');
    return this.streams;
  }

  session(id: string): FakeSession | undefined {
    return this.sessions.get(id);
  }

  async #signal(request: SignalRequest, asked: 'publish' | 'play' | 'offerPlay', offer?: string): Promise<Signalled> {
    this.requests.push({ ...request, asked, ...(offer !== undefined && { offer }) });
    await this.before(request, asked === 'publish' ? 'publish' : 'play');
    const session = new FakeSession(this.sessions.size + 1, request);
    this.sessions.set(session.id, session);
    return { session, sdp: SERVER_SDP, candidates: [CANDIDATE] };
  }
}
