/**
 * What every DTLS of ours has to do with openssl, as client and as server.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { DtlsRole, MakeDtls } from '../../src/webrtc/dtls.ts';
import { certificate, fingerprintOf, type OurEnd, ourEnd, rsaCertificate, until } from '../helpers/dtls-peers.ts';
import { type OpensslDtls, type OpensslIdentity, opensslClient, opensslServer } from '../helpers/openssl-dtls.ts';

const SHA1_80 = 'SRTP_AES128_CM_SHA1_80';
const GCM = 'SRTP_AEAD_AES_128_GCM';

async function meet(
  t: TestContext,
  make: MakeDtls,
  role: DtlsRole,
  args?: readonly string[],
  identity: OpensslIdentity = certificate(),
): Promise<{ ours: OurEnd; openssl: OpensslDtls }> {
  const ours = ourEnd(make, { role, fingerprints: [fingerprintOf(identity.certificate)] });
  const openssl = await (role === 'server' ? opensslClient(ours, identity, args) : opensslServer(ours, identity, args));
  t.after(async () => {
    ours.dtls.close();
    await openssl.stop();
  });
  ours.dtls.start();
  await until(() => ours.keys.length + ours.closed.length > 0, 'an end of the handshake');
  return { ours, openssl };
}

/** RFC 5764 section 4.2: the client's key, the server's, the client's salt, the server's. */
function materialOf({ keys }: OurEnd, role: DtlsRole): Buffer {
  const { local, remote } = keys[0]!;
  const [client, server] = role === 'client' ? [local, remote] : [remote, local];
  return Buffer.concat([client.key, server.key, client.salt, server.salt]);
}

async function connected(ours: OurEnd, openssl: OpensslDtls, role: DtlsRole): Promise<void> {
  assert.deepEqual(ours.closed, []);
  const mine = materialOf(ours, role);
  await until(() => openssl.material !== undefined, 'keying material');
  assert.equal(openssl.material!.toString('hex', 0, mine.length), mine.toString('hex'));
}

export function dtlsOpensslContract(name: string, make: MakeDtls): void {
  for (const role of ['server', 'client'] as const) {
    const it = (words: string, body: (t: TestContext) => Promise<void>) =>
      test(`${name} as ${role} with openssl: ${words}`, body);

    it('both ends have the same keys', async (t) => {
      const { ours, openssl } = await meet(t, make, role);
      assert.equal(ours.keys[0]!.profile, 'aes128-cm-sha1-80');
      await connected(ours, openssl, role);
    });

    it('it hears our close_notify', async (t) => {
      const { ours, openssl } = await meet(t, make, role);
      await connected(ours, openssl, role);
      ours.dtls.close();
      await until(() => /^closed$|CONNECTION CLOSED|DONE/m.test(openssl.output), 'the end of the connection');
      assert.deepEqual(ours.closed, []);
    });

    it('AES-GCM for SRTP', async (t) => {
      const { ours, openssl } = await meet(t, make, role, ['-dtls1_2', '-use_srtp', GCM]);
      assert.equal(ours.keys[0]!.profile, 'aead-aes-128-gcm');
      await connected(ours, openssl, role);
    });

    it('P-256 for the key exchange', async (t) => {
      const { ours, openssl } = await meet(t, make, role, ['-dtls1_2', '-use_srtp', SHA1_80, '-groups', 'P-256']);
      await connected(ours, openssl, role);
    });

    it('a certificate with an RSA key', async (t) => {
      const { ours, openssl } = await meet(t, make, role, undefined, await rsaCertificate());
      await connected(ours, openssl, role);
    });

    it('messages in small fragments', async (t) => {
      const { ours, openssl } = await meet(t, make, role, ['-dtls1_2', '-use_srtp', SHA1_80, '-mtu', '256']);
      await connected(ours, openssl, role);
    });

    it('every second datagram is lost', async (t) => {
      const own = certificate();
      const ours = ourEnd(make, { role, fingerprints: [fingerprintOf(own.certificate)] });
      const openssl = await (role === 'server' ? opensslClient : opensslServer)(ours, own);
      t.after(async () => {
        ours.dtls.close();
        await openssl.stop();
      });
      const { send } = ours;
      let nth = 0;
      ours.send = (datagram) => {
        if (nth++ % 2 === 1) send(datagram);
      };
      ours.dtls.start();
      await until(() => openssl.material !== undefined, 'an end of the handshake');
      await connected(ours, openssl, role);
      assert.ok(nth >= 3);
    });

    it('DTLS 1.0 only', async (t) => {
      const args = ['-dtls1', '-cipher', 'ALL:@SECLEVEL=0', '-use_srtp', SHA1_80];
      const { ours } = await meet(t, make, role, args);
      assert.deepEqual(ours.keys, []);
      // a server of 1.0 finds out before we do
      const code = role === 'server' ? 'webrtc/dtls-version' : 'webrtc/dtls-alert';
      assert.deepEqual(
        ours.closed.map((fault) => fault?.code),
        [code],
      );
    });

    it('other cipher suites only', async (t) => {
      const { ours } = await meet(t, make, role, ['-dtls1_2', '-cipher', 'AES128-SHA256', '-use_srtp', SHA1_80]);
      assert.deepEqual(ours.keys, []);
      const code = role === 'server' ? 'webrtc/dtls-parameters' : 'webrtc/dtls-alert';
      assert.deepEqual(
        ours.closed.map((fault) => fault?.code),
        [code],
      );
    });

    it('a profile of SRTP that we do not have', async (t) => {
      const { ours } = await meet(t, make, role, ['-dtls1_2', '-use_srtp', 'SRTP_AEAD_AES_256_GCM']);
      assert.deepEqual([ours.keys, ours.closed.map((fault) => fault?.code)], [[], ['webrtc/dtls-parameters']]);
    });

    it('another certificate than was signalled', async (t) => {
      const ours = ourEnd(make, { role, fingerprints: [fingerprintOf(certificate().certificate)] });
      const openssl = await (role === 'server' ? opensslClient : opensslServer)(ours, certificate());
      t.after(() => openssl.stop());
      ours.dtls.start();
      await until(() => ours.closed.length > 0, 'a refusal');
      assert.deepEqual([ours.keys, ours.closed.map((fault) => fault?.code)], [[], ['webrtc/dtls-fingerprint']]);
      await until(() => /alert bad certificate/.test(openssl.output), 'the alert');
    });
  }

  test(`${name} as client with openssl: a server that asks for a cookie`, async (t) => {
    const { ours, openssl } = await meet(t, make, 'client', ['-dtls1_2', '-use_srtp', SHA1_80, '-listen']);
    await connected(ours, openssl, 'client');
  });

  test(`${name} as server with openssl: its close_notify ends it`, async (t) => {
    const { ours, openssl } = await meet(t, make, 'server');
    await connected(ours, openssl, 'server');
    openssl.quit();
    await until(() => ours.closed.length > 0, 'close_notify');
    assert.deepEqual(ours.closed, [undefined]);
  });

  test(`${name} as server with openssl: a client that shows no certificate`, async (t) => {
    const ours = ourEnd(make, { role: 'server', fingerprints: [fingerprintOf(certificate().certificate)] });
    const openssl = await opensslClient(ours, undefined);
    t.after(() => openssl.stop());
    await until(() => ours.closed.length > 0, 'a refusal');
    assert.deepEqual([ours.keys, ours.closed.map((fault) => fault?.code)], [[], ['webrtc/dtls-fingerprint']]);
  });
}
