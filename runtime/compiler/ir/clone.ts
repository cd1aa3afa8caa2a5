import { Block, type CutState, type Region, type Terminator, Value } from "./ir.ts";

/** A copy of a region, and what became of its blocks and values. */
export interface RegionCopy {
  region: Region;
  block(b: Block): Block;
  value(v: Value): Value;
}

/** A copy that passes may change; prologue values are shared. */
export function cloneRegion(region: Region): Region {
  return copyRegion(region).region;
}

/** The same, with the way from the region's blocks and values to the copy's. */
export function copyRegion(region: Region): RegionCopy {
  const blocks = new Map<Block, Block>();
  const values = new Map<Value, Value>();
  for (const b of region.blocks) {
    const copy = new Block(b.id);
    copy.line = b.line;
    blocks.set(b, copy);
    for (const v of b.values) {
      const c = new Value(v.op, v.type, v.args, v.imm, v.big, v.aux);
      values.set(v, c);
      copy.values.push(c);
    }
  }
  const to = (b: Block) => blocks.get(b) as Block;
  const of = (v: Value) => values.get(v) ?? v;
  for (const b of region.blocks) {
    const copy = to(b);
    copy.preds = b.preds.map(to);
    for (const v of b.values) (values.get(v) as Value).args = v.args.map(of);
    copy.terminator = cloneTerminator(b.terminator as Terminator, to, of);
  }
  const copy = { ...region, start: to(region.start), blocks: region.blocks.map(to) };
  return { region: copy, block: to, value: of };
}

function cloneTerminator(
  t: Terminator,
  to: (b: Block) => Block,
  of: (v: Value) => Value,
): Terminator {
  if (t.kind === "jump") return { kind: "jump", target: to(t.target) };
  if (t.kind === "branch")
    return { kind: "branch", cond: of(t.cond), yes: to(t.yes), no: to(t.no) };
  if (t.kind === "switch")
    return { kind: "switch", index: of(t.index), targets: t.targets.map(to) };
  if (t.kind !== "cut" || !t.state) return t;
  const state: CutState = {
    spills: t.state.spills.map((s) => ({ register: s.register, value: of(s.value) })),
    operands: t.state.operands.map(of),
    sources: t.state.sources.map(of),
  };
  return { kind: "cut", cut: t.cut, state };
}
