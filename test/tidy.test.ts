/**
 * The rules of the house, as a test: each failure names file and line.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PAGES } from '../scripts/docs.ts';
import { ERRORS } from '../src/base/error-table.ts';
import { faultLine } from '../src/config/fault.ts';
import { readConfig } from '../src/config.ts';
import { type Import, lineOf, places, type SourceFile, sourceFiles } from './helpers/sources.ts';

const SRC = sourceFiles('src/**/*.ts');
const TESTS = sourceFiles('test/**/*.ts');
const TOOLS = sourceFiles('bench/**/*.ts', 'scripts/*');
const DOCS = sourceFiles('*.md', 'docs/**/*.md', 'bench/*.md', 'examples/**/*.md');
const EXAMPLES = sourceFiles('examples/**/*.yml');

/** A room may import itself and these. */
const ROOMS: ReadonlyMap<string, readonly string[]> = new Map([
  ['base', []],
  ['media', ['base']],
  ['relay', ['media', 'base']],
  ['session', ['base']],
  ['control', ['session', 'base']],
  ['rtmp', ['relay', 'media', 'session', 'base']],
  ['webrtc', ['relay', 'media', 'session', 'base']],
  ['http', ['relay', 'media', 'session', 'base']],
]);

/** Who may import a package, or a part of Node.js that reaches outside. */
const DOORS: ReadonlyMap<string, RegExp> = new Map([
  ['fastify', /^src\/(http\/|webrtc\/whip\.ts$)/],
  ['libopus-wasm', /^src\/media\/audio-bridge\/libopus\.ts$/],
  ['php-serialize', /^src\/control\/php\.ts$/],
  ['pino', /^src\/logging\.ts$/],
  ['prom-client', /^src\/http\/metric-set\.ts$/],
  ['werift', /^src\/webrtc\/werift-dtls\.ts$/],
  ['ws', /^src\/webrtc\/web-socket\.ts$/],
  ['typebox', /^src\/(config\.ts$|config\/|http\/)/],
  ['typebox/value', /^src\/config\/value\.ts$/],
  ['yaml', /^src\/config\/file\.ts$/],
  ['node:child_process', /^src\/media\/(audio-bridge\/ffmpeg-decoder|picture-bridge\/ffmpeg-encoder)\.ts$/],
  ['node:dgram', /^src\/webrtc\/udp-port\.ts$/],
  ['node:dns', /^src\/control\/web-client\.ts$/],
  ['node:fs', /^src\/(version|http\/static-files)\.ts$/],
  ['node:fs/promises', /^src\/(certificate|config\/source|control\/(logout-file|state-lock))\.ts$/],
  ['node:http', /^src\/(control\/web-client\.ts$|http\/)/],
  ['node:https', /^src\/(control\/web-client\.ts$|http\/)/],
  ['node:net', /^src\/(rtmp\/(server|[a-z]+-transport)|webrtc\/tcp-port)\.ts$/],
  ['node:os', /^src\/(banner|webrtc\/udp-port)\.ts$/],
  ['node:tls', /^src\/(certificate|http\/listener|rtmp\/server)\.ts$/],
  ['node:v8', /^src\/main\.ts$/],
  ['node:worker_threads', /^src\/media\/audio-bridge\/(transcoders|audio-worker)\.ts$/],
]);
/** Pure functions and types of Node.js, for everybody. */
const FREE = new Set(['node:buffer', 'node:crypto', 'node:path', 'node:util']);
const FREE_NAMES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['node:net', new Set(['isIP', 'isIPv4', 'isIPv6'])],
]);

const LINES = { src: 300, tools: 320, test: 600 };

/** Nothing was found that breaks a rule. */
function none(found: readonly string[], rule: string): void {
  assert.deepEqual(found, [], `${rule}:\n${found.join('\n')}`);
}

/** Undefined: under the roof, where every room is known. The configuration is there too, and has a test of its own. */
function roomOf(path: string): string | undefined {
  const room = /^src\/([a-z]+)\//.exec(path)?.[1];
  return room === 'config' ? undefined : room;
}

function each(files: readonly SourceFile[], wrong: (file: SourceFile, taken: Import) => boolean): readonly string[] {
  return files.flatMap((file) =>
    file.imports
      .filter((taken) => wrong(file, taken))
      .map(({ line, target }) => `${file.path}:${line} imports ${target}`),
  );
}

test('arrows point down: a room imports itself and the rooms below it', () => {
  const upward = each(SRC, ({ path }, { target }) => {
    const room = roomOf(path);
    if (room === undefined || !target.startsWith('src/')) return false;
    const other = roomOf(target);
    return other === undefined || (other !== room && !ROOMS.get(room)?.includes(other));
  });
  none(upward, 'see docs/architecture.md for who may know whom');
  none(
    SRC.flatMap(({ path }) => (roomOf(path) === undefined || ROOMS.has(roomOf(path)!) ? [] : [path])),
    'a new room needs its row in this test',
  );
});

test('the configuration takes options of the rooms, and nothing that runs', () => {
  const config = SRC.filter(({ path }) => /^src\/config(\.ts$|\/)/.test(path));
  const running = each(config, (_, { target }) => {
    return (
      target.startsWith('src/') &&
      !/^src\/(config|config\/[a-z-]+|spelling|base\/[a-z-]+|[a-z]+\/options)\.ts$/.test(target)
    );
  });
  none(running, 'config may import base and options.ts of the rooms');
});

test('nothing of src imports tests, benches or scripts', () => {
  none(
    each(SRC, (_, { target }) => /^(test|bench|scripts)\//.test(target)),
    'src stands alone',
  );
});

test('each package has one door', () => {
  const astray = each(SRC, ({ path }, { target, values, typeOnly }) => {
    if (target.startsWith('src/') || FREE.has(target)) return false;
    const free = FREE_NAMES.get(target);
    if (free !== undefined && values.length > 0 && values.every((name) => free.has(name))) return false;
    // Types of Node.js leave nothing behind; those of a package tie a file to it.
    if (target.startsWith('node:') && typeOnly) return false;
    return DOORS.get(target)?.test(path) !== true;
  });
  none(astray, 'use the file that wraps the package, or name the new door in this test');
});

test('no file imports itself in the end, types included', () => {
  const targets = new Map(SRC.map(({ path, imports }) => [path, imports.map(({ target }) => target)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' -> '));
    else if (!done.has(path)) {
      for (const target of targets.get(path) ?? []) visit(target, [...way, path]);
      done.add(path);
    }
  };
  for (const { path } of SRC) visit(path, []);
  none(circles, 'circles');
});

test('imports name files that are there, with their ending', () => {
  const known = new Set([...SRC, ...TESTS, ...TOOLS].map(({ path }) => path));
  none(
    each(
      [...SRC, ...TESTS, ...TOOLS],
      (_, { target }) => /^(src|test|bench|scripts)\//.test(target) && !known.has(target),
    ),
    'unknown files',
  );
});

test('time, timers and chance are handed in', () => {
  const clocks =
    /\b(?:setTimeout|setInterval|setImmediate|clearTimeout|clearInterval|performance|Date|Math\.random|process\.hrtime)\b/g;
  none(
    SRC.filter(({ path }) => path !== 'src/base/clock.ts').flatMap(({ path, code }) => places(path, code, clocks)),
    'only src/base/clock.ts may',
  );
  none(
    each(SRC, (_, { target }) => /^node:(timers|perf_hooks)/.test(target)),
    'only src/base/clock.ts may',
  );
});

test('no emitters of our own, no console, no default exports, no barrels, no enums', () => {
  const rules: readonly (readonly [RegExp, string])[] = [
    [/\bEventEmitter\b|\bextends EventTarget\b/g, 'call what is to be told'],
    [/\bconsole\./g, 'use the Logger that is handed in'],
    [/\bexport default\b/g, 'name what is exported'],
    [/^export (?:\*|(?:type )?\{[^}]*\}) from\b/gm, 'import from the file that defines'],
    [/\benum\s+\w+\s*\{/g, 'use a union or an object as const'],
    [/\bprocess\.exit\b/g, 'only the doorbell and the service end the process'],
  ];
  for (const [pattern, rule] of rules) {
    const may = pattern.source.includes('exit') ? /^src\/(main|service)\.ts$/ : /^$/;
    none(
      SRC.filter(({ path }) => !may.test(path)).flatMap(({ path, code }) => places(path, code, pattern)),
      rule,
    );
  }
});

test('files are short', () => {
  const count = (text: string) => text.trimEnd().split('\n').length;
  const long = (files: readonly SourceFile[], limit: number) =>
    files
      .filter(({ text }) => count(text) > limit)
      .map(({ path, text }) => `${path} has ${count(text)} lines of ${limit}`);
  none([...long(SRC, LINES.src), ...long(TOOLS, LINES.tools), ...long(TESTS, LINES.test)], 'cut them at a joint');
});

test('names of files are nouns in small letters', () => {
  const vague = /(^|-)(utils?|helpers?|misc|common|managers?|handlers?|data|info)(-|\.)/;
  const paths = SRC.map(({ path }) => path);
  none(
    paths.filter((path) => vague.test(path.split('/').at(-1)!)),
    'say what it is',
  );
  none(
    [...paths, ...TESTS.map(({ path }) => path)].filter((path) => !/^[a-z0-9/-]+(\.test)?\.ts$/.test(path)),
    'small letters and hyphens',
  );
});

test('each file of src begins with what it is for', () => {
  none(
    SRC.filter(({ text }) => !/^(#!.*\n)?\/\*\*\n \* \S/.test(text)).map(({ path }) => `${path}:1`),
    'a comment of a few lines on top',
  );
});

test('nothing is left for later, and no test is switched off', () => {
  const later = /\b(?:TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/g;
  none(
    [...SRC, ...TESTS, ...TOOLS, ...DOCS].flatMap(({ path, text }) => places(path, text, later)),
    'finish it, or leave it out',
  );
  const off = /\b(?:test|it|describe|suite)\.(?:skip|only|todo)\b|\b(?:skip|only|todo):\s*true\b/g;
  none(
    TESTS.flatMap(({ path, code }) => places(path, code, off)),
    'a test runs or goes',
  );
});

test('every error code that is used has its entry, and every entry is used', () => {
  const prefixes = new Set(Object.keys(ERRORS).map((code) => code.split('/')[0]));
  const used = new Map<string, string>();
  for (const { path, text } of SRC) {
    if (path === 'src/base/error-table.ts') continue;
    for (const match of text.matchAll(/['"`]([a-z]+)\/[a-z0-9-]+['"`]/g)) {
      if (prefixes.has(match[1]!)) used.set(match[0].slice(1, -1), `${path}:${lineOf(text, match.index)}`);
    }
  }
  none(
    [...used].filter(([code]) => !(code in ERRORS)).map(([code, place]) => `${place} ${code}`),
    'add it to src/base/error-table.ts',
  );
  none(
    Object.keys(ERRORS).filter((code) => !used.has(code)),
    'nobody uses these entries of src/base/error-table.ts',
  );
});

test('the generated pages are what the source says', () => {
  for (const [path, make] of PAGES) {
    assert.equal(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'), make(), `${path} is old: npm run docs`);
  }
});

test('every configuration that is shown loads, without a warning', () => {
  const samples = EXAMPLES.map(({ path, text }) => ({ name: path, text }));
  for (const { path, text } of DOCS) {
    for (const match of text.matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)) {
      samples.push({ name: `${path}:${lineOf(text, match.index)}`, text: match[1]! });
    }
  }
  assert.ok(samples.length >= 3, 'the samples were found');
  for (const file of samples) {
    const { warnings } = readConfig({ file, environment: { CASTGATE_ADMIN_TOKEN: 'secret' } });
    none(warnings.map(faultLine), 'warnings');
  }
});

test('links between our pages lead somewhere', () => {
  const broken = DOCS.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)]
      .filter((match) => sourceExists(path, match[1]!) === false)
      .map((match) => `${path}:${lineOf(text, match.index)} ${match[1]}`),
  );
  none(broken, 'no such file');
});

function sourceExists(page: string, link: string): boolean {
  const target = new URL(link, new URL(`../${page}`, import.meta.url));
  try {
    readFileSync(target);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EISDIR';
  }
}
