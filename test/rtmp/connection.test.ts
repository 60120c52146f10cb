import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import type { AmfWritable } from '../../src/rtmp/amf-value.ts';
import { CAPS_EX } from '../../src/rtmp/commands.ts';
import { MESSAGE, writeUserControl, writeWindowAckSize } from '../../src/rtmp/messages.ts';
import {
  CONNECT,
  CONNECTION_OPTIONS,
  commandBytes,
  Dialogue,
  HANDSHAKE,
  HANDSHAKE_ANSWER_BYTES,
  inWords,
  messageBytes,
} from '../helpers/dialogue.ts';
import { aacBody, avcBody } from '../helpers/frames.ts';

const WELCOME = [
  'WindowAckSize 2500000',
  'SetPeerBandwidth 2500000 2',
  '0 _result 1 NetConnection.Connect.Success',
  '0 onBWDone',
];

function fails(code: string): (error: unknown) => boolean {
  return (error) => error instanceof PeerError && error.code === code;
}

test('the handshake is answered, and nothing is yielded before a connect', () => {
  const dialogue = new Dialogue();
  assert.equal(dialogue.engine.handshakeDone, true);
  assert.equal(dialogue.engine.connected, false);
  assert.equal(Buffer.concat(dialogue.engine.drain()).length, HANDSHAKE_ANSWER_BYTES);
  assert.deepEqual(dialogue.pull(), []);
});

test('connect is asked, and accepted in the words that clients wait for', () => {
  const dialogue = new Dialogue();
  dialogue.answers();
  dialogue.command(0, 'connect', 1, CONNECT, 'session-of-flash');
  const [event] = dialogue.events;
  assert.ok(event?.type === 'connect');
  assert.equal(event.connect.tcUrl, 'rtmp://localhost/live');
  assert.equal(event.connect.argument, 'session-of-flash');
  assert.equal(dialogue.engine.asking, true);
  dialogue.engine.accept(event.question);
  assert.deepEqual(dialogue.answers(), WELCOME);
  assert.equal(dialogue.engine.connected, true);
  assert.equal(dialogue.engine.asking, false);
});

test('connect is refused in words, and nothing is yielded afterwards', () => {
  const dialogue = new Dialogue();
  dialogue.command(0, 'connect', 1, CONNECT);
  dialogue.engine.refuse(dialogue.question(), 'NetConnection.Connect.Rejected', 'The key is wrong.');
  assert.deepEqual(dialogue.answers(), ['0 _error 1 NetConnection.Connect.Rejected']);
  assert.equal(dialogue.object().get('description'), 'The key is wrong.');
  assert.equal(dialogue.object().get('level'), 'error');
  assert.deepEqual(dialogue.command(0, 'createStream', 2), []);
  assert.equal(dialogue.engine.connected, false);
  assert.equal(dialogue.events.length, 1);
});

/** Client by client: what is sent, and what is said to it. A step that asks is answered with yes. */
type Step = readonly [streamId: number, command: readonly AmfWritable[], answers: readonly string[]];
const DIALOGUES: readonly [who: string, steps: readonly Step[]][] = [
  [
    'OBS and librtmp publish',
    [
      [0, ['connect', 1, { ...CONNECT, type: 'nonprivate', swfUrl: 'rtmp://localhost/live' }], WELCOME],
      [0, ['releaseStream', 2, null, 'a'], ['0 _result 2 undefined']],
      [0, ['FCPublish', 3, null, 'a'], ['0 onFCPublish NetStream.Publish.Start', '0 _result 3 undefined']],
      [0, ['createStream', 4, null], ['0 _result 4 1']],
      [0, ['_checkbw', 5, null], ['0 _result 5 null']],
      [1, ['publish', 5, null, 'a', 'live'], ['StreamBegin 1', '1 onStatus NetStream.Publish.Start']],
      [
        0,
        ['FCUnpublish', 6, null, 'a'],
        [
          '1 onStatus NetStream.Unpublish.Success',
          '0 onFCUnpublish NetStream.Unpublish.Success',
          '0 _result 6 undefined',
        ],
      ],
      [0, ['deleteStream', 7, null, 1], []],
    ],
  ],
  [
    'ffmpeg plays',
    [
      [0, ['connect', 1, CONNECT], WELCOME],
      [0, ['createStream', 2, null], ['0 _result 2 1']],
      [0, ['getStreamLength', 3, null, 'a'], ['0 _result 3 0']],
      [
        1,
        ['play', 4, null, 'a', -2000],
        [
          'StreamBegin 1',
          '1 onStatus NetStream.Play.Reset',
          '1 onStatus NetStream.Play.Start',
          '1 data |RtmpSampleAccess',
        ],
      ],
      [0, ['deleteStream', 5, null, 1], []],
    ],
  ],
  [
    'FMLE publishes',
    [
      [0, ['connect', 1, { ...CONNECT, flashVer: 'FMLE/3.0 (compatible; FMSc/1.0)' }], WELCOME],
      [0, ['releaseStream', 2, null, 'a'], ['0 _result 2 undefined']],
      [0, ['FCPublish', 3, null, 'a'], ['0 onFCPublish NetStream.Publish.Start', '0 _result 3 undefined']],
      [0, ['createStream', 4, null], ['0 _result 4 1']],
      [1, ['publish', 0, null, 'a', 'live'], ['StreamBegin 1', '1 onStatus NetStream.Publish.Start']],
      [1, ['closeStream', 0, null], ['1 onStatus NetStream.Unpublish.Success']],
      [1, ['publish', 0, null, 'a', 'record'], ['StreamBegin 1', '1 onStatus NetStream.Publish.Start']],
      [0, ['deleteStream', 0, null, 1], ['1 onStatus NetStream.Unpublish.Success']],
    ],
  ],
  [
    'Flash plays two streams, pauses, seeks, switches and goes',
    [
      [0, ['connect', 1, { ...CONNECT, objectEncoding: 3 }, 'session', 'room'], WELCOME],
      [0, ['createStream', 2, null], ['0 _result 2 1']],
      [0, ['createStream', 3, null], ['0 _result 3 2']],
      [
        2,
        ['play', 0, null, 'a'],
        [
          'StreamBegin 2',
          '2 onStatus NetStream.Play.Reset',
          '2 onStatus NetStream.Play.Start',
          '2 data |RtmpSampleAccess',
        ],
      ],
      [2, ['pause', 0, null, true, 1000], ['StreamEof 2', '2 onStatus NetStream.Pause.Notify']],
      [2, ['pause', 0, null, false, 1000], ['StreamBegin 2', '2 onStatus NetStream.Unpause.Notify']],
      [2, ['pauseRaw', 0, null, true, 1000], ['StreamEof 2', '2 onStatus NetStream.Pause.Notify']],
      [2, ['seek', 0, null, 4000], ['2 onStatus NetStream.Seek.Notify']],
      [2, ['receiveVideo', 0, null, false], []],
      [2, ['receiveAudio', 0, null, false], []],
      [
        2,
        ['play2', 0, null, { oldStreamName: 'a', streamName: 'b', start: -2, len: -1, offset: -1, transition: 'swap' }],
        [
          'StreamBegin 2',
          '2 onStatus NetStream.Play.Reset',
          '2 onStatus NetStream.Play.Start',
          '2 data |RtmpSampleAccess',
        ],
      ],
      [2, ['closeStream', 0, null], []],
      [0, ['deleteStream', 0, null, 2], []],
      [0, ['createStream', 4, null], ['0 _result 4 2']],
    ],
  ],
];

for (const [who, steps] of DIALOGUES) {
  for (const typeId of [MESSAGE.CommandAmf0, MESSAGE.CommandAmf3]) {
    test(`${who}, commands of type ${typeId}`, () => {
      const dialogue = new Dialogue();
      dialogue.answers();
      for (const [streamId, values, answers] of steps) {
        const said = dialogue.bytes(commandBytes(streamId, values, typeId));
        if (dialogue.engine.asking) {
          dialogue.engine.accept(dialogue.question(), 'a');
          dialogue.pull();
          said.push(...dialogue.answers());
        }
        assert.deepEqual(said, answers, String(values[0]));
      }
    });
  }
}

test('silence: behind a question nothing is yielded or answered until it is answered itself', () => {
  const dialogue = new Dialogue();
  dialogue.answers();
  const rest = [
    commandBytes(0, ['createStream', 2, null]),
    commandBytes(1, ['publish', 3, null, 'a', 'live']),
    messageBytes(MESSAGE.Video, 1, avcBody('key', 1_000)),
  ];
  assert.deepEqual(dialogue.bytes(Buffer.concat([commandBytes(0, ['connect', 1, CONNECT]), ...rest])), []);
  assert.deepEqual(
    dialogue.events.map(({ type }) => type),
    ['connect'],
  );
  dialogue.engine.accept(dialogue.question());
  assert.deepEqual(
    dialogue.pull().map(({ type }) => type),
    ['publish'],
  );
  assert.deepEqual(dialogue.answers(), [...WELCOME, '0 _result 2 1']);
  assert.deepEqual(dialogue.pull(), []);
  dialogue.engine.accept(dialogue.question(), 'a');
  const [media] = dialogue.pull();
  assert.ok(media?.type === 'media');
  assert.deepEqual(media.message.body, avcBody('key', 1_000));
});

test('what waits behind a question is kept, though the buffer it came in is used again', () => {
  const dialogue = new Dialogue();
  const bytes = Buffer.concat([commandBytes(0, ['connect', 1, CONNECT]), commandBytes(0, ['createStream', 2, null])]);
  dialogue.bytes(bytes);
  bytes.fill(0xee);
  dialogue.engine.accept(dialogue.question());
  dialogue.pull();
  assert.equal(dialogue.answers().at(-1), '0 _result 2 1');
});

test('too much behind a question ends it', () => {
  const dialogue = new Dialogue();
  dialogue.command(0, 'connect', 1, CONNECT);
  dialogue.bytes(Buffer.alloc(CONNECTION_OPTIONS.maxMessageBeforeConnect, 4));
  assert.throws(() => dialogue.bytes(Buffer.of(4)), fails('rtmp/too-many-questions'));
});

test('a question can only be answered once', () => {
  const dialogue = new Dialogue();
  dialogue.command(0, 'connect', 1, CONNECT);
  const question = dialogue.question();
  dialogue.engine.accept(question);
  assert.throws(() => dialogue.engine.accept(question), /not open/);
  assert.throws(() => dialogue.engine.refuse(question, 'x', 'y'), /not open/);
});

test('media is yielded on streams that publish, and nowhere else', () => {
  const dialogue = Dialogue.on1();
  const before = ['Audio', 'Video', 'DataAmf0'] as const;
  for (const kind of before) dialogue.media(MESSAGE[kind], 1);
  dialogue.media(MESSAGE.Video, 0);
  dialogue.media(MESSAGE.Video, 9);
  assert.equal(dialogue.events.length, 0);
  assert.equal(dialogue.engine.strayMedia, 5);

  dialogue.command(1, 'publish', 3, null, 'a', 'live');
  dialogue.engine.refuse(dialogue.question(), 'NetStream.Publish.BadName', 'The name is taken.');
  assert.deepEqual(dialogue.answers(), ['1 onStatus NetStream.Publish.BadName']);
  dialogue.media(MESSAGE.Video, 1);
  assert.equal(dialogue.engine.strayMedia, 6);

  dialogue.command(1, 'publish', 4, null, 'b', 'live');
  dialogue.engine.accept(dialogue.question(), 'b');
  dialogue.events.length = 0;
  dialogue.media(MESSAGE.Video, 1, avcBody('key'), 0x1_0000_0000 - 1);
  dialogue.media(MESSAGE.Audio, 1, aacBody('delta'));
  dialogue.media(MESSAGE.Video, 2, avcBody('delta'));
  assert.deepEqual(
    dialogue.events.map((event) => (event.type === 'media' ? [event.streamId, event.message.typeId] : event.type)),
    [
      [1, 9],
      [1, 8],
    ],
  );

  dialogue.command(1, 'closeStream', 0);
  dialogue.media(MESSAGE.Video, 1, avcBody('delta'));
  assert.deepEqual(dialogue.events.at(-1), { type: 'stopped', streamId: 1, was: 'publish' });
  assert.equal(dialogue.engine.strayMedia, 8);
});

test('an aggregate is taken apart, with the times of its parts', () => {
  const dialogue = Dialogue.on1('publish');
  const part = (typeId: number, millis: number, body: Buffer) => {
    const header = Buffer.alloc(11);
    header[0] = typeId;
    header.writeUIntBE(body.length, 1, 3);
    header.writeUIntBE(millis, 4, 3);
    return Buffer.concat([header, body, Buffer.alloc(4)]);
  };
  const body = Buffer.concat([part(9, 500, avcBody('key')), part(8, 520, aacBody('delta'))]);
  dialogue.media(MESSAGE.Aggregate, 1, body, 10_000);
  assert.deepEqual(
    dialogue.events.map((event) =>
      event.type === 'media' ? [event.message.typeId, event.message.timestamp, event.message.body] : event.type,
    ),
    [
      [9, 10_000, avcBody('key')],
      [8, 10_020, aacBody('delta')],
    ],
  );
});

test('bodies of published media, and of nothing else, are asked for outside', () => {
  const asked: (readonly [number, number, number, number])[] = [];
  const options = {
    allocate: (...how: [number, number, number, number]) => {
      asked.push(how);
      return Buffer.alloc(how[3]);
    },
  };
  const dialogue = Dialogue.on1('publish', 'a', options);
  asked.length = 0;
  dialogue.media(MESSAGE.Video, 1, avcBody('key', 64), 40);
  dialogue.media(MESSAGE.Video, 2, avcBody('key', 64), 40);
  dialogue.command(0, '_checkbw', 0);
  dialogue.command(1, 'closeStream', 0);
  dialogue.media(MESSAGE.Video, 1, avcBody('key', 64), 40);
  assert.deepEqual(
    asked.filter(([typeId]) => typeId === MESSAGE.Video),
    [[MESSAGE.Video, 1, 40, 69]],
  );
});

test('acknowledgements count everything since the first byte, once per window', () => {
  const dialogue = Dialogue.on1('publish');
  const window = messageBytes(MESSAGE.WindowAckSize, 0, writeWindowAckSize(5_000), 0, 2);
  dialogue.bytes(window);
  const heard: string[] = [];
  let sent = 0;
  const body = avcBody('delta', 500);
  const bytes = messageBytes(MESSAGE.Video, 1, body);
  for (let i = 0; i < 40; i++) {
    heard.push(...dialogue.bytes(bytes));
    sent += bytes.length;
  }
  assert.ok(heard.every((word) => word.startsWith('Acknowledgement ')));
  const totals = heard.map((word) => Number(word.split(' ')[1]));
  assert.ok(totals[0]! > HANDSHAKE.length + window.length, `${totals[0]}`);
  for (let i = 1; i < totals.length; i++) {
    const step = totals[i]! - totals[i - 1]!;
    assert.ok(step >= 5_000 && step < 5_000 + bytes.length, `${step}`);
  }
  assert.ok(totals.length >= 3, `${totals.length} of ${sent} bytes`);
});

test('a window of nothing is answered for each KiB, not for each byte', () => {
  const dialogue = Dialogue.on1();
  dialogue.bytes(messageBytes(MESSAGE.WindowAckSize, 0, writeWindowAckSize(0), 0, 2));
  let answers = 0;
  for (let i = 0; i < 100; i++) answers += dialogue.bytes(messageBytes(MESSAGE.Video, 1, Buffer.alloc(20))).length;
  assert.ok(answers >= 3 && answers <= 4, `${answers}`);
});

test('a ping is answered with its own time, ours is sent with what we say', () => {
  const dialogue = Dialogue.connected();
  const ping = writeUserControl({ event: 6, value: 0xfedcba98 });
  assert.deepEqual(dialogue.bytes(messageBytes(MESSAGE.UserControl, 0, ping, 0, 2)), [`PingResponse ${0xfedcba98}`]);
  dialogue.engine.ping(2 ** 32 + 5);
  assert.deepEqual(dialogue.answers(), ['PingRequest 5']);
});

test('messages and controls that say nothing to a server are passed over', () => {
  const dialogue = Dialogue.on1('play');
  const controls: readonly (readonly [number, Buffer])[] = [
    [MESSAGE.UserControl, writeUserControl({ event: 3, value: 1, bufferMillis: 3_000 })],
    [MESSAGE.UserControl, writeUserControl({ event: 7, value: 1 })],
    [MESSAGE.UserControl, writeUserControl({ event: 777, value: 1 })],
    [MESSAGE.Acknowledgement, Buffer.alloc(4)],
    [MESSAGE.SetPeerBandwidth, Buffer.from([0, 0, 1, 0, 2])],
    [MESSAGE.SharedObjectAmf0, Buffer.from('whatever')],
    [MESSAGE.SharedObjectAmf3, Buffer.alloc(0)],
    [99, Buffer.from('nobody defined it')],
  ];
  for (const [typeId, body] of controls) assert.deepEqual(dialogue.bytes(messageBytes(typeId, 0, body, 0, 2)), []);
  assert.deepEqual(dialogue.events, []);
});

for (const [typeId, body] of [
  [MESSAGE.WindowAckSize, Buffer.alloc(3)],
  [MESSAGE.UserControl, Buffer.alloc(1)],
  [MESSAGE.UserControl, Buffer.from([0, 6, 1])],
  [MESSAGE.Aggregate, Buffer.from('shorter than it says')],
] as const) {
  test(`a message of type ${typeId} with ${body.length} bytes is a fault`, () => {
    const dialogue = Dialogue.on1('publish');
    assert.throws(() => dialogue.bytes(messageBytes(typeId, 1, body)), fails('rtmp/message'));
  });
}

test('commands that nobody knows are answered so, whatever they are called', () => {
  const dialogue = Dialogue.on1();
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'run', 'end', 'createstream']) {
    assert.deepEqual(dialogue.command(0, name, 7), ['0 _error 7 NetConnection.Call.Failed'], name);
    assert.deepEqual(dialogue.command(1, name, 0), [], name);
  }
  dialogue.command(0, 'a\nb\u001b[31m'.padEnd(64, 'c'), 8);
  assert.match(String(dialogue.object().get('description')), /^Unknown command a\?b\?\[31mc+\.$/);
});

test('answers to what we never asked, and remarks, are passed over', () => {
  const dialogue = Dialogue.on1();
  for (const name of ['_result', '_error', 'onStatus', 'onBWDone']) {
    assert.deepEqual(dialogue.command(0, name, 99, null, { code: 'x' }), [], name);
  }
});

test('a command before connect, and a second connect, are faults', () => {
  for (const name of ['createStream', 'publish', 'play', 'constructor']) {
    assert.throws(() => new Dialogue().command(0, name, 2, null, 'a'), fails('rtmp/sequence'), name);
  }
  assert.throws(() => Dialogue.connected().command(0, 'connect', 2, CONNECT), fails('rtmp/sequence'));
});

test('media before connect is dropped', () => {
  const dialogue = new Dialogue();
  dialogue.media(MESSAGE.Video, 1, avcBody('key'));
  assert.deepEqual(dialogue.events, []);
  assert.equal(dialogue.engine.strayMedia, 1);
});

test('the longest message is short before the login, and long after it', () => {
  const large = Buffer.alloc(5_000);
  assert.throws(() => new Dialogue().media(MESSAGE.Video, 1, large), fails('rtmp/message-size'));
  Dialogue.connected().media(MESSAGE.Video, 1, large);
  const tooLarge = Buffer.alloc((1 << 20) + 1);
  assert.throws(() => Dialogue.connected().media(MESSAGE.Video, 1, tooLarge), fails('rtmp/message-size'));
});

test('enhanced RTMP is only spoken of with those who spoke of it', () => {
  const plain = new Dialogue();
  plain.command(0, 'connect', 1, CONNECT);
  plain.engine.accept(plain.question());
  plain.answers();
  const answer = plain.heard.find((message) => inWords(message).includes('_result'))!;
  plain.heard = [answer];
  assert.equal(plain.object().has('capsEx'), false);

  const enhanced = new Dialogue();
  const list = ['av01', 'hvc1', 7, 'Opus'];
  enhanced.command(0, 'connect', 1, { ...CONNECT, fourCcList: list, capsEx: 3, videoFourCcInfoMap: { vp09: 1 } });
  const [event] = enhanced.events;
  assert.ok(event?.type === 'connect');
  assert.equal(event.connect.capsEx, 3);
  enhanced.engine.accept(event.question);
  enhanced.answers();
  enhanced.heard = enhanced.heard.filter((message) => inWords(message).includes('_result'));
  assert.equal(enhanced.object().get('capsEx'), 15);
  assert.ok(Array.isArray(enhanced.object().get('fourCcList')));
});

test('who can connect again is asked to, the others are not', () => {
  for (const [capsEx, asked] of [
    [CAPS_EX.reconnect, true],
    [CAPS_EX.multitrack, false],
  ] as const) {
    const dialogue = new Dialogue();
    dialogue.command(0, 'connect', 1, { ...CONNECT, capsEx });
    dialogue.engine.accept(dialogue.question());
    dialogue.answers();
    assert.equal(dialogue.engine.requestReconnect('Back in a minute.'), asked);
    assert.deepEqual(dialogue.answers(), asked ? ['0 onStatus NetConnection.Connect.ReconnectRequest'] : []);
  }
  assert.equal(Dialogue.connected().engine.requestReconnect(''), false);
});

test('a farewell tells each stream in use, then the connection, and is the last word', () => {
  const dialogue = Dialogue.on1('publish');
  dialogue.command(0, 'createStream', 3);
  dialogue.command(0, 'createStream', 4);
  dialogue.command(3, 'play', 0, null, 'b');
  dialogue.engine.accept(dialogue.question(), 'b');
  dialogue.answers();
  dialogue.events.length = 0;
  dialogue.engine.farewell('NetConnection.Connect.Closed', 'Your show is over.');
  assert.deepEqual(dialogue.answers(), [
    '1 onStatus NetStream.Publish.Denied',
    '3 onStatus NetStream.Play.Failed',
    '0 onStatus NetConnection.Connect.Closed',
  ]);
  assert.equal(dialogue.object().get('description'), 'Your show is over.');
  assert.deepEqual(dialogue.media(MESSAGE.Video, 1), []);
  assert.deepEqual(dialogue.command(0, '_checkbw', 9), []);
  assert.deepEqual(dialogue.events, []);
});

test('a farewell before the login has nobody to talk to', () => {
  const dialogue = new Dialogue();
  dialogue.answers();
  dialogue.engine.farewell('NetConnection.Connect.Closed', 'no');
  assert.deepEqual(dialogue.answers(), []);
});
