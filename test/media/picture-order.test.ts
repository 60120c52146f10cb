import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameRole } from '../../src/media/frame.ts';
import { PictureOrder } from '../../src/media/picture-order.ts';
import { AVC_CONFIG, frame } from '../helpers/frames.ts';

type Shown = readonly [role: FrameRole, dts: number, pts: number];

/** After how many frames it is known that pictures are reordered; undefined: it is not. */
function noticed(frames: readonly Shown[], config?: Buffer): number | undefined {
  const order = new PictureOrder();
  if (config !== undefined) order.push({ ...frame('video', 'config', 0), data: config });
  for (const [index, [role, dts, pts]] of frames.entries()) {
    order.push({ ...frame('video', role, dts / 1_000), dts, pts });
    if (order.reordered) return index + 1;
  }
  return undefined;
}

const IN_ORDER: readonly Shown[] = [
  ['key', 0, 0],
  ['delta', 40, 40],
  ['delta', 80, 80],
  ['key', 120, 120],
];
const REORDERED: readonly Shown[] = [
  ['key', 0, 80],
  ['delta', 40, 200],
  ['delta', 80, 120],
  ['delta', 120, 160],
];

test('a picture that is shown before the one decoded before it gives it away', () => {
  assert.equal(noticed(IN_ORDER), undefined);
  assert.equal(noticed(REORDERED), 3);
});

test('a parameter set that allows it and a picture shown late tell at the first picture', () => {
  assert.equal(noticed(REORDERED, AVC_CONFIG), 1);
  assert.equal(noticed(IN_ORDER, AVC_CONFIG), undefined);
});

test('a constant delay is none, nor is a timeline that begins again at a key frame', () => {
  const late = IN_ORDER.map(([role, dts, pts]): Shown => [role, dts, pts + 40]);
  assert.equal(noticed([...late, ...IN_ORDER]), undefined);
});

test('a clock that steps back is no other order, at whatever picture; what follows is judged again', () => {
  const back: readonly Shown[] = [
    ['key', 10_000, 10_000],
    ['delta', 10_040, 10_040],
    ['delta', 10_039, 10_039],
    ['delta', 0, 0],
    ['delta', 40, 40],
  ];
  assert.equal(noticed(back), undefined);
  assert.equal(noticed([...back, ['delta', 80, 200], ['delta', 120, 160]]), back.length + 2);
});

test('a broken parameter set tells nothing', () => {
  assert.equal(noticed(REORDERED, Buffer.of(1, 2, 3)), 3);
});
