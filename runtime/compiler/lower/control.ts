import { NONE } from "../ir/ir.ts";
import type { Lowering } from "./instructions.ts";
import { ptxType } from "./types.ts";

const bra: Lowering = (b, i) => {
  const [target] = i.operands;
  if (target.kind !== "label") throw b.error("a label was expected");
  b.block.terminator = { kind: "jump", target: b.fn.blockOf(target.label) };
  return true;
};

/** brx.idx: a jump through a list of labels; an index outside is undefined, here the last one. */
const brx: Lowering = (b, i) => {
  const [index, list] = i.operands;
  if (list.kind !== "proto") throw b.error("a list of branch targets was expected");
  const targets = list.proto.labels.map((l) => b.fn.blockOf(l));
  b.block.terminator = { kind: "switch", index: b.read(index, ptxType("u32")), targets };
  return true;
};

const ret: Lowering = (b) => {
  b.fn.lowerReturn();
  return true;
};

const exit: Lowering = (b) => {
  b.block.terminator = { kind: "exit" };
  return true;
};

const trap: Lowering = (b) => {
  b.emit("trap", NONE, [], { site: b.site() });
  b.block.terminator = { kind: "exit" };
  return true;
};

/** nanosleep: a hint that the thread waits for others; it marks the loop around it as a wait. */
const nanosleep: Lowering = (b) => {
  b.emit("nanosleep", NONE, [], { effect: true });
  return true;
};

const nothing: Lowering = () => true;

/** Control flow (PTX ISA §9.7.11) and what has no effect on one device. */
export const control: Record<string, Lowering> = {
  bra,
  brx,
  ret,
  exit,
  trap,
  brkpt: trap,
  nanosleep,
  pmevent: nothing,
  griddepcontrol: nothing,
  setmaxnreg: nothing,
};
