import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Agreement,
  negotiateAnswer,
  negotiatePlay,
  negotiatePublish,
  type Wanted,
} from '../../src/webrtc/negotiation.ts';
import { offerFor } from '../../src/webrtc/play-offer.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import {
  AUDIO,
  DIGEST,
  PLAY_OFFER,
  PUBLISH_OFFER,
  RECORDED,
  receiving,
  recorded,
  SESSION,
  sdp,
  swap,
  TRANSPORT,
  VIDEO,
} from '../helpers/sdp.ts';

const STREAM: Wanted = { video: { codec: 'h264', profile: '640028' }, audio: { codec: 'opus' } };
const RECV_AUDIO = receiving(AUDIO);
const RECV_VIDEO = receiving(VIDEO);

function publish(...lines: readonly (string | readonly string[])[]): Agreement {
  return negotiatePublish(readDescription(sdp(...lines)));
}

function play(wanted: Wanted, ...lines: readonly (string | readonly string[])[]): Agreement {
  return negotiatePlay(readDescription(sdp(...lines)), wanted);
}

/** Direction of each section, `-` where it is refused. */
function ways({ sections }: Agreement): readonly string[] {
  return sections.map(({ media, direction }) => (media === undefined ? '-' : direction));
}

test('every recorded offer to publish is agreed on, every other is refused for its direction', () => {
  for (const [name, text] of RECORDED) {
    const offer = readDescription(text);
    if (!/publish|simulcast/.test(name)) {
      assert.throws(() => negotiatePublish(offer), { name: 'RefusedError', code: 'webrtc/direction' }, name);
      continue;
    }
    const { negotiated, transport, sections } = negotiatePublish(offer);
    assert.deepEqual(ways({ negotiated, transport, sections }), ['recvonly', 'recvonly'], name);
    assert.deepEqual([negotiated.audio?.codecs[0]?.codec, transport.role], ['opus', 'server'], name);
    assert.equal(transport.fingerprints[0]?.digest.length, 32, name);
    assert.equal(transport.credentials.ufrag, offer.sections[0]?.transport.ufrag, name);
    assert.equal(negotiated.video?.codecs[0]?.codec, name.includes('vp8') ? 'vp8' : 'h264', name);
  }
});

test('every recorded offer to play gets H.264, or is told why not', () => {
  const rows = new Map([
    ['chromium-156-play', 108],
    ['chromium-156-data', 108],
    ['aiortc-1.4.0-play', 101],
    // these pages offer to send and to receive
    ['wowza-publish-h264', 108],
    ['videowhisper-react-publish-h264', 106],
  ]);
  for (const [name, payloadType] of rows) {
    const { negotiated } = negotiatePlay(readDescription(recorded(name)), STREAM);
    assert.deepEqual(
      negotiated.video?.codecs.map((codec) => [codec.codec, codec.payloadType]),
      [['h264', payloadType]],
      name,
    );
    assert.equal(negotiated.audio?.codecs.length, 1, name);
  }
  assert.throws(() => negotiatePlay(readDescription(recorded('wowza-publish-vp8')), STREAM), {
    code: 'webrtc/codecs',
    message: /^The stream is H264; the client offers VP8\. /,
  });
});

test('publish: extensions, feedback, sources', () => {
  const { video, audio } = negotiatePublish(readDescription(recorded('chromium-156-publish'))).negotiated;
  assert.deepEqual(video?.extensions, { mid: 4, rid: 10, repairedRid: 11, transportCc: 3 });
  assert.deepEqual(audio?.extensions, { mid: 4, transportCc: 3 });
  assert.deepEqual(video?.codecs[0]?.feedback, { nack: true, pli: true, fir: true, remb: true, transportCc: true });
  assert.equal(typeof video?.sources[0]?.rtx, 'number');
  assert.deepEqual(video?.rids, []);

  const legacy = negotiatePublish(readDescription(recorded('videowhisper-publish-vp8'))).negotiated.video;
  const only = { nack: false, pli: false, fir: true, remb: false, transportCc: false };
  assert.deepEqual(legacy?.codecs[0]?.feedback, only);
  // the group of the sources was left when the format was taken away
  assert.deepEqual(legacy?.sources, [{ ssrc: 3426729346, rtx: undefined }]);
});

test('publish: transport-cc needs its extension, and extensions that the client only receives are not agreed', () => {
  const feedback = 'a=rtcp-fb:102 transport-cc';
  const extension = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';
  const agreed = (...lines: readonly string[]) => {
    const { codecs, extensions } = publish(SESSION, AUDIO, VIDEO, lines).negotiated.video!;
    return [codecs[0]?.feedback.transportCc, extensions.transportCc];
  };
  assert.deepEqual(agreed(feedback), [false, undefined]);
  assert.deepEqual(agreed(feedback, `a=extmap:3 ${extension}`), [true, 3]);
  assert.deepEqual(agreed(feedback, `a=extmap:3/sendonly ${extension}`), [true, 3]);
  assert.deepEqual(agreed(feedback, `a=extmap:3/recvonly ${extension}`), [false, undefined]);
  assert.deepEqual(agreed(`a=extmap:3 ${extension}`), [false, 3]);
});

test('publish: layers need their extension, and one alone is none', () => {
  const { video } = negotiatePublish(readDescription(recorded('chromium-156-simulcast'))).negotiated;
  assert.deepEqual([video?.rids, video?.sources], [['h', 'm', 'l'], []]);
  const extension = 'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
  const layers = ['a=rid:h send', 'a=rid:l send', 'a=simulcast:send h;l', 'a=ssrc:7 cname:x'];
  const read = (...lines: readonly string[]) => publish(SESSION, AUDIO, VIDEO, lines).negotiated.video;
  assert.deepEqual([read(...layers, extension)?.rids, read(...layers, extension)?.sources.length], [['h', 'l'], 0]);
  assert.deepEqual([read(...layers)?.rids, read(...layers)?.sources.length], [[], 1]);
  assert.deepEqual(read(...swap(layers, 'a=simulcast', 'a=simulcast:send h'), extension)?.rids, []);
});

test('play: the shared packets carry nothing that counts for one viewer', () => {
  const { video, audio } = negotiatePlay(readDescription(recorded('chromium-156-play')), STREAM).negotiated;
  assert.deepEqual(video?.extensions, { mid: 9 });
  const alone = negotiatePlay(readDescription(recorded('chromium-156-play')), { video: STREAM.video }).negotiated;
  assert.deepEqual(alone.video?.extensions, { mid: 9, playoutDelay: 5 }, 'pictures without sound are shown at once');
  assert.deepEqual(audio?.extensions, { mid: 9 });
  const feedback = { nack: true, pli: true, fir: true, remb: false, transportCc: false };
  assert.deepEqual([video?.codecs[0]?.feedback, video?.codecs[0]?.rtx], [feedback, 109]);
  assert.deepEqual([video?.mid, video?.sources, video?.rids], ['0', [], []]);
});

test('a section that has nothing to carry keeps its place, where it can', () => {
  const idle = swap(AUDIO, 'a=sendonly', 'a=inactive');
  const bundle = 'a=group:BUNDLE 0 1';
  assert.deepEqual(ways(publish(SESSION, idle, VIDEO)), ['inactive', 'recvonly']);
  assert.equal(publish(SESSION, idle, VIDEO).negotiated.audio, undefined);
  assert.deepEqual(ways(play({ video: STREAM.video }, SESSION, RECV_AUDIO, RECV_VIDEO)), ['inactive', 'sendonly']);
  assert.deepEqual(ways(play({ audio: STREAM.audio }, SESSION, RECV_AUDIO, RECV_VIDEO)), ['sendonly', 'inactive']);
  // not on our transport, without a format of ours, or without rtcp-mux
  assert.deepEqual(ways(publish(swap(SESSION, bundle), idle, VIDEO)), ['-', 'recvonly']);
  assert.deepEqual(ways(publish(SESSION, swap(idle, 'a=rtpmap', 'a=rtpmap:111 x/8000'), VIDEO)), ['-', 'recvonly']);
  assert.deepEqual(ways(publish(SESSION, swap(idle, 'a=rtcp-mux'), VIDEO)), ['-', 'recvonly']);
  // further sections of a kind, other kinds, and what is over
  const second = swap(VIDEO, 'a=mid', 'a=mid:2');
  const channel = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:3'];
  const over = ['m=audio 0 UDP/TLS/RTP/SAVPF 0', 'a=inactive'];
  const all = publish(swap(SESSION, bundle, 'a=group:BUNDLE 0 1 2 3'), over, AUDIO, VIDEO, second, channel);
  assert.deepEqual(ways(all), ['-', 'recvonly', 'recvonly', '-', '-']);
  // of two the one that fits is taken
  assert.deepEqual(ways(publish(SESSION, swap(second, 'a=sendonly', 'a=recvonly'), AUDIO, VIDEO)), [
    '-',
    'recvonly',
    'recvonly',
  ]);
});

test('nothing is lost silently: what cannot be agreed on refuses the whole', () => {
  const alien = swap(VIDEO, 'a=rtpmap:102', 'a=rtpmap:102 theora/90000');
  assert.throws(() => publish(SESSION, AUDIO, alien), {
    code: 'webrtc/codecs',
    message:
      "The offer's video formats are theora; one of H264, VP8, VP9, AV1, H265 is needed. Choose another codec in the client.",
  });
  assert.throws(() => publish(SESSION, swap(AUDIO, 'a=rtpmap'), VIDEO), {
    code: 'webrtc/codecs',
    message: /^The offer's audio formats are none that has a name; one of opus, PCMU, PCMA is needed/,
  });
  const rows: readonly (readonly [Wanted, RegExp])[] = [
    [
      { video: { codec: 'hevc' } },
      /^The stream is H265; the client offers H264\. Use a browser that plays it, or publish H\.264/,
    ],
    [
      { ...STREAM, audio: { codec: 'g711u' } },
      /^The stream is PCMU; the client offers opus\. .*or ask for the picture alone\.$/,
    ],
    [{ ...STREAM, audio: { codec: 'aac' } }, /^The stream is aac, which WebRTC cannot carry\. It has to be translated/],
    [{ video: { codec: 'flv1' } }, /^The stream is flv1, which WebRTC cannot carry\. Publish H\.264/],
    [{}, /^The stream has nothing yet, /],
  ];
  for (const [wanted, message] of rows) {
    assert.throws(() => play(wanted, SESSION, RECV_AUDIO, RECV_VIDEO), { code: 'webrtc/codecs', message });
  }
  const one = /, for which the offer has no place\. Offer audio and video\.$/;
  assert.throws(() => play({ video: STREAM.video }, SESSION, RECV_AUDIO), { code: 'webrtc/codecs', message: one });
  assert.throws(() => play({ audio: STREAM.audio }, SESSION, RECV_VIDEO), { code: 'webrtc/codecs', message: one });
});

test('H.264 needs packetization mode 1 of a viewer, not of a publisher, and the refusal says so', () => {
  const [type] = VIDEO.find((line) => line.startsWith('a=fmtp:'))!.split(' ');
  const offered = (section: readonly string[], said: string) => swap(section, 'a=fmtp:102', `${type} ${said}`);
  const single = 'packetization-mode=0;profile-level-id=42e01f';
  assert.throws(() => play(STREAM, SESSION, RECV_AUDIO, offered(RECV_VIDEO, single)), {
    code: 'webrtc/codecs',
    message:
      'The stream is H264; the client offers H264 without packetization-mode=1, which pictures larger than a packet need. ' +
      'Offer H264 with packetization-mode=1.',
  });
  assert.equal(publish(SESSION, AUDIO, offered(VIDEO, single)).negotiated.video?.codecs[0]?.codec, 'h264');
  const silent = play(STREAM, SESSION, RECV_AUDIO, offered(RECV_VIDEO, 'profile-level-id=42e01f'));
  assert.equal(silent.negotiated.video?.codecs[0]?.codec, 'h264', 'who forgot to say it is taken at his best');
});

test('who begins DTLS', () => {
  const role = (...setup: readonly string[]) => {
    return publish(SESSION, swap(AUDIO, 'a=setup', ...setup), swap(VIDEO, 'a=setup', ...setup)).transport.role;
  };
  assert.equal(role('a=setup:actpass'), 'server');
  assert.equal(role('a=setup:active'), 'server');
  assert.equal(role('a=setup:passive'), 'client');
  assert.equal(role(), 'server');
  assert.throws(() => role('a=setup:holdconn'), { code: 'webrtc/sdp' });
  assert.throws(() => role('a=setup:whatever'), { code: 'webrtc/sdp' });
});

test('the transport is that of the first section which is carried, and what it lacks stands in the one that speaks for the bundle', () => {
  const other = swap(swap(VIDEO, 'a=ice-ufrag', 'a=ice-ufrag:video'), 'a=setup', 'a=setup:passive');
  assert.equal(publish(SESSION, AUDIO, other).transport.credentials.ufrag, 'abcd');
  const refused = ['m=audio 0 RTP/SAVPF 111', 'a=mid:0'];
  const { credentials, role } = publish(SESSION, refused, other).transport;
  assert.deepEqual([credentials.ufrag, role], ['video', 'client']);

  const bare = VIDEO.filter((line) => !TRANSPORT.includes(line));
  const bundleOnly = [...swap(bare, 'm=', 'm=video 0 UDP/TLS/RTP/SAVPF 102 103'), 'a=bundle-only'];
  const agreed = publish(SESSION, AUDIO, bundleOnly);
  assert.deepEqual(ways(agreed), ['recvonly', 'recvonly']);
  const channel = ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', ...TRANSPORT, 'a=mid:0'];
  const { transport } = publish(SESSION, channel, bare);
  assert.equal(transport.credentials.ufrag, 'abcd');
  assert.equal(transport.fingerprints[0]?.digest.toString('hex').toUpperCase(), DIGEST.replaceAll(':', ''));
  const two = ['a=fingerprint:sha-1 00', `a=fingerprint:SHA-256 ${DIGEST.toLowerCase()}`];
  const mixed = publish(SESSION, swap(AUDIO, 'a=fingerprint', ...two));
  assert.deepEqual(
    mixed.transport.fingerprints.map(({ hash }) => hash),
    ['sha-256'],
  );
});

test('one section needs no bundle, two do', () => {
  const alone = swap(SESSION, 'a=group');
  assert.deepEqual(ways(publish(alone, swap(AUDIO, 'a=mid'))), ['recvonly']);
  assert.throws(() => publish(alone, AUDIO, VIDEO), { code: 'webrtc/sdp', message: /bundlePolicy: 'max-bundle'/ });
  const apart = swap(SESSION, 'a=group', 'a=group:BUNDLE 0', 'a=group:BUNDLE 1');
  assert.throws(() => publish(apart, AUDIO, VIDEO), { code: 'webrtc/sdp' });
  assert.deepEqual(
    ways(publish(swap(SESSION, 'a=group', 'a=group:LS 0 1', 'a=group:BUNDLE 0 1'), AUDIO, VIDEO)).length,
    2,
  );
  // FFmpeg names both of its sections when it sends one
  assert.deepEqual(ways(publish(SESSION, VIDEO)), ['recvonly']);
});

test('the player answers an offer of ours', () => {
  const offered = offerFor(STREAM);
  const { negotiated, transport, sections } = negotiateAnswer(readDescription(recorded('wowza-play-answer')), offered);
  assert.deepEqual([transport.role, sections.map(({ direction }) => direction)], ['server', ['sendonly', 'sendonly']]);
  // it was recorded against an offer of other numbers, and says what it takes
  assert.deepEqual([negotiated.video?.codecs[0]?.payloadType, negotiated.video?.codecs[0]?.rtx], [102, 103]);
  assert.deepEqual(
    negotiated.audio?.codecs.map(({ payloadType }) => payloadType),
    [111],
  );
  // its extension 1 is another than ours
  assert.deepEqual(negotiated.video?.extensions, {});

  const answer = (...lines: readonly (string | readonly string[])[]) =>
    negotiateAnswer(readDescription(sdp(...lines)), offered);
  const off = (section: readonly string[]) =>
    section.map((line) => (line.startsWith('m=') ? line.replace(' 9 ', ' 0 ') : line));
  const bare = RECV_VIDEO.filter((line) => !line.startsWith('a=fmtp:102'));
  assert.deepEqual(answer(SESSION, bare).negotiated.video?.codecs[0]?.parameters, offered.video?.codecs[0]?.parameters);
  const single = swap(RECV_VIDEO, 'a=fmtp:102', 'a=fmtp:102 packetization-mode=0');
  assert.throws(() => answer(SESSION, RECV_AUDIO, single), { code: 'webrtc/codecs', message: /packetization-mode=1/ });
  const half = answer(SESSION, RECV_AUDIO, off(RECV_VIDEO));
  assert.deepEqual([ways(half), half.negotiated.video], [['sendonly', '-'], undefined]);
  assert.throws(() => answer(SESSION, off(RECV_AUDIO), off(RECV_VIDEO)), { code: 'webrtc/codecs' });
  assert.throws(() => answer(SESSION, AUDIO, VIDEO), { code: 'webrtc/direction' });
  const silent = offerFor({ video: STREAM.video });
  assert.throws(() => negotiateAnswer(readDescription(sdp(SESSION, RECV_AUDIO)), silent), { code: 'webrtc/sdp' });
});

test('offers of both directions are answered by the one', () => {
  const both = (section: readonly string[]) => swap(section, 'a=sendonly', 'a=sendrecv');
  assert.deepEqual(ways(publish(SESSION, both(AUDIO), both(VIDEO))), ['recvonly', 'recvonly']);
  assert.deepEqual(ways(play(STREAM, SESSION, both(AUDIO), both(VIDEO))), ['sendonly', 'sendonly']);
  assert.throws(() => negotiatePublish(readDescription(PLAY_OFFER)), { code: 'webrtc/direction' });
  assert.throws(() => negotiatePlay(readDescription(PUBLISH_OFFER), STREAM), { code: 'webrtc/direction' });
});
