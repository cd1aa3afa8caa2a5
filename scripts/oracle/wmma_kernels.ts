/**
 * Kernels around the `wmma` instructions: fragments as `wmma.load` gives them, and whole products
 * from memory to memory (`wmma.load` a, b, c, `wmma.mma`, `wmma.store`).
 */
import { list, type Operand, type OracleCase, storeResult, wrapKernel } from "./mma_kernels.ts";

/** A `wmma` matrix: its name, size, element type and registers. */
export interface WmmaMatrix {
  use: "a" | "b" | "c" | "d";
  shape: string;
  rows: number;
  columns: number;
  type: string;
  bits: number;
  registers: Operand;
}

/** Elements from one row (or column) to the next: the dense length and 16 bytes more. */
function strideOf(matrix: WmmaMatrix, layout: string): number {
  const length = layout === "row" ? matrix.columns : matrix.rows;
  return matrix.bits < 8 ? length : length + 128 / matrix.bits;
}

function loadText(matrix: WmmaMatrix, layout: string, space: string, address: string): string {
  const { use, shape, type, registers } = matrix;
  const stride = strideOf(matrix, layout);
  return `  wmma.load.${use}.sync.aligned.${layout}.${shape}${space}.${type} ${list(use, registers.count)}, [${address}], ${stride};`;
}

const poolOf = (matrix: WmmaMatrix): string =>
  ({ f16: "f16x2", bf16: "bf16x2", f32: "f32", tf32: "f32", f64: "f64" })[matrix.type] ?? "i32";

/** The registers of a loaded fragment. */
export function wmmaLoadCase(matrix: WmmaMatrix, layout: string, space: string): OracleCase {
  const { use, shape, type, registers } = matrix;
  const name = `wmma.load.${use}.sync.aligned.${layout}.${shape}${space}.${type}`;
  let body = "  mul.wide.u32 %u1, %class, 32;\n  add.u64 %q4, %q0, %u1;\n";
  let declarations = `  .reg .${registers.kind} %${use}<${registers.count}>;\n`;
  let address = "%q4";
  if (space === ".shared") {
    declarations += "  .shared .align 128 .b8 sm[4096];\n";
    body += `  mov.u32 %t1, %tid.x;
  mov.u32 %t7, sm;
FILL:
  mul.wide.u32 %u0, %t1, 4;
  add.u64 %u0, %q0, %u0;
  ld.global.b32 %t2, [%u0];
  mad.lo.u32 %t3, %t1, 4, %t7;
  st.shared.b32 [%t3], %t2;
  add.u32 %t1, %t1, 128;
  setp.lt.u32 %p0, %t1, 512;
  @%p0 bra FILL;
  bar.sync 0;
  mad.lo.u32 %t7, %class, 32, %t7;
`;
    address = "%t7";
  } else if (space === "") {
    body += "  cvta.global.u64 %q4, %q4;\n";
  }
  body += `${loadText(matrix, layout, space, address)}\n${storeResult(use, registers)}`;
  const out = registers.kind === "f64" ? "f64" : "i64";
  return { name, in: [poolOf(matrix)], out, tol: null, ptx: wrapKernel(declarations, body) };
}

/** Types and layouts of a whole product. */
export interface WmmaProduct {
  mnemonic: string;
  a: WmmaMatrix;
  b: WmmaMatrix;
  c: WmmaMatrix;
  d: WmmaMatrix;
  layoutA: string;
  layoutB: string;
  layoutC: string;
  layoutD: string;
}

/** A product from memory to memory; the first warps fill the output's 512 elements. */
export function wmmaProductCase(product: WmmaProduct): OracleCase {
  const { a, b, c, d, mnemonic } = product;
  const declarations = [a, b, c, d]
    .map((m) => `  .reg .${m.registers.kind} %${m.use}<${m.registers.count}>;`)
    .join("\n");
  const elements = d.rows * d.columns;
  const warps = 512 / elements;
  const bytes = elements * (d.bits / 8);
  const dense = product.layoutD === "row" ? d.columns : d.rows;
  // Warp w's operands start 512·w/warps bytes into the pools.
  const body = `  setp.ge.u32 %p1, %tile, ${warps};
  @%p1 bra DONE;
  mul.wide.u32 %u1, %tile, ${512 / warps};
  add.u64 %q0, %q0, %u1;
  add.u64 %q1, %q1, %u1;
  add.u64 %q2, %q2, %u1;
  mul.wide.u32 %u1, %tile, ${bytes};
  add.u64 %q3, %q3, %u1;
${loadText(a, product.layoutA, ".global", "%q0")}
${loadText(b, product.layoutB, ".global", "%q1")}
${loadText(c, product.layoutC, ".global", "%q2")}
  ${mnemonic} ${list("d", d.registers.count)}, ${list("a", a.registers.count)}, ${list("b", b.registers.count)}, ${list("c", c.registers.count)};
  wmma.store.d.sync.aligned.${product.layoutD}.${d.shape}.global.${d.type} [%q3], ${list("d", d.registers.count)}, ${dense};
DONE:`;
  const outs: Record<string, string> = { f32: "f32", f16: "f16", f64: "f64", s32: "i32" };
  return {
    name: `${mnemonic} c.${product.layoutC} d.${product.layoutD}`,
    in: [poolOf(a), poolOf(b), poolOf(c)],
    out: outs[d.type] ?? "i32",
    tol: null,
    ptx: wrapKernel(declarations, body),
  };
}
