import { I1, I32, NONE } from "../ir/ir.ts";
import type { PtxFunction } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { lastType, type PtxType, ptxType } from "./types.ts";

/** Local memory of one thread that alloca draws from, bytes. */
const ALLOCA_BYTES = 16384;

/** Whether a function's own body allocates stack memory. */
export function usesAlloca(fn: PtxFunction): boolean {
  return (fn.body ?? []).some((s) => s.kind === "instr" && s.opcode === "alloca");
}

/** The register that holds how much of the area is in use. */
function top(b: Builder): number {
  return b.fn.stackRegister();
}

function place(b: Builder): number {
  return b.fn.stackArea(ALLOCA_BYTES);
}

/** alloca: the local address of `n` bytes until the function returns (PTX ISA §9.7.12.3). */
const alloca: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  const [d, n, alignment] = i.operands;
  const align = alignment?.kind === "int" ? Number(alignment.value) : 8;
  const area = place(b);
  const used = b.emit("regread", I32, [], undefined, top(b));
  const up = b.emit("i32_add", I32, [used, b.i32(align - 1)]);
  const start = b.emit("i32_and", I32, [up, b.i32(-align)]);
  const bytes = b.read(n, ptxType("u32"));
  const end = b.emit("i32_add", I32, [start, bytes]);
  const fits = b.emit("and1", I1, [
    b.emit("i32_le_u", I1, [bytes, b.i32(ALLOCA_BYTES)]),
    b.emit("i32_le_u", I1, [end, b.i32(ALLOCA_BYTES)]),
  ]);
  b.emit("regwrite", NONE, [end], undefined, top(b));
  const base = b.fn.localAddress(b, area);
  b.write(d, b.coerce(b.emit("i32_add", I32, [base, start]), type.type), type);
  const over = b.fn.newBlock();
  const next = b.fn.newBlock();
  b.block.terminator = { kind: "branch", cond: fits, yes: next, no: over };
  b.block = over;
  b.emit("trap", NONE, [], { site: b.site() });
  b.block.terminator = { kind: "exit" };
  b.block = next;
  return true;
};

/** stacksave and stackrestore: a mark in the area, and back to it (§9.7.12.1 and .2). */
const stacksave: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  const used = b.emit("regread", I32, [], undefined, top(b));
  b.write(i.operands[0], b.coerce(used, type.type), type);
  return true;
};

const stackrestore: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  b.writeRegister(top(b), b.coerce(b.read(i.operands[0], type), I32));
  return true;
};

/** Stack manipulation (PTX ISA §9.7.12). */
export const stacks: Record<string, Lowering> = { alloca, stacksave, stackrestore };
