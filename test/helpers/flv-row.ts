/**
 * A line in a table of FLV tags, read both ways: the message gives the frame, the frame gives the message.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerError } from '../../src/base/errors.ts';
import type { Frame } from '../../src/media/frame.ts';
import { FlvReader, flvFromFrame } from '../../src/rtmp/flv.ts';

export const AUDIO = 8;
export const VIDEO = 9;

export interface FlvRow {
  readonly name: string;
  readonly typeId: number;
  /** Hexadecimal with blanks. */
  readonly body: string;
  readonly frame: {
    readonly role: Frame['role'];
    readonly codec: Frame['codec'];
    readonly data: string;
    readonly cts?: number;
    readonly nanos?: number;
    readonly track?: number;
  };
  /** A form that we read and would write otherwise. */
  readonly readOnly?: true;
}

/** Hexadecimal with blanks. */
export function bytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

/** A FourCC in hexadecimal. */
export function fourCc(name: string): string {
  return Buffer.from(name, 'latin1').toString('hex');
}

/** One test for each row; those not `readOnly` are written too. */
export function testRows(rows: readonly FlvRow[]): void {
  for (const { name, typeId, body, frame: expected, readOnly } of rows) {
    test(`FLV tag${readOnly ? '' : ' both ways'}: ${name}`, () => {
      const message = bytes(body);
      const read = new FlvReader().frameFromFlv(typeId, 1000, message);
      assert.ok(read);
      const { kind, role, codec, dts, pts, data, track, config } = read;
      const { cts = 0, nanos = 0, track: expectedTrack = 0 } = expected;
      const expectedDts = 1_000_000 + nanos / 1000;
      assert.deepEqual(
        { kind, role, codec, dts, pts, data: data.toString('hex'), track },
        {
          ...{ kind: typeId === VIDEO ? 'video' : 'audio', role: expected.role, codec: expected.codec },
          ...{ dts: expectedDts, pts: expectedDts + cts * 1000, data: expected.data, track: expectedTrack },
        },
      );
      assert.deepEqual([read.typeId, read.millis, read.body, read.others], [typeId, 1000, message, undefined]);
      if (readOnly) return;
      const written = flvFromFrame({ kind, role, codec, dts, pts, size: data.length, data, track, config });
      assert.deepEqual(written, { typeId, millis: 1000, body: message });
    });
  }
}

/** One test for each message that is shorter than its own header: name, type, body. */
export function testBroken(rows: readonly (readonly [string, number, string])[]): void {
  for (const [name, typeId, body] of rows) {
    test(`a fault of the peer: ${name}`, () => {
      assert.throws(
        () => new FlvReader().frameFromFlv(typeId, 0, bytes(body)),
        (error) => error instanceof PeerError && error.code === 'rtmp/flv',
      );
    });
  }
}
