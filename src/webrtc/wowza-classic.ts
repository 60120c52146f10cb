/**
 * Wowza's first signalling, spoken by the vendor's pages and many others: `{direction, command, streamInfo, sdp, userData}`. Each
 * reply repeats direction, command and streamInfo.
 *
 *   publish  sendOffer → answer and candidates
 *   play     getOffer → our offer, and the number of a session; sendResponse → the client's answer to it
 *   either   getAvailableStreams → what is live
 */
import type { Millis } from '../base/clock.ts';
import { RefusedError } from '../base/errors.ts';
import type { AvailableStream, Signalled } from './signalling.ts';
import { type Dialect, type Message, object, text, type WowzaCaller } from './wowza-caller.ts';

const OK = 200;
const NOT_LIVE = 502;
/** The vendor's player asks again on it; other pages break. */
const STARTING = 504;
/** Offers of ours that wait for their answer. */
const MAX_OFFERS = 16;
/** Sessions live without their socket, so one that is done with it may lose it. */
const MAX_IDLE: Millis = 60_000;
const DEFAULT_INSTANCE = '_definst_';

export class WowzaClassic implements Dialect {
  readonly #caller: WowzaCaller;
  /** By the number that the client was told. */
  readonly #offers = new Map<string, Signalled>();

  constructor(caller: WowzaCaller) {
    this.#caller = caller;
  }

  async answer(message: Message): Promise<readonly object[]> {
    const command = text(message, 'command');
    const direction = text(message, 'direction');
    switch (`${direction} ${command}`) {
      case 'publish sendOffer':
        return [await this.#publish(message)];
      case 'play getOffer':
        return [await this.#offer(message)];
      case 'play sendResponse':
        return [this.#accept(message)];
      case 'publish getAvailableStreams':
      case 'play getAvailableStreams':
        return [await this.#list(message)];
      default:
        throw new RefusedError('webrtc/message', 'There is no such command for this direction.');
    }
  }

  refuse(message: Message | undefined, status: number, words: string): object {
    return reply(message ?? {}, this.#isLate(message, status) ? STARTING : status, words);
  }

  check(idle: Millis): string | undefined {
    return idle > MAX_IDLE ? 'Nothing was said for too long.' : undefined;
  }

  /** An offer that nobody can answer any more is taken back. */
  closed(): void {
    for (const { session } of this.#offers.values()) session.hangUp();
    this.#offers.clear();
  }

  async #publish(message: Message): Promise<object> {
    const signalled = await this.#caller.publish(...namesOf(message), sdpOf(message));
    const { session, sdp } = signalled;
    // without candidates of their own, even an empty list, the vendor's pages keep the socket and let no second one be opened
    return {
      ...reply(message, OK, 'OK', session.number),
      sdp: { type: 'answer', sdp },
      iceCandidates: candidatesOf(signalled),
    };
  }

  async #offer(message: Message): Promise<object> {
    for (const [id, { session }] of this.#offers) if (!session.open) this.#offers.delete(id);
    if (this.#offers.size >= MAX_OFFERS) throw new RefusedError('access/busy', 'Too many offers wait for an answer.');
    const signalled = await this.#caller.offerPlay(...namesOf(message));
    const { session, sdp } = signalled;
    this.#offers.set(String(session.number), signalled);
    return { ...reply(message, OK, 'OK', session.number), sdp: { type: 'offer', sdp } };
  }

  #accept(message: Message): object {
    const id = text(object(message, 'streamInfo'), 'sessionId');
    const signalled = this.#offers.get(id);
    if (signalled === undefined) {
      throw new RefusedError('webrtc/session', 'No offer with this sessionId waits for an answer on this socket.');
    }
    const { session } = signalled;
    if (!session.open) {
      this.#offers.delete(id);
      throw new RefusedError('webrtc/session', session.lastWords?.reason ?? 'The session has ended.');
    }
    session.answer(sdpOf(message));
    this.#offers.delete(id);
    return {
      ...reply(message, OK, 'OK', session.number),
      iceCandidates: candidatesOf(signalled),
    };
  }

  async #list(message: Message): Promise<object> {
    const streams = await this.#caller.available(...namesOf(message));
    return { ...reply(message, OK, 'OK'), availableStreams: streams.length === 0 ? null : streams.map(listed) };
  }

  #isLate(message: Message | undefined, status: number): boolean {
    if (message === undefined || status !== NOT_LIVE || text(message, 'command') !== 'getOffer') return false;
    return isVendors(message) && this.#caller.isStarting(...namesOf(message));
  }
}

/** As it came, apart from the instance, which Wowza always names, and the number of a session. */
function reply(message: Message, status: number, statusDescription: string, session?: number): object {
  const streamInfo = object(message, 'streamInfo');
  const app = text(streamInfo, 'applicationName');
  const echoed = {
    applicationName: app === '' || app.includes('/') ? app : `${app}/${DEFAULT_INSTANCE}`,
    streamName: text(streamInfo, 'streamName'),
    sessionId: session === undefined ? text(streamInfo, 'sessionId') : String(session),
  };
  const command = text(message, 'command');
  return { status, statusDescription, direction: text(message, 'direction'), command, streamInfo: echoed };
}

function namesOf(message: Message): [app: string, stream: string] {
  const streamInfo = object(message, 'streamInfo');
  return [text(streamInfo, 'applicationName'), text(streamInfo, 'streamName')];
}

function sdpOf(message: Message): string {
  return text(object(message, 'sdp'), 'sdp');
}

/** Of the first section, which carries all others. */
function candidatesOf({ sdp, candidates }: Signalled): readonly object[] {
  const sdpMid = /^a=mid:(\S+)/m.exec(sdp)?.[1] ?? '0';
  return candidates.map((candidate) => ({ candidate, sdpMid, sdpMLineIndex: 0 }));
}

function listed({ name, audioCodec, videoCodec }: AvailableStream): object {
  return {
    streamName: name,
    readyAudio: audioCodec !== undefined,
    readyVideo: videoCodec !== undefined,
    codecAudio: audioCodec ?? '',
    codecVideo: videoCodec ?? '',
  };
}

/** Only the vendor's players say who is watching, or what the page is. */
function isVendors(message: Message): boolean {
  const user = text(object(message, 'streamInfo'), 'userName');
  return user !== '' || text(object(message, 'userData'), 'videowhisper') !== '';
}
