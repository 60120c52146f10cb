import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import type { AmfWritable } from '../../src/rtmp/amf-value.ts';
import { Dialogue } from '../helpers/dialogue.ts';

function fails(code: string): (error: unknown) => boolean {
  return (error) => error instanceof PeerError && error.code === code;
}

test('numbers of deleted streams are used again, and there is a last one', () => {
  const dialogue = Dialogue.connected();
  for (let id = 1; id <= 16; id++) {
    assert.deepEqual(dialogue.command(0, 'createStream', id + 1), [`0 _result ${id + 1} ${id}`]);
  }
  dialogue.command(0, 'deleteStream', 0, null, 5);
  dialogue.command(0, 'deleteStream', 0, null, 2);
  assert.deepEqual(dialogue.command(0, 'createStream', 20), ['0 _result 20 2']);
  assert.deepEqual(dialogue.command(0, 'createStream', 21), ['0 _result 21 5']);
  assert.throws(() => dialogue.command(0, 'createStream', 22), fails('rtmp/sequence'));
});

/** Commands on stream 1, which nothing was done with yet, and the fault. */
const FAULTS: readonly [name: string, streamId: number, args: readonly AmfWritable[], code: string][] = [
  ['publish', 0, ['a'], 'rtmp/sequence'],
  ['publish', 2, ['a'], 'rtmp/sequence'],
  ['publish', 1, [], 'rtmp/command'],
  ['publish', 1, [true], 'rtmp/command'],
  ['publish', 1, [{ name: 'a' }], 'rtmp/command'],
  ['publish', 1, [null], 'rtmp/command'],
  ['play', 0, ['a'], 'rtmp/sequence'],
  ['play', 2, ['a'], 'rtmp/sequence'],
  ['play', 1, [7], 'rtmp/command'],
  ['play', 1, [['a']], 'rtmp/command'],
  ['play2', 1, ['a'], 'rtmp/command'],
  ['play2', 1, [{ oldStreamName: 'a' }], 'rtmp/command'],
  ['play2', 1, [{ streamName: 7 }], 'rtmp/command'],
];

for (const [name, streamId, args, code] of FAULTS) {
  test(`${name}(${JSON.stringify(args).slice(1, -1)}) on stream ${streamId} is a fault`, () => {
    const dialogue = Dialogue.on1();
    assert.throws(() => dialogue.command(streamId, name, 3, null, ...args), fails(code));
    assert.deepEqual(dialogue.events, []);
  });
}

test('a stream does one thing at a time', () => {
  assert.throws(() => Dialogue.on1('publish').command(1, 'publish', 3, null, 'b'), fails('rtmp/sequence'));
  assert.throws(() => Dialogue.on1('publish').command(1, 'play', 3, null, 'b'), fails('rtmp/sequence'));
  assert.throws(() => Dialogue.on1('play').command(1, 'publish', 3, null, 'b'), fails('rtmp/sequence'));
});

test('play on a stream that plays switches it, and says so', () => {
  const dialogue = Dialogue.on1('play');
  dialogue.command(1, 'play', 3, null, 'b');
  const question = { asks: 'play', streamId: 1, transaction: 3 };
  assert.deepEqual(dialogue.events, [{ type: 'play', name: 'b', question, restart: true }]);
});

test('false in place of a name ends what the stream does, as in Flash', () => {
  const publisher = Dialogue.on1('publish');
  assert.deepEqual(publisher.command(1, 'publish', 0, null, false), ['1 onStatus NetStream.Unpublish.Success']);
  assert.deepEqual(publisher.events, [{ type: 'stopped', streamId: 1, was: 'publish' }]);
  const player = Dialogue.on1('play');
  assert.deepEqual(player.command(1, 'play', 0, null, false), []);
  assert.deepEqual(player.events, [{ type: 'stopped', streamId: 1, was: 'play' }]);
});

/** On a stream that plays, a stream that publishes, an idle one, and one that there is not. */
const WORDS: readonly [name: string, args: readonly AmfWritable[], playing: readonly string[], event: object][] = [
  [
    'pause',
    [true, 0],
    ['StreamEof 1', '1 onStatus NetStream.Pause.Notify'],
    { type: 'paused', streamId: 1, paused: true },
  ],
  [
    'pause',
    ['nonsense'],
    ['StreamBegin 1', '1 onStatus NetStream.Unpause.Notify'],
    { type: 'paused', streamId: 1, paused: false },
  ],
  ['receiveAudio', [false], [], { type: 'wants', streamId: 1, kind: 'audio', wanted: false }],
  ['receiveAudio', [true], [], { type: 'wants', streamId: 1, kind: 'audio', wanted: true }],
  ['receiveVideo', [false], [], { type: 'wants', streamId: 1, kind: 'video', wanted: false }],
  ['receiveVideo', [], [], { type: 'wants', streamId: 1, kind: 'video', wanted: true }],
];

for (const [name, args, answers, event] of WORDS) {
  test(`${name}(${args.join(', ')}) means something to a player only`, () => {
    const player = Dialogue.on1('play');
    assert.deepEqual(player.command(1, name, 0, null, ...args), answers);
    assert.deepEqual(player.events, [event]);
    for (const does of ['publish', undefined] as const) {
      const other = Dialogue.on1(does);
      assert.deepEqual(other.command(1, name, 0, null, ...args), []);
      assert.deepEqual(other.command(9, name, 0, null, ...args), []);
      assert.deepEqual(other.events, []);
    }
  });
}

test('seek changes nothing, and is answered on a stream that plays', () => {
  const player = Dialogue.on1('play');
  assert.deepEqual(player.command(1, 'seek', 0, null, 5_000), ['1 onStatus NetStream.Seek.Notify']);
  assert.deepEqual(player.events, []);
  assert.deepEqual(Dialogue.on1().command(1, 'seek', 0, null, 5_000), []);
});

test('deleteStream by number, by the stream it came on, or of none', () => {
  const player = Dialogue.on1('play');
  assert.deepEqual(player.command(0, 'deleteStream', 0, null, 7), []);
  assert.deepEqual(player.command(0, 'deleteStream', 0, null, 1.5), []);
  assert.deepEqual(player.events, []);
  player.command(1, 'deleteStream', 0);
  assert.deepEqual(player.events, [{ type: 'stopped', streamId: 1, was: 'play' }]);
  assert.deepEqual(player.command(0, 'createStream', 5), ['0 _result 5 1']);
});

test('FCUnpublish ends all that the connection publishes, and nothing that it plays', () => {
  const dialogue = Dialogue.on1('publish');
  for (const [streamId, does] of [
    [2, 'play'],
    [3, 'publish'],
  ] as const) {
    dialogue.command(0, 'createStream', 5);
    dialogue.command(streamId, does, 0, null, 'b');
    dialogue.engine.accept(dialogue.question(), 'b');
  }
  dialogue.events.length = 0;
  dialogue.command(0, 'FCUnpublish', 9, null, 'whatever');
  assert.deepEqual(dialogue.events, [
    { type: 'stopped', streamId: 1, was: 'publish' },
    { type: 'stopped', streamId: 3, was: 'publish' },
  ]);
});

test('FCSubscribe, initStream and checkBandwidth get their result, when they want one', () => {
  const dialogue = Dialogue.connected();
  assert.deepEqual(dialogue.command(0, 'FCSubscribe', 4, null, 'a'), ['0 _result 4 undefined']);
  assert.deepEqual(dialogue.command(0, 'initStream', 5), ['0 _result 5 undefined']);
  assert.deepEqual(dialogue.command(0, 'checkBandwidth', 6), ['0 _result 6 null']);
  assert.deepEqual(dialogue.command(0, 'FCSubscribe', 0, null, 'a'), []);
});

test('players are told when their publisher goes and comes', () => {
  const dialogue = Dialogue.on1('play');
  dialogue.engine.notify(1, false, 'a');
  assert.deepEqual(dialogue.answers(), ['StreamEof 1', '1 onStatus NetStream.Play.UnpublishNotify']);
  dialogue.engine.notify(1, true, 'a');
  assert.deepEqual(dialogue.answers(), ['StreamBegin 1', '1 onStatus NetStream.Play.PublishNotify']);
});

test('a stream that was stopped from this side may be used again', () => {
  const dialogue = Dialogue.on1('publish');
  dialogue.engine.stop(1);
  dialogue.engine.stop(7);
  dialogue.media(9, 1);
  assert.equal(dialogue.engine.strayMedia, 1);
  dialogue.command(1, 'publish', 0, null, 'b');
  assert.equal(dialogue.events.at(-1)?.type, 'publish');
});
