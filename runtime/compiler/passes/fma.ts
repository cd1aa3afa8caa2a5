import { F32, F64, I32, I64, NO_AUX, type Region, type Type, Value } from "../ir/ir.ts";

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
  floorsOfFractions(region, kind === "relaxed");
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

/** Functions of the device library that round a multiply-add of f32 towards minus infinity. */
const ROUNDS_DOWN = new Set(["fma_rm_f32", "fma_rm_ftz_f32"]);

/**
 * Shortens what nvcc's `expf` splits its argument with: `fma.rm(a, b, c)` for an `a` from 0 to 1, constants
 * b > 0 and c, where all sums lie in the binade of 2²³, whose f32 are the integers. Rounded to nearest it is
 * one too large or right, which the sign of a · b − (sum − c) tells; one less is one less in its bits.
 * @param fused whether `f32_fma` is one operation, that rounds once
 */
function floorsOfFractions(region: Region, fused: boolean): void {
  for (const block of region.blocks) {
    const values: Value[] = [];
    for (const v of block.values) {
      const [a, b, c] = v.args;
      if (
        v.op === "lib" &&
        ROUNDS_DOWN.has(v.aux.name as string) &&
        isFraction(a) &&
        countsUp(b, c)
      ) {
        floor(v, fused, values);
      }
      values.push(v);
    }
    block.values = values;
  }
}

/** From 0 to 1, never NaN. */
const isFraction = (v: Value) =>
  v.op === "lib" && v.type === F32 && /_sat(_|$)/.test(v.aux.name as string);

/** Are b ≥ 0, of 10 significant bits, and c such that c and all of c + 0 … c + b, rounded, lie from 2²³ to 2²⁴? */
function countsUp(b: Value, c: Value): boolean {
  if (b.op !== "const" || c.op !== "const" || (b.imm & 0x3fff) !== 0) return false;
  const [scale, first] = new Float32Array(Int32Array.of(b.imm, c.imm).buffer);
  return scale >= 0 && first >= 2 ** 23 && first + scale + 1 <= 2 ** 24;
}

/** Turns `v`, for which the above holds, into what is computed before it, in `values`. */
function floor(v: Value, fused: boolean, values: Value[]): void {
  const make = (op: string, type: Type, args: Value[], imm = 0): Value => {
    const made = new Value(op, type, args, imm);
    values.push(made);
    return made;
  };
  const [a, b, c] = v.args;
  const multiplyAdd = (x: Value, y: Value, z: Value) =>
    fused
      ? make("f32_fma", F32, [x, y, z])
      : make("f32_add", F32, [make("f32_mul", F32, [x, y]), z]);
  const nearest = multiplyAdd(a, b, c);
  // c − sum, exact as both are integers; +0, not −0, where they are equal.
  const count = make("f32_sub", F32, [c, nearest]);
  let over: Value;
  if (fused) {
    over = multiplyAdd(a, b, count);
  } else {
    // The upper 14 bits of a and the rest, times the 10 of b, are exact, and so is the first sum.
    const mask = make("const", I32, [], ~0x3ff);
    const bits = make("i32_and", I32, [make("i32_reinterpret_f32", I32, [a]), mask]);
    const high = make("f32_reinterpret_i32", F32, [bits]);
    const low = make("f32_sub", F32, [a, high]);
    over = multiplyAdd(low, b, multiplyAdd(high, b, count));
  }
  const thirtyOne = make("const", I32, [], 31);
  const minus = make("i32_shr_s", I32, [make("i32_reinterpret_f32", I32, [over]), thirtyOne]);
  const bits = make("i32_add", I32, [make("i32_reinterpret_f32", I32, [nearest]), minus]);
  v.op = "f32_reinterpret_i32";
  v.args = [bits];
  v.aux = NO_AUX;
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
