/**
 * Strangers who break AMF and commands, and who never read what they ask for.
 */
import assert from 'node:assert/strict';
import type { AmfWritable } from '../../../src/rtmp/amf-value.ts';
import { u32 } from '../../helpers/chunks.ts';
import { commandBytes, HANDSHAKE, messageBytes } from '../../helpers/dialogue.ts';
import { amfString } from '../../helpers/frames.ts';
import { connectBytes, type Family } from '../../helpers/hostile-town.ts';

const USER_CONTROL = 4;
const ACKNOWLEDGEMENT = 3;
const WINDOW = 5;
const COMMAND_AMF3 = 17;
const DATA = 18;
const COMMAND = 20;

/** AMF0 bytes: an object begun, with one key. */
const OPEN_OBJECT = Buffer.from([3, 0, 1, 0x61]);
const OPEN_ECMA = Buffer.from([8, 0xff, 0xff, 0xff, 0xff, 0, 1, 0x61]);
const OPEN_ARRAY = Buffer.from([10, 0xff, 0xff, 0xff, 0xff]);
const SWITCH_TO_AMF3 = Buffer.of(0x11);

function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

function command(name: string, ...amf: readonly Buffer[]): Buffer {
  const one = Buffer.from([0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([amfString(name), one, ...amf]);
}

/** Values that are no better as AMF than as an idea. */
const BOMBS: readonly Buffer[] = [
  repeated(OPEN_OBJECT, 15_000),
  repeated(OPEN_ECMA, 7_000),
  repeated(OPEN_ARRAY, 12_000),
  Buffer.from([10, 0x7f, 0xff, 0xff, 0xff, 5]),
  Buffer.from([8, 0x7f, 0xff, 0xff, 0xff, 0, 0, 9]),
  Buffer.from([12, 0xff, 0xff, 0xff, 0xff, 0x61]),
  Buffer.from([2, 0xff, 0xff, 0x61]),
  Buffer.from([7, 0, 0]),
  Buffer.from([3, 0, 9, ...Buffer.from('__proto__'), 3, 0, 1, 0x61, 1, 1, 0, 0, 9, 0, 0, 9]),
  repeated(Buffer.from([5]), 60_000),
  Buffer.from([13]),
  Buffer.from([0x42]),
  Buffer.concat([SWITCH_TO_AMF3, repeated(Buffer.from([9, 3, 1]), 15_000)]),
  Buffer.concat([SWITCH_TO_AMF3, Buffer.from([9, 0xff, 0xff, 0xff, 0xff, 1])]),
  Buffer.concat([SWITCH_TO_AMF3, Buffer.from([6, 0xbf, 0xff, 0xff, 0xfe])]),
  Buffer.concat([SWITCH_TO_AMF3, Buffer.from([10, 0xff, 0xff, 0xff, 0x7b, 1])]),
  Buffer.concat([SWITCH_TO_AMF3, Buffer.from([6, 0x7e])]),
  Buffer.concat([SWITCH_TO_AMF3, Buffer.from([17, 0xff, 0xff, 0xff, 0xff, 0])]),
];

const NAMES = [
  ...[
    'connect',
    'createStream',
    'releaseStream',
    'FCPublish',
    'FCUnpublish',
    'publish',
    'play',
    'play2',
    'pause',
    'seek',
  ],
  ...[
    'receiveAudio',
    'receiveVideo',
    'deleteStream',
    'closeStream',
    'getStreamLength',
    '_checkbw',
    '_result',
    '_error',
  ],
  ...[
    'onStatus',
    'constructor',
    'toString',
    'hasOwnProperty',
    '__proto__',
    '__defineGetter__',
    'then',
    '',
    'a'.repeat(900),
  ],
];
const VALUES: readonly AmfWritable[] = [
  ...[null, true, false, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '', '__proto__', 'a\n\u0000<b>%41'],
  ...[{}, { streamName: 7 }, { __proto__x: null, length: 9 }, [], [[[]]], 'x'.repeat(5_000)],
];

export const COMMANDS: readonly Family[] = [
  {
    name: 'amf_bombs',
    async run(town) {
      for (const bomb of BOMBS) {
        const bodies = [command('connect', bomb), command('createStream', bomb), bomb];
        for (const body of bodies) {
          await town
            .stranger()
            .send(HANDSHAKE, messageBytes(COMMAND, 0, body))
            .done();
          const inside = await town.insider();
          await inside.send(messageBytes(COMMAND, 0, body)).done();
          const third = await town.insider();
          const amf3 = messageBytes(COMMAND_AMF3, 0, Buffer.concat([Buffer.of(0), body]));
          await third.send(amf3, messageBytes(DATA, 1, body)).done();
        }
      }
    },
  },
  {
    name: 'wrong_types',
    async run(town) {
      await town.crowd(1_000, 40, async () => {
        const pick = () => VALUES[town.random(VALUES.length)]!;
        const some = () => Array.from({ length: town.random(5) }, pick);
        const calls = Array.from({ length: 1 + town.random(6) }, () => {
          const name = town.random(12) === 0 ? pick() : NAMES[town.random(NAMES.length)]!;
          return commandBytes(town.random(3), [name, town.random(4) === 0 ? pick() : town.random(9), ...some()]);
        });
        const stranger = town.stranger().send(HANDSHAKE);
        if (town.random(8) > 0) stranger.send(connectBytes(['free', 'watch', 'x'][town.random(3)]!));
        if (town.random(2) > 0) stranger.send(commandBytes(0, ['createStream', 2, null]));
        await stranger.send(...calls).done();
      });
    },
  },
  {
    name: 'names and addresses',
    async run(town) {
      const odd = [
        'a<b',
        '%41',
        '../../etc/passwd',
        'a\\b',
        'a\u0000b',
        '\n{"level":"error"}',
        '$(id)',
        'x'.repeat(65),
        '__proto__',
      ];
      for (const name of odd) {
        const stranger = await town.insider();
        await stranger.send(commandBytes(1, ['publish', 3, null, name])).done();
        await town
          .stranger()
          .send(HANDSHAKE, connectBytes(`free?${name}&${name}&${name}&1`))
          .done();
        await town.stranger().send(HANDSHAKE, connectBytes(name)).done();
      }
      const levels = town.server.lines().filter(({ level }) => level === 'error');
      assert.deepEqual(levels, [], 'no name makes a line of its own in the log');
    },
  },
  {
    name: 'ack_and_ping',
    async run(town) {
      // much that wants an answer, from somebody who reads none
      const ping = messageBytes(USER_CONTROL, 0, Buffer.concat([Buffer.of(0, 6), u32(1)]));
      const questions = repeated(Buffer.concat([ping, commandBytes(0, ['_checkbw', 9, null])]), 400);
      const before = await town.server.resident();
      const strangers = await Promise.all(Array.from({ length: 8 }, () => town.insider('free', { reads: false })));
      for (const stranger of strangers) for (let n = 0; n < 300; n++) stranger.send(questions);
      await town.alone();
      for (const { socket } of strangers) socket.destroy();
      const grown = (await town.server.resident()) - before;
      assert.ok(grown < 96 << 20, `unread answers cost ${grown >> 20} MiB`);
      // windows and acknowledgements that make no sense
      for (const value of [0, 1, 0x7fff_ffff, 0xffff_ffff]) {
        const stranger = await town.insider();
        const control = (typeId: number) => messageBytes(typeId, 0, u32(value), 0, 2);
        await stranger.send(control(WINDOW), control(ACKNOWLEDGEMENT), ping, control(6)).done();
      }
    },
  },
];
