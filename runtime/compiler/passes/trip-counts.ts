import { type Block, I1, I32, I64, type Type, Value } from "../ir/ir.ts";
import { stepOf } from "./sums.ts";

/** Bytes, or indices, from one round to the next beyond this are not what a loop over an array has. */
export const MAX_STEP = 1n << 16n;

/** How many rounds follow the first one (I64), and whether that is so (I1; undefined: always). */
export interface TripCount {
  more: Value;
  sure: Value | undefined;
}

/** Adds an operation to the block in front of the loop. */
export type Make = (op: string, type: Type, ...args: Value[]) => Value;

/** Writes how often a loop goes round. */
export type CountTrips = (make: Make) => TripCount;

/** An integer constant. */
export const constant = (type: Type, n: bigint) =>
  type === I64
    ? new Value("const", I64, [], 0, BigInt.asIntN(64, n))
    : new Value("const", type, [], Number(n));

/** Whether a value is made outside of some blocks. */
export function isOutside(v: Value, inside: Set<Block>): boolean {
  if (v.op === "const") return true;
  for (const b of inside) if (b.values.includes(v)) return false;
  return true;
}

/** The rounds after the first, from the comparison that ends a loop. */
export function tripsOf(
  header: Block,
  latch: Block,
  cond: Value,
  stay: boolean,
  inside: Set<Block>,
): CountTrips | undefined {
  const [next] = cond.args;
  if (next?.type !== I32 && next?.type !== I64) return undefined;
  const bound = cond.args[1] ?? constant(next.type, 0n);
  if (!isOutside(bound, inside)) return undefined;
  const back = header.preds.indexOf(latch);
  const phi = header.values.find((v) => v.op === "phi" && v.args[back] === next);
  const step = phi && stepOf(phi, next);
  if (!phi || !step || step > MAX_STEP || step < -MAX_STEP) return undefined;
  const init = phi.args[1 - back];
  const relation = relationOf(cond.op, stay);
  if (relation === "ne") return tripsUntil(init, bound, step);
  if ((relation !== "lt_s" && relation !== "lt_u") || step < 0n) return undefined;
  return tripsBelow(init, bound, step, relation.slice(-1));
}

/** The rounds of a loop that goes on until an index is a bound: as many steps as lie between, if that is exact. */
function tripsUntil(init: Value, bound: Value, step: bigint): CountTrips | undefined {
  const { type } = init;
  const i = type === I64 ? "i64" : "i32";
  const [size, from, to] = step > 0n ? [step, init, bound] : [-step, bound, init];
  if ((size & (size - 1n)) !== 0n) return undefined;
  return (make) => {
    const way = make(`${i}_sub`, type, to, from);
    const shift = BigInt(size.toString(2).length - 1);
    const rounds = size === 1n ? way : make(`${i}_shr_u`, type, way, constant(type, shift));
    const more = make(`${i}_sub`, type, rounds, constant(type, 1n));
    const sure =
      size === 1n
        ? undefined
        : make(`${i}_eqz`, I1, make(`${i}_and`, type, way, constant(type, size - 1n)));
    return { more: type === I64 ? more : make("i64_extend_i32_u", I64, more), sure };
  };
}

/**
 * The rounds of a loop that goes on while an index is less than a bound: (bound − 1 − init) / step, far too
 * many where the bound is not further on. The index must not wrap at the end.
 */
function tripsBelow(
  init: Value,
  bound: Value,
  step: bigint,
  signs: string,
): CountTrips | undefined {
  if (init.type === I64) {
    const behind = (signs === "s" ? 2n ** 63n : 2n ** 64n) - step;
    return (make) => {
      const compare = (a: Value, b: Value) => make(`i64_lt_${signs}`, I1, a, b);
      const further = compare(init, bound);
      const sure = make("and1", I1, further, compare(bound, constant(I64, behind)));
      const way = make("i64_sub", I64, make("i64_sub", I64, bound, init), constant(I64, 1n));
      return { more: make("i64_div_u", I64, way, constant(I64, step)), sure };
    };
  }
  const largest = (signs === "s" ? 2n ** 31n : 2n ** 32n) - step;
  return (make) => {
    const wide = (v: Value) => make(`i64_extend_i32_${signs}`, I64, v);
    const end = wide(bound);
    const way = make("i64_sub", I64, make("i64_sub", I64, end, wide(init)), constant(I64, 1n));
    if (step === 1n) return { more: way, sure: undefined };
    const sure = make("i64_le_s", I1, end, constant(I64, largest));
    return { more: make("i64_div_u", I64, way, constant(I64, step)), sure };
  };
}

/** The relation of a loop's next index to its bound with which it goes on. */
function relationOf(op: string, stay: boolean): string | undefined {
  const opposite: Record<string, string> = { eq: "ne", eqz: "ne", ge_s: "lt_s", ge_u: "lt_u" };
  const name = /^i(?:32|64)_(.*)$/.exec(op)?.[1];
  return name && (stay ? name : opposite[name]);
}
