/**
 * What can be fuzzed. Each file in targets/ exports one `target`; its inputs lie in corpus/<name>/, one file each.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { PeerError } from '../../src/base/errors.ts';

export interface FuzzTarget {
  readonly name: string;
  /** Takes any bytes, which it may not keep nor change. May throw `PeerError`; whatever else it throws is a find. */
  run(bytes: Buffer): void;
}

const TARGETS = new URL('targets/', import.meta.url);
const CORPUS = new URL('corpus/', import.meta.url);

export function targetNames(): string[] {
  return readdirSync(TARGETS)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

export async function loadTarget(name: string): Promise<FuzzTarget> {
  if (!targetNames().includes(name)) throw new Error(`no target ${name}; there are ${targetNames().join(', ')}`);
  const module: { target: FuzzTarget } = await import(new URL(`${name}.ts`, TARGETS).href);
  return module.target;
}

export interface CorpusEntry {
  readonly file: string;
  readonly bytes: Buffer;
}

export function readCorpus(name: string): CorpusEntry[] {
  const folder = new URL(`${name}/`, CORPUS);
  return readdirSync(folder)
    .sort()
    .map((file) => ({ file, bytes: readFileSync(new URL(file, folder)) }));
}

/** Where an input of a target is kept. */
export function corpusFile(name: string, file: string): URL {
  return new URL(`${name}/${file}`, CORPUS);
}

/** What is wrong with `target` for this input; undefined when it stayed calm. */
export function verdict(target: FuzzTarget, bytes: Buffer): Error | undefined {
  try {
    target.run(bytes);
  } catch (error) {
    if (!(error instanceof PeerError)) return error instanceof Error ? error : new Error(String(error));
  }
  return undefined;
}
