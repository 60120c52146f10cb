/**
 * What the HTTP doors show of WebRTC and of the bridges between codecs, as plain data. The roof fills it in.
 */
import type { RenditionState } from '../relay/rendition.ts';
import type { Stream } from '../relay/stream.ts';

/** The sockets that all WebRTC sessions share, since the start. */
export interface MediaPortView {
  /** Datagrams and frames of TCP, and their bytes. */
  readonly received: number;
  readonly receivedBytes: number;
  readonly sent: number;
  readonly sentBytes: number;
  /** Connectivity checks answered with success, and with an error. */
  readonly checks: number;
  readonly refused: number;
  /** TCP connections open now, and cut before their time. */
  readonly connections: number;
  readonly cut: number;
  /** Datagrams that led to nothing, by castgate's word for why. */
  readonly dropped: ReadonlyMap<string, number>;
}

/** All WebRTC sessions together, since the start, those that are over included. */
export interface WebRtcView {
  readonly port: MediaPortView;
  /** RTP to viewers, retransmissions included. */
  readonly packetsSent: number;
  readonly packetsRetransmitted: number;
  /** Packets that viewers asked for again. */
  readonly viewerNacks: number;
  readonly viewerKeyFrameRequests: number;
  /** Times that viewers needed a key frame of a publisher, of whatever protocol. */
  readonly keyFramesWanted: number;
  /** Viewers who were sent the cached key frame once more, as the publisher makes none on request. */
  readonly keyFramesRepeated: number;
  /** RTP of publishers. */
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly packetsRecovered: number;
  /** Packets that publishers were asked for again, each time counted. */
  readonly publisherNacks: number;
  readonly publisherKeyFrameRequests: number;
}

export interface AudioBridgeView {
  /** Streams translated now. */
  readonly streams: number;
  /** Renditions that somebody plays now and that have sound to translate, or failed to. */
  readonly renditions: number;
  // since the start
  readonly started: number;
  readonly failed: number;
  readonly unitsIn: number;
  readonly unitsOut: number;
  readonly dropped: number;
  readonly workers: number;
}

export interface PictureBridgeView {
  /** Streams re-encoded now. */
  readonly running: number;
  // since the start
  readonly started: number;
  readonly failed: number;
  readonly framesIn: number;
  readonly framesOut: number;
  readonly dropped: number;
}

/** Read when somebody scrapes; nothing here may be costly. */
export interface MediaSource {
  /** Undefined: WebRTC is off. */
  webrtc(): WebRtcView | undefined;
  audioBridge(): AudioBridgeView;
  pictureBridge(): PictureBridgeView;
}

/** How far one stream reaches. */
export interface StreamReach {
  /** Undefined: WebRTC is off. */
  readonly browsers?: BrowserReach | undefined;
  /** Its sound or its pictures in another codec, where it was translated for somebody. */
  readonly renditions: readonly RenditionState[];
}

export interface BrowserReach {
  /** By WebRTC. */
  readonly watchable: boolean;
  /** What browsers cannot have of it: a code of the table and words. */
  readonly lack?: { readonly code: string; readonly reason: string } | undefined;
}

export type ReachOfStream = (stream: Stream) => StreamReach;
