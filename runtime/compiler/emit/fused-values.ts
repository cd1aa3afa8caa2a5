import { type Block, F32, F64, type Value } from "../ir/ir.ts";
import { terminatorValues } from "./locals.ts";

/**
 * The fused multiply-adds of a region, the phis that hand them on, and loads for nothing else: a sum that
 * goes round a loop stays in one register as it is.
 */
export function fusedValues(blocks: Block[]): Set<Value> {
  const users = new Map<Value, Value[]>();
  const values = blocks.flatMap((b) => b.values);
  for (const v of values) {
    for (const a of v.args) {
      const list = users.get(a);
      if (list) list.push(v);
      else users.set(a, [v]);
    }
  }
  const fused = new Set(values.filter((v) => v.op === "f32_fma" || v.op === "f64_fma"));
  const work = [...fused];
  for (let v = work.pop(); v; v = work.pop()) {
    for (const next of [...(users.get(v) ?? []), ...v.args]) {
      if (next.op !== "phi" || fused.has(next)) continue;
      fused.add(next);
      work.push(next);
    }
  }
  const ended = new Set(blocks.flatMap(terminatorValues));
  for (const v of values) {
    if (v.op !== "load" || v.aux.ordered || (v.type !== F32 && v.type !== F64)) continue;
    const all = users.get(v) ?? [];
    if (all.length > 0 && !ended.has(v) && all.every((u) => fused.has(u))) fused.add(v);
  }
  return fused;
}
