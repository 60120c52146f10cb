import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError } from '../src/base/errors.ts';
import type { LogOptions } from '../src/config/schema.ts';
import { type LineOutput, openLog } from '../src/logging.ts';
import { VirtualClock } from './helpers/virtual-clock.ts';

/** 12:00:01 UTC of some day. */
const NOON = Date.UTC(2026, 0, 31, 12, 0, 1);

function record(options: Partial<LogOptions> = {}, isTerminal = false) {
  let text = '';
  const output: LineOutput = {
    isTerminal,
    write: (line) => {
      text += line;
    },
    close: async () => {},
  };
  const open = openLog({ level: 'info', format: 'auto', ...options }, new VirtualClock(NOON), output);
  return {
    ...open,
    isPretty: () => open.pretty,
    /** What was written since the last call. */
    taken: () => {
      const found = text;
      text = '';
      return found;
    },
  };
}

function onlyLine(text: string): Record<string, unknown> {
  assert.match(text, /^\{.*\}\n$/, 'one line of JSON');
  return JSON.parse(text) as Record<string, unknown>;
}

test('a line is JSON with level, time, the fields of all parents and the text', () => {
  const { log, taken } = record();
  log.child({ part: 'rtmp' }).child({ id: 'a1b2' }).warn({ code: 'rtmp/flv', bytes: 5 }, 'closed');
  assert.deepEqual(onlyLine(taken()), {
    level: 'warn',
    time: '2026-01-31T12:00:01.000Z',
    part: 'rtmp',
    id: 'a1b2',
    code: 'rtmp/flv',
    bytes: 5,
    msg: 'closed',
  });
});

test('levels hold back what is less important, also in loggers that exist when they change', () => {
  const { log, set, taken } = record({ level: 'warn' });
  const child = log.child({ part: 'x' });
  const sayAll = (): readonly unknown[] => {
    child.debug({}, 'debug');
    child.info({}, 'info');
    child.warn({}, 'warn');
    child.error({}, 'error');
    return taken()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).msg);
  };
  assert.deepEqual(sayAll(), ['warn', 'error']);
  set({ level: 'debug', format: 'auto' });
  assert.deepEqual(sayAll(), ['debug', 'info', 'warn', 'error']);
  set({ level: 'error', format: 'auto' });
  assert.deepEqual(sayAll(), ['error']);
});

test('on a terminal lines are for people, unless JSON is asked for; elsewhere the other way round', () => {
  assert.equal(record({ format: 'auto' }, true).isPretty(), true);
  assert.equal(record({ format: 'json' }, true).isPretty(), false);
  assert.equal(record({ format: 'auto' }, false).isPretty(), false);
  assert.equal(record({ format: 'pretty' }, false).isPretty(), true);
});

test('a line for people has time, level, part, session, text and fields', () => {
  const { log, taken } = record({ format: 'pretty' });
  log.child({ part: 'rtmp', id: 'a1b2c3d4' }).info({ app: 'live', words: 'two words', n: 5, none: '' }, 'connected');
  assert.match(taken(), /^\d\d:\d\d:01 INF \[rtmp\] \[a1b2…\] connected app=live words="two words" n=5 none=""\n$/);
});

test('a fault brings its stack, in both manners', () => {
  const { log, set, taken } = record();
  const fault = new RefusedError('access/role', 'no');
  log.error({ code: 'server/bug', err: fault }, 'a fault');
  const { err } = onlyLine(taken()) as { err: Record<string, unknown> };
  assert.equal(err['type'], 'RefusedError');
  assert.equal(err['code'], 'access/role');
  assert.match(String(err['stack']), /logging\.test\.ts/);
  set({ level: 'info', format: 'pretty' });
  log.error({ code: 'server/bug', err: fault }, 'a fault');
  assert.match(taken(), /ERR a fault code=server\/bug\n {4}RefusedError: no\n {4}at .*logging\.test\.ts/);
});

for (const format of ['json', 'pretty'] as const) {
  test(`secrets are masked and addresses lose their query (${format})`, () => {
    const { log, taken } = record({ format });
    const secret = 'Hunter2';
    log.child({ webKey: secret, nested: { token: secret, deep: [{ streamKey: secret }] } }).info(
      {
        Authorization: secret,
        params: [secret],
        query: secret,
        url: `https://site/login.php?s=${secret}`,
        err: new Error(`GET http://site/a?key=${secret} failed`),
        cookie: secret,
      },
      `asked rtmp://host/app?a&${secret}&b and https://x/?${secret}`,
    );
    const text = taken();
    assert.doesNotMatch(text, new RegExp(secret));
    assert.match(text, /https:\/\/site\/login\.php\?…/);
    assert.match(text, /rtmp:\/\/host\/app\?… and https:\/\/x\/\?…/);
  });

  test(`whatever is logged is one bounded line (${format})`, () => {
    const { log, taken } = record({ format });
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    log.info(
      {
        circle,
        big: 5n,
        bytes: Buffer.alloc(1000),
        long: 'x'.repeat(100_000),
        list: Array(10_000).fill('y'),
        fn: () => 1,
      },
      'odd\n\u001b[31mtext\u0085\u202e',
    );
    const text = taken();
    assert.equal(text.indexOf('\n'), text.length - 1);
    assert.ok(text.length < 10_000, String(text.length));
    assert.match(text, /1000 bytes/);
  });
}

test('nothing in a line for people can steer a terminal or turn text around', () => {
  const { log, taken } = record({ format: 'pretty' });
  const odd = '\u001b[2J\u0007\u009b1m\u202e\u2028\u200b\r';
  log.child({ part: odd, id: odd }).info({ [`k${odd}`]: odd, deep: { [odd]: odd } }, odd);
  log.error({ err: new Error(odd) }, 'fault');
  assert.doesNotMatch(taken().replaceAll('\n', ''), /[\p{Cc}\p{Cf}\u2028\u2029]/u);
});
