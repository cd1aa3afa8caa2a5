import { F32, F64, I64, type Region, type Type, Value } from "../ir/ir.ts";

/** Regions with more multiply-adds than this call a function for each: the code would be too long. */
const MAX_EXPANDED = 160;

/**
 * Takes fused multiply-adds apart where they are computed in software, so that what they share
 * (operands in f64, halves of f64 operands) is computed once and leaves loops. A product of two f32
 * is exact in f64, and `sum_rn_f32` rounds the sum with the third operand once. For f64, the
 * product's error comes from Dekker's product, and `sum_rn_f64` adds all three terms.
 */
export function expandFma(region: Region, kind: "exact" | "relaxed" | "unfused"): void {
  const expands = (v: Value) =>
    (v.op === "lib" && v.aux.name === "fma_rm_f32") ||
    (kind === "exact" && (v.op === "f32_fma" || v.op === "f64_fma"));
  const found = region.blocks.flatMap((b) => b.values.filter(expands));
  if (found.length === 0 || found.length > MAX_EXPANDED) return;
  for (const block of region.blocks) {
    if (!block.values.some(expands)) continue;
    const values: Value[] = [];
    for (const v of block.values) {
      if (expands(v)) expand(v, values);
      values.push(v);
    }
    block.values = values;
  }
}

/** Turns `v` into the rounding of what is computed before it, in `values`. */
function expand(v: Value, values: Value[]): void {
  const make = (op: string, type: Type, ...args: Value[]): Value => {
    const made = new Value(op, type, args);
    values.push(made);
    return made;
  };
  const constant = (big: bigint): Value => {
    const made = new Value("const", I64, [], 0, big);
    values.push(made);
    return made;
  };
  const [a, b, c] = v.args;
  if (v.type === F32) {
    const [wa, wb, wc] = [a, b, c].map((x) => make("f64_promote_f32", F64, x));
    v.args = [make("f64_mul", F64, wa, wb), wc];
    v.aux = { name: v.op === "lib" ? "sum_rm_f32" : "sum_rn_f32" };
    v.op = "lib";
    return;
  }
  // An operand rounded to 26 bits, and the rest: products of such halves are exact.
  const split = (x: Value): [Value, Value] => {
    const rounded = make("i64_add", I64, make("i64_reinterpret_f64", I64, x), constant(1n << 26n));
    const bits = make("i64_and", I64, rounded, constant(-1n << 27n));
    const high = make("f64_reinterpret_i64", F64, bits);
    return [high, make("f64_sub", F64, x, high)];
  };
  const [ah, al] = split(a);
  const [bh, bl] = split(b);
  const product = make("f64_mul", F64, a, b);
  let error = make("f64_sub", F64, make("f64_mul", F64, ah, bh), product);
  for (const [x, y] of [
    [ah, bl],
    [al, bh],
    [al, bl],
  ]) {
    error = make("f64_add", F64, error, make("f64_mul", F64, x, y));
  }
  v.args = [product, error, a, b, c];
  v.aux = { name: "sum_rn_f64" };
  v.op = "lib";
}
