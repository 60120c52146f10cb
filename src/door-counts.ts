/**
 * What came through each front door and what becomes of the media, as metrics and the control API show it.
 */
import type { MediaSource, StreamReach, WebRtcView } from './http/media-views.ts';
import type { DoorCounts } from './http/views.ts';
import type { Stream } from './relay/stream.ts';
import type { RtmpServer } from './rtmp/server.ts';
import type { RtmpWorld } from './rtmp/world.ts';
import type { Translations } from './translations.ts';
import type { WebRtcServer } from './webrtc/server.ts';
import { watchable } from './webrtc/watchable.ts';

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
  };
}

/** Sums that are kept as things happen: a scrape looks at no session for them. */
export function mediaSource(
  webrtc: () => WebRtcServer | undefined,
  { sound, pictures, renditions }: Translations,
): MediaSource {
  return {
    webrtc: () => {
      const server = webrtc();
      return server && webrtcView(server);
    },
    audioBridge: () => ({ ...sound.counts, renditions: renditions.running }),
    pictureBridge: () => pictures.counts,
  };
}

/** Without `webrtc` browsers are out of the question. */
export function reachOf(stream: Stream, webrtc: WebRtcServer | undefined, translations: Translations): StreamReach {
  const browsers = webrtc && watchable(stream, translations.reencodes(stream.app));
  return { browsers, renditions: translations.renditions.states(stream) };
}

function webrtcView({ counts, audiences, portCounts }: WebRtcServer): WebRtcView {
  const { ingest } = counts;
  return {
    port: portCounts,
    packetsSent: audiences.packets,
    packetsRetransmitted: audiences.counts.retransmitted,
    viewerNacks: audiences.counts.nacks,
    viewerKeyFrameRequests: audiences.counts.pictureRequests,
    keyFramesWanted: audiences.counts.keyFrameRequests,
    keyFramesRepeated: audiences.counts.restarts,
    packetsReceived: ingest.packets,
    packetsLost: ingest.lost,
    packetsRecovered: ingest.recovered,
    publisherNacks: ingest.nacks,
    publisherKeyFrameRequests: ingest.plis,
  };
}
