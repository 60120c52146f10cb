/**
 * ffmpeg at both ends of clients that only carry packets: it encodes a picture and a tone into RTP, and decodes what arrives as RTP.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program, type Scope } from './program.ts';

/** What offers must say of the packets. */
export const VIDEO = { payloadType: 96, ssrc: 0x1234_5601 } as const;
export const AUDIO = { payloadType: 97, ssrc: 0x1234_5602 } as const;

const PICTURE = '-f lavfi -i testsrc2=size=320x240:rate=25';
const SOUND = '-f lavfi -i sine=frequency=440:sample_rate=48000';
const H264 = '-c:v libx264 -preset veryfast -profile:v baseline -tune zerolatency -g 25 -pix_fmt yuv420p -b:v 500k';
const OPUS = '-c:a libopus -b:a 64k -ac 2';

/** RTP and RTCP of H.264 and Opus as they are made, until the test ends. */
export async function liveRtp(t: Scope, take: (packet: Buffer, kind: 'video' | 'audio') => void): Promise<void> {
  const output = async (kind: 'video' | 'audio', { payloadType, ssrc }: typeof VIDEO | typeof AUDIO) => {
    const port = await receiving(t, (packet) => take(packet, kind));
    const target = `rtp://127.0.0.1:${port}?rtcpport=${port}&pkt_size=1100`;
    return ['-payload_type', String(payloadType), '-ssrc', String(ssrc), '-f', 'rtp', target];
  };
  const inputs = `-nostdin -v error -re ${PICTURE} -re ${SOUND}`.split(' ');
  const video = ['-map', '0', ...H264.split(' '), ...(await output('video', VIDEO))];
  const audio = ['-map', '1', ...OPUS.split(' '), ...(await output('audio', AUDIO))];
  new Program(t, 'ffmpeg', [...inputs, ...video, ...audio]);
}

/** Decodes `frames` pictures, and the sound beside them, of the packets it is given; ends then. */
export class RtpDecoder {
  readonly program: Program;
  readonly #socket: Socket;
  readonly #ports: Readonly<Record<'video' | 'audio', number>>;

  static async open(t: Scope, frames: number): Promise<RtpDecoder> {
    const socket = createSocket('udp4');
    t.after(() => socket.close());
    return new RtpDecoder(t, socket, { video: await freePort(), audio: await freePort() }, frames);
  }

  private constructor(t: Scope, socket: Socket, ports: Readonly<Record<'video' | 'audio', number>>, frames: number) {
    this.#socket = socket;
    this.#ports = ports;
    const directory = mkdtempSync(join(tmpdir(), 'castgate-rtp-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'stream.sdp');
    const lines = [
      ...['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
      `m=video ${ports.video} RTP/AVP ${VIDEO.payloadType}`,
      ...[`a=rtpmap:${VIDEO.payloadType} H264/90000`, `a=fmtp:${VIDEO.payloadType} packetization-mode=1`],
      `m=audio ${ports.audio} RTP/AVP ${AUDIO.payloadType}`,
      `a=rtpmap:${AUDIO.payloadType} opus/48000/2`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const open = ['-nostdin', '-v', 'info', '-nostats', '-protocol_whitelist', 'file,rtp,udp', '-i', file];
    const decode = [
      '-map',
      '0:v',
      '-map',
      '0:a',
      '-frames:v',
      String(frames),
      '-af',
      'volumedetect',
      '-f',
      'null',
      '-',
    ];
    this.program = new Program(t, 'ffmpeg', [...open, ...decode]);
  }

  /** RTP alone. */
  take(packet: Buffer, kind: 'video' | 'audio'): void {
    this.#socket.send(packet, this.#ports[kind], '127.0.0.1');
  }
}

/** RTCP between RTP of one port (RFC 5761 section 4). */
export function isRtcp(packet: Buffer): boolean {
  return packet[1]! >= 192 && packet[1]! < 224;
}

async function receiving(t: Scope, take: (packet: Buffer) => void): Promise<number> {
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  socket.on('message', take);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

/** An even one, whose neighbour RTCP may take. */
async function freePort(): Promise<number> {
  for (;;) {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    await once(socket, 'close');
    if (port % 2 === 0) return port;
  }
}
