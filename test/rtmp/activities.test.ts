import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MESSAGE } from '../../src/rtmp/messages.ts';
import { avcBody } from '../helpers/frames.ts';
import { aClient, aWorld, logged, seconds } from '../helpers/rtmp-town.ts';

test('an encoder that goes on with pictures out of order is warned, after the log', async () => {
  const world = aWorld();
  const publisher = await aClient(world, { does: 'publish' });
  publisher.write(MESSAGE.Video, 0, avcBody('config'));
  publisher.write(MESSAGE.Video, 0, avcBody('key', 64, 80));
  const warned = () => publisher.words().some((words) => words.includes('NetStream.Publish.BFrames'));
  assert.equal(logged(world, 'stream/b-frames').length, 1);
  seconds(world, 1, publisher.line);
  publisher.pump();
  assert.equal(warned(), false, 'who leaves at once would lose what it has not read');
  publisher.write(MESSAGE.Video, 40, avcBody('delta', 64, 80));
  seconds(world, 2, publisher.line);
  publisher.pump();
  assert.ok(warned());
});
