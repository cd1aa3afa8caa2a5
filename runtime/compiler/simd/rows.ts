import { isPure, type Region, type Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import { accessPattern } from "./patterns.ts";
import { UNIFORM } from "./shapes.ts";

/**
 * How the sure body of a row of blocks goes through blocks of several rows of threads: row after row,
 * each over its groups.
 */
export interface Rows {
  /** Values that are the same for all threads of a row, in order. */
  values: Value[];
  /** Rows go through all blocks of the run at once; else block after block. */
  across: boolean;
}

/**
 * Moves what is the same for a row of threads out of a body, and tells in which order the rows are
 * best gone through. Where lanes lie side by side in every access, long rows stream through memory;
 * where not, a column that a row touches is one that the block's next row goes on with.
 * @param region the body's own copy
 * @param prologue values of the block
 */
export function hoistRows(region: Region, prologue: readonly Value[], d: Divergence): Rows {
  const known = new Set(prologue);
  const isKnown = (v: Value) => v.op === "const" || known.has(v);
  const values: Value[] = [];
  for (const block of d.graph.order) {
    block.values = block.values.filter((v) => {
      const movable = isPure(v) && v.op !== "load" && v.op !== "const" && d.of(v).kind === UNIFORM;
      if (!movable || !v.args.every(isKnown)) return true;
      known.add(v);
      values.push(v);
      return false;
    });
  }
  const checks = region.blocks.flatMap((b) => b.values.filter((v) => v.op === "check"));
  const across = checks.every((v) => {
    const { stride, tried } = accessPattern((x) => d.of(x), v);
    return stride !== undefined && !tried && stride <= 2 * (v.aux.size as number);
  });
  return { values, across };
}
