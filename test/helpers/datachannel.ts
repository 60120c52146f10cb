/**
 * libdatachannel, the WebRTC stack of OBS, as a WHIP and a WHEP client: its fingerprint stands at session level, it knows no MID
 * extension, and its one curve is P-256.
 */
import { after } from 'node:test';
import { Audio, cleanup, PeerConnection, type Track, Video } from 'node-datachannel';
import { AUDIO, VIDEO } from './live-rtp.ts';
import { type Scope, until } from './program.ts';

// its threads would keep the process
after(cleanup);

type Kind = 'video' | 'audio';

export class DatachannelClient {
  readonly #tracks: Readonly<Record<Kind, Track>>;
  readonly offer: string;
  /** Address of its session. */
  readonly location: string;

  /** Makes its offer, posts it to `url`, takes the answer, and waits until it is connected. */
  static async open(t: Scope, doing: 'publish' | 'play', url: string): Promise<DatachannelClient> {
    const peer = new PeerConnection('castgate', {
      iceServers: [],
      bindAddress: '127.0.0.1',
      disableAutoNegotiation: true,
      forceMediaTransport: true,
    });
    t.after(() => peer.close());
    const direction = doing === 'publish' ? 'SendOnly' : 'RecvOnly';
    const video = new Video('video', direction);
    video.addH264Codec(VIDEO.payloadType);
    const audio = new Audio('audio', direction);
    audio.addOpusCodec(AUDIO.payloadType);
    if (doing === 'publish') {
      video.addSSRC(VIDEO.ssrc, 'castgate', 'show', 'video');
      audio.addSSRC(AUDIO.ssrc, 'castgate', 'show', 'audio');
    }
    const tracks = { video: peer.addTrack(video), audio: peer.addTrack(audio) };
    peer.setLocalDescription('offer');
    await until('libdatachannel knows its candidates', () => peer.gatheringState() === 'complete');
    const offer = peer.localDescription()!.sdp;
    const headers = { 'content-type': 'application/sdp' };
    const response = await fetch(url, { method: 'POST', headers, body: offer });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${response.status} ${answer}`);
    peer.setRemoteDescription(answer, 'answer');
    await until('libdatachannel is connected', () => {
      if (peer.state() === 'failed') throw new Error(`libdatachannel failed on ${answer}`);
      return peer.state() === 'connected' && tracks.video.isOpen() && tracks.audio.isOpen();
    });
    return new DatachannelClient(tracks, offer, new URL(response.headers.get('location')!, url).href);
  }

  private constructor(tracks: Readonly<Record<Kind, Track>>, offer: string, location: string) {
    this.#tracks = tracks;
    this.offer = offer;
    this.location = location;
  }

  /** RTP or RTCP; nothing once it is closed. */
  send(packet: Buffer, kind: Kind): void {
    const track = this.#tracks[kind];
    if (track.isOpen()) track.sendMessageBinary(packet);
  }

  /** RTP and RTCP of either track, as it comes. */
  receive(take: (packet: Buffer, kind: Kind) => void): void {
    for (const kind of ['video', 'audio'] as const) {
      this.#tracks[kind].onMessage((packet) => take(Buffer.from(packet), kind));
    }
  }
}
