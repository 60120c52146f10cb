/**
 * What every signalling door (WHIP, WHEP, Wowza's WebSocket) asks of the one endpoint behind them.
 */

/** Who asks for what. */
export interface SignalRequest {
  readonly app: string;
  /** Without its query. */
  readonly stream: string;
  /** What followed `?` in the stream's name; may hold keys, never logged. */
  readonly query: string;
  readonly ip: string;
  /** A bearer token; never logged. */
  readonly token?: string | undefined;
  /** `whip`, `whep` or `wowza`. */
  readonly door: string;
  readonly userAgent?: string | undefined;
}

/** Why a session ended. */
export interface LastWords {
  /** From base/errors.ts. */
  readonly code: string;
  /** For the client to read; names no secret. */
  readonly reason: string;
}

/** A session as its signalling door sees it. */
export interface SignalSession {
  /** 32 hexadecimal digits, 128 random bits. */
  readonly id: string;
  /** Below 2^31, as the web site knows it. */
  readonly number: number;
  /** Strong entity tag of its ICE state, quotes included. */
  readonly etag: string;
  readonly open: boolean;
  /** Why it ended; undefined while it has not. It can be asked for a minute. */
  readonly lastWords: LastWords | undefined;
  /** Does this request carry the path and the token that the session was made with? Constant time. */
  belongsTo(request: Pick<SignalRequest, 'door' | 'app' | 'stream' | 'token'>): boolean;
  /**
   * A PATCH body or a candidate. Answers a fragment with new credentials and candidates when the client restarts ICE, else
   * undefined: candidates of the client are of no use here, its checks show where it is. Throws `RefusedError` when it is no fragment.
   * `again`: the client may not have got the answer to its last restart, and is told once more when it names that one.
   */
  patch(fragment: string, again?: boolean): string | undefined;
  /** Does the fragment ask for an ICE restart: does it hold credentials that were never in use? False when it is no fragment. */
  restarts(fragment: string): boolean;
  /** The client's answer to our offer. Throws `RefusedError`. */
  answer(sdp: string): void;
  /** The client hung up. Idempotent. */
  hangUp(): void;
}

export interface Signalled {
  readonly session: SignalSession;
  /** Answer, or offer from `offerPlay`; candidates inside. */
  readonly sdp: string;
  /** The candidates again, as `candidate:…`, for dialects that list them. */
  readonly candidates: readonly string[];
}

/** What `getAvailableStreams` tells. */
export interface AvailableStream {
  readonly name: string;
  readonly audioCodec: string | undefined;
  readonly videoCodec: string | undefined;
}

/** Each throws `RefusedError` with a code of base/errors.ts: access/…, stream/…, webrtc/…. */
export interface SignallingEndpoint {
  publish(request: SignalRequest, offer: string): Promise<Signalled>;
  play(request: SignalRequest, offer: string): Promise<Signalled>;
  /** We make the offer; the client sends its answer to `session.answer`. */
  offerPlay(request: SignalRequest): Promise<Signalled>;
  /** Live streams of an application, for who may see them. */
  available(request: Omit<SignalRequest, 'stream'>): Promise<readonly AvailableStream[]>;
  session(id: string): SignalSession | undefined;
  /** Values of `Link: …; rel="ice-server"` headers. */
  readonly iceLinks: readonly string[];
}
