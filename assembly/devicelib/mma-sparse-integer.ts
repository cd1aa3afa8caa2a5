/**
 * `mma.sp` on integers: mma-sparse.ts says how A is stored. Sums are exact; C is added modulo 2³², or
 * the result is cut to the range of s32 (`.satfinite`).
 *
 *      scratch   B i16[8][128] 2048 bytes, a row of A: value and k, (i16, i16)[64] 256
 */
import { narrowNibble, selector } from "./mma-sparse";
import { SLOT_BYTES, slot } from "./warp-frame";

const ROW_AT: i32 = 2048;

/** Element `j` of the words at `at`, `bits` wide. */
// @ts-ignore: decorator
@inline
function element(isSigned: bool, bits: i32, word: i32, j: i32): i32 {
  const up = word << (32 - bits - j * bits);
  return isSigned ? up >> (32 - bits) : up >>> (32 - bits);
}

/** One product of `na` registers of A and of B. */
function integers(
  signedA: bool,
  signedB: bool,
  bits: i32,
  na: i32,
  saturate: bool,
  active: i32,
  frame: i32,
): void {
  const a = slot(frame, 4);
  const b = slot(a, na);
  const c = slot(b, na);
  const e = slot(c, 4);
  const f = slot(e, 1);
  const scratch = slot(f, 1);
  const per = 32 / bits;
  const first = selector(f, active) * na; // na lanes of each quad contribute
  for (let n = 0; n < 8; n++) {
    for (let r = 0; r < na; r++) {
      for (let lane = 0; lane < 4; lane++) {
        const word = load<i32>(b + r * SLOT_BYTES + (n << 4) + (lane << 2));
        const at = scratch + (n << 8) + (((r << 2) + lane) * per << 1);
        for (let j = 0; j < per; j++) {
          store<i16>(at + (j << 1), element(signedB, bits, word, j) as i16);
        }
      }
    }
  }
  const words = na << 1; // of a row of A
  const row = scratch + ROW_AT;
  for (let m = 0; m < 16; m++) {
    let count = 0;
    for (let w = 0; w < words; w++) {
      const register = ((w >> 2) << 1) + (m >> 3);
      const word = load<i32>(a + register * SLOT_BYTES + ((m & 7) << 4) + ((w & 3) << 2));
      for (let j = 0; j < per; j++) {
        // 8 bits: chunks of 2 stored in 4. 4 bits: of 4 stored, in two pairs, in 8.
        const chunk = bits == 8 ? count >> 1 : count >> 2;
        const place = bits == 8 ? count & 1 : (count >> 1) & 1;
        const index = (narrowNibble(e, first, m, chunk) >>> (place << 1)) & 3;
        const k = bits == 8 ? (chunk << 2) + index : (chunk << 3) + (index << 1) + (count & 1);
        store<i16>(row + (count << 2), element(signedA, bits, word, j) as i16);
        store<i16>(row + (count << 2), k as i16, 2);
        count++;
      }
    }
    for (let n = 0; n < 8; n++) {
      const lane = ((m & 7) << 2) + (n >> 1);
      if (((active >>> lane) & 1) == 0) continue;
      const at = (((m >> 3) << 1) + (n & 1)) * SLOT_BYTES + (lane << 2);
      const column = scratch + (n << 8);
      let sum: i64 = load<i32>(c + at);
      for (let j = 0; j < count; j++) {
        const x = <i32>load<i16>(row + (j << 2));
        const k = <i32>load<i16>(row + (j << 2), 2);
        sum += x * <i32>load<i16>(column + (k << 1));
      }
      if (saturate) sum = max<i64>(min<i64>(sum, i32.MAX_VALUE), i32.MIN_VALUE);
      store<i32>(frame + at, sum as i32);
    }
  }
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_s32_s8_s8_s32(active: i32, frame: i32): void {
  integers(true, true, 8, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_s32_s8_u8_s32(active: i32, frame: i32): void {
  integers(true, false, 8, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_s32_u8_s8_s32(active: i32, frame: i32): void {
  integers(false, true, 8, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.s32.u8.u8.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_s32_u8_u8_s32(active: i32, frame: i32): void {
  integers(false, false, 8, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.s32.s8.s8.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_s32_s8_s8_s32(active: i32, frame: i32): void {
  integers(true, true, 8, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.s32.s8.u8.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_s32_s8_u8_s32(active: i32, frame: i32): void {
  integers(true, false, 8, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.s32.u8.s8.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_s32_u8_s8_s32(active: i32, frame: i32): void {
  integers(false, true, 8, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.s32.u8.u8.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_s32_u8_u8_s32(active: i32, frame: i32): void {
  integers(false, false, 8, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_s32_s4_s4_s32(active: i32, frame: i32): void {
  integers(true, true, 4, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.s32.s4.u4.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_s32_s4_u4_s32(active: i32, frame: i32): void {
  integers(true, false, 4, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.s32.u4.s4.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_s32_u4_s4_s32(active: i32, frame: i32): void {
  integers(false, true, 4, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.s32.u4.u4.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_s32_u4_u4_s32(active: i32, frame: i32): void {
  integers(false, false, 4, 2, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k128.row.col.s32.s4.s4.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k128_row_col_s32_s4_s4_s32(active: i32, frame: i32): void {
  integers(true, true, 4, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k128.row.col.s32.s4.u4.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k128_row_col_s32_s4_u4_s32(active: i32, frame: i32): void {
  integers(true, false, 4, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k128.row.col.s32.u4.s4.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k128_row_col_s32_u4_s4_s32(active: i32, frame: i32): void {
  integers(false, true, 4, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k128.row.col.s32.u4.u4.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k128_row_col_s32_u4_u4_s32(active: i32, frame: i32): void {
  integers(false, false, 4, 4, false, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_satfinite_s32_s8_s8_s32(active: i32, frame: i32): void {
  integers(true, true, 8, 2, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.u8.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_satfinite_s32_s8_u8_s32(active: i32, frame: i32): void {
  integers(true, false, 8, 2, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.satfinite.s32.u8.s8.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_satfinite_s32_u8_s8_s32(active: i32, frame: i32): void {
  integers(false, true, 8, 2, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k32.row.col.satfinite.s32.u8.u8.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k32_row_col_satfinite_s32_u8_u8_s32(active: i32, frame: i32): void {
  integers(false, false, 8, 2, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.satfinite.s32.s8.s8.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_satfinite_s32_s8_s8_s32(active: i32, frame: i32): void {
  integers(true, true, 8, 4, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.satfinite.s32.s8.u8.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_satfinite_s32_s8_u8_s32(active: i32, frame: i32): void {
  integers(true, false, 8, 4, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.satfinite.s32.u8.s8.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_satfinite_s32_u8_s8_s32(active: i32, frame: i32): void {
  integers(false, true, 8, 4, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.satfinite.s32.u8.u8.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_satfinite_s32_u8_u8_s32(active: i32, frame: i32): void {
  integers(false, false, 8, 4, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.satfinite.s32.s4.s4.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_satfinite_s32_s4_s4_s32(active: i32, frame: i32): void {
  integers(true, true, 4, 2, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.satfinite.s32.s4.u4.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_satfinite_s32_s4_u4_s32(active: i32, frame: i32): void {
  integers(true, false, 4, 2, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.satfinite.s32.u4.s4.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_satfinite_s32_u4_s4_s32(active: i32, frame: i32): void {
  integers(false, true, 4, 2, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k64.row.col.satfinite.s32.u4.u4.s32`: slots d 4, a 2, b 2, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k64_row_col_satfinite_s32_u4_u4_s32(active: i32, frame: i32): void {
  integers(false, false, 4, 2, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k128.row.col.satfinite.s32.s4.s4.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k128_row_col_satfinite_s32_s4_s4_s32(active: i32, frame: i32): void {
  integers(true, true, 4, 4, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k128.row.col.satfinite.s32.s4.u4.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k128_row_col_satfinite_s32_s4_u4_s32(active: i32, frame: i32): void {
  integers(true, false, 4, 4, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k128.row.col.satfinite.s32.u4.s4.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k128_row_col_satfinite_s32_u4_s4_s32(active: i32, frame: i32): void {
  integers(false, true, 4, 4, true, active, frame);
}

/** `mma.sp.sync.aligned.m16n8k128.row.col.satfinite.s32.u4.u4.s32`: slots d 4, a 4, b 4, c 4, e, f. */
export function mma_sp_sync_aligned_m16n8k128_row_col_satfinite_s32_u4_u4_s32(active: i32, frame: i32): void {
  integers(false, false, 4, 4, true, active, frame);
}
