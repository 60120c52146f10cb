import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import type { RemoteSection } from '../../src/webrtc/remote-section.ts';
import { AUDIO, recorded, SESSION, sdp, swap, TRANSPORT, VIDEO } from '../helpers/sdp.ts';

/** The one section of `lines`, in a session of its own. */
function section(...lines: readonly (string | readonly string[])[]): RemoteSection {
  const [first, ...others] = readDescription(sdp('v=0', ...lines)).sections;
  assert.ok(first !== undefined && others.length === 0);
  return first;
}

/** `VIDEO` with further lines. */
function video(...lines: readonly string[]): RemoteSection {
  return section(VIDEO, lines);
}

test('what a browser says is read', () => {
  const { sections, bundles, iceLite } = readDescription(recorded('chromium-156-publish'));
  assert.deepEqual([bundles, iceLite], [[['0', '1']], false]);
  const facts = sections.map(({ kind, protocol, mid, named, off, direction, rtcpMux, rtcpReducedSize }) => {
    return { kind, protocol, mid, named, off, direction, rtcpMux, rtcpReducedSize };
  });
  const common = { protocol: 'UDP/TLS/RTP/SAVPF', named: true, off: false, direction: 'sendonly', rtcpMux: true };
  assert.deepEqual(facts, [
    { ...common, kind: 'audio', mid: '0', rtcpReducedSize: true },
    { ...common, kind: 'video', mid: '1', rtcpReducedSize: true },
  ]);
  const [audio, picture] = sections;
  assert.deepEqual(
    audio?.formats.map(({ payloadType, encoding, clockRate, channels }) => {
      return `${payloadType} ${encoding}/${clockRate}/${channels}`;
    }),
    [
      ...['111 opus/48000/2', '63 red/48000/2', '9 g722/8000/1', '0 pcmu/8000/1', '8 pcma/8000/1', '13 cn/8000/1'],
      ...['110 telephone-event/48000/1', '126 telephone-event/8000/1'],
    ],
  );
  const h264 = picture?.formats.find(({ payloadType }) => payloadType === 108);
  const parameters = { 'level-asymmetry-allowed': '1', 'packetization-mode': '1', 'profile-level-id': '42e01f' };
  assert.deepEqual(Object.fromEntries(h264!.parameters), parameters);
  assert.deepEqual(h264?.feedback, { nack: true, pli: true, fir: true, remb: true, transportCc: true });
  assert.equal(picture?.sources.length, 1);
  assert.equal(typeof picture?.sources[0]?.rtx, 'number');
  assert.ok(picture?.extensions.some(({ id, uri }) => id === 13 && uri === 'urn:3gpp:video-orientation'));
  assert.equal(picture?.transport.setup, 'actpass');
});

test('two fmtp lines of one payload type are one, without what is private to Chromium', () => {
  for (const [name, payloadType] of [
    ['wowza-publish-h264', 108],
    ['videowhisper-react-publish-h264', 106],
  ] as const) {
    const [audio, picture] = readDescription(recorded(name)).sections;
    assert.deepEqual(Object.fromEntries(audio!.formats[0]!.parameters), { minptime: '10', useinbandfec: '1' }, name);
    assert.deepEqual(
      picture?.formats.map((format) => [format.payloadType, format.parameters.get('packetization-mode')]),
      [[payloadType, '1']],
      name,
    );
  }
  const upper = section(
    'm=video 9 RTP/SAVPF 96',
    'a=fmtp:96 Profile-Level-Id=42E01F;sprop-parameter-sets=Z0IAHg==,aM4=',
  );
  assert.deepEqual(Object.fromEntries(upper.formats[0]!.parameters), {
    'profile-level-id': '42e01f',
    'sprop-parameter-sets': 'Z0IAHg==,aM4=',
  });
  const twice = video('a=fmtp:102 packetization-mode=0;SPS-Extra= x ; ;=;lonely');
  assert.deepEqual(Object.fromEntries(twice.formats[0]!.parameters), {
    'level-asymmetry-allowed': '1',
    'packetization-mode': '1',
    'profile-level-id': '42e01f',
    'sps-extra': 'x',
  });
});

test('b-lines, stray LFs and unknown lines do not matter', () => {
  const [audio, picture] = readDescription(recorded('videowhisper-publish-vp8')).sections;
  assert.deepEqual(
    [audio?.mid, audio?.direction, picture?.mid, picture?.direction],
    ['0', 'sendrecv', '1', 'sendrecv'],
  );
  assert.deepEqual(picture?.formats[0]?.feedback, {
    ...{ nack: false, pli: false, fir: true },
    ...{ remb: false, transportCc: false },
  });
  const clean = readDescription(sdp(SESSION, AUDIO, VIDEO));
  const noise = [
    'b=TIAS:-1',
    '96 97 98',
    'x',
    '=',
    'a=',
    'a',
    'a=candidate:nonsense',
    'b=AS:',
    'z=1',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'é=ü',
  ];
  const noisy = [...SESSION, ...AUDIO, ...VIDEO].flatMap((line, at) => [line, noise[at % noise.length]!]);
  assert.deepEqual(readDescription(noisy.join('\n')), clean);
  assert.deepEqual(readDescription(noisy.join('\r\r\n\r\n')), clean);
});

test('a section takes from the session what it does not say', () => {
  const own = ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'a=rtpmap:96 VP8/90000'];
  const session = [...TRANSPORT, 'a=inactive', 'a=extmap:3/recvonly urn:3gpp:video-orientation'];
  const inherited = section(session, own);
  assert.equal(inherited.direction, 'inactive');
  assert.deepEqual(inherited.extensions, [{ id: 3, uri: 'urn:3gpp:video-orientation', direction: 'recvonly' }]);
  assert.deepEqual(inherited.transport, section(own, TRANSPORT).transport);
  const mine = ['a=ice-ufrag:mine', 'a=fingerprint:sha-256 00', 'a=setup:passive', 'a=sendonly'];
  const { transport, direction } = section(session, own, mine);
  assert.deepEqual(transport, {
    ...{ ufrag: 'mine', password: 'abcdefghijklmnopqrstuv' },
    ...{ fingerprints: ['sha-256 00'], setup: 'passive' },
  });
  assert.equal(direction, 'sendonly');
  assert.equal(section(own).direction, 'sendrecv');
});

test('payload types: static ones need no rtpmap, others are nameless without', () => {
  const { formats } = section('m=audio 9 RTP/SAVPF 0 8 9 111 96 0', 'a=rtpmap:111 OPUS/48000/2', 'a=rtpmap:111 x/1');
  assert.deepEqual(
    formats.map(({ payloadType, encoding, clockRate, channels }) => [payloadType, encoding, clockRate, channels]),
    [
      [0, 'pcmu', 8000, 1],
      [8, 'pcma', 8000, 1],
      [9, '', 0, 1],
      [111, 'opus', 48000, 2],
      [96, '', 0, 1],
    ],
  );
});

test('feedback for all payload types', () => {
  const { formats } = section(
    'm=video 9 RTP/SAVPF 96 97',
    'a=rtcp-fb:* ccm fir',
    'a=rtcp-fb:97 nack  pli',
    'a=rtcp-fb:5 nack',
  );
  assert.deepEqual(
    formats.map(({ feedback: { nack, pli, fir } }) => ({ nack, pli, fir })),
    [
      { nack: false, pli: false, fir: true },
      { nack: false, pli: true, fir: true },
    ],
  );
});

test('sources: what repeats or repairs another is none of its own', () => {
  const read = (...lines: readonly string[]) => video(...lines).sources;
  const ssrcs = [1, 2, 3, 4, 5].map((ssrc) => `a=ssrc:${ssrc} cname:x`);
  assert.deepEqual(read(...ssrcs.slice(0, 1)), [{ ssrc: 1, rtx: undefined }]);
  assert.deepEqual(read('a=ssrc-group:FID 1 2', ...ssrcs.slice(0, 2)), [{ ssrc: 1, rtx: 2 }]);
  assert.deepEqual(read('a=ssrc-group:SIM 1 2 3', 'a=ssrc-group:FID 1 4', 'a=ssrc-group:FEC-FR 1 5', ...ssrcs), [
    { ssrc: 1, rtx: 4 },
    { ssrc: 2, rtx: undefined },
    { ssrc: 3, rtx: undefined },
  ]);
  assert.deepEqual(read('a=ssrc-group:FID 1 1', 'a=ssrc-group:FID 1', 'a=ssrc-group:FID x y', 'a=ssrc:1 cname:x'), [
    { ssrc: 1, rtx: undefined },
  ]);
  assert.deepEqual(
    read('a=ssrc:0 cname:x', 'a=ssrc:4294967296 cname:x', 'a=ssrc:-1 cname:x', 'a=ssrc:', 'a=ssrc:1e3 x'),
    [],
  );
  const many = Array.from({ length: 100 }, (_, ssrc) => `a=ssrc:${ssrc + 1} cname:x`);
  assert.equal(read(...many).length, 16);
});

test('layers of simulcast', () => {
  const rids = ['a=rid:h send', 'a=rid:m send pt=102;max-width=640', 'a=rid:l send', 'a=rid:r recv'];
  const rows: readonly (readonly [simulcast: string, layers: readonly string[], old?: boolean])[] = [
    ['a=simulcast:send h;m;l', ['h', 'm', 'l']],
    ['a=simulcast:send h;m,l', ['h', 'm']],
    ['a=simulcast:send ~h;~m', ['h', 'm']],
    ['a=simulcast:recv r send h;l', ['h', 'l']],
    ['a=simulcast: send rid=h;m;l', ['h', 'm', 'l'], true],
    ['a=simulcast:send h;h;h', ['h']],
    ['a=simulcast:send h;unknown;r', ['h']],
    ['a=simulcast:recv r', []],
    ['a=simulcast:send', []],
    ['a=simulcast:', []],
    ['a=simulcast:;;;', []],
  ];
  for (const [simulcast, layers, old = false] of rows) {
    const read = video(...rids, simulcast);
    assert.deepEqual([read.layers, read.oldSimulcast], [layers, old], simulcast);
  }
  assert.deepEqual(video(...rids).layers, []);
  const many = Array.from({ length: 9 }, (_, at) => `L${at}`);
  const read = video(...many.map((rid) => `a=rid:${rid} send`), `a=simulcast:send ${many.join(';')}`);
  assert.deepEqual(read.layers, many.slice(0, 4));
});

test('extensions: one-byte numbers, each number and each name once', () => {
  const { extensions } = video(
    'a=extmap:1 a:1',
    'a=extmap:2/sendonly a:2',
    'a=extmap:1 a:3',
    'a=extmap:3 a:1',
    'a=extmap:0 a:4',
    'a=extmap:15 a:5',
    'a=extmap:x a:6',
    'a=extmap:4/sideways a:7',
    'a=extmap:5',
  );
  assert.deepEqual(extensions, [
    { id: 1, uri: 'a:1', direction: 'sendrecv' },
    { id: 2, uri: 'a:2', direction: 'sendonly' },
  ]);
});

test('sections without a name get one, and sections that are over are known', () => {
  const nameless = swap(VIDEO, 'a=mid');
  const [audio, picture] = readDescription(sdp(SESSION, AUDIO, nameless)).sections;
  assert.deepEqual([audio?.named, picture?.named], [true, false]);
  assert.notEqual(picture?.mid, audio?.mid);
  const over = swap(VIDEO, 'm=', 'm=video 0 UDP/TLS/RTP/SAVPF 102');
  assert.equal(section(over).off, true);
  assert.equal(section(over, 'a=bundle-only').off, false);
  assert.equal(section('m=audio 5004/2 RTP/SAVPF 0').off, false);
});

test('a data channel is a section, and says no more', () => {
  const { sections } = readDescription(recorded('chromium-156-data'));
  const { kind, protocol, format, formats, mid } = sections[2]!;
  assert.deepEqual(
    [kind, protocol, format, formats, mid],
    ['application', 'UDP/DTLS/SCTP', 'webrtc-datachannel', [], '2'],
  );
});
