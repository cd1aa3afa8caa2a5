import { Graph } from "./analysis/graph.ts";
import type { LoweredKernel } from "./compile.ts";
import type { Cut, Site, Value } from "./ir/ir.ts";
import { RegionMaker } from "./pipeline.ts";
import type { Divergence } from "./simd/divergence.ts";
import {
  type GroupRegion,
  type GroupVariant,
  groupDrawback,
  groupObstacle,
  groupRegions,
} from "./simd/group-region.ts";
import { accessPattern } from "./simd/patterns.ts";
import { LANES, UNIFORM } from "./simd/shapes.ts";
import { trimName } from "./simd/trim.ts";
import type { WarpPlans } from "./simd/warp-plan.ts";

/** What the compiler did with one memory access (several, if they share a check). */
export interface AccessReport {
  region: number;
  line: number;
  text: string;
  /**
   * "uniform", "contiguous", "stride of N bytes", "tried as …, else gathered", "gathered", "lane by lane";
   * "by transposes" where a lane's words are accessed together
   */
  pattern: string;
  space: string;
  loads: number;
  stores: number;
  atomics: number;
}

/** What it did with one branch. */
export interface BranchReport {
  region: number;
  kind: "uniform" | "masked";
  /** What a masked branch depends on. */
  because: string;
}

/** How one warp operation is done. */
export interface WarpReport {
  line: number;
  /** The library's name of it, or "step" where lanes are only kept in step. */
  name: string;
  how: string;
}

/** What became of a kernel's loops for single threads. */
export interface AloneReport {
  /** Unrolled loops that are one again with their single rounds. */
  rerolled: number;
  /** Loops whose addresses are tested in front of them. */
  ranged: number;
  /** Accesses that compare an index. */
  indexed: number;
  /** Line of the loop over rows, four of which are summed up at once where they lie one after the other. */
  rows: number | undefined;
}

/** What the compiler did with a kernel, and why. */
export interface KernelReport {
  name: string;
  /** Threads of a lane group. */
  width: number;
  /** Why the kernel runs one thread at a time. */
  obstacle: string | undefined;
  /** Where it does: what its loops have become. */
  alone: AloneReport | undefined;
  regions: {
    entry: number;
    behind: string;
    values: number;
    blockUniform: number;
    masked: number;
    /** Lane groups that are done at once. */
    groups: number;
    /**
     * Where tests for the whole block may replace those of each group: how many accesses they cover
     * of how many, the branches that they leave, whether blocks of a row then run as one, how many rows of
     * threads are done at once then, and how many parameters must be multiples of four.
     */
    sure:
      | {
          checks: number;
          ofChecks: number;
          branches: number;
          flat: boolean;
          rows: number;
          aligned: number;
          /** What that parameter may be instead, each with a body of its own. */
          fixed: number[];
          /** Accesses whose memory is touched before a block runs. */
          touched: number;
          /** Stores under masks are made whole where each thread of a launch has its own addresses. */
          owned: boolean;
        }
      | undefined;
    /** The range of threads that it visits, if not all. */
    threads: string | undefined;
  }[];
  branches: BranchReport[];
  loops: { uniform: number; masked: number };
  accesses: AccessReport[];
  warps: WarpReport[];
}

/**
 * Reports how a kernel is run for a block shape: lane-group width, branches and accesses as the fast
 * body has them.
 */
export function reportKernel(
  from: LoweredKernel,
  shape: readonly [number, number, number],
): KernelReport {
  const maker = new RegionMaker(from.lowered, "relaxed", shape);
  const regions = maker.all(4);
  const obstacle = groupObstacle(regions, from.reals.length > 0);
  const report: KernelReport = {
    name: from.kernel.name,
    width: obstacle ? 1 : LANES,
    obstacle,
    alone: obstacle ? aloneReport(maker) : undefined,
    regions: [],
    branches: [],
    loops: { uniform: 0, masked: 0 },
    accesses: [],
    warps: [],
  };
  if (obstacle) return report;
  const { groups, warps } = groupRegions(from.lowered, regions, shape, maker);
  const drawback = groupDrawback(groups);
  if (drawback) {
    report.width = 1;
    report.obstacle = drawback;
    report.alone = aloneReport(maker);
  } else report.warps = warpReports(from.lowered.cuts, warps);
  groups.forEach((group, k) => {
    const of = (kind: string) => group.variants.find((v) => v.kind === kind);
    const fast = of("warp") ?? of("fast");
    if (!fast) return;
    const d = fast.divergence;
    const blocks = d.graph.order;
    report.regions.push({
      entry: k + 1,
      behind: regions[k].region.from?.kind ?? "start",
      values: blocks.reduce((sum, b) => sum + b.values.length, 0),
      blockUniform: group.prologue.filter((v) => v.op !== "const").length,
      masked: d.branches.size,
      groups: Math.max(...group.variants.map((v) => v.copies)),
      sure: sureReport(group),
      threads: group.trim && trimName(group.trim),
    });
    for (const b of blocks) {
      const t = b.terminator;
      if (t?.kind !== "branch" || t.yes === t.no) continue;
      const masked = d.branches.has(b);
      const because = masked ? roots(t.cond, d).join(", ") : "";
      report.branches.push({ region: k + 1, kind: masked ? "masked" : "uniform", because });
    }
    for (const loop of d.graph.loops) report.loops[d.loops.has(loop) ? "masked" : "uniform"]++;
    const near = new Set(
      group.variants.flatMap((v) => [...v.near.keys()].map((check) => check.aux.site)),
    );
    for (const access of accesses(fast, from.sites, k + 1)) {
      const { check, ...rest } = access;
      if (near.has(check.aux.site) && rest.loads + rest.stores > 0)
        rest.pattern += "; where tests pass, lanes at known distances";
      report.accesses.push(rest);
    }
  });
  return report;
}

function warpReports(cuts: Cut[], { plans, reasons }: WarpPlans): WarpReport[] {
  const forms = new Map([...plans.values()].flatMap(({ forms }) => [...forms]));
  return cuts.flatMap((cut) => {
    const form = forms.get(cut);
    const reason = reasons.get(cut);
    if (!form && !reason) return [];
    const inside = form && `by whole warps, ${form}`;
    const ends = reason && `ends ${inside ? "some regions" : "its region"}: ${reason}`;
    const how = [inside, ends].filter((x) => x).join("; ");
    return [{ line: cut.line, name: cut.warpOp ?? "step", how }];
  });
}

function sureReport({ variants }: GroupRegion): KernelReport["regions"][number]["sure"] {
  const sure = variants.find((v) => v.kind === "sure");
  if (!sure?.given) return undefined;
  const { order } = sure.divergence.graph;
  const written = [...sure.hoisted, ...new Graph(sure.linear.start).order.flatMap((b) => b.values)];
  const isFurther = (v: Value) => sure.copyOf.has(v) || sure.rows?.further.has(v);
  const all = written.filter((v) => v.op === "check" && !isFurther(v));
  return {
    checks: all.filter((v) => sure.given?.checks.has(v)).length,
    ofChecks: all.length,
    rows: sure.rows?.atOnce ?? 1,
    branches: order.filter((b) => b.terminator?.kind === "branch").length,
    flat: sure.given.flat,
    aligned: sure.given.aligned.size,
    fixed: variants.flatMap((v) => (v.fixed ? [v.fixed.value] : [])),
    touched: [...sure.given.touches, sure.given.columns].reduce(
      (n, t) => n + (t?.reaches.length ?? 0),
      0,
    ),
    owned: written.some((v) => v.op === "owned_if"),
  };
}

/** What makes a value differ between lanes: the varying and affine values that it starts from. */
function roots(value: Value, d: Divergence): string[] {
  const found = new Set<string>();
  const seen = new Set<Value>();
  const visit = (v: Value) => {
    if (seen.has(v) || d.of(v).kind === UNIFORM) return;
    seen.add(v);
    if (v.op === "sreg") found.add(`%${v.aux.name}`);
    else if (v.op === "load") found.add("a load");
    else if (v.op === "reload" || v.op === "result") found.add("a value from before the cut");
    else if (v.op === "lib" && v.aux.effect) found.add("an atomic");
    v.args.forEach(visit);
  };
  visit(value);
  return [...found];
}

function accesses(
  { divergence: d, linear }: GroupVariant,
  sites: Site[],
  region: number,
): (AccessReport & { check: Value })[] {
  const counts = new Map<
    Value,
    { loads: number; stores: number; atomics: number; size: number | undefined }
  >();
  for (const b of d.graph.order) {
    for (const v of b.values) {
      if (v.op === "check") counts.set(v, { loads: 0, stores: 0, atomics: 0, size: undefined });
      const word = v.op === "structure_word";
      const address = word ? v.args[0].args[0] : v.args[0];
      const count = address && counts.get(address);
      if (!count) continue;
      if (v.op === "load" || word) count.loads++;
      else if (v.op === "lib" && (v.aux.name as string).startsWith("atom_")) count.atomics++;
      else if (v.op === "store" || v.op === "lib") count.stores++;
      if (word || v.op === "load" || v.op === "store") count.size = v.aux.size as number;
    }
  }
  const together = new Set<Value>();
  for (const { values } of new Graph(linear.start).order)
    for (const v of values) if (/^(store_)?structures$/.test(v.op)) together.add(v.args[0]);
  return [...counts].map(([check, { size, ...count }]) => {
    const site = sites[check.aux.site as number];
    const own = size ?? (check.aux.align as number);
    const pattern = patternName(check, d, own, together.has(check));
    const alone = count.atomics > 0 && count.loads + count.stores === 0;
    return {
      region,
      line: site?.sourceLine ?? site?.line ?? 0,
      text: site?.text ?? "",
      pattern: alone ? `lane by lane${pattern === "uniform" ? ", to one address" : ""}` : pattern,
      space: check.aux.space ?? "generic",
      ...count,
      check,
    };
  });
}

function aloneReport(maker: RegionMaker): AloneReport {
  let rerolled = 0;
  const regions = maker.all(1, (pass, region) => {
    const loops = new Graph(region.start).loops.length;
    if (pass === "simplify") rerolled += loops;
    else if (pass === "reroll") rerolled -= loops;
  });
  const blocks = regions.flatMap((r) => r.region.blocks);
  const checks = blocks.flatMap((b) => b.values.filter((v) => v.op === "check"));
  const sites = checks.filter((v) => v.args.length === 2).map((v) => v.aux.site);
  const indexed = new Set(sites).size;
  const rows = regions.find((r) => r.rows)?.rows?.loop.line;
  return { rerolled, ranged: blocks.filter((b) => b.paid).length, indexed, rows };
}

/**
 * @param size of one load or store, bytes: only those side by side are one vector
 * @param together whether words of a lane are accessed together
 */
function patternName(check: Value, d: Divergence, size: number, together: boolean): string {
  const { stride, tried } = accessPattern((v) => d.of(v), check);
  if (stride === 0) return "uniform";
  const how = together ? ", by transposes" : "";
  if (stride === undefined) return `gathered${how}`;
  const name = stride === size ? "contiguous" : `stride of ${stride} bytes${how}`;
  return tried ? `tried as ${name}, else gathered` : name;
}

/** A report as text. */
export function formatReport(report: KernelReport): string {
  const out = [
    `kernel ${report.name}: ${report.width === 1 ? "one thread at a time" : `lane groups of ${report.width}`}`,
  ];
  if (report.obstacle) out.push(`  because ${report.obstacle}`);
  if (report.alone) {
    const { rerolled, ranged, indexed, rows } = report.alone;
    if (rerolled > 0) out.push(`  unrolled loops that are one loop again: ${rerolled}`);
    if (ranged > 0) out.push(`  loops whose addresses are tested in front of them: ${ranged}`);
    if (indexed > 0) out.push(`  accesses that compare an index: ${indexed}`);
    if (rows !== undefined)
      out.push(`  rows one after the other are summed up four at a time: the loop in line ${rows}`);
    if (report.regions.length > 0) out.push("  in lane groups it would be:");
  }
  for (const r of report.regions) {
    const where = r.behind === "start" ? "from the start" : `behind a ${r.behind} cut`;
    out.push(
      `  region ${r.entry} ${where}: ${r.values} operations a group, ${r.blockUniform} once a block`,
    );
    if (r.groups > 1) out.push(`    ${r.groups} lane groups at once`);
    if (r.sure) {
      const { checks, ofChecks, branches, flat, rows, aligned, fixed, touched, owned } = r.sure;
      const or = fixed.map((n) => ` or ${n}`).join("");
      out.push(
        `    tests once a block cover ${checks} of ${ofChecks} accesses and leave ${branches} branches${flat ? "; blocks of a row run as one" : ""}`,
      );
      if (rows > 1) out.push(`    ${rows} rows of threads at once, which have loads in common`);
      if (aligned > 0)
        out.push(`    where ${aligned} of its parameters are multiples of four${or}`);
      if (touched > 0)
        out.push(`    in large grids the memory of ${touched} accesses is touched first`);
      if (owned)
        out.push(
          "    stores under masks are of whole vectors if threads have addresses of their own",
        );
    }
    if (r.threads) out.push(`    ${r.threads}`);
    const own = report.branches.filter((b) => b.region === r.entry);
    const uniform = own.filter((b) => b.kind === "uniform").length;
    if (uniform > 0) out.push(`    ${uniform} uniform branch${uniform > 1 ? "es" : ""}`);
    for (const b of own) {
      if (b.kind === "masked")
        out.push(`    a branch under masks: depends on ${b.because || "its lanes"}`);
    }
    for (const a of report.accesses) {
      if (a.region !== r.entry) continue;
      const uses = [
        a.loads > 0 ? `${a.loads} loads` : "",
        a.stores > 0 ? `${a.stores} stores` : "",
        a.atomics > 0 ? `${a.atomics} atomics` : "",
      ];
      out.push(
        `    line ${a.line}: ${a.pattern} (${uses.filter((u) => u).join(", ") || "unused"}): ${a.text}`,
      );
    }
  }
  for (const { line, name, how } of report.warps) out.push(`  line ${line}: ${name}: ${how}`);
  const { uniform, masked } = report.loops;
  if (uniform + masked > 0)
    out.push(`  loops: ${uniform} uniform, ${masked} that lanes leave apart`);
  return `${out.join("\n")}\n`;
}
