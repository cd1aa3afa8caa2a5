import { I1, I32, type Type } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { lastType, type PtxType, ptxType } from "./types.ts";

const U32 = ptxType("u32");
const PRED = ptxType("pred");

type Destination = { register: number; type: Type };
const UNUSED: Destination = { register: -1, type: I32 };

function destination(b: Builder, o: Operand | undefined): Destination {
  if (!o || o.kind === "sink") return UNUSED;
  if (o.kind !== "reg") throw b.error("a register was expected");
  const register = b.fn.registerOf(o.reg);
  return { register, type: b.fn.registers[register].type };
}

/** Ends the block with a warp-wide operation of the device library. */
function warpOperation(
  b: Builder,
  name: string,
  destinations: Destination[],
  sources: { operand: Operand; type: PtxType }[],
  mask: Operand | undefined,
): void {
  if (!b.fn.library.find(name)) throw b.unsupported();
  const values = sources.map(({ operand, type }) => {
    const v = b.read(operand, type);
    return v.type === I1 ? b.coerce(v, I32) : v;
  });
  b.fn.cut({
    kind: mask ? "warp" : "gather",
    operands: mask ? [b.read(mask, U32)] : [],
    warpOp: name,
    destinations,
    sources: values,
    scratchBytes: 0,
  });
}

const named = (i: Instruction) => i.mnemonic.replaceAll(".", "_").replaceAll("::", "_");

/** shfl{.sync}.mode.b32 d|p, a, b, c{, membermask}: slots d, p, a, b, c. */
const shfl: Lowering = (b, i) => {
  const [d, a, lane, clamp, mask] = i.operands;
  const pair = d.kind === "pair";
  const sources = [a, lane, clamp].map((operand) => ({ operand, type: U32 }));
  const destinations = [
    destination(b, pair ? d.first : d),
    destination(b, pair ? d.second : undefined),
  ];
  warpOperation(
    b,
    `shfl_sync_${i.mods.filter((m) => m !== "sync").join("_")}`,
    destinations,
    sources,
    mask,
  );
  return true;
};

/** vote{.sync}.mode d, a{, membermask}: slots d, a. */
const vote: Lowering = (b, i) => {
  const [d, a, mask] = i.operands;
  const name = `vote_sync_${i.mods.filter((m) => m !== "sync").join("_")}`;
  warpOperation(b, name, [destination(b, d)], [{ operand: a, type: PRED }], mask);
  return true;
};

/** match.any.sync d, a, mask (slots d, a); match.all.sync d|p, a, mask (slots d, p, a). */
const match: Lowering = (b, i) => {
  const [d, a, mask] = i.operands;
  const type = lastType(i.mods) as PtxType;
  const name = named(i);
  if (i.mods.includes("all")) {
    const pair = d.kind === "pair";
    const destinations = [
      destination(b, pair ? d.first : d),
      destination(b, pair ? d.second : undefined),
    ];
    warpOperation(b, name, destinations, [{ operand: a, type }], mask);
  } else warpOperation(b, name, [destination(b, d)], [{ operand: a, type }], mask);
  return true;
};

/** redux.sync.op.type d, a, membermask: slots d, a. */
const redux: Lowering = (b, i) => {
  const [d, a, mask] = i.operands;
  const type = lastType(i.mods) as PtxType;
  warpOperation(b, named(i), [destination(b, d)], [{ operand: a, type }], mask);
  return true;
};

/** elect.sync d|p, membermask: slots d, p. */
const elect: Lowering = (b, i) => {
  const [d, mask] = i.operands;
  if (d.kind !== "pair") throw b.error("a register and a predicate were expected");
  warpOperation(b, "elect_sync", [destination(b, d.first), destination(b, d.second)], [], mask);
  return true;
};

/** activemask.b32 d: the lanes that arrive together. */
const activemask: Lowering = (b, i) => {
  warpOperation(b, "activemask_b32", [destination(b, i.operands[0])], [], undefined);
  return true;
};

/** Warp-wide operations (PTX ISA §9.7.9 shfl, §9.7.13 vote, match, redux, elect; §9.7.14 mma). */
export const warps: Record<string, Lowering> = {
  shfl,
  vote,
  match,
  redux,
  elect,
  activemask,
};
