/**
 * From an offer to an answer: the one endpoint behind every signalling door.
 *
 *   offer ──▶ read, agreed on ──▶ gate ──▶ peer: session, transport ──▶ answer
 *
 * The description is looked at before the gate is asked, so that nobody is logged in whose offer leads nowhere.
 */
import type { Millis } from '../base/clock.ts';
import { RefusedError } from '../base/errors.ts';
import type { SessionStream } from '../session/session.ts';
import { streamAdmission } from '../session/stream-admission.ts';
import { iceLink } from './ice-server.ts';
import {
  candidateText,
  type LocalTransport,
  type Origin,
  orderedCandidates,
  type SentSources,
  writeAnswer,
  writeOffer,
} from './local-description.ts';
import type { RemoteTransport } from './media-transport.ts';
import type { Negotiated } from './negotiated.ts';
import { type Agreement, negotiatePlay, negotiatePublish } from './negotiation.ts';
import type { Begin, WebRtcPeer } from './peer.ts';
import type { WebRtcPeers } from './peers.ts';
import { offerFor } from './play-offer.ts';
import { type Programme, programmeOf } from './programme.ts';
import { Publishing } from './publishing.ts';
import { type RemoteDescription, readDescription } from './remote-description.ts';
import { DepartedSession, OpenSession } from './signal-session.ts';
import type { AvailableStream, Signalled, SignallingEndpoint, SignalRequest, SignalSession } from './signalling.ts';
import { streamFacts } from './stream-facts.ts';
import { Watching } from './watching.ts';
import { countClosed, type WebRtcWorld } from './world.ts';

/** Makes the peer of a request that was let in. */
type Open = (remote: RemoteTransport | undefined, begin: Begin) => WebRtcPeer;

/** Streams that are listed, at most. */
const MAX_AVAILABLE = 1_000;

export class WebRtcEndpoint implements SignallingEndpoint {
  readonly #world: WebRtcWorld;
  readonly #peers: WebRtcPeers;
  readonly #sessions = new WeakMap<WebRtcPeer, OpenSession>();

  constructor(world: WebRtcWorld, peers: WebRtcPeers) {
    this.#world = world;
    this.#peers = peers;
  }

  get iceLinks(): readonly string[] {
    return this.#world.options.iceServers.map(iceLink);
  }

  publish(request: SignalRequest, offer: string): Promise<Signalled> {
    return this.#counted(async () => {
      this.#peers.makeRoom(request.ip);
      const agreement = negotiatePublish(readDescription(offer));
      return this.#admitted(request, 'publish', (open) => {
        const begin: Begin = (context) => new Publishing(this.#world, agreement.negotiated, context);
        return this.#answer(open(agreement.transport, begin), agreement);
      });
    });
  }

  play(request: SignalRequest, offer: string): Promise<Signalled> {
    return this.#counted(async () => {
      const since = this.#world.clock.now();
      this.#peers.makeRoom(request.ip);
      const remote = readDescription(offer);
      return this.#admitted(request, 'play', async (open) => {
        const programme = await this.#programme(request, remote);
        const agreement = negotiatePlay(remote, programme.wanted);
        const begin = this.#watch(request, programme, since, () => agreement.negotiated);
        return this.#answer(open(agreement.transport, begin), agreement);
      });
    });
  }

  offerPlay(request: SignalRequest): Promise<Signalled> {
    return this.#counted(async () => {
      const since = this.#world.clock.now();
      this.#peers.makeRoom(request.ip);
      return this.#admitted(request, 'play', async (open) => {
        const programme = await this.#programme(request, undefined);
        const offered = offerFor(programme.wanted);
        const begin = this.#watch(request, programme, since, () => session.negotiated!);
        const peer = open(undefined, begin);
        const session = new OpenSession(peer, { offered }, () => this.#local(peer));
        const local = this.#local(peer);
        return this.#signalled(peer, session, writeOffer(offered, local, this.#origin(), this.#sent(offered)), local);
      });
    });
  }

  async available({ app }: Omit<SignalRequest, 'stream'>): Promise<readonly AvailableStream[]> {
    if (!this.#world.listed(app)) {
      throw new RefusedError('access/key', 'The streams of this application are not listed.');
    }
    const streams = [...this.#world.hub].filter((stream) => stream.app === app && stream.live);
    return streams.slice(0, MAX_AVAILABLE).map((stream) => {
      const { audio, video } = streamFacts(stream);
      return { name: stream.name, audioCodec: audio?.codec, videoCodec: video?.codec };
    });
  }

  session(id: string): SignalSession | undefined {
    const peer = this.#peers.find(id);
    if (peer !== undefined) return this.#sessions.get(peer);
    const departed = this.#peers.departed(id);
    return departed && new DepartedSession(id, departed);
  }

  /** What `work` refuses is counted and logged once, here. */
  async #counted(work: () => Promise<Signalled>): Promise<Signalled> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RefusedError) countClosed(this.#world.counts, error.code);
      throw error;
    }
  }

  /** Asks the gate, then does `work`; what the gate granted is given back when that fails. */
  async #admitted(
    request: SignalRequest,
    doing: SessionStream['doing'],
    work: (open: Open) => Signalled | Promise<Signalled>,
  ): Promise<Signalled> {
    const { gate } = this.#world;
    const admission = streamAdmission(request, doing);
    const verdict = await gate.admit(admission);
    if (!verdict.allow) throw new RefusedError(verdict.code, verdict.reason);
    let peer: WebRtcPeer | undefined;
    try {
      // others came while the web site was asked
      this.#peers.makeRoom(request.ip);
      return await work((remote, begin) => {
        // and while the stream showed what it is
        this.#peers.makeRoom(request.ip);
        peer = this.#peers.add({ request, admission, verdict, remote, begin });
        return peer;
      });
    } catch (error) {
      if (peer === undefined) gate.abandon(verdict);
      else peer.hangUp();
      throw error;
    }
  }

  #programme({ app, stream: name }: SignalRequest, remote: RemoteDescription | undefined): Promise<Programme> {
    const { hub, clock, rendition, reencodes } = this.#world;
    const stream = hub.find(app, name);
    if (stream?.live !== true) throw new RefusedError('stream/not-found', 'The stream is not live.');
    return programmeOf({ clock, stream, rendition, reencodes: reencodes(app) }, remote);
  }

  #watch(
    { app, stream }: SignalRequest,
    { renditions }: Programme,
    since: Millis,
    negotiated: () => Negotiated,
  ): Begin {
    return (context) =>
      new Watching(this.#world, { app, stream, negotiated: negotiated(), renditions, since }, context);
  }

  #answer(peer: WebRtcPeer, agreement: Agreement): Signalled {
    const session = new OpenSession(peer, { agreement }, () => this.#local(peer));
    const local = this.#local(peer);
    const sent = peer.session.stream?.doing === 'play' ? this.#sent(agreement.negotiated) : undefined;
    return this.#signalled(peer, session, writeAnswer(agreement, local, this.#origin(), sent), local);
  }

  #signalled(peer: WebRtcPeer, session: OpenSession, sdp: string, { candidates }: LocalTransport): Signalled {
    this.#sessions.set(peer, session);
    return { session, sdp, candidates: orderedCandidates(candidates).map(candidateText) };
  }

  #local({ transport, certificate }: WebRtcPeer): LocalTransport {
    const candidates = this.#world.port.candidates();
    return { credentials: transport.local, fingerprint: certificate.fingerprint, candidates };
  }

  /** RFC 8866 section 5.2: digits that nobody else uses. */
  #origin(): Origin {
    return { id: String(this.#world.random(8).readBigUInt64BE() >> 1n), version: 1 };
  }

  #sent({ audio, video }: Negotiated): SentSources {
    const { sources } = this.#world.audiences;
    const rtx = video?.codecs[0]?.rtx === undefined ? undefined : sources.videoRtx;
    return {
      cname: sources.cname,
      audio: audio && { ssrc: sources.audio },
      video: video && { ssrc: sources.video, rtx },
    };
  }
}
