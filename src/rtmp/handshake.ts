/**
 * The opening of a connection, both sides: C0 C1 C2 against S0 S1 S2 (RTMP 1.0, section 5.2), in its simple form and in the one
 * with digests that Flash players and ffmpeg use. Adobe never published the latter; it is known from rtmpdump's handshake.h.
 *
 *   C0, S0   1 byte        version: 3
 *   C1, S1   1536 bytes    time 4, zero or the version of the software 4, random
 *   C2, S2   1536 bytes    simple: the other side's C1 or S1 again. digest: random, and a signature over it in the last 32 bytes
 */
import { createHmac } from 'node:crypto';
import { PeerError } from '../base/errors.ts';
import type { RandomBytes } from '../base/random.ts';

/** What `feed` answers. */
export interface HandshakeStep {
  /** To be sent now. */
  readonly reply?: Buffer;
  /** The handshake is over; `rest` belongs to the chunk stream. */
  readonly done: boolean;
  /** A view of the bytes fed that come after the handshake; empty until it is over. */
  readonly rest: Buffer;
}

/** `simple`: nothing is signed. `digest`: what ffmpeg does. */
export type HandshakeForm = 'simple' | 'digest';

/**
 * Where C1 and S1 point to their digest: four bytes, the sum of which modulo 728 is counted from the byte behind them.
 * Which of the two is used only trying tells.
 */
export const DIGEST_POINTERS = [8, 772] as const;
export type DigestPointer = (typeof DIGEST_POINTERS)[number];

const VERSION = 3;
const ENCRYPTED_VERSION = 6;
/** C1, C2, S1 and S2. */
const PART_BYTES = 1536;
const DIGEST_BYTES = 32;
const DIGEST_POSITIONS = 728;
/** ffmpeg looks for a digest in S1 only when the first of these is 3 or more. */
const SERVER_SOFTWARE = [4, 5, 0, 1] as const;
const CLIENT_SOFTWARE = [9, 0, 124, 2] as const;

/** Behind the names, in the keys that sign C2 and S2. */
const KEY_TAIL = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex');
const SERVER_NAME = Buffer.from('Genuine Adobe Flash Media Server 001', 'latin1');
const CLIENT_NAME = Buffer.from('Genuine Adobe Flash Player 001', 'latin1');
const SERVER_KEY = Buffer.concat([SERVER_NAME, KEY_TAIL]);
const CLIENT_KEY = Buffer.concat([CLIENT_NAME, KEY_TAIL]);

const NOTHING = Buffer.alloc(0);

/** What comes from the other side, whoever that is: a version byte, a first part to answer, and a second part to count. */
class Incoming {
  readonly #who: string;
  readonly #first = Buffer.allocUnsafe(1 + PART_BYTES);
  #received = 0;

  constructor(who: string) {
    this.#who = who;
  }

  /** Takes `bytes`; answers C1 or S1 in the one call that completes it, how many bytes were used, and whether all have come. */
  take(bytes: Buffer): { part?: Buffer; used: number; done: boolean } {
    if (this.#received === 0 && bytes.length > 0) this.#checkVersion(bytes[0]!);
    const before = this.#received;
    const whole = 1 + 2 * PART_BYTES;
    const used = Math.min(bytes.length, whole - before);
    if (before < this.#first.length) bytes.copy(this.#first, before, 0, used);
    this.#received += used;
    const done = this.#received === whole;
    const completed = before < this.#first.length && this.#received >= this.#first.length;
    return completed ? { part: this.#first.subarray(1), used, done } : { used, done };
  }

  #checkVersion(version: number): void {
    if (version === VERSION) return;
    const what = version === ENCRYPTED_VERSION ? 'RTMPE, which is not supported' : `version ${version}`;
    throw new PeerError('rtmp/handshake', `the ${this.#who} opens with ${what}; 3 is expected`);
  }
}

/**
 * The server's side. S0, S1 and S2 leave at once when C1 is complete. C2 is counted and not looked at: encoders echo S1, sign
 * random bytes or send what they like, and whoever did not read S1 has proven nothing that matters.
 */
export class ServerHandshake {
  readonly #random: RandomBytes;
  readonly #incoming = new Incoming('client');

  constructor(random: RandomBytes) {
    this.#random = random;
  }

  /** Takes bytes, cut anywhere. Throws `PeerError` (rtmp/handshake) at the first byte when it is not RTMP. Not to be called after `done`. */
  feed(bytes: Buffer): HandshakeStep {
    const { part, used, done } = this.#incoming.take(bytes);
    const rest = done ? bytes.subarray(used) : NOTHING;
    return part === undefined ? { done, rest } : { reply: this.#answer(part), done, rest };
  }

  #answer(c1: Buffer): Buffer {
    const pointer = isSigned(c1) ? findDigest(c1, CLIENT_NAME) : undefined;
    if (pointer === undefined) {
      const s1 = openingPart(this.#random, undefined);
      return Buffer.concat([Buffer.of(VERSION), s1, c1]);
    }
    const s1 = openingPart(this.#random, SERVER_SOFTWARE);
    sign(s1, SERVER_NAME, pointer);
    return Buffer.concat([Buffer.of(VERSION), s1, signedAnswer(this.#random, SERVER_KEY, digestOf(c1, pointer))]);
  }
}

/** The client's side. S2 is counted and not looked at; a server that cannot sign is taken as it is. */
export class ClientHandshake {
  readonly #random: RandomBytes;
  readonly #form: HandshakeForm;
  readonly #pointer: DigestPointer;
  readonly #incoming = new Incoming('server');

  constructor(random: RandomBytes, form: HandshakeForm = 'digest', pointer: DigestPointer = 8) {
    this.#random = random;
    this.#form = form;
    this.#pointer = pointer;
  }

  /** C0 and C1, to be sent first. */
  begin(): Buffer {
    const c1 = openingPart(this.#random, this.#form === 'digest' ? CLIENT_SOFTWARE : undefined);
    if (this.#form === 'digest') sign(c1, CLIENT_NAME, this.#pointer);
    return Buffer.concat([Buffer.of(VERSION), c1]);
  }

  /** Takes bytes, cut anywhere. Throws `PeerError` (rtmp/handshake). Not to be called after `done`. */
  feed(bytes: Buffer): HandshakeStep {
    const { part, used, done } = this.#incoming.take(bytes);
    const rest = done ? bytes.subarray(used) : NOTHING;
    return part === undefined ? { done, rest } : { reply: this.#answer(part), done, rest };
  }

  #answer(s1: Buffer): Buffer {
    const pointer = this.#form === 'digest' && isSigned(s1) ? findDigest(s1, SERVER_NAME) : undefined;
    if (pointer === undefined) return Buffer.from(s1);
    return signedAnswer(this.#random, CLIENT_KEY, digestOf(s1, pointer));
  }
}

/** The digest in a C1 or S1: where `pointer` says, whether or not it is right. */
export function digestOf(part: Buffer, pointer: DigestPointer): Buffer {
  const at = digestAt(part, pointer);
  return part.subarray(at, at + DIGEST_BYTES);
}

/** Whether the last 32 bytes of a C2 or S2 sign the rest of it for `digest`, which the other side sent. */
export function isSignedAnswer(answer: Buffer, from: 'client' | 'server', digest: Buffer): boolean {
  const key = from === 'client' ? CLIENT_KEY : SERVER_KEY;
  const end = PART_BYTES - DIGEST_BYTES;
  return answer.subarray(end).equals(hmac(hmac(key, digest), answer.subarray(0, end)));
}

/** Time 0, the version of the software or zero, and random bytes. */
function openingPart(random: RandomBytes, software: readonly number[] | undefined): Buffer {
  const part = Buffer.alloc(PART_BYTES);
  if (software !== undefined) part.set(software, 4);
  part.set(random(PART_BYTES - 8), 8);
  return part;
}

/** Old and simple software leaves its version 0. */
function isSigned(part: Buffer): boolean {
  return part.readUInt32BE(4) !== 0;
}

/** Which pointer leads to a digest that `name` made; undefined when none does. */
function findDigest(part: Buffer, name: Buffer): DigestPointer | undefined {
  return DIGEST_POINTERS.find((pointer) => digestOf(part, pointer).equals(digestFor(part, name, pointer)));
}

function sign(part: Buffer, name: Buffer, pointer: DigestPointer): void {
  part.set(digestFor(part, name, pointer), digestAt(part, pointer));
}

function digestAt(part: Buffer, pointer: DigestPointer): number {
  const sum = part[pointer]! + part[pointer + 1]! + part[pointer + 2]! + part[pointer + 3]!;
  return pointer + 4 + (sum % DIGEST_POSITIONS);
}

/** Over all of the part but the digest itself. */
function digestFor(part: Buffer, name: Buffer, pointer: DigestPointer): Buffer {
  const at = digestAt(part, pointer);
  return hmac(name, part.subarray(0, at), part.subarray(at + DIGEST_BYTES));
}

function signedAnswer(random: RandomBytes, key: Buffer, digest: Buffer): Buffer {
  const noise = random(PART_BYTES - DIGEST_BYTES);
  return Buffer.concat([noise, hmac(hmac(key, digest), noise)]);
}

function hmac(key: Buffer, ...parts: readonly Buffer[]): Buffer {
  const code = createHmac('sha256', key);
  for (const part of parts) code.update(part);
  return code.digest();
}
