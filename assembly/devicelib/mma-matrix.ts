/**
 * `ldmatrix`, `stmatrix`, `movmatrix` on 8×8 matrices of 16-bit elements (PTX ISA 9.7.14.5.15–17).
 * A matrix is one register of the warp: row r is in lanes 4r…4r+3, two elements a lane, so that a
 * lane group is a row of 16 bytes. Addresses are byte addresses in linear memory, which the caller
 * has checked; lane 8i + r gives that of row r of matrix i.
 */
import { transpose8 } from "./mma-formats";
import { SLOT_BYTES, slot, storeLanes } from "./warp-frame";

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
    if (transposed) transpose8(scratch, scratch);
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
      transpose8(from, scratch);
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
  transpose8(slot(frame, 1), scratch);
  for (let g = 0; g < 8; g++) storeLanes(frame, g, v128.load(scratch + (g << 4)), active);
}

/** Transposes `count` registers of 8×8 elements of 16 bits, slots from `operand` on, in place. */
export function turn_blocks(operand: i32, count: i32): void {
  for (let k = 0; k < count; k++) transpose8(slot(operand, k), slot(operand, k));
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
