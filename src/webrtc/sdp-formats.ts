/**
 * The payload types of one m-section, and what their `rtpmap`, `fmtp` and `rtcp-fb` lines say (RFC 8866 section 6.6 and 6.15, RFC 4585).
 */
import type { RtcpFeedback } from './negotiated.ts';
import { staticRtpFormat } from './rtp-formats.ts';
import { type Attribute, firstWord, isToken, isVisibleText, wholeNumber, words } from './sdp-lines.ts';

export interface PayloadFormat {
  readonly payloadType: number;
  /** Lower case: `h264`, `rtx`; empty when the section does not say. */
  readonly encoding: string;
  readonly clockRate: number;
  readonly channels: number;
  /** Of all its fmtp lines, by name in lower case; the first of a name counts. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly feedback: RtcpFeedback;
}

interface Draft extends PayloadFormat {
  encoding: string;
  clockRate: number;
  channels: number;
  readonly parameters: Map<string, string>;
  readonly feedback: { -readonly [kind in keyof RtcpFeedback]: boolean };
}

export const NO_FEEDBACK: RtcpFeedback = { nack: false, pli: false, fir: false, remb: false, transportCc: false };

const MAX_PAYLOAD_TYPE = 127;
const MAX_CLOCK_RATE = 1_000_000;
const MAX_CHANNELS = 8;
const MAX_NAME = 32;
const MAX_PARAMETERS = 32;
const MAX_PARAMETER = 2_048;

/** What Chromium adds to its own lines; it means nothing to others, and a line of its own would hide the real one. */
const PRIVATE_PARAMETER = 'x-google-';

const FEEDBACK: ReadonlyMap<string, keyof RtcpFeedback> = new Map([
  ['nack', 'nack'],
  ['nack pli', 'pli'],
  ['ccm fir', 'fir'],
  ['goog-remb', 'remb'],
  ['transport-cc', 'transportCc'],
]);

/** In the order of the m-line, whose formats are `listed`; what is no payload type and what comes again is left out. */
export function readPayloadFormats(
  listed: readonly string[],
  attributes: readonly Attribute[],
): readonly PayloadFormat[] {
  const formats = new Map<number, Draft>();
  for (const word of listed) {
    const payloadType = wholeNumber(word, MAX_PAYLOAD_TYPE);
    if (payloadType !== undefined) formats.set(payloadType, blank(payloadType));
  }
  const mapped = new Set<Draft>();
  for (const { name, value } of attributes) {
    const [type, rest] = firstWord(value);
    const format = formats.get(wholeNumber(type, MAX_PAYLOAD_TYPE) ?? -1);
    if (name === 'rtcp-fb') {
      const kind = FEEDBACK.get(words(rest).join(' '));
      if (kind === undefined) continue;
      if (type === '*') for (const each of formats.values()) each.feedback[kind] = true;
      else if (format !== undefined) format.feedback[kind] = true;
    } else if (format === undefined) continue;
    else if (name === 'fmtp') readParameters(format.parameters, rest);
    else if (name === 'rtpmap' && !mapped.has(format) && readMapping(format, rest)) mapped.add(format);
  }
  return [...formats.values()];
}

function blank(payloadType: number): Draft {
  const { encoding = '', clockRate = 0, channels = 1 } = staticRtpFormat(payloadType) ?? {};
  const feedback = { ...NO_FEEDBACK };
  return { payloadType, encoding: encoding.toLowerCase(), clockRate, channels, parameters: new Map(), feedback };
}

/** `opus/48000/2`. */
function readMapping(format: Draft, text: string): boolean {
  const [encoding = '', rate, channels] = text.split('/');
  const clockRate = wholeNumber(rate, MAX_CLOCK_RATE);
  if (!isToken(encoding, MAX_NAME) || clockRate === undefined) return false;
  format.encoding = encoding.toLowerCase();
  format.clockRate = clockRate;
  format.channels = wholeNumber(channels, MAX_CHANNELS) ?? 1;
  return true;
}

/** `apt=96;x=y`. Parameters without a value are none that we know. */
function readParameters(parameters: Map<string, string>, text: string): void {
  for (const piece of text.split(';')) {
    const equals = piece.indexOf('=');
    if (equals < 0) continue;
    const name = piece.slice(0, equals).trim().toLowerCase();
    const value = piece.slice(equals + 1).trim();
    if (!isToken(name, MAX_NAME) || !isVisibleText(value, MAX_PARAMETER) || name.startsWith(PRIVATE_PARAMETER))
      continue;
    if (parameters.has(name) || parameters.size === MAX_PARAMETERS) continue;
    parameters.set(name, name === 'profile-level-id' ? value.toLowerCase() : value);
  }
}
