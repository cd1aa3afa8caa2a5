import type { Region, Value } from "../ir/ir.ts";
import { alignmentImplied } from "./simplify.ts";

/**
 * Joins the address checks of one block that share their address: the first one checks the whole
 * span, the others go. (`a[i]`, `a[i+1]`, … of an unrolled loop become one check.)
 */
export function mergeChecks(region: Region): void {
  const forward = new Map<Value, Value>();
  for (const block of region.blocks) {
    const firsts = new Map<string, Value>();
    const kept: Value[] = [];
    for (const v of block.values) {
      if (v.op === "call" || v.op === "host" || v.op === "trap") firsts.clear();
      if (v.op !== "check") {
        kept.push(v);
        continue;
      }
      const key = `${v.args[0].id} ${v.aux.space}`;
      const first = firsts.get(key);
      if (first && join(first, v)) forward.set(v, first);
      else {
        firsts.set(key, v);
        kept.push(v);
      }
    }
    block.values = kept;
  }
  if (forward.size === 0) return;
  const fix = (v: Value) => forward.get(v) ?? v;
  for (const block of region.blocks) {
    for (const v of block.values) v.args = v.args.map(fix);
    const t = block.terminator;
    if (t?.kind === "branch") t.cond = fix(t.cond);
    else if (t?.kind === "cut" && t.state) {
      t.state.sources = t.state.sources.map(fix);
      t.state.operands = t.state.operands.map(fix);
      for (const s of t.state.spills) s.value = fix(s.value);
    }
  }
}

/** Widens check `a` by `b`, if one test can do both. */
function join(a: Value, b: Value): boolean {
  const [from, to] = [Number(a.aux.offset), Number(b.aux.offset)];
  const strict = (b.aux.align as number) > (a.aux.align as number) ? b : a;
  if (!alignmentImplied(strict, strict === a ? b : a)) return false;
  const offset = Math.min(from, to);
  const end = Math.max(from + (a.aux.size as number), to + (b.aux.size as number));
  if (end - offset > 65536) return false;
  const align = strict.aux.align as number;
  // The test looks at the alignment of the span's first byte.
  if (((strict.aux.offset as number) - offset) % align !== 0) return false;
  a.aux = { ...a.aux, offset, size: end - offset, align };
  return true;
}
