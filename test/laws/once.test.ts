/** Once: a frame is written at most once, whatever the audience; and all players of a form get the very same bytes of memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Frame } from '../../src/media/frame.ts';
import { Hub } from '../../src/relay/hub.ts';
import { type AudienceForm, WHOLE } from '../../src/rtmp/audience.ts';
import { Audiences } from '../../src/rtmp/audiences.ts';
import { Player } from '../../src/rtmp/player.ts';
import { Slab } from '../../src/rtmp/slab.ts';
import { wireForm } from '../../src/rtmp/wire-form.ts';
import { LIMITS } from '../helpers/audience-town.ts';
import { FakeTransport } from '../helpers/duplex.ts';
import { frame } from '../helpers/frames.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

const silent = { began() {}, ended() {}, tooSlow() {} };
const anyFrame: fc.Arbitrary<Frame> = fc
  .oneof(
    fc.constant(() => frame('video', 'key', 0)),
    fc.constant(() => frame('video', 'delta', 0)),
    fc.constant(() => frame('audio', 'delta', 0)),
    fc.constant(() => frame('video', 'config', 0)),
    fc.constant(() => frame('data', 'config', 0)),
    fc.constant(() => frame('audio', 'delta', 0, { codec: 'opus' })),
  )
  .map((make) => make());

test('all players of a form share the memory of each message', () => {
  const forms: readonly AudienceForm[] = [WHOLE, { ...WHOLE, audio: false }, { ...WHOLE, video: false }];
  const players = fc.array(fc.constantFrom(...forms), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 30 }), players, (frames, wanted) => {
      const clock = new VirtualClock();
      const stream = new Hub().stream('live', 'a');
      const publication = stream.publish({ requestKeyFrame() {}, evicted() {} });
      const audiences = new Audiences(clock, (stream) => stream);
      const options = { writeWindow: 0, chunkSize: 65_536 } as const;
      const written = wanted.map((form) => {
        const views: Buffer[] = [];
        const transport = new FakeTransport((bytes) => views.push(bytes));
        audiences.of(stream, form, options).join(new Player(transport, LIMITS, silent));
        return { form, views };
      });
      for (const each of frames) publication.write(each);
      const slab = new Slab(65_536);
      for (const each of frames) assert.equal(wireForm(each, slab), wireForm(each, new Slab(128)));
      const places = new Map<AudienceForm, string>();
      for (const { form, views } of written) {
        const place = views.map((view) => `${view.byteOffset}+${view.length}`).join(' ');
        assert.equal(places.get(form) ?? place, place);
        places.set(form, place);
        const first = written.find((other) => other.form === form)!;
        for (const [i, view] of views.entries()) assert.equal(view.buffer, first.views[i]!.buffer);
      }
    }),
    { numRuns: 100 },
  );
});

test('a late player is sent what was written for those before', () => {
  const clock = new VirtualClock();
  const stream = new Hub().stream('live', 'a');
  const publication = stream.publish({ requestKeyFrame() {}, evicted() {} });
  const audiences = new Audiences(clock, (stream) => stream);
  const join = (): Buffer[] => {
    const views: Buffer[] = [];
    const transport = new FakeTransport((bytes) => views.push(bytes));
    const player = new Player(transport, LIMITS, silent);
    audiences.of(stream, WHOLE, { writeWindow: 0, chunkSize: 65_536 }).join(player);
    return views;
  };
  const first = join();
  publication.write(frame('video', 'key', 0));
  publication.write(frame('audio', 'delta', 0));
  const late = join();
  // what the first one got in two writes lies in one piece
  assert.equal(late.length, 1);
  assert.equal(late[0]!.buffer, first[0]!.buffer);
  assert.equal(late[0]!.byteOffset, first[0]!.byteOffset);
  assert.equal(late[0]!.length, first[0]!.length + first[1]!.length);
});
