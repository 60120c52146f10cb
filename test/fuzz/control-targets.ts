/**
 * What a hostile web site or client can feed to the readers of session control. Each target takes any bytes and throws only when castgate
 * is at fault, or when a doubtful text was taken for a yes or an order.
 */
import assert from 'node:assert/strict';
import { PeerError, RefusedError } from '../../src/base/errors.ts';
import { phpSerialize, readPhpValue } from '../../src/control/php.ts';
import { readStatusReply } from '../../src/control/status-reply.ts';
import { readLoginReply } from '../../src/control/web-login.ts';
import { parseRtmpAddress, parseStreamName } from '../../src/session/address.ts';
import { isSafeName } from '../../src/session/safe-text.ts';

export function phpValue(bytes: Buffer): void {
  try {
    const { value, end } = readPhpValue(bytes);
    assert.ok(end <= bytes.length);
    const again = phpSerialize(value);
    assert.equal(phpSerialize(readPhpValue(again).value), again);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
  }
}

export function statusReply(bytes: Buffer): void {
  const reply = readStatusReply(bytes);
  if (reply.kind !== 'orders') return;
  for (const order of [...reply.users, ...reply.sessions]) {
    assert.ok(order.disconnect !== '' && order.disconnect.length <= 256 && !/\p{Cc}/u.test(order.disconnect));
  }
  assert.ok(bytes.includes('controlUsers=') || bytes.includes('controlSessions='));
}

export function loginReply(bytes: Buffer): void {
  const rules = { webKey: 'a key of ours', webKeyCheck: 'require', acceptVerified: true } as const;
  const reply = readLoginReply(bytes.toString(), rules);
  if (reply.accepted) assert.ok(bytes.includes('login=') && bytes.includes('webKey='));
}

export function address(bytes: Buffer): void {
  const text = bytes.toString();
  try {
    const { app, params } = parseRtmpAddress(text, text);
    assert.ok(isSafeName(app));
    for (const name of params.slice(0, 2)) assert.ok(name === '' || isSafeName(name));
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  }
}

export function streamName(bytes: Buffer): void {
  try {
    const { name } = parseStreamName(bytes.toString());
    assert.ok(isSafeName(name) && !name.split('/').includes('..'));
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
  }
}

/** By name, each with texts to start from. */
export const CONTROL_TARGETS: ReadonlyMap<
  string,
  { readonly run: (bytes: Buffer) => void; readonly seeds: readonly string[] }
> = new Map([
  [
    'php-value',
    { run: phpValue, seeds: ['a:2:{i:0;s:3:"bob";s:1:"x";a:1:{i:1;d:0.5;}}', 'b:1;', 'N;', 'i:-5;', 's:2:"é";'] },
  ],
  [
    'status-reply',
    {
      run: statusReply,
      seeds: [
        'VideoWhisper=1&usersCount=1&amp;controlUsers=a:1:{s:3:"bob";a:2:{s:10:"disconnect";s:5:"a &gt; b";s:7:"session";s:3:"bob";}}&amp;controlSessions=a:1:{i:7;a:1:{s:10:"disconnect";s:3:"bye";}}\t',
        'controlUsers=a%3A1%3A%7Bi%3A7%3Ba%3A1%3A%7Bs%3A10%3A%22disconnect%22%3Bs%3A3%3A%22bye%22%3B%7D%7D',
        'VideoWhisper=1&denied=NotFromAllowedIP-192.0.2.1',
      ],
    },
  ],
  [
    'login-reply',
    {
      run: loginReply,
      seeds: [
        '<br /><b>Warning</b>\nVideoWhisper=1&login=1&webKey=a+key+of+ours&canKick=0&role=1\t',
        'login=0&verified=1',
      ],
    },
  ],
  ['address', { run: address, seeds: ['rtmp://host:1935/app/_definst_?My+Channel&room&key&1&7&videowhisper/'] }],
  ['stream-name', { run: streamName, seeds: ['mp4:dir/chan%20nel?channel_id=4&key=k'] }],
]);
