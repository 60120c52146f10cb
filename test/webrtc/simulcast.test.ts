import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiated, pictureNumber, RtpCamera, RtpTown } from '../helpers/rtp-camera.ts';

const LAYERS = [
  { rid: 'q', width: 160, size: 300 },
  { rid: 'h', width: 320, size: 900 },
  { rid: 'f', width: 640, size: 2500 },
] as const;

/** Three layers of one picture; `f` carries most. Layers in `off` send nothing. */
function studio() {
  const town = new RtpTown(negotiated({ rids: LAYERS.map(({ rid }) => rid) }));
  const transport = { next: 0 };
  const cameras = LAYERS.map(({ rid }, index) => {
    const options = { ssrc: 1000 * (index + 1), rid, mid: '1', sequence: 7000 * index, timestamp: 99_000 * index };
    return new RtpCamera((packet) => town.publisher.rtp(packet), options, transport);
  });
  town.onRtcp = (compound) => {
    for (const camera of cameras) camera.hear(compound);
  };
  const off = new Set<string>();
  const film = (pictures: number) => {
    for (let picture = 0; picture < pictures; picture++) {
      for (const [index, { rid, width, size }] of LAYERS.entries()) {
        if (off.has(rid)) cameras[index]!.advance(40);
        else cameras[index]!.picture(size, 40, width);
      }
      town.clock.advance(40);
    }
  };
  const active = () => town.publisher.stats().find((stats) => stats.active)?.rid;
  return { town, cameras, off, film, active };
}

/** Each picture is a key picture, or follows the one before it in its own layer. */
function assertWhole(town: RtpTown): void {
  let before: { width: number; number: number } | undefined;
  for (const picture of town.pictures()) {
    const number = pictureNumber(picture);
    if (picture.role === 'key') before = { width: picture.data.readUInt16LE(6), number };
    else assert.equal(number, before!.number + 1);
    assert.equal(picture.data.readUInt16LE(6), before!.width);
    before = { ...before!, number };
  }
  const times = town.pictures().map(({ dts }) => dts);
  assert.ok(times.every((time, index) => index === 0 || time > times[index - 1]!));
}

test('begins with the first layer that shows a picture, and goes over to the largest', () => {
  const { town, film, active } = studio();
  film(1);
  assert.equal(active(), 'q');
  film(100);
  assert.equal(active(), 'f');
  assertWhole(town);
  assert.equal(new Set(town.pictures().map(({ track }) => track)).size, 1);
  const keys = town.pictures().filter(({ role }) => role === 'key');
  assert.equal(keys.length, 2, 'only the new layer was asked for a key picture');
  assert.deepEqual([...new Set(town.of('pli').map(({ media }) => media))], [3000]);
  assert.equal(town.of('nack').length, 0);
});

test('all layers are counted, and those that nobody gets are not put together', () => {
  const { town, film } = studio();
  film(150);
  const before = town.publisher.stats();
  film(25);
  const after = town.publisher.stats();
  assert.deepEqual(
    after.map(({ rid, width, active }) => [rid, width, active]),
    [
      ['q', 160, false],
      ['h', 320, false],
      ['f', 640, true],
    ],
  );
  for (const [index, stats] of after.entries()) {
    assert.ok(stats.packets >= before[index]!.packets + 25 && stats.bitrate > 0);
    assert.equal(stats.frames - before[index]!.frames, stats.active ? 25 : 0);
  }
});

test('a layer that dies is left for the next best, and taken back when it has been there for a while', () => {
  const { town, off, film, active } = studio();
  film(150);
  off.add('f');
  film(100);
  assert.equal(active(), 'h');
  off.delete('f');
  film(40);
  assert.equal(active(), 'h', 'not yet');
  film(100);
  assert.equal(active(), 'f');
  assertWhole(town);
});

test('a layer that is being put together already passes from its key picture on, not before', () => {
  const { town, cameras, off, film, active } = studio();
  off.add('f');
  film(1);
  off.delete('f');
  film(2);
  assert.equal(active(), 'q');
  town.onRtcp = () => {};
  film(100);
  assert.equal(active(), 'q');
  cameras[2]!.wantsKey = true;
  film(5);
  assert.equal(active(), 'f');
  assertWhole(town);
});

test('losses in a layer that nobody gets are nobody’s concern', () => {
  const { town, cameras, film } = studio();
  film(150);
  const asked = town.of('nack').length + town.of('pli').length;
  cameras[0]!.sequence += 5;
  film(50);
  assert.equal(town.of('nack').length + town.of('pli').length, asked);
});

test('a viewer who needs a key picture asks the layer that it gets', () => {
  const { town, film } = studio();
  film(150);
  const { length } = town.of('pli');
  town.publisher.requestKeyFrame();
  assert.deepEqual(
    town
      .of('pli')
      .slice(length)
      .map(({ media }) => media),
    [3000],
  );
  film(3);
  assertWhole(town);
});

test('sources that were declared without names are layers, too', () => {
  const town = new RtpTown(negotiated({ sources: [{ ssrc: 1 }, { ssrc: 2 }] }));
  const [small, large] = [1, 2].map((ssrc) => new RtpCamera((packet) => town.publisher.rtp(packet), { ssrc }));
  town.onRtcp = (compound) => large!.hear(compound);
  for (let picture = 0; picture < 150; picture++) {
    small!.picture(300, 40, 160);
    large!.picture(2500, 40, 640);
    town.clock.advance(40);
  }
  assert.deepEqual(
    town.publisher.stats().map(({ ssrc, active }) => [ssrc, active]),
    [
      [1, false],
      [2, true],
    ],
  );
  assertWhole(town);
});
