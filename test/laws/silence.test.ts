/** Silence: between a question and its answer an engine yields nothing and says nothing, whatever comes and however it is cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MESSAGE } from '../../src/rtmp/messages.ts';
import { CONNECT, commandBytes, Dialogue, messageBytes } from '../helpers/dialogue.ts';
import { avcBody } from '../helpers/frames.ts';

/** Everything that a client might send after its question, answers wanted or not. */
const MESSAGES: readonly Buffer[] = [
  commandBytes(0, ['createStream', 2, null]),
  commandBytes(0, ['_checkbw', 3, null]),
  commandBytes(0, ['constructor', 4, null]),
  commandBytes(1, ['pause', 0, null, true, 0]),
  commandBytes(1, ['closeStream', 0, null]),
  messageBytes(MESSAGE.Video, 1, avcBody('key', 500)),
  messageBytes(MESSAGE.UserControl, 0, Buffer.from([0, 6, 0, 0, 0, 1]), 0, 2),
  messageBytes(MESSAGE.WindowAckSize, 0, Buffer.from([0, 0, 4, 0]), 0, 2),
];

/** Engines with a question open. */
const QUESTIONS: Readonly<Record<string, () => Dialogue>> = {
  connect() {
    const dialogue = new Dialogue();
    dialogue.command(0, 'connect', 1, CONNECT);
    return dialogue;
  },
  publish() {
    const dialogue = Dialogue.on1();
    dialogue.command(1, 'publish', 3, null, 'a');
    return dialogue;
  },
  play() {
    const dialogue = Dialogue.on1();
    dialogue.command(1, 'play', 3, null, 'a');
    return dialogue;
  },
};

const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 10 });

/** All that happens once the question is answered, in order. */
function outcome(dialogue: Dialogue): unknown {
  dialogue.engine.accept(dialogue.question(), 'a');
  const events = dialogue.pull().map((event) => (event.type === 'media' ? event.message : event));
  return { events, answers: dialogue.answers() };
}

for (const [asked, open] of Object.entries(QUESTIONS)) {
  test(`after ${asked} nothing is heard until it is answered, then everything in order`, () => {
    const bytes = fc.array(fc.constantFrom(...MESSAGES), { maxLength: 12 }).map((all) => Buffer.concat(all));
    fc.assert(
      fc.property(bytes, cuts, (bytes, cuts) => {
        const dialogue = open();
        const heard = dialogue.events.length;
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const piece = Buffer.from(bytes.subarray(at, at + cuts[i % cuts.length]!));
          at += piece.length;
          assert.deepEqual(dialogue.bytes(piece), []);
          piece.fill(0xee);
        }
        assert.equal(dialogue.events.length, heard);
        const whole = open();
        if (bytes.length > 0) whole.engine.feed(Buffer.from(bytes));
        assert.deepEqual(outcome(dialogue), outcome(whole));
      }),
      { numRuns: 150 },
    );
  });
}
