/**
 * One setting: a typebox leaf that also knows how it is written, what it defaults to and what it means.
 */
import Type, {
  type TArray,
  type TBoolean,
  type TEnum,
  type TInteger,
  type TObject,
  type TSchema,
  type TString,
} from 'typebox';
import type { Millis } from '../base/clock.ts';
import type { WriteWindow } from '../rtmp/options.ts';

/** How a setting is written; the readers are in units.ts. */
export type Unit =
  | 'flag'
  | 'choice'
  | 'count'
  | 'duration'
  | 'size'
  | 'window'
  | 'listen'
  | 'web-address'
  | 'connect-address'
  | 'ip-address'
  | 'text'
  | 'list';

/** What a leaf of the schema carries besides its JSON schema keywords. */
export interface Setting {
  readonly unit: Unit;
  readonly description: string;
  readonly default: unknown;
  /** Its value is never printed. */
  readonly secret?: boolean;
  /** Said instead of `default`, where the default depends on something else. */
  readonly defaultNote?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly enum?: readonly string[];
}

export type Leaf = Setting & TSchema;

/** A leaf for each option of a room. */
export type Fields<Options> = Record<keyof Options, TSchema>;

/** The leaves of a section, by name. */
export function settingsOf(section: TObject): ReadonlyMap<string, Leaf> {
  // Each leaf is made by one of the functions below, which all give a Setting.
  return new Map(Object.entries(section.properties as Record<string, Leaf>));
}

/** The shortest and the longest write window in time. */
export const WRITE_WINDOW_RANGE = { minimum: 20, maximum: 1_000 } as const;

export function flag(value: boolean, description: string): TBoolean & Setting {
  return leaf(Type.Boolean(), { unit: 'flag', default: value, description });
}

export function count(value: number, minimum: number, maximum: number, description: string): TInteger & Setting {
  return leaf(Type.Integer(), { unit: 'count', default: value, minimum, maximum, description });
}

export function duration(value: Millis, minimum: Millis, maximum: Millis, description: string): TInteger & Setting {
  return leaf(Type.Integer(), { unit: 'duration', default: value, minimum, maximum, description });
}

export function size(value: number, minimum: number, maximum: number, description: string): TInteger & Setting {
  return leaf(Type.Integer(), { unit: 'size', default: value, minimum, maximum, description });
}

export function choice<const Values extends string[]>(
  value: Values[number],
  values: readonly [...Values],
  description: string,
): TEnum<Values> & Setting {
  return leaf(Type.Enum(values), { unit: 'choice', default: value, description });
}

export function listen(value: string, description: string): TString & Setting {
  return leaf(Type.String({ maxLength: 300 }), { unit: 'listen', default: value, description });
}

export function webAddress(value: string, description: string): TString & Setting {
  return leaf(Type.String({ maxLength: 2048 }), { unit: 'web-address', default: value, description });
}

export function connectAddress(value: string, description: string): TString & Setting {
  return leaf(Type.String({ maxLength: 60 }), { unit: 'connect-address', default: value, description });
}

export function ipAddress(value: string, description: string): TString & Setting {
  return leaf(Type.String({ maxLength: 60 }), { unit: 'ip-address', default: value, description });
}

export function text(value: string, maxLength: number, description: string): TString & Setting {
  return leaf(Type.String({ maxLength }), { unit: 'text', default: value, description });
}

export function list(value: readonly string[], maxItems: number, description: string): TArray<TString> & Setting {
  const items = Type.String({ minLength: 1, maxLength: 253 });
  return leaf(Type.Array(items, { maxItems }), { unit: 'list', default: value, description });
}

export function writeWindow(value: WriteWindow, description: string) {
  const form = Type.Union([Type.Literal('video'), Type.Literal(0), Type.Integer(WRITE_WINDOW_RANGE)]);
  return leaf(form, { unit: 'window', default: value, description });
}

/** The value of this setting is never printed. */
export function secret<Leaf extends Setting>(setting: Leaf): Leaf {
  return Object.assign(setting, { secret: true });
}

/** The default depends on something else, as `note` says. */
export function defaultsTo<Leaf extends Setting>(note: string, setting: Leaf): Leaf {
  return Object.assign(setting, { defaultNote: note });
}

/** A spread would lose what typebox keeps in hidden properties. */
function leaf<Schema extends TSchema>(schema: Schema, setting: Setting): Schema & Setting {
  return Object.assign(schema, setting);
}
