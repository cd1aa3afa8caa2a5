// The video instructions; video-defs.ts describes their control words.

import {
  VIDEO_B0,
  VIDEO_B3,
  VIDEO_COMPARE_SHIFT,
  VIDEO_EQ,
  VIDEO_GE,
  VIDEO_GT,
  VIDEO_H0,
  VIDEO_LE,
  VIDEO_LT,
  VIDEO_NE,
  VIDEO_NEGATE_C,
  VIDEO_NEGATE_PRODUCT,
  VIDEO_PLUS_ONE,
  VIDEO_SAT,
  VIDEO_SECOND_ADD,
  VIDEO_SECOND_MAX,
  VIDEO_SECOND_MERGE,
  VIDEO_SECOND_MIN,
  VIDEO_SECOND_SHIFT,
  VIDEO_SELECT_B_SHIFT,
  VIDEO_SHR15,
  VIDEO_SHR7,
  VIDEO_SIGNED_A,
  VIDEO_SIGNED_B,
  VIDEO_SIGNED_D,
  VIDEO_WORD,
  VIDEO_WRAP,
} from "./video-defs";

/** Bits in a selected part: 8, 16 or 32. */
// @ts-ignore: decorator
@inline
function partBits(selector: i32): i32 {
  if (selector == VIDEO_WORD) return 32;
  return selector <= VIDEO_B3 ? 8 : 16;
}

/** Where a selected part begins. */
// @ts-ignore: decorator
@inline
function partShift(selector: i32): i32 {
  if (selector == VIDEO_WORD) return 0;
  return selector <= VIDEO_B3 ? (selector - VIDEO_B0) << 3 : (selector - VIDEO_H0) << 4;
}

/** `bits` bits of x from `shift` on, sign- or zero-extended. */
// @ts-ignore: decorator
@inline
function field(x: i32, shift: i32, bits: i32, signed: bool): i64 {
  const moved = (<i64>x) << (64 - bits - shift);
  return signed ? moved >> (64 - bits) : <i64>(<u64>moved >> (64 - bits));
}

// @ts-ignore: decorator
@inline
function operandA(control: i32, a: i32): i64 {
  const selector = control & 7;
  return field(a, partShift(selector), partBits(selector), (control & VIDEO_SIGNED_A) != 0);
}

// @ts-ignore: decorator
@inline
function operandB(control: i32, b: i32): i64 {
  const selector = (control >> VIDEO_SELECT_B_SHIFT) & 7;
  return field(b, partShift(selector), partBits(selector), (control & VIDEO_SIGNED_B) != 0);
}

/** Clamps to `bits` bits of the given signedness. */
// @ts-ignore: decorator
@inline
function clamp(x: i64, bits: i32, signed: bool): i64 {
  const top = (i64(1) << (bits - i32(signed))) - 1;
  return min<i64>(max<i64>(x, signed ? ~top : 0), top);
}

/**
 * Saturates, then merges into c or does the second operation. Of a whole unsigned word the GPU
 * clamps only negative values; what is too large wraps.
 */
function finish(control: i32, x: i64, c: i32): i32 {
  const second = (control >> VIDEO_SECOND_SHIFT) & 15;
  const part = second >= VIDEO_SECOND_MERGE ? second - VIDEO_SECOND_MERGE : VIDEO_WORD;
  const bits = partBits(part);
  const signed = (control & VIDEO_SIGNED_D) != 0;
  if (control & VIDEO_SAT) x = bits == 32 && !signed ? max<i64>(x, 0) : clamp(x, bits, signed);
  const r = <i32>x;
  if (part != VIDEO_WORD) {
    const mask = ((1 << bits) - 1) << partShift(part);
    return (c & ~mask) | ((r << partShift(part)) & mask);
  }
  if (second == VIDEO_SECOND_ADD) return r + c;
  // Minimum and maximum look at all bits of the first result.
  if (second == VIDEO_SECOND_MIN) {
    return signed ? <i32>min<i64>(x, c) : <i32>min<u64>(<u64>x, <u64>(<u32>c));
  }
  if (second == VIDEO_SECOND_MAX) {
    return signed ? <i32>max<i64>(x, c) : <i32>max<u64>(<u64>x, <u64>(<u32>c));
  }
  return r;
}

// @ts-ignore: decorator
@inline
function compare(control: i32, a: i64, b: i64): i64 {
  const kind = (control >> VIDEO_COMPARE_SHIFT) & 7;
  if (kind == VIDEO_EQ) return i64(a == b);
  if (kind == VIDEO_NE) return i64(a != b);
  if (kind == VIDEO_LT) return i64(a < b);
  if (kind == VIDEO_LE) return i64(a <= b);
  if (kind == VIDEO_GT) return i64(a > b);
  if (kind == VIDEO_GE) return i64(a >= b);
  return 0;
}

/** vadd */
export function video_add(control: i32, a: i32, b: i32, c: i32): i32 {
  return finish(control, operandA(control, a) + operandB(control, b), c);
}
/** vsub */
export function video_sub(control: i32, a: i32, b: i32, c: i32): i32 {
  return finish(control, operandA(control, a) - operandB(control, b), c);
}
/** vabsdiff */
export function video_absdiff(control: i32, a: i32, b: i32, c: i32): i32 {
  return finish(control, abs<i64>(operandA(control, a) - operandB(control, b)), c);
}
/** vmin */
export function video_min(control: i32, a: i32, b: i32, c: i32): i32 {
  return finish(control, min<i64>(operandA(control, a), operandB(control, b)), c);
}
/** vmax */
export function video_max(control: i32, a: i32, b: i32, c: i32): i32 {
  return finish(control, max<i64>(operandA(control, a), operandB(control, b)), c);
}

/** The shift amount: modulo 32, or at most 32. */
// @ts-ignore: decorator
@inline
function amount(control: i32, b: i32): i64 {
  const n = operandB(control & ~VIDEO_SIGNED_B, b);
  return control & VIDEO_WRAP ? n & 31 : min<i64>(n, 32);
}

/** vshl */
export function video_shl(control: i32, a: i32, b: i32, c: i32): i32 {
  return finish(control, operandA(control, a) << amount(control, b), c);
}
/** vshr */
export function video_shr(control: i32, a: i32, b: i32, c: i32): i32 {
  return finish(control, operandA(control, a) >> amount(control, b), c);
}
/** vset: 1 or 0 */
export function video_set(control: i32, a: i32, b: i32, c: i32): i32 {
  return finish(control, compare(control, operandA(control, a), operandB(control, b)), c);
}

/**
 * vmad: ±(a·b) ± c, scaled and saturated. The sum has at most 66 bits: its halves are kept apart.
 */
export function video_mad(control: i32, a: i32, b: i32, c: i32): i32 {
  const signed =
    (control & (VIDEO_SIGNED_A | VIDEO_SIGNED_B | VIDEO_NEGATE_PRODUCT | VIDEO_NEGATE_C)) != 0;
  const x = operandA(control, a);
  const y = operandB(control, b);
  // |x·y| < 2⁶⁴: the low word, and the bits above it as their sign.
  let low = <u64>(x * y);
  let high: i64 = signed ? ((x ^ y) < 0 && low != 0 ? -1 : 0) : 0;
  let addend = c;
  let one = (control & VIDEO_PLUS_ONE) != 0;
  if (!one && control & VIDEO_NEGATE_PRODUCT) {
    low = ~low;
    high = ~high;
    one = true;
  } else if (!one && control & VIDEO_NEGATE_C) {
    addend = ~addend;
    one = true;
  }
  const extended = signed ? <u64>(<i64>addend) : <u64>(<u32>addend);
  const sum = low + extended;
  high += i64(sum < low) + (signed && addend < 0 ? -1 : 0);
  const total = sum + u64(one);
  high += i64(total < sum);
  const scale = control & VIDEO_SHR7 ? 7 : control & VIDEO_SHR15 ? 15 : 0;
  const r = scale == 0 ? total : (total >> scale) | ((<u64>high) << (64 - scale));
  if (!(control & VIDEO_SAT)) return <i32>r;
  const top = scale == 0 ? high : high >> scale;
  if (signed) {
    if (top < 0) return top != -1 || <i64>r >= 0 || <i64>r < i32.MIN_VALUE ? i32.MIN_VALUE : <i32>r;
    return top != 0 || r > <u64>i32.MAX_VALUE ? i32.MAX_VALUE : <i32>r;
  }
  return top != 0 || r > 0xffffffff ? -1 : <i32>r;
}
