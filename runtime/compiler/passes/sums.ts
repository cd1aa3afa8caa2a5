import { I64, type Type, type Value } from "../ir/ir.ts";

/** An integer as a sum of multiples of other values and a constant, modulo 2³² or 2⁶⁴. */
export interface Sum<Key> {
  terms: Map<Key, bigint>;
  constant: bigint;
}

/** Additions that are followed one inside the other. */
const MAX_DEPTH = 32;

/**
 * A value as a sum. `known` gives the sums of values that are not to be taken apart, `leaf` names those
 * that can't be.
 */
export function sumOf<Key>(
  v: Value,
  known: (v: Value) => Sum<Key> | undefined,
  leaf: (v: Value) => Key,
  depth = MAX_DEPTH,
): Sum<Key> {
  const given = known(v);
  if (given) return given;
  const { op, type, args } = v;
  const of = (x: Value) => sumOf(x, known, leaf, depth - 1);
  if (op === "const") return { terms: new Map(), constant: constantOf(v) };
  if (depth > 0) {
    if (/^i(32|64)_add$/.test(op)) return combine(type, of(args[0]), of(args[1]), 1n);
    if (/^i(32|64)_sub$/.test(op)) return combine(type, of(args[0]), of(args[1]), -1n);
    if (args[1]?.op === "const") {
      const by = constantOf(args[1]);
      if (/^i(32|64)_mul$/.test(op)) return scaled(type, of(args[0]), by);
      if (/^i(32|64)_shl$/.test(op)) {
        return scaled(type, of(args[0]), 1n << (by & (type === I64 ? 63n : 31n)));
      }
      // ~x is −1 − x
      if (/^i(32|64)_xor$/.test(op) && by === -1n) {
        return combine(type, { terms: new Map(), constant: -1n }, of(args[0]), -1n);
      }
    }
  }
  return { terms: new Map([[leaf(v), 1n]]), constant: 0n };
}

/** The value of a constant, signed. */
export function constantOf(v: Value): bigint {
  return v.type === I64 ? BigInt.asIntN(64, v.big) : BigInt(v.imm | 0);
}

/** a + b × times */
export function combine<Key>(type: Type, a: Sum<Key>, b: Sum<Key>, times: bigint): Sum<Key> {
  const terms = new Map(a.terms);
  for (const [key, n] of b.terms) add(type, terms, key, n * times);
  return { terms, constant: wrap(type, a.constant + b.constant * times) };
}

function scaled<Key>(type: Type, a: Sum<Key>, by: bigint): Sum<Key> {
  return combine(type, { terms: new Map(), constant: 0n }, a, by);
}

function add<Key>(type: Type, terms: Map<Key, bigint>, key: Key, n: bigint): void {
  const sum = wrap(type, (terms.get(key) ?? 0n) + n);
  if (sum === 0n) terms.delete(key);
  else terms.set(key, sum);
}

const wrap = (type: Type, n: bigint) => BigInt.asIntN(type === I64 ? 64 : 32, n);

/** The constant by which two sums of the same terms differ (a − b), or undefined. */
export function difference<Key>(type: Type, a: Sum<Key>, b: Sum<Key>): bigint | undefined {
  const { terms, constant } = combine(type, a, b, -1n);
  return terms.size === 0 ? constant : undefined;
}

/** A value as a sum of values that are no sums. */
export function plainSum(v: Value): Sum<Value> {
  return sumOf<Value>(
    v,
    () => undefined,
    (x) => x,
  );
}

/** What is added to a phi on the way to a value, if it is a constant and nothing else is done to it. */
export function stepOf(phi: Value, value: Value): bigint | undefined {
  const { terms, constant } = plainSum(value);
  return terms.size === 1 && terms.get(phi) === 1n ? constant : undefined;
}
