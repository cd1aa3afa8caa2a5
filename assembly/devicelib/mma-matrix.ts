/**
 * `ldmatrix`, `stmatrix`, `movmatrix` on 8×8 matrices of 16-bit elements (PTX ISA 9.7.14.5.15–17).
 * A matrix is one register of the warp: row r is in lanes 4r…4r+3, two elements a lane, so that a
 * lane group is a row of 16 bytes. Addresses are byte addresses in linear memory, which the caller
 * has checked; lane 8i + r gives that of row r of matrix i.
 */
import { SLOT_BYTES, slot, storeLanes } from "./warp-frame";

/** The transpose of eight rows of eight, row by row from `from` to `to` (each row 16 bytes). */
function transpose(from: i32, to: i32): void {
  const r0 = v128.load(from);
  const r1 = v128.load(from, 16);
  const r2 = v128.load(from, 32);
  const r3 = v128.load(from, 48);
  const r4 = v128.load(from, 64);
  const r5 = v128.load(from, 80);
  const r6 = v128.load(from, 96);
  const r7 = v128.load(from, 112);
  // Rows i and i + 4 interleaved, three times, carry element (i, j) to (j, i).
  const a0 = i16x8.shuffle(r0, r4, 0, 8, 1, 9, 2, 10, 3, 11);
  const a1 = i16x8.shuffle(r0, r4, 4, 12, 5, 13, 6, 14, 7, 15);
  const a2 = i16x8.shuffle(r1, r5, 0, 8, 1, 9, 2, 10, 3, 11);
  const a3 = i16x8.shuffle(r1, r5, 4, 12, 5, 13, 6, 14, 7, 15);
  const a4 = i16x8.shuffle(r2, r6, 0, 8, 1, 9, 2, 10, 3, 11);
  const a5 = i16x8.shuffle(r2, r6, 4, 12, 5, 13, 6, 14, 7, 15);
  const a6 = i16x8.shuffle(r3, r7, 0, 8, 1, 9, 2, 10, 3, 11);
  const a7 = i16x8.shuffle(r3, r7, 4, 12, 5, 13, 6, 14, 7, 15);
  const b0 = i16x8.shuffle(a0, a4, 0, 8, 1, 9, 2, 10, 3, 11);
  const b1 = i16x8.shuffle(a0, a4, 4, 12, 5, 13, 6, 14, 7, 15);
  const b2 = i16x8.shuffle(a1, a5, 0, 8, 1, 9, 2, 10, 3, 11);
  const b3 = i16x8.shuffle(a1, a5, 4, 12, 5, 13, 6, 14, 7, 15);
  const b4 = i16x8.shuffle(a2, a6, 0, 8, 1, 9, 2, 10, 3, 11);
  const b5 = i16x8.shuffle(a2, a6, 4, 12, 5, 13, 6, 14, 7, 15);
  const b6 = i16x8.shuffle(a3, a7, 0, 8, 1, 9, 2, 10, 3, 11);
  const b7 = i16x8.shuffle(a3, a7, 4, 12, 5, 13, 6, 14, 7, 15);
  v128.store(to, i16x8.shuffle(b0, b4, 0, 8, 1, 9, 2, 10, 3, 11));
  v128.store(to, i16x8.shuffle(b0, b4, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  v128.store(to, i16x8.shuffle(b1, b5, 0, 8, 1, 9, 2, 10, 3, 11), 32);
  v128.store(to, i16x8.shuffle(b1, b5, 4, 12, 5, 13, 6, 14, 7, 15), 48);
  v128.store(to, i16x8.shuffle(b2, b6, 0, 8, 1, 9, 2, 10, 3, 11), 64);
  v128.store(to, i16x8.shuffle(b2, b6, 4, 12, 5, 13, 6, 14, 7, 15), 80);
  v128.store(to, i16x8.shuffle(b3, b7, 0, 8, 1, 9, 2, 10, 3, 11), 96);
  v128.store(to, i16x8.shuffle(b3, b7, 4, 12, 5, 13, 6, 14, 7, 15), 112);
}

/** Slots d0…, address. A row whose lane takes no part is not read: it counts as zeros. */
function loadMatrices(count: i32, transposed: bool, active: i32, frame: i32): void {
  const addresses = slot(frame, count);
  const scratch = slot(frame, count + 1);
  for (let i = 0; i < count; i++) {
    for (let r = 0; r < 8; r++) {
      const lane = (i << 3) + r;
      let row = i32x4.splat(0);
      if ((active >>> lane) & 1) row = v128.load(load<i32>(addresses + (lane << 2)));
      v128.store(scratch + (r << 4), row);
    }
    if (transposed) transpose(scratch, scratch);
    const d = frame + i * SLOT_BYTES;
    for (let g = 0; g < 8; g++) storeLanes(d, g, v128.load(scratch + (g << 4)), active);
  }
}

/** Slots address, s0…. A row whose lane takes no part is not written. */
function storeMatrices(count: i32, transposed: bool, active: i32, frame: i32): void {
  const scratch = slot(frame, count + 1);
  for (let i = 0; i < count; i++) {
    let from = slot(frame, i + 1);
    if (transposed) {
      transpose(from, scratch);
      from = scratch;
    }
    for (let r = 0; r < 8; r++) {
      const lane = (i << 3) + r;
      if ((active >>> lane) & 1) {
        v128.store(load<i32>(frame + (lane << 2)), v128.load(from + (r << 4)));
      }
    }
  }
}

/** `movmatrix.sync.aligned.m8n8.trans.b16 d, a`: slots d, a. */
export function movmatrix_sync_aligned_m8n8_trans_b16(active: i32, frame: i32): void {
  const scratch = slot(frame, 2);
  transpose(slot(frame, 1), scratch);
  for (let g = 0; g < 8; g++) storeLanes(frame, g, v128.load(scratch + (g << 4)), active);
}

/** `ldmatrix.sync.aligned.m8n8.x1.shared.b16`: slots d 1, address. */
export function ldmatrix_sync_aligned_m8n8_x1_b16(active: i32, frame: i32): void {
  loadMatrices(1, false, active, frame);
}

/** `stmatrix.sync.aligned.m8n8.x1.shared.b16`: slots address, s 1. */
export function stmatrix_sync_aligned_m8n8_x1_b16(active: i32, frame: i32): void {
  storeMatrices(1, false, active, frame);
}

/** `ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16`: slots d 1, address. */
export function ldmatrix_sync_aligned_m8n8_x1_trans_b16(active: i32, frame: i32): void {
  loadMatrices(1, true, active, frame);
}

/** `stmatrix.sync.aligned.m8n8.x1.trans.shared.b16`: slots address, s 1. */
export function stmatrix_sync_aligned_m8n8_x1_trans_b16(active: i32, frame: i32): void {
  storeMatrices(1, true, active, frame);
}

/** `ldmatrix.sync.aligned.m8n8.x2.shared.b16`: slots d 2, address. */
export function ldmatrix_sync_aligned_m8n8_x2_b16(active: i32, frame: i32): void {
  loadMatrices(2, false, active, frame);
}

/** `stmatrix.sync.aligned.m8n8.x2.shared.b16`: slots address, s 2. */
export function stmatrix_sync_aligned_m8n8_x2_b16(active: i32, frame: i32): void {
  storeMatrices(2, false, active, frame);
}

/** `ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16`: slots d 2, address. */
export function ldmatrix_sync_aligned_m8n8_x2_trans_b16(active: i32, frame: i32): void {
  loadMatrices(2, true, active, frame);
}

/** `stmatrix.sync.aligned.m8n8.x2.trans.shared.b16`: slots address, s 2. */
export function stmatrix_sync_aligned_m8n8_x2_trans_b16(active: i32, frame: i32): void {
  storeMatrices(2, true, active, frame);
}

/** `ldmatrix.sync.aligned.m8n8.x4.shared.b16`: slots d 4, address. */
export function ldmatrix_sync_aligned_m8n8_x4_b16(active: i32, frame: i32): void {
  loadMatrices(4, false, active, frame);
}

/** `stmatrix.sync.aligned.m8n8.x4.shared.b16`: slots address, s 4. */
export function stmatrix_sync_aligned_m8n8_x4_b16(active: i32, frame: i32): void {
  storeMatrices(4, false, active, frame);
}

/** `ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16`: slots d 4, address. */
export function ldmatrix_sync_aligned_m8n8_x4_trans_b16(active: i32, frame: i32): void {
  loadMatrices(4, true, active, frame);
}

/** `stmatrix.sync.aligned.m8n8.x4.trans.shared.b16`: slots address, s 4. */
export function stmatrix_sync_aligned_m8n8_x4_trans_b16(active: i32, frame: i32): void {
  storeMatrices(4, true, active, frame);
}
