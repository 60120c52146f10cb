/**
 * The project's own files as tests of the house rules read them.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  /** The same without comments and with empty strings, line by line where it was. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written; for files of our own, the path from the root. */
  readonly target: string;
  readonly line: number;
  /** The values that are taken from it by name; types are left out. */
  readonly values: readonly string[];
  /** Nothing of it is left when the program runs. */
  readonly typeOnly: boolean;
}

/** All files that match, sorted; what is built, installed or recorded is left out. */
export function sourceFiles(...patterns: readonly string[]): readonly SourceFile[] {
  const paths = globSync([...patterns], { cwd: ROOT, exclude: ['node_modules/**', 'dist/**', 'test/golden/**'] });
  return paths.sort().map((path) => {
    const text = readFileSync(ROOT + path, 'utf8');
    return { path, text, code: withoutWords(text), imports: importsOf(path, text) };
  });
}

/** `path:line` of each place where `pattern` (with the flag g) matches, and what stands there. */
export function places(path: string, text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map((match) => `${path}:${lineOf(text, match.index)} ${match[0].trim()}`);
}

/** The line of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

const IMPORT =
  /^(?:import|export)\s(?<taken>[^'";]*?)\bfrom\s*'(?<from>[^']+)'|^import\s*'(?<bare>[^']+)'|\bimport\('(?<later>[^']+)'\)/gm;

function importsOf(path: string, text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const { taken = '', from, bare, later } = match.groups!;
    const specifier = (from ?? bare ?? later)!;
    const listed = /\{([^}]*)\}/.exec(taken)?.[1] ?? '';
    const names = listed.split(',').map((name) => name.trim());
    const given = names.filter((name) => name !== '');
    const values = given.filter((name) => !name.startsWith('type '));
    const typeOnly = /^type\s/.test(taken.trim()) || (given.length > 0 && values.length === 0);
    return {
      target: specifier.startsWith('.') ? resolved(path, specifier) : specifier,
      line: lineOf(text, match.index),
      values: values.map((name) => name.replace(/\s+as\s.*$/, '')),
      typeOnly,
    };
  });
}

function resolved(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

/** Comments become spaces and strings lose their text; template strings keep theirs, since code stands in them. */
function withoutWords(text: string): string {
  const words =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\/(?![*/\s])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*(?=[\s.,;)\]])/g;
  return text.replace(words, (found) => {
    const quote = found[0] === "'" || found[0] === '"' ? found[0].repeat(2) : '';
    return quote + found.replace(/[^\n]/g, ' ').slice(quote.length);
  });
}
