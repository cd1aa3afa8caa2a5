// The SIMD video instructions: two halves or four bytes of a word; video-defs.ts describes control
// words and selectors.

import {
  VIDEO_ACCUMULATE,
  VIDEO_COMPARE_SHIFT,
  VIDEO_EQ,
  VIDEO_GE,
  VIDEO_GT,
  VIDEO_LE,
  VIDEO_LT,
  VIDEO_MASK_SHIFT,
  VIDEO_NE,
  VIDEO_SAT,
  VIDEO_SIGNED_A,
  VIDEO_SIGNED_B,
  VIDEO_SIGNED_D,
} from "./video-defs";

const ADD = 0;
const SUB = 1;
const AVRG = 2;
const ABSDIFF = 3;
const MIN = 4;
const MAX = 5;
const SET = 6;

/** Part `index` of {b, a}, a's parts first, of `bits` bits. */
// @ts-ignore: decorator
@inline
function part(a: i32, b: i32, index: i32, bits: i32, signed: bool): i32 {
  const both = <u64>(<u32>a) | ((<u64>b) << 32);
  const word = (<i32>(both >> (index * bits))) << (32 - bits);
  return signed ? word >> (32 - bits) : word >>> (32 - bits);
}

// @ts-ignore: decorator
@inline
function compare(kind: i32, a: i32, b: i32): i32 {
  if (kind == VIDEO_EQ) return i32(a == b);
  if (kind == VIDEO_NE) return i32(a != b);
  if (kind == VIDEO_LT) return i32(a < b);
  if (kind == VIDEO_LE) return i32(a <= b);
  if (kind == VIDEO_GT) return i32(a > b);
  if (kind == VIDEO_GE) return i32(a >= b);
  return 0;
}

// @ts-ignore: decorator
@inline
function lane(op: i32, control: i32, a: i32, b: i32): i32 {
  if (op == ADD) return a + b;
  if (op == SUB) return a - b;
  // Halves are rounded away from zero.
  if (op == AVRG) return (a + b + i32(a + b >= 0)) >> 1;
  if (op == ABSDIFF) return abs<i32>(a - b);
  if (op == MIN) return min<i32>(a, b);
  if (op == MAX) return max<i32>(a, b);
  return compare((control >> VIDEO_COMPARE_SHIFT) & 7, a, b);
}

/** All lanes of `bits` bits; op and bits are constants of each caller. */
// @ts-ignore: decorator
@inline
function lanes(op: i32, bits: i32, control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  const signedA = (control & VIDEO_SIGNED_A) != 0;
  const signedB = (control & VIDEO_SIGNED_B) != 0;
  const signedD = (control & VIDEO_SIGNED_D) != 0;
  const ones = (1 << bits) - 1;
  const top = signedD ? ones >> 1 : ones;
  const bottom = signedD ? ~top : 0;
  let d = control & VIDEO_ACCUMULATE ? 0 : c;
  let sum = c;
  for (let i = 0, n = 32 / bits; i < n; i++) {
    if (!((control >> (VIDEO_MASK_SHIFT + i)) & 1)) continue;
    const x = part(a, b, (selectors >> (4 * i)) & 7, bits, signedA);
    const y = part(a, b, (selectors >> (4 * i + 16)) & 7, bits, signedB);
    let r = lane(op, control, x, y);
    if (control & VIDEO_SAT) r = min<i32>(max<i32>(r, bottom), top);
    sum += r;
    d = (d & ~(ones << (i * bits))) | ((r & ones) << (i * bits));
  }
  return control & VIDEO_ACCUMULATE ? sum : d;
}

/** vadd2 */
export function video_add2(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(ADD, 16, control, selectors, a, b, c);
}
/** vadd4 */
export function video_add4(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(ADD, 8, control, selectors, a, b, c);
}
/** vsub2 */
export function video_sub2(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(SUB, 16, control, selectors, a, b, c);
}
/** vsub4 */
export function video_sub4(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(SUB, 8, control, selectors, a, b, c);
}
/** vavrg2 */
export function video_avrg2(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(AVRG, 16, control, selectors, a, b, c);
}
/** vavrg4 */
export function video_avrg4(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(AVRG, 8, control, selectors, a, b, c);
}
/** vabsdiff2 */
export function video_absdiff2(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(ABSDIFF, 16, control, selectors, a, b, c);
}
/** vabsdiff4 */
export function video_absdiff4(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(ABSDIFF, 8, control, selectors, a, b, c);
}
/** vmin2 */
export function video_min2(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(MIN, 16, control, selectors, a, b, c);
}
/** vmin4 */
export function video_min4(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(MIN, 8, control, selectors, a, b, c);
}
/** vmax2 */
export function video_max2(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(MAX, 16, control, selectors, a, b, c);
}
/** vmax4 */
export function video_max4(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(MAX, 8, control, selectors, a, b, c);
}
/** vset2 */
export function video_set2(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(SET, 16, control, selectors, a, b, c);
}
/** vset4 */
export function video_set4(control: i32, selectors: i32, a: i32, b: i32, c: i32): i32 {
  return lanes(SET, 8, control, selectors, a, b, c);
}
