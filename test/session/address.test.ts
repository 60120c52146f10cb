import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError } from '../../src/base/errors.ts';
import { parseRtmpAddress, parseStreamName, phpUrlDecode, phpUrlEncode } from '../../src/session/address.ts';
import { runPhp } from '../helpers/php.ts';

const HOST = 'rtmp://media.example:1935';

/** tcUrl without the host, and what it says. */
const ADDRESSES: readonly (readonly [address: string, app: string, params: readonly string[]])[] = [
  ['/live', 'live', []],
  ['/live/', 'live', []],
  ['//live', 'live', []],
  ['/live/_definst_', 'live', []],
  ['/live/_definst_/', 'live', []],
  ['/live/room1', 'live/room1', []],
  ['/live//room1', 'live/room1', []],
  ['/videowhisper-x?', 'videowhisper-x', []],
  ['/vw?videowhisper', 'vw', []],
  ['/vw?bob&lobby&abc&1&7&videowhisper', 'vw', ['bob', 'lobby', 'abc', '1', '7']],
  ['/vw?bob&lobby&abc&1&7&videowhisper/', 'vw', ['bob', 'lobby', 'abc', '1', '7']],
  ['/vw?bob&lobby&abc&1&7&videowhisper/stream', 'vw', ['bob', 'lobby', 'abc', '1', '7']],
  ['/vw/_definst_?bob&lobby&abc&0&videowhisper//', 'vw', ['bob', 'lobby', 'abc', '0']],
  ['/vw?My+Channel&My%20Room&k%2B', 'vw', ['My Channel', 'My Room', 'k+']],
  ['/vw?&lobby&abc&1&7&videowhisper', 'vw', ['lobby', 'lobby', 'abc', '1', '7']],
  ['/vw?-name-&lobby&abc&0&videowhisper', 'vw', ['-name-', 'lobby', 'abc', '0']],
  ['/vw?bob', 'vw', ['bob']],
  ['/vw?bob?x&lobby', 'vw', ['bob?x', 'lobby']],
  ['/vw?%C3%A9t%C3%A9&r', 'vw', ['été', 'r']],
  ['/my%20app?bob&r', 'my app', ['bob', 'r']],
  ['/vw?bob&lobby&&&', 'vw', ['bob', 'lobby', '', '', '']],
];

test('addresses are read from tcUrl, or from app where there is none', () => {
  for (const [address, app, params] of ADDRESSES) {
    const expected = { app, params };
    assert.deepEqual(parseRtmpAddress(HOST + address, 'other'), expected, address);
    assert.deepEqual(parseRtmpAddress(undefined, address.replace(/^\/+/, '')), expected, address);
  }
});

test('a host may be anything', () => {
  for (const host of ['rtmp://[2001:db8::1]:1935', 'rtmps://a', 'RTMPT://a:80', 'rtmp://', 'rtmp://u:p@h']) {
    assert.equal(parseRtmpAddress(`${host}/live?a&b`, 'x').app, 'live', host);
  }
});

test('app fills what tcUrl lacks', () => {
  assert.equal(parseRtmpAddress('', 'live').app, 'live');
  assert.equal(parseRtmpAddress(HOST, 'live').app, 'live');
  assert.equal(parseRtmpAddress(`${HOST}/`, 'live').app, 'live');
  assert.equal(parseRtmpAddress('live', 'live').app, 'live');
  assert.deepEqual(parseRtmpAddress(`${HOST}/live`, 'live?bob&lobby').params, ['bob', 'lobby']);
  assert.deepEqual(parseRtmpAddress(`${HOST}/live?eve&lobby`, 'live?bob&lobby').params, ['eve', 'lobby']);
});

test('what cannot be a name is refused, in words that repeat nothing of it', () => {
  const queries = [
    'a<b&r',
    'a%255Cb&r',
    's&a%250Ab',
    `${'x'.repeat(65)}&r`,
    `s&${'%C3%A9'.repeat(33)}`,
    's&%FF',
    's%00&r',
  ];
  const paths = [
    '',
    '/',
    '/..',
    '/live/../x',
    '/a%3Cb',
    `/${'a'.repeat(65)}`,
    '/_definst_',
    `/live?${'&'.repeat(16)}x`,
  ];
  const addresses = [
    ...queries.map((query) => `/live?${query}`),
    ...paths,
    `/live?s&r&${'k'.repeat(257)}`,
    `/${'?'.repeat(5_000)}`,
  ];
  for (const address of addresses) {
    assert.throws(
      () => parseRtmpAddress(HOST + address, undefined),
      (error) => error instanceof RefusedError && error.code === 'access/name' && /^[\w .]+$/.test(error.message),
      address,
    );
  }
});

test('stream names lose their query, their kind and outer slashes', () => {
  const cases = [
    ['stream', 'stream', ''],
    ['/stream/', 'stream', ''],
    ['a/b', 'a/b', ''],
    ['chan?channel_id=4&userID=2&key=k', 'chan', 'channel_id=4&userID=2&key=k'],
    ['chan?a?b', 'chan', 'a?b'],
    ['mp4:chan', 'chan', ''],
    ['FLV:chan', 'chan', ''],
    ['mp4:dir/chan.mp4', 'dir/chan.mp4', ''],
    ['a:b', 'a:b', ''],
    ['my%20stream', 'my stream', ''],
    ['a+b', 'a+b', ''],
    ['100%', '100%', ''],
  ] as const;
  for (const [text, name, query] of cases) assert.deepEqual(parseStreamName(text), { name, query }, text);
});

test('stream names that would leave their place are refused', () => {
  const hostile = [
    '',
    '?key=1',
    '..',
    'a/../b',
    './a',
    'a\\b',
    '%2e%2e/x',
    'a%00',
    'a<b',
    'x'.repeat(65),
    `a?${'q'.repeat(1_025)}`,
  ];
  for (const name of hostile) assert.throws(() => parseStreamName(name), RefusedError, JSON.stringify(name));
});

test('urlencode and urldecode are those of PHP', async () => {
  const characters = Array.from({ length: 0x180 }, (_, code) => String.fromCodePoint(code));
  const texts = [
    ...characters,
    'a b',
    '日本語',
    '🎥',
    '%',
    '%4',
    '%zz',
    '%41%',
    '+%2B+',
    '100%25',
    '%C3%A9%c3%a9',
    'a%2',
  ];
  const program = `foreach (json_decode(stream_get_contents(STDIN)) as $t) $out[] = [urlencode($t), urldecode($t)]; echo json_encode($out);`;
  const answers = JSON.parse(String(await runPhp(program, JSON.stringify(texts)))) as [string, string][];
  for (const [index, text] of texts.entries()) {
    assert.deepEqual([phpUrlEncode(text), phpUrlDecode(text)], answers[index], JSON.stringify(text));
  }
});

test('bytes that are no UTF-8 become the mark that no name may hold', () => {
  assert.equal(phpUrlDecode('caf%E9+%41'), 'caf\ufffd A');
  assert.equal(phpUrlEncode('\ud800'), '%EF%BF%BD');
});
