/**
 * Kernels around one `mma.sp`: as productCase of mma_kernels.ts, with metadata of valid patterns.
 */
import { type Operand, type OracleCase, productCase } from "./mma_kernels.ts";

/** Patterns of four elements with two that count (or pairs of them): indices of two bits each. */
const PATTERNS = [0x4, 0x8, 0x9, 0xc, 0xd, 0xe];

/** The metadata word of a lane. tf32 keeps one of two elements: 0x4 is the first, 0xe the second. */
export function metadataWord(warp: number, lane: number, tf32: boolean): number {
  const hash = (Math.imul(32 * warp + lane + 1, 0x9e3779b1) ^ 0x2545f491) >>> 0;
  let word = 0;
  for (let i = 0; i < 8; i++) {
    const digit = (hash >>> (4 * i)) & 15;
    const pattern = tf32 ? (digit & 1 ? 0xe : 0x4) : (PATTERNS[(digit * 6) >> 4] ?? 0);
    word |= pattern << (4 * i);
  }
  return word >>> 0;
}

/** PTX for the same, into %e. */
function metadataText(tf32: boolean): string {
  const lines = [
    "  add.u32 %t0, %i, 1;",
    "  mul.lo.u32 %t0, %t0, 0x9e3779b1;",
    "  xor.b32 %t0, %t0, 0x2545f491;",
    "  mov.u32 %e, 0;",
  ];
  for (let i = 0; i < 8; i++) {
    lines.push(`  shr.u32 %t1, %t0, ${4 * i};`);
    if (tf32) {
      lines.push(
        "  and.b32 %t1, %t1, 1;",
        "  setp.eq.u32 %p0, %t1, 1;",
        "  selp.u32 %t1, 14, 4, %p0;",
      );
    } else {
      lines.push(
        "  and.b32 %t1, %t1, 15;",
        "  mul.lo.u32 %t1, %t1, 6;",
        "  shr.u32 %t1, %t1, 4;",
        "  shl.b32 %t1, %t1, 2;",
        "  shr.u32 %t1, 0xedc984, %t1;",
        "  and.b32 %t1, %t1, 15;",
      );
    }
    lines.push(`  shl.b32 %t1, %t1, ${4 * i};`, "  or.b32 %e, %e, %t1;");
  }
  return lines.join("\n");
}

const b32 = (count: number): Operand => ({ count, kind: "b32" });
const f32 = (count: number): Operand => ({ count, kind: "f32" });

type Pools = [string, string, string];

function sparseCase(
  rest: string,
  accumulator: Operand,
  registers: [number, number],
  pools: Pools,
  selector: number,
  ordered: boolean,
): OracleCase {
  const mnemonic = `mma.sp${ordered ? "::ordered_metadata" : ""}.sync.aligned.${rest}`;
  const [a, b] = registers.map(b32) as [Operand, Operand];
  const c = productCase(mnemonic, { d: accumulator, a, b, c: accumulator }, pools);
  const line = c.ptx.split("\n").find((text) => text.startsWith(`  ${mnemonic} `)) ?? "";
  const sparse = `${metadataText(rest.includes("tf32"))}\n${line.replace(";", `, %e, ${selector};`)}`;
  const ptx = c.ptx.replace(line, sparse).replace("  .reg .pred", "  .reg .b32 %e;\n  .reg .pred");
  return { ...c, name: `${mnemonic} ${selector}`, ptx };
}

/** All `mma.sp` forms of sm_80 to sm_90, with every selector. */
export function sparseCases(): OracleCase[] {
  const cases: OracleCase[] = [];
  const add = (
    rest: string,
    accumulator: Operand,
    registers: [number, number],
    selectors: number,
    pools: Pools,
  ) => {
    for (let selector = 0; selector < selectors; selector++) {
      cases.push(sparseCase(rest, accumulator, registers, pools, selector, false));
    }
    cases.push(sparseCase(rest, accumulator, registers, pools, selectors - 1, true));
  };
  const halves: Pools = ["f16x2", "f16x2", "f16x2"];
  const mixed: Pools = ["f16x2", "f16x2", "f32"];
  const bfloats: Pools = ["bf16x2", "bf16x2", "f32"];
  for (const [shape, registers, selectors] of [
    ["m16n8k16", [2, 2], 4],
    ["m16n8k32", [4, 4], 2],
  ] as [string, [number, number], number][]) {
    add(`${shape}.row.col.f16.f16.f16.f16`, b32(2), registers, selectors, halves);
    add(`${shape}.row.col.f32.f16.f16.f32`, f32(4), registers, selectors, mixed);
    add(`${shape}.row.col.f32.bf16.bf16.f32`, f32(4), registers, selectors, bfloats);
  }
  const singles: Pools = ["f32", "f32", "f32"];
  add("m16n8k8.row.col.f32.tf32.tf32.f32", f32(4), [2, 2], 4, singles);
  add("m16n8k16.row.col.f32.tf32.tf32.f32", f32(4), [4, 4], 2, singles);
  for (const x of ["e4m3", "e5m2"]) {
    for (const y of ["e4m3", "e5m2"]) {
      add(`m16n8k64.row.col.f32.${x}.${y}.f32`, f32(4), [4, 4], 1, ["i32", "i32", "f32"]);
    }
  }
  const integers: Pools = ["i32", "i32", "i32"];
  for (const saturation of ["", ".satfinite"]) {
    for (const x of ["s", "u"]) {
      const y = saturation ? "s" : "u";
      const tail = (bits: number) => `row.col${saturation}.s32.${x}${bits}.${y}${bits}.s32`;
      add(`m16n8k32.${tail(8)}`, b32(4), [2, 2], 2, integers);
      add(`m16n8k64.${tail(8)}`, b32(4), [4, 4], 1, integers);
      add(`m16n8k64.${tail(4)}`, b32(4), [2, 2], 2, integers);
      add(`m16n8k128.${tail(4)}`, b32(4), [4, 4], 1, integers);
    }
  }
  return cases;
}
