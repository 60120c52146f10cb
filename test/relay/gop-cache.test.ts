import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Frame } from '../../src/media/frame.ts';
import { GOP_DEFAULTS, GopCache, type GopLimits } from '../../src/relay/gop-cache.ts';
import { frame } from '../helpers/frames.ts';

/** `V` video, `A` audio, `D` data; then the role's first letter, and the time in ms: `Vk40`. */
function label(frame: Frame): string {
  return `${frame.kind[0]!.toUpperCase()}${frame.role[0]}${frame.dts / 1000}`;
}

function replayed(cache: GopCache): string {
  return cache.replay().map(label).join(' ');
}

function filled(frames: readonly Frame[], limits: Partial<GopLimits> = {}): GopCache {
  const cache = new GopCache({ ...GOP_DEFAULTS, ...limits });
  for (const each of frames) cache.push(each);
  return cache;
}

const metadata = frame('data', 'config', 0);
const avc = frame('video', 'config', 0);
const aac = frame('audio', 'config', 0);
const key = (millis: number) => frame('video', 'key', millis, { config: avc });
const delta = (millis: number, size = 64) =>
  frame('video', 'delta', millis, { config: avc, data: Buffer.alloc(size, 1) });
const sound = (millis: number) => frame('audio', 'delta', millis, { config: aac });

test('a newcomer gets metadata, configurations, and the group since its key frame', () => {
  const cache = filled([avc, aac, metadata, key(0), sound(5), delta(40), key(80), sound(90), delta(120)]);
  assert.equal(replayed(cache), 'Dc0 Vc0 Ac0 Vk80 Ad90 Vd120');
  assert.deepEqual(cache.configs().map(label), ['Dc0', 'Vc0', 'Ac0']);
});

test('nothing is kept before the first key frame, and pictures without one are no group', () => {
  assert.equal(replayed(filled([avc, aac, delta(0), sound(5), delta(40)])), 'Vc0 Ac0');
});

test('sound that came before the first picture is forgotten with it', () => {
  assert.equal(replayed(filled([aac, sound(0), sound(20), avc, key(40)])), 'Ac0 Vc0 Vk40');
});

test('a configuration that changes in mid-group stands where it changed, and the earlier one leads', () => {
  const avc2 = frame('video', 'config', 60);
  const aac2 = frame('audio', 'config', 60);
  const metadata2 = frame('data', 'config', 60);
  const cache = filled([metadata, avc, aac, key(40), sound(41), metadata2, avc2, aac2, delta(80), sound(81)]);
  assert.equal(replayed(cache), 'Dc0 Vc0 Ac0 Vk40 Ad41 Dc60 Vc60 Ac60 Vd80 Ad81');
});

test('a configuration that changes twice in mid-group still starts with the one that the group started with', () => {
  const [avc2, avc3] = [frame('video', 'config', 50), frame('video', 'config', 60)];
  assert.equal(replayed(filled([avc, key(40), avc2, delta(55), avc3, delta(65)])), 'Vc0 Vk40 Vc50 Vd55 Vc60 Vd65');
});

test('the next group starts with the configuration in force', () => {
  const aac2 = frame('audio', 'config', 60);
  assert.equal(replayed(filled([avc, aac, key(40), aac2, key(80), sound(81)])), 'Vc0 Ac60 Vk80 Ad81');
});

test('a configuration that first appears in mid-group leads, as nothing before it could need another', () => {
  assert.equal(replayed(filled([avc, key(0), aac, sound(10), metadata])), 'Dc0 Vc0 Ac0 Vk0 Ad10');
});

test('tracks have configurations of their own, and only track 0 begins a group', () => {
  const second = frame('video', 'config', 0, { track: 1 });
  const secondKey = frame('video', 'key', 50, { track: 1 });
  assert.equal(replayed(filled([avc, second, key(40), secondKey, delta(80)])), 'Vc0 Vc0 Vk40 Vk50 Vd80');
});

test('frames without size and time are bounded by their number', () => {
  const cache = filled([avc, key(0), delta(0, 0), delta(0, 0)], { maxFrames: 3 });
  assert.equal(replayed(cache), 'Vc0 Vk0 Vd0 Vd0');
  cache.push(delta(0, 0));
  assert.equal(replayed(cache), 'Vc0');
});

test('over the bound in bytes the group is forgotten until the next key frame, the configurations never', () => {
  const cache = filled([avc, aac, key(0)], { maxBytes: 1000 });
  cache.push(delta(40, 900));
  assert.equal(cache.bytes, 964);
  cache.push(delta(80, 37));
  assert.equal(replayed(cache), 'Vc0 Ac0');
  assert.equal(cache.bytes, 0);
  cache.push(delta(120));
  assert.equal(replayed(cache), 'Vc0 Ac0');
  cache.push(key(160));
  assert.equal(replayed(cache), 'Vc0 Ac0 Vk160');
});

test('over the bound in time the group is forgotten, whichever way the clock went', () => {
  assert.equal(replayed(filled([avc, key(0), delta(10_000)])), 'Vc0 Vk0 Vd10000');
  assert.equal(replayed(filled([avc, key(0), delta(10_001)])), 'Vc0');
  assert.equal(replayed(filled([avc, key(20_000), delta(9_999)])), 'Vc0');
});

test('of sound alone a second is kept', () => {
  const cache = filled([aac]);
  for (let millis = 0; millis <= 3_000; millis += 100) cache.push(sound(millis));
  const replay = cache.replay();
  assert.equal(label(replay[0]!), 'Ac0');
  const span = replay.at(-1)!.dts - replay[1]!.dts;
  assert.ok(span <= 1_000_000, `${span} us`);
  assert.equal(label(replay.at(-1)!), 'Ad3000');
});

test('switched off, it keeps configurations only', () => {
  assert.equal(replayed(filled([avc, aac, key(0), delta(40)], { enabled: false })), 'Vc0 Ac0');
});

test('configurations are bounded in number and size', () => {
  const many = Array.from({ length: 40 }, (_, track) => frame('video', 'config', 0, { track }));
  assert.equal(filled(many).configs().length, 16);
  const large = frame('data', 'config', 0, { data: Buffer.alloc(65_537) });
  assert.equal(filled([large]).configs().length, 0);
  const largest = frame('data', 'config', 0, { data: Buffer.alloc(65_536) });
  assert.equal(filled([largest]).configs().length, 1);
});

test('a replay stays whole while the next group begins', () => {
  const cache = filled([avc, key(0), delta(40)]);
  const replay = cache.replay();
  cache.push(key(80));
  cache.clear();
  assert.deepEqual(replay.map(label), ['Vc0', 'Vk0', 'Vd40']);
  assert.equal(replayed(cache), '');
});

test('after a clear it is as new: sound alone counts again', () => {
  const cache = filled([avc, aac, key(0), sound(10)]);
  cache.clear();
  assert.equal(cache.bytes, 0);
  for (const each of [aac, sound(0), sound(20)]) cache.push(each);
  assert.equal(replayed(cache), 'Ac0 Ad0 Ad20');
});
