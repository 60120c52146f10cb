/**
 * A publisher's packets, and any bytes as a frame to send. First a byte that chooses the format; then packets, each behind two bytes:
 * its length, and the marker, a loss in front and the timestamp in the bits of the second.
 */
import assert from 'node:assert/strict';
import type { Frame } from '../../../src/media/frame.ts';
import { depacketizerOf, packetizerOf, RTP_FORMATS } from '../../../src/webrtc/rtp-formats.ts';
import { extensionNumber, extensionOf, readRtpHeader, rtpHeaderSize } from '../../../src/webrtc/rtp-header.ts';
import { packet, rtpCodec } from '../../helpers/rtp.ts';
import type { FuzzTarget } from '../target.ts';

const MARKER = 0x80;
const GAP = 0x40;
const MAX_SIZE = 64;

export const target: FuzzTarget = {
  name: 'rtp',
  run(bytes) {
    readHeader(bytes);
    const { codec, kind } = RTP_FORMATS[(bytes[0] ?? 0) % RTP_FORMATS.length]!;
    const depacketizer = depacketizerOf(rtpCodec(codec, { channels: 2 }))!;
    let config: Buffer | undefined;
    let started = kind === 'audio';
    for (let at = 1; at + 2 <= bytes.length; ) {
      const flags = bytes[at + 1]!;
      const end = Math.min(bytes.length, at + 2 + bytes[at]!);
      const payload = Buffer.from(bytes.subarray(at + 2, end));
      const lent = packet(payload, { marker: (flags & MARKER) !== 0, timestamp: flags & 63 });
      const units = depacketizer.push(lent, (flags & GAP) !== 0);
      payload.fill(0xee);
      assert.ok(units.length <= 2, 'one that ended before, one that ends with it');
      for (const { key, data, config: next } of units) {
        started ||= key;
        config = next ?? config;
        assert.ok(started && config !== undefined && data.length > 0);
        // units that end in nothing may hold nothing that is sent
        send(codec, key, data, config);
      }
      at = end;
    }
    send(codec, true, bytes.subarray(1), bytes.subarray(1));
  },
};

function readHeader(bytes: Buffer): void {
  const header = readRtpHeader(bytes);
  if (header === undefined) return;
  const { payloadStart, payloadEnd } = header;
  assert.equal(rtpHeaderSize(bytes), payloadStart);
  assert.ok(payloadStart <= payloadEnd && payloadEnd <= bytes.length);
  for (const id of [1, 3, 14, 15, 255]) {
    extensionNumber(bytes, id);
    const value = extensionOf(bytes, id);
    if (value !== undefined) assert.ok(value.byteOffset - bytes.byteOffset + value.length <= payloadStart);
  }
}

function send(codec: Frame['codec'], key: boolean, data: Buffer, config: Buffer): void {
  const facts = { kind: 'video', codec, dts: 0, pts: 0, track: 0 } as const;
  const configFrame: Frame = { ...facts, role: 'config', data: config, size: config.length };
  const frame: Frame = { ...facts, role: key ? 'key' : 'delta', data, size: data.length, config: configFrame };
  const payloads = packetizerOf(codec)!(frame, MAX_SIZE);
  for (const { parts, size } of payloads) {
    assert.ok(size > 0 && size <= MAX_SIZE, `${size} bytes`);
    assert.equal(
      parts.reduce((sum, part) => sum + part.length, 0),
      size,
    );
  }
}
