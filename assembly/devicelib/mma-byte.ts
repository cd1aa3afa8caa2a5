/**
 * `mma.sync` on 8-bit integers, every pair of types: see mma-integer.ts.
 */
import { S8, U8, integerFrame } from "./mma-integer";

/** `mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k16_row_col_s32_s8_s8_s32(active: i32, frame: i32): void {
  integerFrame(S8, S8, 8, 8, false, active, frame);
}

/** `mma.sync.aligned.m8n8k16.row.col.s32.s8.u8.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k16_row_col_s32_s8_u8_s32(active: i32, frame: i32): void {
  integerFrame(S8, U8, 8, 8, false, active, frame);
}

/** `mma.sync.aligned.m8n8k16.row.col.s32.u8.s8.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k16_row_col_s32_u8_s8_s32(active: i32, frame: i32): void {
  integerFrame(U8, S8, 8, 8, false, active, frame);
}

/** `mma.sync.aligned.m8n8k16.row.col.s32.u8.u8.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k16_row_col_s32_u8_u8_s32(active: i32, frame: i32): void {
  integerFrame(U8, U8, 8, 8, false, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_s32_s8_s8_s32(active: i32, frame: i32): void {
  integerFrame(S8, S8, 16, 8, false, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.s32.s8.u8.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_s32_s8_u8_s32(active: i32, frame: i32): void {
  integerFrame(S8, U8, 16, 8, false, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.s32.u8.s8.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_s32_u8_s8_s32(active: i32, frame: i32): void {
  integerFrame(U8, S8, 16, 8, false, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.s32.u8.u8.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_s32_u8_u8_s32(active: i32, frame: i32): void {
  integerFrame(U8, U8, 16, 8, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_s32_s8_s8_s32(active: i32, frame: i32): void {
  integerFrame(S8, S8, 16, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_s32_s8_u8_s32(active: i32, frame: i32): void {
  integerFrame(S8, U8, 16, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_s32_u8_s8_s32(active: i32, frame: i32): void {
  integerFrame(U8, S8, 16, 16, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.s32.u8.u8.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_s32_u8_u8_s32(active: i32, frame: i32): void {
  integerFrame(U8, U8, 16, 16, false, active, frame);
}

/** `mma.sync.aligned.m8n8k16.row.col.satfinite.s32.s8.s8.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k16_row_col_satfinite_s32_s8_s8_s32(active: i32, frame: i32): void {
  integerFrame(S8, S8, 8, 8, true, active, frame);
}

/** `mma.sync.aligned.m8n8k16.row.col.satfinite.s32.s8.u8.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k16_row_col_satfinite_s32_s8_u8_s32(active: i32, frame: i32): void {
  integerFrame(S8, U8, 8, 8, true, active, frame);
}

/** `mma.sync.aligned.m8n8k16.row.col.satfinite.s32.u8.s8.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k16_row_col_satfinite_s32_u8_s8_s32(active: i32, frame: i32): void {
  integerFrame(U8, S8, 8, 8, true, active, frame);
}

/** `mma.sync.aligned.m8n8k16.row.col.satfinite.s32.u8.u8.s32`: slots d 2, a 1, b 1, c 2. */
export function mma_sync_aligned_m8n8k16_row_col_satfinite_s32_u8_u8_s32(active: i32, frame: i32): void {
  integerFrame(U8, U8, 8, 8, true, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.satfinite.s32.s8.s8.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_satfinite_s32_s8_s8_s32(active: i32, frame: i32): void {
  integerFrame(S8, S8, 16, 8, true, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.satfinite.s32.s8.u8.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_satfinite_s32_s8_u8_s32(active: i32, frame: i32): void {
  integerFrame(S8, U8, 16, 8, true, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.satfinite.s32.u8.s8.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_satfinite_s32_u8_s8_s32(active: i32, frame: i32): void {
  integerFrame(U8, S8, 16, 8, true, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.satfinite.s32.u8.u8.s32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_satfinite_s32_u8_u8_s32(active: i32, frame: i32): void {
  integerFrame(U8, U8, 16, 8, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_satfinite_s32_s8_s8_s32(active: i32, frame: i32): void {
  integerFrame(S8, S8, 16, 16, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.u8.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_satfinite_s32_s8_u8_s32(active: i32, frame: i32): void {
  integerFrame(S8, U8, 16, 16, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.satfinite.s32.u8.s8.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_satfinite_s32_u8_s8_s32(active: i32, frame: i32): void {
  integerFrame(U8, S8, 16, 16, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.satfinite.s32.u8.u8.s32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_satfinite_s32_u8_u8_s32(active: i32, frame: i32): void {
  integerFrame(U8, U8, 16, 16, true, active, frame);
}
