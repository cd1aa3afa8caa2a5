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

/** Four rows of B's tile, half of the columns: four pairs of each of four columns, transposed. */
// @ts-ignore: decorator
@inline
function storePairs(type: i32, operand: i32, odd: i32, part: i32, to: i32): void {
  const n0 = elements(type, lanes(operand, odd), part);
  const n1 = elements(type, lanes(operand, odd + 2), part);
  const n2 = elements(type, lanes(operand, odd + 4), part);
  const n3 = elements(type, lanes(operand, odd + 6), part);
  const l01 = i32x4.shuffle(n0, n1, 0, 4, 1, 5);
  const l23 = i32x4.shuffle(n2, n3, 0, 4, 1, 5);
  const h01 = i32x4.shuffle(n0, n1, 2, 6, 3, 7);
  const h23 = i32x4.shuffle(n2, n3, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(l01, l23, 0, 2));
  v128.store(to, i64x2.shuffle(l01, l23, 1, 3), 32);
  v128.store(to, i64x2.shuffle(h01, h23, 0, 2), 64);
  v128.store(to, i64x2.shuffle(h01, h23, 1, 3), 96);
}

// @ts-ignore: decorator
@inline
function unpackB(type: i32, b: i32, registers: i32, scratch: i32): void {
  const parts = type >= S4 ? 4 : 2;
  for (let r = 0; r < registers; r++) {
    for (let odd = 0; odd < 2; odd++) {
      const operand = b + r * SLOT_BYTES;
      const at = scratch + B_AT + (odd << 4) + r * (parts << 7);
      storePairs(type, operand, odd, 0, at);
      storePairs(type, operand, odd, 1, at + 128);
      if (parts == 4) {
        storePairs(type, operand, odd, 2, at + 256);
        storePairs(type, operand, odd, 3, at + 384);
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

/** Adds a row's sums, even and odd columns, to those of c. */
// @ts-ignore: decorator
@inline
function addRow(
  saturate: bool,
  d: i32,
  c: i32,
  g: i32,
  even: v128,
  odd: v128,
  active: i32,
): void {
  const ce = lanes(c, g);
  const co = lanes(c + SLOT_BYTES, g);
  storeLanes(d, g, saturate ? addSaturating(ce, even) : i32x4.add(ce, even), active);
  storeLanes(d + SLOT_BYTES, g, saturate ? addSaturating(co, odd) : i32x4.add(co, odd), active);
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
  const first = scratch + B_AT;
  const end = first + (pairs << 5);
  // Four rows at a time, two pairs of each.
  for (let m = 0; m < rows; m += 4) {
    let even0 = i32x4.splat(0);
    let odd0 = even0;
    let even1 = even0;
    let odd1 = even0;
    let even2 = even0;
    let odd2 = even0;
    let even3 = even0;
    let odd3 = even0;
    let row = scratch + (m << 7);
    for (let at = first; at < end; at += 64) {
      const a0 = v128.load64_zero(row);
      const a1 = v128.load64_zero(row, 128);
      const a2 = v128.load64_zero(row, 256);
      const a3 = v128.load64_zero(row, 384);
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
    const at = (m >> 3) * (2 * SLOT_BYTES);
    const g = m & 7;
    addRow(saturate, d + at, c + at, g, even0, odd0, active);
    addRow(saturate, d + at, c + at, g + 1, even1, odd1, active);
    addRow(saturate, d + at, c + at, g + 2, even2, odd2, active);
    addRow(saturate, d + at, c + at, g + 3, even3, odd3, active);
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
