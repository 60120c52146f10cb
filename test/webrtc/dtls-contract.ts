/**
 * What every DTLS of ours has to do: get along with peers of other makes, and give no keys to anybody else.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DtlsRole, MakeDtls } from '../../src/webrtc/dtls.ts';
import {
  certificate,
  fingerprintOf,
  join,
  type OurEnd,
  type OurSetup,
  ourEnd,
  quiet,
  rsaCertificate,
  type Tap,
  until,
  type WeriftSetup,
  weriftEnd,
} from '../helpers/dtls-peers.ts';
import { ALERT, altered, fragmented, HANDSHAKE, record, recordsOf, typesOf } from '../helpers/dtls-records.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const HELLO_VERIFY_REQUEST = 3;
const SERVER_KEY_EXCHANGE = 12;
const CERTIFICATE_VERIFY = 15;
const CLIENT_KEY_EXCHANGE = 16;
const ROLES: readonly DtlsRole[] = ['server', 'client'];
const SHA1_80 = 1;
const GCM = 7;

/** Lets a peer of werift's talk to one of ours until nothing more happens. */
async function meet(make: MakeDtls, role: DtlsRole, peerSetup: WeriftSetup = {}, tap?: Tap, setup?: Partial<OurSetup>) {
  const peer = weriftEnd(role === 'server' ? 'client' : 'server', peerSetup);
  const ours = ourEnd(make, { role, fingerprints: [fingerprintOf(peer.own.certificate)], ...setup });
  join(ours, peer, tap);
  peer.start();
  ours.dtls.start();
  await quiet();
  return { ours, peer };
}

function spoil(text: Buffer): void {
  text[text.length - 1]! ^= 1;
}

function refused(ours: OurEnd, code: string): void {
  assert.deepEqual(ours.keys, [], 'no keys');
  assert.deepEqual(
    ours.closed.map((fault) => fault?.code),
    [code],
  );
}

/** No keys, and nothing said. */
function ignored(ours: OurEnd): void {
  assert.deepEqual([ours.keys, ours.closed], [[], []]);
  ours.dtls.close();
}

function connected({ ours, peer }: Awaited<ReturnType<typeof meet>>): void {
  assert.deepEqual(ours.closed, []);
  assert.equal(ours.keys.length, 1);
  const [{ local, remote }] = ours.keys as [OurEnd['keys'][number]];
  const [theirs] = peer.keys;
  assert.ok(theirs, 'the peer is connected, too');
  assert.deepEqual([local.key, local.salt], [theirs.remoteKey, theirs.remoteSalt]);
  assert.deepEqual([remote.key, remote.salt], [theirs.localKey, theirs.localSalt]);
  ours.dtls.close();
}

/** `cookie`: as server, it begins with the hello that shows it is from where it says; otherwise with the first. */
export function dtlsContract(name: string, make: MakeDtls, { cookie }: { readonly cookie: boolean }): void {
  for (const role of ROLES) {
    const it = (words: string, body: () => Promise<void>) => test(`${name} as ${role}: ${words}`, body);

    it('both ends have the same keys', async () => {
      connected(await meet(make, role));
    });

    it('the profile is the one both have', async () => {
      for (const [profiles, expected] of [
        [[SHA1_80], 'aes128-cm-sha1-80'],
        [[GCM], 'aead-aes-128-gcm'],
      ] as const) {
        const met = await meet(make, role, { profiles: [...profiles] });
        assert.equal(met.ours.keys[0]?.profile, expected);
        connected(met);
      }
    });

    it('fingerprints may be SHA-256, SHA-384 or SHA-512, and one that fits is enough', async () => {
      const own = certificate();
      const wrong = fingerprintOf(certificate().certificate);
      for (const hash of ['sha-256', 'sha-384', 'sha-512']) {
        const fingerprints = [wrong, fingerprintOf(own.certificate, hash)];
        connected(await meet(make, role, { certificate: own }, undefined, { fingerprints }));
      }
    });

    it('another fingerprint is refused, and so are SHA-1, none, and half of one', async () => {
      const own = certificate();
      const { hash, digest } = fingerprintOf(own.certificate);
      const bad = [
        [fingerprintOf(certificate().certificate)],
        [fingerprintOf(own.certificate, 'sha-1')],
        [{ hash: 'sha-256', digest: fingerprintOf(own.certificate, 'sha-512').digest }],
        [{ hash, digest: digest.subarray(0, 16) }],
        [{ hash, digest: Buffer.alloc(0) }],
        [{ hash: 'constructor', digest }],
        [],
      ];
      for (const fingerprints of bad) {
        const { ours } = await meet(make, role, { certificate: own }, undefined, { fingerprints });
        refused(ours, 'webrtc/dtls-fingerprint');
      }
    });

    it('a peer that shows one certificate and signs with the key of another is refused', async () => {
      const { privateKey } = certificate();
      const { ours, peer } = await meet(make, role, { privateKey });
      refused(ours, 'webrtc/dtls-signature');
      assert.deepEqual(peer.keys, []);
    });

    it('a forged Finished is refused', async () => {
      const patch: WeriftSetup['patch'] = ({ cipher }) => {
        cipher.verifyData = () => Buffer.alloc(12, 7);
      };
      const { ours } = await meet(make, role, { patch });
      refused(ours, 'webrtc/dtls-handshake');
      assert.match(ours.closed[0]!.text, /Finished/);
    });

    it('a message changed on the way is refused', async () => {
      const changes: readonly (readonly ['ours' | 'peer', number])[] =
        role === 'server'
          ? [
              ['ours', SERVER_KEY_EXCHANGE],
              ['peer', CLIENT_KEY_EXCHANGE],
              ['peer', CERTIFICATE_VERIFY],
            ]
          : [['peer', SERVER_KEY_EXCHANGE]];
      for (const [who, type] of changes) {
        const tap: Tap = (datagram, from) => [from === who ? altered(datagram, type, spoil) : datagram];
        const { ours } = await meet(make, role, {}, tap);
        assert.deepEqual(ours.keys, [], `${type}`);
        ours.dtls.close();
      }
    });

    it('a peer that does not use SRTP is refused', async () => {
      const { ours } = await meet(make, role, { profiles: [] });
      refused(ours, 'webrtc/dtls-parameters');
    });

    it('a peer that stops at DTLS 1.0 is refused', async () => {
      const hello = role === 'server' ? CLIENT_HELLO : SERVER_HELLO;
      const tap: Tap = (datagram, from) => [
        from === 'peer' ? altered(datagram, hello, (text) => void text.writeUInt16BE(0xfeff)) : datagram,
      ];
      const { ours } = await meet(make, role, {}, tap);
      refused(ours, 'webrtc/dtls-version');
    });

    it('other cipher suites are refused', async () => {
      const tap: Tap = (datagram, from) => {
        if (from === 'ours') return [datagram];
        if (role === 'client') return [altered(datagram, SERVER_HELLO, (text) => void text.writeUInt16BE(0x009c, 36))];
        return [
          altered(datagram, CLIENT_HELLO, (text) => {
            for (let at = 34; at < text.length - 1; at++) {
              if (text.readUInt16BE(at) === 0xc02b || text.readUInt16BE(at) === 0xc02f) text.writeUInt16BE(0x002f, at);
            }
          }),
        ];
      };
      const { ours } = await meet(make, role, {}, tap);
      refused(ours, 'webrtc/dtls-parameters');
    });

    it('messages in fragments, in any order and doubled, are put together', async () => {
      for (const size of [1, 40, 150]) {
        const tap: Tap = (datagram, from) => {
          if (from === 'ours') return [datagram];
          const pieces = fragmented(datagram, size);
          return [...pieces.toReversed(), ...pieces.slice(0, 3)];
        };
        connected(await meet(make, role, {}, tap));
      }
    });

    it('datagrams that come three times over make no difference', async () => {
      const met = await meet(make, role, {}, (datagram) => [datagram, datagram, datagram]);
      assert.equal(met.ours.keys.length, 1);
      connected(met);
    });

    it("a handshake's datagrams, said again by somebody else, lead nowhere", async () => {
      const heard: Buffer[] = [];
      const own = certificate();
      const tap: Tap = (datagram, from) => {
        if (from === 'peer') heard.push(datagram);
        return [datagram];
      };
      connected(await meet(make, role, { certificate: own }, tap));
      const again = ourEnd(make, { role, fingerprints: [fingerprintOf(own.certificate)] });
      again.dtls.start();
      for (let round = 0; round < 3; round++) {
        for (const datagram of heard) again.receive(Buffer.from(datagram));
        await quiet();
      }
      assert.deepEqual(again.keys, []);
      again.dtls.close();
    });

    it('an alert of the peer ends the handshake, and says which', async () => {
      const alert = record({ type: ALERT, epoch: 0, sequence: 77, body: Buffer.of(2, 42) });
      const tap: Tap = (datagram, from) => (from === 'peer' && typesOf(datagram).includes(11) ? [alert] : [datagram]);
      const { ours } = await meet(make, role, {}, tap);
      refused(ours, 'webrtc/dtls-alert');
      assert.match(ours.closed[0]!.text, /42/);
    });

    it('plain alerts to one that is connected mean nothing', async () => {
      const { ours } = await meet(make, role);
      for (const body of [Buffer.of(1, 0), Buffer.of(2, 40)]) {
        ours.receive(record({ type: ALERT, epoch: 0, sequence: 99, body }));
        ours.receive(record({ type: ALERT, epoch: 1, sequence: 99, body }));
        ours.receive(record({ type: ALERT, epoch: 1, sequence: 99, body: Buffer.concat([Buffer.alloc(8), body]) }));
      }
      await quiet();
      assert.deepEqual(ours.closed, []);
      ours.dtls.close();
    });

    it('nothing is said and nobody told after close', async () => {
      const { ours, peer } = await meet(make, role);
      const sent: Buffer[] = [];
      ours.send = (datagram) => sent.push(datagram);
      ours.dtls.close();
      assert.equal(sent.length, 1, 'close_notify');
      assert.deepEqual(
        recordsOf(sent[0]!).map(({ type, epoch }) => [type, epoch]),
        [[ALERT, 1]],
      );
      ours.dtls.close();
      ours.dtls.start();
      peer.start();
      await quiet();
      assert.deepEqual([sent.length, ours.closed, ours.keys.length], [1, [], 1]);
    });

    it('our own other side hears close_notify, and answers it', async () => {
      const [mine, theirs] = [certificate(), certificate()];
      const other = role === 'server' ? 'client' : 'server';
      const ours = ourEnd(make, { role, own: mine, fingerprints: [fingerprintOf(theirs.certificate)] });
      const peer = ourEnd(make, { role: other, own: theirs, fingerprints: [fingerprintOf(mine.certificate)] });
      let answers = 0;
      join(ours, peer, (datagram, from) => {
        if (from === 'peer' && recordsOf(datagram).some(({ type }) => type === ALERT)) answers++;
        return [datagram];
      });
      ours.dtls.start();
      peer.dtls.start();
      await until(() => ours.keys.length === 1 && peer.keys.length === 1, 'both connected');
      assert.equal(ours.keys[0]!.profile, 'aes128-cm-sha1-80', 'our favourite');
      assert.deepEqual(ours.keys[0]!.local, peer.keys[0]!.remote);
      assert.deepEqual(ours.keys[0]!.remote, peer.keys[0]!.local);
      assert.notDeepEqual(ours.keys[0]!.local, ours.keys[0]!.remote);
      ours.dtls.close();
      await quiet();
      assert.deepEqual(peer.closed, [undefined]);
      assert.deepEqual(ours.closed, []);
      assert.equal(answers, 1);
    });

    it('flights that are lost come again', async () => {
      const clock = new VirtualClock();
      let lost = 0;
      // each end's first three, of whatever kind
      const seen = { ours: 0, peer: 0 };
      const own = [certificate(), certificate()] as const;
      const other = role === 'server' ? 'client' : 'server';
      const ours = ourEnd(make, { role, own: own[0], fingerprints: [fingerprintOf(own[1].certificate)], clock });
      const peer = ourEnd(make, { role: other, own: own[1], fingerprints: [fingerprintOf(own[0].certificate)], clock });
      join(ours, peer, (datagram, from) => {
        if (seen[from]++ % 2 === 1) return [datagram];
        lost++;
        return [];
      });
      ours.dtls.start();
      peer.dtls.start();
      for (let second = 0; second < 30 && (ours.keys.length === 0 || peer.keys.length === 0); second++) {
        await quiet();
        clock.advance(1000);
      }
      await quiet();
      assert.deepEqual([ours.keys.length, peer.keys.length], [1, 1]);
      assert.deepEqual(ours.keys[0]!.local, peer.keys[0]!.remote);
      assert.ok(lost >= 3);
      ours.dtls.close();
      await quiet();
      peer.dtls.close();
      assert.equal(clock.pending, 0, 'no timer is left');
    });

    it('an unanswered flight is repeated a few times, slower and slower, and no timer is left after close', async () => {
      const clock = new VirtualClock();
      let sent = 0;
      const tap: Tap = (datagram, from) => {
        if (from === 'ours') sent++;
        // a server has said its certificate, then nobody answers
        return from === 'peer' && typesOf(datagram).some((type) => type !== CLIENT_HELLO) ? [] : [datagram];
      };
      const { ours } = await meet(make, role, {}, tap, { clock });
      clock.advance(3_600_000);
      await quiet();
      assert.ok(sent >= 5 && sent < 100, `${sent} datagrams in an hour`);
      ours.dtls.close();
      assert.equal(clock.pending, 0);
      assert.deepEqual(ours.keys, []);
    });
  }

  test(`${name} as server: a foreign hello in the middle changes nothing`, async () => {
    for (const moment of [0, 1, 2, 3, 4]) {
      const foreign: Buffer[] = [];
      const stranger = weriftEnd('client');
      stranger.send = (datagram) => foreign.push(datagram);
      stranger.start();
      await quiet();
      assert.ok(foreign.length > 0);
      let heard = 0;
      const tap: Tap = (datagram, from) => {
        if (from === 'ours') return [datagram];
        if (heard++ !== moment) return [datagram];
        return moment === 0 && !cookie ? [datagram, foreign[0]!] : [foreign[0]!, datagram, foreign[0]!];
      };
      const met = await meet(make, 'server', {}, tap);
      assert.equal(stranger.keys.length, 0);
      connected(met);
    }
  });

  test(`${name} as server: it begins with ${cookie ? 'the hello that brings its cookie' : 'the first hello'}`, async () => {
    const hellos: number[] = [];
    const tap: Tap = (datagram, from) => {
      if (from === 'ours' && hellos.length === 0) hellos.push(...typesOf(datagram));
      return [datagram];
    };
    connected(await meet(make, 'server', {}, tap));
    assert.equal(hellos[0], cookie ? HELLO_VERIFY_REQUEST : SERVER_HELLO);
  });

  test(`${name} as server: a client without the extended master secret is not offered it`, async () => {
    let hello: Buffer = Buffer.alloc(0);
    const tap: Tap = (datagram, from) => {
      if (from === 'ours' && typesOf(datagram).includes(SERVER_HELLO)) hello = datagram;
      return [datagram];
    };
    const extension = Buffer.from([0, 23, 0, 0]);
    connected(await meet(make, 'server', {}, tap));
    assert.ok(hello.includes(extension));
    connected(await meet(make, 'server', { extendedMasterSecret: false }, tap));
    assert.ok(!hello.includes(extension));
  });

  test(`${name} as server: a foreign hello to one that is connected changes nothing`, async () => {
    const { ours } = await meet(make, 'server');
    const stranger = weriftEnd('client');
    let answers = 0;
    ours.send = () => answers++;
    stranger.send = (datagram) => ours.receive(datagram);
    stranger.start();
    await quiet();
    assert.deepEqual([ours.keys.length, ours.closed.length, answers], [1, 0, 0]);
    ours.dtls.close();
  });

  test(`${name} as server: a client without CertificateVerify gets no keys`, async () => {
    const tap: Tap = (datagram, from) => (from === 'peer' && typesOf(datagram).includes(15) ? [] : [datagram]);
    const { ours } = await meet(make, 'server', {}, tap);
    ignored(ours);
  });

  test(`${name} as server: a Finished without protection is no Finished`, async () => {
    let last = 0;
    const tap: Tap = (datagram, from) => {
      if (from === 'ours') return [datagram];
      return recordsOf(datagram).map((one) => {
        if (one.epoch === 0) {
          if (one.type === HANDSHAKE) last = one.body.readUInt16BE(4);
          return record(one);
        }
        const finished = Buffer.from([20, 0, 0, 12, 0, last + 1, 0, 0, 0, 0, 0, 12, ...Buffer.alloc(12)]);
        return record({ type: HANDSHAKE, epoch: 0, sequence: 50, body: finished });
      });
    };
    const { ours } = await meet(make, 'server', {}, tap);
    ignored(ours);
  });

  test(`${name} as server: a client with a certificate of an RSA key proves itself`, async () => {
    const { certificate: der, privateKey } = await rsaCertificate();
    const own = { ...certificate(), certificate: der, privateKey };
    const patch: WeriftSetup['patch'] = ({ cipher }) => {
      cipher.signatureHashAlgorithm = { hash: 4, signature: 1 };
    };
    connected(await meet(make, 'server', { certificate: own, patch }));
    const wrong = { ...own, privateKey: (await rsaCertificate()).privateKey };
    const { ours } = await meet(make, 'server', { certificate: wrong, patch });
    refused(ours, 'webrtc/dtls-signature');
  });

  test(`${name} as server: a Finished that overtakes the rest is not lost`, async () => {
    const held: Buffer[] = [];
    const tap: Tap = (datagram, from) => {
      if (from === 'ours') return [datagram];
      // a client's last flight, backwards
      if (typesOf(datagram).includes(CLIENT_HELLO)) return [datagram];
      held.unshift(datagram);
      return recordsOf(datagram).some(({ epoch }) => epoch === 1) ? held : [];
    };
    connected(await meet(make, 'server', {}, tap));
  });

  test(`${name} as client: nothing is said or heard before start`, async () => {
    const own = certificate();
    const ours = ourEnd(make, { role: 'client', fingerprints: [fingerprintOf(own.certificate)] });
    let sent = 0;
    ours.send = () => sent++;
    for (const type of [SERVER_HELLO, 3, 11, 14]) {
      const body = Buffer.concat([Buffer.from([type, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 40]), Buffer.alloc(40)]);
      ours.receive(record({ type: HANDSHAKE, epoch: 0, sequence: 1, body }));
    }
    ours.receive(record({ type: ALERT, epoch: 0, sequence: 1, body: Buffer.of(2, 40) }));
    await quiet();
    assert.deepEqual([sent, ours.closed, ours.keys], [0, [], []]);
    ours.dtls.close();
    assert.equal(sent, 0);
  });
}
