/**
 * Floating-point matrix products whose terms are all whole multiples of one unit, by integers.
 *
 * Let EA and EB be the largest exponents in A and in B. Where every element of A is a multiple of
 * 2^(EA − 12), and every one of B of 2^(EB − 12), both are integers below 2¹³ times that. How many
 * low bits all of them have 0 is counted, so that u, of which all products are multiples, is the
 * largest such power of two, 2^(EA + EB − 24) at least. The hardware's alignment (mma-dot.ts) keeps
 * 25 bits below the largest exponent, EA + EB or c's: it cuts nothing off where c, too, is a
 * multiple of u and at most 2²⁵·u. The sum is exact in i32 then: 16 products stay below 2³⁰. Up to
 * 2²⁴·u it is the result; above, its cut to 24 bits is.
 *
 * A c that is no multiple of u is aligned whole if its exponent is at least EA + EB − 2, and at most
 * 25 above u's. The sum of the products, if it has up to 24 bits, and c are added in f32 then and
 * the sum cut, for which its rounding error tells the direction.
 *
 *      scratch + FIXED_AT
 *                A   i16[16][16]           512 bytes
 *                B   (i16, i16)[8][8]      256      pairs along k; columns 0 2 4 6 1 3 5 7
 */
import { TO_F16, TO_F16_LATE, TO_F32, finish, positiveZero } from "./mma-dot";
import { halfToSingle, singleToHalf } from "./mma-formats";
import { BF16, F16, FIXED_AT, TF32 } from "./mma-tiles";
import { FRACTION } from "./mma-wide";
import { SLOT_BYTES, lanes, storeLanes } from "./warp-frame";

/** Bits below the leading one of the largest element. */
const WINDOW: i32 = 12;

/** Largest c, in units. */
const LIMIT: f32 = 33554432;

/** Exponents of bf16 and tf32 beyond which scales would leave f32. */
const FAR: i32 = 42;

const B_AT: i32 = 512;

/** No such operand: an infinity, a NaN, an exponent out of range, or no multiples. */
export const NONE: i32 = i32.MIN_VALUE;

/**
 * The largest exponent of `registers` registers; subnormals of f16 count as 2⁻¹⁴. NONE if there is
 * an infinity or a NaN, or an exponent beyond ±42 for bf16 and tf32.
 */
// @ts-ignore: decorator
@inline
function largestExponent(type: i32, operand: i32, registers: i32): i32 {
  let top = i32x4.splat(0);
  const end = operand + registers * SLOT_BYTES;
  for (let at = operand; at < end; at += SLOT_BYTES) {
    for (let g = 0; g < 8; g++) {
      const v = lanes(at, g);
      if (type == TF32) top = i32x4.max_s(top, v128.and(v, i32x4.splat(0x7fffe000)));
      else top = i16x8.max_s(top, v128.and(v, i16x8.splat(0x7fff)));
    }
  }
  if (type == TF32) {
    top = i32x4.max_s(top, i32x4.shuffle(top, top, 2, 3, 0, 1));
    top = i32x4.max_s(top, i32x4.shuffle(top, top, 1, 0, 3, 2));
  } else {
    top = i16x8.max_s(top, i32x4.shuffle(top, top, 2, 3, 0, 1));
    top = i16x8.max_s(top, i32x4.shuffle(top, top, 1, 0, 3, 2));
    top = i16x8.max_s(top, i32x4.shr_u(top, 16));
  }
  const bits = type == TF32 ? i32x4.extract_lane(top, 0) : i32x4.extract_lane(top, 0) & 0x7fff;
  if (type == F16) return bits > 0x7bff ? NONE : max(bits >>> 10, 1) - 15;
  const exponent = (type == BF16 ? bits >>> 7 : bits >>> 23) - 127;
  if (bits == 0) return 0;
  return abs(exponent) > FAR ? NONE : exponent;
}

/** 2^e. */
// @ts-ignore: decorator
@inline
function power(e: i32): v128 {
  return i32x4.splat((127 + e) << 23);
}

/**
 * A constant that stays in a register: V8 would make it anew at each use. (An address of scratch is
 * a multiple of 16.)
 */
// @ts-ignore: decorator
@inline
function held(bits: i32, scratch: i32): v128 {
  return i32x4.splat(bits + (scratch & 15));
}

/** Four sign-extended 16-bit floats, scaled. */
// @ts-ignore: decorator
@inline
function singles(type: i32, x: v128, mask: v128, up: v128, scale: v128): v128 {
  if (type == BF16) return f32x4.mul(i32x4.shl(x, 16), scale);
  return f32x4.mul(f32x4.mul(v128.and(i32x4.shl(x, 13), mask), up), scale);
}

// @ts-ignore: decorator
@inline
function toInteger<T>(x: v128): v128 {
  if (isFloat<T>()) return i32x4.relaxed_trunc_f32x4_s(x);
  return i32x4.trunc_sat_f32x4_s(x);
}

/** Not 0 in lanes where `n` is not all of `x`. */
// @ts-ignore: decorator
@inline
function differs(n: v128, x: v128): v128 {
  return f32x4.ne(f32x4.convert_i32x4_s(n), x);
}

/** Bits that are set in any of eight integers. */
// @ts-ignore: decorator
@inline
function anyBits(n: v128): i32 {
  n = v128.or(n, i32x4.shuffle(n, n, 2, 3, 0, 1));
  n = v128.or(n, i32x4.shuffle(n, n, 1, 0, 3, 2));
  const bits = i32x4.extract_lane(n, 0);
  return (bits | (bits >>> 16)) & 0xffff;
}

/** A as integers. @returns the bits that are set in any, −1 if an element is no multiple of the unit */
// @ts-ignore: decorator
@inline
function fixA<T>(type: i32, a: i32, registers: i32, scale: v128, scratch: i32): i32 {
  const mask = held(type == TF32 ? ~0x1fff : ~0x70000000, scratch);
  const up = held((127 + 112) << 23, scratch);
  let set = i32x4.splat(0);
  for (let r = 0; r < registers; r++) {
    const at = a + r * SLOT_BYTES;
    let to = scratch + ((r & 1) << 8) + ((r >> 1) << (type == TF32 ? 3 : 4));
    let wrong = i32x4.splat(0);
    for (let g = 0; g < 8; g++) {
      const v = lanes(at, g);
      if (type == TF32) {
        const x = f32x4.mul(v128.and(v, mask), scale);
        const n = toInteger<T>(x);
        wrong = v128.or(wrong, differs(n, x));
        const short = i16x8.narrow_i32x4_s(n, n);
        set = v128.or(set, short);
        v128.store_lane<i64>(to, short, 0);
      } else {
        const x = singles(type, i32x4.extend_low_i16x8_s(v), mask, up, scale);
        const y = singles(type, i32x4.extend_high_i16x8_s(v), mask, up, scale);
        const n = toInteger<T>(x);
        const m = toInteger<T>(y);
        wrong = v128.or(wrong, v128.or(differs(n, x), differs(m, y)));
        const short = i16x8.narrow_i32x4_s(n, m);
        set = v128.or(set, short);
        v128.store(to, short);
      }
      to += 32;
    }
    if (v128.any_true(wrong)) return -1;
  }
  return anyBits(set);
}

/** The same of B. */
// @ts-ignore: decorator
@inline
function fixB<T>(type: i32, b: i32, registers: i32, scale: v128, scratch: i32): i32 {
  const mask = held(type == TF32 ? ~0x1fff : ~0x70000000, scratch);
  const up = held((127 + 112) << 23, scratch);
  let set = i32x4.splat(0);
  for (let r = 0; r < registers; r++) {
    let wrong = i32x4.splat(0);
    const at = b + r * SLOT_BYTES;
    // Columns 0 2 4 6, then 1 3 5 7: four columns of pairs along k are transposed.
    for (let odd = 0; odd < 2; odd++) {
      const to = scratch + B_AT + (odd << 4) + (r << (type == TF32 ? 6 : 7));
      let n0 = i32x4.splat(0);
      let n1 = n0;
      let n2 = n0;
      let n3 = n0;
      for (let i = 0; i < 4; i++) {
        const v = lanes(at, (i << 1) + odd);
        let n: v128;
        if (type == TF32) {
          const x = f32x4.mul(v128.and(v, mask), scale);
          n = toInteger<T>(x);
          wrong = v128.or(wrong, differs(n, x));
          n = i16x8.narrow_i32x4_s(n, n);
        } else {
          const x = singles(type, i32x4.extend_low_i16x8_s(v), mask, up, scale);
          const y = singles(type, i32x4.extend_high_i16x8_s(v), mask, up, scale);
          n = toInteger<T>(x);
          const m = toInteger<T>(y);
          wrong = v128.or(wrong, v128.or(differs(n, x), differs(m, y)));
          n = i16x8.narrow_i32x4_s(n, m);
        }
        set = v128.or(set, n);
        if (i == 0) n0 = n;
        else if (i == 1) n1 = n;
        else if (i == 2) n2 = n;
        else n3 = n;
      }
      const l01 = i32x4.shuffle(n0, n1, 0, 4, 1, 5);
      const l23 = i32x4.shuffle(n2, n3, 0, 4, 1, 5);
      v128.store(to, i64x2.shuffle(l01, l23, 0, 2));
      v128.store(to, i64x2.shuffle(l01, l23, 1, 3), 32);
      if (type == TF32) continue;
      const h01 = i32x4.shuffle(n0, n1, 2, 6, 3, 7);
      const h23 = i32x4.shuffle(n2, n3, 2, 6, 3, 7);
      v128.store(to, i64x2.shuffle(h01, h23, 0, 2), 64);
      v128.store(to, i64x2.shuffle(h01, h23, 1, 3), 96);
    }
    if (v128.any_true(wrong)) return -1;
  }
  return anyBits(set);
}

/** Where group g = m mod 8 of the accumulator's rows m ≥ 8 or less begins: f16 or f32 registers. */
// @ts-ignore: decorator
@inline
function rowsAt<F>(accumulator: i32, m: i32): i32 {
  return accumulator + ((m >> 3) << (isFloat<F>() ? 9 : 8)) + ((m & 7) << 4);
}

/** Even columns of row `i` after that. */
// @ts-ignore: decorator
@inline
function evenOf<F>(at: i32, i: i32): v128 {
  const v = v128.load(at + (i << 4));
  return isFloat<F>() ? v : halfToSingle(v128.and(v, i32x4.splat(0xffff)));
}

// @ts-ignore: decorator
@inline
function oddOf<F>(at: i32, i: i32): v128 {
  if (isFloat<F>()) return v128.load(at + (i << 4) + SLOT_BYTES);
  return halfToSingle(i32x4.shr_u(v128.load(at + (i << 4)), 16));
}

/** f16 pairs as a register holds them; f16 results round what `finish` left odd. */
// @ts-ignore: decorator
@inline
function halves(even: v128, odd: v128): v128 {
  return v128.or(singleToHalf(even), i32x4.shl(singleToHalf(odd), 16));
}

// @ts-ignore: decorator
@inline
function scaledSum(n: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(n), scale);
}

/** Writes a row of results, 32-bit lanes of even and of odd columns. */
// @ts-ignore: decorator
@inline
function writeRow<F>(at: i32, i: i32, m: i32, even: v128, odd: v128, mode: i32, active: i32): void {
  if (mode == TO_F16) {
    even = positiveZero(even, mode);
    odd = positiveZero(odd, mode);
  }
  const first = isFloat<F>() ? even : halves(even, odd);
  const g = (m & 7) + i;
  storeLanes(at - ((m & 7) << 4), g, first, active);
  if (isFloat<F>()) storeLanes(at - ((m & 7) << 4) + SLOT_BYTES, g, odd, active);
}

/** The largest magnitudes of eight vectors of integers. */
// @ts-ignore: decorator
@inline
function largest(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, h: v128): v128 {
  const x = i32x4.max_s(i32x4.max_s(i32x4.abs(a), i32x4.abs(b)), i32x4.max_s(i32x4.abs(c), i32x4.abs(d)));
  const y = i32x4.max_s(i32x4.max_s(i32x4.abs(e), i32x4.abs(f)), i32x4.max_s(i32x4.abs(g), i32x4.abs(h)));
  return i32x4.max_s(x, y);
}

/** Writes a row whose sums may have more than 24 bits. */
function writeLong<F>(
  at: i32,
  i: i32,
  m: i32,
  even: v128,
  odd: v128,
  unit: i32,
  mode: i32,
  active: i32,
): void {
  const exponent = i32x4.splat(unit + FRACTION);
  const zero = i32x4.splat(0);
  const x = finish(even, zero, exponent, mode == TO_F16);
  const y = finish(odd, zero, exponent, mode == TO_F16);
  writeRow<F>(at, i, m, x, y, mode, active);
}

/**
 * Not 0 in lanes of c that no way here can take: neither a multiple of the unit nor large enough to
 * be aligned whole (at least `least`), or too large.
 */
// @ts-ignore: decorator
@inline
function unfit<T>(c: v128, down: v128, least: v128): v128 {
  const x = f32x4.mul(c, down);
  const magnitude = f32x4.abs(c);
  const whole = v128.or(f32x4.ge(magnitude, least), f32x4.eq(f32x4.convert_i32x4_s(toInteger<T>(x)), x));
  return v128.not(v128.and(whole, f32x4.le(f32x4.abs(x), f32x4.splat(LIMIT))));
}

/** s + c cut toward zero: rounded to nearest, and one step back where that went away from zero. */
// @ts-ignore: decorator
@inline
function cutSum(s: v128, c: v128): v128 {
  const sum = f32x4.add(s, c);
  const part = f32x4.sub(sum, s);
  const error = f32x4.add(f32x4.sub(s, f32x4.sub(sum, part)), f32x4.sub(c, part));
  const opposite = i32x4.shr_s(v128.xor(error, sum), 31);
  return i32x4.add(sum, v128.and(opposite, f32x4.ne(error, f32x4.splat(0))));
}

/** Writes a row of sums in units, of up to 24 bits, to which any addend comes. */
function writeLoose<C, D>(
  from: i32,
  at: i32,
  i: i32,
  m: i32,
  even: v128,
  odd: v128,
  up: v128,
  mode: i32,
  active: i32,
): void {
  const x = cutSum(scaledSum(even, up), evenOf<C>(from, i));
  const y = cutSum(scaledSum(odd, up), oddOf<C>(from, i));
  writeRow<D>(at, i, m, x, y, mode, active);
}

/**
 * One hardware product of 16 rows, `pairs` pairs along k from `from` on. T: f32 where the engine has
 * relaxed SIMD, else i32. C, D: f32 or u16, for an accumulator of f32 or f16; a D of f16 is rounded
 * at once from C of f16, through f32 from C of f32.
 * @param a, b what is known of A and B, as `prepareA` and `prepareB` gave them
 * @param c, d addresses of the accumulator's and the result's first registers
 * @returns false if A, B or an addend is not of this kind; d may be written then, and nothing else
 */
export function multiplyFixed<T, C, D>(
  scratch: i32,
  from: i32,
  pairs: i32,
  a: i32,
  b: i32,
  c: i32,
  d: i32,
  active: i32,
): bool {
  if (a == NONE || b == NONE) return false;
  const mode = isFloat<D>() ? TO_F32 : isFloat<C>() ? TO_F16_LATE : TO_F16;
  const zeros = (a & 31) + (b & 31);
  const unit = (a >> 5) + (b >> 5) - 2 * WINDOW + zeros;
  // A subnormal f16 addend aligns as 2⁻¹⁴, which must not be beyond 2²⁵ units.
  if (mode == TO_F16 && unit + FRACTION < -14) return false;
  const magnitude = i32x4.splat(0x7fffffff);
  const down = power(-unit);
  const up = power(unit);
  // From here on c is aligned whole, since no product's exponent is beyond its own by more than 2.
  const least = power((a >> 5) + (b >> 5) - 2);
  scratch += FIXED_AT;
  const first = scratch + B_AT + (from << 5);
  const end = first + (pairs << 5);
  for (let m = 0; m < 16; m += 4) {
    const ats = rowsAt<C>(c, m);
    let wrong = i32x4.splat(0);
    let top = wrong;
    const x0 = f32x4.mul(evenOf<C>(ats, 0), down);
    const n0 = toInteger<T>(x0);
    wrong = v128.or(wrong, differs(n0, x0));
    top = i32x4.max_s(top, v128.and(x0, magnitude));
    const x1 = f32x4.mul(oddOf<C>(ats, 0), down);
    const n1 = toInteger<T>(x1);
    wrong = v128.or(wrong, differs(n1, x1));
    top = i32x4.max_s(top, v128.and(x1, magnitude));
    const x2 = f32x4.mul(evenOf<C>(ats, 1), down);
    const n2 = toInteger<T>(x2);
    wrong = v128.or(wrong, differs(n2, x2));
    top = i32x4.max_s(top, v128.and(x2, magnitude));
    const x3 = f32x4.mul(oddOf<C>(ats, 1), down);
    const n3 = toInteger<T>(x3);
    wrong = v128.or(wrong, differs(n3, x3));
    top = i32x4.max_s(top, v128.and(x3, magnitude));
    const x4 = f32x4.mul(evenOf<C>(ats, 2), down);
    const n4 = toInteger<T>(x4);
    wrong = v128.or(wrong, differs(n4, x4));
    top = i32x4.max_s(top, v128.and(x4, magnitude));
    const x5 = f32x4.mul(oddOf<C>(ats, 2), down);
    const n5 = toInteger<T>(x5);
    wrong = v128.or(wrong, differs(n5, x5));
    top = i32x4.max_s(top, v128.and(x5, magnitude));
    const x6 = f32x4.mul(evenOf<C>(ats, 3), down);
    const n6 = toInteger<T>(x6);
    wrong = v128.or(wrong, differs(n6, x6));
    top = i32x4.max_s(top, v128.and(x6, magnitude));
    const x7 = f32x4.mul(oddOf<C>(ats, 3), down);
    const n7 = toInteger<T>(x7);
    wrong = v128.or(wrong, differs(n7, x7));
    top = i32x4.max_s(top, v128.and(x7, magnitude));
    wrong = v128.or(wrong, i32x4.gt_s(top, f32x4.splat(LIMIT)));
    const loose = v128.any_true(wrong);
    if (loose) {
      if (mode == TO_F16) return false;
      wrong = unfit<T>(evenOf<C>(ats, 0), down, least);
      wrong = v128.or(wrong, unfit<T>(oddOf<C>(ats, 0), down, least));
      wrong = v128.or(wrong, unfit<T>(evenOf<C>(ats, 1), down, least));
      wrong = v128.or(wrong, unfit<T>(oddOf<C>(ats, 1), down, least));
      wrong = v128.or(wrong, unfit<T>(evenOf<C>(ats, 2), down, least));
      wrong = v128.or(wrong, unfit<T>(oddOf<C>(ats, 2), down, least));
      wrong = v128.or(wrong, unfit<T>(evenOf<C>(ats, 3), down, least));
      wrong = v128.or(wrong, unfit<T>(oddOf<C>(ats, 3), down, least));
      if (v128.any_true(wrong)) return false;
    }
    let even0 = i32x4.splat(0);
    let odd0 = even0;
    let even1 = even0;
    let odd1 = even0;
    let even2 = even0;
    let odd2 = even0;
    let even3 = even0;
    let odd3 = even0;
    let row = scratch + (m << 5) + (from << 2);
    for (let at = first; at < end; at += 64) {
      const a0 = v128.load64_zero(row);
      const a1 = v128.load64_zero(row, 32);
      const a2 = v128.load64_zero(row, 64);
      const a3 = v128.load64_zero(row, 96);
      let y = v128.load(at);
      let z = v128.load(at, 16);
      let x = i32x4.shuffle(a0, a0, 0, 0, 0, 0);
      even0 = i32x4.add(even0, i32x4.dot_i16x8_s(x, y));
      odd0 = i32x4.add(odd0, i32x4.dot_i16x8_s(x, z));
      x = i32x4.shuffle(a1, a1, 0, 0, 0, 0);
      even1 = i32x4.add(even1, i32x4.dot_i16x8_s(x, y));
      odd1 = i32x4.add(odd1, i32x4.dot_i16x8_s(x, z));
      x = i32x4.shuffle(a2, a2, 0, 0, 0, 0);
      even2 = i32x4.add(even2, i32x4.dot_i16x8_s(x, y));
      odd2 = i32x4.add(odd2, i32x4.dot_i16x8_s(x, z));
      x = i32x4.shuffle(a3, a3, 0, 0, 0, 0);
      even3 = i32x4.add(even3, i32x4.dot_i16x8_s(x, y));
      odd3 = i32x4.add(odd3, i32x4.dot_i16x8_s(x, z));
      y = v128.load(at, 32);
      z = v128.load(at, 48);
      x = i32x4.shuffle(a0, a0, 1, 1, 1, 1);
      even0 = i32x4.add(even0, i32x4.dot_i16x8_s(x, y));
      odd0 = i32x4.add(odd0, i32x4.dot_i16x8_s(x, z));
      x = i32x4.shuffle(a1, a1, 1, 1, 1, 1);
      even1 = i32x4.add(even1, i32x4.dot_i16x8_s(x, y));
      odd1 = i32x4.add(odd1, i32x4.dot_i16x8_s(x, z));
      x = i32x4.shuffle(a2, a2, 1, 1, 1, 1);
      even2 = i32x4.add(even2, i32x4.dot_i16x8_s(x, y));
      odd2 = i32x4.add(odd2, i32x4.dot_i16x8_s(x, z));
      x = i32x4.shuffle(a3, a3, 1, 1, 1, 1);
      even3 = i32x4.add(even3, i32x4.dot_i16x8_s(x, y));
      odd3 = i32x4.add(odd3, i32x4.dot_i16x8_s(x, z));
      row += 8;
    }
    even0 = i32x4.shr_s(even0, zeros);
    odd0 = i32x4.shr_s(odd0, zeros);
    even1 = i32x4.shr_s(even1, zeros);
    odd1 = i32x4.shr_s(odd1, zeros);
    even2 = i32x4.shr_s(even2, zeros);
    odd2 = i32x4.shr_s(odd2, zeros);
    even3 = i32x4.shr_s(even3, zeros);
    odd3 = i32x4.shr_s(odd3, zeros);
    const to = rowsAt<D>(d, m);
    if (loose) {
      if (v128.any_true(i32x4.gt_s(largest(even0, odd0, even1, odd1, even2, odd2, even3, odd3), i32x4.splat(1 << 24)))) return false;
      writeLoose<C, D>(ats, to, 0, m, even0, odd0, up, mode, active);
      writeLoose<C, D>(ats, to, 1, m, even1, odd1, up, mode, active);
      writeLoose<C, D>(ats, to, 2, m, even2, odd2, up, mode, active);
      writeLoose<C, D>(ats, to, 3, m, even3, odd3, up, mode, active);
      continue;
    }
    even0 = i32x4.add(even0, n0);
    odd0 = i32x4.add(odd0, n1);
    even1 = i32x4.add(even1, n2);
    odd1 = i32x4.add(odd1, n3);
    even2 = i32x4.add(even2, n4);
    odd2 = i32x4.add(odd2, n5);
    even3 = i32x4.add(even3, n6);
    odd3 = i32x4.add(odd3, n7);
    const large = largest(even0, odd0, even1, odd1, even2, odd2, even3, odd3);
    if (v128.any_true(i32x4.gt_s(large, i32x4.splat(1 << 24)))) {
      writeLong<D>(to, 0, m, even0, odd0, unit, mode, active);
      writeLong<D>(to, 1, m, even1, odd1, unit, mode, active);
      writeLong<D>(to, 2, m, even2, odd2, unit, mode, active);
      writeLong<D>(to, 3, m, even3, odd3, unit, mode, active);
      continue;
    }
    writeRow<D>(to, 0, m, scaledSum(even0, up), scaledSum(odd0, up), mode, active);
    writeRow<D>(to, 1, m, scaledSum(even1, up), scaledSum(odd1, up), mode, active);
    writeRow<D>(to, 2, m, scaledSum(even2, up), scaledSum(odd2, up), mode, active);
    writeRow<D>(to, 3, m, scaledSum(even3, up), scaledSum(odd3, up), mode, active);
  }
  return true;
}

// @ts-ignore: decorator
@inline
function prepared<T>(type: i32, isA: bool, at: i32, registers: i32, scratch: i32): i32 {
  const exponent = largestExponent(type, at, registers);
  if (exponent == NONE) return NONE;
  const scale = power(WINDOW - exponent);
  const set = isA
    ? fixA<T>(type, at, registers, scale, scratch)
    : fixB<T>(type, at, registers, scale, scratch);
  return set < 0 ? NONE : (exponent << 5) | min(ctz(set), WINDOW);
}

// One function for each type keeps the element loops free of branches, and kernels of other types'.
function halvesA<T>(at: i32, registers: i32, scratch: i32): i32 {
  return prepared<T>(F16, true, at, registers, scratch);
}

function halvesB<T>(at: i32, registers: i32, scratch: i32): i32 {
  return prepared<T>(F16, false, at, registers, scratch);
}

function bfloatsA<T>(at: i32, registers: i32, scratch: i32): i32 {
  return prepared<T>(BF16, true, at, registers, scratch);
}

function bfloatsB<T>(at: i32, registers: i32, scratch: i32): i32 {
  return prepared<T>(BF16, false, at, registers, scratch);
}

function singlesA<T>(at: i32, registers: i32, scratch: i32): i32 {
  return prepared<T>(TF32, true, at, registers, scratch);
}

function singlesB<T>(at: i32, registers: i32, scratch: i32): i32 {
  return prepared<T>(TF32, false, at, registers, scratch);
}

/**
 * Puts A (16 rows, `registers` registers at `at`) into scratch as integers.
 * @returns its largest exponent · 32 + how many low bits of all integers are 0, or NONE
 */
// @ts-ignore: decorator
@inline
export function prepareA<T>(type: i32, at: i32, registers: i32, scratch: i32): i32 {
  if (type == F16) return halvesA<T>(at, registers, scratch + FIXED_AT);
  if (type == BF16) return bfloatsA<T>(at, registers, scratch + FIXED_AT);
  return singlesA<T>(at, registers, scratch + FIXED_AT);
}

/** The same of B, 8 columns. */
// @ts-ignore: decorator
@inline
export function prepareB<T>(type: i32, at: i32, registers: i32, scratch: i32): i32 {
  if (type == F16) return halvesB<T>(at, registers, scratch + FIXED_AT);
  if (type == BF16) return bfloatsB<T>(at, registers, scratch + FIXED_AT);
  return singlesB<T>(at, registers, scratch + FIXED_AT);
}
