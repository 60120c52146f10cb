/**
 * Data messages: which of them describe the stream, and what players get of them. Only the leading names are read here.
 */
import { PeerError } from '../base/errors.ts';
import { DATA_AMF3_MESSAGE, DATA_MESSAGE, FlvFrame, MAX_CONFIG_BYTES } from './flv-frame.ts';

const STRING_MARKER = 2;
const SET_DATA_FRAME = amfString('@setDataFrame');
const CLEAR_DATA_FRAME = amfString('@clearDataFrame');
const ON_META_DATA = amfString('onMetaData');

function amfString(text: string): Buffer {
  return Buffer.concat([Buffer.of(STRING_MARKER, 0, text.length), Buffer.from(text, 'latin1')]);
}

function startsWith(bytes: Buffer, start: number, prefix: Buffer): boolean {
  const end = start + prefix.length;
  return end <= bytes.length && prefix.compare(bytes, start, end) === 0;
}

/**
 * Reads a data message. Names that only address the server are taken off; what was for the server alone yields nothing.
 * AMF3 framing is undone, so that every player understands it.
 */
export function readScript(typeId: number, millis: number, message: Buffer): FlvFrame | undefined {
  const framed = typeId === DATA_AMF3_MESSAGE && message[0] === 0;
  let start = framed ? 1 : 0;
  if (message[start] !== STRING_MARKER) {
    // no name that a player could act on
    return message.length === start ? undefined : dataFrame('delta', typeId, millis, message);
  }
  if (startsWith(message, start, CLEAR_DATA_FRAME)) return undefined;
  if (startsWith(message, start, SET_DATA_FRAME)) start += SET_DATA_FRAME.length;
  const size = message.length - start;
  if (size === 0) return undefined;
  if (!startsWith(message, start, ON_META_DATA)) {
    return dataFrame('delta', DATA_MESSAGE, millis, start === 0 ? message : message.subarray(start));
  }
  if (size > MAX_CONFIG_BYTES) throw new PeerError('rtmp/flv', `onMetaData of ${size} bytes`);
  return dataFrame('config', DATA_MESSAGE, millis, ownedCopy(message, start));
}

function dataFrame(role: 'config' | 'delta', typeId: number, millis: number, body: Buffer): FlvFrame {
  const time = millis * 1000;
  const codec = role === 'config' ? 'metadata' : 'other';
  return new FlvFrame({
    ...{ kind: 'data', role, codec, dts: time, pts: time, track: 0, config: undefined, others: undefined },
    ...{ typeId, millis, body, start: 0, end: body.length },
  });
}

/** A copy that shares its memory with nothing, so that keeping it keeps nothing else. */
export function ownedCopy(bytes: Buffer, start = 0): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length - start);
  bytes.copy(copy, 0, start);
  return copy;
}
