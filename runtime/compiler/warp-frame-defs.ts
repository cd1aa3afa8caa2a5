// The frame of a warp-wide operation: sizes that the compiler and the device library share.
// Plain constants, read by TypeScript and AssemblyScript alike.

/** Bytes of an operand: 32 lanes of up to 8 bytes. */
export const SLOT_BYTES = 256;

/** Scratch memory after the operands, by kind of operation (layouts: assembly/devicelib/mma-*.ts). */
export const FLOAT_SCRATCH_BYTES = 5760;
export const DOUBLE_SCRATCH_BYTES = 3072;
export const INTEGER_SCRATCH_BYTES = 3072;
export const QUAD_SCRATCH_BYTES = 512;
/** A dense product's, and dense fragments: 8 slots for A, 4 for B. */
export const SPARSE_SCRATCH_BYTES = 8832;
export const SPARSE_INTEGER_SCRATCH_BYTES = 2304;
export const MATRIX_SCRATCH_BYTES = 128;

/** A, B and C of a warp's part of `wgmma`, then a product's. */
export const WGMMA_SCRATCH_BYTES = 8320;
/** The argument of `wgmma`: columns of D, and how. */
export const WGMMA_COLUMNS = 0x1ff;
export const WGMMA_A_DESCRIPTOR = 1 << 9;
export const WGMMA_TURN_A = 1 << 10;
export const WGMMA_TURN_B = 1 << 11;
export const WGMMA_NEGATE = 1 << 12;
export const WGMMA_SATURATE = 1 << 13;
/** Of 8-bit types, u8 and e5m2; otherwise s8 and e4m3. */
export const WGMMA_TYPE_A = 1 << 14;
export const WGMMA_TYPE_B = 1 << 15;
/** 8-bit floats: C and D are f16. */
export const WGMMA_HALF = 1 << 16;
