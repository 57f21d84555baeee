import { sha256 } from "./hash.ts";

/**
 * Seeded randomness from integer arithmetic only, so that every machine draws the same numbers: xoshiro128**
 * (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018), seeded with sha256.
 */
export class SeededRandom {
  readonly #s: Uint32Array;

  /** `seed`: any bytes or text; different seeds give unrelated streams. */
  constructor(seed: Uint8Array | string) {
    const bytes = typeof seed === "string" ? new TextEncoder().encode(seed) : seed;
    const digest = Uint8Array.from(sha256(bytes));
    this.#s = new Uint32Array(digest.buffer.slice(0, 16));
    if (this.#s.every((word) => word === 0)) this.#s[0] = 1;
  }

  /** Uniform in [0, 2^32). */
  u32(): number {
    const s = this.#s as unknown as [number, number, number, number];
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  /** Uniform integer in [0, n), without modulo bias; 1 <= n <= 2^32. */
  below(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    let x = this.u32();
    while (x >= limit) x = this.u32();
    return x % n;
  }

  /** Uniform in [0, 1) with 32 random bits. */
  unit(): number {
    return this.u32() / 2 ** 32;
  }
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
