import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { RefusedError } from '../../src/base/errors.ts';
import { StateLock } from '../../src/control/state-lock.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';

const root = mkdtempSync(join(tmpdir(), 'castgate-lock-'));
after(() => rmSync(root, { recursive: true }));
let directories = 0;
const directory = () => join(root, `state-${++directories}`, 'deeper');

/** Takes the lock, says so, and stays. */
const HOLDER = `
  import { writeSync } from 'node:fs';
  import { quiet } from './src/base/log.ts';
  import { StateLock } from './src/control/state-lock.ts';
  await new StateLock(process.argv.at(-1), quiet).take();
  writeSync(1, 'taken');
  setInterval(() => {}, 1_000);
`;

async function holder(t: TestContext, path: string) {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', HOLDER, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: new URL('../..', import.meta.url),
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

describe('the lock of the state directory', { timeout: 30_000 }, () => {
  it('makes the directory, for its owner alone, and leaves nothing in it when it is given back', async () => {
    const path = directory();
    const lock = new StateLock(path, new LogRecorder());
    await lock.take();
    assert.equal(statSync(path).mode & 0o777, 0o700);
    const [file, ...others] = readdirSync(path);
    assert.deepEqual(others, []);
    assert.match(file!, new RegExp(`^castgate-${process.pid}-[\\w-]+\\.lock$`));
    await lock.release();
    await lock.release();
    assert.deepEqual(readdirSync(path), []);
  });

  it('is refused while another process has it, by directory, process and cure; and taken over when that was killed', async (t) => {
    const path = directory();
    const child = await holder(t, path);
    const lock = new StateLock(path, new LogRecorder());
    await assert.rejects(lock.take(), (error) => {
      assert.ok(error instanceof RefusedError);
      assert.equal(error.code, 'server/state');
      for (const word of [path, String(child.pid), 'state.dir']) assert.ok(error.message.includes(word), error.message);
      return true;
    });
    await lock.release();
    const [theirs, ...others] = readdirSync(path);
    assert.ok(theirs!.includes(`-${child.pid}-`), 'the lock of the other stays');
    assert.deepEqual(others, []);
    child.kill('SIGKILL');
    await once(child, 'close');
    await lock.take();
    assert.deepEqual(
      readdirSync(path).map((name) => name.split('-')[1]),
      [String(process.pid)],
    );
    await lock.release();
  });

  it('of a process whose number another one has now is nobody’s', async (t) => {
    const path = directory();
    const child = await holder(t, path);
    const [theirs] = readdirSync(path);
    child.kill('SIGKILL');
    await once(child, 'close');
    rmSync(join(path, theirs!));
    // the parent of this process is alive, and did not start at that moment
    const stale = join(path, theirs!.replace(`-${child.pid}-`, `-${process.ppid}-`));
    writeFileSync(stale, '');
    const lock = new StateLock(path, new LogRecorder());
    await lock.take();
    assert.ok(!existsSync(stale));
    await lock.release();
  });

  it('is one for two servers of one process, too', async () => {
    const path = directory();
    const first = new StateLock(path, new LogRecorder());
    await first.take();
    const second = new StateLock(path, new LogRecorder());
    await assert.rejects(second.take(), { code: 'server/state' });
    await second.release();
    await assert.rejects(second.take(), { code: 'server/state' }, 'the first has it still');
    await first.release();
    await second.take();
    await second.release();
  });

  it('is never had by two, however many try at once', async (t) => {
    const path = directory();
    const tries = Array.from({ length: 20 }, () => new StateLock(path, new LogRecorder()));
    const results = await Promise.allSettled(tries.map((lock) => lock.take()));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    t.after(() => Promise.all(tries.map((lock) => lock.release())));
  });

  it('leaves other files alone', async () => {
    const path = directory();
    const lock = new StateLock(path, new LogRecorder());
    await lock.take();
    await lock.release();
    const others = ['castgate-0-1.lock', 'castgate-1.lock', 'logouts.journal', 'x-castgate-999999-1.lock'];
    for (const name of others) writeFileSync(join(path, name), '');
    await lock.take();
    await lock.release();
    assert.deepEqual(readdirSync(path).sort(), others);
  });

  it('that cannot be written stops nobody, and is complained about', async () => {
    const path = directory();
    writeFileSync(join(root, `state-${directories}`), 'a file where a directory should be');
    const log = new LogRecorder();
    const lock = new StateLock(path, log);
    await lock.take();
    assert.deepEqual(log.codes(), ['web/journal']);
    await lock.release();
  });
});
