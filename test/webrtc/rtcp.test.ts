import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GenericNack,
  PictureLossIndication,
  ReceiverEstimatedMaxBitrate,
  RtcpPacketConverter,
  RtcpPayloadSpecificFeedback,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpSenderInfo,
  RtcpSourceDescriptionPacket,
  RtcpSrPacket,
  RtcpTransportLayerFeedback,
  SourceDescriptionChunk,
  SourceDescriptionItem,
  StatusVectorChunk,
  TransportWideCC,
} from 'werift';
import { isRtcp, type ReportBlock, type RtcpItem, readRtcp, shortNtp, writeRtcp } from '../../src/webrtc/rtcp.ts';

const BLOCK: ReportBlock = {
  ssrc: 0x01020304,
  fractionLost: 64,
  lost: -2,
  highest: 0x0001_fffe,
  jitter: 9,
  lastReport: 0xaabbccdd,
  sinceLastReport: 0x10000,
};
const BLOCK_HEX = '0102030440fffffe0001fffe00000009aabbccdd00010000';

/** Items and their bytes, read both ways. */
const TABLE: readonly (readonly [string, readonly RtcpItem[], string])[] = [
  [
    'a sender report with a block',
    [
      {
        type: 'sr',
        ssrc: 0x11223344,
        ntp: { seconds: 0xe1234567, fraction: 0x80000000 },
        timestamp: 90_000,
        packets: 5,
        bytes: 600,
        blocks: [BLOCK],
      },
    ],
    `81c8000c11223344e123456780000000${'00015f90'}0000000500000258${BLOCK_HEX}`,
  ],
  ['an empty receiver report', [{ type: 'rr', ssrc: 1, blocks: [] }], '80c9000100000001'],
  [
    'a receiver report with two blocks',
    [{ type: 'rr', ssrc: 1, blocks: [BLOCK, BLOCK] }],
    `82c9000d00000001${BLOCK_HEX}${BLOCK_HEX}`,
  ],
  [
    'names, with padding from one to four bytes',
    [
      {
        type: 'sdes',
        sources: [
          { ssrc: 1, cname: 'a' },
          { ssrc: 2, cname: 'ab' },
          { ssrc: 3, cname: '' },
        ],
      },
    ],
    '83ca0007' + '0000000101016100' + '000000020102616200000000' + '0000000301000000',
  ],
  ['two sources leave', [{ type: 'bye', sources: [7, 8] }], '82cb00020000000700000008'],
  [
    'lost packets, across the wrap and out of reach of one word',
    [{ type: 'nack', sender: 1, media: 2, lost: [0xfffe, 0xffff, 0, 14, 15] }],
    '81cd00040000000100000002' + 'fffe8003' + '000f0000',
  ],
  ['a picture is lost', [{ type: 'pli', sender: 1, media: 2 }], '81ce00020000000100000002'],
  [
    'full pictures are asked for',
    [
      {
        type: 'fir',
        sender: 1,
        requests: [
          { media: 2, number: 3 },
          { media: 4, number: 255 },
        ],
      },
    ],
    '84ce000600000001000000000000000203000000' + '00000004ff000000',
  ],
  [
    'a bitrate, 18 bits of it',
    [{ type: 'remb', sender: 1, bitrate: 0x3ffff * 16, media: [2, 3] }],
    '8fce00060000000100000000' + '52454d42' + '0213ffff' + '0000000200000003',
  ],
  [
    'arrival times: a run of small ones',
    [{ type: 'twcc', sender: 1, media: 2, base: 0xfffe, reference: -2, number: 255, deltas: [0, 255, 1, 2] }],
    '8fcd00060000000100000002' + 'fffe0004' + 'fffffeff' + '2004' + '00ff0102' + '0000',
  ],
  [
    'arrival times: a vector of one bit',
    [{ type: 'twcc', sender: 1, media: 2, base: 5, reference: 7, number: 0, deltas: [4, undefined, 4] }],
    '8fcd00050000000100000002' + '00050003' + '00000700' + 'a800' + '0404',
  ],
  [
    'arrival times: a vector of two bits',
    [{ type: 'twcc', sender: 1, media: 2, base: 5, reference: 7, number: 0, deltas: [4, undefined, -1, 256] }],
    '8fcd00060000000100000002' + '00050004' + '00000700' + 'd280' + '04' + 'ffff' + '0100' + '00',
  ],
  [
    'a compound of several',
    [
      { type: 'rr', ssrc: 1, blocks: [] },
      { type: 'pli', sender: 1, media: 2 },
    ],
    '80c900010000000181ce00020000000100000002',
  ],
];

for (const [name, items, hex] of TABLE) {
  test(`${name}: read and written`, () => {
    assert.equal(writeRtcp(items).toString('hex'), hex);
    assert.deepEqual(readRtcp(Buffer.from(hex, 'hex')), items);
  });
}

const PLI = '81ce00020000000100000002';
const pli: RtcpItem = { type: 'pli', sender: 1, media: 2 };

/** What is read of compounds that we would not write. */
const ODD: readonly (readonly [string, string, readonly RtcpItem[]])[] = [
  ['nothing', '', []],
  [
    'extended reports, unknown types and unknown feedback are skipped',
    `80cf000100000001${'80d20000'}85ce00020000000100000002${PLI}`,
    [pli],
  ],
  ['what follows a wrong version is not read', `${PLI}41ce00020000000100000002${PLI}`, [pli]],
  ['what follows a length beyond the end is not read', `${PLI}81ce00030000000100000002`, [pli]],
  ['padding is taken off', 'a1ce0003000000010000000200000004', [pli]],
  ['padding longer than its packet ends the compound', 'a1ce0003000000010000000200000010', []],
  ['padding of nothing ends the compound', 'a1ce0003000000010000000200000000', []],
  ['a report shorter than its count is left out', `82c9000100000001${PLI}`, [pli]],
  ['a name longer than its packet is left out', `81ca00020000000101ff6100${PLI}`, [pli]],
  [
    'facts other than the name are skipped',
    '81ca00030000000102017801016100' + '00',
    [{ type: 'sdes', sources: [{ ssrc: 1, cname: 'a' }] }],
  ],
  ['a reason for leaving is skipped', '81cb000200000007' + '02686900', [{ type: 'bye', sources: [7] }]],
  ['a bitrate without its sources is left out', '8fce00040000000100000000' + '52454d42' + '0213ffff', []],
  ['application feedback of another name is left out', '8fce00040000000100000000' + '52454d43' + '0013ffff', []],
  ['arrival times that lack a chunk are left out', '8fcd00040000000100000002' + '00050003' + '00000700', []],
  [
    'arrival times that lack a delta are left out',
    '8fcd00050000000100000002' + '00050003' + '00000700' + '2003' + '0101',
    [],
  ],
  [
    'arrival times with the reserved symbol are left out',
    '8fcd00050000000100000002' + '00050001' + '00000700' + '6001' + '0101',
    [],
  ],
  [
    'arrival times of more packets than anybody sends are left out',
    '8fcd00050000000100000002' + '00050801' + '00000700' + '0801' + '0000',
    [],
  ],
];

for (const [name, hex, items] of ODD) {
  test(name, () => {
    assert.deepEqual(readRtcp(Buffer.from(hex, 'hex')), items);
  });
}

test('a NACK gives no more numbers than anybody keeps packets', () => {
  const lost = Array.from({ length: 4000 }, (_, index) => index);
  const [item] = readRtcp(writeRtcp([{ type: 'nack', sender: 1, media: 2, lost }]));
  assert.ok(item?.type === 'nack' && item.lost.length > 900 && item.lost.length <= 1024);
  assert.deepEqual(item.lost, lost.slice(0, item.lost.length));
});

test('a compound of very many packets is read up to a limit', () => {
  assert.equal(readRtcp(Buffer.from(PLI.repeat(1000), 'hex')).length, 32);
});

test('RTCP is told from RTP by its type', () => {
  assert.ok(isRtcp(Buffer.from(PLI, 'hex')));
  assert.ok(!isRtcp(Buffer.from('80600001000000010000000100', 'hex')));
  assert.ok(!isRtcp(Buffer.from('80e0', 'hex')));
});

test('a sender report is referred to by the middle of its time', () => {
  assert.equal(shortNtp({ seconds: 0xe123c567, fraction: 0x89abcdef }), 0xc56789ab);
});

test('werift reads what we write', () => {
  const items: RtcpItem[] = [
    {
      type: 'sr',
      ssrc: 9,
      ntp: { seconds: 3_900_000_000, fraction: 5 },
      timestamp: 77,
      packets: 3,
      bytes: 4,
      blocks: [BLOCK],
    },
    { type: 'sdes', sources: [{ ssrc: 9, cname: 'castgate' }] },
    { type: 'rr', ssrc: 9, blocks: [] },
    { type: 'nack', sender: 9, media: 8, lost: [10, 11, 30] },
    { type: 'pli', sender: 9, media: 8 },
    { type: 'fir', sender: 9, requests: [{ media: 8, number: 1 }] },
    { type: 'remb', sender: 9, bitrate: 2_500_000, media: [8] },
    { type: 'twcc', sender: 9, media: 8, base: 100, reference: 3, number: 4, deltas: [8, undefined, 400, 0] },
  ];
  // one by one: its readers of lost packets and of full pictures do not stop at the end of their packet
  const read = items.map((item) => RtcpPacketConverter.deSerialize(writeRtcp([item]))[0]);
  const [sr, sdes, rr, nack, pli, fir, remb, twcc] = read;
  assert.ok(sr instanceof RtcpSrPacket && sr.ssrc === 9 && sr.senderInfo.rtpTimestamp === 77);
  assert.equal(sr.senderInfo.ntpTimestamp, (3_900_000_000n << 32n) + 5n);
  assert.equal(sr.reports[0]?.highestSequence, BLOCK.highest);
  assert.equal(sr.reports[0]?.lsr, BLOCK.lastReport);
  assert.ok(sdes instanceof RtcpSourceDescriptionPacket && sdes.chunks[0]?.items[0]?.text === 'castgate');
  assert.ok(rr instanceof RtcpRrPacket && rr.ssrc === 9);
  assert.ok(nack instanceof RtcpTransportLayerFeedback && nack.feedback instanceof GenericNack);
  assert.deepEqual(nack.feedback.lost, [10, 11, 30]);
  assert.ok(pli instanceof RtcpPayloadSpecificFeedback && pli.feedback instanceof PictureLossIndication);
  assert.equal(pli.feedback.mediaSsrc, 8);
  assert.ok(fir instanceof RtcpPayloadSpecificFeedback && 'fir' in fir.feedback);
  assert.deepEqual(fir.feedback.fir, [{ ssrc: 8, sequenceNumber: 1 }]);
  assert.ok(remb instanceof RtcpPayloadSpecificFeedback && remb.feedback instanceof ReceiverEstimatedMaxBitrate);
  assert.ok(Math.abs(Number(remb.feedback.bitrate) - 2_500_000) < 16);
  assert.deepEqual(remb.feedback.ssrcFeedbacks, [8]);
  assert.ok(twcc instanceof RtcpTransportLayerFeedback && twcc.feedback instanceof TransportWideCC);
  const { baseSequenceNumber, packetStatusCount, referenceTime, packetChunks, recvDeltas } = twcc.feedback;
  assert.deepEqual([baseSequenceNumber, packetStatusCount, referenceTime, packetChunks.length], [100, 4, 3, 1]);
  assert.ok(packetChunks[0] instanceof StatusVectorChunk);
  assert.deepEqual(packetChunks[0].symbolList.slice(0, 4), [1, 0, 2, 1]);
  assert.deepEqual(
    recvDeltas.map(({ delta }) => delta),
    [2000, 100_000, 0],
  );
});

test('we read what werift writes', () => {
  const compound = Buffer.concat([
    new RtcpSrPacket({
      ssrc: 9,
      senderInfo: new RtcpSenderInfo({
        ntpTimestamp: (5n << 32n) + 6n,
        rtpTimestamp: 7,
        packetCount: 8,
        octetCount: 9,
      }),
      reports: [
        new RtcpReceiverInfo({
          ssrc: 1,
          fractionLost: 2,
          packetsLost: 3,
          highestSequence: 4,
          jitter: 5,
          lsr: 6,
          dlsr: 7,
        }),
      ],
    }).serialize(),
    new RtcpSourceDescriptionPacket({
      chunks: [new SourceDescriptionChunk({ source: 9, items: [new SourceDescriptionItem({ type: 1, text: 'cam' })] })],
    }).serialize(),
    new RtcpTransportLayerFeedback({
      feedback: new GenericNack({ senderSsrc: 1, mediaSourceSsrc: 2, lost: [0xffff, 0x0000, 40] }),
    }).serialize(),
    new RtcpPayloadSpecificFeedback({
      feedback: new PictureLossIndication({ senderSsrc: 1, mediaSsrc: 2 }),
    }).serialize(),
  ]);
  const items = readRtcp(compound);
  assert.deepEqual(
    items.map(({ type }) => type),
    ['sr', 'sdes', 'nack', 'pli'],
  );
  assert.deepEqual(items[0], {
    type: 'sr',
    ssrc: 9,
    ntp: { seconds: 5, fraction: 6 },
    timestamp: 7,
    packets: 8,
    bytes: 9,
    blocks: [{ ssrc: 1, fractionLost: 2, lost: 3, highest: 4, jitter: 5, lastReport: 6, sinceLastReport: 7 }],
  });
  assert.deepEqual(items[1], { type: 'sdes', sources: [{ ssrc: 9, cname: 'cam' }] });
  assert.ok(items[2]?.type === 'nack' && items[2].lost.includes(40));
  assert.deepEqual(items[3], { type: 'pli', sender: 1, media: 2 });
});
