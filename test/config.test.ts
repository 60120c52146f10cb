import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultLine } from '../src/config/fault.ts';
import { changedPaths, readConfig } from '../src/config.ts';
import { SITE_DEFAULTS } from '../src/control/options.ts';
import { ADMIN_DEFAULTS, HTTP_DEFAULTS } from '../src/http/options.ts';
import { RTMP_DEFAULTS } from '../src/rtmp/options.ts';
import { faultsOf, fileFaults, fileWarnings, fromFile } from './helpers/config.ts';

test('without any source, the defaults of the rooms hold and every application is open', () => {
  const { config, warnings } = readConfig();
  assert.deepEqual(config.rtmp, RTMP_DEFAULTS);
  assert.deepEqual(config.http, HTTP_DEFAULTS);
  assert.deepEqual(config.admin, ADMIN_DEFAULTS);
  assert.equal(config.applications.size, 0);
  assert.deepEqual(config.anyApplication, {
    ...SITE_DEFAULTS,
    acceptPlayers: true,
    writeWindow: RTMP_DEFAULTS.writeWindow,
    gopCache: RTMP_DEFAULTS.gopCache,
    webRtcReencode: 'off',
  });
  assert.deepEqual(warnings, []);
});

test('the file wins over defaults, variables over the file, the command line over all, its last word most', () => {
  const file = { name: 'c.yml', text: 'rtmp: { chunkSize: 1000, readPaceFrom: 1, playWait: 1s, gopCacheTime: 2s }' };
  const environment = {
    CASTGATE_RTMP_READPACEFROM: '2',
    CASTGATE_RTMP_PLAY_WAIT: '2s',
    CASTGATE_RTMP_GOPCACHETIME: '3s',
  };
  const settings = ['rtmp.playWait=3s', 'rtmp.gopCacheTime=4s', 'rtmp.gopCacheTime=5s'];
  const { rtmp } = readConfig({ file, environment, settings }).config;
  assert.equal(rtmp.chunkSize, 1000);
  assert.equal(rtmp.readPaceFrom, 2);
  assert.equal(rtmp.playWait, 3_000);
  assert.equal(rtmp.gopCacheTime, 5_000);
  assert.equal(rtmp.viewerQueue, RTMP_DEFAULTS.viewerQueue);
});

test('an application takes its windows from rtmp, unless it has its own', () => {
  const { applications, anyApplication } = fromFile(`
rtmp: { writeWindow: 50ms, gopCache: no }
applications:
  plain:
  own: { writeWindow: 0, gopCache: yes }
`);
  assert.equal(applications.get('plain')?.writeWindow, 50);
  assert.equal(applications.get('plain')?.gopCache, false);
  assert.equal(applications.get('own')?.writeWindow, 0);
  assert.equal(applications.get('own')?.gopCache, true);
  assert.equal(anyApplication, undefined, 'others are refused');
});

test('players without a session are let in by default only where nobody is asked', () => {
  const { applications } = fromFile(`
applications:
  open:
  closed: { webLogin: "http://site/?s=" }
  both: { webLogin: "http://site/?s=", acceptPlayers: true }
  shut: { acceptPlayers: false }
`);
  const accepts = [...applications].map(([name, { acceptPlayers }]) => [name, acceptPlayers]);
  assert.deepEqual(accepts, [
    ['open', true],
    ['closed', false],
    ['both', true],
    ['shut', false],
  ]);
});

test('every fault is told at once, at its place, with what is allowed and what was meant', () => {
  const text = `rtmp:
  chunksize: 5
  chunkSize: 64
  writeWindow: vidoe
  playWait: 10
  gopCache: [1]
rtmpp:
  listen: 1
chunkSize: 5
http: 3
applications:
  videowhisper:
    webStatusInterval: 2s
    takeover: samekey
    webKye: x
    webStatus:
  "a b": {}
log:
  level: debgu
`;
  assert.deepEqual(fileFaults(text), [
    'c.yml:2:3: rtmp.chunksize: is not a setting; did you mean "chunkSize"?',
    'c.yml:3:14: rtmp.chunkSize: must be a size from 128 to 16777215, is "64"',
    'c.yml:4:16: rtmp.writeWindow: must be video, 0 or a duration from 20ms to 1s, is "vidoe"; did you mean "video"?',
    'c.yml:5:13: rtmp.playWait: must be 0 or a duration up to 1h, is "10"; write the unit, such as 10s or 10ms',
    'c.yml:6:13: rtmp.gopCache: must be true or false, not a list',
    'c.yml:7:1: rtmpp: is not a setting; did you mean "rtmp"?',
    'c.yml:9:1: chunkSize: is not a setting; did you mean "rtmp.chunkSize"?',
    'c.yml:10:7: http: must be a group of settings, each on a line of its own below it',
    'c.yml:13:24: applications.videowhisper.webStatusInterval: must be a duration from 5s to 30s, is "2s"',
    'c.yml:14:15: applications.videowhisper.takeover: must be one of refuse, same-key, always, is "samekey"; did you mean "same-key"?',
    'c.yml:15:5: applications.videowhisper.webKye: is not a setting; did you mean "webKey"?',
    'c.yml:16:5: applications.videowhisper.webStatus: has no value; remove the line, or write "" for an empty one',
    'c.yml:17:3: applications."a b": must be a name without spaces, ?, <, \\ and % escapes',
    'c.yml:19:10: log.level: must be one of debug, info, warn, error, is "debgu"; did you mean "debug"?',
  ]);
});

test('the admin interface on any address but loopback needs a token', () => {
  for (const listen of [':9998', '0.0.0.0:9998', '[::]:9998', '10.0.0.1:9998', 'media.example:9998']) {
    assert.deepEqual(fileFaults(`admin: { listen: "${listen}" }`), [
      'c.yml:1:18: admin.listen: can be reached from other machines and so needs admin.token; or listen on 127.0.0.1',
    ]);
    assert.deepEqual(fileFaults(`admin: { listen: "${listen}", token: t }`), []);
  }
  for (const listen of ['127.0.0.1:1', '127.1.2.3:1', 'localhost:1', '[::1]:1', '']) {
    assert.deepEqual(fileFaults(`admin: { listen: "${listen}" }`), []);
  }
});

test('settings that contradict each other are faults, told once, and not guessed from values that cannot be read', () => {
  assert.deepEqual(
    fileFaults(`
tls: { cert: a.pem }
rtmp: { listen: ":1000", tlsListen: ":2000", maxMessage: 64K, maxMessageBeforeConnect: 65K, handshakeTimeout: 20s }
http: { listen: "127.0.0.1:1000" }
applications: { live: { webLogin: "http://s/", webKeyCheck: require } }
`),
    [
      'c.yml:4:17: http.listen: is the same port as rtmp.listen',
      'c.yml:2:14: tls.cert: needs tls.key, the file with its private key',
      'c.yml:3:88: rtmp.maxMessageBeforeConnect: must not be larger than rtmp.maxMessage',
      'c.yml:3:111: rtmp.handshakeTimeout: must not be longer than rtmp.connectTimeout, which it is part of',
      'c.yml:5:61: applications.live.webKeyCheck: is "require" and needs webKey',
    ],
  );
  assert.deepEqual(fileFaults('tls: { key: k.pem }'), [
    'c.yml:1:13: tls.key: needs tls.cert, the file with its certificate',
  ]);
  assert.deepEqual(fileFaults('applications: { a: { webRtcLogin: key }, b: { webRtcLogin: both, webKey: k } }'), [
    'c.yml:1:35: applications.a.webRtcLogin: is "key" and needs webKey',
    'c.yml:1:60: applications.b.webRtcLogin: is "both" and needs webLogin',
  ]);
  assert.deepEqual(fileFaults('rtmp: { tlsListen: ":1936" }'), [
    'c.yml:1:20: rtmp.tlsListen: needs tls.cert and tls.key',
  ]);
  assert.equal(fileFaults('admin: { listen: ":1", token: [] }').length, 1, 'the token is wrong, not missing');
  assert.deepEqual(fileFaults('rtmp: { listen: "127.0.0.1:5" }\nhttp: { listen: "127.0.0.2:5" }'), []);
  assert.deepEqual(fileFaults('rtmp: { listen: ":0" }\nhttp: { listen: ":0" }'), []);
});

test('what works and is probably not meant is a warning', () => {
  assert.deepEqual(
    fileWarnings('applications: { live: { webStatus: "http://s/", webLogout: "http://s/", webKey: x } }'),
    [
      'c.yml:1:36: applications.live.webStatus: is set without webLogin: everybody is let in unasked and then reported',
      'c.yml:1:60: applications.live.webLogout: is set without webLogin: it is never used',
      'c.yml:1:81: applications.live.webKey: is set without webLogin: it guards WebRTC, and everybody is let in over RTMP',
    ],
  );
  const { warnings: found } = readConfig({
    settings: ['webKey=VideoWhisper', 'webLogin=http://s/', 'webLogout=http://s/'].map(
      (set) => `applications.a.${set}`,
    ),
  });
  assert.deepEqual(
    found.map(({ code }) => code),
    ['config/default-key'],
  );
  const forgetful = (rest: string) => fileWarnings(`applications: { a: { webLogin: "http://s/"${rest} } }`);
  assert.deepEqual(forgetful(''), [
    'c.yml:1:32: applications.a.webLogin: is set without webLogout, so freshLogin can do nothing: a site that remembers logins takes any key for them; set webLogout, or freshLogin: false',
  ]);
  assert.deepEqual(forgetful(', freshLogin: false'), []);
  assert.deepEqual(forgetful(', webLogout: "http://s/"'), []);
  assert.deepEqual(fileWarnings('rtmp: { maxConnections: 10, maxConnectionsPerIp: 11 }'), [
    'c.yml:1:50: rtmp.maxConnectionsPerIp: is more than rtmp.maxConnections and so has no effect',
  ]);
});

test('applications that share a web site are told where their settings for it differ', () => {
  const shared = 'webLogin: "http://s/l", webLogout: "http://s/o", webStatus: "http://s/s"';
  assert.deepEqual(
    fileWarnings(`
applications:
  a: { ${shared}, connectTo: 192.0.2.1, takeover: refuse, loginTimeout: 1s }
  b: { ${shared}, webStatusInterval: 5s, maxLogins: 1, connectTo: 192.0.2.1 }
  c: { ${shared} }
  d: { webLogin: "http://s/l", webLogout: "http://other/o", maxLogins: 2 }
  e: { maxLogins: 3, connectTo: 192.0.2.3 }
`).map((line) => line.replace(/^c\.yml:(\d+):\d+/, '$1')),
    [
      '4: applications.b.webStatusInterval: is not as in applications.a, which asks the same web site; the last one counts for both',
      '5: applications.c.connectTo: is not as in applications.a, which asks the same web site; the last one counts for both',
      '4: applications.b.maxLogins: is not as in applications.a, which asks the same web site; the last one counts for both',
    ],
  );
});

test('addresses pasted from XML lose their entities, once or twice escaped, with a warning', () => {
  for (const pasted of [
    'http://s/?action=vwls&amp;task=rtmp_login&amp;s=',
    'http://s/?action=vwls&amp;amp;task=rtmp_login&amp;amp;s=',
  ]) {
    const settings = [`applications.a.webLogin=${pasted}`, 'applications.a.freshLogin=false'];
    const { config, warnings } = readConfig({ settings });
    assert.equal(config.applications.get('a')?.webLogin, 'http://s/?action=vwls&task=rtmp_login&s=');
    assert.deepEqual(warnings.map(faultLine), [
      '--set applications.a.webLogin: holds &amp; as a page shows it; read as &',
    ]);
  }
});

test('no message shows a secret', () => {
  const secret = 'Hunter2';
  const text = `
admin: { token: "${secret}\\n" }
applications:
  live:
    webKey: [${secret}]
    webLogin: "ftp://user:${secret}@site/?key=${secret}"
    webLogout: "http://${secret}@site/?a b=${secret}"
`;
  const told = [
    ...fileFaults(text),
    ...fileFaults(`applications: { a: { webKey: @${secret} } }`),
    ...fileFaults(`applications: { a: { webKey: *${secret} } }`),
    ...fileFaults(`applications: { a: { webKey: "${secret}\\q" } }`),
    ...fileFaults(`applications: { a: { webKey: "${secret} } }`),
    ...fileFaults(`applications: { a: { webKey: !${secret} x } }`),
    ...fileFaults(`- ${secret}\n${secret}: 1`),
    ...fileFaults(secret),
    ...faultsOf({ settings: [`applications.a.webKey=${'x'.repeat(300)}${secret}`, secret] }),
    ...faultsOf({ environment: { CASTGATE_ADMIN_TOKEN: `${secret}\n` } }),
  ];
  assert.ok(told.length >= 12, told.join('\n'));
  for (const line of told) assert.doesNotMatch(line, new RegExp(secret), line);
});

test('names of applications that no address or report could carry are faults', () => {
  for (const name of [
    '',
    'a b',
    'a?b',
    'a<b',
    'a\\\\b',
    'a%2fb',
    '/a',
    'a/',
    'a//b',
    'live/_definst_',
    'x'.repeat(65),
  ]) {
    assert.equal(fileFaults(`applications: { "${name}": {} }`).length, 1, name);
  }
  for (const name of ['videowhisper', 'live/room', 'ü', 'a.b-c_d', 'x'.repeat(64), '__proto__', 'constructor']) {
    assert.deepEqual([...fromFile(`applications: { "${name}": {} }`).applications.keys()], [name]);
  }
});

test('keys that every object has are not settings', () => {
  for (const path of [
    '__proto__.x',
    'constructor.name',
    'rtmp.__proto__',
    'rtmp.toString',
    'applications.a.constructor',
  ]) {
    assert.match(faultsOf({ settings: [`${path}=1`] })[0] ?? '', /is not a setting/);
  }
});

test('a reload knows which paths have changed, and tells no value', () => {
  const before = fromFile('applications: { a: { webKey: x, webLogin: "http://s/" }, b: }');
  const after = fromFile('rtmp: { playWait: 1s }\napplications: { a: { webKey: y, webLogin: "http://s/" } }');
  const changed = changedPaths(before, after);
  assert.ok(changed.includes('rtmp.playWait'));
  assert.ok(changed.includes('applications.a.webKey'));
  assert.ok(changed.includes('applications.b.takeover'));
  assert.equal(changed.filter((path) => path.startsWith('applications.a.')).length, 1);
  assert.deepEqual(changedPaths(before, before), []);
});
