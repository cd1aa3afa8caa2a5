import { BLOCK_LAUNCH, BLOCK_SINK, LAUNCH_BLOCKS } from "../../exec/layout.ts";
import { I32 } from "../ir/ir.ts";
import type { Reach } from "../simd/extents.ts";
import type { Columns, Touches } from "../simd/touches.ts";
import { OP } from "../wasm/opcodes.ts";
import type { GroupLoops } from "./group-loops.ts";

/** Bytes of a cache line. */
const LINE_BYTES = 64;

/** A grid that reaches less by an access is soon in a core's own caches; bytes. */
const TOUCH_BYTES = 2 << 20;
/** The same for what the processor's prefetchers see in part: columns along a row of blocks. */
const TOUCH_COLUMNS_BYTES = 8 << 20;

/**
 * Loads a byte of each cache line that the block's threads will reach: all of these come from memory
 * at once. A group's own accesses are few, and what lies between them and the next group's is more
 * than a processor looks ahead.
 */
export function touchReaches(f: GroupLoops, touches: readonly Touches[]): void {
  const all = touches.flatMap(({ reaches }) => reaches);
  if (all.length === 0) return;
  const { w } = f;
  pushLarge(f, all, TOUCH_BYTES);
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
  keepSeen(f, seen);
  w.end();
}

/** Pushes whether the grid reaches more than so many bytes by each access. */
function pushLarge({ w, kernel }: GroupLoops, reaches: readonly Reach[], bytes: number): void {
  const size = Math.min(...reaches.map((r) => r.size));
  w.localGet(0);
  w.mem(OP.i32_load, 2, BLOCK_LAUNCH);
  w.mem(OP.i32_load, 2, LAUNCH_BLOCKS);
  w.i32Const(Math.ceil(bytes / (kernel.threads * size)));
  w.op(OP.i32_ge_u);
}

/** Keeps what was loaded, so that no compiler leaves the loads out. */
function keepSeen({ w }: GroupLoops, seen: number): void {
  w.localGet(0);
  w.localGet(seen);
  w.mem(OP.i32_store, 2, BLOCK_SINK);
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
  eachStep(f, at, step, left, () => {
    for (let offset = 0; offset <= row; offset += LINE_BYTES) {
      w.localGet(seen);
      w.localGet(at);
      w.mem(OP.i32_load8_u, 0, offset);
      w.op(OP.i32_or);
      w.localSet(seen);
    }
  });
  w.end();
}

/** A loop that moves an address on by a step, as often as `count` says, which it counts down. */
function eachStep(
  { w }: GroupLoops,
  at: number,
  step: number,
  count: number,
  write: () => void,
): void {
  w.loop();
  write();
  w.localGet(at);
  w.localGet(step);
  w.op(OP.i32_add);
  w.localSet(at);
  w.localGet(count);
  w.i32Const(1);
  w.op(OP.i32_sub);
  w.localTee(count);
  w.brIf(0);
  w.end();
}

/** Threads of a row that are touched at a time; a multiple of those of groups that run together. */
const AHEAD = 32;

/** Columns that are longer lie in many lines; bytes from the first to the last store. */
const MAX_COLUMN = 2 * LINE_BYTES;

/**
 * Prepares for touching what a row of blocks stores to, where threads that follow in x store to lines
 * far apart, and those of a column to neighbouring words.
 * @param left local with the threads of the row that are still to be run, counted down
 * @returns writes, inside the loop over groups, what touches the lines of the threads that come next
 */
export function beginColumns(f: GroupLoops, { code, reaches }: Columns, left: number): () => void {
  const { w } = f;
  f.blockValues(code);
  const [seen, all] = [f.temporary(I32), f.temporary(I32)];
  w.localGet(left);
  w.localSet(all);
  const columns = reaches.map(({ first, span, column }) => {
    const [at, step] = [f.temporary(I32), f.temporary(I32)];
    f.scalar(first);
    w.op(OP.i32_wrap_i64);
    w.localSet(at);
    // From one thread's column to the next one's, or 0: not worth it.
    f.scalar(span);
    f.scalar(column);
    w.op(OP.i64_sub);
    w.op(OP.i32_wrap_i64);
    w.localGet(left);
    w.i32Const(1);
    w.op(OP.i32_sub);
    w.op(OP.i32_div_u);
    w.localTee(step);
    w.i32Const(0);
    w.localGet(step);
    w.i32Const(LINE_BYTES);
    w.op(OP.i32_gt_u);
    f.scalar(column);
    w.i64Const(BigInt(MAX_COLUMN));
    w.op(OP.i64_le_u);
    w.op(OP.i32_and);
    pushLarge(f, reaches, TOUCH_COLUMNS_BYTES);
    w.op(OP.i32_and);
    w.op(OP.select);
    w.localSet(step);
    return { at, step, column };
  });
  return () => {
    const { w } = f;
    w.localGet(all);
    w.localGet(left);
    w.op(OP.i32_sub);
    w.i32Const(AHEAD - 1);
    w.op(OP.i32_and);
    w.op(OP.i32_eqz);
    w.if();
    const [count, last] = [f.temporary(I32), f.temporary(I32)];
    for (const { at, step, column } of columns) {
      w.localGet(step);
      w.if();
      w.localGet(left);
      w.i32Const(AHEAD);
      w.localGet(left);
      w.i32Const(AHEAD);
      w.op(OP.i32_lt_u);
      w.op(OP.select);
      w.localSet(count);
      f.scalar(column);
      w.op(OP.i32_wrap_i64);
      w.localSet(last);
      eachStep(f, at, step, count, () => {
        w.localGet(seen);
        w.localGet(at);
        w.mem(OP.i32_load8_u, 0, 0);
        w.op(OP.i32_or);
        w.localGet(at);
        w.localGet(last);
        w.op(OP.i32_add);
        w.mem(OP.i32_load8_u, 0, 0);
        w.op(OP.i32_or);
        w.localSet(seen);
      });
      w.end();
    }
    keepSeen(f, seen);
    w.end();
  };
}
