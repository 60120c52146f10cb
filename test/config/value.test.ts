import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPLICATION } from '../../src/config/application-schema.ts';
import { SECTIONS } from '../../src/config/schema.ts';
import { type Leaf, settingsOf } from '../../src/config/setting.ts';
import { readDuration, readSize, writeDuration, writeSize } from '../../src/config/units.ts';
import { readSetting, written } from '../../src/config/value.ts';
import { plain } from '../helpers/config.ts';

/** Text, the value it stands for, and whether the value is written like that. */
const DURATIONS: readonly (readonly [string, number, boolean])[] = [
  ['0', 0, true],
  ['250ms', 250, true],
  ['10s', 10_000, true],
  ['1m', 60_000, true],
  ['1h', 3_600_000, true],
  ['90s', 90_000, true],
  ['1500ms', 1_500, true],
  ['1.5s', 1_500, false],
  ['1.5m', 90_000, false],
  ['1 s', 1_000, false],
  ['0.001s', 1, false],
  ['60s', 60_000, false],
];
const NO_DURATIONS = [
  '',
  '10',
  '-1s',
  '1d',
  '1S',
  's',
  '1e3s',
  '1m30s',
  '.5s',
  '1.s',
  ' 1s',
  '1s ',
  '9'.repeat(20),
  '00',
];

const SIZES: readonly (readonly [string, number, boolean])[] = [
  ['0', 0, true],
  ['1023', 1_023, true],
  ['1K', 1_024, true],
  ['65K', 66_560, true],
  ['50M', 52_428_800, true],
  ['2G', 2_147_483_648, true],
  ['65536', 65_536, false],
  ['64KiB', 65_536, false],
  ['64k', 65_536, false],
  ['64 MiB', 67_108_864, false],
  ['12B', 12, false],
];
const NO_SIZES = ['', '64KB', '1.5M', '-1', '0x10', '1_000', 'K', '1T', '64 K B'];

test('durations are read and written', () => {
  for (const [text, millis, canonical] of DURATIONS) {
    assert.equal(readDuration(text), millis, text);
    if (canonical) assert.equal(writeDuration(millis), text);
    assert.equal(readDuration(writeDuration(millis)), millis);
  }
  for (const text of NO_DURATIONS) assert.equal(readDuration(text), undefined, text);
});

test('sizes are read and written', () => {
  for (const [text, bytes, canonical] of SIZES) {
    assert.equal(readSize(text), bytes, text);
    if (canonical) assert.equal(writeSize(bytes), text);
    assert.equal(readSize(writeSize(bytes)), bytes);
  }
  for (const text of NO_SIZES) assert.equal(readSize(text), undefined, text);
});

/** A setting, what it takes, and what it does not. */
const VALUES: readonly (readonly [Leaf, readonly (readonly [string, unknown])[], readonly string[]])[] = [
  [
    leaf('rtmp', 'gopCache'),
    [
      ['true', true],
      ['yes', true],
      ['On', true],
      ['1', true],
      ['false', false],
      ['NO', false],
      ['off', false],
      ['0', false],
    ],
    ['', '2', 'maybe', 'y'],
  ],
  [
    leaf('rtmp', 'writeWindow'),
    [
      ['video', 'video'],
      ['0', 0],
      ['0ms', 0],
      ['20ms', 20],
      ['1s', 1_000],
    ],
    ['', '19ms', '1001ms', '50', 'audio'],
  ],
  [
    leaf('rtmp', 'listen'),
    [':1935', '1935', '127.0.0.1:1935', '[::]:1935', '[::1]:0', 'localhost:1', ':65535', ''].map((text) => [
      text,
      text,
    ]),
    [':', ':65536', '::1:1935', '[::1]', '[1.2.3.4]:1', '1.2.3.999:1', 'a b:1', ':19x5', '-1', 'host'],
  ],
  [
    leaf('applications', 'webStatusInterval'),
    [
      ['5s', 5_000],
      ['30s', 30_000],
    ],
    ['4999ms', '30001ms', '10'],
  ],
  [
    leaf('applications', 'webLogin'),
    ['', 'http://s/', 'https://s/a.php?b=c&d=', 'http://[::1]:8080/x', 'HTTP://s/?s='].map((text) => [text, text]),
    [
      's/login',
      'ftp://s/',
      'http://',
      'http:///x',
      'http://s/ x',
      'http://s/#x',
      'javascript:1',
      `http://s/${'x'.repeat(2048)}`,
    ],
  ],
  [
    leaf('applications', 'connectTo'),
    ['', '192.0.2.7', '192.0.2.7:8443', '2001:db8::1', '[2001:db8::1]:443'].map((text) => [text, text]),
    ['site.example', '192.0.2.7:0', '192.0.2.7:70000', '[192.0.2.7]:1', ':80'],
  ],
  [leaf('applications', 'localAddress'), ['', '192.0.2.7', '::1'].map((text) => [text, text]), ['eth0', '192.0.2.7:1']],
  [
    leaf('admin', 'hosts'),
    [
      ['', []],
      ['a', ['a']],
      ['a, b.example', ['a', 'b.example']],
    ],
    ['a,,b', ','],
  ],
];

for (const [setting, taken, refused] of VALUES) {
  test(`values: ${setting.description}`, () => {
    for (const [text, value] of taken) assert.deepEqual(readSetting(setting, text), { ok: true, value }, text);
    for (const text of refused) assert.equal(readSetting(setting, text).ok, false, text);
  });
}

test('every default is a value that its own setting allows, and reads back as it is written', () => {
  for (const schema of [...Object.values(SECTIONS), APPLICATION]) {
    for (const [key, setting] of settingsOf(schema)) {
      const reading = readSetting(setting, plain(written(setting, setting.default)));
      assert.deepEqual(reading, { ok: true, value: setting.default }, key);
    }
  }
});

function leaf(group: keyof typeof SECTIONS | 'applications', key: string): Leaf {
  return settingsOf(group === 'applications' ? APPLICATION : SECTIONS[group]).get(key)!;
}
