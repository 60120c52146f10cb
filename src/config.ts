/**
 * The configuration: one YAML file, variables and command line, checked as a whole, every fault told at once.
 */
import type { Static, TObject } from 'typebox';
import { APPLICATION, type ApplicationOptions } from './config/application-schema.ts';
import { checkTogether } from './config/check.ts';
import { Draft, type Group } from './config/draft.ts';
import { ConfigError, type Fault } from './config/fault.ts';
import { readConfigFile } from './config/file.ts';
import { type Overrides, readEnvironment, readSettings } from './config/override.ts';
import { type Config, SECTIONS } from './config/schema.ts';
import { settingsOf } from './config/setting.ts';

/** Where settings come from. Defaults < file < environment < command line. */
export interface ConfigSources {
  /** The text of the file, and how messages shall call it. */
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  /** Variables that begin with `CASTGATE_`, and `STATE_DIRECTORY`. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** `path=value`, in the order of the command line. */
  readonly settings?: readonly string[] | undefined;
}

export interface ConfigReading {
  readonly config: Config;
  /** What works and is probably not meant. */
  readonly warnings: readonly Fault[];
}

/** Reads and checks everything; throws `ConfigError` with all faults. */
export function readConfig(sources: ConfigSources = {}): ConfigReading {
  const draft = new Draft();
  const { file, environment = {}, settings = [] } = sources;
  const fileFaults = file === undefined ? [] : readConfigFile(file.name, file.text, (entry) => draft.put(entry));
  draft.faults.push(...fileFaults);
  const commandLine = readSettings(settings);
  const listed = [...draft.applications.keys(), ...commandLine.entries.flatMap(applicationOf)];
  take(draft, readEnvironment(environment, listed));
  take(draft, commandLine);

  const config = build(draft, environment['STATE_DIRECTORY']);
  // Half a file would look as if the rest had been left out on purpose.
  if (fileFaults.length === 0) checkTogether(config, draft);
  if (draft.faults.length > 0) throw new ConfigError(draft.faults);
  return { config, warnings: draft.warnings };
}

/** The paths that differ, for the log of a reload; no values, some are secret. */
export function changedPaths(before: Config, after: Config): readonly string[] {
  const [old, current] = [leaves(before), leaves(after)];
  const paths = new Set([...old.keys(), ...current.keys()]);
  return [...paths].filter((path) => old.get(path) !== current.get(path));
}

function take(draft: Draft, overrides: Overrides): void {
  draft.faults.push(...overrides.faults);
  draft.warnings.push(...overrides.warnings);
  for (const entry of overrides.entries) draft.put(entry);
}

function applicationOf({ path }: { readonly path: readonly string[] }): readonly string[] {
  return path[0] === 'applications' && path[1] !== undefined ? [path[1]] : [];
}

function build(draft: Draft, stateDirectory: string | undefined): Config {
  const rtmp = fill(SECTIONS.rtmp, draft.sections.get('rtmp')!);
  const inherited = { writeWindow: rtmp.writeWindow, gopCache: rtmp.gopCache };
  const application = (group: Group): ApplicationOptions => {
    const options = { ...fill(APPLICATION, group, inherited) };
    if (!group.has('acceptPlayers')) options.acceptPlayers = options.webLogin === '';
    return options;
  };
  // systemd joins several state directories by colons; the first is ours.
  const dir = stateDirectory?.split(':')[0];
  return {
    rtmp,
    webrtc: fill(SECTIONS.webrtc, draft.sections.get('webrtc')!),
    http: fill(SECTIONS.http, draft.sections.get('http')!),
    admin: fill(SECTIONS.admin, draft.sections.get('admin')!),
    tls: fill(SECTIONS.tls, draft.sections.get('tls')!),
    applications: new Map([...draft.applications].map(([name, group]) => [name, application(group)])),
    anyApplication: draft.applications.size === 0 ? application(new Map()) : undefined,
    log: fill(SECTIONS.log, draft.sections.get('log')!),
    state: fill(SECTIONS.state, draft.sections.get('state')!, dir ? { dir } : {}),
  };
}

/** The defaults of a section, over them what was given. Each value was checked against its schema on the way in. */
function fill<Schema extends TObject>(
  schema: Schema,
  group: Group,
  defaults: Partial<Static<Schema>> = {},
): Static<Schema> {
  const values = new Map<string, unknown>([...settingsOf(schema)].map(([key, setting]) => [key, setting.default]));
  for (const [key, value] of Object.entries(defaults)) values.set(key, value);
  for (const [key, { value }] of group) values.set(key, value);
  return Object.fromEntries(values) as Static<Schema>;
}

/** Each value by its path, in a form that can be compared. */
function leaves(config: Config): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const add = (path: string, options: object) => {
    for (const [key, value] of Object.entries(options)) found.set(`${path}.${key}`, JSON.stringify(value));
  };
  for (const section of ['rtmp', 'webrtc', 'http', 'admin', 'tls', 'log', 'state'] as const)
    add(section, config[section]);
  for (const [name, options] of config.applications) add(`applications.${name}`, options);
  return found;
}
