/**
 * Protected RTP packets of one client become plain ones, or nothing (RFC 3711 section 3.3).
 */
import { ReplayGuard, type SrtpRefusals } from './replay-window.ts';
import { rtpHeaderSize } from './rtp-header.ts';
import type { SrtpMaster, SrtpProfile } from './srtp-keys.ts';
import { makeSrtpTransform, type SrtpTransform } from './srtp-transform.ts';

const SEQUENCE_AT = 2;
const SSRC_AT = 8;
const SEQUENCES = 0x1_0000;

export class SrtpReceiver {
  readonly #transform: SrtpTransform;
  readonly #guard = new ReplayGuard();

  constructor(profile: SrtpProfile, master: SrtpMaster) {
    this.#transform = makeSrtpTransform(profile, master, 'rtp');
  }

  /** Packets thrown away so far. */
  get refused(): Readonly<SrtpRefusals> {
    return this.#guard.refused;
  }

  /** Decrypts in place and answers a view without the tag; undefined when anything is wrong with it. Never throws. */
  unprotect(packet: Buffer): Buffer | undefined {
    const guard = this.#guard;
    const { rtpTrailer } = this.#transform;
    const header = rtpHeaderSize(packet);
    if (header === undefined || packet.length < header + rtpTrailer) {
      guard.refuse('malformed');
      return undefined;
    }
    const ssrc = packet.readUInt32BE(SSRC_AT);
    const index = nearestIndex(guard.highest(ssrc), packet.readUInt16BE(SEQUENCE_AT));
    if (!guard.admits(ssrc, index)) return undefined;
    if (!this.#transform.openRtp(packet, header, index)) {
      guard.refuse('forged');
      return undefined;
    }
    return guard.take(ssrc, index) ? packet.subarray(0, packet.length - rtpTrailer) : undefined;
  }
}

/**
 * The index with this sequence number that is nearest to the highest one taken (RFC 3711 section 3.3.1 and appendix A). A first packet
 * belongs to the first round; below zero: from before it.
 */
export function nearestIndex(highest: number | undefined, sequence: number): number {
  if (highest === undefined) return sequence;
  const index = highest - (highest % SEQUENCES) + sequence;
  if (index - highest > SEQUENCES / 2) return index - SEQUENCES;
  return highest - index > SEQUENCES / 2 ? index + SEQUENCES : index;
}
