import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MESSAGE } from '../../src/rtmp/messages.ts';
import { type Admission, type Gate, OpenGate, type Verdict } from '../../src/session/gate.ts';
import type { Session } from '../../src/session/session.ts';
import { CONNECT, commandBytes, HANDSHAKE, inWords, messageBytes } from '../helpers/dialogue.ts';
import { aacBody, avcBody, metadataBody } from '../helpers/frames.ts';
import {
  aClient,
  aWorld,
  HandLine,
  Line,
  logged,
  seconds,
  settle,
  type TestWorld,
  TownClient,
} from '../helpers/rtmp-town.ts';
import { settled } from '../helpers/virtual-clock.ts';

const YES: Verdict = { allow: true, name: 'ann', room: 'hall', role: 'broadcaster', canKick: false };

/** A gate that answers when it is told to, and writes down what it hears. */
class SlowGate implements Gate {
  readonly heard: string[] = [];
  readonly asked: Admission[] = [];
  takeover = false;
  #answers: ((verdict: Verdict) => void)[] = [];

  admit(request: Admission): Promise<Verdict> {
    this.asked.push(request);
    return new Promise((resolve) => this.#answers.push(resolve));
  }
  async answer(verdict: Verdict): Promise<void> {
    this.#answers.shift()!(verdict);
    await settled();
  }
  abandon(): void {
    this.heard.push('abandon');
  }
  opened(session: Session): void {
    this.heard.push(`opened ${session.name}`);
  }
  farewell(session: Session): void {
    this.heard.push(`farewell ${session.name}`);
  }
  published(session: Session): void {
    this.heard.push(`published ${session.stream?.name ?? 'nothing'}`);
  }
  mayTakeOver(): boolean {
    return this.takeover;
  }
}

class FixedGate extends OpenGate {
  readonly #verdict: Verdict;
  constructor(verdict: Verdict) {
    super();
    this.#verdict = verdict;
  }
  override async admit(): Promise<Verdict> {
    return this.#verdict;
  }
}

function nobodyIsLeft(world: TestWorld): void {
  assert.equal(world.registry.size, 0);
  assert.equal(world.hub.size, 0);
  assert.equal(world.audiences.withheld, 0);
}

test('who changes its mind all the time and reads nothing is cut before its queue grows', async () => {
  const world = aWorld();
  const publisher = await aClient(world, { does: 'publish' });
  publisher.write(9, 0, Buffer.concat([Buffer.of(0x17, 0, 0, 0, 0), Buffer.alloc(60_000, 1)]));
  publisher.write(9, 0, avcBody('key', 60_000));
  const player = await aClient(world, { does: 'play' });
  const { transport } = player.line;
  transport.stalled = true;
  for (let at = 0; at < 200; at++) player.engine.send('receiveVideo', at % 2 === 1);
  player.pump();
  assert.equal(logged(world, 'rtmp/slow-viewer').length, 1);
  assert.ok(transport.queuedBytes < 2 << 20);
});

test('one publishes, another plays: every message arrives', async () => {
  const world = aWorld();
  const publisher = await aClient(world, { does: 'publish', tcUrl: 'rtmp://localhost/live?ann&hall' });
  assert.deepEqual(publisher.words().slice(0, 2), ['connected', 'ready']);
  const bodies = [metadataBody(), avcBody('config'), aacBody('config'), avcBody('key', 90_000), aacBody('delta')];
  const types = [18, 9, 8, 9, 8];
  for (const [i, body] of bodies.entries()) publisher.write(types[i]!, i * 40, body);
  const player = await aClient(world, { does: 'play' });
  publisher.write(9, 400, avcBody('delta', 70_000));
  await settle(player);
  assert.deepEqual(
    player.media.filter(({ typeId }) => typeId !== 18).map(({ body }) => body),
    [...bodies.slice(1), avcBody('delta', 70_000)],
  );
  assert.equal(world.joins.length, 1);
  const [session] = world.registry.named('live', 'ann');
  assert.equal(session?.room, 'hall');
  assert.equal(session?.state, 'publishing');
  assert.deepEqual(session?.stream, { name: 'a', query: '', doing: 'publish' });
  assert.equal(session?.hasVideo && session.hasAudio, true);

  publisher.engine.stop();
  publisher.pump();
  player.pump();
  assert.ok(player.words().includes('status NetStream.Play.UnpublishNotify'));
  assert.equal(session?.stream, undefined);
  for (const each of [publisher, player]) each.line.finish();
  for (const each of [publisher, player]) each.pump();
  nobodyIsLeft(world);
  assert.deepEqual([publisher.line.closed, player.line.closed], [1, 1]);
});

test('a player may come first; it is told when the publisher comes and goes', async () => {
  const world = aWorld();
  const player = await aClient(world, { does: 'play' });
  const publisher = await aClient(world, { does: 'publish' });
  publisher.write(9, 0, avcBody('key'));
  player.pump();
  publisher.engine.stop();
  publisher.pump();
  player.pump();
  const words = player.words().filter((word) => word.startsWith('status NetStream.Play.') && !word.endsWith('Reset'));
  assert.deepEqual(words, ['status NetStream.Play.PublishNotify', 'status NetStream.Play.UnpublishNotify']);
  assert.deepEqual(world.joins, []);
});

test('nothing happens before the gate has spoken, and the socket is not read', async () => {
  const gate = new SlowGate();
  const world = aWorld({}, gate);
  const line = new HandLine(world);
  line.send(Buffer.concat([HANDSHAKE, commandBytes(0, ['connect', 1, CONNECT]), commandBytes(0, ['createStream', 2])]));
  line.send(commandBytes(1, ['publish', 3, null, 'a']));
  assert.equal(line.transport.paused, true);
  assert.deepEqual(line.messages(), []);
  assert.equal(world.registry.size, 0);
  await gate.answer(YES);
  assert.equal(line.transport.paused, false);
  line.flow();
  assert.deepEqual(line.messages().map(inWords).slice(-3), [
    '0 _result 2 1',
    'StreamBegin 1',
    '1 onStatus NetStream.Publish.Start',
  ]);
  assert.deepEqual(gate.heard, ['opened ann', 'published a']);
  line.cut();
  assert.deepEqual(gate.heard.slice(2), ['published nothing', 'farewell ann']);
});

test('a client that is gone before the gate speaks gives back what was granted', async () => {
  for (const leave of [(line: Line) => line.cut(), (line: Line) => line.finish()]) {
    const gate = new SlowGate();
    const world = aWorld({}, gate);
    const line = new Line(world);
    line.send(Buffer.concat([HANDSHAKE, commandBytes(0, ['connect', 1, CONNECT])]));
    leave(line);
    await gate.answer(YES);
    line.tidy();
    assert.deepEqual(gate.heard, ['abandon']);
    assert.equal(line.closed, 1);
    nobodyIsLeft(world);
  }
});

test('a slow gate is waited for, beyond the deadline for connects', async () => {
  const gate = new SlowGate();
  const world = aWorld({}, gate);
  const line = new Line(world);
  line.send(Buffer.concat([HANDSHAKE, commandBytes(0, ['connect', 1, CONNECT])]));
  seconds(world, 60, line);
  assert.equal(line.closed, 0);
  await gate.answer(YES);
  assert.equal(world.registry.size, 1);
});

for (const [code, status] of [
  ['access/login', 'NetConnection.Connect.Rejected'],
  ['access/application', 'NetConnection.Connect.InvalidApp'],
] as const) {
  test(`a refusal with ${code} is ${status}, in the words of the gate, then the end`, async () => {
    const world = aWorld({}, new FixedGate({ allow: false, code, reason: 'The door is shut.' }));
    const client = await aClient(world, { does: 'publish' });
    assert.deepEqual(client.events, [{ type: 'refused', code: status, description: 'The door is shut.' }]);
    assert.equal(client.line.transport.ended, true);
    // bytes on the way are read and looked at no more, so that the words arrive
    assert.equal(client.line.transport.paused, false);
    client.line.send(commandBytes(0, ['createStream', 2]));
    client.line.finish();
    client.pump();
    assert.equal(client.line.closed, 1);
    assert.equal(world.counts.closed.get(code), 1);
    nobodyIsLeft(world);
  });
}

test('an address that cannot be one is refused without asking anybody', async () => {
  const gate = new SlowGate();
  const client = await aClient(aWorld({}, gate), { does: 'publish', tcUrl: 'rtmp://localhost/../..' });
  assert.deepEqual(client.words(), ['refused NetConnection.Connect.Rejected']);
  assert.deepEqual(gate.asked, []);
});

test('the gate hears application, address and parameters, and the argument of Flash', async () => {
  const gate = new SlowGate();
  const world = aWorld({}, gate);
  await aClient(
    world,
    { does: 'play', tcUrl: 'rtmp://host:1935/app?s&r&k&1&7&videowhisper', connectArguments: ['s2'] },
    '192.0.2.9',
  );
  assert.deepEqual(gate.asked, [
    { transport: 'rtmp', app: 'app', ip: '192.0.2.9', params: ['s', 'r', 'k', '1', '7'], argument: 's2' },
  ]);
});

test('a viewer may not publish, and stays to play', async () => {
  const world = aWorld({}, new FixedGate({ ...YES, role: 'watcher' } as Verdict));
  const client = await aClient(world, { does: 'publish' });
  assert.deepEqual(client.words().slice(1), ['refused NetStream.Publish.Denied']);
  client.write(9, 0, avcBody('key'));
  assert.equal(world.hub.size, 0);
  assert.equal(world.counts.closed.get('access/role'), 1);
  client.engine.send('play', 'a');
  client.pump();
  assert.equal(client.words().at(-2), 'ready');
});

test('a name that is taken is refused; what the second one sends reaches nobody', async () => {
  const world = aWorld();
  const first = await aClient(world, { does: 'publish' });
  const second = await aClient(world, { does: 'publish' });
  assert.deepEqual(second.words().slice(1), ['refused NetStream.Publish.BadName']);
  first.write(9, 0, avcBody('key', 64, 0, 1));
  const player = await aClient(world, { does: 'play' });
  second.write(9, 0, avcBody('key', 64, 0, 2));
  first.write(9, 40, avcBody('delta', 64, 0, 1));
  player.pump();
  assert.deepEqual(
    player.media.filter(({ typeId }) => typeId === 9).map(({ body }) => body),
    [avcBody('key', 64, 0, 1), avcBody('delta', 64, 0, 1)],
  );
  seconds(world, 9, second.line);
  first.write(9, 80, avcBody('delta'));
  seconds(world, 25, second.line);
  assert.equal(second.line.transport.ended, true);
});

test('a takeover: the first one reads why, the second one is seen', async () => {
  const gate = new SlowGate();
  gate.takeover = true;
  const world = aWorld({}, gate);
  const first = new TownClient(world, { does: 'publish' });
  await gate.answer(YES);
  await settle(first);
  const player = new TownClient(world, { does: 'play' });
  await gate.answer(YES);
  await settle(player);
  const second = new TownClient(world, { does: 'publish' });
  await gate.answer(YES);
  await settle(second, first);
  assert.equal(second.words().at(-1), 'ready');
  const reason = first.events.find((event) => event.type === 'refused');
  assert.match(String(reason?.description), /took over/);
  assert.equal(first.line.transport.ended, true);
  first.write(9, 0, avcBody('key', 64, 0, 1));
  second.write(9, 0, avcBody('key', 64, 0, 2));
  player.pump();
  assert.deepEqual(
    player.media.filter(({ typeId }) => typeId === 9).map(({ body }) => body),
    [avcBody('key', 64, 0, 2)],
  );
  const late = new TownClient(world, { does: 'play' });
  await gate.answer(YES);
  await settle(late);
  assert.equal(late.media.filter(({ typeId }) => typeId === 9).length, 1);
});

test('pause stops the picture, the session stays, and the way back starts fresh', async () => {
  const world = aWorld();
  const player = await aClient(world, { does: 'play' });
  const publisher = await aClient(world, { does: 'publish' });
  publisher.write(9, 0, avcBody('key'));
  player.pump();
  player.engine.send('pause', true, 0);
  player.pump();
  publisher.write(9, 40, avcBody('delta'));
  player.pump();
  const pictures = () => player.media.filter(({ typeId }) => typeId === 9).length;
  assert.equal(pictures(), 1);
  player.engine.send('pause', false, 0);
  player.pump();
  assert.equal(pictures(), 3);
  assert.deepEqual(
    player.words().filter((word) => word.includes('ause')),
    ['status NetStream.Pause.Notify', 'status NetStream.Unpause.Notify'],
  );
  player.engine.send('receiveVideo', false);
  player.pump();
  publisher.write(9, 80, avcBody('delta'));
  player.pump();
  assert.equal(pictures(), 3);
});

test('who paused alone finds the publisher that came meanwhile', async () => {
  const world = aWorld();
  const player = await aClient(world, { does: 'play' });
  player.engine.send('pause', true, 0);
  player.pump();
  const publisher = await aClient(world, { does: 'publish' });
  publisher.write(9, 0, avcBody('key'));
  player.engine.send('pause', false, 0);
  player.pump();
  assert.equal(player.media.filter(({ typeId }) => typeId === 9).length, 1);
});

test('the words of a disconnect reach the client before the close', async () => {
  const world = aWorld();
  const player = await aClient(world, { does: 'play' });
  const publisher = await aClient(world, { does: 'publish', tcUrl: 'rtmp://localhost/live?bob' });
  world.registry.named('live', 'bob')[0]!.disconnect('Time is up.');
  world.registry.named('live', 'bob')[0]!.disconnect('Twice.');
  await settle(publisher);
  assert.deepEqual(publisher.events.slice(-2), [
    { type: 'refused', code: 'NetStream.Publish.Denied', description: 'Time is up.' },
    { type: 'refused', code: 'NetConnection.Connect.Closed', description: 'Time is up.' },
  ]);
  player.pump();
  assert.equal(player.words().at(-1), 'status NetStream.Play.UnpublishNotify');
  assert.equal(publisher.line.transport.ended, true);
  assert.equal(publisher.line.closed, 0);
  // the client keeps its half open: a second later it is cut
  seconds(world, 2, publisher.line);
  assert.equal(publisher.line.closed, 1);
  assert.equal(world.counts.closed.get('access/disconnected'), 1);
});

test('a client that closes its half is let go', async () => {
  const world = aWorld();
  const player = await aClient(world, { does: 'play' });
  player.line.transport.stalled = true;
  const publisher = await aClient(world, { does: 'publish' });
  publisher.write(9, 0, avcBody('key', 5_000));
  player.line.peer.finished();
  assert.equal(player.line.transport.ended, true);
  assert.equal(player.line.closed, 0);
  seconds(world, 2, player.line);
  assert.equal(player.line.closed, 1);
});

test('the end is told once, whatever comes together', async () => {
  const gate = new SlowGate();
  const world = aWorld({}, gate);
  const line = new Line(world);
  line.send(Buffer.concat([HANDSHAKE, commandBytes(0, ['connect', 1, CONNECT])]));
  await gate.answer(YES);
  line.peer.finished();
  line.peer.dismiss('access/disconnected', 'now');
  line.peer.drain('bye');
  line.send(Buffer.from('garbage'));
  line.peer.closed();
  line.peer.closed();
  line.peer.finished();
  line.peer.check();
  assert.equal(line.closed, 1);
  assert.deepEqual(gate.heard, ['opened ann', 'farewell ann']);
  nobodyIsLeft(world);
});

test('the server leaves: who can is asked to come back, everybody is told', async () => {
  const world = aWorld();
  const plain = await aClient(world, { does: 'play' });
  const enhanced = await aClient(world, { does: 'play', enhanced: true });
  for (const each of [plain, enhanced]) each.line.peer.drain('Back soon.');
  await settle(plain, enhanced);
  assert.deepEqual(plain.words().slice(-2), [
    'refused NetStream.Play.Failed',
    'refused NetConnection.Connect.AppShutdown',
  ]);
  assert.deepEqual(enhanced.words().slice(-3), [
    'status NetConnection.Connect.ReconnectRequest',
    'refused NetStream.Play.Failed',
    'refused NetConnection.Connect.AppShutdown',
  ]);
});

/** What a client has done when it falls silent; seconds that it is left alone; the code in the end. */
const DEADLINES: readonly [what: string, sent: readonly Buffer[], after: number, code: string][] = [
  ['nothing at all', [], 10, 'rtmp/timeout'],
  ['half a handshake', [HANDSHAKE.subarray(0, 2_000)], 10, 'rtmp/timeout'],
  ['a handshake', [HANDSHAKE], 15, 'rtmp/timeout'],
  ['a connect', [HANDSHAKE, commandBytes(0, ['connect', 1, CONNECT])], 30, 'rtmp/timeout'],
  [
    'a publish',
    [
      HANDSHAKE,
      commandBytes(0, ['connect', 1, CONNECT]),
      commandBytes(0, ['createStream', 2]),
      commandBytes(1, ['publish', 3, null, 'a']),
    ],
    10,
    'rtmp/dead-peer',
  ],
  [
    'a play of what nobody publishes',
    [
      HANDSHAKE,
      commandBytes(0, ['connect', 1, CONNECT]),
      commandBytes(0, ['createStream', 2]),
      commandBytes(1, ['play', 3, null, 'a']),
    ],
    30,
    'stream/not-found',
  ],
];

for (const [what, sent, after, code] of DEADLINES) {
  test(`${what}, then silence: ${code} after ${after} s`, async () => {
    const world = aWorld();
    const line = new Line(world);
    for (const bytes of sent) {
      line.send(bytes);
      await settled();
    }
    line.flow();
    seconds(world, 1, line);
    seconds(world, after - 1, line);
    assert.equal(world.counts.closed.get(code), undefined);
    seconds(world, 2, line);
    assert.equal(world.counts.closed.get(code), 1);
    assert.equal(logged(world, code).length, 1);
  });
}

test('a stream that does not go live is said to be missing, and the player may choose another', async () => {
  const world = aWorld();
  const player = await aClient(world, { does: 'play' });
  seconds(world, 32, player.line);
  player.pump();
  assert.equal(player.words().at(-1), 'refused NetStream.Play.StreamNotFound');
  assert.equal(world.hub.size, 0);
  player.engine.send('play', 'b');
  player.pump();
  assert.equal(player.words().at(-2), 'ready');
});

test('a player waits for ever when it may', async () => {
  const world = aWorld({ playWait: 0 });
  const player = await aClient(world, { does: 'play' });
  for (let i = 0; i < 600; i++) {
    seconds(world, 1, player.line);
    player.pump();
  }
  assert.equal(player.line.transport.ended, false);
});

test('who answered pings and answers no more is gone; who never did is left alone', async () => {
  const world = aWorld({ playWait: 0 });
  const answers = await aClient(world, { does: 'play' });
  const silent = await aClient(world, { does: 'play' });
  seconds(world, 31, answers.line, silent.line);
  answers.pump();
  seconds(world, 100, answers.line, silent.line);
  assert.equal(answers.line.transport.ended, true);
  assert.equal(silent.line.transport.ended, false);
  assert.equal(world.counts.closed.get('rtmp/timeout'), 1);
});

test('a client that acknowledges but answers no pings is left alone', async () => {
  const world = aWorld({ playWait: 0 });
  const line = new HandLine(world);
  for (const bytes of [
    HANDSHAKE,
    commandBytes(0, ['connect', 1, CONNECT]),
    commandBytes(0, ['createStream', 2]),
    commandBytes(1, ['play', 3, null, 'a']),
  ]) {
    line.send(bytes);
    await settled();
  }
  line.flow();
  seconds(world, 40, line);
  line.send(messageBytes(MESSAGE.Acknowledgement, 0, Buffer.alloc(4), 0, 2));
  seconds(world, 200, line);
  assert.equal(line.transport.ended, false);
});

test('a viewer that takes nothing is cut, with the words for it', async () => {
  const world = aWorld();
  const player = await aClient(world, { does: 'play' });
  const publisher = await aClient(world, { does: 'publish' });
  player.line.transport.stalled = true;
  for (let i = 0; i < 25; i++) {
    publisher.write(9, i * 1_000, avcBody(i === 0 ? 'key' : 'delta', 1_000));
    seconds(world, 1, player.line, publisher.line);
  }
  assert.equal(world.counts.closed.get('rtmp/slow-viewer'), 1);
  assert.equal(player.line.closed, 1);
  assert.equal(publisher.line.transport.ended, false);
});

test('answers that nobody reads end it, at once', async () => {
  const world = aWorld();
  const line = new Line(world);
  line.send(Buffer.concat([HANDSHAKE, commandBytes(0, ['connect', 1, CONNECT])]));
  await settled();
  line.transport.stalled = true;
  const questions = Buffer.concat(Array.from({ length: 1_000 }, () => commandBytes(0, ['_checkbw', 9])));
  for (let i = 0; i < 100 && !line.transport.ended; i++) line.send(questions);
  assert.equal(line.transport.ended, true);
  assert.ok(line.transport.queuedBytes < 400_000, `${line.transport.queuedBytes}`);
  assert.equal(world.counts.closed.get('rtmp/answers-unread'), 1);
});

test('a fault of the peer ends that peer, with its code', async () => {
  const world = aWorld();
  const publisher = await aClient(world, { does: 'publish' });
  const other = new Line(world);
  other.send(Buffer.from('GARBAGE'));
  assert.equal(other.transport.ended, true);
  assert.equal(world.counts.closed.get('rtmp/handshake'), 1);
  publisher.write(9, 0, Buffer.of(0x17));
  assert.equal(publisher.line.transport.ended, true);
  assert.equal(world.counts.closed.get('rtmp/flv'), 1);
  assert.deepEqual(logged(world, 'server/bug'), []);
});

test('a fault of our own ends that peer only, and is logged as such', async () => {
  const gate = new OpenGate();
  gate.published = () => {
    throw new TypeError('a bug');
  };
  const world = aWorld({}, gate);
  const player = await aClient(world, { does: 'play' });
  const publisher = await aClient(world, { does: 'publish' });
  assert.equal(publisher.line.transport.ended, true);
  assert.equal(logged(world, 'server/bug').length >= 1, true);
  seconds(world, 2, publisher.line, player.line);
  assert.equal(publisher.line.closed, 1);
  assert.equal(player.line.transport.ended, false);
  assert.equal(world.registry.size, 1);
});

test('no secret of an address or a stream name is logged', async () => {
  const world = aWorld();
  const tcUrl = 'rtmp://localhost/live?ann&hall&s3cret&1&7&videowhisper';
  await aClient(world, { does: 'publish', tcUrl, stream: 'a?key=hidden' });
  await aClient(world, { does: 'play', tcUrl, stream: 'a?key=hidden' });
  assert.ok(world.log.lines.length >= 4);
  assert.doesNotMatch(JSON.stringify(world.log.lines), /s3cret|hidden/);
});

test('a session shows what it publishes, else what it plays, else nothing', async () => {
  const world = aWorld();
  const line = new HandLine(world);
  const say = async (...commands: readonly Buffer[]) => {
    for (const bytes of commands) line.send(bytes);
    await settled();
  };
  await say(HANDSHAKE, commandBytes(0, ['connect', 1, CONNECT]));
  await say(commandBytes(0, ['createStream', 2]), commandBytes(0, ['createStream', 3]));
  await say(commandBytes(2, ['play', 4, null, 'b']), commandBytes(1, ['publish', 5, null, 'a']));
  const [session] = [...world.registry];
  const shown = () => [session?.state, session?.stream?.name, session?.stream?.doing];
  assert.deepEqual(shown(), ['publishing', 'a', 'publish']);
  await say(commandBytes(1, ['closeStream', 0, null]));
  assert.deepEqual(shown(), ['playing', 'b', 'play']);
  await say(commandBytes(2, ['closeStream', 0, null]));
  assert.deepEqual(shown(), ['connected', undefined, undefined]);
});

test('each stream of a connection can be taken over, and only with leave', async () => {
  const gate = new SlowGate();
  const world = aWorld({}, gate);
  const enter = async () => {
    const line = new HandLine(world);
    line.send(Buffer.concat([HANDSHAKE, commandBytes(0, ['connect', 1, CONNECT])]));
    await settled();
    await gate.answer(YES);
    line.send(Buffer.concat([commandBytes(0, ['createStream', 2]), commandBytes(0, ['createStream', 3])]));
    return line;
  };
  const first = await enter();
  first.send(Buffer.concat([commandBytes(1, ['publish', 4, null, 'a']), commandBytes(2, ['publish', 5, null, 'b'])]));
  const second = await enter();
  second.send(commandBytes(1, ['publish', 4, null, 'b']));
  assert.equal(first.transport.ended, false);
  gate.takeover = true;
  second.send(commandBytes(2, ['publish', 5, null, 'b']));
  assert.equal(first.transport.ended, true);
  assert.deepEqual(
    [...world.hub].map(({ name, live }) => [name, live]),
    [['b', true]],
  );
});
