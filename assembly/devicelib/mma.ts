/**
 * Matrix products of a warp: `name(active, frame)` as in warp.ts; scratch memory follows the
 * operand slots of a frame (its size: runtime/compiler/warp-frames.ts).
 */
export {
  mma_sync_aligned_m16n8k16_row_col_f32_f16_f16_f32,
  mma_sync_aligned_m16n8k16_row_col_f32_f16_f16_f32_relaxed,
  mma_sync_aligned_m16n8k16_row_col_f16_f16_f16_f16,
  mma_sync_aligned_m16n8k16_row_col_f16_f16_f16_f16_relaxed,
  mma_sync_aligned_m16n8k16_row_col_f32_bf16_bf16_f32,
  mma_sync_aligned_m16n8k16_row_col_f32_bf16_bf16_f32_relaxed,
  mma_sync_aligned_m16n8k8_row_col_f32_f16_f16_f32,
  mma_sync_aligned_m16n8k8_row_col_f32_f16_f16_f32_relaxed,
  mma_sync_aligned_m16n8k8_row_col_f16_f16_f16_f16,
  mma_sync_aligned_m16n8k8_row_col_f16_f16_f16_f16_relaxed,
  mma_sync_aligned_m16n8k8_row_col_f32_bf16_bf16_f32,
  mma_sync_aligned_m16n8k8_row_col_f32_bf16_bf16_f32_relaxed,
  mma_sync_aligned_m16n8k8_row_col_f32_tf32_tf32_f32,
  mma_sync_aligned_m16n8k8_row_col_f32_tf32_tf32_f32_relaxed,
  mma_sync_aligned_m16n8k4_row_col_f32_tf32_tf32_f32,
  mma_sync_aligned_m16n8k4_row_col_f32_tf32_tf32_f32_relaxed,
} from "./mma-float";
export * from "./mma-quarter";
export * from "./mma-volta";
export * from "./mma-double";
export * from "./mma-byte";
export * from "./mma-nibble";
export {
  mma_sync_aligned_m8n8k128_row_col_s32_b1_b1_s32_and_popc,
  mma_sync_aligned_m8n8k128_row_col_s32_b1_b1_s32_xor_popc,
  mma_sync_aligned_m16n8k128_row_col_s32_b1_b1_s32_and_popc,
  mma_sync_aligned_m16n8k128_row_col_s32_b1_b1_s32_xor_popc,
  mma_sync_aligned_m16n8k256_row_col_s32_b1_b1_s32_and_popc,
  mma_sync_aligned_m16n8k256_row_col_s32_b1_b1_s32_xor_popc,
} from "./mma-bit";
export * from "./mma-matrix";
export * from "./mma-wmma";
export {
  mma_sp_sync_aligned_m16n8k16_row_col_f16_f16_f16_f16,
  mma_sp_sync_aligned_m16n8k16_row_col_f32_bf16_bf16_f32,
  mma_sp_sync_aligned_m16n8k16_row_col_f32_f16_f16_f32,
  mma_sp_sync_aligned_m16n8k16_row_col_f32_tf32_tf32_f32,
  mma_sp_sync_aligned_m16n8k32_row_col_f16_f16_f16_f16,
  mma_sp_sync_aligned_m16n8k32_row_col_f32_bf16_bf16_f32,
  mma_sp_sync_aligned_m16n8k32_row_col_f32_f16_f16_f32,
  mma_sp_sync_aligned_m16n8k64_row_col_f32_e4m3_e4m3_f32,
  mma_sp_sync_aligned_m16n8k64_row_col_f32_e4m3_e5m2_f32,
  mma_sp_sync_aligned_m16n8k64_row_col_f32_e5m2_e4m3_f32,
  mma_sp_sync_aligned_m16n8k64_row_col_f32_e5m2_e5m2_f32,
  mma_sp_sync_aligned_m16n8k8_row_col_f32_tf32_tf32_f32,
} from "./mma-sparse";
export * from "./mma-sparse-integer";
