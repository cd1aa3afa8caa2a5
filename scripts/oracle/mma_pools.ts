/**
 * Input pools for the matrix cases, in the oracle's form: `pool.<type>.bin` holds three vectors
 * a, b, c of 512 elements. Each quarter of a vector is a class of data:
 *
 *   0 moderate values   1 exponents far apart, subnormals
 *   2 few exponents, so that terms cancel   3 zeros, infinities, NaNs, very large and small
 */

/** Elements of a vector. */
export const POOL = 512;

/** Bytes of an element by type, as shared by all folders of the oracle. */
export const WIDTH: Record<string, number> = {
  f32: 4,
  f64: 8,
  f16: 2,
  bf16: 2,
  i32: 4,
  i64: 8,
  i16: 2,
  f16x2: 4,
  bf16x2: 4,
  i8: 1,
};

/** A repeatable generator (Mulberry32): numbers in [0, 1). */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A binary float format: bits of exponent and of mantissa. */
interface Format {
  exponent: number;
  mantissa: number;
}

const HALF: Format = { exponent: 5, mantissa: 10 };
const BFLOAT: Format = { exponent: 8, mantissa: 7 };
const SINGLE: Format = { exponent: 8, mantissa: 23 };
const DOUBLE: Format = { exponent: 11, mantissa: 52 };

/** Random element of the class, as bits. Vector 2 holds addends, 0 and 1 hold factors. */
function floatBits(f: Format, dataClass: number, vector: number, random: () => number): bigint {
  const bias = (1 << (f.exponent - 1)) - 1;
  const top = (1 << f.exponent) - 1;
  const below = (n: number) => Math.floor(random() * n);
  const sign = BigInt(below(2)) << BigInt(f.exponent + f.mantissa);
  const compose = (field: number, mantissa: bigint) =>
    sign | (BigInt(Math.max(0, Math.min(field, top))) << BigInt(f.mantissa)) | mantissa;
  let mantissa = 0n;
  for (let i = 0; i < f.mantissa; i += 13) mantissa = (mantissa << 13n) | BigInt(below(8192));
  mantissa &= (1n << BigInt(f.mantissa)) - 1n;
  if (dataClass === 0) return compose(bias - 3 + below(6), mantissa);
  if (dataClass === 1) {
    const span = Math.min(bias - 1, 40);
    return compose(bias - span + below(2 * span) - (below(16) ? 0 : bias), mantissa);
  }
  if (dataClass === 2) {
    // Factors are 1 + j·2⁻ᵐ or the double of it; addends are as large as a few of their products.
    const short = vector === 2 ? mantissa : BigInt(below(4)) * (random() < 0.5 ? 1n : 37n);
    return compose(bias + below(vector === 2 ? 4 : 2), short);
  }
  const kind = random();
  if (kind < 0.01) return compose(top, below(3) ? 0n : mantissa | 1n);
  if (kind < 0.3) return sign;
  if (kind < 0.4) return compose(0, mantissa);
  if (kind < 0.6) return compose(top - 1 - below(4), mantissa);
  if (kind < 0.7) return compose(1 + below(4), mantissa);
  return compose(bias + 2 - below(5), mantissa);
}

/** Integers: factors are any bits; addends come near the ends of the range in classes 2 and 3. */
function integerBits(bits: number, dataClass: number, vector: number, random: () => number) {
  const any = () => BigInt(Math.floor(random() * 4294967296));
  const word = bits === 64 ? (any() << 32n) | any() : any() & ((1n << BigInt(bits)) - 1n);
  if (vector !== 2 || bits !== 32) return word;
  const small = word & 0xffffn;
  if (dataClass === 0) return small;
  if (dataClass === 1) return word;
  return dataClass === 2 ? 0x7fffffffn - small : 0x80000000n + small;
}

/**
 * The bytes of a pool.
 * @param type an element type of the oracle
 * @param random source of all randomness
 */
function makePool(type: string, random: () => number): Uint8Array {
  const width = WIDTH[type] ?? 0;
  const bytes = new Uint8Array(3 * POOL * width);
  const formats: Record<string, Format> = {
    f16: HALF,
    f16x2: HALF,
    bf16: BFLOAT,
    bf16x2: BFLOAT,
    f32: SINGLE,
    f64: DOUBLE,
  };
  const format = formats[type];
  for (let vector = 0; vector < 3; vector++) {
    for (let i = 0; i < POOL; i++) {
      const dataClass = Math.floor((4 * i) / POOL);
      let value: bigint;
      if (format) {
        value = floatBits(format, dataClass, vector, random);
        if (type.endsWith("x2")) value |= floatBits(format, dataClass, vector, random) << 16n;
      } else {
        value = integerBits(8 * width, dataClass, vector, random);
      }
      for (let byte = 0; byte < width; byte++) {
        bytes[(vector * POOL + i) * width + byte] = Number((value >> BigInt(8 * byte)) & 255n);
      }
    }
  }
  return bytes;
}

/** The pools of all types, by type; the same for the same seed. */
export function makePools(seed: number): Record<string, Uint8Array> {
  const random = makeRandom(seed);
  const pools: Record<string, Uint8Array> = {};
  for (const type of Object.keys(WIDTH)) pools[type] = makePool(type, random);
  return pools;
}
