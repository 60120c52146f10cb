/**
 * Settings from the environment and from the command line, as entries like those of a file.
 */

import { didYouMean } from '../spelling.ts';
import { APPLICATION } from './application-schema.ts';
import type { Fault } from './fault.ts';
import type { Entry } from './file.ts';
import { SECTIONS } from './schema.ts';
import { settingsOf } from './setting.ts';

const PREFIX = 'CASTGATE_';
const APPLICATIONS = 'APPLICATIONS_';
/** What Kubernetes sets for a service whose name begins with castgate. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Paths of the settings that have a fixed one, by the letters of their variable. */
const PATHS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(SECTIONS).flatMap(([section, schema]) =>
    [...settingsOf(schema).keys()].map((key) => [letters(section + key), [section, key]] as const),
  ),
);
const APPLICATION_KEYS: ReadonlyMap<string, string> = new Map(
  [...settingsOf(APPLICATION).keys()].map((key) => [letters(key), key] as const),
);

/** The variable of a setting: `rtmp.chunkSize` is `CASTGATE_RTMP_CHUNKSIZE`; `CASTGATE_RTMP_CHUNK_SIZE` is read as well. */
export function variableOf(path: readonly string[]): string {
  return PREFIX + path.map((part) => part.toUpperCase().replace(/[^A-Z0-9]/g, '_')).join('_');
}

export interface Overrides {
  readonly entries: readonly Entry[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/**
 * The variables that begin with `CASTGATE_`. An application is found by its name in capitals with `_` for what is neither letter
 * nor digit; one that is not among `applications` is a new one, in small letters.
 */
export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  applications: readonly string[],
): Overrides {
  const entries: Entry[] = [];
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  for (const [source, text] of Object.entries(environment)) {
    if (!source.startsWith(PREFIX) || text === undefined) continue;
    const name = source.slice(PREFIX.length);
    const path = name.startsWith(APPLICATIONS)
      ? applicationPath(name.slice(APPLICATIONS.length), applications)
      : PATHS.get(letters(name));
    if (path !== undefined) {
      entries.push({ path, content: { form: 'text', text }, source });
    } else if (!SERVICE_LINK.test(source)) {
      const ours = [...Object.keys(SECTIONS), 'applications'].some((section) =>
        name.startsWith(`${letters(section)}_`),
      );
      const application = name.slice(APPLICATIONS.length).split('_')[0]!;
      const own = [...APPLICATION_KEYS.values()].map((key) => ['applications', application, key]);
      const known = [...PATHS.values(), ...own].map(variableOf);
      const message = `is not a variable of castgate${didYouMean(source, known)}`;
      (ours ? faults : warnings).push({ source, path: '', message });
    }
  }
  return { entries, faults, warnings };
}

/** The `path=value` of each `--set`, in order. */
export function readSettings(settings: readonly string[]): Overrides {
  const entries: Entry[] = [];
  const faults: Fault[] = [];
  for (const setting of settings) {
    const equals = setting.indexOf('=');
    if (equals <= 0) {
      // What stands there may be a secret without its key.
      faults.push({ source: '--set', path: '', message: 'must be PATH=VALUE, such as --set rtmp.listen=:1936' });
      continue;
    }
    const name = setting.slice(0, equals);
    const path = splitPath(name);
    const text = setting.slice(equals + 1);
    const empty = text === '' && (path.length < 2 || (path.length === 2 && path[0] === 'applications'));
    entries.push({ path, content: empty ? { form: 'nothing' } : { form: 'text', text }, source: `--set ${name}` });
  }
  return { entries, faults, warnings: [] };
}

/** At the dots; the name of an application may hold dots of its own. */
function splitPath(text: string): readonly string[] {
  const parts = text.split('.');
  if (parts[0] !== 'applications' || parts.length <= 3) return parts;
  return ['applications', parts.slice(1, -1).join('.'), parts.at(-1)!];
}

function applicationPath(name: string, applications: readonly string[]): readonly string[] | undefined {
  const words = name.split('_');
  // The longest key first, so that no shorter one takes its last words.
  for (let split = 1; split < words.length; split++) {
    const key = APPLICATION_KEYS.get(words.slice(split).join(''));
    const wanted = words.slice(0, split).join('_');
    if (key === undefined || wanted === '') continue;
    const listed = applications.find((application) => application.toUpperCase().replace(/[^A-Z0-9]/g, '_') === wanted);
    return ['applications', listed ?? wanted.toLowerCase(), key];
  }
  return undefined;
}

function letters(text: string): string {
  return text.toUpperCase().replaceAll('_', '');
}
