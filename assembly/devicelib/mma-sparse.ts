/**
 * `mma.sp` (PTX ISA 9.7.14.6): A has half of its elements, and metadata say which.
 *
 * A row is cut into chunks of 4 elements (tf32: 2, s4 and u4: 4 pairs) of which half are stored; a
 * chunk's four bits of metadata are the index of the first stored element (or pair) in bits 0–1 and
 * of the second in bits 2–3; for tf32 0x4 is the first element, 0xe the second. Which lane of a
 * quad holds a row's chunks (checked against an H100), with L of the quad's lanes contributing and
 * selector f:
 *
 *   16 and 32 bits   lane f·L + chunk div 4: rows g in bits 0–15, rows g + 8 in bits 16–31
 *   8 and 4 bits     lane f·L + 2·(chunk div 8) + (row div 8): eight chunks in 32 bits
 *
 * Floats: A is written out as the fragment of a dense product, whose sums do not notice zeros.
 * 8-bit floats are two f16 products, of the even and of the odd chunks, and c is added last.
 *
 *      slots     d, a, b, c, e (metadata), f (selector, one value)
 *      scratch   that of a dense product, then A f16 or tf32, 8 slots, B f16, 4 slots
 */
import { FLOAT_SCRATCH_BYTES } from "../../runtime/compiler/warp-frame-defs";
import { ANY, TO_F16, TO_F32, WIDE_SPARSE, loadEven, loadOdd, multiply, storeRow } from "./mma-dot";
import { canonical, leastOf } from "./mma-float";
import { e4m3ToHalf } from "./mma-formats";
import { BF16, F16, TF32, intermediate, storedElements, unpackA, unpackB } from "./mma-tiles";
import { SLOT_BYTES, slot } from "./warp-frame";

/** Metadata of chunk `c` of row `m`, 16- and 32-bit elements. */
// @ts-ignore: decorator
@inline
function wideNibble(e: i32, first: i32, m: i32, c: i32): i32 {
  const lane = ((m & 7) << 2) + first + (c >> 2);
  return (load<i32>(e + (lane << 2)) >>> (((m >> 3) << 4) + ((c & 3) << 2))) & 15;
}

/** Metadata of chunk `c` of row `m`, 8- and 4-bit elements. */
// @ts-ignore: decorator
@inline
export function narrowNibble(e: i32, first: i32, m: i32, c: i32): i32 {
  const lane = ((m & 7) << 2) + first + ((c >> 3) << 1) + (m >> 3);
  return (load<i32>(e + (lane << 2)) >>> ((c & 7) << 2)) & 15;
}

/** The selector: an immediate, so the same in every lane that takes part. */
// @ts-ignore: decorator
@inline
export function selector(f: i32, active: i32): i32 {
  return load<i32>(f + (ctz(active) << 2));
}

/** Where chunk c (8 bytes) of row m is in a dense fragment of A. */
// @ts-ignore: decorator
@inline
function denseChunk(dense: i32, m: i32, c: i32): i32 {
  const register = ((c >> 1) << 1) + (m >> 3);
  return dense + register * SLOT_BYTES + ((m & 7) << 4) + ((c & 1) << 3);
}

/** The word of A's fragment that holds row m's stored elements number `c` (of words along k). */
// @ts-ignore: decorator
@inline
function storedWord(a: i32, m: i32, c: i32): i32 {
  const register = ((c >> 2) << 1) + (m >> 3);
  return a + register * SLOT_BYTES + ((m & 7) << 4) + ((c & 3) << 2);
}

/** Bits of the two elements of chunk c that are stored. */
// @ts-ignore: decorator
@inline
function storedPair(c: i32, bits: i32): i32 {
  return ((1 << (bits & 3)) | (1 << (bits >> 2))) << (c << 2);
}

/** A written out: `na` registers to twice as many. */
function expand(isTf32: bool, a: i32, na: i32, e: i32, first: i32, scratch: i32): void {
  const chunks = na << 1;
  const dense = scratch + FLOAT_SCRATCH_BYTES;
  for (let m = 0; m < 16; m++) {
    let stored = 0;
    for (let c = 0; c < chunks; c++) {
      const at = denseChunk(dense, m, c);
      const bits = wideNibble(e, first, m, c);
      const word = load<i32>(storedWord(a, m, c));
      store<i64>(at, 0);
      if (isTf32) {
        store<i32>(at + ((bits & 2) << 1), word);
        stored |= 1 << ((c << 1) + ((bits >> 1) & 1));
      } else {
        store<i16>(at + ((bits & 3) << 1), word as i16);
        store<i16>(at + ((bits >> 2) << 1), (word >>> 16) as i16);
        stored |= storedPair(c, bits);
      }
    }
    store<i32>(storedElements(scratch, m), stored);
  }
}

// @ts-ignore: decorator
@inline
function floats(type: i32, na: i32, isHalf: bool, active: i32, frame: i32): void {
  const nd = isHalf ? 2 : 4;
  const a = slot(frame, nd);
  const b = slot(a, na);
  const c = slot(b, na);
  const e = slot(c, nd);
  const f = slot(e, 1);
  const scratch = slot(f, 1);
  expand(type == TF32, a, na, e, selector(f, active) * (na >> 1), scratch);
  const dense = scratch + FLOAT_SCRATCH_BYTES;
  const wideA = unpackA(type, dense, na << 1, scratch);
  const wideB = unpackB(type, b, na, scratch);
  const path = wideA || wideB ? WIDE_SPARSE : ANY;
  const k = na << (type == TF32 ? 2 : 3);
  const mode = isHalf ? TO_F16 : TO_F32;
  multiply<i32>(scratch, 0, k, path, leastOf(type), c, isHalf, frame, mode, active);
}

/** Four 8-bit floats, in the low 32 bits, as f16 in the low 64. */
// @ts-ignore: decorator
@inline
function toHalves(isE4m3: bool, word: i32): v128 {
  const x = i16x8.extend_low_i8x16_u(i32x4.splat(word));
  return isE4m3 ? e4m3ToHalf(x) : i16x8.shl(x, 8);
}

/** The even (`part` 0) or odd chunks of A and B of 8 bits, as dense f16 fragments of k32. */
function expandQuarters(
  isE4m3A: bool,
  isE4m3B: bool,
  part: i32,
  a: i32,
  b: i32,
  e: i32,
  scratch: i32,
): void {
  const dense = scratch + FLOAT_SCRATCH_BYTES;
  for (let m = 0; m < 16; m++) store<i32>(storedElements(scratch, m), 0);
  for (let i = 0; i < 8; i++) {
    const chunk = (i << 1) + part;
    for (let m = 0; m < 16; m++) {
      const at = denseChunk(dense, m, i);
      const bits = narrowNibble(e, 0, m, chunk);
      const pair = toHalves(isE4m3A, load<i32>(storedWord(a, m, i)) >>> (part << 4));
      store<i64>(at, 0);
      v128.store_lane<i16>(at + ((bits & 3) << 1), pair, 0);
      v128.store_lane<i16>(at + ((bits >> 2) << 1), pair, 1);
      const stored = storedElements(scratch, m);
      store<i32>(stored, load<i32>(stored) | storedPair(i, bits));
    }
    for (let n = 0; n < 8; n++) {
      const word = load<i32>(b + (chunk >> 2) * SLOT_BYTES + (n << 4) + ((chunk & 3) << 2));
      const at = dense + 8 * SLOT_BYTES + (i >> 1) * SLOT_BYTES + (n << 4) + ((i & 1) << 3);
      v128.store_lane<i64>(at, toHalves(isE4m3B, word), 0);
    }
  }
}

/** One of the two products of 8-bit floats: T = the chunks' products, and T before if `add`. */
function quarterPart(scratch: i32, add: bool): void {
  const dense = scratch + FLOAT_SCRATCH_BYTES;
  const wideA = unpackA(F16, dense, 8, scratch);
  const wideB = unpackB(F16, dense + 8 * SLOT_BYTES, 4, scratch);
  const t = intermediate(scratch);
  const path = wideA || wideB ? WIDE_SPARSE : ANY;
  multiply<i32>(scratch, 0, 32, path, -14, add ? t : 0, false, t, TO_F32, -1);
}

function quarters(isE4m3A: bool, isE4m3B: bool, active: i32, frame: i32): void {
  const a = slot(frame, 4);
  const b = slot(a, 4);
  const c = slot(b, 4);
  const e = slot(c, 4);
  const scratch = slot(e, 2);
  expandQuarters(isE4m3A, isE4m3B, 0, a, b, e, scratch);
  quarterPart(scratch, false);
  expandQuarters(isE4m3A, isE4m3B, 1, a, b, e, scratch);
  quarterPart(scratch, true);
  const t = intermediate(scratch);
  for (let m = 0; m < 16; m++) {
    const even = f32x4.add(loadEven(c, m, false), loadEven(t, m, false));
    const odd = f32x4.add(loadOdd(c, m, false), loadOdd(t, m, false));
    storeRow(frame, m, canonical(even), canonical(odd), false, active);
  }
}

/** `mma.sp.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k16_row_col_f32_f16_f16_f32(active: i32, frame: i32): void {
  floats(F16, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16`: slots d 2, a 2, b 2, c 2, e, f. */
export function mma_sp_sync_aligned_m16n8k16_row_col_f16_f16_f16_f16(active: i32, frame: i32): void {
  floats(F16, 2, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k16_row_col_f32_bf16_bf16_f32(active: i32, frame: i32): void {
  floats(BF16, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_f32_f16_f16_f32(active: i32, frame: i32): void {
  floats(F16, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.f16.f16.f16.f16`: slots d 2, a 4, b 4, c 2, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_f16_f16_f16_f16(active: i32, frame: i32): void {
  floats(F16, 4, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.f32.bf16.bf16.f32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_f32_bf16_bf16_f32(active: i32, frame: i32): void {
  floats(BF16, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k8_row_col_f32_tf32_tf32_f32(active: i32, frame: i32): void {
  floats(TF32, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k16.row.col.f32.tf32.tf32.f32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k16_row_col_f32_tf32_tf32_f32(active: i32, frame: i32): void {
  floats(TF32, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.f32.e4m3.e4m3.f32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_f32_e4m3_e4m3_f32(active: i32, frame: i32): void {
  quarters(true, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.f32.e4m3.e5m2.f32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_f32_e4m3_e5m2_f32(active: i32, frame: i32): void {
  quarters(true, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.f32.e5m2.e4m3.f32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_f32_e5m2_e4m3_f32(active: i32, frame: i32): void {
  quarters(false, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.f32.e5m2.e5m2.f32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_f32_e5m2_e5m2_f32(active: i32, frame: i32): void {
  quarters(false, false, active, frame);
}
