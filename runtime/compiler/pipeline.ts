import { type LoweredFunction, type Region, TYPE_BYTES, type Value } from "./ir/ir.ts";
import { foldBranches } from "./passes/branches.ts";
import { mergeChecks } from "./passes/checks.ts";
import { eliminateDead } from "./passes/dce.ts";
import { expandFma } from "./passes/fma.ts";
import { hoist } from "./passes/hoist.ts";
import { fixShape } from "./passes/shape.ts";
import { simplify } from "./passes/simplify.ts";
import { buildRegion } from "./regions/build.ts";
import { liveRegisters } from "./regions/liveness.ts";
import { Rematerializer } from "./regions/remat.ts";

/** A region ready to be written: `prologue` holds what is the same for all threads of the block. */
export interface OptimizedRegion {
  region: Region;
  prologue: Value[];
}

/** Shows a region after a pass; see `warpring compile --print`. */
export type PassObserver = (pass: string, region: Region, prologue: Value[]) => void;

/** The passes over one region, in order. */
export const PASSES = ["build", "simplify", "checks", "hoist", "dce"] as const;

/**
 * Runs all passes over every region of a lowered function.
 * @param shape threads of a block, where the code is for one shape
 */
export function optimize(
  fn: LoweredFunction,
  fma: "exact" | "relaxed" | "unfused",
  shape: readonly [number, number, number] | undefined,
  observe?: PassObserver,
): OptimizedRegion[] {
  const live = liveRegisters(fn);
  const remat = new Rematerializer(fn);
  return [undefined, ...fn.cuts].map((from) => {
    const region = buildRegion(fn, from, live, remat);
    observe?.("build", region, []);
    if (shape) fixShape(region, shape);
    expandFma(region, fma);
    simplify(region);
    if (foldBranches(region)) simplify(region);
    observe?.("simplify", region, []);
    mergeChecks(region);
    observe?.("checks", region, []);
    const prologue = hoist(region);
    observe?.("hoist", region, prologue);
    const kept = eliminateDead(region, prologue);
    observe?.("dce", region, kept);
    return { region, prologue: kept };
  });
}

/**
 * Gives a spill slot to each register that some region saves: byte offsets for a block of one
 * thread, the 8-byte ones first so that all are aligned. `bytes` is their sum.
 */
export function assignSlots(
  fn: LoweredFunction,
  regions: OptimizedRegion[],
): { slots: Map<number, number>; bytes: number } {
  const saved = new Set<number>();
  for (const { region } of regions) {
    for (const b of region.blocks) {
      const t = b.terminator;
      if (t?.kind === "cut" && t.state) for (const s of t.state.spills) saved.add(s.register);
      for (const v of b.values) if (v.op === "reload") saved.add(v.imm);
    }
  }
  const order = [...saved].sort(
    (a, b) => TYPE_BYTES[fn.registers[b].type] - TYPE_BYTES[fn.registers[a].type] || a - b,
  );
  const slots = new Map<number, number>();
  let bytes = 0;
  for (const register of order) {
    slots.set(register, bytes);
    bytes += TYPE_BYTES[fn.registers[register].type];
  }
  return { slots, bytes };
}
