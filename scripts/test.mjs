/**
 * `npm test`: types, style, then every test file; the ones that load the machine come last and one at a time.
 * `npm test -- FILTER ...` runs the test files whose path holds one of the words.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { run } from 'node:test';
import { inspect } from 'node:util';

/** Real programs, real time: each file has the machine for itself. */
const ALONE = /^test\/e2e\//;
/** A fault that came when its test was over already. */
const STRAY = /asynchronous activity/;
const FILE_TIMEOUT = 120_000;
const FILE_TIMEOUT_ALONE = 600_000;

process.chdir(new URL('..', import.meta.url).pathname);
const filters = process.argv.slice(2);
const files = globSync('test/**/*.test.ts')
  .sort()
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));

const totals = { tests: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 };
const begun = performance.now();
let sound = files.length > 0;
if (files.length === 0) print(`no test file matches ${filters.join(', ')}`);

if (filters.length === 0) {
  const checks = await Promise.all([
    check('types', 'tsc', ['--noEmit']),
    check('types of web', 'tsc', ['--noEmit', '-p', 'tsconfig.web.json']),
    check('style', 'biome', ['check', '--error-on-warnings', '.']),
  ]);
  sound = checks.every(Boolean) && sound;
}
const together = files.filter((file) => !ALONE.test(file));
const alone = files.filter((file) => ALONE.test(file));
sound = (await test(together, availableParallelism(), FILE_TIMEOUT)) && sound;
sound = (await test(alone, 1, FILE_TIMEOUT_ALONE)) && sound;

print(`# tests ${totals.tests}`);
print(`# pass ${totals.passed}`);
print(`# fail ${totals.failed}`);
print(`# cancelled ${totals.cancelled}`);
print(`# skipped ${totals.skipped}`);
print(`# todo ${totals.todo}`);
print(`# duration_ms ${Math.round(performance.now() - begun)}`);
process.exitCode = sound ? 0 : 1;

/** Runs one tool to its end; what it says is shown when it is not content. */
function check(name, command, args) {
  return new Promise((resolve) => {
    const tool = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    tool.stdout.on('data', (bytes) => output.push(bytes));
    tool.stderr.on('data', (bytes) => output.push(bytes));
    tool.on('error', (error) => output.push(Buffer.from(`${error.message}\n`)));
    tool.on('close', (code) => {
      print(`${code === 0 ? 'ok  ' : 'FAIL'} ${name}`);
      if (code !== 0) print(Buffer.concat(output).toString().trimEnd());
      resolve(code === 0);
    });
  });
}

/** Runs files, `concurrency` at a time, a line for each; a failure is told in full when it happens. */
async function test(paths, concurrency, timeout) {
  if (paths.length === 0) return true;
  const said = new Map();
  let good = true;
  for await (const { type, data } of run({ files: paths, concurrency, timeout })) {
    if (type === 'test:fail') {
      good = false;
      printFailure(data, said);
    } else if (type === 'test:diagnostic' && STRAY.test(data.message)) {
      good = false;
      print(`\n✖ ${data.message}`);
    } else if (type === 'test:stdout' || type === 'test:stderr') {
      const file = relative('.', data.file);
      said.set(file, (said.get(file) ?? '') + data.message);
    } else if (type === 'test:summary') {
      good = data.success && good;
      if (data.file === undefined) addTotals(data.counts);
      else printFile(data, said);
    }
  }
  return good;
}

function printFile({ file, counts, duration_ms, success }, said) {
  const left = counts.skipped > 0 ? `, ${counts.skipped} left out` : '';
  const seconds = (duration_ms / 1000).toFixed(1);
  print(`${success ? 'ok  ' : 'FAIL'} ${relative('.', file)} (${counts.tests} tests${left}, ${seconds} s)`);
  if (!success) printOutput(relative('.', file), said);
}

function printFailure({ name, file, line, details }, said) {
  const { error } = details;
  // The file itself fails with its tests; what they say is enough.
  if (error?.failureType === 'subtestsFailed') return;
  print(`\n✖ ${name}  (${file === undefined ? '' : `${relative('.', file)}:${line}`})`);
  print(`${words(error?.cause ?? error)}\n`.replaceAll(/^(?=.)/gm, '    '));
  // The process ended by itself, or did not even begin.
  printOutput(name, said);
}

function printOutput(file, said) {
  const text = said.get(file)?.trimEnd();
  if (text) print(`${text}\n`);
  said.delete(file);
}

/** What an error says and where it came from, without the test runner's own frames. */
function words(error) {
  const text = typeof error?.stack === 'string' ? error.stack : inspect(error);
  return text
    .split('\n')
    .filter((line) => !/^\s+at .*node:(internal|async_hooks)/.test(line))
    .join('\n');
}

function addTotals(counts) {
  for (const name of Object.keys(totals)) totals[name] += counts[name];
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
