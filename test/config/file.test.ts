import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fileFaults, fromFile } from '../helpers/config.ts';

test('plain text stays as it is written: numbers, zeros, booleans', () => {
  const { applications, rtmp } = fromFile(`
rtmp: { listen: 1935 }
applications:
  live: { webKey: 007, webLogin: "http://s/?s=" }
  game: { webKey: true, webLogin: "http://s/?s=" }
  quiz: { webKey: "it's", webLogin: 'http://s/?s=' }
`);
  assert.equal(rtmp.listen, '1935');
  assert.deepEqual(
    [...applications.values()].map(({ webKey }) => webKey),
    ['007', 'true', "it's"],
  );
});

test('a file that is not YAML is told where and in plain words', () => {
  const table: readonly (readonly [string, string])[] = [
    ['rtmp:\n\tlisten: 1', 'c.yml:2:1: YAML is indented by spaces, not by tabs'],
    ["admin:\n  token: 'abc\nlog: {}\n", 'c.yml:2:10: the quote that opens here is not closed'],
    ['rtmp: {}\n---\nhttp: {}', 'c.yml:2:1: a second document (---) begins; only one is read'],
    [
      'rtmp:\n  listen: [::]:1',
      'c.yml:2:15: text that begins with [ or { must be in quotes, or this line is indented wrongly',
    ],
    ['admin: { token: @x }', 'c.yml:1:17: text that begins with this character must be in quotes'],
    ['admin: { token: !x y }', 'c.yml:1:17: tags are not used here; text that begins with ! must be in quotes'],
    ['[]', 'c.yml:1:1: must hold settings, such as "rtmp:" with "listen: :1935" indented below it'],
    ['rtmp: {}\nhttp: {}\nrtmp: {}', 'c.yml:3:1: rtmp: is given twice; the first is in line 1'],
    ['rtmp: { listen: ":1", listen: ":2" }', 'c.yml:1:23: rtmp.listen: is given twice; the first is in line 1'],
    ['[1]: 2', 'c.yml:1:1: a key must be plain text'],
    ['admin: { hosts: [a, [b]] }', 'c.yml:1:17: admin.hosts: a list may hold plain text only'],
    [`${'['.repeat(20_000)}`, 'brackets are nested too deeply'],
    ['x'.repeat((1 << 20) + 1), 'c.yml: is larger than 1 MiB'],
  ];
  for (const [text, expected] of table) {
    const [first] = fileFaults(text);
    assert.ok(first?.includes(expected), `${text.slice(0, 40)}: ${first}`);
  }
  assert.deepEqual(fileFaults(''), []);
  assert.deepEqual(fileFaults('# only words\n'), []);
});

test('aliases are followed, in bounds', () => {
  const { applications } = fromFile('applications: { a: &site { webLogin: "http://s/?s=" }, b: *site }');
  assert.equal(applications.get('b')?.webLogin, 'http://s/?s=');
  const doubling = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}]`);
  const bomb = ['a0: &a0 [x, x]', ...doubling].join('\n');
  assert.equal(fileFaults(bomb).length, 31, 'each unknown key once, nothing unfolded');
  const many = `admin: { hosts: [&h name, ${'*h, '.repeat(60)}] }\napplications: { ${Array.from({ length: 60 }, (_, n) => `a${n}: { webKey: *h }`).join(', ')} }`;
  assert.ok(fileFaults(many).includes('c.yml: has more than 100 aliases'));
  assert.equal(fileFaults('applications: &all { a: *all }').length, 1, 'itself inside itself');
});

test('any bytes are a configuration or a list of faults', () => {
  const piece = fc.constantFrom(
    ...[
      'rtmp',
      'listen',
      'applications',
      ':',
      ' ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '&a',
      '*a',
      '!',
      '#',
      '0',
    ],
    ...['1s', 'video', '|', '>', '-', '?', '%', '@', '\t', '---', '<<', 'webLogin', 'http://s/?s=', 'true', '~'],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (written) => {
      for (const line of fileFaults(written)) assert.match(line, /^c\.yml(:\d+:\d+)?: ./s);
    }),
    { numRuns: 2_000 },
  );
});
