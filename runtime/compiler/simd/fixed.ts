import { cloneRegion } from "../ir/clone.ts";
import { I32, isPure, type Region, Value } from "../ir/ir.ts";
import { constant, fold } from "../passes/fold.ts";

/** Values that a parameter is given a body of its own for, where it isn't a multiple of four. */
export const FIXED_VALUES = [1, 2];

/**
 * A copy of a region in which a parameter is a constant.
 * @param prologue values of the block that the region uses
 * @returns the copy, the region's values by those of the copy, and constants that it uses, which are in no block
 */
export function withParameter(
  region: Region,
  prologue: readonly Value[],
  param: Value,
  value: number,
): { region: Region; from: Map<Value, Value>; constants: Value[] } {
  const copy = cloneRegion(region);
  const from = new Map<Value, Value>();
  region.blocks.forEach((b, n) => {
    b.values.forEach((v, k) => {
      from.set(copy.blocks[n].values[k], v);
    });
  });
  const constants: Value[] = [];
  const place = (v: Value): Value => {
    if (v.op === "const") constants.push(v);
    return v;
  };
  const instead = new Map<Value, Value>([[param, place(constant(I32, value))]]);
  const resolve = (v: Value) => instead.get(v) ?? v;
  const folded = (v: Value): Value => {
    let to = v;
    for (let next = fold(to); next !== to; next = fold(to)) to = next;
    return to;
  };
  for (const v of prologue) {
    if (!isPure(v) || !v.args.some((a) => instead.has(a))) continue;
    const to = folded(new Value(v.op, v.type, v.args.map(resolve), v.imm, v.big, v.aux));
    if (to.op === "const") instead.set(v, place(to));
  }
  const own = new Set(copy.blocks.flatMap((b) => b.values));
  for (const b of copy.blocks) {
    for (const v of b.values) {
      v.args = v.args.map(resolve);
      if (!isPure(v) || v.args.length === 0) continue;
      const to = folded(v);
      if (to === v) continue;
      if (to.op === "const" || own.has(to) || prologue.includes(to)) {
        instead.set(v, constants.includes(to) ? to : place(to));
        continue;
      }
      // Something simpler, of what is there.
      if (!to.args.every((a) => a.op === "const" || own.has(a) || prologue.includes(a))) continue;
      v.op = to.op;
      v.args = to.args.map((a) => (own.has(a) || constants.includes(a) ? a : place(a)));
    }
    const t = b.terminator;
    if (t?.kind === "branch") b.terminator = { ...t, cond: resolve(t.cond) };
  }
  return { region: copy, from, constants: [...new Set(constants)] };
}
