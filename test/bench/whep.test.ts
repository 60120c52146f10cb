import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeTestStream, WEBRTC_STREAM } from '../../bench/load/test-stream.ts';
import { offerOf, readAnswer } from '../../bench/load/whep/descriptions.ts';
import { readOptions } from '../../bench/load/whep/options.ts';
import { measure, type Settings } from '../../bench/load/whep/scenarios.ts';
import { type Source, WHEP_SERVERS } from '../../bench/load/whep/servers.ts';
import { SequenceMeter, WatchMeter } from '../../bench/load/whep/watch-meter.ts';
import { writeRtpHeader } from '../../src/webrtc/rtp-header.ts';
import { SrtpSender } from '../../src/webrtc/srtp-sender.ts';
import { srtpKeys } from '../helpers/srtp-reference.ts';

const castgate = WHEP_SERVERS.get('castgate')!;
/** What a viewer of the stream is sent in a second, sound included. */
const USUAL_PACKETS = 275;

async function settings(): Promise<Settings> {
  return { stream: await makeTestStream(WEBRTC_STREAM), viewers: 3, seconds: 2, joins: 2, visits: 8 };
}

describe('the WHEP load tool', () => {
  for (const source of ['whip', 'rtmp'] satisfies Source[]) {
    it(`measures castgate from outside, the stream coming by ${source}`, { timeout: 120_000 }, async () => {
      const sample = await measure('fan-out', castgate, source, await settings());
      assert.equal(sample.players, 3);
      assert.equal(sample.forged, 0);
      assert.equal(sample.ended, 0);
      // the machine may be busy, but packets must flow and none may be made up
      const each = sample.packetsPerSecond! / 3;
      assert.ok(each > USUAL_PACKETS / 4 && each < USUAL_PACKETS * 2, `${each} packets a second`);
      assert.ok(sample.microsPerPacket! >= 0 && Number.isFinite(sample.microsPerPacket));
      assert.ok(sample.loopMax! >= sample.loopP99!);
      assert.ok(sample.spreadP50! >= 0);
      assert.ok(source === 'rtmp' || sample.latencyP50! > 0);
    });
  }

  it('measures how viewers come and go', { timeout: 120_000 }, async () => {
    const joined = await measure('join', castgate, 'whip', await settings());
    assert.equal(joined.failed, 0);
    assert.ok(joined.firstP50! > 0 && joined.firstP50! <= joined.keyP50!);
    const churned = await measure('churn', castgate, 'whip', await settings());
    assert.equal(churned.failed, 0);
    assert.ok(churned.perSecond! > 0);
  });

  it('says no to options that it does not know', () => {
    assert.throws(() => readOptions(['--servers', 'apache']), /no server "apache"/);
    assert.throws(() => readOptions(['--sources', 'srt']), /no source "srt"/);
    assert.throws(() => readOptions(['--viewers', '100,0']), /--viewers takes a whole number/);
    const options = readOptions(['join', '--viewers', '10,20']);
    assert.ok(options !== 'help');
    assert.deepEqual(options.scenarios, ['join']);
    assert.deepEqual(options.viewers, [10, 20]);
  });

  it('counts what is missing, over the wrap, and takes back what came late', () => {
    const meter = new SequenceMeter();
    assert.equal(meter.block, undefined);
    for (const sequence of [65_533, 65_534, 0, 1, 4, 2]) meter.take(sequence);
    assert.equal(meter.lost, 2);
    assert.equal(meter.late, 1);
    assert.equal(meter.block!.highest, 65_536 + 4);
  });

  it('a sampled viewer checks each packet, finds the key picture and reads the mark', () => {
    const keys = srtpKeys();
    const sender = new SrtpSender(keys.profile, keys.local);
    const meter = new WatchMeter({ video: 96, audio: 111 }, { ...keys, remote: keys.local }, true);
    meter.pictures = new Map();
    const packet = (sequence: number, marker: boolean, payload: Buffer): Buffer => {
      const plain = Buffer.alloc(12 + payload.length);
      payload.copy(plain, writeRtpHeader(plain, 0, { marker, payloadType: 96, sequence, timestamp: 7, ssrc: 9 }));
      const out = Buffer.alloc(200);
      return out.subarray(0, sender.protectInto(out, plain, sequence));
    };
    meter.take(packet(1, false, Buffer.from([0x67, 1, 2, 3])));
    assert.equal(meter.keyFrameAt, 0);
    const last = packet(2, true, Buffer.from(`\x65${'1'.padStart(16, '0')}`, 'latin1'));
    const spoilt = Buffer.from(last);
    spoilt[20]! ^= 1;
    meter.take(spoilt);
    assert.equal(meter.forged, 1);
    assert.equal(meter.keyFrameAt, 0);
    meter.take(last);
    assert.ok(meter.keyFrameAt > 0);
    assert.equal(meter.latencies.length, 1);
    assert.equal(meter.pictures.get(7)!.viewers, 2);
  });

  it('reads of an answer what it needs, and refuses less', () => {
    const own = { ufrag: 'abcd', password: 'p'.repeat(22), fingerprint: 'AB:CD', port: 4000 };
    const answer = readAnswer(offerOf('play', own).replaceAll('actpass', 'passive'));
    assert.deepEqual(
      { ...answer, fingerprint: answer.fingerprint.digest.toString('hex') },
      {
        ...{ ufrag: 'abcd', password: own.password, fingerprint: 'abcd', role: 'client' },
        ...{ ip: '127.0.0.1', port: 4000, videoType: 96, audioType: 111 },
      },
    );
    assert.throws(() => readAnswer('v=0\r\n'), /no candidate/);
  });
});
