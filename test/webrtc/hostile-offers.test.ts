/**
 * Offers that break others: each has an answer, or a refusal with words.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError } from '../../src/base/errors.ts';
import { writeAnswer } from '../../src/webrtc/local-description.ts';
import { negotiatePublish } from '../../src/webrtc/negotiation.ts';
import { readDescription } from '../../src/webrtc/remote-description.ts';
import { ANSWERED, HOSTILE_OFFERS } from '../helpers/hostile-offers.ts';
import { LOCAL, ORIGIN } from '../helpers/sdp.ts';

test('each is answered, or refused in words', () => {
  assert.ok(HOSTILE_OFFERS.length >= 100);
  assert.equal(new Set(HOSTILE_OFFERS.map(([what]) => what)).size, HOSTILE_OFFERS.length);
  for (const [what, offer, outcome, words] of HOSTILE_OFFERS) {
    let became: string;
    try {
      const agreement = negotiatePublish(readDescription(offer));
      const answer = writeAnswer(agreement, LOCAL, ORIGIN);
      // what we write can be read, and has a place for each of the client's sections
      assert.equal(readDescription(answer).sections.length, agreement.sections.length, what);
      became = ANSWERED;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw new Error(what, { cause: error });
      became = error.code;
      assert.match(error.message, words ?? /./, what);
      assert.ok(error.message.length < 300, `${what}: ${error.message.length} characters`);
      assert.doesNotMatch(error.message, /abcdefghij/, `${what}: no password in the words`);
    }
    assert.equal(became, outcome, what);
  }
});
