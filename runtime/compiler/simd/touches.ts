import { isPure, type Region, Value } from "../ir/ir.ts";
import type { Extents, Reach } from "./extents.ts";

/** What a block's accesses reach, to be touched before its threads run. */
export interface Touches {
  /** Values of the block that are needed beside the prologue and the tests', in order. */
  code: Value[];
  /** What must hold (an I1) for the memory to be there; undefined if the tests made sure of it. */
  when: Value | undefined;
  reaches: Reach[];
  /** Threads of a row, and rows. */
  shape: readonly [number, number];
}

/** What the stores of a row of blocks reach, to be touched on the way along it. */
export interface Columns {
  /** As that of Touches. */
  code: Value[];
  /** column: bytes from the first to the last store of the threads that have the same x (I64). */
  reaches: (Reach & { column: Value })[];
}

/** More accesses than this are left to the processor's prefetchers. */
const MAX_REACHES = 8;

/** Longer rows stream through memory; bytes. */
const MAX_ROW_BYTES = 1024;

/**
 * Whether to touch what a block reaches: its rows of threads go to short rows of memory that lie far
 * apart, which no prefetcher foresees.
 * @param block threads in x, y, z
 */
export function worthTouching(block: readonly [number, number, number], reaches: Reach[]): boolean {
  const [x, y, z] = block;
  if (y < 2 || z > 1 || reaches.length === 0 || reaches.length > MAX_REACHES) return false;
  return reaches.every(({ size }) => x * size <= MAX_ROW_BYTES);
}

/** The values that some others are computed from, and these, in order. */
export function neededFor(wanted: Iterable<Value>, code: readonly Value[]): Value[] {
  const needed = new Set<Value>();
  const work = [...wanted];
  for (let v = work.pop(); v; v = work.pop()) {
    if (needed.has(v)) continue;
    needed.add(v);
    work.push(...v.args);
  }
  return code.filter((v) => needed.has(v));
}

/** Whether a value can be computed anywhere in the kernel. */
const isAnywhere = (v: Value) =>
  /^(const|param|sreg)$/.test(v.op) || (isPure(v) && v.op !== "load" && v.args.length > 0);

/**
 * What a later region touches, to be touched by an earlier one; undefined if it depends on what is
 * computed between them.
 * @param tests the later region's tests, the outcome last
 */
export function touchesOfLater(
  { reaches, code, shape }: Touches,
  tests: readonly Value[],
  prologue: readonly Value[],
): Touches | undefined {
  const outcome = tests[tests.length - 1];
  const wanted = [outcome, ...reaches.flatMap(({ first, span }) => [first, span])];
  const needed = neededFor(wanted, [...prologue, ...tests, ...code]);
  const copies = new Map<Value, Value>();
  const copyOf = (v: Value) => copies.get(v) ?? v;
  for (const v of needed) {
    if (!isAnywhere(v) || !v.args.every((a) => a.op === "const" || copies.has(a))) return undefined;
    copies.set(v, new Value(v.op, v.type, v.args.map(copyOf), v.imm, v.big, v.aux));
  }
  return {
    code: [...copies.values()],
    when: copyOf(outcome),
    shape,
    reaches: reaches.map(({ first, span, size }) => ({
      first: copyOf(first),
      span: copyOf(span),
      size,
    })),
  };
}

/**
 * What the stores of a row of blocks reach, if it has rows of threads.
 * @param checks those that pass in every thread
 * @param single extents of the threads that have the same x
 * @param tests values that are computed before
 */
export function columnsOf(
  region: Region,
  checks: ReadonlyMap<Value, boolean>,
  extents: Extents,
  single: Extents,
  tests: readonly Value[],
): Columns | undefined {
  const stores = region.blocks.flatMap((b) => b.values.filter((v) => v.op === "store"));
  const reaches: Columns["reaches"] = [];
  for (const check of new Set(stores.map((v) => v.args[0]))) {
    const all = checks.has(check) ? extents.reach(check) : undefined;
    const own = all && single.reach(check);
    if (own) reaches.push({ ...all, column: own.span });
  }
  if (reaches.length === 0) return undefined;
  const wanted = reaches.flatMap(({ first, span, column }) => [first, span, column]);
  const code = neededFor(wanted, [...extents.code, ...single.code]);
  return { code: code.filter((v) => !tests.includes(v)), reaches };
}
