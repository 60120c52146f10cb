/**
 * Makes a bare clone ready: `npm start` and `npm test` call it first. Runs on any Node.js from 18 on, with nothing installed.
 *
 *   node scripts/setup.mjs start    packages of package-lock.json, and the Node.js among them that castgate runs on
 *   node scripts/setup.mjs test     the same, and the system packages that the tests use
 *
 * What is in place is not touched; looking takes milliseconds.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SYSTEM_PACKAGES } from './system-packages.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
const OWN_NODE = join(MODULES, 'node', 'bin', 'node');
/** npm puts this folder first in the PATH of its scripts. */
const NODE_LINK = join(MODULES, '.bin', 'node');
/** What could not be had and is not needed is not asked for again. */
const STAMP = join(MODULES, '.castgate-setup.json');
const OLDEST_NODE = [22, 18];
/** Debian keeps libraries here, or in the folder of their architecture. */
const LIBRARIES = '/usr/lib';
/** Lines of a failed command that are shown. */
const TAIL_LINES = 40;

installPackages();
installNode();
if (process.argv[2] === 'test') installSystemPackages();

function installPackages() {
  if (packagesMatchLock()) return;
  say('installing the packages of package-lock.json (once)');
  // Development packages too, whatever NODE_ENV says: the Node.js that runs castgate is one of them.
  const [command, ...args] = npm();
  const options = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { ok, output } = run(command, [...args, 'ci', ...options], { env: npmEnvironment() });
  if (!ok) fail('npm ci failed. Is the npm registry within reach?', output);
}

/** npm keeps a record of what it has installed, which it writes last. */
function packagesMatchLock() {
  const installed = readJson(join(MODULES, '.package-lock.json'))?.packages;
  const wanted = readJson(join(ROOT, 'package-lock.json'))?.packages;
  if (wanted === undefined) fail('package-lock.json is missing; this is not a whole clone.');
  if (installed === undefined) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    // The optional ones are for other machines.
    if (path === '' || optional) return true;
    const found = installed[path];
    return found?.version === version && found.integrity === integrity && existsSync(join(ROOT, path));
  });
}

/** Where npm may not run install scripts, the one of the `node` package is run here, and its link made. */
function installNode() {
  if (existsSync(OWN_NODE) && existsSync(NODE_LINK)) return;
  say('installing the Node.js that castgate runs on (once)');
  const { output } = run(outsideNode(), ['installArchSpecificPackage.js'], {
    cwd: join(MODULES, 'node'),
    env: npmEnvironment(),
  });
  if (existsSync(OWN_NODE)) {
    // npm links nothing that was not there when it looked.
    rmSync(NODE_LINK, { force: true });
    mkdirSync(dirname(NODE_LINK), { recursive: true });
    symlinkSync(relative(dirname(NODE_LINK), OWN_NODE), NODE_LINK);
    return;
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  const recent = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (recent) say(`the packaged Node.js is not to be had; using ${process.versions.node}`);
  else
    fail(
      `castgate needs Node.js ${OLDEST_NODE.join('.')} or later, and the packaged one could not be installed.`,
      output,
    );
}

function installSystemPackages() {
  const given = readJson(STAMP)?.unavailable ?? [];
  const missing = SYSTEM_PACKAGES.filter((item) => !isThere(item));
  const needed = missing.filter((item) => !item.optional).map((item) => item.package);
  const wished = missing.filter((item) => item.optional && !given.includes(item.package)).map((item) => item.package);
  if (needed.length === 0 && wished.length === 0) return;

  const mayInstall = process.getuid?.() === 0 && onPath('apt-get');
  if (needed.length > 0 && !mayInstall) {
    fail(`The tests need ${needed.join(', ')}. As root, on Debian or Ubuntu:\n\n    ${aptLine(needed)}\n`);
  }
  if (mayInstall) {
    say(`installing system packages for the tests (once): ${[...needed, ...wished].join(' ')}`);
    // An unreachable mirror need not matter: the lists may be there already.
    const update = aptGet(['update']);
    const install = needed.length === 0 ? update : aptGet(['install', ...needed]);
    const still = SYSTEM_PACKAGES.filter((item) => needed.includes(item.package) && !isThere(item));
    if (still.length > 0) {
      fail(
        `apt-get could not install what the tests need. By hand:\n\n    ${aptLine(needed)}\n`,
        update.output + install.output,
      );
    }
    if (wished.length > 0) aptGet(['install', ...wished]);
  }
  const unavailable = SYSTEM_PACKAGES.filter((item) => item.optional && !isThere(item)).map((item) => item.package);
  if (unavailable.length > 0) {
    say(`tests that use ${unavailable.join(', ')} will be left out; for those: ${aptLine(unavailable)}`);
  }
  writeFileSync(STAMP, `${JSON.stringify({ unavailable })}\n`);
}

function aptGet([command, ...packages]) {
  const options = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];
  if (command === 'install') options.push('--no-install-recommends');
  return run('apt-get', [command, ...options, ...packages], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function aptLine(packages) {
  return `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/** The npm that called us, on a Node.js that `npm ci` does not delete under its feet. */
function npm() {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') ? [outsideNode(), script] : ['npm'];
}

/** An unwritable home is no reason to fail: npm can keep its cache elsewhere. */
function npmEnvironment() {
  const path = outsidePath().join(delimiter);
  const cache = process.env.npm_config_cache ?? join(homedir(), '.npm');
  if (isWritable(cache)) return { ...process.env, PATH: path };
  return { ...process.env, PATH: path, npm_config_cache: mkdtempSync(join(tmpdir(), 'castgate-npm-')) };
}

/** Can the folder be written to, or made? */
function isWritable(path) {
  if (!existsSync(path)) return path !== dirname(path) && isWritable(dirname(path));
  try {
    accessSync(path, constants.W_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function outsidePath() {
  return (process.env.PATH ?? '').split(delimiter).filter((place) => !place.startsWith(MODULES));
}

function outsideNode() {
  const found = outsidePath().map((place) => join(place, 'node'));
  return found.find((file) => existsSync(file)) ?? process.execPath;
}

/** Looks for what the package is wanted for: a command, or a library below one of the places for libraries. */
function isThere({ command, library }) {
  if (command !== undefined) return onPath(command);
  const below = existsSync(LIBRARIES) ? readdirSync(LIBRARIES) : [];
  return ['', ...below].some((place) => existsSync(join(LIBRARIES, place, library)));
}

function onPath(command) {
  return outsidePath().some((place) => place !== '' && existsSync(join(place, command)));
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Runs a command to its end, quietly, with nothing to read. */
function run(command, args, options) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 << 20,
    ...options,
  });
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}${error ? `${error.message}\n` : ''}` };
}

function say(text) {
  process.stderr.write(`castgate: ${text}\n`);
}

function fail(text, output = '') {
  const tail = output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  if (tail !== '') process.stderr.write(`${tail}\n\n`);
  say(text);
  process.exit(1);
}
