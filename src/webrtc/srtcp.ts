/**
 * RTCP, protected both ways (RFC 3711 section 3.4, RFC 7714 section 9). The index travels in the packet.
 */
import { ReplayGuard, type SrtpRefusals } from './replay-window.ts';
import type { SrtpMaster, SrtpProfile } from './srtp-keys.ts';
import { makeSrtpTransform, RTCP_CLEAR_BYTES, type SrtpTransform } from './srtp-transform.ts';

const VERSION = 2;
const SSRC_AT = 4;
const INDICES = 2 ** 31;

export class SrtcpReceiver {
  readonly #transform: SrtpTransform;
  readonly #guard = new ReplayGuard();

  constructor(profile: SrtpProfile, master: SrtpMaster) {
    this.#transform = makeSrtpTransform(profile, master, 'rtcp');
  }

  /** Packets thrown away so far. */
  get refused(): Readonly<SrtpRefusals> {
    return this.#guard.refused;
  }

  /** Decrypts a compound packet in place and answers a view without the trailer; undefined when anything is wrong with it. Never throws. */
  unprotect(packet: Buffer): Buffer | undefined {
    const guard = this.#guard;
    const { rtcpTrailer } = this.#transform;
    if (packet.length < RTCP_CLEAR_BYTES + rtcpTrailer || packet[0]! >> 6 !== VERSION) {
      guard.refuse('malformed');
      return undefined;
    }
    const ssrc = packet.readUInt32BE(SSRC_AT);
    const index = packet.readUInt32BE(this.#transform.rtcpIndexAt(packet.length)) % INDICES;
    if (!guard.admits(ssrc, index)) return undefined;
    if (!this.#transform.openRtcp(packet)) {
      guard.refuse('forged');
      return undefined;
    }
    return guard.take(ssrc, index) ? packet.subarray(0, packet.length - rtcpTrailer) : undefined;
  }
}

export class SrtcpSender {
  readonly #transform: SrtpTransform;
  #index = 0;

  constructor(profile: SrtpProfile, master: SrtpMaster) {
    this.#transform = makeSrtpTransform(profile, master, 'rtcp');
  }

  /** A protected copy of a compound packet, whose index no other packet has. */
  protect(compound: Buffer): Buffer {
    // the indices are used up after 68 years of one packet a second
    if (compound.length < RTCP_CLEAR_BYTES || this.#index === INDICES) {
      throw new RangeError(`no room for an RTCP packet of ${compound.length} bytes with index ${this.#index}`);
    }
    const bytes = Buffer.allocUnsafe(compound.length + this.#transform.rtcpTrailer);
    compound.copy(bytes);
    this.#transform.sealRtcp(bytes, this.#index++);
    return bytes;
  }
}
