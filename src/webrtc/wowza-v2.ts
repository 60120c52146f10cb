/**
 * Wowza's second signalling, asked for by `?webrtcImplementation=v2`: the client makes the offer in both directions.
 *
 *   {messageType: "OFFER", action: "PUBLISH" | "VIEW", applicationName, streamName, sdp}
 *     → {statusCode, statusDescription, message: {connectionId, sdp}}, then {messageType: "CANDIDATE", candidate} for each of ours
 *   {messageType: "ICE_RESTART", connectionId, sdp}   a whole offer; answered like the first
 *   {messageType: "CANDIDATE", …}                     not needed: the client's checks show where it is
 *   {messageType: "CLOSE", connectionId}
 *
 * The pages take the end of the socket for the end of their session, so it is kept while they have one.
 */
import type { Millis } from '../base/clock.ts';
import { RefusedError } from '../base/errors.ts';
import type { Signalled } from './signalling.ts';
import { type Dialect, type Message, text, type WowzaCaller } from './wowza-caller.ts';

/** Sessions of one socket. */
const MAX_SESSIONS = 16;
const MAX_IDLE: Millis = 60_000;

export class WowzaV2 implements Dialect {
  readonly #caller: WowzaCaller;
  /** By the number that the client was told. */
  readonly #sessions = new Map<string, Signalled>();

  constructor(caller: WowzaCaller) {
    this.#caller = caller;
  }

  async answer(message: Message): Promise<readonly object[]> {
    switch (text(message, 'messageType').toUpperCase()) {
      case 'OFFER':
        return this.#offer(message);
      case 'ICE_RESTART':
        return this.#restart(message);
      case 'CANDIDATE':
        return [];
      case 'CLOSE':
        this.#sessionOf(message).session.hangUp();
        this.#sessions.delete(text(message, 'connectionId'));
        return [];
      default:
        throw new RefusedError('webrtc/message', 'There is no such messageType.');
    }
  }

  refuse(_message: Message | undefined, statusCode: number, statusDescription: string): object {
    return { statusCode, statusDescription };
  }

  /** The last words to its session go with the socket. */
  check(idle: Millis): string | undefined {
    let reason: string | undefined;
    for (const [id, { session }] of this.#sessions) {
      if (session.open) continue;
      reason = session.lastWords?.reason ?? 'The session has ended.';
      this.#sessions.delete(id);
    }
    if (this.#sessions.size > 0) return undefined;
    return reason ?? (idle > MAX_IDLE ? 'Nothing was said for too long.' : undefined);
  }

  closed(): void {
    this.#sessions.clear();
  }

  async #offer(message: Message): Promise<readonly object[]> {
    if (this.#sessions.size >= MAX_SESSIONS) throw new RefusedError('access/busy', 'Too many sessions on this socket.');
    const names = [text(message, 'applicationName'), text(message, 'streamName')] as const;
    const sdp = text(message, 'sdp');
    const action = text(message, 'action').toUpperCase();
    if (action !== 'PUBLISH' && action !== 'VIEW') {
      throw new RefusedError('webrtc/message', 'The action is neither PUBLISH nor VIEW.');
    }
    const signalled = await (action === 'PUBLISH'
      ? this.#caller.publish(...names, sdp)
      : this.#caller.play(...names, sdp));
    this.#sessions.set(String(signalled.session.number), signalled);
    return answered(signalled);
  }

  #restart(message: Message): readonly object[] {
    const signalled = this.#sessionOf(message);
    const fragment = signalled.session.patch(credentialsIn(text(message, 'sdp')));
    if (fragment === undefined) return answered(signalled);
    const restarted = { ...signalled, sdp: withCredentials(signalled.sdp, fragment) };
    this.#sessions.set(text(message, 'connectionId'), restarted);
    return answered(restarted);
  }

  #sessionOf(message: Message): Signalled {
    const signalled = this.#sessions.get(text(message, 'connectionId'));
    if (signalled?.session.open !== true) {
      throw new RefusedError('webrtc/session', 'No session with this connectionId is open on this socket.');
    }
    return signalled;
  }
}

function answered({ session, sdp, candidates }: Signalled): readonly object[] {
  const message = { connectionId: String(session.number), sdp };
  return [
    { statusCode: 200, statusDescription: 'OK', message },
    ...candidates.map((candidate) => ({ messageType: 'CANDIDATE', candidate })),
  ];
}

const CREDENTIAL = /^a=(ice-ufrag|ice-pwd):([^\r\n]*)/gm;

/** A whole offer as the fragment that WHIP clients would send. */
function credentialsIn(sdp: string): string {
  const lines = new Map([...sdp.matchAll(CREDENTIAL)].map(([line, name]) => [name, line]));
  if (lines.size < 2) throw new RefusedError('webrtc/sdp', 'The offer holds no ICE credentials.');
  return `${lines.get('ice-ufrag')}\r\n${lines.get('ice-pwd')}\r\n`;
}

/** The answer of before, as after a restart: nothing else has changed. */
function withCredentials(sdp: string, fragment: string): string {
  const fresh = new Map([...fragment.matchAll(CREDENTIAL)].map(([line, name]) => [name, line]));
  return sdp.replace(CREDENTIAL, (line, name: string) => fresh.get(name) ?? line);
}
