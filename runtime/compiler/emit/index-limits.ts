import { LAUNCH_HEAP_BYTES } from "../../exec/layout.ts";
import type { Value } from "../ir/ir.ts";
import { LANES } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import type { CodeWriter } from "../wasm/writer.ts";
import { log2 } from "./access-codes.ts";
import type { GroupOperands } from "./group-operands.ts";

/** Bases further from the heap than this (bytes) cannot be brought into it by a 32-bit index. */
const FAR = 2n ** 44n;

/** What writes limits: once a block, behind the values that are the same for all of it. */
export interface LimitTarget {
  heapLow(): number;
  pinLaunch64(offset: number): number;
  temporaryOf(valtype: number): number;
  /** A local set once, when these values are there. */
  afterPrologue(key: string, type: number, write: (w: CodeWriter) => void): number;
}

/** A first and a number of 32-bit indices, as locals. */
export interface IndexLimits {
  low: number;
  count: number;
}

/** The limits of lane 0's index with which all lanes of a group stay inside the heap (`limitsOf`). */
export function indexLimits(e: GroupOperands, v: Value, stride: number): IndexLimits | undefined {
  const { size = 1, align = 1 } = v.aux;
  const [base, index] = v.args;
  const own = e.prologueSlots.get(base);
  if (own === undefined || stride % align !== 0) return undefined;
  const steps = (LANES - 1) * e.shape(index).stride;
  if (steps < 0 || stride < 0) return undefined;
  return limitsOf(e, v, own, steps, size + (LANES - 1) * stride);
}

/**
 * Which indices keep base + extend(index) × scale, and `span` bytes from there, inside the heap, without a
 * wrap of the 32-bit index up to `steps` more: `count` indices from `low` on (none if the base is
 * misaligned). Undefined where alignment depends on the index.
 * @param own local with the base, which is the block's
 */
export function limitsOf(
  e: LimitTarget,
  v: Value,
  own: number,
  steps: number,
  span: number,
): IndexLimits | undefined {
  const { offset = 0, align = 1, signed = false, scale = 1 } = v.aux;
  if (scale <= 0 || (scale & (scale - 1)) !== 0 || scale % align !== 0) return undefined;
  const heapLow = e.heapLow();
  const heapBytes = e.pinLaunch64(LAUNCH_HEAP_BYTES);
  const shift = BigInt(log2(scale));
  const key = `${own} ${offset} ${span} ${steps} ${align} ${signed} ${scale}`;
  const from = e.afterPrologue(`from ${own} ${offset}`, VALTYPE.i64, (w) => {
    w.localGet(own);
    w.localGet(heapLow);
    w.op(OP.i64_sub);
    w.i64Const(BigInt(offset));
    w.op(OP.i64_add);
  });
  const bounded = (w: CodeWriter, local: number, bound: bigint, keep: number): void => {
    w.localGet(local);
    w.i64Const(bound);
    w.localGet(local);
    w.i64Const(bound);
    w.op(keep);
    w.op(OP.select);
    w.localSet(local);
  };
  const first = e.afterPrologue(`first ${key}`, VALTYPE.i64, (w) => {
    const local = e.temporaryOf(VALTYPE.i64);
    w.i64Const(0n);
    w.localGet(from);
    w.i64Const(shift);
    w.op(OP.i64_shr_s);
    w.op(OP.i64_sub);
    w.localSet(local);
    bounded(w, local, signed ? -(2n ** 31n) : 0n, OP.i64_ge_s);
    w.localGet(local);
  });
  const last = e.afterPrologue(`last ${key}`, VALTYPE.i64, (w) => {
    const local = e.temporaryOf(VALTYPE.i64);
    w.localGet(heapBytes);
    w.i64Const(BigInt(span));
    w.op(OP.i64_sub);
    w.localGet(from);
    w.op(OP.i64_sub);
    w.i64Const(shift);
    w.op(OP.i64_shr_s);
    w.localSet(local);
    bounded(w, local, 2n ** (signed ? 31n : 32n) - 1n - BigInt(steps), OP.i64_le_s);
    w.localGet(local);
  });
  const low = e.afterPrologue(`low32 ${key}`, VALTYPE.i32, (w) => {
    w.localGet(first);
    w.op(OP.i32_wrap_i64);
  });
  const count = e.afterPrologue(`count ${key}`, VALTYPE.i32, (w) => {
    w.localGet(last);
    w.localGet(first);
    w.op(OP.i64_sub);
    w.i64Const(1n);
    w.op(OP.i64_add);
    w.op(OP.i32_wrap_i64);
    w.i32Const(0);
    w.localGet(last);
    w.localGet(first);
    w.op(OP.i64_ge_s);
    w.localGet(from);
    w.i64Const(FAR);
    w.op(OP.i64_add);
    w.i64Const(2n * FAR);
    w.op(OP.i64_lt_u);
    w.op(OP.i32_and);
    w.localGet(from);
    w.i64Const(BigInt(align - 1));
    w.op(OP.i64_and);
    w.op(OP.i64_eqz);
    w.op(OP.i32_and);
    w.op(OP.select);
  });
  return { low, count };
}
