import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiatePublish } from '../../src/webrtc/negotiation.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import { readFragment, type SdpFragment, writeFragment } from '../../src/webrtc/sdp-fragment.ts';
import { AUDIO, LOCAL, PUBLISH_OFFER, sdp, swap } from '../helpers/sdp.ts';

const UFRAG = 'a=ice-ufrag:EsAw';
const PASSWORD = 'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1';
const CANDIDATE =
  'a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1';
const NOTHING: SdpFragment = { ufrag: undefined, password: undefined, candidates: 0, endOfCandidates: false };

const FRAGMENTS: readonly (readonly [what: string, text: string, read: Partial<SdpFragment>])[] = [
  ['nothing', '', { endOfCandidates: true }],
  ['blanks', ' \r\n\r\n', { endOfCandidates: true }],
  [
    'a whole fragment',
    sdp(UFRAG, PASSWORD, 'm=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0', CANDIDATE, CANDIDATE, 'a=end-of-candidates'),
    { ufrag: 'EsAw', password: 'P2uYro0UCOQ4zxjKXaWCBui1', candidates: 2, endOfCandidates: true },
  ],
  [
    'credentials under the m-lines',
    sdp('m=audio 9 RTP/AVP 0', 'a=mid:0', UFRAG, PASSWORD, CANDIDATE, 'm=video 9 RTP/AVP 0', UFRAG, PASSWORD),
    { ufrag: 'EsAw', password: 'P2uYro0UCOQ4zxjKXaWCBui1', candidates: 1 },
  ],
  ['a name without a password', sdp(UFRAG, 'm=audio 9 RTP/AVP 0', CANDIDATE), { ufrag: 'EsAw', candidates: 1 }],
  ['a candidate alone', CANDIDATE, { candidates: 1 }],
  ['a candidate as scripts have it', CANDIDATE.slice(2), { candidates: 1 }],
  ['candidates of no use', 'candidate:1 1 tcp 1 a.local 9 typ host tcptype active\ncandidate:x', { candidates: 2 }],
  ['an empty candidate', 'candidate:', { endOfCandidates: true }],
  ['an empty candidate with a=', 'a=candidate:', { endOfCandidates: true }],
  ['the end alone', 'a=end-of-candidates', { endOfCandidates: true }],
  ['lines that are indented', `   ${CANDIDATE}\n  a=end-of-candidates`, { candidates: 1, endOfCandidates: true }],
  ['unknown lines between', sdp('x', CANDIDATE, 'y=z', 'a=', 'b=AS:1'), { candidates: 1 }],
];

test('fragments, and what is sent in their place', () => {
  for (const [what, text, read] of FRAGMENTS) assert.deepEqual(readFragment(text), { ...NOTHING, ...read }, what);
});

test('what is none of that is refused', () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['hello', /neither candidates nor credentials/],
    ['{"candidate":"candidate:1 1 udp"}', /neither candidates nor credentials/],
    [sdp('m=audio 9 RTP/AVP 0', 'a=mid:0'), /neither candidates nor credentials/],
    [sdp('a=ice-ufrag:', 'a=ice-pwd:'), /neither candidates nor credentials/],
    [sdp(UFRAG, 'a=ice-pwd:short'), /a=ice-pwd/],
    [sdp('a=ice-ufrag:a', PASSWORD), /a=ice-ufrag/],
    [PASSWORD, /lacks a=ice-ufrag/],
    ['a=candidate:\0', /control character/],
    [`${CANDIDATE}\n`.repeat(1_000), /longer than/],
    ['a=candidate:1\n'.repeat(2_001), /more than 2000 lines/],
  ];
  for (const [text, message] of rows) {
    assert.throws(() => readFragment(text), { name: 'RefusedError', code: 'webrtc/sdp', message }, text.slice(0, 80));
  }
});

test('the answer to a restart, line by line', () => {
  const offer = readDescription(PUBLISH_OFFER);
  const expected = [
    'a=ice-lite',
    'a=ice-options:trickle',
    'a=group:BUNDLE 0 1',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=mid:0',
    'a=ice-ufrag:serverufragserverufrag',
    'a=ice-pwd:serverpasswordserverpassword',
    'a=candidate:3 1 udp 2130706175 192.0.2.1 8189 typ host',
    'a=candidate:2 1 udp 2130706431 2001:db8::1 8189 typ host',
    'a=candidate:1 1 tcp 1500000000 192.0.2.1 8189 typ host tcptype passive',
    'a=end-of-candidates',
  ];
  const written = writeFragment(negotiatePublish(offer), LOCAL);
  assert.equal(written, sdp(expected));
  const { ufrag, password, candidates, endOfCandidates } = readFragment(written);
  assert.deepEqual({ ufrag, password }, LOCAL.credentials);
  assert.deepEqual([candidates, endOfCandidates], [3, true]);
  const nameless = negotiatePublish(readDescription(sdp('v=0', swap(AUDIO, 'a=mid'))));
  assert.doesNotMatch(writeFragment(nameless, LOCAL), /BUNDLE/);
});
