/** Functions that IEEE 754 defines to the last bit, against the exact models, on hard operands. */
import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { applyFunction, LIBRARY_NAMES, type VectorType } from "./library.ts";
import * as ref from "./reference.ts";
import { pack, randomBits, randomFloat, randomWords, unpack } from "./samples.ts";

const MODES: ref.Mode[] = ["rn", "rz", "rm", "rp"];
const FORMATS: Record<string, { format: ref.Format; type: VectorType; bytes: number }> = {
  f16: { format: ref.F16, type: "i16", bytes: 2 },
  bf16: { format: ref.BF16, type: "i16", bytes: 2 },
  f32: { format: ref.F32, type: "f32", bytes: 4 },
  f64: { format: ref.F64, type: "f64", bytes: 8 },
};
const COUNT = 4000;

type Model = (operands: bigint[], format: ref.Format, mode: ref.Mode) => bigint;

/** Operations, their operand counts and models. */
const OPERATIONS: [string, number, Model][] = [
  ["add", 2, ([a, b], f, m) => ref.add(a as bigint, b as bigint, f, m)],
  ["sub", 2, ([a, b], f, m) => ref.sub(a as bigint, b as bigint, f, m)],
  ["mul", 2, ([a, b], f, m) => ref.mul(a as bigint, b as bigint, f, m)],
  ["fma", 3, ([a, b, c], f, m) => ref.fma(a as bigint, b as bigint, c as bigint, f, m)],
  ["div", 2, ([a, b], f, m) => ref.div(a as bigint, b as bigint, f, m)],
  ["rcp", 1, ([a], f, m) => ref.rcp(a as bigint, f, m)],
  ["sqrt", 1, ([a], f, m) => ref.sqrt(a as bigint, f, m)],
];

/** Compares results with the model's, any NaN equal to any NaN. */
function check(
  name: string,
  operands: bigint[][],
  want: bigint[],
  got: bigint[],
  f: ref.Format,
): void {
  const digits = (f.fraction + f.exponent + 1) / 4;
  const hex = (x: bigint): string => `0x${x.toString(16).padStart(digits, "0")}`;
  want.forEach((w, i) => {
    const g = got[i] as bigint;
    if (w === g || (ref.isNan(w, f) && ref.isNan(g, f))) return;
    const shown = operands.map((o) => hex(o[i] as bigint)).join(", ");
    assert.fail(`${name}(${shown}) is ${hex(w)}, got ${hex(g)}`);
  });
}

describe("arithmetic against exact models", () => {
  for (const [typeName, { format, type, bytes }] of Object.entries(FORMATS)) {
    for (const [op, arity, model] of OPERATIONS) {
      for (const mode of MODES) {
        const name = `${op}_${mode}_${typeName}`;
        if (!LIBRARY_NAMES.has(name)) continue;
        test(name, () => {
          const next = randomWords(name.length * 7919 + mode.charCodeAt(1));
          const operands: bigint[][] = Array.from({ length: arity }, () => []);
          for (let i = 0; i < COUNT; i++) {
            let near: bigint | undefined;
            for (const [k, list] of operands.entries()) {
              // A third operand close to the product of the first two cancels against it.
              if (k === 2 && next() % 3 === 0) {
                const [a, b] = operands.map((o) => o[i] as bigint);
                const p = ref.mul(a as bigint, b as bigint, format, "rn");
                const flip = 1n << BigInt(format.fraction + format.exponent);
                list.push(BigInt.asUintN(8 * bytes, (p ^ flip) + BigInt(next() % 3) - 1n));
                continue;
              }
              if (k === 2) {
                near = ref.mul(
                  operands[0]?.[i] as bigint,
                  operands[1]?.[i] as bigint,
                  format,
                  "rn",
                );
              }
              const value = randomFloat(next, format, near);
              list.push(value);
              near = value;
            }
          }
          const want = Array.from({ length: COUNT }, (_, i) =>
            model(
              operands.map((o) => o[i] as bigint),
              format,
              mode,
            ),
          );
          const vectors = operands.map((o) => ({ type, bytes: pack(o, bytes) }));
          const got = unpack(applyFunction(name, vectors, type), Math.max(bytes, 4));
          check(name, operands, want, got, format);
        });
      }
    }
  }
});

describe("conversions against exact models", () => {
  for (const [from, source] of Object.entries(FORMATS)) {
    for (const [to, target] of Object.entries(FORMATS)) {
      for (const mode of MODES) {
        const name = `cvt_${mode}_${to}_${from}`;
        if (from === to || !LIBRARY_NAMES.has(name)) continue;
        test(name, () => {
          const next = randomWords(from.length * 31 + to.length + mode.charCodeAt(1));
          const operands = Array.from({ length: COUNT }, () => {
            // Half of them around the target's range, where its ties and subnormals are.
            if (next() & 1) return randomFloat(next, source.format);
            const small = randomFloat(next, target.format);
            const near = ref.convert(small, target.format, source.format, "rn");
            return BigInt.asUintN(8 * source.bytes, near + BigInt(next() % 5) - 2n);
          });
          const want = operands.map((a) => ref.convert(a, source.format, target.format, mode));
          const vector = { type: source.type, bytes: pack(operands, source.bytes) };
          const result = applyFunction(name, [vector], target.type);
          const got = unpack(result, Math.max(target.bytes, 4));
          check(name, [operands], want, got, target.format);
        });
      }
    }
  }
  for (const bits of [8, 16, 32, 64]) {
    for (const sign of ["u", "s"]) {
      for (const [to, target] of Object.entries(FORMATS)) {
        for (const mode of MODES) {
          const name = `cvt_${mode}_${to}_${sign}${bits}`;
          if (!LIBRARY_NAMES.has(name)) continue;
          test(name, () => {
            const next = randomWords(bits * 101 + to.length + mode.charCodeAt(1));
            const operands = Array.from({ length: COUNT / 4 }, () => {
              const wide = randomBits(next, bits) >> BigInt(next() % bits);
              // Short numbers with a lone low bit lie next to ties.
              const short = wide & ~((1n << BigInt(next() % bits)) - 1n);
              const value = next() & 1 ? wide : short + BigInt(next() % 3) - 1n;
              return BigInt.asUintN(bits, next() & 1 ? value : -value);
            });
            const want = operands.map((x) =>
              ref.fromInteger(sign === "s" ? BigInt.asIntN(bits, x) : x, target.format, mode),
            );
            const vector = { type: `i${bits}` as VectorType, bytes: pack(operands, bits / 8) };
            const result = applyFunction(name, [vector], target.type);
            check(name, [operands], want, unpack(result, Math.max(target.bytes, 4)), target.format);
          });
        }
      }
    }
  }
});
