/**
 * Packets and keys to protect.
 */
import type { SrtpMaster, SrtpProfile } from '../../src/webrtc/srtp-keys.ts';

export const PROFILES: readonly SrtpProfile[] = ['aes128-cm-sha1-80', 'aead-aes-128-gcm'];

/** A master key of `seed`. */
export function masterOf(profile: SrtpProfile, seed = 1): SrtpMaster {
  return { key: Buffer.alloc(16, seed), salt: Buffer.alloc(profile === 'aead-aes-128-gcm' ? 12 : 14, seed + 1) };
}

export function rtpPacket(
  ssrc: number,
  sequence: number,
  payload: Buffer = Buffer.from(`payload ${sequence}`),
): Buffer {
  const header = Buffer.from([0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt16BE(sequence, 2);
  header.writeUInt32BE(sequence * 3000, 4);
  header.writeUInt32BE(ssrc, 8);
  return Buffer.concat([header, payload]);
}

/** A receiver report without blocks, and a text behind it that stands for the rest of the compound. */
export function rtcpPacket(ssrc: number, rest = ''): Buffer {
  const head = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 0]);
  head.writeUInt32BE(ssrc, 4);
  return Buffer.concat([head, Buffer.from(rest)]);
}
