/**
 * `mma.sync` on 8-bit and 4-bit integers (PTX ISA 9.7.14.5): exact sums, added to C modulo 2³² or,
 * with `.satfinite`, cut to the range of s32 at the end.
 *
 * Four lanes of one register are 16 (s8, u8) or 32 (s4, u4) elements of a row of A or a column of B.
 *
 *      scratch   A i16[16][64]      2048 bytes
 *                B (i16, i16)[32][8] 1024     pairs along k; columns 0 2 4 6 1 3 5 7
 */
import { SLOT_BYTES, lanes, slot, storeLanes } from "./warp-frame";

export const S8: i32 = 0;
export const U8: i32 = 1;
export const S4: i32 = 2;
export const U4: i32 = 3;

const B_AT: i32 = 2048;

/** Low 8 bytes (`high`: the others) of `v` as 16-bit integers. */
// @ts-ignore: decorator
@inline
function widen(signed: bool, v: v128, high: bool): v128 {
  if (signed) return high ? i16x8.extend_high_i8x16_s(v) : i16x8.extend_low_i8x16_s(v);
  return high ? i16x8.extend_high_i8x16_u(v) : i16x8.extend_low_i8x16_u(v);
}

/** Nibbles of the low 8 bytes (`high`: the others) in order, as bytes that hold their value. */
// @ts-ignore: decorator
@inline
function nibbles(signed: bool, v: v128, high: bool): v128 {
  const even = v128.and(v, i8x16.splat(15));
  const odd = i8x16.shr_u(v, 4);
  const order = high
    ? i8x16.shuffle(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
    : i8x16.shuffle(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return signed ? i8x16.shr_s(i8x16.shl(order, 4), 4) : order;
}

/** Eight elements, the `part`-th of a register's group, as 16-bit integers. */
// @ts-ignore: decorator
@inline
function elements(type: i32, v: v128, part: i32): v128 {
  const signed = type == S8 || type == S4;
  if (type == S8 || type == U8) return widen(signed, v, part == 1);
  return widen(signed, nibbles(signed, v, part >= 2), (part & 1) == 1);
}

// @ts-ignore: decorator
@inline
function unpackA(type: i32, a: i32, registers: i32, scratch: i32): void {
  const parts = type >= S4 ? 4 : 2;
  for (let r = 0; r < registers; r++) {
    for (let g = 0; g < 8; g++) {
      const v = lanes(a + r * SLOT_BYTES, g);
      const row = scratch + ((((r & 1) << 3) + g) << 7) + (r >> 1) * (parts << 4);
      v128.store(row, elements(type, v, 0));
      v128.store(row, elements(type, v, 1), 16);
      if (parts == 4) {
        v128.store(row, elements(type, v, 2), 32);
        v128.store(row, elements(type, v, 3), 48);
      }
    }
  }
}

/** Eight elements of a column: four pairs, one in each of four rows of B's tile. */
// @ts-ignore: decorator
@inline
function storePairs(at: i32, pairs: v128): void {
  v128.store_lane<i32>(at, pairs, 0);
  v128.store_lane<i32>(at, pairs, 1, 32);
  v128.store_lane<i32>(at, pairs, 2, 64);
  v128.store_lane<i32>(at, pairs, 3, 96);
}

// @ts-ignore: decorator
@inline
function unpackB(type: i32, b: i32, registers: i32, scratch: i32): void {
  const parts = type >= S4 ? 4 : 2;
  for (let r = 0; r < registers; r++) {
    for (let n = 0; n < 8; n++) {
      const v = lanes(b + r * SLOT_BYTES, n);
      const at = scratch + B_AT + (((n >> 1) + ((n & 1) << 2)) << 2) + r * (parts << 7);
      storePairs(at, elements(type, v, 0));
      storePairs(at + 128, elements(type, v, 1));
      if (parts == 4) {
        storePairs(at + 256, elements(type, v, 2));
        storePairs(at + 384, elements(type, v, 3));
      }
    }
  }
}

/** c + x, or the end of the s32 range that it passes. */
// @ts-ignore: decorator
@inline
function addSaturating(c: v128, x: v128): v128 {
  const sum = i32x4.add(c, x);
  // Overflow: both addends have one sign and the sum has the other.
  const over = i32x4.shr_s(v128.and(v128.xor(sum, c), v128.xor(sum, x)), 31);
  const end = v128.xor(i32x4.shr_s(c, 31), i32x4.splat(0x7fffffff));
  return v128.bitselect(end, sum, over);
}

/** The sums of tiles of `rows` rows and `pairs` pairs along k. */
function multiply(
  rows: i32,
  pairs: i32,
  saturate: bool,
  d: i32,
  c: i32,
  scratch: i32,
  active: i32,
): void {
  for (let m = 0; m < rows; m++) {
    const row = scratch + (m << 7);
    let even = i32x4.splat(0);
    let odd = i32x4.splat(0);
    for (let k = 0; k < pairs; k++) {
      const a = v128.load32_splat(row + (k << 2));
      const b = scratch + B_AT + (k << 5);
      even = i32x4.add(even, i32x4.dot_i16x8_s(a, v128.load(b)));
      odd = i32x4.add(odd, i32x4.dot_i16x8_s(a, v128.load(b, 16)));
    }
    const at = (m >> 3) * (2 * SLOT_BYTES);
    const g = m & 7;
    const ce = lanes(c + at, g);
    const co = lanes(c + at + SLOT_BYTES, g);
    storeLanes(d + at, g, saturate ? addSaturating(ce, even) : i32x4.add(ce, even), active);
    storeLanes(d + at + SLOT_BYTES, g, saturate ? addSaturating(co, odd) : i32x4.add(co, odd), active);
  }
}

/**
 * One product. `rows` 8 or 16, `na` and `nb` registers of A and B, at the addresses given.
 * @param pairs half the elements along k
 */
export function integerProduct(
  typeA: i32,
  typeB: i32,
  rows: i32,
  pairs: i32,
  saturate: bool,
  d: i32,
  a: i32,
  b: i32,
  c: i32,
  scratch: i32,
  active: i32,
): void {
  const perRegister = typeA >= S4 ? 16 : 8;
  const nb = pairs / perRegister;
  const na = nb * (rows >> 3);
  if (typeA == S8) unpackA(S8, a, na, scratch);
  else if (typeA == U8) unpackA(U8, a, na, scratch);
  else if (typeA == S4) unpackA(S4, a, na, scratch);
  else unpackA(U4, a, na, scratch);
  if (typeB == S8) unpackB(S8, b, nb, scratch);
  else if (typeB == U8) unpackB(U8, b, nb, scratch);
  else if (typeB == S4) unpackB(S4, b, nb, scratch);
  else unpackB(U4, b, nb, scratch);
  multiply(rows, pairs, saturate, d, c, scratch, active);
}

/** An `mma.sync` from its frame: see integerProduct. */
export function integerFrame(
  typeA: i32,
  typeB: i32,
  rows: i32,
  pairs: i32,
  saturate: bool,
  active: i32,
  frame: i32,
): void {
  const perRegister = typeA >= S4 ? 16 : 8;
  const nb = pairs / perRegister;
  const na = nb * (rows >> 3);
  const nd = rows >> 2;
  const a = slot(frame, nd);
  const b = slot(frame, nd + na);
  const c = slot(frame, nd + na + nb);
  integerProduct(typeA, typeB, rows, pairs, saturate, frame, a, b, c, slot(c, nd), active);
}
