import { OP } from "../wasm/opcodes.ts";
import type { CodeWriter } from "../wasm/writer.ts";

// A mask has all bits of a lane or none. Engines make one instruction of `bitmask` on x86, and three to
// six of `any_true` and `all_true`, which look at every bit.

/** Makes the mask on the stack not 0 (I32) if it has any lane. */
export function anyLane(w: CodeWriter): void {
  w.op(OP.i32x4_bitmask);
}

/** Makes the mask on the stack 1 if it has all lanes, else 0. */
export function allLanes(w: CodeWriter): void {
  w.op(OP.i32x4_bitmask);
  w.i32Const(15);
  w.op(OP.i32_eq);
}
