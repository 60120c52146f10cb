/**
 * Session descriptions: whatever a client sends is answered or refused, and what we write says what was agreed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RefusedError } from '../../src/base/errors.ts';
import { writeAnswer } from '../../src/webrtc/local-description.ts';
import type { RtpMedia } from '../../src/webrtc/negotiated.ts';
import { type Agreement, negotiatePlay, negotiatePublish, type Wanted } from '../../src/webrtc/negotiation.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import { target } from '../fuzz/targets/sdp.ts';
import { LOCAL, ORIGIN, RECORDED, SENT, SESSION, sdp, TRANSPORT } from '../helpers/sdp.ts';

const TEXTS = [...RECORDED.values()];

/** What can be done to a description: a line goes, comes twice, moves, or changes a piece. */
const CHANGE = fc.record({
  kind: fc.constantFrom('drop', 'double', 'move', 'cut', 'put', 'number'),
  at: fc.nat(1_000),
  other: fc.nat(1_000),
  text: fc.oneof(
    fc.string({ maxLength: 12, unit: 'binary' }),
    fc.constantFrom(
      'a=',
      'm=audio',
      'a=mid:1',
      'a=inactive',
      'a=rtcp-mux',
      ';',
      '=',
      '*',
      ' ',
      ':',
      '/',
      ',',
      '~',
      '\n',
    ),
  ),
  number: fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 127, 128, 65_536, 4_294_967_296, 1e21)),
});
type Change = typeof CHANGE extends fc.Arbitrary<infer T> ? T : never;

function change(lines: string[], { kind, at, other, text, number }: Change): void {
  const here = at % lines.length;
  const line = lines[here]!;
  const place = other % (line.length + 1);
  if (kind === 'drop' && lines.length > 1) lines.splice(here, 1);
  else if (kind === 'double') lines.splice(here, 0, line);
  else if (kind === 'move') lines.splice(other % lines.length, 0, ...lines.splice(here, 1));
  else if (kind === 'cut') lines[here] = line.slice(0, place);
  else if (kind === 'put') lines[here] = line.slice(0, place) + text + line.slice(place);
  else lines[here] = line.replace(/\d+/, String(number));
}

test('no change to a real description makes it anything but answered or refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...TEXTS), fc.array(CHANGE, { minLength: 1, maxLength: 12 }), (text, changes) => {
      const lines = text.split('\r\n');
      for (const each of changes) change(lines, each);
      target.run(Buffer.from(lines.join('\r\n')));
    }),
    { numRuns: 1_500 },
  );
});

test('no text of such words does either', () => {
  const word = fc.constantFrom(
    ...[
      'v=0',
      'm=audio 9 RTP/SAVPF 0',
      'm=video 9 RTP/SAVPF 96',
      'a=rtpmap:',
      'a=fmtp:96 ',
      'apt=',
      'a=ssrc:',
      'a=rid:',
    ],
    ...[
      'a=simulcast:',
      'send ',
      ';',
      '96',
      '-1',
      ' ',
      ':',
      '/',
      '=',
      'a=group:BUNDLE ',
      'a=mid:',
      'a=extmap:',
      '1',
      '\n',
      '\n',
    ],
    ...TRANSPORT,
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 80 }), (words) => target.run(Buffer.from(`v=0\n${words.join('')}`))),
    { numRuns: 1_500 },
  );
});

/** A client's offer, with the choices that clients make. */
const OFFER = fc
  .record({
    protocol: fc.constantFrom('UDP/TLS/RTP/SAVPF', 'RTP/SAVPF', 'TCP/TLS/RTP/SAVPF'),
    setup: fc.constantFrom('actpass', 'active', 'passive'),
    mids: fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9-]{1,16}$/), { minLength: 2, maxLength: 2 }),
    types: fc.uniqueArray(fc.integer({ min: 96, max: 127 }), { minLength: 8, maxLength: 8 }),
    codecs: fc.shuffledSubarray(['H264', 'VP8', 'VP9', 'AV1'], { minLength: 1 }),
    rtx: fc.boolean(),
    feedback: fc.subarray(['nack', 'nack pli', 'ccm fir', 'goog-remb', 'transport-cc']),
    extensions: fc.uniqueArray(fc.integer({ min: 1, max: 14 }), { minLength: 4, maxLength: 4 }),
    reduced: fc.boolean(),
    videoFirst: fc.boolean(),
    channel: fc.boolean(),
  })
  .map((choice) => ({ ...choice, lines: (direction: string) => offerLines(choice, direction) }));

interface Choice {
  readonly protocol: string;
  readonly setup: string;
  readonly mids: readonly string[];
  readonly types: readonly number[];
  readonly codecs: readonly string[];
  readonly rtx: boolean;
  readonly feedback: readonly string[];
  readonly extensions: readonly number[];
  readonly reduced: boolean;
  readonly videoFirst: boolean;
  readonly channel: boolean;
}

function offerLines(choice: Choice, direction: string): string {
  const { protocol, setup, mids, types, codecs, rtx, feedback, extensions, reduced } = choice;
  const common = (mid: string) => [
    ...TRANSPORT.map((line) => line.replace('actpass', setup)),
    ...[`a=mid:${mid}`, `a=${direction}`, 'a=rtcp-mux', ...(reduced ? ['a=rtcp-rsize'] : [])],
    `a=extmap:${extensions[0]} urn:ietf:params:rtp-hdrext:sdes:mid`,
  ];
  const audio = [`m=audio 9 ${protocol} 111`, ...common(mids[0]!), 'a=rtpmap:111 opus/48000/2'];
  const used = codecs.flatMap((_, at) => (rtx ? [types[2 * at], types[2 * at + 1]] : [types[2 * at]]));
  const video = [
    ...[`m=video 9 ${protocol} ${used.join(' ')}`, ...common(mids[1]!)],
    `a=extmap:${extensions[1]} http://www.webrtc.org/experiments/rtp-hdrext/playout-delay`,
    `a=extmap:${extensions[2]} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01`,
    `a=extmap:${extensions[3]} urn:3gpp:video-orientation`,
    ...codecs.flatMap((codec, at) => [
      `a=rtpmap:${types[2 * at]} ${codec}/90000`,
      ...(codec === 'H264' ? [`a=fmtp:${types[2 * at]} packetization-mode=1;profile-level-id=42e01f`] : []),
      ...feedback.map((kind) => `a=rtcp-fb:${types[2 * at]} ${kind}`),
      ...(rtx ? [`a=rtpmap:${types[2 * at + 1]} rtx/90000`, `a=fmtp:${types[2 * at + 1]} apt=${types[2 * at]}`] : []),
    ]),
  ];
  const channel = choice.channel ? ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mid:data.channel'] : [];
  const session = SESSION.map((line) => line.replace('BUNDLE 0 1', `BUNDLE ${mids.join(' ')} data.channel`));
  return sdp(session, ...(choice.videoFirst ? [video, audio] : [audio, video]), channel);
}

/** What a section of ours says, as the client understands it. */
function saysWhatWasAgreed(agreement: Agreement): void {
  const { sections } = readDescription(writeAnswer(agreement, LOCAL, ORIGIN, SENT));
  assert.equal(sections.length, agreement.sections.length);
  for (const [at, { remote, media, direction }] of agreement.sections.entries()) {
    const said = sections[at]!;
    assert.deepEqual([said.kind, said.mid, said.protocol], [remote.kind, remote.mid, remote.protocol]);
    assert.equal(said.off, media === undefined);
    if (media === undefined) continue;
    assert.equal(said.direction, direction);
    assert.deepEqual([said.rtcpMux, said.rtcpReducedSize], [true, remote.rtcpReducedSize]);
    assert.deepEqual(said.transport, {
      ufrag: LOCAL.credentials.ufrag,
      password: LOCAL.credentials.password,
      fingerprints: [`sha-256 ${LOCAL.fingerprint}`],
      setup: agreement.transport.role === 'server' ? 'passive' : 'active',
    });
    assert.deepEqual(payloadTypes(said.formats.map(({ payloadType }) => payloadType)), payloadTypes(typesOf(media)));
    for (const codec of media.codecs) {
      const format = said.formats.find(({ payloadType }) => payloadType === codec.payloadType)!;
      assert.deepEqual([format.clockRate, format.feedback], [codec.clockRate, codec.feedback]);
      for (const [name, value] of codec.parameters) assert.equal(format.parameters.get(name), value);
    }
    const ids = Object.values(media.extensions).filter((id) => id !== undefined);
    assert.deepEqual(said.extensions.map(({ id }) => id).sort(), ids.sort());
    const sent = direction === 'sendonly' ? SENT[media.kind] : undefined;
    const rtx = media.codecs[0]!.rtx === undefined ? undefined : sent?.rtx;
    assert.deepEqual(said.sources, sent === undefined ? [] : [{ ssrc: sent.ssrc, rtx }]);
  }
}

function typesOf({ codecs }: RtpMedia): readonly number[] {
  return codecs.flatMap(({ payloadType, rtx }) => (rtx === undefined ? [payloadType] : [payloadType, rtx]));
}

function payloadTypes(types: readonly number[]): string {
  return types.join(' ');
}

test('an answer, read back, says what was agreed', () => {
  fc.assert(
    fc.property(OFFER, fc.constantFrom('sendonly', 'sendrecv'), ({ lines }, direction) => {
      const agreement = negotiatePublish(readDescription(lines(direction)));
      assert.equal(agreement.negotiated.audio?.codecs.length, 1);
      saysWhatWasAgreed(agreement);
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(OFFER, fc.constantFrom('h264', 'vp8', 'vp9', 'av1'), ({ lines, codecs }, codec) => {
      const wanted: Wanted = { video: { codec }, audio: { codec: 'opus' } };
      const offer = readDescription(lines('recvonly'));
      if (!codecs.includes(codec.toUpperCase())) {
        assert.throws(() => negotiatePlay(offer, wanted), RefusedError);
        return;
      }
      const agreement = negotiatePlay(offer, wanted);
      assert.deepEqual(
        agreement.negotiated.video?.codecs.map((each) => each.codec),
        [codec],
      );
      saysWhatWasAgreed(agreement);
    }),
    { numRuns: 300 },
  );
});

test('every payload type that we take stays in the answer: H.264 in front, else in the order of the client', () => {
  fc.assert(
    fc.property(OFFER, ({ lines, codecs, types, rtx }) => {
      const { video } = negotiatePublish(readDescription(lines('sendonly'))).negotiated;
      assert.deepEqual(
        video?.codecs.map(({ codec, payloadType, rtx: repeats }) => [codec.toUpperCase(), payloadType, repeats]),
        codecs
          .map((codec, at) => [codec, types[2 * at], rtx ? types[2 * at + 1] : undefined] as const)
          .sort(([one], [other]) => Number(other === 'H264') - Number(one === 'H264')),
      );
    }),
    { numRuns: 200 },
  );
});
