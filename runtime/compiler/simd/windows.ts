import { Graph } from "../analysis/graph.ts";
import { hasEffect, type Value } from "../ir/ir.ts";
import type { GroupVariant } from "./group-region.ts";
import { countUses } from "./jam.ts";
import { accessPattern } from "./patterns.ts";
import { Places } from "./places.ts";

const WORD = 4;
/** Bytes of a vector. */
const VECTOR = 16;

/**
 * Loads of four neighbouring words that lie between two others (`p[i + 1]` beside `p[i]` of this group
 * and of the next one) become shuffles of these: of a stencil's loads those of one alignment are left.
 * Nothing may be stored between them. Only where the checks pass in any case, and where an engine makes
 * one instruction of such a shuffle: V8, which also is the one that has fused multiply-adds.
 */
export function loadsFromNeighbours(variant: GroupVariant): void {
  if (!variant.given) return;
  const { order } = new Graph(variant.linear.start);
  const places = new Places();
  for (const block of order) {
    let loads = new KnownLoads(variant, places);
    for (const v of block.values) {
      if (v.op === "load") {
        if (!loads.joins(v)) loads.add(v);
      } else if (
        /^(phi_move|group_.*|owned_.*|store_pair)$/.test(v.op) ||
        (v.op !== "check" && hasEffect(v))
      )
        loads = new KnownLoads(variant, places);
    }
  }
  countUses(order);
}

/** What has been loaded in a sure body, by its place. */
export class KnownLoads {
  private readonly variant: GroupVariant;
  private readonly places: Places;
  private readonly loads = new Map<string, Value>();

  constructor(variant: GroupVariant, places: Places) {
    this.variant = variant;
    this.places = places;
  }

  add(load: Value): void {
    this.loads.set(this.at(load), load);
  }

  /** The load of the same words, or of words so many bytes away, that is there already. */
  find(load: Value, away = 0): Value | undefined {
    return this.loads.get(this.at(load, away));
  }

  /** Makes a load a shuffle of two others, if they are there. */
  joins(v: Value): boolean {
    if (!isVector(v, this.variant)) return false;
    for (let words = 1; words < VECTOR / WORD; words++) {
      const low = this.find(v, -words * WORD);
      const high = this.find(v, VECTOR - words * WORD);
      if (!low || !high) continue;
      v.op = "window";
      v.args = [low, high];
      v.imm = words;
      v.aux = {};
      return true;
    }
    return false;
  }

  private at(load: Value, away = 0): string {
    const { type, aux, args } = load;
    const sure = this.variant.given?.checks.has(args[0]);
    if (!sure || aux.ordered || aux.space !== "generic") return `only ${load.id}`;
    const { key, offset } = this.places.of(load);
    return [type, aux.size, aux.signed, isVector(load, this.variant), key, offset + away].join();
  }
}

/** Whether a load is of four neighbouring words. */
function isVector({ args: [check], aux }: Value, { divergence: d }: GroupVariant): boolean {
  if (aux.size !== WORD || check.args.length < 2) return false;
  const { stride, tried } = accessPattern((x) => d.of(x), check);
  return stride === WORD && !tried;
}
