/**
 * Calm: no datagram makes a DTLS throw, or give keys to somebody who has not proved who he is. Patience: whatever a line loses, doubles or
 * turns round, both ends come to the same keys once it is better.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MakeDtls } from '../../src/webrtc/dtls.ts';
import { makeNativeDtls } from '../../src/webrtc/native-dtls.ts';
import { makeWeriftDtls } from '../../src/webrtc/werift-dtls.ts';
import { certificate, fingerprintOf, join, ourEnd, quiet, weriftEnd } from '../helpers/dtls-peers.ts';
import { recordsOf } from '../helpers/dtls-records.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

const OWN = certificate();
const OTHER = certificate();
const TRUSTED = [fingerprintOf(OTHER.certificate)];
const role = fc.constantFrom('server' as const, 'client' as const);
const MAKES: readonly (readonly [string, MakeDtls])[] = [
  ['native', makeNativeDtls],
  ['werift', makeWeriftDtls],
];

/** Looks like a record, and like a handshake message more often than not. */
const record = fc
  .record({
    type: fc.oneof(fc.constantFrom(20, 21, 22, 22, 22, 23), fc.nat(255)),
    epoch: fc.constantFrom(0, 0, 0, 1, 2),
    kind: fc.oneof(fc.constantFrom(1, 2, 3, 11, 12, 13, 14, 15, 16, 20), fc.nat(255)),
    number: fc.nat(9),
    body: fc.uint8Array({ maxLength: 300 }),
  })
  .map(({ type, epoch, kind, number, body }) => {
    const header = Buffer.from([kind, 0, 0, 0, 0, number, 0, 0, 0, 0, 0, 0]);
    header.writeUIntBE(body.length, 1, 3);
    header.writeUIntBE(body.length, 9, 3);
    const text = Buffer.concat([header, body]);
    const head = Buffer.from([type, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1, 0, 0]);
    head.writeUInt16BE(text.length, 11);
    return Buffer.concat([head, text]);
  });
const datagram = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.array(record, { maxLength: 6 }).map((records) => Buffer.concat(records)),
);

for (const [name, make] of MAKES) {
  test(`calm, ${name}: any datagrams, at any time`, async () => {
    await fc.assert(
      fc.asyncProperty(role, fc.array(datagram, { maxLength: 20 }), async (we, datagrams) => {
        const ours = ourEnd(make, { role: we, own: OWN, fingerprints: TRUSTED, clock: new VirtualClock() });
        ours.dtls.start();
        for (const bytes of datagrams) ours.receive(bytes);
        await quiet();
        assert.deepEqual(ours.keys, []);
        assert.ok(ours.closed.length <= 1);
        ours.dtls.close();
      }),
      { numRuns: 150 },
    );
  });

  test(`calm, ${name}: a proper peer's datagrams with a byte or two changed`, async () => {
    const change = fc.record({ message: fc.nat(12), at: fc.nat(2000), value: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(role, fc.array(change, { minLength: 1, maxLength: 2 }), async (we, changes) => {
        const peer = weriftEnd(we === 'server' ? 'client' : 'server', { certificate: OTHER });
        const ours = ourEnd(make, { role: we, own: OWN, fingerprints: TRUSTED, clock: new VirtualClock() });
        let heard = 0;
        let touched = false;
        join(ours, peer, (bytes, from) => {
          if (from === 'ours') return [bytes];
          const nth = heard++;
          for (const { message, at, value } of changes) {
            if (message !== nth) continue;
            bytes[at % bytes.length]! ^= value;
            touched = true;
          }
          return [bytes];
        });
        peer.start();
        ours.dtls.start();
        await quiet();
        assert.ok(ours.keys.length <= 1 && ours.closed.length <= 1);
        if (!touched) assert.equal(ours.keys.length, 1);
        if (ours.keys.length === 1 && peer.keys.length === 1) {
          assert.deepEqual(ours.keys[0]!.remote.key, peer.keys[0]!.localKey);
        }
        ours.dtls.close();
      }),
      { numRuns: 150 },
    );
  });

  test(`patience, ${name}: a bad line only costs time`, async () => {
    // what becomes of each datagram, then the line is good
    const fate = fc.constantFrom('lost', 'lost', 'doubled', 'late', 'sound');
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 12 }), async (fates) => {
        const clock = new VirtualClock();
        const ends = [
          ourEnd(make, { role: 'server', own: OWN, fingerprints: TRUSTED, clock }),
          ourEnd(make, {
            role: 'client',
            own: OTHER,
            fingerprints: [fingerprintOf(OWN.certificate)],
            clock,
          }),
        ] as const;
        const late: (() => void)[] = [];
        let nth = 0;
        join(ends[0], ends[1], (bytes, from) => {
          const to = from === 'ours' ? ends[1] : ends[0];
          switch (fates[nth++] ?? 'sound') {
            case 'lost':
              return [];
            case 'doubled':
              return [bytes, bytes];
            case 'late':
              late.push(() => to.receive(bytes));
              return [];
            default:
              return [bytes];
          }
        });
        ends[1].dtls.start();
        for (let step = 0; step < 40 && ends.some(({ keys }) => keys.length === 0); step++) {
          await quiet();
          clock.advance(1000);
          for (const arrive of late.splice(0)) arrive();
        }
        await quiet();
        assert.deepEqual(
          ends.map(({ keys, closed }) => [keys.length, closed]),
          [
            [1, []],
            [1, []],
          ],
        );
        assert.deepEqual(ends[0].keys[0]!.local, ends[1].keys[0]!.remote);
        assert.deepEqual(ends[0].keys[0]!.remote, ends[1].keys[0]!.local);
        for (const { dtls } of ends) dtls.close();
        assert.equal(clock.pending, 0);
      }),
      { numRuns: 60 },
    );
  });
}

test('records are read as they are written', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 5 }), (records) => {
      assert.equal(recordsOf(Buffer.concat(records)).length, records.length);
    }),
  );
});
