import { BLOCK_ARGUMENT, BLOCK_PC, FRAME_SLOT_BYTES, PC_EXITED } from "../../exec/layout.ts";
import { type Block, sourceSlot, type Value } from "../ir/ir.ts";
import { isWide, VARYING } from "../simd/shapes.ts";
import { OP } from "../wasm/opcodes.ts";
import { constantOperand, STORES, wide } from "./frame.ts";
import type { GroupOperands } from "./group-operands.ts";
import { selectByMask } from "./vector.ts";

function storeLanes(
  e: GroupOperands,
  push: () => number,
  v: () => void,
  half: 0 | 1,
  isWideValue: boolean,
): void {
  const { w } = e;
  const offset = push();
  v();
  if (e.mask >= 0) {
    const old = push();
    w.mem(OP.v128_load, 2, old + 16 * half);
    selectByMask(e, e.mask, half, isWideValue);
  }
  w.mem(OP.v128_store, 2, offset + 16 * half);
}

/** Stores a value of all active lanes to an array indexed by thread. */
function save(e: GroupOperands, value: Value, push: () => number): void {
  for (const half of isWide(value) ? ([0, 1] as const) : ([0] as const)) {
    storeLanes(e, push, () => e.vec(value, half), half, isWide(value));
  }
}

export function leaveRegion(e: GroupOperands, v: Value): void {
  const block = v.aux.block as Block;
  const t = block.terminator;
  const before = e.mask;
  e.mask = v.aux.mask as number;
  if (t?.kind === "cut" && t.state) {
    const operands = v.args.slice(0, t.state.operands.length);
    const sources = v.args.slice(operands.length, operands.length + t.state.sources.length);
    const spilled = v.args.slice(operands.length + sources.length);
    for (const [k, s] of t.state.spills.entries()) spill(e, s.register, spilled[k]);
    sources.forEach((value, k) => {
      const at = sourceSlot(t.cut, k) * FRAME_SLOT_BYTES;
      save(e, value, () => {
        e.pushFrame(value.type);
        return at;
      });
    });
    if (!constantOperand(t.cut) && operands.length > 0) saveOperands(e, t.cut.kind, operands);
    arriveAt(e, t.cut.entry);
  } else arriveAt(e, PC_EXITED);
  e.mask = before;
}

function spill(e: GroupOperands, register: number, value: Value): void {
  if (e.source.register(register).kind !== VARYING) {
    const offset = e.pushSlot(register, value.type);
    // Found apart for some body; at this place the lanes agree all the same.
    if (e.shape(value).kind === VARYING) e.lane(value, 0);
    else e.scalar(value);
    e.w.mem(STORES[value.type], wide(value.type) ? 3 : 2, offset);
  } else save(e, value, () => e.pushSlot(register, value.type));
}

function saveOperands(e: GroupOperands, kind: string, operands: Value[]): void {
  const { w } = e;
  const address = e.perThread("argument4", (t) => e.scaled(t, BLOCK_ARGUMENT, 2));
  const push = () => {
    w.localGet(address);
    return 0;
  };
  const value = () => {
    e.vec(operands[0]);
    if (kind !== "block") return;
    e.vec(operands[1]);
    w.i32Const(8);
    w.op(OP.i32x4_shl);
    w.op(OP.v128_or);
  };
  storeLanes(e, push, value, 0, false);
}

function arriveAt(e: GroupOperands, pc: number): void {
  const { w } = e;
  if (e.kernel.single) return; // threads only exit: nobody asks where they stand
  // Where all threads stop at one place, the execution loops know it from the result.
  if (e.onlyStop !== undefined && e.source.variants[e.current].kind !== "general") return;
  const address = e.perThread("pc4", (t) => e.scaled(t, BLOCK_PC, 2));
  const push = () => {
    w.localGet(address);
    return 0;
  };
  storeLanes(e, push, () => e.constant([pc, pc, pc, pc]), 0, false);
  for (const [acc, op] of [
    [e.accOr, OP.i32_or],
    [e.accAnd, OP.i32_and],
  ]) {
    w.localGet(acc);
    w.i32Const(pc);
    w.op(op);
    w.localSet(acc);
  }
}
