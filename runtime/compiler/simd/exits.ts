import { Graph } from "../analysis/graph.ts";
import { type Block, type Region, retarget, type Value } from "../ir/ir.ts";
import { replaceAll } from "../passes/branches.ts";
import type { Divergence } from "./divergence.ts";
import { VARYING } from "./shapes.ts";

/** A branch by which some lanes leave a loop while others stay. */
export interface Leaving {
  exit: Block;
  stay: Block;
  /** Whether those that stay begin the next round. */
  back: boolean;
  /** Whether lanes leave where the condition is false. */
  negate: boolean;
}

/**
 * The branch at block `k`, if it is the only way from there to go on in the loop, and the lanes that leave
 * take values along which the others don't have yet: these then run aside, in rounds in which there are
 * such lanes, and the loop itself does not blend anything.
 */
export function leavingAt(d: Divergence, k: number): Leaving | undefined {
  const { graph } = d;
  const block = graph.order[k];
  const t = block.terminator;
  const loop = graph.loopOf[k];
  if (t?.kind !== "branch" || !d.branches.has(block) || !loop || !d.loops.has(loop))
    return undefined;
  const leaves = (b: Block) => !d.inLoop(loop, graph.index.get(b) as number);
  if (leaves(t.yes) === leaves(t.no)) return undefined;
  const negate = leaves(t.no);
  const [exit, stay] = negate ? [t.no, t.yes] : [t.yes, t.no];
  const back = graph.index.get(stay) === loop.header;
  if (!back && stay.preds.length > 1) return undefined;
  const takes = exit.values.some((v) => v.op === "phi" && d.of(v).kind === VARYING);
  const keeps = keptAlong(d, k, exit).some((v) => d.of(v).kind === VARYING);
  return takes || keeps ? { exit, stay, back, negate } : undefined;
}

/** The `out` operations of values that lanes take along an edge out of loops that they leave apart. */
export function keptAlong(d: Divergence, k: number, target: Block): Value[] {
  const { graph } = d;
  const to = graph.index.get(target) as number;
  const found: Value[] = [];
  for (let loop = graph.loopOf[k]; loop && !d.inLoop(loop, to); loop = loop.parent) {
    for (const [out, home] of d.kept.get(loop) ?? []) {
      if (graph.dominates(graph.index.get(home) as number, k)) found.push(out);
    }
  }
  return found;
}

/**
 * The `out` operations that are done at the exits of their loop, since no lanes leave it but by uniform
 * branches or aside: the others are done in each round.
 */
export function keptAtExits(d: Divergence, aside: (k: number) => boolean): Set<Value> {
  const { graph } = d;
  const found = new Set<Value>();
  for (const [loop, outs] of d.kept) {
    const atExits = loop.blocks.every((k) => {
      const block = graph.order[k];
      if (!d.branches.has(block) || aside(k)) return true;
      const t = block.terminator;
      if (t?.kind !== "branch") return true;
      return [t.yes, t.no].every((b) => d.inLoop(loop, graph.index.get(b) as number));
    });
    if (atExits) for (const out of outs.keys()) found.add(out);
  }
  // What is done in each round takes what is done in each round.
  for (const outs of d.kept.values()) {
    for (const out of outs.keys()) {
      if (found.has(out)) continue;
      for (let [v] = out.args; v.op === "out"; [v] = v.args) found.delete(v);
    }
  }
  return found;
}

/** Takes the `out` operations of an analysis out of its region again, for another one to begin anew. */
export function dropKept(region: Region, d: Divergence): void {
  const from = new Map<Value, Value>();
  for (const outs of d.kept.values()) for (const out of outs.keys()) from.set(out, out.args[0]);
  const to = (v: Value): Value => {
    let at = v;
    for (let n = from.get(at); n; n = from.get(at)) at = n;
    return at;
  };
  for (const b of region.blocks) b.values = b.values.filter((v) => !from.has(v));
  replaceAll(region.blocks, to);
}

/** Lets branches out of loops that lead to an empty block lead to where it does. */
export function threadExits(region: Region): void {
  const graph = new Graph(region.start);
  const headers = new Set(graph.loops.map((l) => graph.order[l.header]));
  const empty = new Set<Block>();
  for (const block of region.blocks) {
    const t = block.terminator;
    const [from, ...others] = block.preds;
    if (t?.kind !== "jump" || !from || others.length > 0 || block.values.length > 0) continue;
    if (from.terminator?.kind !== "branch" || from.terminator.yes === from.terminator.no) continue;
    const loop = graph.loopOf[graph.index.get(from) as number];
    if (!loop || loop.blocks.includes(graph.index.get(block) as number)) continue;
    const { target } = t;
    if (headers.has(target) || target.preds.includes(from)) continue;
    target.preds[target.preds.indexOf(block)] = from;
    retarget(from, (b) => (b === block ? target : b));
    empty.add(block);
  }
  region.blocks = region.blocks.filter((b) => !empty.has(b));
}
