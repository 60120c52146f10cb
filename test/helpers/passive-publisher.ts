/**
 * A WHIP client in the manner of FFmpeg's muxer: it offers `setup:passive` and no candidates, nominates with its first check, and is the
 * server of DTLS, so that castgate has to begin the handshake. Its DTLS and SRTP are werift's.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { RtpPacket, SrtcpSession, SrtpSession } from 'werift';
import { type WeriftEnd, weriftEnd } from './dtls-peers.ts';
import { AUDIO, isRtcp, VIDEO } from './live-rtp.ts';
import { type Scope, until } from './program.ts';
import { checkOf } from './stun-client.ts';

const CHECK_INTERVAL = 1_000;
const SHA1_80 = 1;
const SALT_BYTES = 14;
const KEY_BYTES = 16;

export class PassivePublisher {
  readonly location: string;
  readonly #socket: Socket;
  readonly #end: WeriftEnd;
  readonly #port: number;
  #srtp: SrtpSession | undefined;
  #srtcp: SrtcpSession | undefined;

  /** Posts its offer to `url`, and waits for the end of the handshake that the other side begins. */
  static async open(t: Scope, url: string): Promise<PassivePublisher> {
    const end = weriftEnd('server', { profiles: [SHA1_80] });
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const credentials = { ufrag: 'ffmpeg01', password: randomBytes(16).toString('hex') };
    const headers = { 'content-type': 'application/sdp' };
    const response = await fetch(url, { method: 'POST', headers, body: offerOf(end, credentials) });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${response.status} ${answer}`);
    const location = new URL(response.headers.get('location')!, url).href;
    const publisher = new PassivePublisher(
      socket,
      end,
      Number(/ udp \d+ 127\.0\.0\.1 (\d+) /.exec(answer)![1]),
      location,
    );
    const find = (name: string) => new RegExp(`^a=${name}:(\\S+)`, 'm').exec(answer)![1]!;
    if (find('setup') !== 'active') throw new Error(`answered with setup:${find('setup')}`);
    const session = { ufrag: find('ice-ufrag'), password: find('ice-pwd') };
    const check = () =>
      publisher.#send(checkOf(session, { username: `${session.ufrag}:${credentials.ufrag}`, nominate: true }));
    const checks = setInterval(check, CHECK_INTERVAL);
    t.after(() => {
      clearInterval(checks);
      socket.close();
    });
    check();
    await until('the handshake is done', () => publisher.#srtp !== undefined);
    return publisher;
  }

  private constructor(socket: Socket, end: WeriftEnd, port: number, location: string) {
    this.#socket = socket;
    this.#end = end;
    this.#port = port;
    this.location = location;
    end.send = (datagram) => this.#send(datagram);
    // RFC 7983: what is DTLS begins with 20 to 63
    socket.on('message', (datagram) => datagram[0]! >= 20 && datagram[0]! < 64 && end.receive(datagram));
    end.socket.onConnect.subscribe(() => this.#keyed());
  }

  /** RTP or RTCP. */
  send(packet: Buffer): void {
    if (this.#srtp === undefined || this.#srtcp === undefined) return;
    if (isRtcp(packet)) {
      this.#send(this.#srtcp.encrypt(packet));
    } else {
      const { header, payload } = RtpPacket.deSerialize(packet);
      this.#send(this.#srtp.encrypt(payload, header));
    }
  }

  #keyed(): void {
    const { localKey, localSalt, remoteKey, remoteSalt } = this.#end.socket.extractSessionKeys(KEY_BYTES, SALT_BYTES);
    const keys = {
      localMasterKey: localKey,
      localMasterSalt: localSalt,
      remoteMasterKey: remoteKey,
      remoteMasterSalt: remoteSalt,
    };
    this.#srtcp = new SrtcpSession({ profile: SHA1_80, keys });
    this.#srtp = new SrtpSession({ profile: SHA1_80, keys });
  }

  #send(datagram: Buffer): void {
    this.#socket.send(datagram, this.#port, '127.0.0.1');
  }
}

function offerOf(
  { own }: WeriftEnd,
  { ufrag, password }: { readonly ufrag: string; readonly password: string },
): string {
  const fingerprint = createHash('sha256').update(own.certificate).digest('hex').toUpperCase().match(/../g)!.join(':');
  const section = (kind: string, mid: number, { payloadType, ssrc }: typeof VIDEO | typeof AUDIO, format: string[]) => [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${payloadType}`,
    'c=IN IP4 0.0.0.0',
    ...[`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${password}`, `a=fingerprint:sha-256 ${fingerprint}`, 'a=setup:passive'],
    ...[`a=mid:${mid}`, 'a=sendonly', `a=msid:FFmpeg ${kind}`, 'a=rtcp-mux', ...format],
    ...[`a=ssrc:${ssrc} cname:FFmpeg`, `a=ssrc:${ssrc} msid:FFmpeg ${kind}`],
  ];
  const lines = [
    ...['v=0', 'o=FFmpeg 4489045141692799359 2 IN IP4 127.0.0.1', 's=FFmpegPublishSession', 't=0 0'],
    ...['a=group:BUNDLE 0 1', 'a=extmap-allow-mixed', 'a=msid-semantic: WMS'],
    ...section('audio', 0, AUDIO, [`a=rtpmap:${AUDIO.payloadType} opus/48000/2`]),
    ...section('video', 1, VIDEO, [
      'a=rtcp-rsize',
      `a=rtpmap:${VIDEO.payloadType} H264/90000`,
      `a=fmtp:${VIDEO.payloadType} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42401e`,
    ]),
  ];
  return `${lines.join('\r\n')}\r\n`;
}
