/** What a client signals: an offer to publish or to play, an answer to an offer of ours, a fragment. What we write to it can be read. */
import assert from 'node:assert/strict';
import { RefusedError } from '../../../src/base/errors.ts';
import { writeAnswer } from '../../../src/webrtc/local-description.ts';
import { type Agreement, negotiateAnswer, negotiatePlay, negotiatePublish } from '../../../src/webrtc/negotiation.ts';
import { offerFor } from '../../../src/webrtc/play-offer.ts';
import { readDescription } from '../../../src/webrtc/remote-description.ts';
import { readFragment, writeFragment } from '../../../src/webrtc/sdp-fragment.ts';
import { MAX_TEXT } from '../../../src/webrtc/sdp-lines.ts';
import { LOCAL, ORIGIN, SENT } from '../../helpers/sdp.ts';
import type { FuzzTarget } from '../target.ts';

const STREAM = { video: { codec: 'h264', profile: '640028' }, audio: { codec: 'opus' } } as const;
const OFFERED = offerFor(STREAM);
/** Of an answer, beyond what the offer said: our side of each section. */
const OWN_WORDS = 16 << 10;

export const target: FuzzTarget = {
  name: 'sdp',
  run(bytes) {
    const text = bytes.toString();
    unlessRefused(() => readFragment(text));
    const remote = unlessRefused(() => readDescription(text));
    if (remote === undefined) return;
    look(unlessRefused(() => negotiatePublish(remote)));
    look(unlessRefused(() => negotiatePlay(remote, STREAM)));
    look(unlessRefused(() => negotiateAnswer(remote, OFFERED)));
  },
};

function look(agreement: Agreement | undefined): void {
  if (agreement === undefined) return;
  const { negotiated, sections, transport } = agreement;
  const answer = writeAnswer(agreement, LOCAL, ORIGIN, SENT);
  assert.ok(answer.length < 2 * MAX_TEXT + OWN_WORDS, `${answer.length} characters answered`);
  assert.ok(readFragment(writeFragment(agreement, LOCAL)).endOfCandidates);
  assert.ok(transport.fingerprints.length > 0);
  for (const media of [negotiated.audio, negotiated.video]) {
    assert.ok(media === undefined || media.codecs.length > 0);
  }
  // an answer may be longer than what we read from others
  const again = unlessRefused(() => readDescription(answer));
  if (again === undefined)
    assert.ok(answer.length > MAX_TEXT || answer.split('\n').some((line) => line.length > 4_000));
  else
    assert.deepEqual(
      again.sections.map(({ kind }) => kind),
      sections.map(({ remote }) => remote.kind),
    );
}

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}
