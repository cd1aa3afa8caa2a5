import type { Cut, Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";

/**
 * The cut to stop at where all warps read the same place of shared memory, exchange values, and then
 * store to shared memory, without a barrier in between. Such code (a block's sum that is read by all, and
 * the next sum right behind it) is short of a barrier, and is right on a GPU all the same, since its warps
 * go side by side: so they do here, up to the first operation behind the load.
 */
export function raceCut(
  d: Divergence,
  prologue: Value[],
  [, y, z]: readonly number[],
): Cut | undefined {
  const known = new Set(prologue);
  const same = new Map<Value, boolean>();
  /** Whether a value is the same in equal lanes of all warps. */
  const isSame = (v: Value): boolean => {
    const before = same.get(v);
    if (before !== undefined) return before;
    same.set(v, false);
    const result = known.has(v) || v.op === "const" || v.aux.name === "laneid" || isLane(v);
    const pure = /^(i32_|and1|or1|xor1|not1|select|bool_)/.test(v.op) && v.args.length > 0;
    same.set(v, result || (pure && v.args.every(isSame)));
    return same.get(v) as boolean;
  };
  const isLane = (v: Value): boolean =>
    y * z === 1 &&
    v.op === "i32_and" &&
    v.args[0].aux.name === "tid.x" &&
    (v.args[1].imm & ~31) === 0;
  const { order } = d.graph;
  const branches = order.flatMap(({ terminator: t }, k) =>
    t?.kind === "branch" && t.yes !== t.no && !isSame(t.cond) ? [k] : [],
  );
  const allCome = (k: number) => !branches.some((b) => b !== k && d.partial(b).has(k));
  let loaded = false;
  let stop: Cut | undefined;
  for (const [k, block] of order.entries()) {
    const come = allCome(k);
    for (const v of block.values) {
      const [address] = v.args;
      // A place that is known to be there needs no check.
      const place = address?.op === "check" ? address.args[0] : address;
      if (v.op === "load" && v.aux.space === "shared" && come && isSame(place)) {
        loaded = true;
      } else if (v.op === "warp" && loaded && come) stop ??= v.aux.cut;
      else if (v.op === "store" && v.aux.space === "shared" && stop) return stop;
    }
  }
  return undefined;
}
