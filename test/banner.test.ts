import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Addresses, banner, startFields } from '../src/banner.ts';
import { fromFile } from './helpers/config.ts';

const SITE = `
admin: { token: Hunter2 }
applications:
  videowhisper: { webLogin: "https://site.example/a.php?key=Hunter2&s=", webStatus: "https://site.example/s", webKey: Hunter2 }
  second: { webLogin: "http://other.example:8000/?s=", acceptPlayers: true }
`;

function show(text: string, addresses: Addresses, ...more: string[]): string {
  const interfaces = ['127.0.0.1', '192.168.1.5', ...more];
  const config = fromFile(text);
  return banner({ version: '1.2.3', addresses, config, configFile: text === '' ? undefined : 'c.yml', interfaces });
}

test('an open server says how to publish and to watch, with its real port', () => {
  const text = show('', {
    rtmp: { host: '127.0.0.1', port: 5000 },
    http: { host: '127.0.0.1', port: 80 },
    admin: { host: '::1', port: 9998 },
  });
  assert.match(text, /castgate 1\.2\.3 is ready/);
  assert.match(text, /OBS: Server rtmp:\/\/127\.0\.0\.1:5000\/live {2}Stream Key test/);
  assert.match(text, /ffmpeg .* -pix_fmt yuv420p -bf 0 .* -f flv rtmp:\/\/127\.0\.0\.1:5000\/live\/test\n/);
  assert.match(text, /ffplay rtmp:\/\/127\.0\.0\.1:5000\/live\/test\n/);
  assert.match(text, /page +http:\/\/127\.0\.0\.1\/\n/);
  assert.match(text, /admin +http:\/\/\[::1\]:9998\/v1\/sessions, \/metrics, \/healthz\n/);
  assert.match(text, /control +none: everybody may publish and watch/);
  assert.match(text, /settings +built-in/);
});

test('the usual port is left out; every address of the machine is this one first', () => {
  const text = show('', { rtmp: { host: '::', port: 1935 }, rtmps: { host: '0.0.0.0', port: 1936 } });
  assert.match(text, /Server rtmp:\/\/localhost\/live /);
  assert.match(text, /Server rtmps:\/\/localhost:1936\/live /);
  assert.doesNotMatch(text, /page|admin/, 'doors that are off are not shown');
});

test('under session control the site shows the addresses, and who decides is named without a secret', () => {
  const text = show(SITE, { rtmp: { host: '127.0.0.1', port: 1935 } });
  assert.match(text, /publish +rtmp:\/\/127\.0\.0\.1\/videowhisper\?… as your site shows it/);
  assert.match(text, /control +videowhisper: site\.example decides, is told every 10 s\n/);
  assert.match(text, / {12}second: other\.example:8000 decides, also about players without a session\n/);
  assert.match(text, /settings +c\.yml\n/);
  assert.doesNotMatch(text, /Hunter2/);
});

test('an open application among others is the one to try', () => {
  const text = show('applications: { closed: { webLogin: "http://s/" }, open: }', {
    rtmp: { host: '127.0.0.1', port: 1935 },
  });
  assert.match(text, /ffplay rtmp:\/\/127\.0\.0\.1\/open\/test\n/);
});

test('many applications are counted, not listed', () => {
  const many = Array.from({ length: 25 }, (_, number) => `a${number}: {}`).join(', ');
  assert.match(show(`applications: { ${many} }`, {}), /and 15 more applications\n/);
});

test('programs get the same as fields', () => {
  const config = fromFile(SITE);
  const addresses = { rtmp: { host: '::', port: 1935 }, http: undefined };
  assert.deepEqual(startFields({ version: '1.2.3', addresses, config, configFile: 'c.yml' }), {
    version: '1.2.3',
    rtmp: '[::]:1935',
    control: [
      'videowhisper: site.example decides, is told every 10 s',
      'second: other.example:8000 decides, also about players without a session',
    ],
    settings: 'c.yml',
  });
});

const HTTP = { http: { host: '127.0.0.1', port: 8080 } };
const MEDIA = { webrtc: { host: '', port: 8189 }, webrtcTcp: { host: '', port: 8190 } };

test('WHIP, WHEP and the ports of the media are told', () => {
  const text = show('', { ...HTTP, ...MEDIA });
  assert.match(text, /webrtc +browser: \S+\/\?publish=live\/test, http:\/\/127\.0\.0\.1:8080\/\?watch=live\/test\n/);
  assert.match(text, / {12}publish http:\/\/127\.0\.0\.1:8080\/live\/test\/whip \(in OBS/);
  assert.match(text, / {12}watch http:\/\/127\.0\.0\.1:8080\/live\/test\/whep\n/);
  assert.match(text, / {12}open UDP 8189 and TCP 8190 in the firewall/);
  assert.match(show('', { ...HTTP, webrtc: MEDIA.webrtc }), /open UDP 8189 in the firewall/);
  assert.match(show('', { ...HTTP, webrtcTcp: MEDIA.webrtcTcp }), /open TCP 8190 in the firewall/);
  const secure = show('', { https: { host: '127.0.0.1', port: 443 }, ...MEDIA });
  assert.match(secure, /publish https:\/\/127\.0\.0\.1\/live\/test\/whip/);
});

test('without a door for signalling, or without media, there is no WebRTC', () => {
  assert.doesNotMatch(show('', MEDIA), /webrtc/);
  assert.doesNotMatch(show('', HTTP), /webrtc/);
});

test('under control the site makes the addresses of WebRTC, too', () => {
  const text = show(SITE, { ...HTTP, ...MEDIA });
  assert.match(
    text,
    /publish http:\/\/127\.0\.0\.1:8080\/videowhisper\/…\/whip, watch …\/whep, with the key that your site/,
  );
  assert.doesNotMatch(text, /Hunter2/);
  const open = show('applications: { closed: { webKey: Hunter2 }, open: }', { ...HTTP, ...MEDIA });
  assert.match(open, /8080\/open\/test\/whip/);
});

test('whoever tells clients private addresses alone is told what others need', () => {
  const hint = /for clients of other networks set webrtc\.publicAddresses/;
  const publicly = 'webrtc: { publicAddresses: ["203.0.113.5"] }';
  assert.match(show('', { ...HTTP, ...MEDIA }), hint);
  for (const ip of ['10.0.0.1', '172.31.0.1', '100.64.0.1', 'fd00::1'])
    assert.match(show('', { ...HTTP, ...MEDIA }, ip), hint);
  for (const ip of ['203.0.113.5', '172.32.0.1', '100.128.0.1', '2001:db8::1']) {
    assert.doesNotMatch(show('', { ...HTTP, ...MEDIA }, ip), hint, ip);
  }
  assert.doesNotMatch(show(publicly, { ...HTTP, ...MEDIA }), hint);
  const here = { webrtc: { host: '127.0.0.1', port: 8189 } };
  assert.match(show('', { ...HTTP, ...here }, '203.0.113.5'), hint, 'it listens where nobody else comes');
  assert.match(show('webrtc: { interfaceAddresses: false }', { ...HTTP, ...MEDIA }, '203.0.113.5'), hint);
});

test('with webKey alone RTMP is free for all, and WebRTC is not', () => {
  const text = show('applications: { live: { webKey: Hunter2 } }', { rtmp: { host: '127.0.0.1', port: 1935 } });
  assert.match(text, /control +live: everybody may publish and watch over RTMP; browsers need a key/);
  assert.match(text, /ffplay rtmp:\/\/127\.0\.0\.1\/live\/test\n/);
  assert.doesNotMatch(text, /Hunter2/);
});
