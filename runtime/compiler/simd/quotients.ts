import type { Graph } from "../analysis/graph.ts";
import type { Value } from "../ir/ir.ts";
import { replaceAll } from "../passes/branches.ts";
import type { Extents } from "./extents.ts";
import type { Inductions } from "./inductions.ts";

/** What is computed from a quotient and values of the block is such a value, too. */
const SIMPLE = /^(not1|i32_(add|sub|and|eq|ne|eqz|lt_[su]|le_[su]|gt_[su]|ge_[su]))$/;

/** Quotients that all threads of a block have in common. */
export interface Quotients {
  tests: Value[];
  /** Values of the block that the body uses from now on. */
  values: Value[];
}

/**
 * Loops that move on by the size of the grid are unrolled by compilers: how often a thread goes round is
 * a quotient then (`(n - 1 - i) / stride + 1`), of which some rounds are done first. In all blocks but
 * the one in which the array ends it is the same for all threads, which is tested and taken as given.
 */
export function takeQuotients(graph: Graph, extents: Extents, inductions: Inductions): Quotients {
  const tests: Value[] = [];
  const chosen = new Map<Value, Value>();
  const to = (v: Value) => chosen.get(v) ?? v;
  for (const b of graph.order) {
    for (const v of b.values) {
      if (v.op === "phi") continue;
      const args = v.args.map(to);
      const found = extents.quotient(v);
      if (found) {
        tests.push(...found.tests);
        chosen.set(v, found.value);
      } else if (SIMPLE.test(v.op) && args.some((a, k) => a !== v.args[k])) {
        const value = extents.again(v, args);
        if (value) chosen.set(v, value);
      }
    }
  }
  if (chosen.size > 0) {
    replaceAll(graph.order, to);
    inductions.replace(to);
  }
  return { tests, values: [...new Set(chosen.values())].filter((v) => v.op !== "const") };
}
