/** The answer to a webStatus report. Orders come only out of the two lists, and their texts can be shown. */
import assert from 'node:assert/strict';
import { readStatusReply } from '../../../src/control/status-reply.ts';
import type { FuzzTarget } from '../target.ts';

export const target: FuzzTarget = {
  name: 'status-reply',
  run(bytes) {
    const reply = readStatusReply(bytes);
    if (reply.kind !== 'orders') return;
    assert.ok(bytes.includes('controlUsers=') || bytes.includes('controlSessions='));
    for (const { disconnect } of [...reply.users, ...reply.sessions]) assert.match(disconnect, /^\P{Cc}{1,256}$/u);
  },
};
