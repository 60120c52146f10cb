import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Window } from '../../src/rtmp/window.ts';

const [one, two] = [Buffer.from('abcdefgh'), Buffer.from('ABCDEFGH')];

/** Pieces added, and the views that come of them. */
const TABLE: readonly [what: string, pieces: readonly (readonly [Buffer, number, number])[], views: string[]][] = [
  ['nothing', [], []],
  ['one piece', [[one, 2, 4]], ['cd']],
  [
    'neighbours',
    [
      [one, 0, 2],
      [one, 2, 5],
      [one, 5, 8],
    ],
    ['abcdefgh'],
  ],
  [
    'a gap between them',
    [
      [one, 0, 2],
      [one, 3, 5],
    ],
    ['ab', 'de'],
  ],
  [
    'not in the order of memory',
    [
      [one, 2, 4],
      [one, 0, 2],
    ],
    ['cd', 'ab'],
  ],
  [
    'the same twice',
    [
      [one, 0, 2],
      [one, 0, 2],
    ],
    ['ab', 'ab'],
  ],
  [
    'two blocks that go on at the same place',
    [
      [one, 0, 2],
      [two, 2, 4],
    ],
    ['ab', 'CD'],
  ],
  [
    'another block in between',
    [
      [one, 0, 2],
      [two, 0, 1],
      [one, 2, 4],
    ],
    ['ab', 'A', 'cd'],
  ],
  [
    'empty pieces',
    [
      [one, 0, 0],
      [one, 0, 2],
      [two, 3, 3],
      [one, 2, 4],
    ],
    ['abcd'],
  ],
];

for (const [what, pieces, views] of TABLE) {
  test(what, () => {
    const window = new Window();
    for (const [block, start, end] of pieces) window.add({ block, start, end });
    assert.equal(window.bytes, views.join('').length);
    assert.deepEqual(window.take().map(String), views);
    assert.equal(window.bytes, 0);
    assert.deepEqual(window.take(), []);
  });
}

test('what was taken stays as it is when the window goes on', () => {
  const window = new Window();
  window.add({ block: one, start: 0, end: 2 });
  const taken = window.take();
  window.add({ block: one, start: 2, end: 4 });
  assert.deepEqual(taken.map(String), ['ab']);
  assert.deepEqual(window.take().map(String), ['cd']);
});
