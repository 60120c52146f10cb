/**
 * Small valid media for tests: frames without a wire form, RTMP message bodies, and FLV files taken apart.
 */
import type { Codec, Frame, FrameKind, FrameRole } from '../../src/media/frame.ts';
import type { FlvMessage } from '../../src/rtmp/flv-frame.ts';

/** AVCDecoderConfigurationRecord of x264, High profile, level 1, 64 x 36, 25 per second, two reordered pictures. */
export const AVC_CONFIG = Buffer.from(
  '0164000affe100196764000aacd9447f9f0110000003001000000303' + '20f122596001000468ef8fcbfdf8f800',
  'hex',
);

/** AudioSpecificConfig: AAC LC, 44.1 kHz, stereo. */
export const AAC_CONFIG = Buffer.from('1210', 'hex');

/** OpusHead: stereo, 312 samples to skip, 48 kHz. */
export const OPUS_CONFIG = Buffer.from('4f707573486561640102380180bb0000000000', 'hex');

/** `size` bytes of one length-prefixed NAL unit: type 5 (IDR) or 1. At least 6 bytes. */
export function avcUnit(role: FrameRole, size: number, fill = 0xaa): Buffer {
  const unit = Buffer.alloc(size, fill);
  unit.writeUInt32BE(size - 4, 0);
  unit[4] = role === 'key' ? 0x65 : 0x41;
  return unit;
}

/** RTMP video body, H.264 in the form of FLV 10.1. `cts`: composition time, ms. */
export function avcBody(role: FrameRole, size = 64, cts = 0, fill = 0xaa): Buffer {
  const header = Buffer.of(role === 'delta' ? 0x27 : 0x17, role === 'config' ? 0 : 1, 0, 0, 0);
  header.writeIntBE(cts, 2, 3);
  return Buffer.concat([header, role === 'config' ? AVC_CONFIG : avcUnit(role, size, fill)]);
}

/** RTMP audio body, AAC. */
export function aacBody(role: 'config' | 'delta', size = 16, fill = 0x21): Buffer {
  if (role === 'config') return Buffer.concat([Buffer.of(0xaf, 0), AAC_CONFIG]);
  return Buffer.concat([Buffer.of(0xaf, 1), Buffer.alloc(size, fill)]);
}

/** One AMF0 string. */
export function amfString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Buffer.of(2, bytes.length >> 8, bytes.length & 255), bytes]);
}

/** RTMP data body: onMetaData with numbers and strings, as players get it; publishers put `@setDataFrame` in front. */
export function metadataBody(facts: Readonly<Record<string, number | string>> = { width: 64, height: 36 }): Buffer {
  const entries = Object.entries(facts);
  const parts = [amfString('onMetaData'), Buffer.of(8, 0, 0, 0, entries.length)];
  for (const [key, value] of entries) {
    parts.push(amfString(key).subarray(1));
    if (typeof value === 'string') {
      parts.push(amfString(value));
    } else {
      const number = Buffer.alloc(9);
      number.writeDoubleBE(value, 1);
      parts.push(number);
    }
  }
  return Buffer.concat([...parts, Buffer.of(0, 0, 9)]);
}

/** What an encoder sends: metadata, configurations, then `seconds` of 25 pictures and 50 AAC units a second, a key frame every `gop`. */
export function* broadcast(seconds: number, options: { gop?: number; size?: number } = {}): Generator<FlvMessage> {
  const { gop = 25, size = 200 } = options;
  yield { typeId: 18, millis: 0, body: Buffer.concat([amfString('@setDataFrame'), metadataBody()]) };
  yield { typeId: 9, millis: 0, body: avcBody('config') };
  yield { typeId: 8, millis: 0, body: aacBody('config') };
  for (let picture = 0; picture < seconds * 25; picture++) {
    const millis = picture * 40;
    const role = picture % gop === 0 ? 'key' : 'delta';
    yield { typeId: 9, millis, body: avcBody(role, role === 'key' ? size * 5 : size, 0, picture & 255) };
    yield { typeId: 8, millis, body: aacBody('delta', 32, picture & 255) };
    yield { typeId: 8, millis: millis + 20, body: aacBody('delta', 32, picture & 255) };
  }
}

/** A frame without a wire form. Defaults to an H.264 picture, an AAC unit or metadata by `kind`; `millis` sets both times. */
export function frame(
  kind: FrameKind,
  role: FrameRole,
  millis: number,
  options: { codec?: Codec; data?: Buffer; track?: number; config?: Frame; cts?: number } = {},
): Frame {
  const { track = 0, config, cts = 0 } = options;
  const codec = options.codec ?? (kind === 'video' ? 'h264' : kind === 'audio' ? 'aac' : 'metadata');
  const data = options.data ?? defaultData(codec, role);
  return { kind, role, codec, dts: millis * 1000, pts: (millis + cts) * 1000, size: data.length, data, track, config };
}

function defaultData(codec: Codec, role: FrameRole): Buffer {
  if (codec === 'metadata') return metadataBody();
  if (codec === 'h264') return role === 'config' ? AVC_CONFIG : avcUnit(role, 64);
  if (codec === 'aac' && role === 'config') return AAC_CONFIG;
  if (codec === 'opus' && role === 'config') return OPUS_CONFIG;
  return Buffer.alloc(16, 0x21);
}

/** The tags of an FLV file as RTMP messages. */
export function* flvTags(file: Buffer): Generator<FlvMessage> {
  let at = file.readUInt32BE(5) + 4;
  while (at + 11 <= file.length) {
    const size = file.readUIntBE(at + 1, 3);
    const millis = file.readUIntBE(at + 4, 3) + file[at + 7]! * 0x100_0000;
    yield { typeId: file[at]! & 31, millis, body: file.subarray(at + 11, at + 11 + size) };
    at += 11 + size + 4;
  }
}
