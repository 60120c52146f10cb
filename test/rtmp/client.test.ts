import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import { AMF_LIMITS, type AmfWritable } from '../../src/rtmp/amf-value.ts';
import { ChunkStream } from '../../src/rtmp/chunk-stream.ts';
import { type ClientEvent, type ClientOptions, RtmpClient } from '../../src/rtmp/client.ts';
import * as commands from '../../src/rtmp/commands.ts';
import { ServerHandshake } from '../../src/rtmp/handshake.ts';
import { MESSAGE, type Message } from '../../src/rtmp/messages.ts';
import { inWords } from '../helpers/dialogue.ts';
import { avcBody } from '../helpers/frames.ts';

/** A client, and a server that is played by hand. */
class Stage {
  readonly client: RtmpClient;
  readonly server = new ChunkStream({ handshake: new ServerHandshake((n) => Buffer.alloc(n, 1)), maxMessage: 1 << 20 });
  readonly events: ClientEvent[] = [];

  constructor(options: Partial<ClientOptions> = {}) {
    this.client = new RtmpClient({
      random: (count) => Buffer.alloc(count, 2),
      does: 'publish',
      tcUrl: 'rtmp://host:1935/live/inner?ann&hall',
      stream: 'a',
      ...options,
    });
  }

  /** Sends a command to the client, and answers what it says. */
  says(streamId: number, ...values: readonly AmfWritable[]): string[] {
    const [name, transaction, ...rest] = values;
    this.server.send(
      MESSAGE.CommandAmf0,
      streamId,
      0,
      commands.command(String(name), Number(transaction), null, ...rest),
    );
    return this.exchange();
  }

  status(level: string, code: string, description = ''): string[] {
    return this.says(1, 'onStatus', 0, { level, code, description });
  }

  exchange(): string[] {
    return this.messages().map(inWords);
  }

  messages(): Message[] {
    const heard: Message[] = [];
    for (let round = 0; round < 3; round++) {
      for (const bytes of this.client.drain()) this.server.feed(Buffer.from(bytes));
      for (let next = this.server.next(); next !== undefined; next = this.server.next()) heard.push(next);
      for (const bytes of this.server.drain()) this.client.feed(Buffer.from(bytes));
      for (let next = this.client.next(); next !== undefined; next = this.client.next()) this.events.push(next);
    }
    return heard;
  }

  /** Up to where the client may begin. */
  begun(): this {
    this.exchange();
    this.says(0, '_result', 1);
    for (let i = 2; i <= 4; i++) this.says(0, '_result', i, 1);
    return this;
  }
}

test('it publishes as encoders do', () => {
  const stage = new Stage();
  assert.deepEqual(stage.exchange(), ['0 connect 1']);
  assert.deepEqual(stage.says(0, '_result', 1, null), ['0 releaseStream 2 a', '0 FCPublish 3 a', '0 createStream 4']);
  assert.deepEqual(stage.says(0, '_error', 2, { code: 'NetConnection.Call.Failed' }), []);
  assert.deepEqual(stage.says(0, '_error', 3, null), []);
  assert.deepEqual(stage.says(0, '_result', 4, 5), ['5 publish a live']);
  stage.status('status', 'NetStream.Publish.Start');
  assert.deepEqual(
    stage.events.map(({ type }) => type),
    ['connected', 'ready'],
  );
  stage.client.write(MESSAGE.Video, 2 ** 32 - 1, avcBody('key', 100_000));
  const [media] = stage.messages();
  assert.deepEqual([media?.typeId, media?.streamId, media?.timestamp], [9, 5, 2 ** 32 - 1]);
  assert.deepEqual(media?.body, avcBody('key', 100_000));
  stage.client.stop();
  assert.deepEqual(stage.exchange(), ['0 FCUnpublish 5 a', '0 deleteStream 5']);
});

test('it plays as players do', () => {
  const stage = new Stage({ does: 'play' });
  stage.exchange();
  assert.deepEqual(stage.says(0, '_result', 1, null), ['0 createStream 2']);
  assert.deepEqual(stage.says(0, '_result', 2, 1), ['SetBufferLength 1', '1 play a -2000']);
  stage.status('status', 'NetStream.Play.Reset');
  stage.status('status', 'NetStream.Play.Start');
  stage.server.send(MESSAGE.Video, 1, 40, avcBody('key'), 6);
  stage.exchange();
  assert.deepEqual(
    stage.events.map((event) => (event.type === 'media' ? event.message.body.length : event.type)),
    ['connected', 'status', 'ready', 69],
  );
  stage.client.send('pause', true, 0);
  assert.deepEqual(stage.exchange(), ['1 pause true 0']);
  stage.client.stop();
  assert.deepEqual(stage.exchange(), ['0 deleteStream 1']);
});

test('what follows the host is the application; capabilities and arguments are said when asked for', () => {
  const stage = new Stage({ enhanced: true, connectArguments: ['session', 'room'] });
  const [connect] = stage.messages();
  const read = commands.readCommand(connect!, AMF_LIMITS);
  assert.equal(read.object?.get('app'), 'live/inner?ann&hall');
  assert.equal(read.object?.get('tcUrl'), 'rtmp://host:1935/live/inner?ann&hall');
  assert.equal(read.object?.get('capsEx'), 15);
  assert.deepEqual(read.args, ['session', 'room']);
});

/** Words of a server that end it, and what is told. */
const REFUSALS: readonly [what: string, say: (stage: Stage) => void, code: string, description: string][] = [
  [
    'connect',
    (stage) => {
      stage.exchange();
      stage.says(0, '_error', 1, { level: 'error', code: 'NetConnection.Connect.Rejected', description: 'No.' });
    },
    'NetConnection.Connect.Rejected',
    'No.',
  ],
  [
    'createStream',
    (stage) => {
      stage.exchange();
      stage.says(0, '_result', 1);
      stage.says(0, '_error', 4, { code: 'NetConnection.Call.Failed' });
    },
    'NetConnection.Call.Failed',
    '',
  ],
  [
    'publish',
    (stage) => void stage.begun().status('error', 'NetStream.Publish.BadName', 'Taken.'),
    'NetStream.Publish.BadName',
    'Taken.',
  ],
  [
    'the connection, later',
    (stage) => void stage.begun().says(0, 'close', 0),
    'NetConnection.Connect.Closed',
    'closed by the server',
  ],
];

for (const [what, say, code, description] of REFUSALS) {
  test(`a refusal of ${what} is told in the server's words`, () => {
    const stage = new Stage();
    say(stage);
    assert.deepEqual(stage.events.at(-1), { type: 'refused', code, description });
  });
}

test('answers to nothing, unknown commands and odd levels are borne', () => {
  const stage = new Stage().begun();
  stage.events.length = 0;
  stage.says(0, '_result', 77, null);
  stage.says(0, '_error', 77, null);
  stage.says(0, 'constructor', 0, null);
  stage.says(0, 'onBWDone', 0);
  stage.status('toString', 'NetStream.Whatever');
  assert.deepEqual(stage.events, [{ type: 'status', level: 'status', code: 'NetStream.Whatever', description: '' }]);
});

test('a status without an object is a fault', () => {
  const stage = new Stage().begun();
  assert.throws(
    () => stage.says(1, 'onStatus', 0, 'text'),
    (error) => error instanceof PeerError && error.code === 'rtmp/command',
  );
});

test('to stop before there is a stream says nothing', () => {
  const stage = new Stage();
  stage.exchange();
  stage.client.stop();
  assert.deepEqual(stage.exchange(), []);
});
