import { type Cut, type LoweredFunction, type Region, TYPE_BYTES, type Value } from "./ir/ir.ts";
import { type AdjacentRows, findAdjacentRows } from "./passes/adjacent-rows.ts";
import { foldBranches } from "./passes/branches.ts";
import { mergeChecks } from "./passes/checks.ts";
import { eliminateDead } from "./passes/dce.ts";
import { expandFields } from "./passes/fields.ts";
import { expandFma } from "./passes/fma.ts";
import { hoist } from "./passes/hoist.ts";
import { checkIndices } from "./passes/indices.ts";
import { takeWords } from "./passes/members.ts";
import { testRanges } from "./passes/ranges.ts";
import { reroll } from "./passes/reroll.ts";
import { fixShape } from "./passes/shape.ts";
import { simplify } from "./passes/simplify.ts";
import { type AcrossCuts, buildRegion } from "./regions/build.ts";
import { liveRegisters } from "./regions/liveness.ts";
import { Rematerializer } from "./regions/remat.ts";

/** A region ready to be written: `prologue` holds what is the same for all threads of the block. */
export interface OptimizedRegion {
  region: Region;
  prologue: Value[];
  /** Of threads one at a time: what they do for each other's rows. */
  rows?: AdjacentRows | undefined;
}

/** Shows a region after a pass; see `warpring compile --print`. */
export type PassObserver = (pass: string, region: Region, prologue: Value[]) => void;

/** The passes over one region, in order. */
export const PASSES = ["build", "simplify", "reroll", "checks", "hoist", "ranges", "dce"] as const;

/** Builds regions of a lowered function and runs all passes over them. */
export class RegionMaker {
  private readonly fn: LoweredFunction;
  readonly fma: "exact" | "relaxed" | "unfused";
  private readonly shape: readonly [number, number, number] | undefined;
  /** What lives across cuts, if there are any. */
  private readonly across: AcrossCuts | undefined;

  /** @param shape threads of a block, where the code is for one shape */
  constructor(
    fn: LoweredFunction,
    fma: "exact" | "relaxed" | "unfused",
    shape: readonly [number, number, number] | undefined,
  ) {
    this.fn = fn;
    this.fma = fma;
    this.shape = shape;
    if (fn.cuts.length > 0) {
      const live = liveRegisters(fn);
      this.across = { live, remat: new Rematerializer(fn, live) };
    }
  }

  /**
   * The region behind a cut, or from the function's start.
   * @param crossed cuts that don't end it
   * @param width 1: for threads one at a time; 4: for lane groups
   */
  make(
    from: Cut | undefined,
    crossed: ReadonlySet<Cut>,
    width: 1 | 4,
    observe?: PassObserver,
  ): OptimizedRegion {
    const region = buildRegion(this.fn, from, this.across, crossed);
    observe?.("build", region, []);
    if (this.shape) fixShape(region, this.shape);
    expandFma(region, this.fma);
    expandFields(region, width);
    simplify(region);
    if (foldBranches(region)) simplify(region);
    observe?.("simplify", region, []);
    if (width === 1 && reroll(region)) simplify(region);
    observe?.("reroll", region, []);
    mergeChecks(region);
    takeWords(region);
    observe?.("checks", region, []);
    const prologue = hoist(region);
    observe?.("hoist", region, prologue);
    let rows: AdjacentRows | undefined;
    if (width === 1) {
      rows = this.fn.cuts.length === 0 ? findAdjacentRows(region, prologue) : undefined;
      testRanges(region);
      checkIndices(region, prologue);
    }
    observe?.("ranges", region, prologue);
    const kept = eliminateDead(region, prologue);
    observe?.("dce", region, kept);
    return { region, prologue: kept, rows };
  }

  /** All regions, each up to the next cuts. */
  all(width: 1 | 4, observe?: PassObserver): OptimizedRegion[] {
    return [undefined, ...this.fn.cuts].map((from) => this.make(from, new Set(), width, observe));
  }
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
