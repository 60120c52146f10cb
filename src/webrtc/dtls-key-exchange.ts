/**
 * The key exchange of ECDHE suites: a key pair for one handshake, and the master secret that comes of it (RFC 8422, RFC 7748, RFC 7627).
 */
import {
  createECDH,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type ECDH,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { PeerError } from '../base/errors.ts';
import { GROUPS, type Group } from './dtls-messages.ts';
import { type DtlsRandoms, prf, transcriptHash } from './dtls-secrets.ts';

const MASTER_SECRET_BYTES = 48;
const X25519_BYTES = 32;
/** Not compressed. */
const P256_BYTES = 65;

/** Our key pair, for one handshake. */
export interface KeyShare {
  readonly group: Group;
  /** As it is sent. */
  readonly publicKey: Buffer;
  /** The premaster secret that is shared with the owner of `theirs`. Throws `PeerError` when that is no public key of the group. */
  agree(theirs: Buffer): Buffer;
}

export function makeKeyShare(group: Group): KeyShare {
  return group === GROUPS.x25519 ? new X25519Share() : new P256Share();
}

class X25519Share implements KeyShare {
  readonly group = GROUPS.x25519;
  readonly publicKey: Buffer;
  readonly #privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    this.publicKey = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
    this.#privateKey = privateKey;
  }

  agree(theirs: Buffer): Buffer {
    return agreed(theirs, X25519_BYTES, () => {
      const key = { kty: 'OKP', crv: 'X25519', x: theirs.toString('base64url') };
      // refuses points of low order, as RFC 8422 section 5.11 has it
      return diffieHellman({ privateKey: this.#privateKey, publicKey: createPublicKey({ key, format: 'jwk' }) });
    });
  }
}

class P256Share implements KeyShare {
  readonly group = GROUPS.p256;
  readonly publicKey: Buffer;
  readonly #pair: ECDH = createECDH('prime256v1');

  constructor() {
    this.publicKey = this.#pair.generateKeys();
  }

  agree(theirs: Buffer): Buffer {
    // refuses what is not on the curve
    return agreed(theirs, P256_BYTES, () => this.#pair.computeSecret(theirs));
  }
}

function agreed(theirs: Buffer, length: number, compute: () => Buffer): Buffer {
  if (theirs.length === length) {
    try {
      return compute();
    } catch {
      // OpenSSL tells a bad point by throwing
    }
  }
  throw new PeerError('webrtc/dtls-handshake', "the peer's public key is none");
}

/** What the hellos have settled. */
export interface Settled extends DtlsRandoms {
  /** RFC 7627: the secret is bound to all that was said. */
  readonly extended: boolean;
}

/** RFC 5246 section 8.1, RFC 7627 section 4. `transcript`: to ClientKeyExchange. */
export function masterSecret(premaster: Buffer, settled: Settled, transcript: readonly Buffer[]): Buffer {
  const { client, server, extended } = settled;
  const secret = createSecretKey(premaster);
  if (extended) return prf(secret, 'extended master secret', transcriptHash(transcript), MASTER_SECRET_BYTES);
  return prf(secret, 'master secret', Buffer.concat([client, server]), MASTER_SECRET_BYTES);
}
