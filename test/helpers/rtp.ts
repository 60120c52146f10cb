/** RTP without a network: frames cut into packets, packets put together again. */
import type { Frame } from '../../src/media/frame.ts';
import type { RtpCodec } from '../../src/webrtc/negotiated.ts';
import type { AccessUnit, Depacketizer, Packetize, RtpPacket } from '../../src/webrtc/rtp.ts';

const NO_FEEDBACK = { nack: false, pli: false, fir: false, remb: false, transportCc: false };

export function rtpCodec(codec: RtpCodec['codec'], more: Partial<RtpCodec> = {}): RtpCodec {
  const video = { codec, payloadType: 96, clockRate: 90_000, channels: 0 };
  return { ...video, parameters: new Map(), feedback: NO_FEEDBACK, ...more };
}

/** Hexadecimal with blanks. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

/** A packet; `payload` in hexadecimal with blanks, or bytes. */
export function packet(payload: string | Buffer, more: Partial<RtpPacket> = {}): RtpPacket {
  const bytes = typeof payload === 'string' ? hex(payload) : payload;
  return { payloadType: 96, marker: false, sequence: 0, timestamp: 0, ssrc: 1, ...more, payload: bytes };
}

/** A frame's payloads, each as one piece of bytes. */
export function payloads(packetize: Packetize, frame: Frame, maxSize: number): Buffer[] {
  return packetize(frame, maxSize).map(({ parts }) => Buffer.concat(parts));
}

/** The packets of one frame; sequence numbers count on from `sequence`. */
export function packets(packetize: Packetize, frame: Frame, maxSize: number, timestamp = 0, sequence = 0): RtpPacket[] {
  return packetize(frame, maxSize).map(({ parts, marker }, index) =>
    packet(Buffer.concat(parts), { marker, timestamp, sequence: (sequence + index) & 0xffff }),
  );
}

/** Pushes all packets, in memory that is spoilt behind them; a step in the sequence numbers is a gap. */
export function pushAll(depacketizer: Depacketizer, packets: readonly RtpPacket[]): AccessUnit[] {
  const units: AccessUnit[] = [];
  let expected = packets[0]?.sequence;
  for (const lent of packets) {
    const payload = Buffer.from(lent.payload);
    units.push(...depacketizer.push({ ...lent, payload }, lent.sequence !== expected));
    payload.fill(0xee);
    expected = (lent.sequence + 1) & 0xffff;
  }
  return units;
}
