/**
 * `mma.sync` on 8-bit floats, every pair of e4m3 and e5m2 (PTX ISA 9.7.14.5): see mma-float.ts.
 */
import { E4M3, E5M2 } from "./mma-tiles";
import { quarters } from "./mma-float";

/** `mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_f32_e4m3_e4m3_f32(active: i32, frame: i32): void {
  quarters(E4M3, E4M3, 4, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_f32_e4m3_e5m2_f32(active: i32, frame: i32): void {
  quarters(E4M3, E5M2, 4, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e4m3.f32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_f32_e5m2_e4m3_f32(active: i32, frame: i32): void {
  quarters(E5M2, E4M3, 4, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32`: slots d 4, a 4, b 2, c 4. */
export function mma_sync_aligned_m16n8k32_row_col_f32_e5m2_e5m2_f32(active: i32, frame: i32): void {
  quarters(E5M2, E5M2, 4, false, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.f16.e4m3.e4m3.f16`: slots d 2, a 4, b 2, c 2. */
export function mma_sync_aligned_m16n8k32_row_col_f16_e4m3_e4m3_f16(active: i32, frame: i32): void {
  quarters(E4M3, E4M3, 4, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.f16.e4m3.e5m2.f16`: slots d 2, a 4, b 2, c 2. */
export function mma_sync_aligned_m16n8k32_row_col_f16_e4m3_e5m2_f16(active: i32, frame: i32): void {
  quarters(E4M3, E5M2, 4, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.f16.e5m2.e4m3.f16`: slots d 2, a 4, b 2, c 2. */
export function mma_sync_aligned_m16n8k32_row_col_f16_e5m2_e4m3_f16(active: i32, frame: i32): void {
  quarters(E5M2, E4M3, 4, true, active, frame);
}

/** `mma.sync.aligned.m16n8k32.row.col.f16.e5m2.e5m2.f16`: slots d 2, a 4, b 2, c 2. */
export function mma_sync_aligned_m16n8k32_row_col_f16_e5m2_e5m2_f16(active: i32, frame: i32): void {
  quarters(E5M2, E5M2, 4, true, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f32.e4m3.e4m3.f32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_f32_e4m3_e4m3_f32(active: i32, frame: i32): void {
  quarters(E4M3, E4M3, 2, false, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f32.e4m3.e5m2.f32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_f32_e4m3_e5m2_f32(active: i32, frame: i32): void {
  quarters(E4M3, E5M2, 2, false, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f32.e5m2.e4m3.f32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_f32_e5m2_e4m3_f32(active: i32, frame: i32): void {
  quarters(E5M2, E4M3, 2, false, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f32.e5m2.e5m2.f32`: slots d 4, a 2, b 1, c 4. */
export function mma_sync_aligned_m16n8k16_row_col_f32_e5m2_e5m2_f32(active: i32, frame: i32): void {
  quarters(E5M2, E5M2, 2, false, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f16.e4m3.e4m3.f16`: slots d 2, a 2, b 1, c 2. */
export function mma_sync_aligned_m16n8k16_row_col_f16_e4m3_e4m3_f16(active: i32, frame: i32): void {
  quarters(E4M3, E4M3, 2, true, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f16.e4m3.e5m2.f16`: slots d 2, a 2, b 1, c 2. */
export function mma_sync_aligned_m16n8k16_row_col_f16_e4m3_e5m2_f16(active: i32, frame: i32): void {
  quarters(E4M3, E5M2, 2, true, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f16.e5m2.e4m3.f16`: slots d 2, a 2, b 1, c 2. */
export function mma_sync_aligned_m16n8k16_row_col_f16_e5m2_e4m3_f16(active: i32, frame: i32): void {
  quarters(E5M2, E4M3, 2, true, active, frame);
}

/** `mma.sync.aligned.m16n8k16.row.col.f16.e5m2.e5m2.f16`: slots d 2, a 2, b 1, c 2. */
export function mma_sync_aligned_m16n8k16_row_col_f16_e5m2_e5m2_f16(active: i32, frame: i32): void {
  quarters(E5M2, E5M2, 2, true, active, frame);
}
