/**
 * `mma.sync` on 4-bit integers, every pair of types: see mma-integer.ts.
 */
import { S4, U4, integerFrame } from "./mma-integer";

/** `mma.sync.aligned.m8n8k32.row.col.s32.s4.s4.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k32_row_col_s32_s4_s4_s32(active: i32, frame: i32): void {
  integerFrame(S4, S4, 8, 16, false, active, frame);
}

/** `mma.sync.aligned.m8n8k32.row.col.s32.s4.u4.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k32_row_col_s32_s4_u4_s32(active: i32, frame: i32): void {
  integerFrame(S4, U4, 8, 16, false, active, frame);
}

/** `mma.sync.aligned.m8n8k32.row.col.s32.u4.s4.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k32_row_col_s32_u4_s4_s32(active: i32, frame: i32): void {
  integerFrame(U4, S4, 8, 16, false, active, frame);
}

/** `mma.sync.aligned.m8n8k32.row.col.s32.u4.u4.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k32_row_col_s32_u4_u4_s32(active: i32, frame: i32): void {
  integerFrame(U4, U4, 8, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.s32.s4.s4.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_s32_s4_s4_s32(active: i32, frame: i32): void {
  integerFrame(S4, S4, 16, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.s32.s4.u4.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_s32_s4_u4_s32(active: i32, frame: i32): void {
  integerFrame(S4, U4, 16, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.s32.u4.s4.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_s32_u4_s4_s32(active: i32, frame: i32): void {
  integerFrame(U4, S4, 16, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.s32.u4.u4.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_s32_u4_u4_s32(active: i32, frame: i32): void {
  integerFrame(U4, U4, 16, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k64_row_col_s32_s4_s4_s32(active: i32, frame: i32): void {
  integerFrame(S4, S4, 16, 32, false, active, frame);
}

/** `mma.sync.aligned.m16n8k64.row.col.s32.s4.u4.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k64_row_col_s32_s4_u4_s32(active: i32, frame: i32): void {
  integerFrame(S4, U4, 16, 32, false, active, frame);
}

/** `mma.sync.aligned.m16n8k64.row.col.s32.u4.s4.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k64_row_col_s32_u4_s4_s32(active: i32, frame: i32): void {
  integerFrame(U4, S4, 16, 32, false, active, frame);
}

/** `mma.sync.aligned.m16n8k64.row.col.s32.u4.u4.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k64_row_col_s32_u4_u4_s32(active: i32, frame: i32): void {
  integerFrame(U4, U4, 16, 32, false, active, frame);
}

/** `mma.sync.aligned.m8n8k32.row.col.satfinite.s32.s4.s4.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k32_row_col_satfinite_s32_s4_s4_s32(active: i32, frame: i32): void {
  integerFrame(S4, S4, 8, 16, true, active, frame);
}

/** `mma.sync.aligned.m8n8k32.row.col.satfinite.s32.s4.u4.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k32_row_col_satfinite_s32_s4_u4_s32(active: i32, frame: i32): void {
  integerFrame(S4, U4, 8, 16, true, active, frame);
}

/** `mma.sync.aligned.m8n8k32.row.col.satfinite.s32.u4.s4.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k32_row_col_satfinite_s32_u4_s4_s32(active: i32, frame: i32): void {
  integerFrame(U4, S4, 8, 16, true, active, frame);
}

/** `mma.sync.aligned.m8n8k32.row.col.satfinite.s32.u4.u4.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k32_row_col_satfinite_s32_u4_u4_s32(active: i32, frame: i32): void {
  integerFrame(U4, U4, 8, 16, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s4.s4.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_satfinite_s32_s4_s4_s32(active: i32, frame: i32): void {
  integerFrame(S4, S4, 16, 16, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s4.u4.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_satfinite_s32_s4_u4_s32(active: i32, frame: i32): void {
  integerFrame(S4, U4, 16, 16, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.satfinite.s32.u4.s4.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_satfinite_s32_u4_s4_s32(active: i32, frame: i32): void {
  integerFrame(U4, S4, 16, 16, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.satfinite.s32.u4.u4.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_satfinite_s32_u4_u4_s32(active: i32, frame: i32): void {
  integerFrame(U4, U4, 16, 16, true, active, frame);
}

/** `mma.sync.aligned.m16n8k64.row.col.satfinite.s32.s4.s4.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k64_row_col_satfinite_s32_s4_s4_s32(active: i32, frame: i32): void {
  integerFrame(S4, S4, 16, 32, true, active, frame);
}

/** `mma.sync.aligned.m16n8k64.row.col.satfinite.s32.s4.u4.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k64_row_col_satfinite_s32_s4_u4_s32(active: i32, frame: i32): void {
  integerFrame(S4, U4, 16, 32, true, active, frame);
}

/** `mma.sync.aligned.m16n8k64.row.col.satfinite.s32.u4.s4.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k64_row_col_satfinite_s32_u4_s4_s32(active: i32, frame: i32): void {
  integerFrame(U4, S4, 16, 32, true, active, frame);
}

/** `mma.sync.aligned.m16n8k64.row.col.satfinite.s32.u4.u4.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k64_row_col_satfinite_s32_u4_u4_s32(active: i32, frame: i32): void {
  integerFrame(U4, U4, 16, 32, true, active, frame);
}
