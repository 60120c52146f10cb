/** Packets, retransmissions and reports as an independent implementation writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ExtensionProfiles,
  GenericNack,
  RtcpPacketConverter,
  RtcpSenderInfo,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  RtpHeader,
  RtpPacket,
  TransportWideCC,
  wrapRtx,
} from 'werift';
import { EXTENSIONS, negotiated, pictureNumber, RtpTown, TYPES } from '../helpers/rtp-camera.ts';

const SSRC = 0xfedc_ba98;
const RTX_SSRC = 0x0bad_cafe;

/** Packet `number` of pictures of one packet each; the first is a key picture. */
function picture(number: number): RtpPacket {
  const frame = Buffer.alloc(40, number);
  frame[0] = number === 0 ? 0x10 : 0x31;
  frame.writeUIntBE(0x9d012a, 3, 3);
  frame.writeUInt32BE(0x0140_00b4, 6);
  frame.writeUInt32BE(number, 12);
  const header = new RtpHeader({
    marker: true,
    payloadType: TYPES.vp8,
    sequenceNumber: (65_534 + number) & 0xffff,
    timestamp: 3600 * number,
    ssrc: SSRC,
    extension: true,
    extensionProfile: ExtensionProfiles.OneByte,
    extensions: [
      { id: EXTENSIONS.transportCc, payload: Buffer.of(0, number) },
      { id: EXTENSIONS.mid, payload: Buffer.from('1') },
    ],
  });
  return new RtpPacket(header, Buffer.concat([Buffer.of(0x10), frame]));
}

test('werift publishes: a lost packet is asked for in its words, and taken as it repeats it', () => {
  const town = new RtpTown(negotiated({ sources: [{ ssrc: SSRC, rtx: RTX_SSRC }] }));
  const compounds: Buffer[] = [];
  town.onRtcp = (compound) => compounds.push(compound);
  for (let number = 0; number < 10; number++) {
    if (number !== 4) town.publisher.rtp(picture(number).serialize());
    town.clock.advance(40);
  }
  assert.deepEqual(town.pictures().map(pictureNumber), [0, 1, 2, 3]);
  const read = compounds.flatMap((compound) => RtcpPacketConverter.deSerialize(compound));
  const layers = read.filter((packet) => packet instanceof RtcpTransportLayerFeedback).map(({ feedback }) => feedback);
  const nack = layers.find((feedback) => feedback instanceof GenericNack);
  assert.deepEqual([nack?.mediaSourceSsrc, nack?.lost], [SSRC, [2]]);
  assert.ok(layers.some((feedback) => feedback instanceof TransportWideCC && feedback.recvDeltas.length > 0));
  town.publisher.rtp(wrapRtx(picture(4), TYPES.rtx, 77, RTX_SSRC).serialize());
  assert.deepEqual(town.pictures().map(pictureNumber), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(
    town.pictures().map(({ dts }) => dts),
    Array.from({ length: 10 }, (_, number) => number * 40_000),
  );
  assert.equal(town.publisher.stats()[0]?.recovered, 1);
});

test('werift reports: the next receiver report refers to it', () => {
  const town = new RtpTown(negotiated({ sources: [{ ssrc: SSRC }] }));
  town.publisher.rtp(picture(0).serialize());
  const senderInfo = new RtcpSenderInfo({
    ntpTimestamp: 0xe000_1234_5678_9abcn,
    rtpTimestamp: 0,
    packetCount: 1,
    octetCount: 41,
  });
  town.publisher.rtcp(new RtcpSrPacket({ ssrc: SSRC, senderInfo, reports: [] }).serialize());
  town.clock.advance(1_020);
  const [block] = town.of('rr').flatMap(({ blocks }) => blocks);
  assert.deepEqual([block?.ssrc, block?.highest, block?.lastReport], [SSRC, 65_534, 0x1234_5678]);
});
