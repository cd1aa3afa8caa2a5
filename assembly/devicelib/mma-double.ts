/**
 * `mma.sync` on f64 (PTX ISA 9.7.14.5.9–12): every output is a chain of fused multiply-adds along k,
 * each rounded as the instruction says.
 *
 *      scratch   A f64[16][16] 2048 bytes, B f64[16][8] 1024 with columns 0 2 4 6 1 3 5 7
 */
import { SLOT_BYTES, slot } from "./warp-frame";
import { fma_rm_f64, fma_rp_f64, fma_rz_f64 } from "./fma";
import { fma_rn_f64_x2 } from "./fma-simd";

const NEAREST: i32 = 0;
const ZERO: i32 = 1;
const DOWN: i32 = 2;
const UP: i32 = 3;
/** To nearest by the engine's relaxed multiply-add, for where that is a fused one. */
const RELAXED: i32 = 4;

const B_AT: i32 = 2048;

// @ts-ignore: decorator
@inline
function step(mode: i32, a: v128, b: v128, c: v128): v128 {
  if (mode == NEAREST) return fma_rn_f64_x2(a, b, c);
  if (mode == RELAXED) return f64x2.relaxed_madd(a, b, c);
  const x = f64x2.extract_lane(a, 0);
  const b0 = f64x2.extract_lane(b, 0);
  const b1 = f64x2.extract_lane(b, 1);
  const c0 = f64x2.extract_lane(c, 0);
  const c1 = f64x2.extract_lane(c, 1);
  if (mode == ZERO) return f64x2(fma_rz_f64(x, b0, c0), fma_rz_f64(x, b1, c1));
  if (mode == DOWN) return f64x2(fma_rm_f64(x, b0, c0), fma_rm_f64(x, b1, c1));
  return f64x2(fma_rp_f64(x, b0, c0), fma_rp_f64(x, b1, c1));
}

const QUIET: i64 = 0x0008000000000000;

// @ts-ignore: decorator
@inline
function isNan(bits: i64): bool {
  return (bits & 0x7fffffffffffffff) > 0x7ff0000000000000;
}

/**
 * The NaN that a chain ends with. At each step one in a goes before one in b, and that before the
 * sum's, made quiet; an invalid operation makes −NaN. (As recorded on an H100. A plain multiply and
 * add tell well enough where an operation is invalid.)
 */
function chainNan(row: i32, column: i32, depth: i32, c: i64): i64 {
  let sum = c;
  for (let k = 0; k < depth; k++) {
    const a = load<i64>(row + (k << 3));
    const b = load<i64>(column + (k << 6));
    if (isNan(a)) sum = a | QUIET;
    else if (isNan(b)) sum = b | QUIET;
    else if (isNan(sum)) sum |= QUIET;
    else {
      const value = reinterpret<f64>(a) * reinterpret<f64>(b) + reinterpret<f64>(sum);
      sum = value == value ? reinterpret<i64>(value) : 0xfff8000000000000;
    }
  }
  return sum;
}

/** Two lanes of a 64-bit destination; inactive ones keep their value. */
// @ts-ignore: decorator
@inline
function storePair(at: i32, lane: i32, value: v128, active: i32): void {
  if (active != -1) {
    const bits = active >>> lane;
    const mask = i64x2(-(<i64>(bits & 1)), -(<i64>((bits >>> 1) & 1)));
    value = v128.bitselect(value, v128.load(at), mask);
  }
  v128.store(at, value);
}

/**
 * Not 0 if a product of two such factors may be inexact in f64: more than 26 bits of significand, or
 * an exponent beyond ±500.
 */
function longFactors(operand: i32, registers: i32): bool {
  const low = i64x2.splat(0x7ffffff);
  const magnitude = i64x2.splat(i64.MAX_VALUE);
  let wrong = i64x2.splat(0);
  const end = operand + registers * SLOT_BYTES;
  for (let at = operand; at < end; at += 16) {
    const x = v128.load(at);
    const size = v128.and(x, magnitude);
    wrong = v128.or(wrong, v128.and(x, low));
    // 2⁻⁵⁰⁰ to 2⁵⁰⁰, or 0.
    const far = v128.or(
      i64x2.lt_s(size, i64x2.splat(0x20b0000000000000)),
      i64x2.gt_s(size, i64x2.splat(0x5f30000000000000)),
    );
    wrong = v128.or(wrong, v128.and(far, i64x2.ne(size, i64x2.splat(0))));
  }
  return v128.any_true(wrong);
}

/** a·b + c: by the engine's fused multiply-add (T is f32), or with an exact product. */
// @ts-ignore: decorator
@inline
function multiplyAdd<T>(a: v128, b: v128, c: v128): v128 {
  if (isFloat<T>()) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

/**
 * The chains to nearest, of all lanes, where one multiply-add is exact (T is f32) or the products are.
 * @returns false if a product may not be exact, or a result is NaN: d may be written, nothing else
 */
// @ts-ignore: decorator
@inline
function quickChains<T>(rows: i32, na: i32, active: i32, frame: i32): bool {
  if (active != -1) return false;
  const nd = rows >> 2;
  const half = rows == 16 ? 1 : 0;
  const nb = na >> half;
  const a = slot(frame, nd);
  const b = slot(frame, nd + na);
  const c = slot(frame, nd + na + nb);
  if (!isFloat<T>() && (longFactors(a, na) || longFactors(b, nb))) return false;
  let nan = i64x2.splat(0);
  for (let part = 0; part < nb; part++) {
    const from = part == 0 ? c : frame;
    for (let pair = 0; pair < 4; pair++) {
      // Columns n and n + 2, of which the accumulator's lanes are two.
      const n = ((pair & 1) << 2) + (pair >> 1);
      const column = b + part * SLOT_BYTES + (n << 5);
      const x = v128.load(column);
      const y = v128.load(column, 16);
      const z = v128.load(column, 64);
      const w = v128.load(column, 80);
      const b0 = i64x2.shuffle(x, z, 0, 2);
      const b1 = i64x2.shuffle(x, z, 1, 3);
      const b2 = i64x2.shuffle(y, w, 0, 2);
      const b3 = i64x2.shuffle(y, w, 1, 3);
      for (let m = 0; m < rows; m++) {
        const place = ((m >> 3) * 2 + (pair >> 1)) * SLOT_BYTES + ((m & 7) << 5) + ((pair & 1) << 4);
        const row = a + ((part << half) + (m >> 3)) * SLOT_BYTES + ((m & 7) << 5);
        let sum = v128.load(from + place);
        sum = multiplyAdd<T>(v128.load64_splat(row), b0, sum);
        sum = multiplyAdd<T>(v128.load64_splat(row, 8), b1, sum);
        sum = multiplyAdd<T>(v128.load64_splat(row, 16), b2, sum);
        sum = multiplyAdd<T>(v128.load64_splat(row, 24), b3, sum);
        v128.store(frame + place, sum);
        nan = v128.or(nan, f64x2.ne(sum, sum));
      }
    }
  }
  return !v128.any_true(nan);
}

/** D = A·B + C for `rows` (8 or 16) rows; `na` registers of A. */
// @ts-ignore: decorator
@inline
function chains(mode: i32, rows: i32, na: i32, active: i32, frame: i32): void {
  if (mode == NEAREST && quickChains<i32>(rows, na, active, frame)) return;
  if (mode == RELAXED && quickChains<f32>(rows, na, active, frame)) return;
  const nd = rows >> 2;
  const half = rows == 16 ? 1 : 0;
  const nb = na >> half;
  const a = slot(frame, nd);
  const b = slot(frame, nd + na);
  const c = slot(frame, nd + na + nb);
  const scratch = slot(c, nd);
  for (let r = 0; r < na; r++) {
    // Register r: rows g (and g + 8 in odd ones of 16 rows), k from 4·(r div 2); a group is 4 k.
    const from = a + r * SLOT_BYTES;
    const to = scratch + ((r & half) << 10) + ((r >> half) << 5);
    for (let g = 0; g < 8; g++) {
      v128.store(to + (g << 7), v128.load(from + (g << 5)));
      v128.store(to + (g << 7), v128.load(from + (g << 5), 16), 16);
    }
  }
  for (let r = 0; r < nb; r++) {
    const from = b + r * SLOT_BYTES;
    for (let n = 0; n < 8; n++) {
      const at = scratch + B_AT + (r << 8) + ((n >> 1) << 3) + ((n & 1) << 5);
      for (let k = 0; k < 4; k++) store<i64>(at + (k << 6), load<i64>(from + (((n << 2) + k) << 3)));
    }
  }
  const depth = nb << 2;
  for (let m = 0; m < rows; m++) {
    for (let pair = 0; pair < 4; pair++) {
      // Pairs 0 and 1 are the even columns (register 0 or 2), 2 and 3 the odd ones.
      const place = ((m >> 3) * 2 + (pair >> 1)) * SLOT_BYTES + ((m & 7) << 5) + ((pair & 1) << 4);
      let sum = v128.load(c + place);
      const row = scratch + (m << 7);
      const column = scratch + B_AT + (pair << 4);
      for (let k = 0; k < depth; k++) {
        sum = step(mode, v128.load64_splat(row + (k << 3)), v128.load(column + (k << 6)), sum);
      }
      const nan = f64x2.ne(sum, sum);
      if (v128.any_true(nan)) {
        const first = chainNan(row, column, depth, load<i64>(c + place));
        const second = chainNan(row, column + 8, depth, load<i64>(c + place, 8));
        sum = v128.bitselect(i64x2(first, second), sum, nan);
      }
      storePair(frame + place, ((m & 7) << 2) + ((pair & 1) << 1), sum, active);
    }
  }
}

/** `mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64`: slots d 2, a 1, b 1, c 2 of 64 bits. */
export function mma_sync_aligned_m8n8k4_row_col_f64_f64_f64_f64(active: i32, frame: i32): void {
  chains(NEAREST, 8, 1, active, frame);
}

/** `mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64.rz`: slots d 2, a 1, b 1, c 2 of 64 bits. */
export function mma_sync_aligned_m8n8k4_row_col_f64_f64_f64_f64_rz(active: i32, frame: i32): void {
  chains(ZERO, 8, 1, active, frame);
}

/** `mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64.rm`: slots d 2, a 1, b 1, c 2 of 64 bits. */
export function mma_sync_aligned_m8n8k4_row_col_f64_f64_f64_f64_rm(active: i32, frame: i32): void {
  chains(DOWN, 8, 1, active, frame);
}

/** `mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64.rp`: slots d 2, a 1, b 1, c 2 of 64 bits. */
export function mma_sync_aligned_m8n8k4_row_col_f64_f64_f64_f64_rp(active: i32, frame: i32): void {
  chains(UP, 8, 1, active, frame);
}

/** `mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64` where the engine's relaxed multiply-add is fused. */
export function mma_sync_aligned_m8n8k4_row_col_f64_f64_f64_f64_relaxed(active: i32, frame: i32): void {
  chains(RELAXED, 8, 1, active, frame);
}

/** `mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64`: slots d 4, a 2, b 1, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k4_row_col_f64_f64_f64_f64(active: i32, frame: i32): void {
  chains(NEAREST, 16, 2, active, frame);
}

/** `mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64.rz`: slots d 4, a 2, b 1, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k4_row_col_f64_f64_f64_f64_rz(active: i32, frame: i32): void {
  chains(ZERO, 16, 2, active, frame);
}

/** `mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64.rm`: slots d 4, a 2, b 1, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k4_row_col_f64_f64_f64_f64_rm(active: i32, frame: i32): void {
  chains(DOWN, 16, 2, active, frame);
}

/** `mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64.rp`: slots d 4, a 2, b 1, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k4_row_col_f64_f64_f64_f64_rp(active: i32, frame: i32): void {
  chains(UP, 16, 2, active, frame);
}

/** `mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64` where the engine's relaxed multiply-add is fused. */
export function mma_sync_aligned_m16n8k4_row_col_f64_f64_f64_f64_relaxed(active: i32, frame: i32): void {
  chains(RELAXED, 16, 2, active, frame);
}

/** `mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64`: slots d 4, a 4, b 2, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k8_row_col_f64_f64_f64_f64(active: i32, frame: i32): void {
  chains(NEAREST, 16, 4, active, frame);
}

/** `mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64.rz`: slots d 4, a 4, b 2, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k8_row_col_f64_f64_f64_f64_rz(active: i32, frame: i32): void {
  chains(ZERO, 16, 4, active, frame);
}

/** `mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64.rm`: slots d 4, a 4, b 2, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k8_row_col_f64_f64_f64_f64_rm(active: i32, frame: i32): void {
  chains(DOWN, 16, 4, active, frame);
}

/** `mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64.rp`: slots d 4, a 4, b 2, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k8_row_col_f64_f64_f64_f64_rp(active: i32, frame: i32): void {
  chains(UP, 16, 4, active, frame);
}

/** `mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64` where the engine's relaxed multiply-add is fused. */
export function mma_sync_aligned_m16n8k8_row_col_f64_f64_f64_f64_relaxed(active: i32, frame: i32): void {
  chains(RELAXED, 16, 4, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64`: slots d 4, a 8, b 4, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k16_row_col_f64_f64_f64_f64(active: i32, frame: i32): void {
  chains(NEAREST, 16, 8, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64.rz`: slots d 4, a 8, b 4, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k16_row_col_f64_f64_f64_f64_rz(active: i32, frame: i32): void {
  chains(ZERO, 16, 8, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64.rm`: slots d 4, a 8, b 4, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k16_row_col_f64_f64_f64_f64_rm(active: i32, frame: i32): void {
  chains(DOWN, 16, 8, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64.rp`: slots d 4, a 8, b 4, c 4 of 64 bits. */
export function mma_sync_aligned_m16n8k16_row_col_f64_f64_f64_f64_rp(active: i32, frame: i32): void {
  chains(UP, 16, 8, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64` where the engine's relaxed multiply-add is fused. */
export function mma_sync_aligned_m16n8k16_row_col_f64_f64_f64_f64_relaxed(active: i32, frame: i32): void {
  chains(RELAXED, 16, 8, active, frame);
}
