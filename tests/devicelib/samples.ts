/** Repeatable operands that are hard for floating-point code: ties, cancellation, edges of the range. */
import type { Format } from "./reference.ts";

/** A small repeatable generator of 32-bit numbers (Mulberry32). */
export function randomWords(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/** Random integers of up to 64 bits. */
export function randomBits(next: () => number, bits: number): bigint {
  const wide = (BigInt(next()) << 32n) | BigInt(next());
  return BigInt.asUintN(bits, wide);
}

/**
 * Random bits of a float: uniform, near 1, specials and their neighbours, short significands (whose
 * sums and products hit ties), and exponents close to `near` if it is given.
 */
export function randomFloat(next: () => number, f: Format, near?: bigint): bigint {
  const width = f.fraction + f.exponent + 1;
  const fractionBits = BigInt(f.fraction);
  const top = (1n << BigInt(f.exponent)) - 1n;
  const sign = BigInt(next() & 1) << BigInt(width - 1);
  const fraction = (): bigint => {
    const r = randomBits(next, f.fraction);
    const kind = next() % 4;
    if (kind === 0) return r & ~((1n << (fractionBits - BigInt(next() % f.fraction))) - 1n);
    if (kind === 1)
      return BigInt(next() % 4) ^ ((next() & 1) !== 0 ? (1n << fractionBits) - 1n : 0n);
    return r;
  };
  const clampExponent = (e: bigint): bigint => (e < 0n ? 0n : e > top - 1n ? top - 1n : e);
  const middle = (1n << BigInt(f.exponent - 1)) - 1n;
  switch (next() % 8) {
    case 0:
      return randomBits(next, width);
    case 1: {
      const edges = [0n, 1n, top - 1n, top, middle];
      return (
        sign | ((edges[next() % 5] as bigint) << fractionBits) | (next() & 1 ? fraction() : 0n)
      );
    }
    case 2:
    case 3:
      if (near !== undefined) {
        const e = (near >> fractionBits) & top;
        const moved = clampExponent(e + BigInt((next() % (2 * f.fraction + 6)) - f.fraction - 3));
        return sign | (moved << fractionBits) | fraction();
      }
      return sign | (BigInt(next() % (2 * f.fraction)) << fractionBits) | fraction();
    default:
      return (
        sign | (clampExponent(middle + BigInt((next() % 41) - 20)) << fractionBits) | fraction()
      );
  }
}

/** Values as little-endian elements of `bytes` bytes. */
export function pack(values: readonly bigint[], bytes: number): Uint8Array {
  const out = new Uint8Array(values.length * bytes);
  values.forEach((value, i) => {
    let rest = BigInt.asUintN(8 * bytes, value);
    for (let b = 0; b < bytes; b++, rest >>= 8n) out[i * bytes + b] = Number(rest & 255n);
  });
  return out;
}

/** The inverse of `pack`. */
export function unpack(data: Uint8Array, bytes: number): bigint[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.length / bytes }, (_, i) =>
    bytes === 8 ? view.getBigUint64(8 * i, true) : BigInt(view.getUint32(4 * i, true)),
  );
}
