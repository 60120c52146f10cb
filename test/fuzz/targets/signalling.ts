/** What a WebRTC client calls and says: the target of a request, the query of a stream, a message on the socket. */
import assert from 'node:assert/strict';
import { RefusedError } from '../../../src/base/errors.ts';
import { safeStreamQuery } from '../../../src/control/web-status.ts';
import { isSafeName } from '../../../src/session/safe-text.ts';
import { streamAdmission } from '../../../src/session/stream-admission.ts';
import { findTarget, targetNames } from '../../../src/webrtc/whip-target.ts';
import { object, readMessage, text } from '../../../src/webrtc/wowza-caller.ts';
import type { FuzzTarget } from '../target.ts';

export const target: FuzzTarget = {
  name: 'signalling',
  run(bytes) {
    const raw = bytes.toString();
    unlessRefused(() => {
      const found = findTarget(raw);
      if (found === undefined) return;
      const { app, stream } = targetNames(found);
      assert.ok(isSafeName(app) && isSafeName(stream));
      const admission = streamAdmission({ app, stream, query: found.query, ip: '', token: 'T' }, 'publish');
      assert.notEqual(admission.params[2], '');
      assert.ok(!/%[\da-f]{2}/i.test(safeStreamQuery(admission.stream.query)));
    });
    unlessRefused(() => {
      const message = readMessage(raw);
      assert.equal(typeof text(object(message, 'streamInfo'), 'streamName'), 'string');
    });
  },
};

function unlessRefused(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  }
}
