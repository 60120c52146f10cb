import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import { AMF_LIMITS, type AmfWritable, amfFields } from '../../src/rtmp/amf-value.ts';
import { readAmf0, writeAmf0 } from '../../src/rtmp/amf0.ts';
import * as commands from '../../src/rtmp/commands.ts';
import { MESSAGE, type Message } from '../../src/rtmp/messages.ts';

function message(values: readonly AmfWritable[], typeId: number = MESSAGE.CommandAmf0): Message {
  return { typeId, streamId: 3, timestamp: 0, chunkStreamId: 3, body: writeAmf0(values) };
}

function read(values: readonly AmfWritable[]): commands.Command {
  return commands.readCommand(message(values), AMF_LIMITS);
}

const fault = (error: unknown) => error instanceof PeerError && error.code === 'rtmp/command';

test('a command has a name, a transaction, an object and arguments', () => {
  const command = read(['play', 4, { a: 1 }, 'name', -2000]);
  assert.deepEqual(
    { ...command, object: [...command.object!] },
    { name: 'play', transaction: 4, object: [['a', 1]], args: ['name', -2000], streamId: 3 },
  );
});

test('type 17 may begin with a zero byte, or not', () => {
  const plain = message(['play', 4, null, 'a'], MESSAGE.CommandAmf3);
  const usual = { ...plain, body: Buffer.concat([Buffer.of(0), plain.body]) };
  assert.deepEqual(commands.readCommand(usual, AMF_LIMITS).args, ['a']);
  assert.deepEqual(commands.readCommand(plain, AMF_LIMITS).args, ['a']);
});

for (const values of [[], [null], [7, 1, null], [['connect']], [{ name: 'connect' }], ['x'.repeat(65), 1]]) {
  test(`${JSON.stringify(values).slice(0, 40)} is no command`, () => {
    assert.throws(() => read(values as AmfWritable[]), fault);
  });
}

test('a transaction that is no number asks for no answer', () => {
  for (const transaction of [undefined, null, 'x', Number.NaN, Number.POSITIVE_INFINITY, {}]) {
    assert.equal(read(['x', transaction]).transaction, 0);
  }
});

test('arguments of the wrong type', () => {
  const command = read(['x', 0, null, 'text', 7, Number.NaN]);
  assert.equal(commands.textArgument(command, 0), 'text');
  assert.throws(() => commands.textArgument(command, 1), fault);
  assert.throws(() => commands.textArgument(command, 9), fault);
  assert.equal(commands.numberArgument(command, 1, -1), 7);
  for (const index of [0, 2, 9]) assert.equal(commands.numberArgument(command, index, -1), -1);
});

test('connect: what is of the wrong type is as if it were not there', () => {
  const connect = commands.readConnect(
    read(['connect', 1, { app: 7, tcUrl: null, flashVer: { x: 1 }, objectEncoding: '3', capsEx: 'all' }, 7]),
  );
  assert.deepEqual(connect, {
    app: undefined,
    tcUrl: undefined,
    flashVer: '',
    objectEncoding: 0,
    argument: undefined,
    capsEx: 0,
    hearsOpus: false,
  });
  assert.equal(commands.readConnect(read(['connect', 1, null])).app, undefined);
  assert.equal(commands.readConnect(read(['connect', 1, { flashVer: 'x'.repeat(500) }])).flashVer.length, 64);
  assert.equal(commands.readConnect(read(['connect', 1, {}, ''])).argument, undefined);
});

test('connect: names that objects have anyway are fields like any other', () => {
  const connect = commands.readConnect(read(['connect', 1, { ['__proto__']: { app: 'x' }, constructor: 'y' }]));
  assert.equal(connect.app, undefined);
});

test('connect: each field of enhanced RTMP speaks of it', () => {
  const capsEx = (fields: commands.CommandArgument) => commands.readConnect(read(['connect', 1, fields])).capsEx;
  assert.equal(capsEx({ app: 'live' }), undefined);
  assert.equal(capsEx({ fourCcList: ['av01'] }), 0);
  assert.equal(capsEx({ videoFourCcInfoMap: { vp09: 1 } }), 0);
  assert.equal(capsEx({ audioFourCcInfoMap: { '*': 1 } }), 0);
  assert.equal(capsEx({ capsEx: 3, fourCcList: ['av01'] }), 3);
});

test('connect: who says that it takes Opus is believed', () => {
  const hearsOpus = (fields: commands.CommandArgument) => commands.readConnect(read(['connect', 1, fields])).hearsOpus;
  for (const fields of [
    { fourCcList: ['av01', 'Opus'] },
    { fourCcList: ['*'] },
    { audioFourCcInfoMap: { Opus: 1 } },
    { audioFourCcInfoMap: { '*': 4 } },
  ]) {
    assert.equal(hearsOpus(fields), true, JSON.stringify(fields));
  }
  for (const fields of [
    {},
    { fourCcList: ['av01', 'vp09', 'hvc1'] },
    { fourCcList: 'Opus' },
    { audioFourCcInfoMap: { Opus: 0, mp4a: 1 } },
    { audioFourCcInfoMap: { Opus: 'yes' } },
    { videoFourCcInfoMap: { '*': 1 } },
  ]) {
    assert.equal(hearsOpus(fields), false, JSON.stringify(fields));
  }
});

test('answers carry what clients look for', () => {
  const connect = commands.readConnect(read(['connect', 1, { objectEncoding: 3 }]));
  const [name, transaction, properties, information] = readAmf0(
    commands.connectAnswer(1, connect, '1.2.3'),
    0,
    AMF_LIMITS,
  );
  assert.deepEqual([name, transaction], ['_result', 1]);
  assert.match(String(amfFields(properties)?.get('fmsVer')), /^FMS\/\d+,\d+,\d+,\d+$/);
  assert.equal(amfFields(information)?.get('objectEncoding'), 3);
  assert.equal(amfFields(information)?.get('code'), 'NetConnection.Connect.Success');
  assert.equal(amfFields(amfFields(information)?.get('data'))?.get('server'), 'castgate/1.2.3');
  const status = readAmf0(
    commands.onStatus({ level: 'error', code: 'x', description: 'y' }, { more: 1 }),
    0,
    AMF_LIMITS,
  );
  assert.deepEqual(
    [...amfFields(status[3])!],
    [
      ['level', 'error'],
      ['code', 'x'],
      ['description', 'y'],
      ['more', 1],
    ],
  );
});
