import { Graph } from "../analysis/graph.ts";
import { Block, hasEffect, I32, isPure, Value } from "../ir/ir.ts";
import { constant } from "../passes/fold.ts";
import type { GroupVariant } from "./group-region.ts";
import { countUses, dropDead, mostLive } from "./jam.ts";
import { Places } from "./places.ts";
import { KnownLoads } from "./windows.ts";

/**
 * Rows of memory that are read or written side by side, at most. They are apart by the same power of two too
 * often: then their lines go to one set of a cache, which has 8 to 16 places.
 */
const MAX_STREAMS = 20;
/** Accesses of one row are no further from one another. */
const NEAR_BYTES = 256;
/** Operations of all rows together. */
const MAX_COPIED = 1200;
/** Rows at once have to leave this part of the loads at most. */
const WORTH_ROWS = 0.7;
/** Vectors that may live at one time: loads that are kept in memory again spare nothing. */
const MAX_LIVE = 20;

/**
 * A body that does several rows of threads at once, one after the other, where they load the same: what is
 * above and below a row of a stencil are the rows that come before and after it. They are loaded once, and
 * what is new in each row comes from as many places of memory at a time. Threads of other rows may or may
 * not see what is stored meanwhile; a thread's own loads stay behind what it has stored.
 * @param block threads in x, y, z
 * @param bodies the body for several numbers of lane groups at once, the best first, one last
 * @param fused whether the engine has fused multiply-adds: it is V8
 * @returns undefined if that can't be done, or gains too little
 */
export function jamRows(
  [, y]: readonly [number, number, number],
  bodies: readonly (() => GroupVariant)[],
  fused: boolean,
): GroupVariant | undefined {
  const counts = [8, 7, 6, 5, 4, 3, 2].filter((n) => y % n === 0);
  for (const make of bodies) {
    const body = make();
    for (const count of counts) {
      const jammer = new RowJammer(body, count);
      if (jammer.isWorth && jammer.fits) return jammer.finish(fused);
      if (!jammer.isWorth && count === counts[0]) return undefined;
    }
  }
  return undefined;
}

const isAccess = (v: Value) => /^(load|store)$/.test(v.op);
const isRow = (v: Value) => v.op === "sreg" && v.aux.name === "tid.y";
const loadsOf = (values: readonly Value[]) => values.filter((v) => v.op === "load").length;

class RowJammer {
  /** The body that the copies belong to. */
  private readonly variant: GroupVariant;
  private readonly count: number;
  private readonly body = new Block(0);
  /** What further rows need to have computed before. */
  private readonly hoisted: Value[] = [];
  /** Loads that come before anything that their threads store. */
  private readonly early = new Set<Value>();
  private readonly further = new Set<Value>();
  private readonly places = new Places();
  private readonly loads: KnownLoads;
  readonly isWorth: boolean = false;

  constructor(from: GroupVariant, count: number) {
    const given = from.given && { ...from.given, checks: new Map(from.given.checks) };
    this.variant = { ...from, given, copyOf: new Map(from.copyOf) };
    this.count = count;
    this.loads = new KnownLoads(this.variant, this.places);
    this.body.terminator = { kind: "exit" };
    const { order } = new Graph(from.linear.start);
    const branches = order.some((b) => !/jump|exit/.test(b.terminator?.kind ?? ""));
    // Threads of a row of blocks only exit, and nobody asks where they stand.
    const values = order.flatMap((b) => b.values).filter((v) => v.op !== "leave");
    if (from.rows?.down !== false || branches || !values.every((v) => this.isPlain(v))) return;
    for (let row = 0; row < count; row++) this.take(values, row);
    this.isWorth = loadsOf(this.body.values) <= WORTH_ROWS * count * loadsOf(values);
  }

  private isPlain(v: Value): boolean {
    const { given, near } = this.variant;
    if (v.op === "check") return given?.checks.has(v) === true && !near.has(v);
    if (isAccess(v)) return v.aux.ordered !== true;
    return isPure(v) && !/^(phi|mask_|any|all|group_|owned_|store_pair|host|out|reload)/.test(v.op);
  }

  /** Whether memory and registers have room for so many rows. */
  get fits(): boolean {
    const { body, variant } = this;
    const streams = body.values.filter(isAccess).map((v) => {
      const { key, offset } = this.places.of(v);
      return key + Math.round(offset / NEAR_BYTES);
    });
    if (body.values.length > MAX_COPIED || new Set(streams).size > MAX_STREAMS) return false;
    const shape = (v: Value) => variant.divergence.of(v);
    return mostLive(new Graph(body), shape, () => 1) <= MAX_LIVE;
  }

  finish(fused: boolean): GroupVariant {
    const { variant, count, further, body, early } = this;
    const { linear, rows, hoisted } = variant;
    if (fused) {
      const loads = new KnownLoads(variant, this.places);
      for (const v of body.values) if (early.has(v) && !loads.joins(v)) loads.add(v);
    }
    // Addresses that nothing is loaded from any more: their checks pass.
    const used = new Set(body.values.flatMap((v) => v.args));
    body.values = body.values.filter((v) => v.op !== "check" || used.has(v));
    dropDead([body], linear.mutable);
    countUses([body]);
    return {
      ...variant,
      rows: rows && { ...rows, atOnce: count, further },
      hoisted: [...hoisted, ...this.hoisted],
      linear: { ...linear, start: body, maskOf: new Map() },
    };
  }

  /** Adds the operations of a row: what depends on the row, and what isn't there yet. */
  private take(values: readonly Value[], row: number): void {
    const copies = new Map<Value, Value>();
    const differs = (v: Value) =>
      (row > 0 && (isRow(v) || isAccess(v))) || v.args.some((a) => copies.has(a));
    for (const v of this.variant.hoisted) {
      if (differs(v)) this.hoisted.push(this.copy(v, row, copies));
    }
    let stored = false;
    for (const v of values) {
      const own = differs(v);
      if (row > 0 && !own) continue;
      const c = own ? this.copy(v, row, copies) : v;
      if (v.op === "load" && !stored) {
        const known = this.loads.find(c);
        if (known) {
          copies.set(v, known);
          continue;
        }
        this.loads.add(c);
        this.early.add(c);
      }
      if (v.op !== "check" && hasEffect(v)) stored = true;
      this.body.values.push(c);
    }
  }

  private copy(v: Value, row: number, copies: Map<Value, Value>): Value {
    const { divergence: d, given, copyOf } = this.variant;
    const args = v.args.map((a) => copies.get(a) ?? a);
    const c = isRow(v)
      ? new Value("i32_add", I32, [v, constant(I32, row)])
      : new Value(v.op, v.type, args, v.imm, v.big, v.aux);
    copies.set(v, c);
    if (row > 0) this.further.add(c);
    d.shapes.set(c, d.of(v));
    const linear = given?.checks.get(v);
    if (linear !== undefined) given?.checks.set(c, linear);
    const group = copyOf.get(v);
    if (group !== undefined) copyOf.set(c, group);
    return c;
  }
}
