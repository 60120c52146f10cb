import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Player } from '../../src/rtmp/player.ts';
import { FakeTransport } from '../helpers/duplex.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

const LIMITS = { highBytes: 512 << 10, lowBytes: 64 << 10, hardBytes: 1 << 20, stallMillis: 20_000 };
const OPENING = Buffer.alloc(4 << 20);
const CONFIGURATION = Buffer.alloc(1_000);

/** A player on a line that takes nothing by itself. */
function aPlayer() {
  const transport = new FakeTransport(() => {});
  transport.stalled = true;
  const clock = new VirtualClock();
  let cut = 0;
  const player = new Player(transport, LIMITS, { began() {}, ended() {}, tooSlow: () => cut++ });
  /** One second in which it takes so many bytes; answers whether it was found too slow. */
  const second = (bytes: number) => {
    transport.drain(bytes);
    clock.advance(1_000);
    player.check(clock);
    return cut > 0;
  };
  return { player, transport, second };
}

test('an opening beyond the limits is excused while it is on the way', () => {
  const { player, second, transport } = aPlayer();
  player.open([OPENING], true);
  for (let at = 0; at < 8; at++) assert.equal(second(512 << 10), false);
  assert.equal(transport.queuedBytes, 0);
});

test('an opening of which little is taken at a time is not kept for ever', () => {
  const { player, second } = aPlayer();
  player.open([OPENING], true);
  let seconds = 0;
  while (!second(1) && seconds < 1_000) seconds++;
  assert.ok(seconds >= 50 && seconds < 100);
});

test('who goes on after a pause while the opening is on the way stays excused', () => {
  const { player, second } = aPlayer();
  player.open([OPENING], true);
  assert.equal(player.late, true);
  player.open([CONFIGURATION], false);
  assert.equal(player.lateBytes, CONFIGURATION.length);
  assert.equal(second(100_000), false);
});

test('who asks for one opening after the other and takes none is cut', () => {
  const { player, second } = aPlayer();
  player.open([OPENING], true);
  for (let at = 0; at < 2_000; at++) player.open([CONFIGURATION], false);
  assert.equal(second(1), true);
});

test('a second opening for who has nearly caught up is excused with what is left of the first', () => {
  const { player, second, transport } = aPlayer();
  player.open([OPENING], true);
  transport.drain(OPENING.length - 1_000);
  player.open([OPENING], true);
  assert.equal(player.lateBytes, 0);
  assert.equal(second(1), false);
});
