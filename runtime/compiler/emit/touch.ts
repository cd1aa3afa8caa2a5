import { BLOCK_LAUNCH, BLOCK_SINK, LAUNCH_BLOCKS } from "../../exec/layout.ts";
import { I32 } from "../ir/ir.ts";
import type { Reach } from "../simd/extents.ts";
import type { Touches } from "../simd/touches.ts";
import { OP } from "../wasm/opcodes.ts";
import type { GroupLoops } from "./group-loops.ts";

/** Bytes of a cache line. */
const LINE_BYTES = 64;

/** A grid that reaches less by an access is soon in a core's own caches; bytes. */
const TOUCH_BYTES = 2 << 20;

/**
 * Loads a byte of each cache line that the block's threads will reach: all of these come from memory
 * at once. A group's own accesses are few, and what lies between them and the next group's is more
 * than a processor looks ahead.
 */
export function touchReaches(f: GroupLoops, touches: readonly Touches[]): void {
  const sizes = touches.flatMap(({ reaches }) => reaches.map(({ size }) => size));
  if (sizes.length === 0) return;
  const { w } = f;
  w.localGet(0);
  w.mem(OP.i32_load, 2, BLOCK_LAUNCH);
  w.mem(OP.i32_load, 2, LAUNCH_BLOCKS);
  w.i32Const(Math.ceil(TOUCH_BYTES / (f.kernel.threads * Math.min(...sizes))));
  w.op(OP.i32_ge_u);
  w.if();
  const seen = f.temporary(I32);
  for (const { code, when, reaches, shape } of touches) {
    f.blockValues(code);
    if (when) {
      f.scalar(when);
      w.if();
    }
    for (const reach of reaches) touchRows(f, reach, shape, seen);
    if (when) w.end();
  }
  // Kept, so that no compiler leaves the loads out.
  w.localGet(0);
  w.localGet(seen);
  w.mem(OP.i32_store, 2, BLOCK_SINK);
  w.end();
}

/** Touches a row of memory for each row of threads; they lie evenly between the extremes. */
function touchRows(
  f: GroupLoops,
  { first, span, size }: Reach,
  [x, y]: readonly [number, number],
  seen: number,
): void {
  const { w } = f;
  const row = (x - 1) * size;
  const [at, step, left] = [f.temporary(I32), f.temporary(I32), f.temporary(I32)];
  w.block();
  f.scalar(span);
  w.op(OP.i32_wrap_i64);
  w.localTee(step);
  w.i32Const(row);
  w.op(OP.i32_lt_u);
  w.brIf(0);
  w.localGet(step);
  w.i32Const(row);
  w.op(OP.i32_sub);
  w.i32Const(y - 1);
  w.op(OP.i32_div_u);
  w.localTee(step);
  w.i32Const(row + size);
  w.op(OP.i32_le_u);
  w.brIf(0);
  f.scalar(first);
  w.op(OP.i32_wrap_i64);
  w.localSet(at);
  w.i32Const(y);
  w.localSet(left);
  w.loop();
  for (let offset = 0; offset <= row; offset += LINE_BYTES) {
    w.localGet(seen);
    w.localGet(at);
    w.mem(OP.i32_load8_u, 0, offset);
    w.op(OP.i32_or);
    w.localSet(seen);
  }
  w.localGet(at);
  w.localGet(step);
  w.op(OP.i32_add);
  w.localSet(at);
  w.localGet(left);
  w.i32Const(1);
  w.op(OP.i32_sub);
  w.localTee(left);
  w.brIf(0);
  w.end();
  w.end();
}
