import { Graph } from "../analysis/graph.ts";
import { type Block, F32, I32, type Region, type Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import type { GroupVariant } from "./group-region.ts";
import { UNIFORM, VARYING, varying } from "./shapes.ts";

const AND_NOT: Record<string, string> = { i32_and: "i32_andnot", and1: "andnot1" };

/** Makes `a & ~b` of vectors the one operation that it is for them. */
export function takeAndNot(region: Region, d: Divergence): void {
  const isVector = (v: Value) => d.of(v).kind === VARYING;
  const inverted = (v: Value) => {
    if (!isVector(v)) return undefined;
    if (v.op === "not1") return v.args[0];
    const [a, b] = v.args;
    return v.op === "i32_xor" && b.op === "const" && b.imm === -1 ? a : undefined;
  };
  for (const b of region.blocks) {
    for (const v of b.values) {
      const op = AND_NOT[v.op];
      if (!op || !isVector(v)) continue;
      const k = v.args.findIndex(inverted);
      if (k < 0) continue;
      v.op = op;
      v.args = [v.args[1 - k], inverted(v.args[k]) as Value];
    }
  }
}

/**
 * Loads of what all lanes share go into vectors at once (`aux.splat`), where vectors are all that is
 * computed from them.
 */
export function splatLoads({ linear, divergence: d }: GroupVariant): void {
  const { order } = new Graph(linear.start);
  const loads = new Set<Value>();
  for (const b of order) for (const v of b.values) if (maySplat(v, d)) loads.add(v);
  if (loads.size === 0) return;
  for (const b of order) {
    for (const v of b.values) if (!takesVectors(v, d)) for (const a of v.args) loads.delete(a);
    for (const a of endOf(b)) loads.delete(a);
  }
  for (const v of loads) {
    v.aux = { ...v.aux, splat: true };
    d.shapes.set(v, varying);
  }
}

function maySplat(v: Value, d: Divergence): boolean {
  const fits = (v.type === F32 || v.type === I32) && v.aux.size === 4;
  return v.op === "load" && fits && !v.aux.ordered && v.uses > 0 && d.of(v).kind === UNIFORM;
}

/**
 * Whether an operation takes its operands as vectors, whatever they are. Comparisons of integers are left:
 * of a loop's end it is told later on how soon lanes leave it, by what they share.
 */
const takesVectors = (v: Value, d: Divergence) =>
  d.of(v).kind === VARYING &&
  /^(i32_(add|sub|mul|and|or|xor|andnot)|f32_(add|sub|mul|div|fma|eq|ne|lt|gt|le|ge))$/.test(v.op);

const endOf = ({ terminator: t }: Block): Value[] => (t?.kind === "branch" ? [t.cond] : []);
