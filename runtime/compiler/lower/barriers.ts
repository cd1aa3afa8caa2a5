import { I32, NONE } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { ptxType } from "./types.ts";

const U32 = ptxType("u32");
const PRED = ptxType("pred");

/** bar.sync, barrier.cta.sync, .arrive and .red; bar.warp.sync (PTX ISA §9.7.13.1, .2). */
const barrier: Lowering = (b, i) => {
  if (i.mods[0] === "warp") {
    const [mask] = i.operands;
    b.fn.cut({
      kind: "warp",
      operands: [b.read(mask, U32)],
      destinations: [],
      sources: [],
      scratchBytes: 0,
    });
    return true;
  }
  if (i.mods.includes("cluster")) return clusterBarrier(b, i);
  if (i.mods.includes("arrive")) {
    const [id, count] = i.operands;
    if (!count) throw b.error("a thread count was expected");
    b.emit("arrive", NONE, [b.read(id, U32), b.read(count, U32)]);
    return true;
  }
  if (i.mods.includes("red")) return reduce(b, i);
  const [id, count] = i.operands;
  sync(b, id, count);
  return true;
};

function sync(b: Builder, id: Operand | undefined, count: Operand | undefined): void {
  const operands = [id ? b.read(id, U32) : b.i32(0), count ? b.read(count, U32) : b.i32(0)];
  b.fn.cut({ kind: "block", operands, destinations: [], sources: [], scratchBytes: 0 });
}

/** barrier.red: all threads get the count, or the and/or, of their predicates. */
function reduce(b: Builder, i: Instruction): boolean {
  const reduction = i.mods.find((m) => m === "popc" || m === "and" || m === "or");
  const d = i.operands[0];
  if (!reduction || d.kind !== "reg") return false;
  const id = i.operands[1];
  const count = i.operands.length === 4 ? i.operands[2] : undefined;
  const predicate = i.operands[i.operands.length - 1];
  const operands = [b.read(id, U32), count ? b.read(count, U32) : b.i32(0)];
  const source = b.coerce(b.read(predicate, PRED), I32);
  const register = b.fn.registerOf(d.reg);
  const type = b.fn.registers[register].type;
  b.fn.cut({
    kind: "block",
    operands,
    destinations: [{ register, type }],
    sources: [source],
    reduction,
    scratchBytes: 0,
  });
  return true;
}

/** barrier.cluster: arrive notes the thread, wait stops it until all have arrived (§9.7.13.4). */
function clusterBarrier(b: Builder, i: Instruction): boolean {
  if (i.mods.includes("arrive")) {
    b.emit("fence", NONE, []);
    b.emit("arrive", NONE, []);
    return true;
  }
  if (!i.mods.includes("wait")) return false;
  b.fn.cut({ kind: "cluster", operands: [], destinations: [], sources: [], scratchBytes: 0 });
  return true;
}

/** Barriers (PTX ISA §9.7.13). */
export const barriers: Record<string, Lowering> = { bar: barrier, barrier };
