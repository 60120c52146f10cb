/** The answer to a webLogin, under the strictest rules. Without its two words there is no yes. */
import assert from 'node:assert/strict';
import { readLoginReply } from '../../../src/control/web-login.ts';
import type { FuzzTarget } from '../target.ts';

const RULES = { webKey: 'a key of ours', webKeyCheck: 'require', acceptVerified: true } as const;

export const target: FuzzTarget = {
  name: 'login-reply',
  run(bytes) {
    const reply = readLoginReply(bytes.toString(), RULES);
    if (reply.accepted) assert.ok(bytes.includes('login=') && bytes.includes('webKey='));
  },
};
