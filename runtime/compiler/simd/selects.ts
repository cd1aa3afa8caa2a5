import type { Graph } from "../analysis/graph.ts";
import { I32, type Value } from "../ir/ir.ts";
import { replaceAll } from "../passes/branches.ts";
import type { Extents } from "./extents.ts";

/**
 * Indices that are kept inside an array, by a bound (`min(x + 1, n - 1)`) or by going round
 * (`x == n - 1 ? 0 : x + 1`): what all threads of a block but those at the edge choose is taken as
 * given, where an address is made of it. Returns the tests.
 */
export function takeSelects(graph: Graph, extents: Extents, known: (v: Value) => boolean): Value[] {
  const tests: Value[] = [];
  const inAddress = addressParts(graph);
  const chosen = new Map<Value, Value>();
  const to = (v: Value) => chosen.get(v) ?? v;
  for (const b of graph.order) {
    for (const v of b.values) {
      v.args = v.args.map(to);
      if (v.op !== "select" || v.type !== I32 || !inAddress.has(v)) continue;
      const [cond, yes, no] = v.args;
      if (known(yes) === known(no)) continue;
      const found = extents.always(cond, known(no));
      if (!found) continue;
      tests.push(...found);
      chosen.set(v, known(no) ? yes : no);
    }
  }
  if (chosen.size > 0) replaceAll(graph.order, to);
  return tests;
}

/** What the addresses of checks in a region are computed from. */
function addressParts(graph: Graph): Set<Value> {
  const parts = new Set<Value>();
  const work = graph.order.flatMap((b) => b.values.filter((v) => v.op === "check"));
  for (let v = work.pop(); v; v = work.pop()) {
    for (const a of v.args) {
      if (parts.has(a) || a.op === "load") continue;
      parts.add(a);
      work.push(a);
    }
  }
  return parts;
}
