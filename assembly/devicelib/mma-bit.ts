/**
 * `mma.sync` on single bits (PTX ISA 9.7.14.5): D = popcount(row ∧ column) + C, or ⊕ in place of ∧.
 * Four lanes of one register are 128 bits of a row of A or of a column of B.
 */
import { SLOT_BYTES, slot } from "./warp-frame";

/**
 * One product.
 * @param rows 8 or 16
 * @param parts registers of B: k is 128 times as much
 */
export function bitProduct(
  isXor: bool,
  rows: i32,
  parts: i32,
  d: i32,
  a: i32,
  b: i32,
  c: i32,
  active: i32,
): void {
  for (let m = 0; m < rows; m++) {
    const row = a + (m >> 3) * SLOT_BYTES + ((m & 7) << 4);
    for (let n = 0; n < 8; n++) {
      const lane = ((m & 7) << 2) + (n >> 1);
      if (((active >>> lane) & 1) == 0) continue;
      let count: i64 = 0;
      for (let part = 0; part < parts; part++) {
        // Registers of A with the same rows are two apart.
        const x = row + part * (2 * SLOT_BYTES);
        const y = b + part * SLOT_BYTES + (n << 4);
        const x0 = load<i64>(x);
        const x1 = load<i64>(x, 8);
        const y0 = load<i64>(y);
        const y1 = load<i64>(y, 8);
        count += popcnt(isXor ? x0 ^ y0 : x0 & y0) + popcnt(isXor ? x1 ^ y1 : x1 & y1);
      }
      const at = ((m >> 3) * 2 + (n & 1)) * SLOT_BYTES + (lane << 2);
      store<i32>(d + at, load<i32>(c + at) + <i32>count);
    }
  }
}

// @ts-ignore: decorator
@inline
function bitFrame(isXor: bool, rows: i32, parts: i32, active: i32, frame: i32): void {
  const nd = rows >> 2;
  const na = parts * (rows >> 3);
  const a = slot(frame, nd);
  const b = slot(frame, nd + na);
  const c = slot(frame, nd + na + parts);
  bitProduct(isXor, rows, parts, frame, a, b, c, active);
}

/** `mma.sync.aligned.m8n8k128.row.col.s32.b1.b1.s32.xor.popc`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k128_row_col_s32_b1_b1_s32_xor_popc(active: i32, frame: i32): void {
  bitFrame(true, 8, 1, active, frame);
}

/** `mma.sync.aligned.m16n8k128.row.col.s32.b1.b1.s32.xor.popc`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k128_row_col_s32_b1_b1_s32_xor_popc(active: i32, frame: i32): void {
  bitFrame(true, 16, 1, active, frame);
}

/** `mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.xor.popc`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k256_row_col_s32_b1_b1_s32_xor_popc(active: i32, frame: i32): void {
  bitFrame(true, 16, 2, active, frame);
}

/** `mma.sync.aligned.m8n8k128.row.col.s32.b1.b1.s32.and.popc`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k128_row_col_s32_b1_b1_s32_and_popc(active: i32, frame: i32): void {
  bitFrame(false, 8, 1, active, frame);
}

/** `mma.sync.aligned.m16n8k128.row.col.s32.b1.b1.s32.and.popc`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k128_row_col_s32_b1_b1_s32_and_popc(active: i32, frame: i32): void {
  bitFrame(false, 16, 1, active, frame);
}

/** `mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k256_row_col_s32_b1_b1_s32_and_popc(active: i32, frame: i32): void {
  bitFrame(false, 16, 2, active, frame);
}
