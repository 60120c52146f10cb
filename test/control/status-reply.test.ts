import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_STATUS_ANSWER, type Order, readStatusReply } from '../../src/control/status-reply.ts';

const text = (value: string) => `s:${Buffer.byteLength(value)}:"${value}";`;
/** One entry as the vendor's scripts write it. */
const entry = (key: string, disconnect: string, session = key) =>
  `${key}a:6:{${text('disconnect')}${disconnect}${text('session')}${session}${text('dS')}i:0;${text('type')}N;${text('room')}s:1:"r";${text('username')}N;}`;
const list = (...entries: string[]) => `a:${entries.length}:{${entries.join('')}}`;

const BOB = entry(text('bob'), text('bye'));
const STAY = entry(text('eve'), text(''));
const ORDER: Order = { key: 'bob', session: 'bob', disconnect: 'bye' };
const USERS = list(BOB, STAY);
const HEAD = 'VideoWhisper=1&usersCount=2';
const WARNING = '<br />\n<b>Warning</b>:  Undefined variable $x in <b>/srv/plugin.php</b> on line <b>9</b><br />\n';

test('orders are found in every form that the known scripts give them', () => {
  const answers = [
    `${HEAD}&controlUsers=${USERS}&controlSessions=a:0:{}`,
    `${HEAD}&amp;controlUsers=${USERS}&amp;controlSessions=a:0:{}\n\t\t\t`,
    `${HEAD}&#038;controlUsers=${USERS}&#038;controlSessions=a:0:{}`,
    `${WARNING}${HEAD}&controlUsers=${USERS}&controlSessions=a:0:{}`,
    `${WARNING}controlUsers=${USERS}&controlSessions=a:0:{}${WARNING}`,
    `\ufeff\r\n${HEAD}&controlUsers=${USERS}\r\n&controlSessions=a:0:{}\r\n`,
    `controlUsers=${USERS}`,
    `\ufeffcontrolUsers=${USERS}`,
    `controlSessions=a:0:{}&controlUsers=${USERS}`,
    `controlUsers=${encodeURIComponent(USERS)}&controlSessions=${encodeURIComponent('a:0:{}')}`,
    `controlUsers=${encodeURIComponent(USERS).replace(/%../g, (code) => code.toLowerCase())}&amp;controlSessions=a%3a0%3a%7b%7d\t`,
    `controlUsers=${USERS.replaceAll('"', '&quot;')}&controlSessions=a:0:{}`,
    `controlUsers=${USERS.replaceAll('"', '&#034;')}`,
    `controlUsers=${USERS}&controlSessions=N;`,
    `controlUsers=${USERS}&controlSessions=b:0;`,
    `controlUsers=${USERS}&controlSessions=`,
    `controlUsers=${USERS.replace('s:3:"bye"', 's:9:"bye"')}&controlSessions=a:0:{}`,
    `controlUsers=${USERS.replace('s:3:"bye"', 's:1:"bye"')}&controlSessions=a:0:{}`,
    `controlUsers=${USERS.replace('a:2:', 'a:7:')}&controlSessions=a:0:{}`,
    `controlUsers=${USERS.replace('a:2:', 'a:1:')}&controlSessions=a:0:{}`,
  ];
  for (const answer of answers) {
    assert.deepEqual(readStatusReply(answer), { kind: 'orders', users: [ORDER], sessions: [], count: 2 }, answer);
    assert.deepEqual(readStatusReply(Buffer.from(answer)), readStatusReply(answer));
  }
});

function ordersOf(entries: string): readonly Order[] {
  const reply = readStatusReply(`${HEAD}&controlUsers=a:0:{}&controlSessions=${entries}`);
  assert.equal(reply.kind, 'orders', JSON.stringify(reply));
  return reply.kind === 'orders' ? reply.sessions : [];
}

test('an order has its key in text form, and the inner name where there is one', () => {
  const bye = { disconnect: 'bye' };
  assert.deepEqual(ordersOf(list(entry('i:77;', text('bye')))), [{ key: '77', session: '77', ...bye }]);
  assert.deepEqual(ordersOf(list(entry('s:0:"";', text('bye'), text('eve')))), [{ key: '', session: 'eve', ...bye }]);
  assert.deepEqual(ordersOf(list(entry(text('bob'), text('bye'), 'N;'))), [{ key: 'bob', session: undefined, ...bye }]);
  assert.deepEqual(ordersOf(`a:1:{i:5;a:1:{${text('disconnect')}${text('bye')}}}`), [
    { key: '5', session: undefined, disconnect: 'bye' },
  ]);
});

test('only a text, or another true value, asks for a disconnect', () => {
  const asked = (value: string) => ordersOf(list(entry('i:1;', value)))[0]?.disconnect;
  for (const value of [
    's:0:"";',
    's:1:"0";',
    'N;',
    'b:0;',
    'i:0;',
    'a:0:{}',
    'd:0;',
    's:1:" ";',
    's:2:"\t\n";',
    's:3:"%20";',
    's:1:"+";',
  ]) {
    assert.equal(asked(value), undefined, value);
  }
  assert.equal(asked('b:1;'), '1');
  assert.equal(asked('i:3;'), '3');
});

test('a text is one readable line', () => {
  const shown = (value: string) => ordersOf(list(entry('i:1;', text(value))))[0]?.disconnect;
  const cases = [
    ['Time is over', 'Time is over'],
    ['Time+is%20over', 'Time is over'],
    ['Time+is over', 'Time+is over'],
    ['100% sure', '100% sure'],
    ['%C3%A9t%C3%A9', 'été'],
    ['two\r\nlines\tand\0nul', 'two lines and nul'],
    ['a "quoted"; text', 'a "quoted"; text'],
    ['x'.repeat(1_000), 'x'.repeat(256)],
  ] as const;
  for (const [value, line] of cases) assert.equal(shown(value), line);
});

test('entities in a text are decoded when its length says so', () => {
  const said = (value: string, length: number) => `a:1:{i:1;a:1:{${text('disconnect')}s:${length}:"${value}";}}`;
  const cases = [
    ['a &gt; b', 5, 'a > b'],
    ['a &amp; b &lt;c&gt;', 11, 'a & b <c>'],
    ['a &amp; b', 9, 'a &amp; b'],
    ['it&#039;s', 4, "it's"],
    ['&quot;x&quot;', 3, '"x"'],
    ['&amp;gt;', 4, '&gt;'],
    ['&#59; &bogus;', 5, '&#59; &bogus;'],
  ] as const;
  for (const [value, length, line] of cases) assert.equal(ordersOf(said(value, length))[0]?.disconnect, line, value);
});

test('where lengths are wrong, a text goes on to the quote that ends it', () => {
  const orders = ordersOf(
    `a:2:{i:1;a:1:{${text('disconnect')}s:3:"say "hi"; then go";}i:2;a:1:{${text('disconnect')}s:9:"a &amp; b";}}`,
  );
  assert.deepEqual(
    orders.map(({ disconnect }) => disconnect),
    ['say "hi"; then go', 'a &amp; b'],
    'and one whose length is right is what it is',
  );
});

test('a damaged entry costs only itself', () => {
  const broken = 's:6:"broken";a:9:{s:10:"disconnect";s:1:"x";s:2:"dS";i:0;}';
  const orders = ordersOf(`a:3:{${entry(text('eve'), text('first'))}${broken}${BOB}}`);
  assert.deepEqual(
    orders.map(({ key, disconnect }) => [key, disconnect]),
    [
      ['eve', 'first'],
      ['bob', 'bye'],
    ],
  );
});

test('fields that nobody knows and entries that are none are stepped over', () => {
  const odd = `a:4:{i:1;N;i:2;s:3:"bye";i:3;a:2:{i:0;a:1:{i:0;a:0:{}}${text('disconnect')}${text('bye')}}i:4;a:0:{}}`;
  assert.deepEqual(ordersOf(odd), [{ key: '3', session: undefined, disconnect: 'bye' }]);
});

test('the last of repeated fields counts, as in PHP', () => {
  const twice = (first: string, last: string) =>
    ordersOf(`a:1:{i:1;a:2:{${text('disconnect')}${text(first)}${text('disconnect')}${text(last)}}}`)[0]?.disconnect;
  assert.equal(twice('', 'bye'), 'bye');
  assert.equal(twice('bye', ''), undefined);
});

test('a key that names a prototype is a key', () => {
  const orders = ordersOf(list(entry(text('__proto__'), text('bye')), entry(text('constructor'), text('bye'))));
  assert.deepEqual(
    orders.map(({ key }) => key),
    ['__proto__', 'constructor'],
  );
});

test('what is no answer is named in words, and orders nothing', () => {
  const cases = [
    ['', { kind: 'empty' }],
    [' \r\n\t', { kind: 'empty' }],
    ['\ufeff', { kind: 'empty' }],
    ['VideoWhisper=1&denied=NotFromAllowedIP-1.2.3.4', { kind: 'denied', text: 'NotFromAllowedIP-1.2.3.4' }],
    ['denied=webStatus &gt; off&amp;x=1\t', { kind: 'denied', text: 'webStatus > off' }],
    [`${WARNING}VideoWhisper=1&amp;denied=disabled<br>`, { kind: 'denied', text: 'disabled' }],
    ['0', { kind: 'nonsense', reason: 'WordPress does not know the action in the address' }],
    ['<!DOCTYPE html><title>secret</title>', { kind: 'nonsense', reason: 'the answer is a web page' }],
    ['<b>Fatal error</b>: Uncaught TypeError: secret', { kind: 'nonsense', reason: 'PHP stopped with a fatal error' }],
    ['ok', { kind: 'nonsense', reason: 'the answer holds neither controlUsers nor controlSessions' }],
    ['xcontrolUsers=a:0:{}', { kind: 'nonsense', reason: 'the answer holds neither controlUsers nor controlSessions' }],
    ['a'.repeat(MAX_STATUS_ANSWER + 1), { kind: 'nonsense', reason: 'the answer is larger than the limit' }],
    [' '.repeat(20_000), { kind: 'nonsense', reason: 'the answer is blank' }],
  ] as const;
  for (const [answer, meaning] of cases) assert.deepEqual(readStatusReply(answer), meaning, answer.slice(0, 60));
});

const MALFORMED = [
  ...[
    'a',
    'a:',
    'a:1',
    'a:1:',
    'a:1:{',
    'a:-1:{}',
    'a:1:{}}',
    'x',
    '1',
    'true',
    's:3:"bob";',
    'i:5;',
    'b:1;',
    'null',
    '[]',
    '{"bob":{"disconnect":"x"}}',
  ],
  ...[
    'O:8:"stdClass":1:{s:3:"bob";a:1:{s:10:"disconnect";s:1:"x";}}',
    'a:1:{i:1;R:1;}',
    'a:99999999999:{',
    'a:20001:{',
  ],
  'a:1:{i:1;a:1:{s:10:"disconnect";O:1:"x":0:{}}',
  `a:1:{i:1;${'a:1:{i:0;'.repeat(60)}N;${'}'.repeat(60)}`,
];

test('a list that cannot be read orders nothing', () => {
  for (const value of MALFORMED) {
    const reply = readStatusReply(`${HEAD}&controlUsers=${value}&controlSessions=a:0:{}`);
    const orders = reply.kind === 'orders' ? [...reply.users, ...reply.sessions] : [];
    assert.deepEqual(orders, [], value);
  }
});

test('an answer cut off anywhere orders nothing', () => {
  for (const filtered of [false, true]) {
    const users = list(BOB, entry(text('eve'), filtered ? 's:5:"a &gt; b";' : text('out')), STAY);
    const answer = `${HEAD}&controlUsers=${users}&controlSessions=${list(entry('i:7;', text('bye')))}`;
    assert.equal(readStatusReply(answer).kind, 'orders');
    const separator = answer.indexOf('&controlSessions');
    for (let length = 0; length < answer.length; length++) {
      // Before the second list starts the answer reads like that of a script that knows only the first.
      if (length >= separator && length <= separator + '&controlSessions='.length) continue;
      const reply = readStatusReply(answer.slice(0, length));
      const orders = reply.kind === 'orders' ? [...reply.users, ...reply.sessions] : [];
      assert.deepEqual(orders, [], answer.slice(0, length));
    }
  }
});

test('no name that was let in can word an order for another', () => {
  // Legal names (session/safe-text.ts) made to look like PHP, in an answer whose lengths are wrong everywhere.
  const names = [
    'x"}s:3',
    '"&"',
    'i:7;s:4:"bob',
    '}i:7;a:',
    '&controlSessions',
    's:10:"disconnect"',
    '";'.split('').join(' '),
    '}}',
    'N;}',
  ];
  for (const name of names) {
    const escaped = name.replaceAll('&', '&amp;');
    const mine = `s:1:"${escaped}";a:2:{s:1:"session";s:2:"${escaped}";s:10:"disconnect";s:99:"";}`;
    const answer = `${HEAD}&controlUsers=a:2:{${mine}${BOB}}&controlSessions=a:0:{}`;
    assert.deepEqual(readStatusReply(answer), { kind: 'orders', users: [ORDER], sessions: [], count: 2 }, name);
  }
});

test('an order for everybody is carried out', () => {
  const everybody = Array.from({ length: 3_000 }, (_, number) => entry(`i:${number};`, text('closing time')));
  assert.equal(ordersOf(list(...everybody)).length, 3_000);
});

test('20,000 entries are read, and 64 fields of each', () => {
  const entries = (count: number) => list(...Array.from({ length: count }, (_, number) => `i:${number};a:0:{}`));
  assert.equal(readStatusReply(`controlUsers=${entries(20_000)}`).kind, 'orders');
  assert.equal(readStatusReply(`controlUsers=${entries(20_001)}`).kind, 'nonsense');
  const fields = (count: number) => Array.from({ length: count - 1 }, (_, number) => `i:${number};N;`).join('');
  const wide = (count: number) => `i:1;a:${count}:{${text('disconnect')}${text('bye')}${fields(count)}}`;
  assert.deepEqual(
    ordersOf(list(wide(64), BOB)).map(({ key }) => key),
    ['1', 'bob'],
  );
  assert.deepEqual(
    ordersOf(list(wide(65), BOB)).map(({ key }) => key),
    ['bob'],
  );
});

test('nesting without end is no way to the bottom of the stack', () => {
  assert.doesNotThrow(() => readStatusReply(`controlUsers=a:1:{i:1;${'a:1:{i:0;'.repeat(200_000)}`));
});

test('damage without end is given up on', () => {
  const broken = (braces: number) => `a:2:{i:1;a:9:{${text('x')}N;}${'}x'.repeat(braces)}}${BOB}}`;
  assert.equal(ordersOf(broken(1_000)).length, 1);
  assert.equal(readStatusReply(`controlUsers=${broken(2_100)}`).kind, 'nonsense');
  for (const piece of ['}', '}s:1:"', '}i:1;a:1:{', 's:1:"";', '";', '}s:0:"";a:1:{s:10:"disconnect";']) {
    const body = `controlUsers=a:1:{${piece.repeat(Math.floor(2_000_000 / piece.length))}`;
    assert.notEqual(readStatusReply(body).kind, 'denied');
  }
});
