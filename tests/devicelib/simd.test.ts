/** Every four-lane and two-lane form gives, lane by lane, the bits of its scalar form. */
import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { applyFunction, LIBRARY_NAMES, type VectorType } from "./library.ts";
import { BF16, F16, F32, F64 } from "./reference.ts";
import { pack, randomBits, randomFloat, randomWords, unpack } from "./samples.ts";

const COUNT = 8192;

/** Operands of the instructions that do not have two. */
const ARITY: [RegExp, number][] = [
  [/^bfi_/, 4],
  [/^(fma|mad|sad|dp4a|prmt|lop3|shf|bfe)_/, 3],
  [/^cvt_rn_b?f16x2_f32$/, 2],
  [/^(cvt|rcp|sqrt|rsqrt|sin|cos|ex2|lg2|tanh|popc|clz|brev|bfind|abs|neg)_/, 1],
];

/** Instructions with a fast path for amounts that are the same in all lanes. */
const SHIFTS = /^(sh[rlf]|bf[ei])_/;

function arityOf(name: string): number {
  return ARITY.find(([pattern]) => pattern.test(name))?.[1] ?? 2;
}

/** Source and destination types of a mnemonic. */
function typesOf(name: string): [from: string, to: string] {
  const tokens = name.split("_").filter((t) => /^(f32|f64|b?f16(x2)?|[usb](32|64))$/.test(t));
  const last = tokens.at(-1) as string;
  return name.startsWith("cvt_") && tokens.length > 1
    ? [last, tokens.at(-2) as string]
    : [last, last];
}

function wasmType(type: string): VectorType {
  if (type === "f32" || type === "f64") return type;
  return type.endsWith("64") ? "i64" : "i32";
}

/** A random operand of a type; 16-bit values have zero bits above them. */
function sample(type: string, next: () => number, near: bigint | undefined): bigint {
  switch (type) {
    case "f32":
      return randomFloat(next, F32, near);
    case "f64":
      return randomFloat(next, F64, near);
    case "f16":
      return randomFloat(next, F16);
    case "bf16":
      return randomFloat(next, BF16);
    case "f16x2":
      return randomFloat(next, F16) | (randomFloat(next, F16) << 16n);
    case "bf16x2":
      return randomFloat(next, BF16) | (randomFloat(next, BF16) << 16n);
    default: {
      const bits = type.endsWith("64") ? 64 : 32;
      const specials = [0n, 1n, -1n, 1n << BigInt(bits - 1), (1n << BigInt(bits - 1)) - 1n];
      if (next() % 4 === 0) return BigInt.asUintN(bits, specials[next() % 5] as bigint);
      const wide = randomBits(next, bits) >> BigInt(next() % bits);
      return BigInt.asUintN(bits, next() & 1 ? wide : -wide);
    }
  }
}

describe("SIMD forms against scalar forms", () => {
  let compared = 0;
  for (const simd of [...LIBRARY_NAMES].sort()) {
    const match = /^(.*)_x[24]$/.exec(simd);
    const scalar = match?.[1];
    if (!scalar || !LIBRARY_NAMES.has(scalar)) continue;
    // Takes a product and its error, which random operands are not: tested by fma_rn_f64_x2.
    if (scalar === "sum_rn_f64") continue;
    compared++;
    test(simd, () => {
      const [from, to] = typesOf(scalar);
      const bytes = wasmType(from).endsWith("64") ? 8 : 4;
      const next = randomWords(simd.length * 65537 + simd.charCodeAt(0));
      const operands: bigint[][] = Array.from({ length: arityOf(scalar) }, () => []);
      for (let i = 0; i < COUNT; i++) {
        let near: bigint | undefined;
        for (const [k, list] of operands.entries()) {
          // Shift amounts and field bounds: small ones, and in half of the groups one for four lanes.
          const previous = list.at(-1);
          if (SHIFTS.test(scalar) && k > 0 && i % 4 !== 0 && i % 8 < 4 && previous !== undefined) {
            near = previous;
          } else if (SHIFTS.test(scalar) && k > 0 && next() & 1) near = BigInt(next() % 40);
          else near = sample(from, next, near);
          list.push(near);
        }
      }
      const vectors = operands.map((o) => pack(o, bytes));
      const outBytes = wasmType(to).endsWith("64") ? 8 : 4;
      const one = applyFunction(
        scalar,
        vectors.map((v) => ({ type: wasmType(from), bytes: v })),
        wasmType(to),
      );
      const four = applyFunction(
        simd,
        vectors.map((v) => ({ type: "v128", bytes: v })),
        "v128",
      );
      const want = unpack(one, outBytes);
      const got = unpack(four, outBytes);
      want.forEach((w, i) => {
        if (w === got[i]) return;
        // Which NaN a WebAssembly operation makes is up to the engine.
        const f = to === "f32" ? F32 : to === "f64" ? F64 : undefined;
        if (f && isNan(w, f) && isNan(got[i] as bigint, f)) return;
        const shown = operands.map((o) => `0x${(o[i] as bigint).toString(16)}`).join(", ");
        assert.fail(`(${shown}): scalar 0x${w.toString(16)}, SIMD 0x${got[i]?.toString(16)}`);
      });
    });
  }
  test("there are SIMD forms of the common instructions", () => {
    assert.ok(compared >= 120, `only ${compared} SIMD forms have a scalar form`);
  });
});

function isNan(bits: bigint, f: { fraction: number; exponent: number }): boolean {
  const magnitude = bits & ((1n << BigInt(f.fraction + f.exponent)) - 1n);
  return magnitude > ((1n << BigInt(f.exponent)) - 1n) << BigInt(f.fraction);
}
