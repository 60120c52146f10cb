/**
 * What one session receives: packets, each behind a byte that says RTP or RTCP and how much time passes, and its length. Whatever it
 * says, frames come in runs, times rise, and memory and answers stay within bounds.
 */
import assert from 'node:assert/strict';
import { negotiated, RtpTown } from '../../helpers/rtp-camera.ts';
import type { FuzzTarget } from '../target.ts';

const SOURCES = [{ ssrc: 1000, rtx: 1001 }];

export const target: FuzzTarget = {
  name: 'rtp-publisher',
  run(bytes) {
    const town = new RtpTown(
      bytes.length % 2 === 0 ? negotiated({ sources: SOURCES }) : negotiated({ rids: ['q', 'f'] }),
    );
    for (let at = 0; at + 3 <= bytes.length; ) {
      const control = bytes[at]!;
      const end = at + 3 + bytes.readUInt16BE(at + 1);
      const packet = Buffer.from(bytes.subarray(at + 3, end));
      if ((control & 128) === 0) town.publisher.rtp(packet);
      else town.publisher.rtcp(packet);
      packet.fill(0xee);
      town.clock.advance(control & 127);
      at = end;
    }
    town.clock.advance(1_500);
    for (const kind of ['video', 'audio']) {
      const frames = town.frames.filter((frame) => frame.kind === kind && frame.role !== 'config');
      assert.ok(frames.every(({ dts }, index) => index === 0 || dts > frames[index - 1]!.dts));
      if (kind === 'video' && frames.length > 0) assert.equal(frames[0]!.role, 'key');
    }
    assert.ok(town.publisher.stats().length <= 5);
    town.publisher.close();
    assert.equal(town.clock.pending, 0);
  },
};
