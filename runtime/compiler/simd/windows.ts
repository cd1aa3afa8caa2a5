import { Graph } from "../analysis/graph.ts";
import { hasEffect, type Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import type { GroupVariant } from "./group-region.ts";
import { countUses } from "./jam.ts";
import { accessPattern } from "./patterns.ts";

const WORD = 4;
/** Bytes of a vector. */
const VECTOR = 16;

/** Where a load's address points to, but for a constant. */
interface Place {
  key: string;
  offset: number;
}

/**
 * Loads of four neighbouring words that lie between two others (`p[i + 1]` beside `p[i]` of this group
 * and of the next one) become shuffles of these: of a stencil's loads those of one alignment are left.
 * Nothing may be stored between them. Only where the checks pass in any case, and where an engine makes
 * one instruction of such a shuffle: V8, which also is the one that has fused multiply-adds.
 */
export function loadsFromNeighbours({ linear, divergence: d, given }: GroupVariant): void {
  if (!given) return;
  const { order } = new Graph(linear.start);
  for (const block of order) {
    const seen = new Map<string, Map<number, Value>>();
    for (const v of block.values) {
      if (v.op === "load" && isVector(v, d, given.checks)) {
        const { key, offset } = placeOf(v);
        const loads = seen.get(key) ?? new Map<number, Value>();
        seen.set(key, loads);
        if (!joinsNeighbours(v, loads, offset)) loads.set(offset, v);
      } else if (
        /^(phi_move|group_.*|owned_.*|store_pair)$/.test(v.op) ||
        (!/^(load|check)$/.test(v.op) && hasEffect(v))
      )
        seen.clear();
    }
  }
  countUses(order);
}

/** Makes a load a shuffle of two others, if they are there. */
function joinsNeighbours(v: Value, loads: ReadonlyMap<number, Value>, offset: number): boolean {
  for (let words = 1; words < VECTOR / WORD; words++) {
    const low = loads.get(offset - words * WORD);
    const high = loads.get(offset - words * WORD + VECTOR);
    if (low?.type !== v.type || high?.type !== v.type) continue;
    v.op = "window";
    v.args = [low, high];
    v.imm = words;
    v.aux = {};
    return true;
  }
  return false;
}

function isVector(v: Value, d: Divergence, sure: ReadonlyMap<Value, boolean>): boolean {
  const [check] = v.args;
  if (v.aux.size !== WORD || v.aux.ordered || !sure.has(check) || check.args.length < 2)
    return false;
  const { stride, tried } = accessPattern((x) => d.of(x), check);
  return stride === WORD && !tried;
}

/** The address of lane 0: a base without the constants that are added to it, and the index. */
function placeOf(load: Value): Place {
  const [check] = load.args;
  let [base, index] = check.args;
  let offset = load.aux.offset as number;
  for (let [a, b] = base.args; base.op === "i64_add"; [a, b] = base.args) {
    const [rest, by] = b.op === "const" ? [a, b] : [b, a];
    if (by.op !== "const") break;
    offset += Number(BigInt.asIntN(64, by.big));
    base = rest;
  }
  const { signed = false, scale = 1 } = check.aux;
  return { key: `${base.id} ${index.id} ${signed} ${scale}`, offset };
}
