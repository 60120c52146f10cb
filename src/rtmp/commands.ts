/**
 * RTMP commands as values: what a client asks (RTMP 7.2), and the answers that encoders and players understand.
 */
import { PeerError } from '../base/errors.ts';
import { type AmfLimits, type AmfValue, type AmfWritable, amfFields } from './amf-value.ts';
import { readAmf0, writeAmf0 } from './amf0.ts';
import { AUDIO_FOURCCS, VIDEO_FOURCCS } from './enhanced.ts';
import { MESSAGE, type Message } from './messages.ts';

/** What a command may carry. */
export type CommandArgument = AmfWritable;

export interface Command {
  readonly name: string;
  /** 0: no answer expected. */
  readonly transaction: number;
  /** What follows the command object. */
  readonly args: readonly AmfValue[];
  /** The command object, when it is one. */
  readonly object: ReadonlyMap<string, AmfValue> | undefined;
  /** Message stream that it came on. */
  readonly streamId: number;
}

/** Longest command name that is looked at. */
const MAX_NAME = 64;

/** Reads a command message of either AMF version. Throws `PeerError`. */
export function readCommand(message: Message, limits: AmfLimits): Command {
  // RTMP 7.1.1: type 17 is AMF3, which in practice is a zero byte and then AMF0 that may switch for single values
  const skip = message.typeId === MESSAGE.CommandAmf3 && message.body[0] === 0 ? 1 : 0;
  const [name, transaction, object, ...args] = readAmf0(message.body, skip, limits);
  if (typeof name !== 'string' || name.length > MAX_NAME)
    throw new PeerError('rtmp/command', 'a command without a name');
  return {
    name,
    transaction: typeof transaction === 'number' && Number.isFinite(transaction) ? transaction : 0,
    object: amfFields(object),
    args,
    streamId: message.streamId,
  };
}

/** The text at `index` of the arguments. Throws `PeerError` when there is none. */
export function textArgument(command: Command, index: number): string {
  const value = command.args[index];
  if (typeof value !== 'string')
    throw new PeerError('rtmp/command', `${command.name} needs text as argument ${index + 1}`);
  return value;
}

/** The number at `index` of the arguments; `otherwise` when there is none. */
export function numberArgument(command: Command, index: number, otherwise: number): number {
  const value = command.args[index];
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

/** What the client says of itself in `connect`. */
export interface ConnectCommand {
  readonly app: string | undefined;
  readonly tcUrl: string | undefined;
  readonly flashVer: string;
  readonly objectEncoding: number;
  /** The first extra argument, when it is text: the session name of Flash clients. */
  readonly argument: string | undefined;
  /** `CAPS_EX` bits of enhanced RTMP; 0 when the client spoke of it without them, undefined when it did not speak of it. */
  readonly capsEx: number | undefined;
  /** It says that it takes Opus, which only enhanced RTMP carries. */
  readonly hearsOpus: boolean;
}

/** Enhanced RTMP v2, "Enhancing NetConnection connect Command": capsEx bits. */
export const CAPS_EX = { reconnect: 1, multitrack: 2, modEx: 4, timestampNano: 8 } as const;

/** Fields of `connect` by which a client speaks of enhanced RTMP. */
const ENHANCED_FIELDS = ['capsEx', 'fourCcList', 'videoFourCcInfoMap', 'audioFourCcInfoMap'] as const;

const OPUS_FOURCC = 'Opus';
const ANY_FOURCC = '*';

/** FourCcInfoMask bit: this side passes the codec on without looking. */
const CAN_FORWARD = 4;

/** FourCCs that castgate knows by name; it forwards any other as well. */
export const KNOWN_FOURCC: readonly string[] = [...VIDEO_FOURCCS.values(), ...AUDIO_FOURCCS.values()];

export function readConnect(command: Command): ConnectCommand {
  const object = command.object ?? new Map<string, AmfValue>();
  const text = (key: string) => {
    const value = object.get(key);
    return typeof value === 'string' ? value : undefined;
  };
  const objectEncoding = object.get('objectEncoding');
  const argument = command.args[0];
  return {
    app: text('app'),
    tcUrl: text('tcUrl'),
    flashVer: (text('flashVer') ?? text('flashver') ?? '').slice(0, MAX_NAME),
    objectEncoding: objectEncoding === 3 ? 3 : 0,
    argument: typeof argument === 'string' && argument !== '' ? argument : undefined,
    capsEx: readCapsEx(object),
    hearsOpus: takesOpus(object),
  };
}

/** By the list of version 1, or the map of version 2, where any number means that something can be done with it. */
function takesOpus(object: ReadonlyMap<string, AmfValue>): boolean {
  const list = object.get('fourCcList');
  if (Array.isArray(list) && list.some((fourCc) => fourCc === OPUS_FOURCC || fourCc === ANY_FOURCC)) return true;
  const map = amfFields(object.get('audioFourCcInfoMap'));
  return [OPUS_FOURCC, ANY_FOURCC].some((fourCc) => Number(map?.get(fourCc)) > 0);
}

function readCapsEx(object: ReadonlyMap<string, AmfValue>): number | undefined {
  const capsEx = object.get('capsEx');
  if (typeof capsEx === 'number') return capsEx;
  return ENHANCED_FIELDS.some((field) => object.get(field) !== undefined) ? 0 : undefined;
}

/** What we say of ourselves to a client that speaks enhanced RTMP. */
export function ourCapabilities(): Record<string, AmfWritable> {
  return {
    capsEx: CAPS_EX.reconnect | CAPS_EX.multitrack | CAPS_EX.modEx | CAPS_EX.timestampNano,
    fourCcList: [...KNOWN_FOURCC],
    videoFourCcInfoMap: { '*': CAN_FORWARD },
    audioFourCcInfoMap: { '*': CAN_FORWARD },
  };
}

/** Levels of a status: players and encoders give up on `error`. */
export type Level = 'status' | 'warning' | 'error';

export interface Status {
  readonly level: Level;
  readonly code: string;
  readonly description: string;
}

export function connectAnswer(transaction: number, connect: ConnectCommand, version: string): Buffer {
  const properties = { fmsVer: `FMS/3,5,7,7009`, capabilities: 31, mode: 1 };
  const information = {
    level: 'status',
    code: 'NetConnection.Connect.Success',
    description: 'Connection succeeded.',
    objectEncoding: connect.objectEncoding,
    data: { server: `castgate/${version}` },
  };
  const enhanced = connect.capsEx === undefined ? {} : ourCapabilities();
  return writeAmf0(['_result', transaction, { ...properties, ...enhanced }, { ...information, ...enhanced }]);
}

export function result(transaction: number, ...values: readonly AmfWritable[]): Buffer {
  return writeAmf0(['_result', transaction, null, ...values]);
}

export function failure(transaction: number, status: Status): Buffer {
  return writeAmf0(['_error', transaction, null, { ...status }]);
}

export function onStatus(status: Status, more: Record<string, AmfWritable> = {}): Buffer {
  return writeAmf0(['onStatus', 0, null, { ...status, ...more }]);
}

/** What FMLE waits for after FCPublish and FCUnpublish. */
export function onFcPublish(name: 'onFCPublish' | 'onFCUnpublish', code: string, description: string): Buffer {
  return writeAmf0([name, 0, null, { level: 'status', code, description }]);
}

export function command(
  name: string,
  transaction: number,
  object: AmfWritable,
  ...args: readonly AmfWritable[]
): Buffer {
  return writeAmf0([name, transaction, object, ...args]);
}

/** What Flash players need before they let scripts look at the picture; others skip it. */
export function sampleAccess(): Buffer {
  return writeAmf0(['|RtmpSampleAccess', true, true]);
}
