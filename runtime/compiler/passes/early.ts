import { hasEffect, isPure, type Region, type Value } from "../ir/ir.ts";

/**
 * Moves address checks in front of their block's first effect, with the pure values that they need.
 * A lane group whose checks all come before its effects can start over when one of them fails.
 */
export function checkEarly(region: Region): void {
  for (const block of region.blocks) {
    const first = block.values.findIndex((v) => hasEffect(v) && v.op !== "check");
    if (first < 0) continue;
    const late = new Set(block.values.slice(first));
    const moved = new Set<Value>();
    const needs = (v: Value, into: Set<Value>): boolean => {
      if (!late.has(v) || moved.has(v) || into.has(v)) return true;
      if (!isPure(v) || v.op === "load") return false;
      for (const a of v.args) if (!needs(a, into)) return false;
      into.add(v);
      return true;
    };
    for (const v of block.values.slice(first)) {
      if (v.op !== "check") continue;
      const chain = new Set<Value>();
      if (!v.args.every((a) => needs(a, chain))) continue;
      for (const c of chain) moved.add(c);
      moved.add(v);
    }
    if (moved.size === 0) continue;
    block.values = [
      ...block.values.slice(0, first),
      ...moved,
      ...block.values.slice(first).filter((v) => !moved.has(v)),
    ];
  }
}
