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
