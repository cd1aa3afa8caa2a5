import { I1, I32, type Region, type Type, Value } from "../ir/ir.ts";
import { splitAddresses } from "./addresses.ts";
import { Divergence } from "./divergence.ts";
import { accessPattern, comesFromLoad } from "./patterns.ts";
import { LANES, type ShapeContext } from "./shapes.ts";

/** More parameters than this are not tried one by one. */
const MAX_PARAMETERS = 6;

/**
 * The parameters of which it helps to know that they are multiples of four: a width that a thread's
 * index is compared with (`for (i = tid; i < n; i += ntid)`), a distance or a mask that is a power of
 * two. Lanes of a group then take branches together, and their addresses lie side by side. The fewest
 * that give all of that; none if nothing is gained.
 * @param clone makes a copy of the region, which may be changed
 */
export function alignedParameters(
  clone: () => Region,
  prologue: Value[],
  context: Omit<ShapeContext, "of">,
): Set<Value> {
  const none = new Set<Value>();
  const params = prologue.filter((v) => v.op === "param" && v.type === I32 && v.aux.size === 4);
  if (params.length === 0 || params.length > MAX_PARAMETERS) return none;
  const plain = cost(clone(), prologue, context);
  if (plain === 0) return none;
  const costOf = (aligned: Set<Value>) => cost(clone(), prologue, { ...context, aligned });
  const chosen = new Set(params);
  const best = costOf(chosen);
  if (best >= plain) return none;
  for (const p of params) {
    chosen.delete(p);
    if (costOf(chosen) > best) chosen.add(p);
  }
  return chosen;
}

/** How often lanes of a group part or may lie apart, where data has no say in it. */
function cost(region: Region, prologue: Value[], context: Omit<ShapeContext, "of">): number {
  const d = new Divergence(region, prologue, context);
  splitAddresses(region, d);
  const shape = (v: Value) => d.of(v);
  let sum = 0;
  for (const b of d.branches) {
    const t = b.terminator;
    if (t?.kind === "branch" && !comesFromLoad(shape, t.cond)) sum++;
  }
  for (const b of d.graph.order) {
    for (const v of b.values) if (v.op === "check" && accessPattern(shape, v).tried) sum++;
  }
  return sum;
}

/**
 * A test's code, its outcome last, with a test more: that some values are multiples of four.
 * @param fixed numbers that a parameter may be instead
 */
export function testAligned(
  code: readonly Value[],
  values: ReadonlySet<Value>,
  fixed: readonly { param: Value; value: number }[],
): Value[] {
  if (values.size === 0) return [...code];
  const own = [...code];
  const add = (op: string, type: Type, ...args: Value[]): Value => {
    const v = new Value(op, type, args);
    own.push(v);
    return v;
  };
  const [first, ...others] = values;
  let bits = first;
  for (const v of others) bits = add("i32_or", I32, bits, v);
  const low = new Value("const", I32, [], LANES - 1);
  let test = add("i32_eqz", I1, add("i32_and", I32, bits, low));
  for (const { param, value } of fixed) {
    const same = add("i32_eq", I1, param, new Value("const", I32, [], value));
    test = add("or1", I1, test, same);
  }
  const outcome = code.at(-1);
  if (outcome) add("and1", I1, outcome, test);
  return own;
}
