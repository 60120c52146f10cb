import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultLine } from '../../src/config/fault.ts';
import { type Config, SECTIONS } from '../../src/config/schema.ts';
import { settingsOf } from '../../src/config/setting.ts';
import { written } from '../../src/config/value.ts';
import { readConfig } from '../../src/config.ts';
import { faultsOf, fromFile, plain } from '../helpers/config.ts';

test('faults of variables and of the command line name those', () => {
  const environment = {
    CASTGATE_RTMP_CHUNK_SIZE: '1',
    CASTGATE_RTMP_CHUNKSZE: '2',
    CASTGATE_APPLICATIONS_LIVE_WEBLOGN: 'x',
  };
  assert.deepEqual(
    faultsOf({ environment, settings: ['rtmp.listn=1', 'secret', 'rtmp=1', 'applications.a.gopCache=perhaps'] }),
    [
      'CASTGATE_RTMP_CHUNKSZE: is not a variable of castgate; did you mean "CASTGATE_RTMP_CHUNKSIZE"?',
      'CASTGATE_APPLICATIONS_LIVE_WEBLOGN: is not a variable of castgate; did you mean "CASTGATE_APPLICATIONS_LIVE_WEBLOGIN"?',
      'CASTGATE_RTMP_CHUNK_SIZE: rtmp.chunkSize: must be a size from 128 to 16777215, is "1"',
      '--set: must be PATH=VALUE, such as --set rtmp.listen=:1936',
      '--set rtmp.listn: is not a setting; did you mean "listen"?',
      '--set rtmp: must be a group of settings, each on a line of its own below it',
      '--set applications.a.gopCache: must be true or false, is "perhaps"',
    ],
  );
});

test('variables find applications by name; others are new ones in small letters', () => {
  const environment = {
    CASTGATE_APPLICATIONS_MY_APP_2_WEBLOGIN: 'http://one/?s=',
    CASTGATE_APPLICATIONS_MY_APP_2_WEB_STATUS_INTERVAL: '7s',
    CASTGATE_APPLICATIONS_VIDEOWHISPER_WEBKEY: 'k',
    CASTGATE_APPLICATIONS_FROM_LINE_TAKEOVER: 'always',
  };
  const settings = ['applications.From-Line=', 'applications.dotted.name.takeover=refuse'];
  const { applications } = fromFile('applications: { My-App.2: }', { environment, settings });
  assert.deepEqual([...applications.keys()].sort(), ['From-Line', 'My-App.2', 'dotted.name', 'videowhisper']);
  assert.equal(applications.get('My-App.2')?.webLogin, 'http://one/?s=');
  assert.equal(applications.get('My-App.2')?.webStatusInterval, 7_000);
  assert.equal(applications.get('videowhisper')?.webKey, 'k');
  assert.equal(applications.get('From-Line')?.takeover, 'always');
});

test('each setting can be set by its variable, in both spellings', () => {
  for (const [section, schema] of Object.entries(SECTIONS)) {
    for (const [key, setting] of settingsOf(schema)) {
      if (setting.default === '' || setting.unit === 'list') continue;
      const words = key.replace(/[A-Z]/g, (letter) => `_${letter}`);
      for (const name of [key, words]) {
        const variable = `CASTGATE_${section}_${name}`.toUpperCase();
        const { config } = readConfig({ environment: { [variable]: plain(written(setting, setting.default)) } });
        const group = config[section as keyof Config] as unknown as Record<string, unknown>;
        assert.deepEqual(group[key], setting.default, variable);
      }
    }
  }
});

test('variables that are not ours are no fault; those that look so are a warning', () => {
  const environment = {
    PATH: '/bin',
    CASTGATE_HOME: '/x',
    CASTGATE_SERVICE_HOST: '10.0.0.1',
    CASTGATE_RTMP_PORT: 'tcp://10.0.0.1:1935',
    CASTGATE_RTMP_PORT_1935_TCP_ADDR: '10.0.0.1',
    CASTGATE_RTMP_LISTEN: undefined,
  };
  const { warnings } = readConfig({ environment });
  assert.deepEqual(warnings.map(faultLine), ['CASTGATE_HOME: is not a variable of castgate']);
});

test('the state directory comes from systemd, unless it is set', () => {
  const environment = { STATE_DIRECTORY: '/var/lib/castgate:/var/lib/other' };
  assert.equal(readConfig({ environment }).config.state.dir, '/var/lib/castgate');
  assert.equal(readConfig({ environment, settings: ['state.dir=/x'] }).config.state.dir, '/x');
  assert.equal(readConfig().config.state.dir, '.castgate');
});
