import { hasEffect, type Region, type Value } from "../ir/ir.ts";

/** Drops values that nobody needs, and counts the uses of the others. */
export function eliminateDead(region: Region, prologue: Value[]): Value[] {
  const live = new Set<Value>();
  const work: Value[] = [];
  const need = (v: Value) => {
    v.uses++;
    if (live.has(v)) return;
    live.add(v);
    work.push(v);
  };
  const all = [prologue, ...region.blocks.map((b) => b.values)];
  for (const list of all) for (const v of list) v.uses = 0;
  for (const list of all) {
    for (const v of list) {
      if (hasEffect(v) && !live.has(v)) {
        live.add(v);
        work.push(v);
      }
    }
  }
  for (const b of region.blocks) {
    const t = b.terminator;
    if (t?.kind === "branch") need(t.cond);
    else if (t?.kind === "switch") need(t.index);
    else if (t?.kind === "cut" && t.state) {
      t.state.operands.forEach(need);
      t.state.sources.forEach(need);
      for (const s of t.state.spills) need(s.value);
    }
  }
  for (let v = work.pop(); v; v = work.pop()) v.args.forEach(need);
  for (const b of region.blocks) b.values = b.values.filter((v) => live.has(v));
  return prologue.filter((v) => live.has(v));
}
