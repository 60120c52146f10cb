import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AdminTown,
  fakeApplication,
  fakeDoor,
  fakePublication,
  fakeSession,
  fakeViewer,
  playing,
  publishing,
} from '../helpers/admin-town.ts';

/** Samples by name and sorted labels. */
async function scrape(town: AdminTown): Promise<Map<string, number>> {
  const samples = new Map<string, number>();
  for (const line of (await town.metrics.text()).split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
    samples.set(`${name}{${labels.split(',').sort().join()}}`, Number(value));
  }
  return samples;
}

test('every metric has the prefix, a HELP of its own, and a unit or kind in its name', async () => {
  const town = new AdminTown();
  town.applications = [fakeApplication()];
  town.enter(publishing('a'));
  fakePublication(town.hub.stream('live', 'a'));
  town.metrics.observeHook('login', 12, 'ok');
  town.metrics.observeJoin('rtmp', 3);
  const helps = new Map<string, string>();
  const types = new Map<string, string>();
  for (const line of (await town.metrics.text()).split('\n')) {
    const [, what, name, text] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (what === 'HELP') helps.set(name!, text!);
    if (what === 'TYPE') types.set(name!, text!);
  }
  assert.ok(types.size > 20);
  for (const [name, type] of types) {
    assert.match(name, /^castgate_/);
    assert.ok((helps.get(name)?.length ?? 0) > 5, name);
    if (type === 'counter') assert.match(name, /_total$/, name);
    if (type === 'histogram') assert.match(name, /_seconds$/, name);
    assert.ok(!/millis|_ms$/.test(name), name);
  }
});

test('sessions are counted by protocol, role and application', async () => {
  const town = new AdminTown();
  town.applications = [fakeApplication({ name: 'live' }), fakeApplication({ name: 'two words' })];
  town.enter(publishing('a'), playing('a'), playing('a', { app: 'live/room1' }));
  town.enter(playing('a', { transport: 'rtmps', app: 'two words' }));
  const samples = await scrape(town);
  assert.equal(samples.get('castgate_sessions{app="live",protocol="rtmp",role="broadcaster"}'), 1);
  assert.equal(samples.get('castgate_sessions{app="live",protocol="rtmp",role="watcher"}'), 2);
  assert.equal(samples.get('castgate_sessions{app="two words",protocol="rtmps",role="watcher"}'), 1);
});

test('names that clients made up share one label', async () => {
  const town = new AdminTown();
  town.applications = [fakeApplication({ name: '*' })];
  town.enter(...Array.from({ length: 500 }, (_, at) => fakeSession({ app: `app${at}` })));
  for (let at = 0; at < 500; at++) fakePublication(town.hub.stream(`app${at}`, 's'));
  town.hub.stream('app0', 's').subscribe(fakeViewer(7));
  const samples = await scrape(town);
  assert.equal(samples.get('castgate_sessions{app="other",protocol="rtmp",role="watcher"}'), 500);
  assert.equal(samples.get('castgate_streams{app="other"}'), 500);
  assert.equal(samples.get('castgate_audience{app="other"}'), 7);
  assert.equal(samples.get('castgate_orders_total{app="other"}'), 3);
  assert.ok(![...samples.keys()].some((key) => key.includes('app499')));
});

test('a gauge goes when what it counted has gone', async () => {
  const town = new AdminTown();
  town.applications = [fakeApplication()];
  const [session] = town.enter(playing('a'));
  const stream = town.hub.stream('live', 'a');
  const publication = fakePublication(stream);
  assert.equal((await scrape(town)).get('castgate_streams{app="live"}'), 1);
  publication.close();
  town.sessions.close(session!);
  const samples = await scrape(town);
  assert.equal(samples.get('castgate_streams{app="live"}') ?? 0, 0);
  assert.equal(samples.get('castgate_sessions{app="live",protocol="rtmp",role="watcher"}') ?? 0, 0);
});

test('what the doors counted is reported as it stands', async () => {
  const town = new AdminTown();
  const uncounted = { videoFramesIn: undefined, audioFramesIn: undefined, videoWithheld: undefined };
  town.doors = [fakeDoor(), fakeDoor({ protocol: 'rtmps', bytesOut: 0, refused: new Map(), ...uncounted })];
  await scrape(town);
  const samples = await scrape(town);
  assert.equal(samples.get('castgate_connections{protocol="rtmp"}'), 2);
  assert.equal(samples.get('castgate_connections_accepted_total{protocol="rtmp"}'), 9);
  assert.equal(samples.get('castgate_connections_refused_total{protocol="rtmp",reason="access/busy"}'), 3);
  assert.equal(samples.get('castgate_received_bytes_total{protocol="rtmp"}'), 1_000);
  assert.equal(samples.get('castgate_sent_bytes_total{protocol="rtmp"}'), 20_000);
  assert.equal(samples.get('castgate_sent_bytes_total{protocol="rtmps"}'), 0);
  assert.equal(samples.get('castgate_frames_received_total{kind="video",protocol="rtmp"}'), 50);
  assert.equal(samples.get('castgate_frames_received_total{kind="audio",protocol="rtmp"}'), 60);
  assert.equal(samples.get('castgate_video_withheld_total{protocol="rtmp"}'), 6);
  assert.equal(samples.get('castgate_video_withheld_total{protocol="rtmps"}'), undefined);
});

test('web sites are reported by application', async () => {
  const town = new AdminTown();
  const failure = { code: 'web/timeout', text: 'no answer', since: 0 };
  town.applications = [fakeApplication({ name: 'a' }), fakeApplication({ name: 'b', failure })];
  const samples = await scrape(town);
  assert.equal(samples.get('castgate_logins_total{app="a",result="refused"}'), 1);
  assert.equal(samples.get('castgate_reports_total{answer="orders",app="a"}'), 7);
  assert.equal(samples.get('castgate_report_failures_total{app="a",reason="web/timeout"}'), 2);
  assert.equal(samples.get('castgate_orders_total{app="a"}'), 3);
  assert.equal(samples.get('castgate_logouts_waiting{app="a"}'), 4);
  assert.equal(samples.get('castgate_site_failing{app="a"}'), 0);
  assert.equal(samples.get('castgate_site_failing{app="b"}'), 1);
});

test('what happens between rounds and sessions is counted over all sites', async () => {
  const town = new AdminTown();
  const samples = await scrape(town);
  assert.equal(samples.get('castgate_logouts_total{result="delivered"}'), 1);
  assert.equal(samples.get('castgate_logouts_total{result="failed"}'), 2);
  assert.equal(samples.get('castgate_logouts_total{result="dropped"}'), 3);
  assert.equal(samples.get('castgate_reports_early_total{}'), 4);
  assert.equal(samples.get('castgate_reports_skipped_total{}'), 5);
});

test('hooks and joins are histograms in seconds', async () => {
  const town = new AdminTown();
  town.metrics.observeHook('login', 30, 'ok');
  town.metrics.observeHook('login', 4_000, 'failed');
  town.metrics.observeJoin('rtmp', 4);
  town.metrics.observeJoin('webrtc', 40);
  const samples = await scrape(town);
  assert.equal(samples.get('castgate_hook_duration_seconds_bucket{hook="login",le="0.025",outcome="ok"}'), 0);
  assert.equal(samples.get('castgate_hook_duration_seconds_bucket{hook="login",le="0.05",outcome="ok"}'), 1);
  assert.equal(samples.get('castgate_hook_duration_seconds_sum{hook="login",outcome="failed"}'), 4);
  assert.equal(samples.get('castgate_join_duration_seconds_bucket{le="0.005",protocol="rtmp"}'), 1);
  assert.equal(samples.get('castgate_join_duration_seconds_sum{protocol="rtmp"}'), 0.004);
  assert.equal(samples.get('castgate_join_duration_seconds_sum{protocol="webrtc"}'), 0.04);
});

test('build, configuration and the process itself are reported', async () => {
  const town = new AdminTown();
  assert.equal((await scrape(town)).get('castgate_config_reload_success{}'), 1);
  town.configTaken = false;
  const samples = await scrape(town);
  assert.equal(samples.get('castgate_config_reload_success{}'), 0);
  assert.equal(samples.get(`castgate_build_info{node="${process.version}",version="1.2.3"}`), 1);
  assert.ok(samples.get('castgate_process_resident_memory_bytes{}')! > 1e6);
  assert.ok(samples.has('castgate_nodejs_eventloop_lag_p99_seconds{}'));
  assert.equal(samples.get('castgate_faults_total{}'), 0);
});

test('the page comes as the text format of Prometheus', async () => {
  const answer = await new AdminTown().get('/metrics');
  assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/);
  assert.ok(answer.body.endsWith('\n'));
});

test('WebRTC is reported as totals, whoever is there', async () => {
  const town = new AdminTown();
  const samples = await scrape(town);
  const names = [
    ...['port_received_total', 'port_received_bytes_total', 'port_sent_total', 'port_sent_bytes_total'],
    ...['checks_total{result="ok"}', 'checks_total{result="refused"}', 'port_tcp_connections', 'port_tcp_cut_total'],
    ...['port_dropped_total{reason="stranger"}', 'packets_sent_total', 'packets_retransmitted_total'],
    ...['viewer_nacks_total', 'viewer_key_frame_requests_total', 'key_frames_wanted_total'],
    ...['key_frames_repeated_total', 'packets_received_total', 'packets_lost_total', 'packets_recovered_total'],
    ...['publisher_nacks_total', 'publisher_key_frame_requests_total'],
  ].map((name) => `castgate_webrtc_${name.includes('{') ? name : `${name}{}`}`);
  assert.deepEqual(
    names.map((name) => samples.get(name)),
    [11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31],
  );
  assert.deepEqual([...samples.keys()].filter((name) => name.startsWith('castgate_webrtc_')).sort(), names.sort());
  town.webrtc = undefined;
  const without = await scrape(town);
  assert.ok(![...without.keys()].some((name) => name.startsWith('castgate_webrtc_checks')));
});

test('the audio bridge is reported', async () => {
  const samples = await scrape(new AdminTown());
  const names = ['streams', 'renditions', 'started_total', 'failed_total', 'units_in_total', 'units_out_total'];
  names.push('units_dropped_total', 'workers_total');
  assert.deepEqual(
    names.map((name) => samples.get(`castgate_audio_bridge_${name}{}`)),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
});

test('the re-encoding of pictures is reported', async () => {
  const samples = await scrape(new AdminTown());
  const names = [
    'streams',
    'started_total',
    'failed_total',
    'frames_in_total',
    'frames_out_total',
    'frames_dropped_total',
  ];
  assert.deepEqual(
    names.map((name) => samples.get(`castgate_picture_bridge_${name}{}`)),
    [1, 2, 3, 4, 5, 6],
  );
});

test('each door is asked once for a whole scrape, as it looks at all its clients', async () => {
  const town = new AdminTown();
  let asked = 0;
  const [door] = town.doors;
  town.doors = Object.defineProperty([], Symbol.iterator, {
    value: () => {
      asked += 1;
      return [door!].values();
    },
  });
  await scrape(town);
  assert.equal(asked, 1);
  town.doors = [fakeDoor({ accepted: 77 })];
  assert.equal((await scrape(town)).get('castgate_connections_accepted_total{protocol="rtmp"}'), 77);
});
