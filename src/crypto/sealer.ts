/**
 * Sealing: AES-256-CTR, then Poly1305-AES over the ciphertext.
 *
 * sealed     IV (16 bytes) ‖ ciphertext (as long as the plain bytes) ‖ MAC (16 bytes)
 * MAC        Poly1305 under the one-time key r ‖ AES-128(k, IV)
 *
 * Source: restic's `doc/design.rst` ("Keys, Encryption and MAC"); D. J. Bernstein, "The Poly1305-AES
 * message-authentication code" (2005).
 */
import { type Cipheriv, createCipheriv, randomFillSync } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Sodium from 'sodium-native';
import { EngineError } from '../api/errors.ts';
import { release } from '../util/release.ts';

const sodium = createRequire(import.meta.url)('sodium-native') as typeof Sodium;

export const IV_BYTES = 16;
export const MAC_BYTES = 16;
export const OVERHEAD = IV_BYTES + MAC_BYTES;

/** Below this size a cipher object per message costs more than the message; see `smallCtr`. */
const SMALL = 8 * 1024;
const PIECE = 128 * 1024;
const IV_POOL_BYTES = 4096;

/** The bits of r that Poly1305 demands to be zero. */
const R_MASK = [255, 255, 255, 15, 252, 255, 255, 15, 252, 255, 255, 15, 252, 255, 255, 15];

export interface SealKey {
  /** 32 bytes, AES-256. */
  readonly encrypt: Uint8Array;
  /** 16 bytes, AES-128. */
  readonly k: Uint8Array;
  /** 16 bytes; masked here as Poly1305 demands. */
  readonly r: Uint8Array;
}

/** Seals and opens messages under one key. Not to be shared between threads; cheap to make in each. */
export class Sealer {
  readonly #encrypt: Uint8Array;
  /** AES-128-ECB under k: one block in, one block out, stateless, so one object serves for ever. */
  readonly #macBlock: Cipheriv;
  /** AES-256-ECB under the encryption key, for `smallCtr`. */
  readonly #ctrBlock: Cipheriv;
  readonly #oneTimeKey = new Uint8Array(32);
  readonly #counters = Buffer.alloc(SMALL + 16);
  readonly #counterWords = new DataView(this.#counters.buffer, this.#counters.byteOffset);
  readonly #mac = new Uint8Array(MAC_BYTES);
  readonly #ivPool = new Uint8Array(IV_POOL_BYTES);
  #ivNext = IV_POOL_BYTES;

  constructor(key: SealKey) {
    checkKey(key);
    this.#encrypt = key.encrypt;
    this.#macBlock = createCipheriv('aes-128-ecb', key.k, null).setAutoPadding(false);
    this.#ctrBlock = createCipheriv('aes-256-ecb', key.encrypt, null).setAutoPadding(false);
    this.#oneTimeKey.set(key.r.map((byte, i) => byte & R_MASK[i]!));
  }

  /** The sealed form of `plain`, under a fresh random IV. */
  seal(plain: Uint8Array): Uint8Array {
    const out = new Uint8Array(plain.length + OVERHEAD);
    this.sealInto(plain, out, 0);
    return out;
  }

  /** Writes the sealed form of `plain` at `offset` of `out`; returns its length, `plain.length + OVERHEAD`. */
  sealInto(plain: Uint8Array, out: Uint8Array, offset: number): number {
    const from = offset + IV_BYTES;
    const to = from + plain.length;
    const frame = this.sealDetached(plain, out.subarray(from, to));
    out.set(frame.subarray(0, IV_BYTES), offset);
    out.set(frame.subarray(IV_BYTES), to);
    return plain.length + OVERHEAD;
  }

  /**
   * Writes the ciphertext alone into `out`, which is as long as `plain` and may be the same memory; returns the frame
   * that belongs around it, IV ‖ MAC.
   */
  sealDetached(plain: Uint8Array, out: Uint8Array): Uint8Array {
    const frame = new Uint8Array(OVERHEAD);
    const iv = this.#nextIv();
    frame.set(iv);
    this.#ctrInto(iv, plain, out, 0);
    this.#setNonce(iv);
    sodium.crypto_onetimeauth(this.#mac, out, this.#oneTimeKey);
    frame.set(this.#mac, IV_BYTES);
    return frame;
  }

  /**
   * The plain bytes of a sealed message, written into what `room` gives. Errors: 'damaged' if it is too short or its
   * MAC does not fit.
   */
  open(sealed: Uint8Array, room: (length: number) => Uint8Array = newBuffer): Uint8Array {
    if (sealed.length < OVERHEAD)
      throw new EngineError('damaged', 'Sealed data is too short to hold its IV and MAC.');
    const mac = sealed.subarray(sealed.length - MAC_BYTES);
    return this.#openParts(
      sealed.subarray(0, IV_BYTES),
      sealed.subarray(IV_BYTES, sealed.length - MAC_BYTES),
      mac,
      room,
    );
  }

  /** The same for a ciphertext and its frame (`sealDetached`). */
  openDetached(
    frame: Uint8Array,
    ciphertext: Uint8Array,
    room: (length: number) => Uint8Array = newBuffer,
  ): Uint8Array {
    return this.#openParts(frame.subarray(0, IV_BYTES), ciphertext, frame.subarray(IV_BYTES), room);
  }

  #openParts(
    iv: Uint8Array,
    ciphertext: Uint8Array,
    mac: Uint8Array,
    room: (length: number) => Uint8Array,
  ): Uint8Array {
    this.#setNonce(iv);
    if (!sodium.crypto_onetimeauth_verify(mac, ciphertext, this.#oneTimeKey)) {
      throw new EngineError(
        'damaged',
        'The authentication code of sealed data does not fit: it was altered or damaged.',
      );
    }
    const plain = room(ciphertext.length);
    this.#ctrInto(iv, ciphertext, plain, 0);
    return plain;
  }

  #setNonce(iv: Uint8Array): void {
    this.#oneTimeKey.set(this.#macBlock.update(iv), 16);
  }

  #ctrInto(iv: Uint8Array, input: Uint8Array, out: Uint8Array, offset: number): void {
    if (input.length <= SMALL) return this.#smallCtr(iv, input, out, offset);
    // In pieces that stay in the processor's cache, and whose memory the allocator has at hand.
    const cipher = createCipheriv('aes-256-ctr', this.#encrypt, iv);
    for (let at = 0; at < input.length; at += PIECE) {
      const piece = cipher.update(input.subarray(at, at + PIECE));
      out.set(piece, offset + at);
      release(piece);
    }
  }

  /**
   * CTR by hand: the counter blocks through ECB, then one XOR. Node cannot give a cipher object a new IV, and
   * making an object for each of many small blobs costs several times the encryption itself.
   */
  #smallCtr(iv: Uint8Array, input: Uint8Array, out: Uint8Array, offset: number): void {
    const blocks = (input.length + 15) >>> 4;
    this.#fillCounters(iv, blocks);
    const stream = this.#ctrBlock.update(this.#counters.subarray(0, blocks << 4));
    for (let i = 0; i < input.length; i++) out[offset + i] = input[i]! ^ stream[i]!;
  }

  #fillCounters(iv: Uint8Array, blocks: number): void {
    const view = new DataView(iv.buffer, iv.byteOffset, IV_BYTES);
    const w0 = view.getUint32(0);
    const w1 = view.getUint32(4);
    let high = view.getUint32(8);
    let low = view.getUint32(12);
    const words = this.#counterWords;
    for (let at = 0; at < blocks << 4; at += 16) {
      words.setUint32(at, w0);
      words.setUint32(at + 4, w1);
      words.setUint32(at + 8, high);
      words.setUint32(at + 12, low);
      low = (low + 1) >>> 0;
      if (low !== 0) continue;
      high = (high + 1) >>> 0;
      // A carry out of the low 64 bits within one small message: rarer than 2^-50, still exact.
      if (high === 0) return this.#fillCountersExactly(iv, blocks);
    }
  }

  #fillCountersExactly(iv: Uint8Array, blocks: number): void {
    let counter = BigInt(`0x${Buffer.from(iv).toString('hex')}`);
    for (let i = 0; i < blocks; i++) {
      this.#counters.write(counter.toString(16).padStart(32, '0'), i << 4, 'hex');
      counter = (counter + 1n) & ((1n << 128n) - 1n);
    }
  }

  #nextIv(): Uint8Array {
    if (this.#ivNext === IV_POOL_BYTES) {
      randomFillSync(this.#ivPool);
      this.#ivNext = 0;
    }
    this.#ivNext += IV_BYTES;
    return this.#ivPool.subarray(this.#ivNext - IV_BYTES, this.#ivNext);
  }
}

function newBuffer(length: number): Uint8Array {
  return new Uint8Array(length);
}

function checkKey(key: SealKey): void {
  if (key.encrypt.length !== 32 || key.k.length !== 16 || key.r.length !== 16) {
    throw new EngineError('damaged', 'The key of the repository has parts of the wrong length.');
  }
}
