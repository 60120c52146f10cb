import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaTimeline } from '../../src/webrtc/media-timeline.ts';
import type { RtpMedia } from '../../src/webrtc/negotiated.ts';
import { readRtpHeader, writeExtensions } from '../../src/webrtc/rtp-header.ts';
import { RtpReceiver } from '../../src/webrtc/rtp-receiver.ts';
import { RtpSources } from '../../src/webrtc/rtp-sources.ts';
import { EXTENSIONS, negotiated, rtpPacket, TYPES } from '../helpers/rtp-camera.ts';

interface Sent {
  readonly type?: number;
  readonly mid?: string;
  readonly rid?: string;
  readonly rrid?: string;
  readonly size?: number;
  readonly now?: number;
}

function town(video: Partial<RtpMedia> = {}, audio: Partial<RtpMedia> = {}) {
  const log: string[] = [];
  const timeline = new MediaTimeline();
  const sources = new RtpSources(negotiated(video, audio), {
    came: (layer, ssrc, codec) => {
      log.push(`+${ssrc}`);
      const events = { unit: () => {}, broken: () => {} };
      return new RtpReceiver(layer, ssrc, codec, timeline.source(codec.clockRate, false), events);
    },
    left: ({ ssrc }) => log.push(`-${ssrc}`),
  });
  let sequence = 0;
  /** Where a packet of `ssrc` goes: medium, layer and source; behind a stroke when it repeats. */
  const send = (ssrc: number, { type = TYPES.vp8, mid, rid, rrid, size = 10, now = 0 }: Sent = {}) => {
    const values = [
      [EXTENSIONS.mid, mid],
      [EXTENSIONS.rid, rid],
      [EXTENSIONS.repairedRid, rrid],
    ] as const;
    const extensions = values.flatMap(([id, value]) =>
      value === undefined ? [] : [{ id, value: Buffer.from(value) }],
    );
    const fields = { marker: false, payloadType: type, sequence: sequence++, timestamp: 0, ssrc };
    const packet = rtpPacket(fields, Buffer.alloc(size, 1), writeExtensions(extensions));
    const header = readRtpHeader(packet)!;
    const route = sources.route(packet, header, now);
    if (route === undefined) return undefined;
    const { receiver, repeats } = route;
    const payload = packet.subarray(header.payloadStart, header.payloadEnd);
    receiver.take({ ...header, payload }, packet.length, now, repeats !== undefined);
    const name = [receiver.media.kind, receiver.rid, receiver.ssrc].filter((part) => part !== undefined).join(' ');
    return repeats === undefined ? name : `|${name}`;
  };
  return { sources, send, log };
}

test('by the sources that were declared', () => {
  const { send, log } = town({ sources: [{ ssrc: 5, rtx: 6 }] }, { sources: [{ ssrc: 7 }] });
  assert.equal(send(5), 'video 5');
  assert.equal(send(6, { type: TYPES.rtx }), '|video 5');
  assert.equal(send(7, { type: TYPES.opus }), 'audio 7');
  assert.deepEqual(log, ['+5', '+7']);
});

test('by payload type, for clients that declare nothing', () => {
  const { send } = town();
  assert.equal(send(1, { type: TYPES.opus }), 'audio 1');
  assert.equal(send(2), 'video 2');
  assert.equal(send(3, { type: TYPES.rtx }), '|video 2');
  assert.equal(send(4, { type: 77 }), undefined);
});

test('by the name of the layer', () => {
  const { send } = town({ rids: ['q', 'h', 'f'] });
  assert.equal(send(1, { mid: '1', rid: 'h' }), 'video h 1');
  assert.equal(send(2, { mid: '1', rid: 'f' }), 'video f 2');
  assert.equal(send(1), 'video h 1', 'the name is not repeated');
  assert.equal(send(3, { type: TYPES.rtx, rrid: 'f' }), '|video f 2');
  assert.equal(send(4, { type: TYPES.rtx, rrid: 'h' }), '|video h 1');
  assert.equal(send(3, { type: TYPES.rtx }), '|video f 2');
  assert.equal(send(9, { mid: '1', rid: 'x' }), undefined, 'no such layer');
  assert.equal(send(9, { mid: '1' }), undefined, 'which layer?');
});

test('a medium that contradicts the payload type is refused', () => {
  const { send } = town();
  assert.equal(send(1, { mid: '0' }), undefined);
  assert.equal(send(1, { mid: 'x' }), undefined);
  assert.equal(send(1, { mid: '1' }), 'video 1');
  assert.equal(send(1, { type: TYPES.opus }), undefined, 'the source has another medium');
});

test('payload types that are not known share the numbers of a known source, and make none', () => {
  const { send } = town();
  assert.equal(send(1, { type: 13 }), undefined);
  send(1);
  assert.equal(send(1, { type: 13 }), 'video 1');
});

test('probes and repeated packets of nobody are no source', () => {
  const { send, log } = town();
  assert.equal(send(1, { size: 0 }), undefined);
  assert.equal(send(2, { type: TYPES.rtx }), undefined);
  assert.deepEqual(log, []);
  send(1);
  assert.equal(send(1, { type: TYPES.rtx }), undefined, 'repeats come from a source of their own');
  assert.equal(send(2), undefined, 'and that source sends nothing else');
});

test('another source takes over only from one that is silent, or has said goodbye', () => {
  const { send, sources, log } = town();
  send(1, { now: 0 });
  assert.equal(send(2, { now: 1000 }), undefined);
  assert.equal(send(2, { now: 3000 }), 'video 2');
  assert.deepEqual(log, ['+1', '-1', '+2']);
  assert.equal(send(1, { now: 3000 }), undefined);
  sources.goodbye(1);
  sources.goodbye(2);
  assert.equal(send(3, { now: 3001 }), 'video 3');
  assert.equal(sources.receiverOf(2), undefined);
  assert.equal(sources.receiverOf(3)?.ssrc, 3);
});

test('a declared source takes its place back at once', () => {
  const { send } = town({ sources: [{ ssrc: 5 }] });
  assert.equal(send(9), 'video 9');
  assert.equal(send(5), 'video 5');
});

test('there are no more sources than layers, whatever comes', () => {
  const { send, sources } = town({ rids: ['a', 'b', 'c', 'd', 'e', 'f'] });
  for (let ssrc = 0; ssrc < 5000; ssrc++) {
    send(ssrc, { rid: 'abcdef'[ssrc % 6]!, now: ssrc * 1000 });
    send(100_000 + ssrc, { type: TYPES.rtx, rrid: 'abcdef'[ssrc % 6]!, now: ssrc * 1000 });
    send(200_000 + ssrc, { type: TYPES.opus, now: ssrc * 1000 });
  }
  assert.equal(sources.layers.length, 5);
  assert.equal(sources.layers.filter(({ receiver }) => receiver !== undefined).length, 5);
});
