/**
 * Figures of WebRTC and of the bridges between codecs for Prometheus: totals, whatever the number of sessions.
 */
import type { AudioBridgeView, MediaSource, PictureBridgeView, WebRtcView } from './media-views.ts';
import type { MetricSet } from './metric-set.ts';

export function addMediaMetrics(set: MetricSet, source: MediaSource): void {
  addPort(set, source);
  addPackets(set, source);
  addAudioBridge(set, source);
  addPictureBridge(set, source);
}

function addPort(set: MetricSet, source: MediaSource): void {
  const port = () => source.webrtc()?.port;
  const total = (name: string, help: string, read: (view: WebRtcView['port']) => number) => {
    set.counter(`webrtc_port_${name}_total`, help, [], (report) => {
      const view = port();
      report({}, view && read(view));
    });
  };
  total('received', 'Datagrams received on the media port, frames of TCP included.', (view) => view.received);
  total('received_bytes', 'Bytes of them.', (view) => view.receivedBytes);
  total('sent', 'Datagrams sent from the media port, frames of TCP included.', (view) => view.sent);
  total('sent_bytes', 'Bytes of those sent.', (view) => view.sentBytes);
  total('tcp_cut', 'TCP connections of the media port that were cut before their time.', (view) => view.cut);
  set.gauge('webrtc_port_tcp_connections', 'TCP connections open at the media port.', [], (report) => {
    report({}, port()?.connections);
  });
  set.counter('webrtc_port_dropped_total', 'Datagrams that led to nothing, by reason.', ['reason'], (report) => {
    for (const [reason, count] of port()?.dropped ?? []) report({ reason }, count);
  });
  set.counter('webrtc_checks_total', 'Connectivity checks of clients, by answer.', ['result'], (report) => {
    report({ result: 'ok' }, port()?.checks);
    report({ result: 'refused' }, port()?.refused);
  });
}

function addPackets(set: MetricSet, source: MediaSource): void {
  const total = (name: string, help: string, read: (view: WebRtcView) => number) => {
    set.counter(`webrtc_${name}_total`, help, [], (report) => {
      const view = source.webrtc();
      report({}, view && read(view));
    });
  };
  total('packets_sent', 'RTP packets sent to viewers, again or not.', (view) => view.packetsSent);
  total('packets_retransmitted', 'RTP packets sent to viewers again.', (view) => view.packetsRetransmitted);
  total('viewer_nacks', 'Packets that viewers asked for again.', (view) => view.viewerNacks);
  total(
    'viewer_key_frame_requests',
    'Key frames that viewers asked for (PLI, FIR).',
    (view) => view.viewerKeyFrameRequests,
  );
  total(
    'key_frames_wanted',
    'Times that viewers needed a key frame of a publisher, of whatever protocol.',
    (view) => view.keyFramesWanted,
  );
  total(
    'key_frames_repeated',
    'Viewers sent the cached key frame once more, as the publisher makes none on request.',
    (view) => view.keyFramesRepeated,
  );
  total('packets_received', 'RTP packets received from publishers.', (view) => view.packetsReceived);
  total('packets_lost', 'RTP packets of publishers that never came.', (view) => view.packetsLost);
  total(
    'packets_recovered',
    'RTP packets of publishers that came after they were asked for.',
    (view) => view.packetsRecovered,
  );
  total('publisher_nacks', 'Packets that publishers were asked for again, each time.', (view) => view.publisherNacks);
  total(
    'publisher_key_frame_requests',
    'Key frames that WebRTC publishers were asked for (PLI, FIR).',
    (view) => view.publisherKeyFrameRequests,
  );
}

function addAudioBridge(set: MetricSet, source: MediaSource): void {
  const total = (name: string, help: string, read: (view: AudioBridgeView) => number) => {
    set.counter(`audio_bridge_${name}_total`, help, [], (report) => report({}, read(source.audioBridge())));
  };
  set.gauge('audio_bridge_streams', 'Streams whose sound is being translated, each direction.', [], (report) => {
    report({}, source.audioBridge().streams);
  });
  set.gauge(
    'audio_bridge_renditions',
    'Streams played with their sound in another codec, or without where that failed.',
    [],
    (report) => {
      report({}, source.audioBridge().renditions);
    },
  );
  total('started', 'Translations begun.', (view) => view.started);
  total('failed', 'Translations that failed; their viewers lost the sound.', (view) => view.failed);
  total('units_in', 'Units of sound handed to the worker.', (view) => view.unitsIn);
  total('units_out', 'Units of sound that came back.', (view) => view.unitsOut);
  total('units_dropped', 'Units of sound that the worker was too busy for.', (view) => view.dropped);
  total('workers', 'Workers started, one after the other.', (view) => view.workers);
}

function addPictureBridge(set: MetricSet, source: MediaSource): void {
  const total = (name: string, help: string, read: (view: PictureBridgeView) => number) => {
    set.counter(`picture_bridge_${name}_total`, help, [], (report) => report({}, read(source.pictureBridge())));
  };
  set.gauge('picture_bridge_streams', 'Streams whose pictures are being re-encoded.', [], (report) => {
    report({}, source.pictureBridge().running);
  });
  total('started', 'Processes of ffmpeg started.', (view) => view.started);
  total('failed', 'Streams whose re-encoding was given up; their viewers were told to go.', (view) => view.failed);
  total('frames_in', 'Pictures handed to ffmpeg.', (view) => view.framesIn);
  total('frames_out', 'Pictures that came back in time.', (view) => view.framesOut);
  total('frames_dropped', 'Pictures that ffmpeg was too slow for.', (view) => view.dropped);
}
