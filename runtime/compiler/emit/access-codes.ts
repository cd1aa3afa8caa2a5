import { OP } from "../wasm/opcodes.ts";

/** The atomic load of 1, 2, 4 or 8 bytes. */
export const ATOMIC_LOADS: Record<number, number> = {
  1: OP.i32_atomic_load8_u,
  2: OP.i32_atomic_load16_u,
  4: OP.i32_atomic_load,
  8: OP.i64_atomic_load,
};

/** The atomic store of 1, 2, 4 or 8 bytes. */
export const ATOMIC_STORES: Record<number, number> = {
  1: OP.i32_atomic_store8,
  2: OP.i32_atomic_store16,
  4: OP.i32_atomic_store,
  8: OP.i64_atomic_store,
};

/** The exponent of a power of two: a size's alignment hint, a scale's shift. */
export const log2 = (n: number) => 31 - Math.clz32(n);
