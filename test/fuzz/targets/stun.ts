/**
 * A datagram at the media port. Nothing is thrown, nothing is answered or handed on unless it was signed with a session's password,
 * and what is answered is not much larger than what was asked.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { hasIntegrity, readStun, StunKey } from '../../../src/webrtc/stun.ts';
import { FakeRemote, IceTown } from '../../helpers/ice-town.ts';
import { checkOf } from '../../helpers/stun-client.ts';
import type { FuzzTarget } from '../target.ts';

/** The corpus is signed for a session with these, which so must be the same each time. */
export const RANDOM = (count: number) => Buffer.alloc(count, 'castgate');
const MAX_GROWTH = 1.5;
const HEADER_BYTES = 20;
const MAX_SIGNED = 1_400;

export const target: FuzzTarget = {
  name: 'stun',
  run(bytes) {
    meets(bytes);
    if (bytes.length >= HEADER_BYTES) meets(signed(bytes));
  },
};

/** As a client of the session would send these attributes, whatever they are. */
function signed(bytes: Buffer): Buffer {
  const length = Math.min(bytes.length & ~3, MAX_SIGNED);
  const message = Buffer.concat([bytes.subarray(0, length), Buffer.from('00080014', 'hex'), Buffer.alloc(20)]);
  message.writeUInt16BE(message.length - HEADER_BYTES, 2);
  message.writeUInt32BE(0x2112a442, 4);
  const password = RANDOM(24).toString('base64');
  createHmac('sha1', password)
    .update(message.subarray(0, length))
    .digest()
    .copy(message, length + 4);
  return message;
}

function meets(bytes: Buffer): void {
  const town = new IceTown(RANDOM);
  const told = town.open('unknown');
  const key = new StunKey(told.session.local.password);
  const message = readStun(bytes);
  const valid = message !== undefined && hasIntegrity(message, key);
  const remote = new FakeRemote();
  town.receive(bytes, remote);
  town.receive(bytes, remote);
  const answered = remote.sent.reduce((sum, answer) => sum + answer.length, 0);
  assert.ok(valid || (remote.sent.length === 0 && remote.owner === undefined), 'answered without integrity');
  assert.ok(answered <= 2 * MAX_GROWTH * bytes.length, `${answered} bytes for ${bytes.length}, twice`);
  assert.deepEqual(told.datagrams, []);
  // and with a client that is there
  const client = new FakeRemote(40_002);
  town.receive(checkOf(told.session.local, { nominate: true }), client);
  town.receive(bytes, client);
  assert.equal(told.lost, 0);
  town.pass(60_000);
  assert.equal(town.agent.open, 0);
}
