import { isPure, Value } from "../ir/ir.ts";
import type { Reach } from "./extents.ts";

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
