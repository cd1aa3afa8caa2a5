import { I1, I32, type Value } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { checkedPointer, spaceOf } from "./memory.ts";
import { ptxType } from "./types.ts";

const U32 = ptxType("u32");
const B64 = ptxType("b64");
const PRED = ptxType("pred");

/** The checked address of an mbarrier object: 8 bytes, aligned. */
export function mbarrierAddress(b: Builder, operand: Operand, space: string): Value {
  return checkedPointer(b, operand, space, 8, 8);
}

/** mbarrier.arrive and .arrive_drop, with .expect_tx or .noComplete; d may be `_` or left out. */
function arrive(b: Builder, i: Instruction): void {
  const withState = i.operands[0].kind !== "address";
  const [address, amount] = withState ? i.operands.slice(1) : i.operands;
  const ea = mbarrierAddress(b, address, spaceOf(i));
  const given = amount ? b.read(amount, U32) : b.i32(1);
  const expects = i.mods.includes("expect_tx");
  const [count, bytes] = expects ? [b.i32(1), given] : [given, b.i32(0)];
  const state = b.lib(`mbarrier_${i.mods[0]}`, [ea, count, bytes], true);
  if (withState) b.write(i.operands[0], state, B64);
}

/** test_wait and try_wait: a try that does not block is one whose time is up at once. */
function wait(b: Builder, i: Instruction): void {
  const [p, address, phase] = i.operands;
  const ea = mbarrierAddress(b, address, spaceOf(i));
  const done = i.mods.includes("parity")
    ? b.lib("mbarrier_test_parity", [ea, b.read(phase, U32)], true)
    : b.lib("mbarrier_test", [ea, b.read(phase, B64)], true);
  b.write(p, b.emit("i32_ne", I1, [done, b.i32(0)]), PRED);
}

/** mbarrier (PTX ISA §9.7.13.15): library functions on an object of our own layout. */
const mbarrier: Lowering = (b, i) => {
  const [first, second] = i.operands;
  switch (i.mods[0]) {
    case "init":
    case "expect_tx":
    case "complete_tx": {
      const ea = mbarrierAddress(b, first, spaceOf(i));
      b.lib(`mbarrier_${i.mods[0]}`, [ea, b.read(second, U32)], true);
      return true;
    }
    case "inval":
      b.lib("mbarrier_inval", [mbarrierAddress(b, first, spaceOf(i))], true);
      return true;
    case "arrive":
    case "arrive_drop":
      arrive(b, i);
      return true;
    case "test_wait":
    case "try_wait":
      wait(b, i);
      return true;
    case "pending_count":
      b.write(first, b.coerce(b.lib("mbarrier_pending_count", [b.read(second, B64)]), I32), U32);
      return true;
    default:
      return false;
  }
};

/** Memory barriers (PTX ISA §9.7.13.15). */
export const mbarriers: Record<string, Lowering> = { mbarrier };
