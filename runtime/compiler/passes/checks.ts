import type { Block, Region, Value } from "../ir/ir.ts";
import { accessedOnly, alignmentImplied, MAX_STATIC_OFFSET } from "./simplify.ts";

/**
 * Joins the address checks of one block that share their address: the first one checks the whole
 * span, the others go. (`a[i]`, `a[i+1]`, … of an unrolled loop become one check.)
 */
export function mergeChecks(region: Region): void {
  shareBases(region);
  const forward = new Map<Value, Value>();
  for (const block of region.blocks) {
    const firsts = new Map<string, Value>();
    const kept: Value[] = [];
    for (const v of block.values) {
      if (ends(v)) firsts.clear();
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

/** Operations behind which a thread may not come: what follows is not checked in front of them. */
const ends = (v: Value) => v.op === "call" || v.op === "host" || v.op === "trap";

/**
 * Checks whose addresses differ by constants from one that comes first and lies lowest take its
 * address, and their accesses the difference as a static offset: `p[-2]`, `p[-1]`, `p[0]`.
 */
function shareBases(region: Region): void {
  const movable = accessedOnly(region);
  const moved = new Map<Value, number>();
  for (const block of region.blocks) {
    const lowest = new Map<Value, { address: Value; at: bigint }>();
    for (const v of block.values) {
      if (ends(v)) lowest.clear();
      if (v.op !== "check" || v.aux.space !== "generic") continue;
      const { root, at } = rootOf(v.args[0]);
      const low = lowest.get(root);
      if (!low) lowest.set(root, { address: v.args[0], at });
      else if (low.at !== at && movable.has(v)) {
        const by = Number(at - low.at);
        const offset = (v.aux.offset as number) + by;
        if (by < 0 || offset > MAX_STATIC_OFFSET) continue;
        v.args = [low.address];
        v.aux = { ...v.aux, offset };
        moved.set(v, by);
      }
    }
  }
  if (moved.size > 0) for (const block of region.blocks) moveAccesses(block, moved);
}

/** An address as another value and a constant. */
function rootOf(address: Value): { root: Value; at: bigint } {
  const [root, k] = address.args;
  if (address.op !== "i64_add" || k.op !== "const") return { root: address, at: 0n };
  return { root, at: BigInt.asIntN(64, k.big) };
}

function moveAccesses(block: Block, moved: Map<Value, number>): void {
  for (const v of block.values) {
    const by = (v.op === "load" || v.op === "store") && v.args[0] && moved.get(v.args[0]);
    if (by) v.aux = { ...v.aux, offset: (v.aux.offset as number) + by };
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
