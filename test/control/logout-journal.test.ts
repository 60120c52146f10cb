import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { quiet } from '../../src/base/log.ts';
import { LogoutFile } from '../../src/control/logout-file.ts';
import { LogoutJournal } from '../../src/control/logout-journal.ts';
import { LogRecorder } from '../helpers/log-recorder.ts';
import { MemoryJournal } from '../helpers/memory-journal.ts';
import { settled, VirtualClock } from '../helpers/virtual-clock.ts';

const root = mkdtempSync(join(tmpdir(), 'castgate-journal-'));
after(() => rmSync(root, { recursive: true }));
let directories = 0;
const directory = () => join(root, `state-${++directories}`, 'deeper');

async function opened(
  file: MemoryJournal | LogoutFile,
  clock = new VirtualClock(),
  log = quiet,
): Promise<LogoutJournal> {
  const journal = new LogoutJournal(file, clock, log);
  await journal.open();
  return journal;
}

const names = (journal: LogoutJournal) => journal.owed.map(({ app, session }) => `${app}/${session}`);

describe('the logout journal', () => {
  it('remembers who is owed, in the order of coming, names of any kind included', async () => {
    const file = new MemoryJournal();
    const journal = await opened(file);
    await Promise.all([journal.owe('live', 'bob'), journal.owe('live', 'Zoë "x", [1]'), journal.owe('live', 'carl')]);
    journal.settle('live', 'bob');
    journal.settle('live', 'nobody');
    await settled();
    assert.deepEqual(names(await opened(file)), ['live/Zoë "x", [1]', 'live/carl']);
  });

  it('writes before it answers, the lines of one turn at once, and one write at a time', async () => {
    const file = new MemoryJournal();
    const journal = await opened(file);
    const many = Array.from({ length: 500 }, (_, i) => journal.owe('live', `s${i}`));
    await many[0];
    assert.match(file.text, /"s499"/);
    await Promise.all(many);
    assert.equal(file.appends, 1);
    await journal.owe('live', 'late');
    assert.match(file.text, /"late"/);
    assert.equal(file.overlaps, 0);
  });

  it('loses nothing of a file that cannot be read at first', async () => {
    const file = new MemoryJournal();
    file.text = '["+","live","bob"]\n';
    file.mood = 'unreadable';
    const clock = new VirtualClock();
    const journal = await opened(file, clock);
    await journal.owe('live', 'carl');
    await settled();
    assert.match(file.text, /"bob"/);
    file.mood = 'good';
    clock.advance(60_000);
    await settled();
    assert.deepEqual(names(await opened(file)).sort(), ['live/bob', 'live/carl']);
  });

  it('is not told by a file read late of debts that are settled since', async () => {
    const file = new MemoryJournal();
    file.mood = 'unreadable';
    const clock = new VirtualClock();
    const journal = await opened(file, clock);
    await journal.owe('live', 'carl');
    file.mood = 'full';
    journal.settle('live', 'carl');
    await settled();
    assert.match(file.text, /"carl"/);
    file.mood = 'good';
    clock.advance(60_000);
    await settled();
    assert.deepEqual(names(journal), []);
    assert.deepEqual(names(await opened(file)), []);
  });

  it('reads the file once at the start', async () => {
    const file = new MemoryJournal();
    await opened(file);
    assert.equal(file.reads, 1);
  });

  it('survives a torn line and lines that are no lines', async () => {
    const file = new MemoryJournal();
    const lines = [
      '["+","live","bob"]',
      'rubbish',
      '["+","live"]',
      '{"a":1}',
      '["?","live","x"]',
      '["+","live",7]',
      '',
      '["+","live","vera"]',
    ];
    file.text = `${lines.join('\n')}\n["+","live","to`;
    const log = new LogRecorder();
    const journal = await opened(file, new VirtualClock(), log);
    assert.deepEqual(names(journal), ['live/bob', 'live/vera']);
    assert.deepEqual(log.lines[0]!.fields, { code: 'web/journal', lines: 6 });
    await journal.owe('live', 'new');
    assert.equal(file.text, '["+","live","bob"]\n["+","live","vera"]\n["+","live","new"]\n', 'begun anew, clean');
  });

  it('keeps whoever comes while the file is read, whatever it says of his name', async () => {
    const file = new MemoryJournal();
    file.text = '["+","live","bob"]\n["-","live","bob"]\n["+","live","vera"]\n';
    const journal = new LogoutJournal(file, new VirtualClock(), quiet);
    const opening = journal.open();
    await journal.owe('live', 'bob');
    await opening;
    assert.deepEqual(names(journal).sort(), ['live/bob', 'live/vera']);
    assert.deepEqual(names(await opened(file)).sort(), ['live/bob', 'live/vera']);
    assert.equal(file.overlaps, 0);
  });

  it('leaves a file that cannot be read as it is, and goes on behind it', async () => {
    const file = new MemoryJournal();
    file.text = '["+","live","bob"]\n["+","live","torn';
    const log = new LogRecorder();
    const unread = Object.assign(new MemoryJournal(), {
      read: () => Promise.reject(Object.assign(new Error('too many files'), { code: 'EMFILE' })),
      append: (text: string) => file.append(text),
      replace: (parts: Iterable<string>) => file.replace(parts),
    });
    const journal = await opened(unread, new VirtualClock(), log);
    await journal.owe('live', 'vera');
    assert.deepEqual(log.codes(), ['web/journal']);
    assert.deepEqual(names(await opened(file)), ['live/bob', 'live/vera']);
  });

  it('takes a last line that only lacks its end', async () => {
    const file = new MemoryJournal();
    file.text = '["+","live","bob"]\n["-","live","bob"]\n["+","live","vera"]';
    assert.deepEqual(names(await opened(file)), ['live/vera']);
  });

  it('stays small, however many come and go', async () => {
    const file = new MemoryJournal();
    const journal = await opened(file);
    let largest = 0;
    for (let i = 0; i < 20_000; i++) {
      void journal.owe('live', `s${i}`);
      if (i >= 100) journal.settle('live', `s${i - 100}`);
      if (i % 50 !== 0) continue;
      await settled();
      largest = Math.max(largest, file.text.length);
    }
    await settled();
    assert.ok(largest < 2_200 * 25, `${largest} characters at most`);
    assert.equal(file.overlaps, 0);
    assert.deepEqual(names(await opened(file)), names(journal));
    assert.equal(journal.size, 100);
  });

  it('forces to the disk once a second, and at the end', async () => {
    const clock = new VirtualClock();
    const file = new MemoryJournal();
    const journal = await opened(file, clock);
    for (let i = 0; i < 25; i++) {
      await journal.owe('live', `s${i}`);
      await clock.run(100);
    }
    assert.equal(file.syncs, 2);
    await journal.close();
    assert.equal(file.syncs, 3);
    assert.ok(file.closed);
    await journal.owe('live', 'too late');
    assert.doesNotMatch(file.text, /too late/);
  });

  it('writes nothing after its end, even when the disk was full', async () => {
    const file = new MemoryJournal();
    const clock = new VirtualClock();
    const journal = await opened(file, clock);
    file.mood = 'full';
    await journal.owe('live', 'bob');
    await journal.close();
    assert.equal(clock.pending, 0);
    file.mood = 'good';
    const { text } = file;
    await clock.run(60_000);
    assert.equal(file.text, text);
  });

  it('lets a login go on when the disk is full, says so, and catches up', async () => {
    const clock = new VirtualClock();
    const log = new LogRecorder();
    const file = new MemoryJournal();
    const journal = await opened(file, clock, log);
    await journal.owe('live', 'before');
    file.mood = 'full';
    for (let i = 0; i < 100; i++) {
      await journal.owe('live', `s${i}`);
      await clock.run(100);
    }
    journal.settle('live', 's0');
    assert.deepEqual(log.codes(), ['web/journal'], 'once a minute');
    assert.equal(log.lines[0]!.fields['cause'], 'ENOSPC');
    file.mood = 'good';
    await clock.run(2_000);
    assert.deepEqual(names(await opened(file)), names(journal));
    assert.equal(journal.size, 100);
  });

  it('holds up nobody for more than a second when the disk hangs', async () => {
    const clock = new VirtualClock();
    const file = new MemoryJournal();
    const journal = await opened(file, clock);
    file.mood = 'hanging';
    await clock.until(journal.owe('live', 'bob'), 1_000);
  });

  it('does without a disk', async () => {
    const journal = new LogoutJournal(undefined, new VirtualClock(), quiet);
    await journal.open();
    await journal.owe('live', 'bob');
    assert.deepEqual(names(journal), ['live/bob']);
    await journal.close();
  });
});

describe('its file', () => {
  it('is made with its directory, for its owner alone, and replaced in one step', async () => {
    const path = directory();
    const journal = await opened(new LogoutFile(path));
    await journal.owe('live', 'bob');
    const file = join(path, 'logouts.journal');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.equal(readFileSync(file, 'utf8'), '["+","live","bob"]\n');
    await journal.close();
    appendFileSync(file, '["+","live","torn');
    writeFileSync(`${file}.new`, 'left behind by a crash');
    const next = await opened(new LogoutFile(path));
    assert.deepEqual(names(next), ['live/bob']);
    assert.equal(readFileSync(file, 'utf8'), '["+","live","bob"]\n');
    await next.close();
  });

  it('that cannot be written is complained about, and nothing else happens', async () => {
    const path = directory();
    writeFileSync(join(root, `state-${directories}`), 'a file where a directory should be');
    const log = new LogRecorder();
    const journal = await opened(new LogoutFile(path), new VirtualClock(), log);
    await journal.owe('live', 'bob');
    assert.deepEqual(log.codes(), ['web/journal']);
    await journal.close();
  });

  it('holds 10,000 entries, written without holding up the loop', async () => {
    const path = directory();
    const journal = await opened(new LogoutFile(path));
    await Promise.all(Array.from({ length: 10_000 }, (_, i) => journal.owe('live', `session-${i}`)));
    await journal.close();
    const next = await opened(new LogoutFile(path));
    assert.equal(next.size, 10_000);
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    // most of what follows is history, so the file is written anew on the way
    for (let i = 0; i < 10_000; i++) next.settle('live', `session-${i}`);
    await next.owe('live', 'last');
    clearInterval(count);
    await next.close();
    assert.ok(turns >= 1, 'others had their turn');
    assert.deepEqual(names(await opened(new LogoutFile(path))), ['live/last']);
  });

  it('loses nothing of what was answered when the process is killed', { timeout: 30_000 }, async () => {
    for (let round = 0; round < 3; round++) {
      const path = directory();
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', WRITER, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
        cwd: new URL('../..', import.meta.url),
      });
      const answered = await answeredBeforeKill(child, 200 + 150 * round);
      const journal = await opened(new LogoutFile(path));
      const left = new Set(names(journal));
      for (const session of answered) assert.ok(left.has(`live/${session}`), `${session} was answered`);
      assert.ok(answered.length >= 200);
      await journal.close();
    }
  });
});

/** Owes one session after another and says so once the journal has it. */
const WRITER = `
  import { writeSync } from 'node:fs';
  import { systemClock } from './src/base/clock.ts';
  import { quiet } from './src/base/log.ts';
  import { LogoutFile } from './src/control/logout-file.ts';
  import { LogoutJournal } from './src/control/logout-journal.ts';
  const journal = new LogoutJournal(new LogoutFile(process.argv.at(-1)), systemClock, quiet);
  await journal.open();
  for (let i = 0; ; i++) {
    await journal.owe('live', 's' + i);
    writeSync(1, 's' + i + '\\n');
  }
`;

async function answeredBeforeKill(child: ChildProcess, lines: number): Promise<string[]> {
  let text = '';
  let killed = false;
  child.stdout!.setEncoding('utf8');
  child.stdout!.on('data', (part: string) => {
    text += part;
    if (killed || text.split('\n').length <= lines) return;
    killed = true;
    child.kill('SIGKILL');
  });
  await once(child, 'close');
  return text.split('\n').slice(0, -1);
}
