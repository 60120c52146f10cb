/**
 * RTMP media messages, which are FLV tags without their tag header, to frames and back. What is not understood is relayed all the same.
 */
import { PeerError } from '../base/errors.ts';
import { type Frame, type FrameKind, oncePerFrame } from '../media/frame.ts';
import {
  ENHANCED_AUDIO,
  ENHANCED_VIDEO,
  fourCcOf,
  readEnhancedAudio,
  readEnhancedVideo,
  writeEnhanced,
} from './enhanced.ts';
import { LEGACY_AUDIO, readLegacyAudio, writeLegacyAudio } from './flv-audio.ts';
import {
  AUDIO_MESSAGE,
  DATA_AMF3_MESSAGE,
  DATA_MESSAGE,
  FLV_FAULT,
  FlvFrame,
  type FlvMessage,
  isFlvFrame,
  MAX_CONFIG_BYTES,
  MAX_TRACKS,
  TagNotes,
  VIDEO_MESSAGE,
} from './flv-frame.ts';
import { ownedCopy, readScript } from './flv-script.ts';
import { LEGACY_VIDEO, readLegacyVideo, writeLegacyVideo } from './flv-video.ts';

/** The configuration in force for each track of one kind. */
type ConfigsInForce = (Frame | undefined)[];

/** Reads the media messages of one publisher, and knows which configuration is in force. */
export class FlvReader {
  readonly #notes = new TagNotes();
  readonly #video: ConfigsInForce = new Array(MAX_TRACKS).fill(undefined);
  readonly #audio: ConfigsInForce = new Array(MAX_TRACKS).fill(undefined);

  /**
   * One message as one frame; undefined for a message that carries nothing to relay. `typeId`: 8, 9, 15 or 18. `millis`: its
   * timestamp, unwrapped. The frame's `data` is a view into `body`, except for configurations and metadata, which own their bytes.
   * Throws `PeerError` `rtmp/flv` when the body is shorter than its own header, or a configuration larger than `MAX_CONFIG_BYTES`.
   */
  frameFromFlv(typeId: number, millis: number, body: Buffer): FlvFrame | undefined {
    if (body.length === 0) return undefined;
    const notes = this.#notes;
    switch (typeId) {
      case VIDEO_MESSAGE:
        notes.clear(body);
        if ((body[0]! & ENHANCED_VIDEO) === 0) readLegacyVideo(body, notes);
        else readEnhancedVideo(body, notes);
        return mediaFrame('video', typeId, millis, body, notes, this.#video);
      case AUDIO_MESSAGE:
        notes.clear(body);
        if (body[0]! >> 4 !== ENHANCED_AUDIO) readLegacyAudio(body, notes);
        else readEnhancedAudio(body, notes);
        return mediaFrame('audio', typeId, millis, body, notes, this.#audio);
      case DATA_MESSAGE:
      case DATA_AMF3_MESSAGE:
        return readScript(typeId, millis, body);
      default:
        return undefined;
    }
  }
}

function mediaFrame(
  kind: FrameKind,
  typeId: number,
  millis: number,
  message: Buffer,
  notes: TagNotes,
  configs: ConfigsInForce,
): FlvFrame {
  const { start, end, track } = notes;
  let { role, codec } = notes;
  // an empty picture is none, and an empty configuration would displace a good one; only Opus has a default to fall back to
  if (start >= end && !(role === 'config' && codec === 'opus')) {
    role = 'delta';
    codec = 'other';
  }
  let body = message;
  let config: Frame | undefined;
  if (role === 'config') {
    if (body.length > MAX_CONFIG_BYTES)
      throw new PeerError(FLV_FAULT, `${codec} configuration of ${body.length} bytes`);
    body = ownedCopy(message);
  } else {
    const known = notes.config ?? configs[track];
    if (known !== undefined && known.codec === codec) config = known;
  }
  const dts = millis * 1000 + notes.nanos / 1000;
  const others = notes.others === undefined ? undefined : otherTracks(kind, role, dts, body, notes, configs);
  const pts = dts + notes.cts * 1000;
  const frame = new FlvFrame({ kind, role, codec, dts, pts, track, config, others, typeId, millis, body, start, end });
  if (role === 'config') remember(frame, configs);
  return frame;
}

/** The tracks after the first one, as frames that are views into the same body. */
function otherTracks(
  kind: FrameKind,
  role: Frame['role'],
  dts: number,
  body: Buffer,
  notes: TagNotes,
  configs: ConfigsInForce,
): readonly Frame[] {
  return (notes.others ?? []).map(({ track, codec, start, end, cts }) => {
    const data = body.subarray(start, end);
    const known = role === 'config' ? undefined : configs[track];
    const config = known?.codec === codec ? known : undefined;
    const pts = dts + cts * 1000;
    const frame: Frame = { kind, role, codec, dts, pts, size: data.length, data, track, config };
    if (role === 'config') remember(frame, configs);
    return frame;
  });
}

function remember(config: Frame, configs: ConfigsInForce): void {
  if (config.codec !== 'metadata' && config.track < MAX_TRACKS) configs[config.track] = config;
}

/**
 * A frame as one RTMP message, the same object for all players; undefined when RTMP has no form for it. Frames that came by RTMP
 * answer themselves; others take the form of FLV 10.1 where there is one (H.264, AAC, ...), else the enhanced form.
 */
export function flvFromFrame(frame: Frame): FlvMessage | undefined {
  return isFlvFrame(frame) ? frame : written(frame).message;
}

const written = oncePerFrame((frame) => ({ message: writeFlv(frame) }));

function isLegacy(frame: Frame): boolean {
  return (frame.kind === 'video' ? LEGACY_VIDEO : LEGACY_AUDIO).has(frame.codec);
}

function writeFlv(frame: Frame): FlvMessage | undefined {
  const millis = Math.round(frame.dts / 1000);
  const cts = Math.round(frame.pts / 1000) - millis;
  const body = bodyOf(frame, Math.max(-0x80_0000, Math.min(0x7f_ffff, cts)));
  if (body === undefined) return undefined;
  const typeId = frame.kind === 'video' ? VIDEO_MESSAGE : frame.kind === 'audio' ? AUDIO_MESSAGE : DATA_MESSAGE;
  return { typeId, millis, body };
}

function bodyOf(frame: Frame, cts: number): Buffer | undefined {
  if (frame.kind === 'data') return frame.codec === 'metadata' ? frame.data : undefined;
  if (frame.track === 0 && isLegacy(frame)) {
    return frame.kind === 'video' ? writeLegacyVideo(frame, cts) : writeLegacyAudio(frame);
  }
  const fourCc = fourCcOf(frame.codec);
  return fourCc === undefined ? undefined : writeEnhanced(frame, fourCc, cts);
}
