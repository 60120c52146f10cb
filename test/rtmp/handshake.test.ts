import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  ClientHandshake,
  DIGEST_POINTERS,
  digestOf,
  isSignedAnswer,
  ServerHandshake,
} from '../../src/rtmp/handshake.ts';
import { readCorpus } from '../fuzz/target.ts';

const PART = 1536;
const refused = { name: 'PeerError', code: 'rtmp/handshake' };

const captured = (who: string): Buffer => readCorpus('handshake').find(({ file }) => file.startsWith(who))!.bytes;

/** S0, S1 and S2, or C0, C1 and C2. */
function parts(bytes: Buffer) {
  return { version: bytes[0], first: bytes.subarray(1, 1 + PART), second: bytes.subarray(1 + PART) };
}

/** Both sides, until both are done. */
function shake(client: ClientHandshake) {
  const server = new ServerHandshake(randomBytes);
  const opening = client.begin();
  assert.equal(opening.length, 1 + PART);
  const answer = server.feed(opening);
  assert.equal(answer.done, false);
  assert.equal(answer.reply?.length, 1 + 2 * PART);
  const last = client.feed(Buffer.concat([answer.reply, Buffer.from('to the client')]));
  assert.equal(last.done, true);
  assert.equal(last.rest.toString(), 'to the client');
  assert.equal(last.reply?.length, PART);
  const end = server.feed(Buffer.concat([last.reply, Buffer.from('to the server')]));
  assert.deepEqual({ ...end, rest: end.rest.toString() }, { done: true, rest: 'to the server' });
  return { c1: opening.subarray(1), ...parts(answer.reply), c2: last.reply };
}

test('simple: each side sends back what the other opened with', () => {
  const { version, c1, first: s1, second: s2, c2 } = shake(new ClientHandshake(randomBytes, 'simple'));
  assert.equal(version, 3);
  assert.deepEqual(s2, c1);
  assert.deepEqual(c2, s1);
  assert.deepEqual(s1.subarray(0, 8), Buffer.alloc(8), 'time and version are 0');
});

for (const pointer of DIGEST_POINTERS) {
  test(`digest behind byte ${pointer}: each side signs what the other sent`, () => {
    const { c1, first: s1, second: s2, c2 } = shake(new ClientHandshake(randomBytes, 'digest', pointer));
    assert.ok(isSignedAnswer(s2, 'server', digestOf(c1, pointer)));
    assert.ok(isSignedAnswer(c2, 'client', digestOf(s1, pointer)));
    assert.ok(s1[4]! >= 3, 'ffmpeg looks for a digest from version 3 on');
    assert.notDeepEqual(s2, c1);
  });
}

/** The digest of a client, made here once more, where the four bytes before `from` point to. */
function clientDigest(c1: Buffer, from: number): { at: number; digest: Buffer } {
  const at = from + ((c1[from - 4]! + c1[from - 3]! + c1[from - 2]! + c1[from - 1]!) % 728);
  const hmac = createHmac('sha256', 'Genuine Adobe Flash Player 001');
  return {
    at,
    digest: hmac
      .update(c1.subarray(0, at))
      .update(c1.subarray(at + 32))
      .digest(),
  };
}

test('the digest lies where four bytes point to, and covers everything else', () => {
  for (const pointer of DIGEST_POINTERS) {
    for (const fill of [0, 0x5a, 0xb5, 0xb6, 0xff]) {
      const client = new ClientHandshake((count) => Buffer.alloc(count, fill), 'digest', pointer);
      const c1 = client.begin().subarray(1);
      const { at, digest } = clientDigest(c1, pointer + 4);
      assert.deepEqual(c1.subarray(at, at + 32), digest);
      assert.deepEqual(digestOf(c1, pointer), digest);
    }
  }
});

test('version 0: the simple form, whatever the rest looks like', () => {
  const c1 = Buffer.concat([Buffer.alloc(8), randomBytes(PART - 8)]);
  const { at, digest } = clientDigest(c1, 12);
  digest.copy(c1, at);
  const { reply } = new ServerHandshake(randomBytes).feed(Buffer.concat([Buffer.of(3), c1]));
  assert.deepEqual(parts(reply!).second, c1);
});

test('digests at the last position still lie inside', () => {
  for (const pointer of DIGEST_POINTERS) {
    const high = (count: number) => Buffer.alloc(count, 0xb6); // 4 x 182 = 728, and then 4 x 181 + 3 = 727.
    const first = (count: number) => {
      const noise = high(count);
      if (count === PART - 8) noise[pointer - 8] = 0xb5;
      return noise;
    };
    const c1 = new ClientHandshake(first, 'digest', pointer).begin().subarray(1);
    const { reply } = new ServerHandshake(randomBytes).feed(Buffer.concat([Buffer.of(3), c1]));
    assert.ok(isSignedAnswer(parts(reply!).second, 'server', digestOf(c1, pointer)));
    assert.equal(digestOf(c1, pointer).length, 32);
  }
});

test('ffmpeg’s digest is recognised and answered with a signature', () => {
  for (const who of ['ffmpeg-5.1-publish', 'ffmpeg-5.1-play']) {
    const bytes = captured(who);
    const { reply, done, rest } = new ServerHandshake(randomBytes).feed(bytes);
    assert.equal(done, true);
    assert.equal(rest.length, bytes.length - 1 - 2 * PART);
    assert.ok(isSignedAnswer(parts(reply!).second, 'server', digestOf(parts(bytes).first, 8)));
  }
});

test('librtmp’s simple form is echoed', () => {
  const bytes = captured('rtmpdump');
  const { reply } = new ServerHandshake(randomBytes).feed(bytes);
  assert.deepEqual(parts(reply!).second, bytes.subarray(1, 1 + PART));
});

test('a version but no digest: the simple form', () => {
  const c1 = randomBytes(PART);
  c1.writeUInt32BE(0x09007c02, 4);
  const { reply } = new ServerHandshake(randomBytes).feed(Buffer.concat([Buffer.of(3), c1]));
  assert.deepEqual(parts(reply!).second, c1);
});

test('a client with digests takes a server that answers simply', () => {
  const s1 = Buffer.concat([Buffer.alloc(8), randomBytes(PART - 8)]);
  for (const version of [0, 4]) {
    s1[4] = version;
    const client = new ClientHandshake(randomBytes, 'digest');
    client.begin();
    const { reply, done } = client.feed(Buffer.concat([Buffer.of(3), s1, randomBytes(PART)]));
    assert.deepEqual(reply, s1);
    assert.ok(done);
  }
});

test('the server answers as soon as C1 is complete, and not before', () => {
  const server = new ServerHandshake(randomBytes);
  const opening = new ClientHandshake(randomBytes).begin();
  assert.deepEqual(server.feed(Buffer.alloc(0)), { done: false, rest: Buffer.alloc(0) });
  assert.equal(server.feed(opening.subarray(0, PART)).reply, undefined);
  assert.equal(server.feed(opening.subarray(PART)).reply?.length, 1 + 2 * PART);
});

test('C2 is counted, not looked at', () => {
  const server = new ServerHandshake(randomBytes);
  server.feed(new ClientHandshake(randomBytes).begin());
  assert.equal(server.feed(Buffer.alloc(PART - 1)).done, false);
  const { done, rest } = server.feed(Buffer.from('xy'));
  assert.equal(done, true);
  assert.equal(rest.toString(), 'y');
});

test('another version is refused at its first byte, and named', () => {
  for (const [byte, name] of [
    [6, /RTMPE/],
    [0, /version 0/],
    [0x16, /version 22/],
    [0x47, /version 71/],
  ] as const) {
    assert.throws(() => new ServerHandshake(randomBytes).feed(Buffer.of(byte)), { ...refused, message: name });
    assert.throws(() => new ClientHandshake(randomBytes).feed(Buffer.of(byte)), { ...refused, message: name });
  }
});

test('what the peer sent is not kept by reference', () => {
  const opening = new ClientHandshake(randomBytes, 'simple').begin();
  const copy = Buffer.from(opening);
  const { reply } = new ServerHandshake(randomBytes).feed(opening);
  opening.fill(0xee);
  assert.deepEqual(parts(reply!).second, copy.subarray(1));
});
