import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import { type PhpWritable, phpArrayHead, phpEntry, phpSerialize, readPhpValue } from '../../src/control/php.ts';
import type { PhpValue } from '../../src/control/php-text.ts';
import { runPhp } from '../helpers/php.ts';

const map = (...entries: [string, PhpValue][]): PhpValue => new Map(entries);

/** PHP's own words, what they mean, and the PHP expression that writes them. Read both ways, and by PHP. */
const CASES: readonly (readonly [text: string, value: PhpValue, expression: string])[] = [
  ['N;', null, 'null'],
  ['b:0;', false, 'false'],
  ['b:1;', true, 'true'],
  ['i:0;', 0, '0'],
  ['i:-7;', -7, '-7'],
  ['i:9007199254740991;', 9007199254740991, '9007199254740991'],
  ['i:9223372036854775807;', 9223372036854775807n, 'PHP_INT_MAX'],
  ['d:0.5;', 0.5, '0.5'],
  ['d:-12.25;', -12.25, '-12.25'],
  ['d:0.0001;', 0.0001, '0.0001'],
  ['d:123456789012.5;', 123456789012.5, '123456789012.5'],
  ['s:0:"";', '', '""'],
  ['s:3:"bob";', 'bob', '"bob"'],
  ['s:5:"été";', 'été', '"été"'],
  ['s:4:"🎥";', '🎥', '"🎥"'],
  ['s:7:"a";s:1:";', 'a";s:1:', `'a";s:1:'`],
  ['s:2:"\0\n";', '\0\n', '"\\0\\n"'],
  ['a:0:{}', map(), '[]'],
  ['a:2:{i:0;s:1:"a";i:1;N;}', map(['0', 'a'], ['1', null]), '["a", null]'],
  ['a:1:{i:42;s:1:"x";}', map(['42', 'x']), '["42" => "x"]'],
  ['a:1:{s:3:"042";i:1;}', map(['042', 1]), '["042" => 1]'],
  ['a:1:{i:-5;i:1;}', map(['-5', 1]), '["-5" => 1]'],
  ['a:1:{s:2:"-0";i:1;}', map(['-0', 1]), '["-0" => 1]'],
  ['a:1:{s:19:"9223372036854775808";i:1;}', map(['9223372036854775808', 1]), '["9223372036854775808" => 1]'],
  ['a:1:{s:0:"";a:1:{s:9:"__proto__";b:1;}}', map(['', map(['__proto__', true])]), '["" => ["__proto__" => true]]'],
];

test('values are read and written as PHP does', async () => {
  for (const [text, value] of CASES) {
    assert.deepEqual(readPhpValue(text), { value, end: Buffer.byteLength(text) }, text);
    assert.equal(phpSerialize(value), text);
  }
  const program = `echo json_encode([${CASES.map(([, , expression]) => `serialize(${expression})`).join(', ')}]);`;
  const byPhp = JSON.parse(String(await runPhp(program)));
  assert.deepEqual(
    byPhp,
    CASES.map(([text]) => text),
  );
});

test('what php-serialize stumbles over is put right first', () => {
  const bare = Object.assign(Object.create(null), { a: 1 });
  const cases: readonly (readonly [value: PhpWritable, text: string])[] = [
    [bare, 'a:1:{s:1:"a";i:1;}'],
    [{ a: undefined, b: 2 }, 'a:1:{s:1:"b";i:2;}'],
    [{ constructor: 'x', length: 1 }, 'a:2:{s:11:"constructor";s:1:"x";s:6:"length";i:1;}'],
    [
      new Map([
        [5, 'a'],
        ['5', 'b'],
      ] as [string | number, string][]),
      'a:1:{i:5;s:1:"b";}',
    ],
    [Number.NaN, 's:3:"NaN";'],
    [Number.POSITIVE_INFINITY, 's:8:"Infinity";'],
    [1e25, 's:5:"1e+25";'],
    [2 ** 63, 's:19:"9223372036854776000";'],
    [2n ** 63n, 's:19:"9223372036854775808";'],
    [-0, 'i:0;'],
    [12.0, 'i:12;'],
    ['\ud800', 's:3:"\ufffd";'],
  ];
  for (const [value, text] of cases) assert.equal(phpSerialize(value), text);
});

test('an array can be written entry by entry', () => {
  const whole = phpSerialize(
    new Map<string, PhpWritable>([
      ['bob', { role: '1' }],
      ['7', {}],
    ]),
  );
  assert.equal(`${phpArrayHead(2)}${phpEntry('bob', { role: '1' })}${phpEntry('7', {})}}`, whole);
});

test('a value ends where it ends', () => {
  const bytes = Buffer.from('xs:3:"été&s:1:"a";', 'latin1');
  assert.throws(() => readPhpValue(bytes, 1), PeerError);
  assert.deepEqual(readPhpValue('..s:5:"été";&more', 2), { value: 'été', end: 14 });
  assert.deepEqual(readPhpValue(Buffer.from('i:5;i:6;'), 4), { value: 6, end: 8 });
});

test('PHP writes some numbers otherwise, and they are read', () => {
  assert.equal(readPhpValue('d:1.0E+25;').value, 1e25);
  assert.equal(readPhpValue('d:-0;').value, -0);
  assert.equal(readPhpValue('d:1.0E-7;').value, 1e-7);
  assert.equal(readPhpValue('i:+5;').value, 5);
});

test('what is no plain value is refused', () => {
  const hostile = [
    ...[
      '',
      ';',
      'x',
      'N',
      'b:2;',
      'b:;',
      'i:;',
      'i:1',
      'i:1.5;',
      'i:0x1;',
      'd:INF;',
      'd:-INF;',
      'd:NAN;',
      'd:1e999;',
      'd:;',
    ],
    ...[
      's:3:"ab";',
      's:1:"ab";',
      's:-1:"";',
      's:2:ab;',
      's:2:"ab"',
      's:2:"a',
      's:1e1:"a";',
      's:9999999999999999999:"a";',
      's::"";',
    ],
    ...[
      'O:8:"stdClass":0:{}',
      'C:1:"a":0:{}',
      'R:1;',
      'r:1;',
      'S:1:"\\61";',
      'E:3:"A:B";',
      'a:1:{i:0;R:1;}',
      'a:1:{i:0;O:1:"a":0:{}}',
    ],
    ...[
      'a:1:{}',
      'a:0:{',
      'a:-1:{}',
      'a:1:{i:0;i:1;',
      'a:1:{b:1;i:1;}',
      'a:1:{a:0:{}i:1;}',
      'a:1:{N;i:1;}',
      'a:2:{i:0;i:1;}',
      'a:0:{i:0;i:1;}',
    ],
    ...['a:999999999:{', `i:${'1'.repeat(65)};`, `${'a:1:{i:0;'.repeat(5)}N;${'}'.repeat(5)}`],
    `a:20001:{${Array.from({ length: 20_001 }, (_, index) => `i:${index};N;`).join('')}}`,
  ];
  for (const text of hostile) assert.throws(() => readPhpValue(text), PeerError, text.slice(0, 80));
});

test('four arrays in each other and 20,000 values are read', () => {
  assert.doesNotThrow(() => readPhpValue(`${'a:1:{i:0;'.repeat(4)}N;${'}'.repeat(4)}`));
  assert.doesNotThrow(() =>
    readPhpValue(`a:19999:{${Array.from({ length: 19_999 }, (_, i) => `i:${i};N;`).join('')}}`),
  );
});

test('nobody hides behind a prototype', () => {
  const { value } = readPhpValue('a:1:{s:9:"__proto__";a:1:{s:10:"disconnect";s:1:"x";}}');
  assert.ok(value instanceof Map && value.get('disconnect') === undefined);
  assert.equal(({} as { disconnect?: string }).disconnect, undefined);
});

test('nesting without end is our own fault and said so', () => {
  const nested: PhpWritable[] = [];
  nested.push(nested);
  assert.throws(() => phpSerialize(nested), RangeError);
});
