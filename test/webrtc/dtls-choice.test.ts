import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { loadDtls } from '../../src/webrtc/dtls-choice.ts';
import { makeNativeDtls } from '../../src/webrtc/native-dtls.ts';
import { makeWeriftDtls } from '../../src/webrtc/werift-dtls.ts';

const SERVER = new URL('../../src/server.ts', import.meta.url).href;
const CHOICE = new URL('../../src/webrtc/dtls-choice.ts', import.meta.url).href;
/** Says each time that somebody asks for werift. */
const WATCH = `import { registerHooks } from 'node:module';
registerHooks({
  resolve(name, context, next) {
    if (name === 'werift') console.log(name);
    return next(name, context);
  },
});`;

async function askedFor(kind: string): Promise<string> {
  const script = `await import('${SERVER}');
    const { loadDtls } = await import('${CHOICE}');
    await loadDtls('${kind}');`;
  const watch = `data:text/javascript,${encodeURIComponent(WATCH)}`;
  const args = ['--import', watch, '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout;
}

test('each name has its DTLS', async () => {
  assert.equal(await loadDtls('native'), makeNativeDtls);
  assert.equal(await loadDtls('werift'), makeWeriftDtls);
});

test('werift and its packages are loaded for who wants them only', async () => {
  assert.equal(await askedFor('native'), '');
  assert.match(await askedFor('werift'), /^werift\n/);
});
