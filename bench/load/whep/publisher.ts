/**
 * A process of one light WHIP publisher: the test stream as RTP, made once and sent at its own pace over and over, with the time of
 * sending written over the last bytes of each picture, and 50 packets of Opus a second. It is a recording, deaf to wishes for key
 * frames as an RTMP encoder is. Nobody decodes it: sound is noise behind a true first byte.
 */
import { randomBytes } from 'node:crypto';
import type { Frame, FrameRole } from '../../../src/media/frame.ts';
import { packetizeH264 } from '../../../src/webrtc/h264-rtp.ts';
import { writeRtcp } from '../../../src/webrtc/rtcp.ts';
import { RTP_HEADER_BYTES, writeRtpHeader } from '../../../src/webrtc/rtp-header.ts';
import { SrtcpSender } from '../../../src/webrtc/srtcp.ts';
import type { SrtpKeys } from '../../../src/webrtc/srtp-keys.ts';
import { SrtpSender } from '../../../src/webrtc/srtp-sender.ts';
import { LOOP_MS, readTestStream, type Tag } from '../test-stream.ts';
import { MARK_SIZE, micros } from '../wire.ts';
import { SOURCES } from './descriptions.ts';
import { LightPeer } from './light-peer.ts';

/** Answer: {}, when it is live. */
export interface WhipQuestion {
  readonly ask: 'publish';
  readonly file: string;
  readonly url: string;
}

/** 1,200 bytes with the header. */
const MAX_PAYLOAD = 1_188;
const MAX_DATAGRAM = 1_500;
const VIDEO_TAG = 9;
const FLV_HEADER_BYTES = 5;
const SOUND_MS = 20;
/** 64 kbit/s. */
const SOUND_BYTES = 160;
/** Opus, CELT, full band, 20 ms, stereo, one frame (RFC 6716 section 3.1). */
const SOUND_FIRST_BYTE = 0xfc;
const TICK_MS = 1;
const REPORT_MS = 1_000;
/** From 1900 to 1970, seconds. */
const NTP_EPOCH = 2_208_988_800;

type Kind = keyof typeof SOURCES;

/** What is sent at one time. */
interface Step {
  readonly time: number;
  readonly kind: Kind;
  readonly payloads: readonly Buffer[];
}

class Source {
  readonly kind: Kind;
  readonly type: number;
  readonly ticksPerMilli: number;
  #index = 1;
  #packets = 0;
  #bytes = 0;

  constructor(kind: Kind, type: number) {
    this.kind = kind;
    this.type = type;
    this.ticksPerMilli = kind === 'video' ? 90 : 48;
  }

  packet(payload: Buffer, time: number, marker: boolean): { readonly packet: Buffer; readonly index: number } {
    const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + payload.length);
    const index = this.#index++;
    const fields = { marker, payloadType: this.type, sequence: index & 0xffff, ssrc: SOURCES[this.kind] };
    payload.copy(packet, writeRtpHeader(packet, 0, { ...fields, timestamp: this.#timestamp(time) }));
    this.#packets += 1;
    this.#bytes += payload.length;
    return { packet, index };
  }

  /** `time` of the stream is now. */
  report(time: number): Buffer {
    const wall = Date.now() / 1000;
    const ntp = { seconds: Math.floor(wall) + NTP_EPOCH, fraction: Math.floor((wall % 1) * 2 ** 32) };
    const ssrc = SOURCES[this.kind];
    const sent = { timestamp: this.#timestamp(time), packets: this.#packets, bytes: this.#bytes };
    return writeRtcp([
      { type: 'sr', ssrc, ntp, ...sent, blocks: [] },
      { type: 'sdes', sources: [{ ssrc, cname: 'bench' }] },
    ]);
  }

  #timestamp(time: number): number {
    return Math.floor(time * this.ticksPerMilli) >>> 0;
  }
}

async function publish({ file, url }: WhipQuestion): Promise<object> {
  const steps = stepsOf(file);
  const { peer, keys } = await LightPeer.connect('publish', url);
  const sources = {
    video: new Source('video', peer.answer.videoType),
    audio: new Source('audio', peer.answer.audioType),
  };
  peer.onClosed = () => {
    process.stderr.write('the server has ended the publisher\n');
    process.exit(1);
  };
  send(peer, keys, sources, steps);
  return {};
}

function send(
  peer: LightPeer,
  { profile, local }: SrtpKeys,
  sources: Readonly<Record<Kind, Source>>,
  steps: readonly Step[],
): void {
  const rtp = new SrtpSender(profile, local);
  const rtcp = new SrtcpSender(profile, local);
  const startedAt = micros();
  let next = 0;
  let loop = 0;
  setInterval(() => {
    const now = micros();
    for (;;) {
      const { time, kind, payloads } = steps[next]!;
      const total = loop * LOOP_MS + time;
      if (startedAt + total * 1000 > now) return;
      for (const [at, payload] of payloads.entries()) {
        const ends = kind === 'video' && at === payloads.length - 1;
        const { packet, index } = sources[kind].packet(payload, total, ends);
        if (ends) packet.write(String(micros()).padStart(MARK_SIZE, '0'), packet.length - MARK_SIZE, 'latin1');
        // the socket keeps it until it has gone
        const out = Buffer.allocUnsafe(MAX_DATAGRAM);
        peer.send(out.subarray(0, rtp.protectInto(out, packet, index)));
      }
      next += 1;
      if (next === steps.length) {
        next = 0;
        loop += 1;
      }
    }
  }, TICK_MS);
  setInterval(() => {
    const time = (micros() - startedAt) / 1000;
    for (const source of Object.values(sources)) peer.send(rtcp.protect(source.report(time)));
  }, REPORT_MS);
}

/** One loop, by time. */
function stepsOf(file: string): readonly Step[] {
  const { configs, tags } = readTestStream(file);
  const isVideo = ({ type }: Tag) => type === VIDEO_TAG;
  const config = frameOf(configs.find(isVideo)!, 'config');
  const pictures = tags.filter(isVideo).map((tag): Step => {
    const frame = frameOf(tag, tag.payload[0]! >> 4 === 1 ? 'key' : 'delta', config);
    const payloads = packetizeH264(frame, MAX_PAYLOAD).map(({ parts }) => Buffer.concat(parts));
    return { time: tag.time, kind: 'video', payloads };
  });
  const sounds = Array.from({ length: LOOP_MS / SOUND_MS }, (_, number): Step => {
    const payload = randomBytes(SOUND_BYTES);
    payload[0] = SOUND_FIRST_BYTE;
    return { time: number * SOUND_MS, kind: 'audio', payloads: [payload] };
  });
  return [...pictures, ...sounds].sort((one, other) => one.time - other.time);
}

function frameOf({ payload }: Tag, role: FrameRole, config?: Frame): Frame {
  const data = payload.subarray(FLV_HEADER_BYTES);
  return { kind: 'video', role, codec: 'h264', dts: 0, pts: 0, size: data.length, data, track: 0, config };
}

process.on('message', async (question: WhipQuestion) => {
  try {
    process.send!(await publish(question));
  } catch (error) {
    process.send!({ error: String(error) });
  }
});
process.once('disconnect', () => process.exit(0));
