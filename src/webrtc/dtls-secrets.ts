/**
 * What is derived from the master secret of TLS 1.2 with SHA-256 (RFC 5246 sections 5, 6.3 and 7.4.9, RFC 5705).
 */
import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { IMPLICIT_BYTES, RecordProtection } from './dtls-record.ts';
import { SALT_BYTES } from './srtp-derivation.ts';
import type { SrtpKeys, SrtpProfile } from './srtp-keys.ts';

const VERIFY_DATA_BYTES = 12;
const KEY_BYTES = 16;

export type DtlsEnd = 'client' | 'server';

/** What the two ends said in their hellos. */
export interface DtlsRandoms {
  readonly client: Buffer;
  readonly server: Buffer;
}

export class DtlsSecrets {
  readonly #master: KeyObject;
  readonly #randoms: DtlsRandoms;
  /** Both ends' keys, then both implicit parts of their nonces, the client's first. */
  #keyBlock: Buffer | undefined;

  /** `master`: 48 bytes. */
  constructor(master: Buffer, randoms: DtlsRandoms) {
    this.#master = createSecretKey(master);
    this.#randoms = randoms;
  }

  /** What `end` says in its Finished behind these messages. */
  verifyData(end: DtlsEnd, transcript: readonly Buffer[]): Buffer {
    return prf(this.#master, `${end} finished`, transcriptHash(transcript), VERIFY_DATA_BYTES);
  }

  /** Constant time. */
  verifies(said: Buffer, end: DtlsEnd, transcript: readonly Buffer[]): boolean {
    return said.length === VERIFY_DATA_BYTES && timingSafeEqual(said, this.verifyData(end, transcript));
  }

  /** Of what `end` sends. */
  protection(end: DtlsEnd): RecordProtection {
    const { client, server } = this.#randoms;
    const seed = Buffer.concat([server, client]);
    this.#keyBlock ??= prf(this.#master, 'key expansion', seed, 2 * (KEY_BYTES + IMPLICIT_BYTES));
    const nth = end === 'client' ? 0 : 1;
    const implicitAt = 2 * KEY_BYTES + nth * IMPLICIT_BYTES;
    return new RecordProtection(
      this.#keyBlock.subarray(nth * KEY_BYTES, (nth + 1) * KEY_BYTES),
      this.#keyBlock.subarray(implicitAt, implicitAt + IMPLICIT_BYTES),
    );
  }

  /** RFC 5764 section 4.2: both keys, then both salts, the client's first. */
  srtpKeys(profile: SrtpProfile, we: DtlsEnd): SrtpKeys {
    const salt = SALT_BYTES[profile];
    const { client, server } = this.#randoms;
    const seed = Buffer.concat([client, server]);
    const material = prf(this.#master, 'EXTRACTOR-dtls_srtp', seed, 2 * (KEY_BYTES + salt));
    const master = (nth: number) => ({
      key: material.subarray(nth * KEY_BYTES, (nth + 1) * KEY_BYTES),
      salt: material.subarray(2 * KEY_BYTES + nth * salt, 2 * KEY_BYTES + (nth + 1) * salt),
    });
    const [local, remote] = we === 'client' ? [master(0), master(1)] : [master(1), master(0)];
    return { profile, local, remote };
  }
}

export function transcriptHash(transcript: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const message of transcript) hash.update(message);
  return hash.digest();
}

/** RFC 5246 section 5. */
export function prf(secret: KeyObject, label: string, seed: Buffer, count: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label), seed]);
  const parts: Buffer[] = [];
  let chain = labelled;
  for (let made = 0; made < count; made += parts.at(-1)!.length) {
    chain = createHmac('sha256', secret).update(chain).digest();
    parts.push(createHmac('sha256', secret).update(chain).update(labelled).digest());
  }
  return Buffer.concat(parts, count);
}
