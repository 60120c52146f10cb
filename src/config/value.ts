/**
 * One value: from the text of any source to what the rooms use, or to the words that say what is allowed instead.
 */
import Value from 'typebox/value';
import { readListen } from '../base/listen-address.ts';
import { withoutQuery } from '../base/log.ts';
import { didYouMean } from '../spelling.ts';
import { quoted } from './fault.ts';
import { type Leaf, type Setting, WRITE_WINDOW_RANGE } from './setting.ts';
import {
  isConnectAddress,
  isIpAddress,
  isWebAddress,
  readCount,
  readDuration,
  readFlag,
  readSize,
  withoutEntities,
  writeDuration,
  writeSize,
} from './units.ts';

export type Reading =
  | { readonly ok: true; readonly value: unknown; readonly warning?: string }
  | { readonly ok: false; readonly fault: string };

/** Reads the text (or the items of a list) that was given for `setting`. */
export function readSetting(setting: Leaf, given: string | readonly string[]): Reading {
  if (setting.unit === 'list') {
    const items = typeof given === 'string' ? splitList(given) : given;
    return Value.Check(setting, items) ? { ok: true, value: items } : wrong(setting, given);
  }
  if (typeof given !== 'string') return wrong(setting, given);
  const value = fromText(setting, given);
  if (value === undefined || !Value.Check(setting, value)) return wrong(setting, given);
  if (setting.unit === 'web-address' && value !== given) {
    return { ok: true, value, warning: 'holds &amp; as a page shows it; read as &' };
  }
  return { ok: true, value };
}

/** What may stand there, in words that follow "must be". */
export function allowed(setting: Setting): string {
  switch (setting.unit) {
    case 'flag':
      return 'true or false';
    case 'choice':
      return `one of ${setting.enum!.join(', ')}`;
    case 'count':
      return `a whole number from ${setting.minimum} to ${setting.maximum}`;
    case 'duration':
      return fromTo('a duration', setting, writeDuration);
    case 'size':
      return fromTo('a size', setting, writeSize);
    case 'window':
      return `video, 0 or ${fromTo('a duration', WRITE_WINDOW_RANGE, writeDuration)}`;
    case 'listen':
      return 'PORT, :PORT, HOST:PORT or [IPV6]:PORT, or "" for off';
    case 'web-address':
      return `an address that begins with http:// or https://, without spaces and #, of at most ${setting.maxLength} characters`;
    case 'connect-address':
      return 'IP, IP:PORT or [IPV6]:PORT';
    case 'ip-address':
      return 'an IP address of this machine';
    case 'text':
      return `text of at most ${setting.maxLength} characters without control characters`;
    case 'list':
      return `a list of at most ${setting.maxItems} names`;
  }
}

/** A value as one would write it in the file. */
export function written(setting: Setting, value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (setting.unit === 'size') return writeSize(value as number);
  if (setting.unit === 'duration' || (setting.unit === 'window' && typeof value === 'number')) {
    return writeDuration(value as number);
  }
  return value === '' || setting.unit === 'listen' ? JSON.stringify(value) : String(value);
}

function fromText(setting: Setting, text: string): unknown {
  switch (setting.unit) {
    case 'flag':
      return readFlag(text);
    case 'count':
      return readCount(text);
    case 'duration':
      return readDuration(text);
    case 'size':
      return readSize(text);
    case 'window':
      return text === 'video' ? text : readDuration(text);
    case 'listen':
      return text === '' || readListen(text) !== undefined ? text : undefined;
    case 'web-address':
      return text === '' || isWebAddress(text) ? withoutEntities(text) : undefined;
    case 'connect-address':
      return text === '' || isConnectAddress(text) ? text : undefined;
    case 'ip-address':
      return text === '' || isIpAddress(text) ? text : undefined;
    case 'text':
      return /\p{Cc}/u.test(text) ? undefined : text;
    default:
      return text;
  }
}

function splitList(text: string): readonly string[] {
  return text === '' ? [] : text.split(',').map((item) => item.trim());
}

function wrong(setting: Leaf, given: string | readonly string[]): Reading {
  const must = `must be ${allowed(setting)}`;
  if (typeof given !== 'string') return { ok: false, fault: setting.unit === 'list' ? must : `${must}, not a list` };
  return { ok: false, fault: `${must}${is(setting, given)}${hint(setting, given)}` };
}

/** The value found, where it may be shown. */
function is(setting: Setting, given: string): string {
  if (setting.secret === true) return '';
  if (setting.unit !== 'web-address') return `, is ${quoted(given)}`;
  return `, is ${quoted(withoutQuery(given).replace(/\/\/[^/]*@/, '//…@'))}`;
}

function hint(setting: Setting, given: string): string {
  if (setting.unit === 'choice') return didYouMean(given, setting.enum!);
  const timed = setting.unit === 'duration' || setting.unit === 'window';
  if (timed && /^\d{1,9}$/.test(given)) return `; write the unit, such as ${given}s or ${given}ms`;
  if (setting.unit === 'window') return didYouMean(given, ['video']);
  return '';
}

function fromTo(
  noun: string,
  range: { readonly minimum?: number; readonly maximum?: number },
  write: (value: number) => string,
): string {
  const { minimum = 0, maximum = 0 } = range;
  return minimum === 0 ? `0 or ${noun} up to ${write(maximum)}` : `${noun} from ${write(minimum)} to ${write(maximum)}`;
}
