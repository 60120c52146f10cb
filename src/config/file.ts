/**
 * A YAML file as a series of entries with their places. Everything written is handed on as text: what `1935` or `yes` means is for
 * the schema to say. Aliases are followed one at a time and no deeper than somebody asks, so that no file unfolds into more.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument, visit } from 'yaml';
import type { Fault } from './fault.ts';

/** A configuration file may not have more bytes. */
export const FILE_LIMIT = 1 << 20;
/** Each alias costs a walk through the file. */
const ALIAS_LIMIT = 100;

/** What a source says about one path: text, a list of texts, a group of further paths, or a name with nothing behind it. */
export type Content =
  | { readonly form: 'text'; readonly text: string }
  | { readonly form: 'list'; readonly items: readonly string[] }
  | { readonly form: 'group' }
  | { readonly form: 'nothing' };

export interface Entry {
  readonly path: readonly string[];
  readonly content: Content;
  /** As in `Fault`: where the value stands. */
  readonly source: string;
  /** Where the last part of the path stands, if that is another place. */
  readonly keySource?: string;
}

/** Gets each entry, a group before its members, and answers whether it wants those. */
export type TakeEntry = (entry: Entry) => boolean;

/** Hands the entries of `text` to `take`, unless it is not YAML, and answers what is wrong with the file as such. */
export function readConfigFile(name: string, text: string, take: TakeEntry): readonly Fault[] {
  if (Buffer.byteLength(text) > FILE_LIMIT) {
    return [{ source: name, path: '', message: `is larger than ${FILE_LIMIT >> 20} MiB` }];
  }
  const lines = new LineCounter();
  // The package's own messages would quote the line with its secrets, and its search for equal keys takes quadratic time.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const places = new Places(name, lines);
  const faults = syntaxFaults(document, places);
  return faults.length > 0 ? faults : new Walk(document, places, take).run();
}

class Places {
  readonly name: string;
  readonly #lines: LineCounter;

  constructor(name: string, lines: LineCounter) {
    this.name = name;
    this.#lines = lines;
  }

  line(offset: number): number {
    return this.#lines.linePos(offset).line;
  }

  source(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.name}:${line}:${col}`;
  }
}

class Walk {
  readonly #document: Document;
  readonly #places: Places;
  readonly #take: TakeEntry;
  readonly #faults: Fault[] = [];
  #aliases = 0;

  constructor(document: Document, places: Places, take: TakeEntry) {
    this.#document = document;
    this.#places = places;
    this.#take = take;
  }

  run(): readonly Fault[] {
    const { contents } = this.#document;
    if (isMap(contents)) this.#members(contents.items, []);
    else if (!isNothing(contents)) {
      this.#fault(offsetOf(contents), [], 'must hold settings, such as "rtmp:" with "listen: :1935" indented below it');
    }
    if (this.#aliases > ALIAS_LIMIT) {
      this.#faults.push({ source: this.#places.name, path: '', message: `has more than ${ALIAS_LIMIT} aliases` });
    }
    return this.#faults;
  }

  #members(pairs: readonly Pair[], path: readonly string[]): void {
    const seen = new Map<string, number>();
    for (const pair of pairs) {
      const key = this.#behind(pair.key, path);
      const offset = offsetOf(pair.key);
      if (key === undefined) continue;
      if (!isScalar(key)) {
        this.#fault(offset, path, 'a key must be plain text');
        continue;
      }
      const name = scalarText(key);
      const first = seen.get(name);
      if (first === undefined) {
        seen.set(name, offset);
        this.#visit(pair.value, [...path, name], offset);
      } else {
        this.#fault(offset, [...path, name], `is given twice; the first is in line ${this.#places.line(first)}`);
      }
    }
  }

  #visit(node: unknown, path: readonly string[], keyOffset: number): void {
    const found = this.#behind(node, path);
    if (found === undefined) return;
    const keySource = this.#places.source(keyOffset);
    const take = (content: Content) => {
      // A value is pointed at itself; a group, or nothing, by its key.
      const own = content.form === 'text' || content.form === 'list';
      return this.#take({ path, content, source: own ? this.#places.source(offsetOf(node)) : keySource, keySource });
    };
    if (isMap(found)) {
      if (take({ form: 'group' })) this.#members(found.items, path);
    } else if (isSeq(found)) {
      const items = found.items.map((item) => this.#behind(item, path));
      if (items.includes(undefined)) return;
      if (items.every(isScalar)) take({ form: 'list', items: items.map(scalarText) });
      else this.#fault(offsetOf(node), path, 'a list may hold plain text only');
    } else {
      take(isNothing(found) ? { form: 'nothing' } : { form: 'text', text: scalarText(found) });
    }
  }

  /** What an alias stands for, or the node itself; undefined when that is a fault, which is told here. */
  #behind(node: unknown, path: readonly string[]): unknown {
    if (!isAlias(node)) return node;
    if (++this.#aliases > ALIAS_LIMIT) return undefined;
    const found = node.resolve(this.#document);
    if (found === undefined) {
      this.#fault(
        offsetOf(node),
        path,
        'an alias (*name) has no anchor (&name) before it; put text that begins with * in quotes',
      );
    }
    return found;
  }

  #fault(offset: number, path: readonly string[], message: string): void {
    this.#faults.push({ source: this.#places.source(offset), path: path.join('.'), message });
  }
}

function offsetOf(node: unknown): number {
  return (node as { readonly range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
}

/** A plain scalar as it is written, so that 007 stays 007; a quoted one as it reads. */
function scalarText(node: unknown): string {
  const { type, source, value } = node as {
    readonly type?: string;
    readonly source?: string;
    readonly value: unknown;
  };
  return type === 'PLAIN' && source !== undefined ? source : String(value);
}

function isNothing(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

const SYNTAX_FAULTS: ReadonlyMap<string, string> = new Map([
  ['BAD_DQ_ESCAPE', 'a \\ in double quotes begins an escape that YAML does not know; use single quotes'],
  ['BAD_INDENT', 'wrong indentation, or a bracket that is not closed'],
  ['BAD_SCALAR_START', 'text that begins with this character must be in quotes'],
  ['BLOCK_AS_IMPLICIT_KEY', 'text with ": " must be in quotes, or this line is indented too far'],
  ['MISSING_CHAR', 'a quote, bracket, comma or space is missing'],
  ['MULTIPLE_DOCS', 'a second document (---) begins; only one is read'],
  ['RESOURCE_EXHAUSTION', 'brackets are nested too deeply'],
  ['TAB_AS_INDENT', 'YAML is indented by spaces, not by tabs'],
  ['UNEXPECTED_TOKEN', 'text that begins with [ or { must be in quotes, or this line is indented wrongly'],
  ['TAG_RESOLVE_FAILED', 'tags are not used here; text that begins with ! must be in quotes'],
]);

/** In our own words, one to a line of the file: what follows the first is mostly its echo. */
function syntaxFaults(document: Document, places: Places): readonly Fault[] {
  const byLine = new Map<number, Fault>();
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    const open = code === 'MISSING_CHAR' ? openQuote(document, pos[0]) : undefined;
    const offset = open ?? pos[0];
    const message =
      open === undefined
        ? (SYNTAX_FAULTS.get(code) ?? `is not valid YAML here (${code.toLowerCase().replaceAll('_', ' ')})`)
        : 'the quote that opens here is not closed';
    const line = places.line(offset);
    if (!byLine.has(line)) byLine.set(line, { source: places.source(offset), path: '', message });
  }
  return [...byLine.values()];
}

/** Where the quoted text begins that runs to `end`, if there is one. */
function openQuote(document: Document, end: number): number | undefined {
  let found: number | undefined;
  visit(document, {
    Scalar(_, { type, range }) {
      const quoted = type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE';
      if (quoted && range && range[0] < end && range[1] >= end) found = range[0];
    },
  });
  return found;
}
