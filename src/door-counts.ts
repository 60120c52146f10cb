/**
 * What came through each front door, as metrics and the control API show it.
 */
import type { DoorCounts } from './http/views.ts';
import type { RtmpServer } from './rtmp/server.ts';
import type { RtmpWorld } from './rtmp/world.ts';
import type { WebRtcServer } from './webrtc/server.ts';

export function rtmpDoor({ counts, audiences }: RtmpWorld, rtmp: RtmpServer): DoorCounts {
  const { received, sent } = rtmp.traffic();
  return {
    protocol: 'rtmp',
    open: counts.open,
    accepted: counts.accepted,
    refused: counts.closed,
    bytesIn: received,
    bytesOut: sent,
    videoFramesIn: counts.videoFrames,
    audioFramesIn: counts.audioFrames,
    videoWithheld: audiences.withheld,
  };
}

export function webrtcDoor(webrtc: WebRtcServer): DoorCounts {
  const { counts } = webrtc;
  const { received, sent } = webrtc.traffic();
  return {
    protocol: 'webrtc',
    open: counts.open,
    accepted: counts.accepted,
    refused: counts.closed,
    bytesIn: received,
    bytesOut: sent,
    videoFramesIn: counts.videoFrames,
    audioFramesIn: counts.audioFrames,
    videoWithheld: 0,
  };
}
