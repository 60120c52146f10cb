/**
 * The browser's modules that need no browser.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

interface ProblemShape {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly status?: number;
  readonly retryAfter?: number;
}

/** They are JavaScript, with types of their own for the browser. */
async function web(name: string): Promise<Record<string, never>> {
  return import(new URL(`../../web/${name}`, import.meta.url).href);
}

type Call = (...values: readonly unknown[]) => string;
const { sessionAddress, streamTitle, linkedStream, streamLink } = (await web('address.js')) as unknown as {
  sessionAddress: Call;
  streamTitle: Call;
  linkedStream: (search: string) => { readonly view: string; readonly source: string };
  streamLink: Call;
};
const { Problem, isPassing, problemOf, backoff } = (await web('problem.js')) as unknown as {
  Problem: new (code: string, message: string, more?: object) => ProblemShape;
  isPassing: (problem: ProblemShape) => boolean;
  problemOf: (error: unknown) => ProblemShape;
  backoff: (failures: number, chance: number) => number;
};
const sdp = (await web('sdp.js')) as unknown as {
  withStereo: Call;
  withStartBitrate: Call;
  restartFragment: Call;
  restartedAnswer: Call;
  iceServers: (header: string | null) => readonly object[];
  orderedCodecs: <T>(codecs: readonly T[], wanted: string) => readonly T[];
};
const { bitrateText, durationText, codecName } = (await web('meter.js')) as unknown as Record<string, Call>;
const { deviceProblem } = (await web('capture.js')) as unknown as {
  deviceProblem: (error: { name: string; message: string }, what: string) => ProblemShape;
};

const SERVER = 'https://media.example:8443/';

test('what people have leads to the address of a session', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['live/test', 'live/test/whip'],
    ['/live/test', 'live/test/whip'],
    [' live//test/ ', 'live/test/whip'],
    ['live/_definst_/test', 'live/test/whip'],
    ['live/test/whip', 'live/test/whip'],
    ['live/room/test', 'live/room/test/whip'],
    ['live/my show', 'live/my%20show/whip'],
    ['live/tür', 'live/t%C3%BCr/whip'],
    ['live/a#b', 'live/a%23b/whip'],
    ['live/100%25', 'live/100%25/whip'],
    ['vw/bob?channel_id=4&userID=2&key=K', 'vw/bob/whip?channel_id=4&userID=2&key=K'],
    ['vw/bob?channel_id=4&key=K/whip', 'vw/bob/whip?channel_id=4&key=K'],
    ['vw/bob?', 'vw/bob/whip'],
  ];
  for (const [source, path] of rows) assert.equal(sessionAddress(source, 'whip', SERVER), SERVER + path, source);
  const whole = 'http://other.example/x/whip?y=1';
  assert.equal(sessionAddress(whole, 'whip', SERVER), whole);
  for (const source of ['', 'test', '/', 'live/', '?key=K']) {
    assert.throws(() => sessionAddress(source, 'whep', SERVER), { code: 'browser/address' }, source);
  }
});

test('a title shows no query', () => {
  assert.equal(streamTitle('vw/bob?key=SECRET'), 'vw/bob');
  assert.equal(streamTitle('https://m.example/live/my%20show/whep?key=SECRET'), 'live/my show');
  assert.equal(streamTitle('live/100%'), 'live/100%');
});

test('links are read as sites write them and as forms send them', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['', 'home', ''],
    ['?watch=', 'home', ''],
    ['?other=live/test', 'home', ''],
    ['?watch=live/test', 'watch', 'live/test'],
    ['?publish=live/test', 'publish', 'live/test'],
    ['?watch=vw/bob?channel_id=4&key=K', 'watch', 'vw/bob?channel_id=4&key=K'],
    ['?watch=live%2Ftest', 'watch', 'live/test'],
    ['?publish=vw%2Fbob%3Fchannel_id%3D4%26key%3DK', 'publish', 'vw/bob?channel_id=4&key=K'],
    ['?watch=live%2Fmy+show', 'watch', 'live/my show'],
  ];
  for (const [search, view, source] of rows) assert.deepEqual(linkedStream(search), { view, source }, search);
  for (const name of ['test', 'my show', 'a/b', 'ü&?#%+=']) {
    const { source } = linkedStream(streamLink('watch', 'live/room', name));
    assert.equal(
      decodeURIComponent(new URL(sessionAddress(source, 'whep', SERVER)).pathname),
      `/live/room/${name}/whep`,
    );
  }
});

test('what may pass is tried again; who was refused or sent away is not', () => {
  const passing = [
    new Problem('stream/not-found', '', { status: 409 }),
    new Problem('stream/changed', '', { status: 404 }),
    new Problem('access/shutdown', '', { status: 404 }),
    new Problem('access/busy', '', { status: 503 }),
    new Problem('webrtc/lost', '', { status: 404 }),
    new Problem('webrtc/session', '', { status: 404 }),
    new Problem('anything', '', { status: 502 }),
    new Problem('anything', '', { status: 429, retryAfter: 1_000 }),
    problemOf(new TypeError('Failed to fetch')),
  ];
  for (const problem of passing) assert.equal(isPassing(problem), true, problem.code);
  const final = [
    new Problem('access/disconnected', '', { status: 404 }),
    new Problem('access/taken-over', '', { status: 404 }),
    new Problem('access/duplicate', '', { status: 409 }),
    new Problem('access/key', '', { status: 403 }),
    new Problem('stream/b-frames', '', { status: 422 }),
    new Problem('webrtc/codecs', '', { status: 422 }),
    new Problem('browser/denied', ''),
    problemOf(new Error('odd')),
  ];
  for (const problem of final) assert.equal(isPassing(problem), false, problem.code);
});

test('waits grow, are bounded, and are not the same for all', () => {
  assert.equal(backoff(0, 0.5), 500);
  assert.equal(backoff(3, 0.5), 4_000);
  assert.equal(backoff(60, 0.5), 15_000);
  assert.ok(backoff(3, 0) < backoff(3, 1) && backoff(60, 1) <= 20_000);
});

test('refusals of the browser become words', () => {
  const of = (name: string, what = 'camera') => deviceProblem({ name, message: '' }, what);
  assert.equal(of('NotAllowedError').code, 'browser/denied');
  assert.match(of('NotAllowedError', 'screen').message, /screen/);
  assert.equal(of('NotFoundError').code, 'browser/no-device');
  assert.equal(of('NotReadableError').code, 'browser/busy-device');
  assert.equal(of('OverconstrainedError').code, 'browser/constraints');
  assert.equal(of('NewError').message, 'NewError');
  for (const name of ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'OverconstrainedError']) {
    assert.notEqual(of(name).fix, '', name);
  }
});

test('stereo is offered once, for Opus', () => {
  const offer = 'a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=fmtp:96 x=1\r\n';
  const stereo = offer.replace('useinbandfec=1', 'useinbandfec=1;stereo=1');
  assert.equal(sdp.withStereo(offer), stereo);
  assert.equal(sdp.withStereo(stereo), stereo);
  assert.equal(sdp.withStereo('a=rtpmap:0 PCMU/8000\r\n'), 'a=rtpmap:0 PCMU/8000\r\n');
});

test('a bitrate to begin with stands with each codec of the picture', () => {
  const answer = [
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 packetization-mode=1',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rtpmap:98 VP8/90000',
    '',
  ].join('\r\n');
  const lines = sdp.withStartBitrate(answer, 1_200_000).split('\r\n');
  assert.deepEqual(lines, [
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:96 H264/90000',
    'a=fmtp:96 x-google-start-bitrate=1200;packetization-mode=1',
    'a=rtpmap:97 rtx/90000',
    'a=fmtp:97 apt=96',
    'a=rtpmap:98 VP8/90000',
    'a=fmtp:98 x-google-start-bitrate=1200',
    '',
  ]);
});

test('a restart of ICE sends the new credentials and takes those of the answer', () => {
  const offer =
    'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:new\r\na=ice-pwd:newer\r\na=mid:0\r\nm=video 9 X 96\r\na=mid:1\r\n';
  const fragment = sdp.restartFragment(offer);
  assert.match(fragment, /^a=ice-ufrag:new\r\na=ice-pwd:newer\r\nm=audio 9 [^\r]*\r\na=mid:0\r\n/);
  const answer = 'm=audio\r\na=ice-ufrag:old\r\na=ice-pwd:older\r\nm=video\r\na=ice-ufrag:old\r\na=ice-pwd:older\r\n';
  const theirs = 'a=ice-lite\r\na=ice-ufrag:$1x\r\na=ice-pwd:$&y\r\n';
  assert.equal(
    sdp.restartedAnswer(answer, theirs),
    answer.replaceAll('ufrag:old', () => 'ufrag:$1x').replaceAll('pwd:older', () => 'pwd:$&y'),
  );
  assert.throws(() => sdp.restartedAnswer(answer, 'a=ice-lite\r\n'), /ice-ufrag/);
});

test('ICE servers are read from links', () => {
  const header =
    '<stun:a.example>; rel="ice-server", <turn:b.example:3478?transport=udp>; rel="ice-server"; username="u"; credential="p,q", <https://x>; rel="help"';
  assert.deepEqual(sdp.iceServers(header), [
    { urls: 'stun:a.example' },
    { urls: 'turn:b.example:3478?transport=udp', username: 'u', credential: 'p,q' },
  ]);
  assert.deepEqual(sdp.iceServers(null), []);
});

test('codecs are offered with the wanted one first, then what all players know', () => {
  const codec = (name: string, sdpFmtpLine?: string) => ({
    mimeType: `video/${name}`,
    ...(sdpFmtpLine && { sdpFmtpLine }),
  });
  const [vp8, rtx, high, mode0, base, av1] = [
    codec('VP8'),
    codec('rtx'),
    codec('H264', 'packetization-mode=1;profile-level-id=640c1f'),
    codec('H264', 'packetization-mode=0;profile-level-id=42e01f'),
    codec('H264', 'packetization-mode=1;profile-level-id=42e01f'),
    codec('AV1'),
  ];
  const all = [vp8, rtx, high, mode0, base, av1];
  assert.deepEqual(sdp.orderedCodecs(all, 'h264'), [base, high, mode0, vp8, av1, rtx]);
  assert.deepEqual(sdp.orderedCodecs(all, 'AV1'), [av1, vp8, rtx], 'a server may prefer H.264');
  assert.deepEqual(sdp.orderedCodecs([vp8, base], 'av1'), [base, vp8], 'what is not there cannot be wanted');
});

test('figures are written for people', () => {
  assert.deepEqual(
    [bitrateText!(2_449_000), bitrateText!(64_400), bitrateText!(0)],
    ['2.4 Mbit/s', '64 kbit/s', '0 kbit/s'],
  );
  assert.deepEqual([durationText!(0), durationText!(75), durationText!(3_661)], ['00:00', '01:15', '1:01:01']);
  assert.deepEqual(
    ['h264', 'hevc', 'opus', 'vp8', 'AV1'].map((name) => codecName!(name)),
    ['H.264', 'H.265', 'Opus', 'VP8', 'AV1'],
  );
});
