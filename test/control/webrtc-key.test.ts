import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { keyOpens } from '../../src/control/webrtc-key.ts';
import { runPhp } from '../helpers/php.ts';

const WEB_KEY = 'p@ss w/ü+1';
const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const publishKey = (user: number | string, channel: number | string) => md5(`vw${WEB_KEY}${user}${channel}`);
const playKey = (channel: number | string) => md5(`vw${WEB_KEY}${channel}`);

const opens = (doing: 'publish' | 'play', query: string, key: string, webKey = WEB_KEY) =>
  keyOpens(webKey, { name: 'bob', query, doing }, key);

describe('the key of a WebRTC client', () => {
  it('opens what it was made for', () => {
    assert.ok(opens('publish', 'channel_id=4&userID=2', publishKey(2, 4)));
    assert.ok(opens('play', 'channel_id=4', playKey(4)));
    assert.ok(opens('play', 'channel_id=4&userID=9', playKey(4)), 'whoever plays');
    assert.ok(opens('play', 'channel_id=4&userID=2', publishKey(2, 4)), 'who may publish may watch');
    assert.ok(opens('publish', 'channel_id=4&userID=2', publishKey(2, 4).toUpperCase()));
  });

  it('opens nothing else', () => {
    assert.ok(!opens('publish', 'channel_id=4&userID=2', playKey(4)), 'a key to play');
    assert.ok(!opens('publish', 'channel_id=5&userID=2', publishKey(2, 4)), 'another channel');
    assert.ok(!opens('publish', 'channel_id=4&userID=3', publishKey(2, 4)), 'another user');
    assert.ok(!opens('play', 'channel_id=5', playKey(4)));
    assert.ok(!opens('play', '', playKey('')));
    assert.ok(!opens('publish', 'channel_id=4', publishKey('', 4)), 'a key to play in the place of one to publish');
    assert.ok(!opens('publish', 'channel_id=4&userID=', publishKey('', 4)));
  });

  it('is asked for whatever `transcoding` says', () => {
    assert.ok(!opens('publish', 'channel_id=4&userID=2&transcoding=1', ''));
    assert.ok(!opens('publish', 'channel_id=4&userID=0&transcoding=1', playKey(4)));
    assert.ok(opens('publish', 'channel_id=4&userID=2&transcoding=1', publishKey(2, 4)));
  });

  it('is compared whole', () => {
    const key = publishKey(2, 4);
    for (let at = 0; at < 32; at++) {
      const wrong = `${key.slice(0, at)}${key[at] === '0' ? '1' : '0'}${key.slice(at + 1)}`;
      assert.ok(!opens('publish', 'channel_id=4&userID=2', wrong), `digit ${at}`);
    }
    for (const wrong of ['', key.slice(1), `${key}0`, `0${key}`, ` ${key.slice(1)}`, 'é'.repeat(16), '\0'.repeat(32)]) {
      assert.ok(!opens('publish', 'channel_id=4&userID=2', wrong), JSON.stringify(wrong));
    }
  });

  it('needs numbers as PHP writes them, which all sites read alike', async () => {
    const odd = ['04', '+4', '-4', ' 4', '4 ', '4abc', '4.0', '4e0', '0x4', '%00', '99999999999999999999', '٤', 'true'];
    for (const channel of odd) {
      assert.ok(!opens('play', `channel_id=${channel}`, playKey(channel)), channel);
      assert.ok(!opens('publish', `channel_id=4&userID=${channel}`, publishKey(channel, 4)), channel);
    }
    const fine = ['0', '4', '2147483648', '999999999999999999'];
    for (const channel of fine) assert.ok(opens('play', `channel_id=${channel}`, playKey(channel)), channel);
    const kept = `foreach (json_decode(stream_get_contents(STDIN)) as $n) $out[] = (string)(int)$n; echo json_encode($out);`;
    assert.deepEqual(JSON.parse(String(await runPhp(kept, JSON.stringify(fine)))), fine);
  });

  it('is what PHP makes of the same values', async () => {
    const program = `echo md5("vw" . ${JSON.stringify(WEB_KEY)} . 2 . 4);`;
    assert.equal(String(await runPhp(program)), publishKey(2, 4));
  });

  it('opens nothing where there is no webKey', () => {
    assert.ok(!opens('play', 'channel_id=4', md5('vw4'), ''));
  });

  it('is compared in constant time, and by nothing else', () => {
    const source = readFileSync(new URL('../../src/control/webrtc-key.ts', import.meta.url), 'utf8');
    assert.equal(source.match(/timingSafeEqual\(given/g)?.length, 2);
    assert.doesNotMatch(source, /given\s*===|key\s*===|\.equals\(/);
  });
});
