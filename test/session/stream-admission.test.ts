import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError } from '../../src/base/errors.ts';
import { readStreamQuery, type StreamRequest, streamAdmission } from '../../src/session/stream-admission.ts';

const request = (differences: Partial<StreamRequest> = {}): StreamRequest => ({
  app: 'live',
  stream: 'bob',
  query: 'channel_id=4&userID=2&key=K&ip=2001%3Adb8%3A%3A1&transcoding=0',
  ip: '192.0.2.7',
  ...differences,
});

test('what stands in the query comes in the order of an RTMP address', () => {
  const query = 'channel_id=4&userID=2&key=K&ip=2001%3Adb8%3A%3A1&transcoding=0';
  assert.deepEqual(streamAdmission(request(), 'publish'), {
    transport: 'webrtc',
    app: 'live',
    ip: '192.0.2.7',
    params: ['bob', 'bob', 'K', '1', '2'],
    stream: { name: 'bob', query, doing: 'publish' },
  });
  const { params } = streamAdmission(request({ query: 'room=My+R%C3%B8om&key=%41' }), 'play');
  assert.deepEqual(params, ['bob', 'My Røom', 'A', '0', '']);
  assert.deepEqual(streamAdmission(request({ query: '' }), 'play').params, ['bob', 'bob', '', '0', '']);
});

test('a token stands in for a key that is missing, and goes on as one', () => {
  const admission = streamAdmission(request({ query: 'channel_id=4', token: 'a b+' }), 'play');
  assert.equal(admission.params[2], 'a b+');
  assert.equal(admission.stream.query, 'channel_id=4&key=a+b%2B');
  assert.equal(readStreamQuery(admission.stream.query).get('key'), 'a b+');
  assert.equal(streamAdmission(request({ query: 'key=', token: 'T' }), 'play').stream.query, 'key=&key=T');
  assert.equal(streamAdmission(request({ query: '', token: 'T' }), 'play').stream.query, 'key=T');
  assert.equal(streamAdmission(request({ token: 'T' }), 'play').params[2], 'K');
});

/** A query, and what is read out of it. */
const QUERIES: readonly (readonly [query: string, values: Record<string, string>])[] = [
  ['', {}],
  ['key', {}],
  ['=key', {}],
  ['key=', { key: '' }],
  ['key=a=b', { key: 'a=b' }],
  ['key=1&key=2', { key: '2' }],
  ['key=a%26userID%3D1', { key: 'a&userID=1' }],
  ['k%65y=1&Key=2&key[]=3&__proto__=4&constructor=5&ip=6', {}],
  ['room=100%&userID=%zz', { room: '100%', userID: '%zz' }],
  ['?channel_id=4', {}],
];

test('fields are known by their names to the letter, and the last one counts', () => {
  for (const [query, values] of QUERIES) assert.deepEqual(Object.fromEntries(readStreamQuery(query)), values, query);
});

test('what is too long is refused in words that do not repeat it', () => {
  const long = [
    request({ query: `key=${'k'.repeat(1_021)}` }),
    request({ token: 't'.repeat(1_025) }),
    request({ query: `room=${'r'.repeat(257)}` }),
    request({ query: `userID=${'9'.repeat(257)}` }),
  ];
  for (const each of long) {
    assert.throws(
      () => streamAdmission(each, 'play'),
      (error) => error instanceof RefusedError && error.code === 'access/name' && error.message.length < 100,
    );
  }
  assert.ok(streamAdmission(request({ query: `key=${'k'.repeat(1_020)}`, token: 't'.repeat(1_024) }), 'play'));
});
