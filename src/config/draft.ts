/**
 * A configuration in the making: what each source has set so far, each value with its source, and every fault met on the way.
 */

import { didYouMean } from '../spelling.ts';
import { APPLICATION } from './application-schema.ts';
import type { Fault } from './fault.ts';
import type { Content, Entry } from './file.ts';
import { SECTIONS } from './schema.ts';
import { type Leaf, settingsOf } from './setting.ts';
import { type Reading, readSetting } from './value.ts';

/** A value as it was given, and by whom. */
export interface Given {
  readonly value: unknown;
  readonly source: string;
}

/** The values of one section or application, by setting. */
export type Group = Map<string, Given>;

const SECTION_SETTINGS: ReadonlyMap<string, ReadonlyMap<string, Leaf>> = new Map(
  Object.entries(SECTIONS).map(([name, schema]) => [name, settingsOf(schema)]),
);
const APPLICATION_SETTINGS = settingsOf(APPLICATION);
/** Bytes, as for every name that a web site is told. */
const NAME_LIMIT = 64;

export class Draft {
  readonly sections = new Map<string, Group>([...SECTION_SETTINGS.keys()].map((name) => [name, new Map()]));
  readonly applications = new Map<string, Group>();
  /** Where each application was first named. */
  readonly named = new Map<string, string>();
  readonly faults: Fault[] = [];
  readonly warnings: Fault[] = [];
  /** Paths whose value could not be read, so that it is unknown. */
  readonly unread = new Set<string>();

  /** Takes in what a source says; later ones win. Answers whether the members of a group are wanted. */
  put(entry: Entry): boolean {
    const [section, name, key, ...deeper] = entry.path;
    if (section === 'applications') {
      if (name === undefined) return this.#group(entry);
      if (!this.#application(name, entry)) return false;
      if (key === undefined) return this.#group(entry);
      return this.#setting(entry, APPLICATION_SETTINGS, this.applications.get(name)!, [key, ...deeper].join('.'));
    }
    const settings = SECTION_SETTINGS.get(section!);
    if (settings === undefined) return this.#unknown(entry, section!, [...SECTION_SETTINGS.keys(), 'applications']);
    if (name === undefined) return this.#group(entry);
    const rest = entry.path.slice(1).join('.');
    return this.#setting(entry, settings, this.sections.get(section!)!, rest);
  }

  fault(source: string, path: string, message: string): void {
    this.faults.push({ source, path, message });
  }

  warn(source: string, path: string, message: string, code = 'config/warning'): void {
    this.warnings.push({ source, path, message, code });
  }

  #group(entry: Entry): boolean {
    if (entry.content.form === 'group') return true;
    if (entry.content.form !== 'nothing') {
      this.#entryFault(entry, 'must be a group of settings, each on a line of its own below it');
    }
    return false;
  }

  #application(name: string, entry: Entry): boolean {
    if (this.applications.has(name)) return true;
    const wrong = applicationNameFault(name);
    if (wrong !== undefined) {
      this.#entryFault({ ...entry, path: entry.path.slice(0, 2) }, wrong);
      return false;
    }
    this.applications.set(name, new Map());
    this.named.set(name, entry.source);
    return true;
  }

  #setting(entry: Entry, settings: ReadonlyMap<string, Leaf>, group: Group, key: string): boolean {
    const setting = settings.get(key);
    if (setting === undefined) return this.#unknown(entry, key, settings.keys());
    const { content, source } = entry;
    const path = entry.path.join('.');
    const reading = readContent(setting, content);
    if (reading.ok) {
      group.set(key, { value: reading.value, source });
      if (reading.warning !== undefined) this.warn(source, path, reading.warning);
    } else {
      this.unread.add(path);
      this.#entryFault(entry, reading.fault);
    }
    return false;
  }

  #unknown(entry: Entry, name: string, siblings: Iterable<string>): boolean {
    const near = didYouMean(name, siblings) || elsewhere(name);
    this.#entryFault({ ...entry, source: entry.keySource ?? entry.source }, `is not a setting${near}`);
    return false;
  }

  #entryFault(entry: Entry, message: string): void {
    this.fault(entry.source, entry.path.map(plainPart).join('.'), message);
  }
}

function readContent(setting: Leaf, content: Content): Reading {
  if (content.form === 'group') return { ok: false, fault: 'must be a value, not a group of settings' };
  if (content.form === 'nothing') {
    return { ok: false, fault: 'has no value; remove the line, or write "" for an empty one' };
  }
  return readSetting(setting, content.form === 'text' ? content.text : content.items);
}

/** A setting of the same name that belongs to another place. */
function elsewhere(name: string): string {
  for (const [section, settings] of SECTION_SETTINGS) {
    if (settings.has(name)) return `; did you mean "${section}.${name}"?`;
  }
  return APPLICATION_SETTINGS.has(name) ? `; it belongs below applications, under the name of an application` : '';
}

/** What would make the name of an application impossible in an RTMP address or in the site's report. */
function applicationNameFault(name: string): string | undefined {
  if (name === '' || Buffer.byteLength(name) > NAME_LIMIT) return `must be a name of 1 to ${NAME_LIMIT} bytes`;
  if (/[\s\p{Cc}<\\?]|%[0-9a-f]{2}/iu.test(name)) return 'must be a name without spaces, ?, <, \\ and % escapes';
  if (name.split('/').some((part) => part === '' || part === '_definst_')) {
    return 'must be a name without a / at either end, // or _definst_';
  }
  return undefined;
}

function plainPart(part: string): string {
  return /^[\w-]{1,64}$/.test(part) ? part : JSON.stringify(part.slice(0, 64));
}
