import { cloneRegion } from "../ir/clone.ts";
import type { LoweredFunction } from "../ir/ir.ts";
import type { OptimizedRegion } from "../pipeline.ts";
import { Divergence } from "./divergence.ts";
import { AFFINE, join, type Shape, sameShape, UNKNOWN, unknown, varying } from "./shapes.ts";

/**
 * The shapes of registers that live across cuts, found together with the shapes inside the regions.
 * Only if all lanes of a group always reach the same cut do they stay in step; else lanes that
 * reload a register may be in different rounds of a loop, and everything varies.
 */
export function registerShapes(
  fn: LoweredFunction,
  regions: OptimizedRegion[],
  block: readonly [number, number, number],
  lanes: number,
): Map<number, Shape> {
  const shapes = new Map<number, Shape>();
  if (fn.cuts.length === 0 || fn.cuts.some((c) => c.kind === "wait")) return shapes;
  for (const { region } of regions) {
    for (const b of region.blocks) {
      const t = b.terminator;
      if (t?.kind === "cut" && t.state)
        for (const s of t.state.spills) shapes.set(s.register, unknown);
      for (const v of b.values) if (v.op === "reload") shapes.set(v.imm, unknown);
    }
  }
  const register = (index: number) => shapes.get(index) ?? varying;
  const loading = new Map<number, OptimizedRegion[]>();
  for (const own of regions) {
    for (const b of own.region.blocks) {
      for (const v of b.values) {
        if (v.op !== "reload") continue;
        const list = loading.get(v.imm);
        if (!list) loading.set(v.imm, [own]);
        else if (!list.includes(own)) list.push(own);
      }
    }
  }
  // Regions are looked at again when registers that they load have got other shapes.
  const stale = new Set(regions);
  const set = (index: number, shape: Shape) => {
    shapes.set(index, shape);
    for (const own of loading.get(index) ?? []) stale.add(own);
  };
  while (stale.size > 0) {
    for (const own of regions) {
      if (!stale.delete(own)) continue;
      const copy = cloneRegion(own.region);
      const d = new Divergence(copy, own.prologue, { block, lanes, register });
      if (!inStep(d) || namesLanes(d)) return new Map();
      for (const b of copy.blocks) {
        const t = b.terminator;
        if (t?.kind !== "cut" || !t.state) continue;
        for (const { register: r, value } of t.state.spills) {
          const old = shapes.get(r) ?? varying;
          const next = join(old, d.of(value));
          if (!sameShape(old, next)) set(r, next);
        }
      }
    }
    if (stale.size > 0) continue;
    // Registers that are loaded but that no region saves: code that nothing reaches.
    for (const [r, s] of shapes) if (s.kind === UNKNOWN) set(r, varying);
  }
  return shapes;
}

/** Whether lanes that start together can only stop at one cut, or exit. */
function inStep(d: Divergence): boolean {
  const { graph } = d;
  for (const b of d.branches) {
    const k = graph.index.get(b) as number;
    const cuts = new Set<number>();
    graph.order.forEach((other, n) => {
      if (n <= k || other.terminator?.kind !== "cut") return;
      if (d.partial(k).has(n)) cuts.add(other.terminator.cut.entry);
    });
    // A cut that only some lanes reach is shared with one that the others reach later on.
    if (cuts.size > 0) {
      for (const other of graph.order) {
        if (other.terminator?.kind === "cut") cuts.add(other.terminator.cut.entry);
      }
    }
    if (cuts.size > 1) return false;
  }
  for (const loop of d.loops) {
    const entries = new Set<number>();
    for (const b of graph.order)
      if (b.terminator?.kind === "cut") entries.add(b.terminator.cut.entry);
    if (entries.size > 1 && loop.blocks.some((n) => graph.order[n].terminator?.kind === "cut"))
      return false;
  }
  return true;
}

/**
 * Whether lanes of a group may wait at one cut for different ones: with member masks or barriers
 * that differ, some go on before the others (`tiled_partition<2>`).
 */
function namesLanes(d: Divergence): boolean {
  return d.graph.order.some(({ terminator: t }) => {
    if (t?.kind !== "cut" || !t.state) return false;
    return t.state.operands.some((v) => d.of(v).kind >= AFFINE);
  });
}
