/**
 * The warp's cases of the conformance oracle: every `mma.sync`, `wmma`, `mma.sp`, `ldmatrix`,
 * `stmatrix` and `movmatrix` form of sm_70 to sm_90, and lane operations under divergence (written
 * out by make_mma_cases.ts).
 */
import { laneCases } from "./lane_kernels.ts";
import {
  loadMatrixCase,
  moveMatrixCase,
  type Operand,
  type OracleCase,
  productCase,
  storeMatrixCase,
} from "./mma_kernels.ts";
import { sparseCases } from "./sparse_kernels.ts";
import { type WmmaMatrix, wmmaLoadCase, wmmaProductCase } from "./wmma_kernels.ts";

const b32 = (count: number): Operand => ({ count, kind: "b32" });
const f32 = (count: number): Operand => ({ count, kind: "f32" });
const f64 = (count: number): Operand => ({ count, kind: "f64" });

/** All `mma.sync` forms. */
function mmaCases(): OracleCase[] {
  const cases: OracleCase[] = [];
  const add = (
    rest: string,
    d: Operand,
    a: Operand,
    b: Operand,
    pools: [string, string, string],
    c: Operand = d,
  ) => cases.push(productCase(`mma.sync.aligned.${rest}`, { d, a, b, c }, pools));

  for (const [shape, na] of [
    ["m16n8k16", 4],
    ["m16n8k8", 2],
  ] as const) {
    const [a, b] = [b32(na), b32(na / 2)];
    add(`${shape}.row.col.f32.f16.f16.f32`, f32(4), a, b, ["f16x2", "f16x2", "f32"]);
    add(`${shape}.row.col.f16.f16.f16.f16`, b32(2), a, b, ["f16x2", "f16x2", "f16x2"]);
    add(`${shape}.row.col.f32.bf16.bf16.f32`, f32(4), a, b, ["bf16x2", "bf16x2", "f32"]);
  }
  add("m16n8k8.row.col.f32.tf32.tf32.f32", f32(4), b32(4), b32(2), ["f32", "f32", "f32"]);
  add("m16n8k4.row.col.f32.tf32.tf32.f32", f32(4), b32(2), b32(1), ["f32", "f32", "f32"]);
  for (const rowA of ["row", "col"]) {
    for (const rowB of ["row", "col"]) {
      const shape = `m8n8k4.${rowA}.${rowB}`;
      const halves: [string, string, string] = ["f16x2", "f16x2", "f16x2"];
      add(`${shape}.f32.f16.f16.f32`, f32(8), b32(2), b32(2), ["f16x2", "f16x2", "f32"]);
      add(`${shape}.f16.f16.f16.f16`, b32(4), b32(2), b32(2), halves);
      add(`${shape}.f32.f16.f16.f16`, f32(8), b32(2), b32(2), halves, b32(4));
    }
  }
  for (const [shape, na] of [
    ["m16n8k32", 4],
    ["m16n8k16", 2],
  ] as const) {
    for (const x of ["e4m3", "e5m2"]) {
      for (const y of ["e4m3", "e5m2"]) {
        const [a, b] = [b32(na), b32(na / 2)];
        add(`${shape}.row.col.f32.${x}.${y}.f32`, f32(4), a, b, ["i32", "i32", "f32"]);
        add(`${shape}.row.col.f16.${x}.${y}.f16`, b32(2), a, b, ["i32", "i32", "f16x2"]);
      }
    }
  }
  for (const [shape, nd, na, nb] of [
    ["m8n8k4", 2, 1, 1],
    ["m16n8k4", 4, 2, 1],
    ["m16n8k8", 4, 4, 2],
    ["m16n8k16", 4, 8, 4],
  ] as const) {
    for (const rounding of ["", ".rn", ".rz", ".rm", ".rp"]) {
      const name = `${shape}.row.col.f64.f64.f64.f64${rounding}`;
      add(name, f64(nd), f64(na), f64(nb), ["f64", "f64", "f64"]);
    }
  }
  const integers: [string, string, string] = ["i32", "i32", "i32"];
  for (const saturation of ["", ".satfinite"]) {
    for (const [types, shapes] of [
      [["s8", "u8"], { m8n8k16: [2, 1, 1], m16n8k16: [4, 2, 1], m16n8k32: [4, 4, 2] }],
      [["s4", "u4"], { m8n8k32: [2, 1, 1], m16n8k32: [4, 2, 1], m16n8k64: [4, 4, 2] }],
    ] as [string[], Record<string, [number, number, number]>][]) {
      for (const [shape, [nd, na, nb]] of Object.entries(shapes)) {
        for (const x of types) {
          for (const y of types) {
            const name = `${shape}.row.col${saturation}.s32.${x}.${y}.s32`;
            add(name, b32(nd), b32(na), b32(nb), integers);
          }
        }
      }
    }
  }
  for (const op of ["xor", "and"]) {
    for (const [shape, nd, na, nb] of [
      ["m8n8k128", 2, 1, 1],
      ["m16n8k128", 4, 2, 1],
      ["m16n8k256", 4, 4, 2],
    ] as const) {
      const name = `${shape}.row.col.s32.b1.b1.s32.${op}.popc`;
      add(name, b32(nd), b32(na), b32(nb), integers);
    }
  }
  return cases;
}

/** Registers of a `wmma` fragment. */
function fragment(use: string, shape: string, type: string): Operand {
  const small = { m16n16k16: [2, 2], m8n32k16: [1, 4], m32n8k16: [4, 1] }[shape] ?? [1, 1];
  const index = use === "a" ? 0 : 1;
  if (use === "c" || use === "d") {
    if (type === "f64") return f64(2);
    if (type === "f16") return b32(4);
    if (type === "f32") return f32(8);
    return b32(shape.startsWith("m8n8") ? 2 : 8);
  }
  if (type === "f64") return f64(1);
  if (type === "f16") return b32(8);
  if (type === "tf32") return b32(4);
  if (type === "bf16") return b32(2 * (small[index] ?? 1));
  return b32(small[index] ?? 1);
}

const BITS: Record<string, number> = {
  f16: 16,
  bf16: 16,
  tf32: 32,
  f32: 32,
  f64: 64,
  s32: 32,
  s8: 8,
  u8: 8,
  s4: 4,
  u4: 4,
  b1: 1,
};

function matrix(use: WmmaMatrix["use"], shape: string, type: string): WmmaMatrix {
  const [m = 0, n = 0, k = 0] = shape.split(/[mnk]/).slice(1).map(Number);
  const rows = use === "b" ? k : m;
  const columns = use === "a" ? k : n;
  const bits = BITS[type] ?? 0;
  return { use, shape, rows, columns, type, bits, registers: fragment(use, shape, type) };
}

/** Element types of `wmma`: shapes, types of C and D, layouts of A and B. */
const LARGE = ["m16n16k16", "m8n32k16", "m32n8k16"];
const FAMILIES: { type: string; shapes: string[]; acc: string[]; fixed?: boolean }[] = [
  { type: "f16", shapes: LARGE, acc: ["f32.f32", "f16.f16", "f32.f16", "f16.f32"] },
  { type: "bf16", shapes: LARGE, acc: ["f32.f32"] },
  { type: "s8", shapes: LARGE, acc: ["s32.s32"] },
  { type: "u8", shapes: LARGE, acc: ["s32.s32"] },
  { type: "tf32", shapes: ["m16n16k8"], acc: ["f32.f32"] },
  { type: "f64", shapes: ["m8n8k4"], acc: ["f64.f64"] },
  { type: "s4", shapes: ["m8n8k32"], acc: ["s32.s32"], fixed: true },
  { type: "u4", shapes: ["m8n8k32"], acc: ["s32.s32"], fixed: true },
  { type: "b1", shapes: ["m8n8k128"], acc: ["s32.s32"], fixed: true },
];

/** The `wmma.mma` mnemonics of a family. */
function wmmaMnemonics(type: string, shape: string, a: string, b: string, acc: string): string[] {
  const [d, c] = acc.split(".");
  const head = `wmma.mma.sync.aligned.${a}.${b}.${shape}`;
  if (type === "f16") return [`${head}.${d}.${c}`];
  if (type === "b1") {
    return ["xor", "and"].map(
      (op) => `wmma.mma.${op}.popc.sync.aligned.${a}.${b}.${shape}.s32.b1.b1.s32`,
    );
  }
  const plain = `${head}.${d}.${type}.${type}.${c}`;
  if (type === "f64") return [plain, `${plain}.rz`];
  return d === "s32" ? [plain, `${plain}.satfinite`] : [plain];
}

function wmmaCases(): OracleCase[] {
  const cases = new Map<string, OracleCase>();
  const add = (c: OracleCase) => cases.set(c.name, c);
  let turn = 0;
  for (const { type, shapes, acc, fixed } of FAMILIES) {
    for (const shape of shapes) {
      for (const use of ["a", "b"] as const) {
        const layouts = fixed ? [use === "a" ? "row" : "col"] : ["row", "col"];
        for (const layout of layouts) {
          const space = ["", ".global", ".shared"][turn++ % 3] ?? "";
          add(wmmaLoadCase(matrix(use, shape, type), layout, space));
        }
      }
      for (const types of acc) {
        const [d = "", c = ""] = types.split(".");
        for (const layout of ["row", "col"]) {
          add(wmmaLoadCase(matrix("c", shape, c), layout, ""));
        }
        for (const layoutA of fixed ? ["row"] : ["row", "col"]) {
          for (const layoutB of fixed ? ["col"] : ["row", "col"]) {
            for (const mnemonic of wmmaMnemonics(type, shape, layoutA, layoutB, types)) {
              const layoutC = turn & 1 ? "row" : "col";
              const layoutD = turn++ & 2 ? "row" : "col";
              const [ma, mb] = [matrix("a", shape, type), matrix("b", shape, type)];
              const [mc, md] = [matrix("c", shape, c), matrix("d", shape, d)];
              const layouts = { layoutA, layoutB, layoutC, layoutD };
              add(wmmaProductCase({ mnemonic, a: ma, b: mb, c: mc, d: md, ...layouts }));
            }
          }
        }
      }
    }
  }
  return [...cases.values()];
}

/** All cases, in the order of their golden outputs. */
export function matrixCases(): OracleCase[] {
  const cases = [...mmaCases(), ...wmmaCases()];
  for (const transposed of [false, true]) {
    for (const count of [1, 2, 4]) {
      cases.push(loadMatrixCase(count, transposed), storeMatrixCase(count, transposed));
    }
  }
  cases.push(moveMatrixCase(), ...sparseCases(), ...laneCases());
  return cases;
}
