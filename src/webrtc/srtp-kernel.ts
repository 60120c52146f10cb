/**
 * The part of AES_CM_128_HMAC_SHA1_80 (RFC 3711 section 4) that Node's own cryptography does slowly for small packets: counter blocks,
 * XOR, and HMAC-SHA1 for four packets at once, in WebAssembly that is written at start-up. AES itself stays with Node: one call of a
 * long-lived cipher turns the counter blocks of many packets into keystream.
 */
import { SHA1_BLOCK_BYTES, SHA1_START, SHA1_STATE_WORDS } from './sha1-code.ts';
import type { SrtpSessionKeys } from './srtp-derivation.ts';
import { AT, KEY, KEY_BYTES, type KernelExports, LANES, srtpKernelCode } from './srtp-kernel-code.ts';
import { instantiate } from './wasm-module.ts';

/** Of the outer key block and the digest in the block behind it. */
const OUTER_BITS = 8 * (SHA1_BLOCK_BYTES + 4 * SHA1_STATE_WORDS);
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** The module and its memory. */
export class SrtpKernel {
  readonly memory: Buffer;
  /** The same memory. */
  readonly words: Int32Array;
  readonly counters: KernelExports['counters'];
  readonly seal: KernelExports['seal'];
  readonly #compress: KernelExports['compress'];

  /** Undefined where there is no WebAssembly, or none with vectors. */
  static make(): SrtpKernel | undefined {
    const exports = instantiate(srtpKernelCode());
    return exports === undefined ? undefined : new SrtpKernel(exports as KernelExports);
  }

  private constructor({ memory, counters, seal, compress }: KernelExports) {
    this.memory = Buffer.from(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.counters = counters;
    this.seal = seal;
    this.#compress = compress;
    for (let lane = 0; lane < LANES; lane++) {
      const block = AT.outer + lane * SHA1_BLOCK_BYTES;
      this.memory[block + 4 * SHA1_STATE_WORDS] = 0x80;
      this.memory.writeUInt16BE(OUTER_BITS, block + SHA1_BLOCK_BYTES - 2);
    }
  }

  /** `KEY_BYTES` for the kernel. */
  keyOf({ auth, salt }: SrtpSessionKeys): Buffer {
    const key = Buffer.alloc(KEY_BYTES);
    salt.copy(key, KEY.salt);
    this.#stateBehind(auth, INNER_PAD).copy(key, KEY.inner);
    this.#stateBehind(auth, OUTER_PAD).copy(key, KEY.outer);
    return key;
  }

  /** The state of SHA-1 behind the key with `pad` over it (RFC 2104 section 2). */
  #stateBehind(auth: Buffer, pad: number): Buffer {
    const block = Buffer.alloc(SHA1_BLOCK_BYTES);
    auth.copy(block);
    for (let i = 0; i < SHA1_BLOCK_BYTES; i++) block[i]! ^= pad;
    const words = this.words;
    this.memory.set(block, AT.out);
    for (let word = 0; word < SHA1_STATE_WORDS; word++) words[AT.state / 4 + LANES * word] = SHA1_START[word]!;
    words[AT.blocks / 4] = 1;
    this.#compress(AT.out, AT.out, AT.out, AT.out, 0);
    const state = Buffer.alloc(4 * SHA1_STATE_WORDS);
    for (let word = 0; word < SHA1_STATE_WORDS; word++) {
      state.writeInt32LE(words[AT.state / 4 + LANES * word]!, 4 * word);
    }
    // keys are left nowhere but where they are needed
    this.memory.fill(0, AT.out, AT.out + SHA1_BLOCK_BYTES);
    return state;
  }
}
