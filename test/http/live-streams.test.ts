import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SiteServer } from '../../src/http/http-server.ts';
import { LiveStreams } from '../../src/http/live-streams.ts';
import type { TrackView } from '../../src/http/views.ts';
import { Hub } from '../../src/relay/hub.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

const TRACK: TrackView = { kind: 'video', track: 0, codec: 'h264', profile: 'High', width: 64, height: 36, fps: 25 };
const PUBLISHER = { evicted: () => {}, requestKeyFrame: () => {} };

function house() {
  const hub = new Hub();
  const clock = new VirtualClock();
  let described = 0;
  const streams = new LiveStreams({
    hub,
    clock,
    describe: () => {
      described++;
      return [TRACK];
    },
    listed: (app) => app === 'live',
    reencodes: () => false,
  });
  const names = () =>
    JSON.parse(streams.json().toString()).streams.map(
      ({ app, name }: { app: string; name: string }) => `${app}/${name}`,
    );
  return { hub, clock, streams, names, described: () => described };
}

test('streams that are live are listed, with what they are', () => {
  const { hub, streams } = house();
  hub.stream('live', 'show').publish(PUBLISHER);
  assert.deepEqual(JSON.parse(streams.json().toString()), {
    streams: [
      {
        app: 'live',
        name: 'show',
        bFrames: false,
        tracks: [{ kind: 'video', codec: 'h264', width: 64, height: 36, fps: 25 }],
      },
    ],
  });
});

test('nobody learns what a controlled application has, nor who waits', () => {
  const { hub, names } = house();
  hub.stream('vw', 'secret').publish(PUBLISHER);
  hub.stream('live', 'waited-for');
  hub.stream('live', 'show').publish(PUBLISHER);
  assert.deepEqual(names(), ['live/show']);
});

test('however many ask, streams are described once a second', () => {
  const { hub, clock, names, described } = house();
  const publication = hub.stream('live', 'show').publish(PUBLISHER);
  for (let each = 0; each < 50; each++) names();
  assert.equal(described(), 1);
  publication.close();
  clock.advance(999);
  assert.deepEqual(names(), ['live/show']);
  clock.advance(1);
  assert.deepEqual(names(), []);
});

test('a list has an end', () => {
  const { hub, names } = house();
  for (let each = 0; each < 250; each++) hub.stream('live', `s${each}`).publish(PUBLISHER);
  assert.equal(names().length, 200);
});

test('over HTTP it is JSON for every page, and kept by none', async () => {
  const { hub, streams } = house();
  hub.stream('live', 'show').publish(PUBLISHER);
  const greeting = () => ({ version: '1.2.3', app: 'live', webControlled: false });
  const { app } = new SiteServer({ listen: '', tlsListen: '' }, { log: new LogRecorder(), greeting, streams });
  const answer = await app.inject('/streams.json');
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['access-control-allow-origin'], '*');
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.json().streams[0].name, 'show');
});
