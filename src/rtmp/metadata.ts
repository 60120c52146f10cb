/**
 * What onMetaData claims about a stream, for people to read. A claim, not a fact: the encoder's own words, bounded and cleaned.
 */
import { PeerError } from '../base/errors.ts';
import { amfFields } from './amf-value.ts';
import { readAmf0 } from './amf0.ts';

export interface MetadataDescription {
  readonly width?: number;
  readonly height?: number;
  readonly framerate?: number;
  /** kbit/s. */
  readonly videodatarate?: number;
  /** kbit/s. */
  readonly audiodatarate?: number;
  /** Hz. */
  readonly audiosamplerate?: number;
  readonly audiochannels?: number;
  readonly encoder?: string;
}

const NUMBERS = [
  'width',
  'height',
  'framerate',
  'videodatarate',
  'audiodatarate',
  'audiosamplerate',
  'audiochannels',
] as const;
const MAX_NUMBER = 1e9;
/** Characters of a text, at most. */
const MAX_TEXT = 128;

/** Reads the `data` of a metadata frame. Never throws; what is malformed, out of range or unknown is left out. */
export function describeMetadata(data: Buffer): MetadataDescription {
  const description: { -readonly [key in keyof MetadataDescription]: MetadataDescription[key] } = {};
  const fields = fieldsOf(data);
  for (const key of NUMBERS) {
    const value = fields?.get(key);
    if (typeof value === 'number' && value > 0 && value <= MAX_NUMBER) description[key] = value;
  }
  const encoder = fields?.get('encoder');
  if (typeof encoder === 'string') {
    const text = plainText(encoder);
    if (text !== '') description.encoder = text;
  }
  return description;
}

function fieldsOf(data: Buffer) {
  try {
    return amfFields(readAmf0(data)[1]);
  } catch (error) {
    if (error instanceof PeerError) return undefined;
    throw error;
  }
}

/** Without control, format and other invisible characters, in one line, cut to `MAX_TEXT`. */
function plainText(text: string): string {
  const cut = [...text.slice(0, 4 * MAX_TEXT).replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')].slice(0, MAX_TEXT);
  return cut.join('').trim();
}
