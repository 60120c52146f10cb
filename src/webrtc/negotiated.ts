/**
 * What an offer and its answer have settled: the facts that media needs, free of SDP.
 */
import type { Codec } from '../media/frame.ts';

/** A payload format with the numbers that the client gave it. */
export interface RtpCodec {
  readonly codec: Codec;
  readonly payloadType: number;
  /** Hz: 90000 for video, 48000 for Opus. */
  readonly clockRate: number;
  /** Of audio. */
  readonly channels: number;
  /** The payload type of its retransmissions (RFC 4588), when agreed. */
  readonly rtx?: number | undefined;
  /** H.264 `profile-level-id`, lower case; VP9 `profile-id`; as agreed. Other parameters by name, lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly feedback: RtcpFeedback;
}

/** What the client said it understands or sends for this codec. */
export interface RtcpFeedback {
  readonly nack: boolean;
  readonly pli: boolean;
  readonly fir: boolean;
  readonly remb: boolean;
  readonly transportCc: boolean;
}

/** Identifiers of header extensions agreed (RFC 8285); 1 to 14 fit the one-byte form. */
export interface RtpExtensions {
  readonly mid?: number | undefined;
  readonly rid?: number | undefined;
  readonly repairedRid?: number | undefined;
  readonly transportCc?: number | undefined;
  readonly playoutDelay?: number | undefined;
}

/** One m-section that carries media. */
export interface RtpMedia {
  readonly kind: 'audio' | 'video';
  readonly mid: string;
  /** To receive: all that the client may send, its favourite first. To send: the one. */
  readonly codecs: readonly RtpCodec[];
  readonly extensions: RtpExtensions;
  /** Declared by the client, the source of retransmissions behind each source, where it was told; empty with simulcast. */
  readonly sources: readonly { readonly ssrc: number; readonly rtx?: number | undefined }[];
  /** Simulcast layers (RFC 8853), as the client lists them; empty without. */
  readonly rids: readonly string[];
}

export interface Negotiated {
  readonly audio?: RtpMedia | undefined;
  readonly video?: RtpMedia | undefined;
  /** To send: codecs of a kind of media that the client has room for and the stream lacks. */
  readonly idle?: readonly Codec[] | undefined;
}
