import type { Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import type { ShapeOf } from "./patterns.ts";
import { AFFINE, LANES, UNIFORM } from "./shapes.ts";

// Lanes that access memory neither side by side nor anywhere, but at distances that are known (`x[2 * i]`,
// partners in a sort): what they access lies in two vectors, from which a shuffle takes it.

/** Bytes of a word; other sizes are accessed lane by lane. */
const WORD = 4;
/** Bytes of a vector. */
export const VECTOR = 16;

/**
 * How far lanes' values are from the first lane's, if that is the same in every group: 32-bit values.
 * @param lanes how many are looked at, those that `shape` is about
 */
function laneOffsets(
  shape: ShapeOf,
  v: Value,
  lanes: number,
  known = new Map<Value, number[] | undefined>(),
): number[] | undefined {
  if (known.has(v)) return known.get(v);
  known.set(v, undefined); // a phi that comes back to itself has none
  const found = findOffsets(shape, v, lanes, (x) => laneOffsets(shape, x, lanes, known));
  known.set(v, found);
  return found;
}

function findOffsets(
  shape: ShapeOf,
  v: Value,
  lanes: number,
  of: (v: Value) => number[] | undefined,
): number[] | undefined {
  const own = shape(v);
  const all = [...Array(lanes).keys()];
  if (own.kind === UNIFORM) return all.map(() => 0);
  if (own.kind === AFFINE) return all.map((k) => k * own.stride);
  const [a, b] = v.args;
  switch (v.op) {
    case "i32_add":
    case "i32_sub": {
      const [x, y] = [of(a), of(b)];
      const sign = v.op === "i32_add" ? 1 : -1;
      return x && y && all.map((k) => x[k] + sign * y[k]);
    }
    case "i32_mul":
    case "i32_shl": {
      const x = b.op === "const" ? of(a) : undefined;
      const by = v.op === "i32_mul" ? b.imm : 2 ** (b.imm & 31);
      return x && Math.abs(by) < 2 ** 16 ? x.map((n) => n * by) : undefined;
    }
    case "i32_and":
    case "i32_shr_u": {
      // The lanes stay inside the low bits that the first one leaves free: what is done to each bit of its
      // own is done to both parts.
      const { kind, stride, zeros } = shape(a);
      if (b.op !== "const" || kind !== AFFINE || stride < 0) return undefined;
      if ((lanes - 1) * stride >= 2 ** zeros) return undefined;
      const by = b.imm & 31;
      return all.map((k) => (v.op === "i32_and" ? (k * stride) & b.imm : (k * stride) >>> by));
    }
  }
  return undefined;
}

/**
 * Bytes from the address of a check's first lane to that of each other one; undefined if they aren't known.
 * @param lanes how many are looked at, those that `shape` is about
 */
export function byteOffsets(shape: ShapeOf, check: Value, lanes: number): number[] | undefined {
  const { space, scale = 1 } = check.aux;
  if (space !== "generic" || check.args.length < 2) return undefined;
  return laneOffsets(shape, check.args[1], lanes)?.map((n) => n * scale);
}

/**
 * The checks, of those that pass in any case, whose lanes lie near each other, by the lanes' offsets. They are
 * used by plain loads and stores of words alone.
 */
export function nearChecks(
  d: Divergence,
  given: ReadonlyMap<Value, boolean>,
): Map<Value, number[]> {
  const { order } = d.graph;
  const near = new Map<Value, number[]>();
  for (const { values } of order) {
    for (const v of values) {
      if (v.op !== "check" || !given.has(v)) continue;
      const offsets = byteOffsets((x) => d.of(x), v, LANES);
      if (offsets && isNear(offsets)) near.set(v, offsets);
    }
  }
  for (const { values } of order) {
    for (const v of values) {
      v.args.forEach((a, n) => {
        const plain = /^(load|store)$/.test(v.op) && n === 0 && v.aux.size === WORD;
        if (!plain || v.aux.ordered) near.delete(a);
      });
    }
  }
  return near;
}

/** Whether lanes at these offsets lie apart, but in two vectors at the ends of what they span. */
function isNear(offsets: readonly number[]): boolean {
  const least = Math.min(...offsets);
  const last = Math.max(...offsets) + WORD - VECTOR;
  if (last < least || last - least > VECTOR || offsets.some((n) => n % WORD !== 0)) return false;
  if (offsets.every((n, k) => n === k * WORD)) return false; // side by side
  return offsets.every((n) => n <= least + VECTOR - WORD || n >= last);
}

/** Two stores that write eight words in a row. */
export interface StorePair {
  /** Bytes from the first store's address to the first word. */
  from: number;
  /** By word: the lane that it is of, and 4 more if it is the second store's. */
  words: number[];
}

/** Takes two stores together, if what their lanes write is all of eight words in a row. */
export function pairOf(
  near: ReadonlyMap<Value, readonly number[]>,
  first: Value,
  second: Value,
): StorePair | undefined {
  const [a, b] = [first.args[0], second.args[0]];
  const [x, y] = [near.get(a), near.get(b)];
  if (!x || !y || a.args[0] !== b.args[0]) return undefined;
  if (a.aux.scale !== b.aux.scale || a.aux.signed !== b.aux.signed) return undefined;
  const [from, to] = [a.args[1], b.args[1]].map((v) => sumOf(v));
  if (from.terms.join() !== to.terms.join()) return undefined;
  const apart = (to.plus - from.plus) * (a.aux.scale as number);
  const delta = apart + (second.aux.offset as number) - (first.aux.offset as number);
  const places = [...x, ...y.map((n) => n + delta)];
  const least = Math.min(...places);
  const words = Array.from({ length: 2 * LANES }, (_, k) => places.indexOf(least + k * WORD));
  return words.includes(-1) ? undefined : { from: least, words };
}

/** What an index adds up: a constant, and other values by their numbers, in order. */
function sumOf(v: Value, depth = 8): { terms: number[]; plus: number } {
  if (v.op === "const") return { terms: [], plus: v.imm };
  if (v.op !== "i32_add" || depth === 0) return { terms: [v.id], plus: 0 };
  const [x, y] = v.args.map((a) => sumOf(a, depth - 1));
  return { terms: [...x.terms, ...y.terms].sort((m, n) => m - n), plus: x.plus + y.plus };
}
