/**
 * Plain RTP packets become protected ones, one at a time: for profiles and packets that batches are not worth it for.
 */
import { rtpHeaderSize } from './rtp-header.ts';
import type { SrtpMaster, SrtpProfile } from './srtp-keys.ts';
import { makeSrtpTransform, type SrtpTransform } from './srtp-transform.ts';

const SEQUENCE_AT = 2;
const SEQUENCES = 0x1_0000;

export class SrtpSender {
  /** Bytes that a packet grows by. */
  readonly trailer: number;
  readonly #transform: SrtpTransform;

  constructor(profile: SrtpProfile, master: SrtpMaster) {
    this.#transform = makeSrtpTransform(profile, master, 'rtp');
    this.trailer = this.#transform.rtpTrailer;
  }

  /**
   * Writes the protected packet to the start of `out` and answers its length. `index` is 65,536 times the roll-overs plus the sequence
   * number. The same index of the same SSRC may come again only with the same bytes: two texts under one keystream give each other away.
   */
  protectInto(out: Buffer, packet: Buffer, index: number): number {
    const header = rtpHeaderSize(packet);
    const length = packet.length + this.trailer;
    if (header === undefined || length > out.length || packet.readUInt16BE(SEQUENCE_AT) !== index % SEQUENCES) {
      throw new RangeError(`no RTP packet with index ${index}, or no room for its ${length} bytes`);
    }
    packet.copy(out);
    this.#transform.sealRtp(out.subarray(0, length), header, index);
    return length;
  }
}
