/**
 * How media travels between one client and castgate, as far as its protocol tells: plain data, made when somebody asks.
 */
import type { Millis } from '../base/clock.ts';

export interface SessionQuality {
  /** Undefined until the client has been found. */
  readonly through: 'udp' | 'tcp' | undefined;
  /** RFC 5764 and RFC 7714, in small letters; undefined until there are keys. */
  readonly srtpProfile: string | undefined;
  /** Of what is sent or comes, picture first. */
  readonly codecs: readonly string[];
  /** Of a client that plays. */
  readonly sending?: SendingQuality | undefined;
  /** Of a client that publishes: each source, in the order of its description. */
  readonly receiving?: readonly SourceQuality[] | undefined;
}

/** What a viewer is sent, and what it says of that. Undefined: it has not said so yet, or never does. */
export interface SendingQuality {
  /** Of the last report, 0 to 100: of picture or sound, whichever lost more. */
  readonly lossPercent: number | undefined;
  /** Since the beginning. */
  readonly packetsLost: number | undefined;
  readonly rttMillis: Millis | undefined;
  /** Of the picture, or of sound alone. */
  readonly jitterMillis: Millis | undefined;
  /** Bits a second, retransmissions included. */
  readonly bitrate: number;
  /** Bits a second that it thinks its line can carry. */
  readonly estimatedBitrate: number | undefined;
  /** Retransmissions included. */
  readonly packetsSent: number;
  readonly packetsRetransmitted: number;
  /** Packets that it asked for again. */
  readonly nacks: number;
  readonly keyFrameRequests: number;
  /** Groups of pictures that it could not show to the end, as it asked for another key frame. */
  readonly freezes: number;
}

/** One source of a publisher: its sound, its picture, or one of several sizes of it. */
export interface SourceQuality {
  readonly kind: 'audio' | 'video';
  readonly codec: string;
  /** The name of its simulcast layer; undefined without. */
  readonly layer: string | undefined;
  /** Do viewers get this one? */
  readonly relayed: boolean;
  readonly packets: number;
  /** Never came, asked for or not. */
  readonly packetsLost: number;
  /** Came after they had been asked for. */
  readonly packetsRecovered: number;
  readonly jitterMillis: Millis;
  /** From asking for a packet to its coming; undefined until one was asked for. */
  readonly rttMillis: Millis | undefined;
  /** Bits a second. */
  readonly bitrate: number;
  /** Packets asked for, each time counted. */
  readonly nacks: number;
  /** Key frames asked for. */
  readonly keyFrameRequests: number;
  readonly frames: number;
  readonly keyFrames: number;
  /** Pixels, of its last key frame, where castgate had to look. */
  readonly width: number | undefined;
  readonly height: number | undefined;
}
