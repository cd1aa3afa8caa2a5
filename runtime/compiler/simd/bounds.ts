import { I32, type Value } from "../ir/ir.ts";

/** What a 32-bit value is at least and at most, 0 ≤ low ≤ high < 2³¹, and a power of two that divides it. */
export interface Bounds {
  low: number;
  high: number;
  multiple: number;
}

/** How deep operations are looked into. */
const MAX_DEPTH = 8;
const HIGHEST = 2 ** 31 - 1;
const ANY_MULTIPLE = 1 << 30;

const upTo = (high: number, multiple = 1): Bounds => ({ low: 0, high, multiple });
const divisor = (n: number) => (n === 0 ? ANY_MULTIPLE : n & -n);
/** The least 2ⁿ − 1 that is not below. */
const filled = (n: number) => 2 ** (32 - Math.clz32(n)) - 1;
const within = (b: Bounds): Bounds | undefined => (b.high <= HIGHEST ? b : undefined);

/**
 * Bounds of a value whatever threads have loaded: of what operations leave of it (`x & 255`, `x >> 24`, a
 * byte), as indices of tables have them. Undefined if nothing is known, or it may be negative.
 */
export function boundsOf(v: Value, depth = MAX_DEPTH): Bounds | undefined {
  if (v.type !== I32 || depth === 0) return undefined;
  const [a, b] = v.args;
  const of = (x: Value) => boundsOf(x, depth - 1);
  switch (v.op) {
    case "const":
      return v.imm < 0 ? undefined : { low: v.imm, high: v.imm, multiple: divisor(v.imm) };
    case "load":
      return (v.aux.size as number) < 4 ? upTo(2 ** (8 * (v.aux.size as number)) - 1) : undefined;
    case "i32_and":
      return masked(of(a), of(b));
    case "i32_or":
    case "i32_xor":
      return joined(of(a), of(b), v.op === "i32_or");
    case "i32_add":
      return sum(of(a), of(b));
    case "i32_mul":
      return product(of(a), of(b));
    case "i32_shl":
      return b.op === "const" ? shiftedUp(of(a), b.imm & 31) : undefined;
    case "i32_shr_u":
      return b.op === "const" ? shiftedDown(of(a), b.imm & 31) : undefined;
    case "select": {
      const [x, y] = [of(v.args[1]), of(v.args[2])];
      if (!x || !y) return undefined;
      const multiple = Math.min(x.multiple, y.multiple);
      return { low: Math.min(x.low, y.low), high: Math.max(x.high, y.high), multiple };
    }
    case "lib":
      return v.aux.name === "rem_u32" && b.op === "const" && b.imm > 0
        ? upTo(b.imm - 1)
        : undefined;
  }
  return undefined;
}

/** Of one that is known no more than itself is left, of two no more than the lesser. */
function masked(a: Bounds | undefined, b: Bounds | undefined): Bounds | undefined {
  if (!a && !b) return undefined;
  const high = Math.min(a?.high ?? HIGHEST, b?.high ?? HIGHEST);
  return upTo(high, Math.max(a?.multiple ?? 1, b?.multiple ?? 1));
}

function joined(a: Bounds | undefined, b: Bounds | undefined, keeps: boolean): Bounds | undefined {
  if (!a || !b) return undefined;
  const low = keeps ? Math.max(a.low, b.low) : 0;
  return { low, high: filled(a.high | b.high), multiple: Math.min(a.multiple, b.multiple) };
}

function sum(a: Bounds | undefined, b: Bounds | undefined): Bounds | undefined {
  if (!a || !b) return undefined;
  const multiple = Math.min(a.multiple, b.multiple);
  return within({ low: a.low + b.low, high: a.high + b.high, multiple });
}

function product(a: Bounds | undefined, b: Bounds | undefined): Bounds | undefined {
  if (!a || !b) return undefined;
  const multiple = Math.min(ANY_MULTIPLE, a.multiple * b.multiple);
  return within({ low: a.low * b.low, high: a.high * b.high, multiple });
}

function shiftedUp(a: Bounds | undefined, by: number): Bounds | undefined {
  if (!a) return undefined;
  const multiple = Math.min(ANY_MULTIPLE, a.multiple * 2 ** by);
  return within({ low: a.low * 2 ** by, high: a.high * 2 ** by, multiple });
}

function shiftedDown(a: Bounds | undefined, by: number): Bounds | undefined {
  if (!a) return by > 0 ? upTo(2 ** (32 - by) - 1) : undefined;
  return { low: a.low >>> by, high: a.high >>> by, multiple: Math.max(1, a.multiple >>> by) };
}
