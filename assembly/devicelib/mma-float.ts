/**
 * `mma.sync` on f16, bf16, tf32 and 8-bit floats (PTX ISA 9.7.14.5), each as the H100 does it:
 * f16 and bf16 m16n8k16, m16n8k8 and tf32 m16n8k4, m16n8k8 are one hardware product each. An 8-bit
 * product is two f16 products, of elements 0, 1 and of elements 2, 3 of every four along k, the
 * first from zero; c is added last, rounded to nearest.
 *
 * Slots: d, a, b, c registers in PTX order; scratch (mma-tiles.ts) follows them.
 */
import { SLOT_BYTES, slot } from "./warp-frame";
import { BF16, E4M3, E5M2, F16, TF32, intermediate, unpackA, unpackB } from "./mma-tiles";
import { NONE, multiplyFixed, prepareA, prepareB } from "./mma-fixed";
import { ANY, TO_F16, TO_F32, WIDE, loadEven, loadOdd, multiply, storeRow } from "./mma-dot";

/** Exponent of a format's subnormals. */
// @ts-ignore: decorator
@inline
export function leastOf(type: i32): i32 {
  return type == F16 ? -14 : -126;
}

/** Unpacks A and B of one 16×8 product; WIDE if it must take the wide path. */
function unpack(type: i32, a: i32, na: i32, b: i32, nb: i32, scratch: i32): i32 {
  // Each type's code on its own: a switch here keeps the element loops free of branches.
  let wide = 0;
  if (type == F16) wide = i32(unpackA(F16, a, na, scratch)) | i32(unpackB(F16, b, nb, scratch));
  else if (type == BF16) {
    wide = i32(unpackA(BF16, a, na, scratch)) | i32(unpackB(BF16, b, nb, scratch));
  } else wide = i32(unpackA(TF32, a, na, scratch)) | i32(unpackB(TF32, b, nb, scratch));
  return wide != 0 ? WIDE : ANY;
}

/** D = A·B + C, one hardware product of `na` registers of A; isHalf: f16 C and D. */
// @ts-ignore: decorator
@inline
function product<T>(
  type: i32,
  na: i32,
  k: i32,
  d: i32,
  a: i32,
  b: i32,
  c: i32,
  scratch: i32,
  isHalf: bool,
  active: i32,
): void {
  const knownA = prepareA<T>(type, a, na, scratch);
  const knownB = knownA == NONE ? NONE : prepareB<T>(type, b, na >> 1, scratch);
  const done = isHalf
    ? multiplyFixed<T, u16, u16>(scratch, 0, k >> 1, knownA, knownB, c, d, active)
    : multiplyFixed<T, f32, f32>(scratch, 0, k >> 1, knownA, knownB, c, d, active);
  if (done) return;
  const path = unpack(type, a, na, b, na >> 1, scratch);
  multiply<T>(scratch, 0, k, path, leastOf(type), c, isHalf, d, isHalf ? TO_F16 : TO_F32, active);
}

// @ts-ignore: decorator
@inline
function whole<T>(type: i32, na: i32, k: i32, isHalf: bool, active: i32, frame: i32): void {
  const nd = isHalf ? 2 : 4;
  const nb = na >> 1;
  const a = slot(frame, nd);
  const b = slot(frame, nd + na);
  const c = slot(frame, nd + na + nb);
  product<T>(type, na, k, frame, a, b, c, slot(c, nd), isHalf, active);
}

/** f32 NaNs as the hardware's additions write them. */
// @ts-ignore: decorator
@inline
export function canonical(f: v128): v128 {
  return v128.bitselect(i32x4.splat(0x7fffffff), f, f32x4.ne(f, f));
}

/** Two f16 products and an addition of c: see above. `na` is 2 (k16) or 4 (k32). */
export function quarters(
  typeA: i32,
  typeB: i32,
  na: i32,
  isHalf: bool,
  active: i32,
  frame: i32,
): void {
  const nd = isHalf ? 2 : 4;
  const nb = na >> 1;
  const a = slot(frame, nd);
  const b = slot(frame, nd + na);
  const c = slot(frame, nd + na + nb);
  const scratch = slot(c, nd);
  const wideA =
    typeA == E4M3 ? unpackA(E4M3, a, na, scratch) : unpackA(E5M2, a, na, scratch);
  const wideB =
    typeB == E4M3 ? unpackB(E4M3, b, nb, scratch) : unpackB(E5M2, b, nb, scratch);
  const path = wideA || wideB ? WIDE : ANY;
  const t = intermediate(scratch);
  const mode = isHalf ? TO_F16 : TO_F32;
  const half = na << 2;
  multiply<i32>(scratch, 0, half, path, -14, 0, isHalf, t, mode, -1);
  multiply<i32>(scratch, half, half * 2, path, -14, t, isHalf, t, mode, -1);
  for (let m = 0; m < 16; m++) {
    const even = f32x4.add(loadEven(c, m, isHalf), loadEven(t, m, isHalf));
    const odd = f32x4.add(loadOdd(c, m, isHalf), loadOdd(t, m, isHalf));
    storeRow(frame, m, canonical(even), canonical(odd), isHalf, active);
  }
}

/** `mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_f32_f16_f16_f32(active: i32, frame: i32): void {
  whole<i32>(F16, 4, 16, false, active, frame);
}

/** The same, by relaxed SIMD. */
export function mma_sync_aligned_m16n8k16_row_col_f32_f16_f16_f32_relaxed(active: i32, frame: i32): void {
  whole<f32>(F16, 4, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16`: slots d 2, a 4, b 2, c 2. */
export function mma_sync_aligned_m16n8k16_row_col_f16_f16_f16_f16(active: i32, frame: i32): void {
  whole<i32>(F16, 4, 16, true, active, frame);
}

/** The same, by relaxed SIMD. */
export function mma_sync_aligned_m16n8k16_row_col_f16_f16_f16_f16_relaxed(active: i32, frame: i32): void {
  whole<f32>(F16, 4, 16, true, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_f32_bf16_bf16_f32(active: i32, frame: i32): void {
  whole<i32>(BF16, 4, 16, false, active, frame);
}

/** The same, by relaxed SIMD. */
export function mma_sync_aligned_m16n8k16_row_col_f32_bf16_bf16_f32_relaxed(active: i32, frame: i32): void {
  whole<f32>(BF16, 4, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k8_row_col_f32_f16_f16_f32(active: i32, frame: i32): void {
  whole<i32>(F16, 2, 8, false, active, frame);
}

/** The same, by relaxed SIMD. */
export function mma_sync_aligned_m16n8k8_row_col_f32_f16_f16_f32_relaxed(active: i32, frame: i32): void {
  whole<f32>(F16, 2, 8, false, active, frame);
}

/** `mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16`: slots d 2, a 2, b 1, c 2. */
export function mma_sync_aligned_m16n8k8_row_col_f16_f16_f16_f16(active: i32, frame: i32): void {
  whole<i32>(F16, 2, 8, true, active, frame);
}

/** The same, by relaxed SIMD. */
export function mma_sync_aligned_m16n8k8_row_col_f16_f16_f16_f16_relaxed(active: i32, frame: i32): void {
  whole<f32>(F16, 2, 8, true, active, frame);
}

/** `mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k8_row_col_f32_bf16_bf16_f32(active: i32, frame: i32): void {
  whole<i32>(BF16, 2, 8, false, active, frame);
}

/** The same, by relaxed SIMD. */
export function mma_sync_aligned_m16n8k8_row_col_f32_bf16_bf16_f32_relaxed(active: i32, frame: i32): void {
  whole<f32>(BF16, 2, 8, false, active, frame);
}

/** `mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k8_row_col_f32_tf32_tf32_f32(active: i32, frame: i32): void {
  whole<i32>(TF32, 4, 8, false, active, frame);
}

/** The same, by relaxed SIMD. */
export function mma_sync_aligned_m16n8k8_row_col_f32_tf32_tf32_f32_relaxed(active: i32, frame: i32): void {
  whole<f32>(TF32, 4, 8, false, active, frame);
}

/** `mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k4_row_col_f32_tf32_tf32_f32(active: i32, frame: i32): void {
  whole<i32>(TF32, 2, 4, false, active, frame);
}

/** The same, by relaxed SIMD. */
export function mma_sync_aligned_m16n8k4_row_col_f32_tf32_tf32_f32_relaxed(active: i32, frame: i32): void {
  whole<f32>(TF32, 2, 4, false, active, frame);
}
