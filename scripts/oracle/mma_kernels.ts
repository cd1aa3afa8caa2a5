/**
 * Kernels around one `mma.sync`, `ldmatrix`, `stmatrix` or `movmatrix`: t(in0*, in1*, in2*, out*, n)
 * for 512 threads, 16 warps. Warp w computes with data of class w mod 4 and writes the w/4-th pair
 * of result registers, so every register meets every class.
 */

/** One case of cases.json. */
export interface OracleCase {
  name: string;
  in: string[];
  out: string;
  tol: null;
  ptx: string;
}

/** Registers that an operand takes and their kind. */
export interface Operand {
  count: number;
  kind: "b32" | "f32" | "f64";
}

/** Everything before the body: index arithmetic, and pointers %q0, %q1, %q2 (in), %q3 (out). */
export function wrapKernel(declarations: string, body: string, version = "8.7"): string {
  return `.version ${version}
.target sm_90
.address_size 64
.visible .entry t(.param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 po, .param .u32 n)
{
  .reg .b32 %i, %n, %x0, %x1, %lane, %tile, %class, %part, %t<8>;
  .reg .b64 %q<8>, %u<8>;
  .reg .pred %p<8>;
${declarations}
  mov.u32 %x0, %ctaid.x;
  mov.u32 %x1, %ntid.x;
  mov.u32 %i, %tid.x;
  mad.lo.u32 %i, %x0, %x1, %i;
  mov.u32 %lane, %laneid;
  shr.u32 %tile, %i, 5;
  and.b32 %class, %tile, 3;
  shr.u32 %part, %tile, 2;
  ld.param.u64 %q0, [p0];
  ld.param.u64 %q1, [p1];
  ld.param.u64 %q2, [p2];
  ld.param.u64 %q3, [po];
  cvta.to.global.u64 %q0, %q0;
  cvta.to.global.u64 %q1, %q1;
  cvta.to.global.u64 %q2, %q2;
  cvta.to.global.u64 %q3, %q3;
${body}
  ret;
}
`;
}

/** "{%a0,%a1}" */
export function list(name: string, count: number): string {
  return `{${Array.from({ length: count }, (_, i) => `%${name}${i}`).join(",")}}`;
}

/** Loads an operand's registers from a pool: element class·128 + (41·tile + 53·r + lane) mod 128. */
function loadRegisters(name: string, pool: number, operand: Operand): string {
  const bytes = operand.kind === "f64" ? 8 : 4;
  const lines: string[] = [];
  for (let r = 0; r < operand.count; r++) {
    lines.push(
      `  mad.lo.u32 %t0, %tile, 41, ${53 * r + 17 * pool};`,
      "  add.u32 %t0, %t0, %lane;",
      "  and.b32 %t0, %t0, 127;",
      "  mad.lo.u32 %t0, %class, 128, %t0;",
      `  mul.wide.u32 %u0, %t0, ${bytes};`,
      `  add.u64 %u0, %q${pool}, %u0;`,
      `  ld.global.${operand.kind} %${name}${r}, [%u0];`,
    );
  }
  return lines.join("\n");
}

/** Writes the `part`-th pair of 32-bit result registers, or the `part`-th of 64 bits. */
export function storeResult(name: string, operand: Operand): string {
  const wide = operand.kind === "f64";
  const units = wide ? operand.count : Math.ceil(operand.count / 2);
  const lines = ["  mul.wide.u32 %u0, %i, 8;", "  add.u64 %u0, %q3, %u0;"];
  lines.push(`  rem.u32 %t0, %part, ${units};`);
  for (let j = 0; j < units; j++) {
    const second = 2 * j + 1 < operand.count ? 2 * j + 1 : 2 * j;
    lines.push(
      `  setp.eq.u32 %p0, %t0, ${j};`,
      wide
        ? `  @%p0 st.global.f64 [%u0], %${name}${j};`
        : `  @%p0 st.global.v2.${operand.kind} [%u0], {%${name}${2 * j},%${name}${second}};`,
    );
  }
  return lines.join("\n");
}

/** For 8-bit floats: classes 0 and 1 lose the upper exponent bit, class 3 becomes small. */
function limitQuarters(name: string, count: number): string {
  const lines = [
    "  mov.u32 %t1, 0xffffffff;",
    "  setp.lt.u32 %p0, %class, 2;",
    "  @%p0 mov.u32 %t1, 0xbfbfbfbf;",
    "  setp.eq.u32 %p0, %class, 3;",
    "  @%p0 mov.u32 %t1, 0x8f8f8f8f;",
  ];
  for (let r = 0; r < count; r++) lines.push(`  and.b32 %${name}${r}, %${name}${r}, %t1;`);
  return lines.join("\n");
}

/** The case of one product on registers: `mnemonic d, a, b, c`. */
export function productCase(
  mnemonic: string,
  operands: { d: Operand; a: Operand; b: Operand; c: Operand },
  pools: [string, string, string],
  version?: string,
): OracleCase {
  const { d, a, b, c } = operands;
  const declarations = Object.entries(operands)
    .map(([name, o]) => `  .reg .${o.kind} %${name}<${o.count}>;`)
    .join("\n");
  const quarters = /e[45]m[32]/.test(mnemonic);
  const body = [
    loadRegisters("a", 0, a),
    loadRegisters("b", 1, b),
    loadRegisters("c", 2, c),
    ...(quarters ? [limitQuarters("a", a.count), limitQuarters("b", b.count)] : []),
    `  ${mnemonic} ${list("d", d.count)}, ${list("a", a.count)}, ${list("b", b.count)}, ${list("c", c.count)};`,
    storeResult("d", d),
  ].join("\n");
  const out = d.kind === "f64" ? "f64" : "i64";
  const ptx = wrapKernel(declarations, body, version);
  return { name: mnemonic, in: pools, out, tol: null, ptx };
}

/** Each warp's own 2 KiB of shared memory, filled from pool 0; its address in %t7. */
const FILL_SHARED = `  and.b32 %t0, %tile, 3;
  mov.u32 %t7, sm;
  mad.lo.u32 %t7, %t0, 2048, %t7;
  mov.u32 %t1, 0;
FILL:
  mad.lo.u32 %t2, %t1, 32, %lane;
  mad.lo.u32 %t3, %tile, 37, %t2;
  and.b32 %t3, %t3, 511;
  mul.wide.u32 %u0, %t3, 4;
  add.u64 %u0, %q0, %u0;
  ld.global.b32 %t3, [%u0];
  mad.lo.u32 %t2, %t2, 4, %t7;
  st.shared.b32 [%t2], %t3;
  add.u32 %t1, %t1, 1;
  setp.lt.u32 %p0, %t1, 16;
  @%p0 bra FILL;
  bar.warp.sync 0xffffffff;
`;
const SHARED = "  .shared .align 128 .b8 sm[8192];\n";

/** Row of lane l: 16 bytes at 16·((5·l + 3) mod 32) of the second kilobyte. */
const ROW = `  mad.lo.u32 %t0, %lane, 5, 3;
  and.b32 %t0, %t0, 31;
  mad.lo.u32 %t0, %t0, 16, %t7;
  add.u32 %t0, %t0, 1024;
`;

/** `ldmatrix` of 1, 2 or 4 matrices, as they are or transposed. */
export function loadMatrixCase(count: number, transposed: boolean): OracleCase {
  const name = `ldmatrix.sync.aligned.m8n8.x${count}${transposed ? ".trans" : ""}.shared.b16`;
  const body = `${FILL_SHARED}${ROW}  ${name} ${list("d", count)}, [%t0];
${storeResult("d", { count, kind: "b32" })}`;
  const ptx = wrapKernel(`${SHARED}  .reg .b32 %d<${count}>;`, body);
  return { name, in: ["i32"], out: "i64", tol: null, ptx };
}

/** `stmatrix`: stores what was loaded word by word, and reads its memory back. */
export function storeMatrixCase(count: number, transposed: boolean): OracleCase {
  const name = `stmatrix.sync.aligned.m8n8.x${count}${transposed ? ".trans" : ""}.shared.b16`;
  const loads = Array.from(
    { length: count },
    (_, r) => `  ld.shared.b32 %d${r}, [%t1+${128 * r}];`,
  ).join("\n");
  const body = `${FILL_SHARED}  mad.lo.u32 %t1, %lane, 4, %t7;
${loads}
${ROW}  ${name} [%t0], ${list("d", count)};
  bar.warp.sync 0xffffffff;
  mad.lo.u32 %t1, %lane, 8, %t7;
  ld.shared.v2.b32 {%e0,%e1}, [%t1+1024];
  ld.shared.v2.b32 {%e2,%e3}, [%t1+1280];
${storeResult("e", { count: 4, kind: "b32" })}`;
  const ptx = wrapKernel(`${SHARED}  .reg .b32 %d<${count}>, %e<4>;`, body);
  return { name, in: ["i32"], out: "i64", tol: null, ptx };
}

/** `movmatrix`: a transposition across the warp. */
export function moveMatrixCase(): OracleCase {
  const name = "movmatrix.sync.aligned.m8n8.trans.b16";
  const body = `${loadRegisters("a", 0, { count: 1, kind: "b32" })}
  ${name} %d0, %a0;
${storeResult("d", { count: 1, kind: "b32" })}`;
  const ptx = wrapKernel("  .reg .b32 %a<1>, %d<1>;", body);
  return { name, in: ["i32"], out: "i64", tol: null, ptx };
}
