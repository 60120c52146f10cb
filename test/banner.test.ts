import assert from 'node:assert/strict';
import { test } from 'node:test';
import { banner, startFields } from '../src/banner.ts';
import { fromFile } from './helpers/config.ts';

const SITE = `
admin: { token: Hunter2 }
applications:
  videowhisper: { webLogin: "https://site.example/a.php?key=Hunter2&s=", webStatus: "https://site.example/s", webKey: Hunter2 }
  second: { webLogin: "http://other.example:8000/?s=", acceptPlayers: true }
`;

function show(text: string, addresses: Parameters<typeof banner>[0]['addresses']): string {
  return banner({ version: '1.2.3', addresses, config: fromFile(text), configFile: text === '' ? undefined : 'c.yml' });
}

test('an open server says how to publish and to watch, with its real port', () => {
  const text = show('', {
    rtmp: { host: '127.0.0.1', port: 5000 },
    http: { host: '127.0.0.1', port: 80 },
    admin: { host: '::1', port: 9998 },
  });
  assert.match(text, /castgate 1\.2\.3 is ready/);
  assert.match(text, /OBS: Server rtmp:\/\/127\.0\.0\.1:5000\/live {2}Stream Key test/);
  assert.match(text, /ffmpeg .* -f flv rtmp:\/\/127\.0\.0\.1:5000\/live\/test\n/);
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
