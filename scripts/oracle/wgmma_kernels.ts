/**
 * Kernels around one `wgmma.mma_async`, in the oracle's form: t(in0*, in1*, in2*, out*, n) for four
 * blocks of 128 threads. Block c fills its shared memory with data of class c, whose words depend on
 * their offsets alone, so that what A and B are is up to the descriptors. It writes the c-th of four
 * pairs of registers of D.
 */
import type { OracleCase } from "./mma_kernels.ts";

/** Words of shared memory that a block fills. */
export const SHARED_WORDS = 12288;

/** How an operand lies in shared memory: a matrix descriptor, and whether it lies across k. */
export interface SharedOperand {
  /** Offset of its start, bytes. */
  start: number;
  leading: number;
  stride: number;
  /** 0 none, 1 128 bytes, 2 64 bytes, 3 32 bytes. */
  swizzle: number;
  baseOffset: number;
  turned: boolean;
}

/** One product. */
export interface WarpgroupProduct {
  d: string;
  a: string;
  b: string;
  n: number;
  /** undefined: A in registers. */
  sharedA: SharedOperand | undefined;
  sharedB: SharedOperand;
  scale: boolean;
  signs: [number, number];
  saturate: boolean;
  /** First of the four pairs of registers that are written. */
  pair: number;
}

/** Elements along k by type of A. */
export const DEPTH: Record<string, number> = {
  f16: 16,
  bf16: 16,
  tf32: 8,
  e4m3: 32,
  e5m2: 32,
  s8: 32,
  u8: 32,
  b1: 256,
};

/** The instruction's name. */
export function mnemonicOf(p: WarpgroupProduct): string {
  const shape = `m64n${p.n}k${DEPTH[p.a]}`;
  const end = p.a === "b1" ? ".and.popc" : "";
  const saturate = p.saturate ? ".satfinite" : "";
  return `wgmma.mma_async.sync.aligned.${shape}${saturate}.${p.d}.${p.a}.${p.b}${end}`;
}

export function descriptorOf(o: SharedOperand): bigint {
  return (
    BigInt(o.start >> 4) |
    (BigInt(o.leading >> 4) << 16n) |
    (BigInt(o.stride >> 4) << 32n) |
    (BigInt(o.baseOffset) << 49n) |
    (BigInt(o.swizzle) << 62n)
  );
}

/** 8-bit floats lose exponent bits by class. */
export const QUARTER_MASKS = [0xbfbfbfbf, 0xbfbfbfbf, 0xffffffff, 0x8f8f8f8f];

export const isQuarter = (type: string): boolean => /^e[45]m[32]$/.test(type);

/** Registers of D. */
export const registersOf = (p: WarpgroupProduct): number => p.n / (p.d === "f16" ? 4 : 2);

const list = (name: string, count: number, first = 0) =>
  `{${Array.from({ length: count }, (_, i) => `%${name}${first + i}`).join(",")}}`;

/** Loads word `index` (in %t0) mod 128 of the block's class from a pool into a register. */
const loadWord = (pool: number, register: string): string[] => [
  "and.b32 %t0, %t0, 127;",
  "mad.lo.u32 %t0, %class, 128, %t0;",
  "mul.wide.u32 %u0, %t0, 4;",
  `add.u64 %u0, %u0, %q${pool};`,
  `ld.global.b32 ${register}, [%u0];`,
];

function pools(p: WarpgroupProduct): string[] {
  const factor = { f16: "f16x2", bf16: "bf16x2", tf32: "f32" }[p.a] ?? "i32";
  const sum = { f32: "f32", f16: "f16x2", s32: "i32" }[p.d] ?? "i32";
  return [factor, factor, sum];
}

/** The case of one product. */
export function wgmmaCase(p: WarpgroupProduct, note: string): OracleCase {
  const nd = registersOf(p);
  const quarter = isQuarter(p.a);
  const lines: string[] = [];
  const masked = (register: string) =>
    quarter ? [`and.b32 ${register}, ${register}, %mask;`] : [];
  if (quarter) {
    lines.push(`mov.u32 %mask, 0x${QUARTER_MASKS[0]?.toString(16)};`);
    for (let c = 1; c < 4; c++) {
      lines.push(
        `setp.eq.u32 %p0, %class, ${c};`,
        `@%p0 mov.u32 %mask, 0x${QUARTER_MASKS[c]?.toString(16)};`,
      );
    }
  }
  // Word w of shared memory: element (41·w + w div 128) mod 128 of the class.
  lines.push(
    "mov.u32 %w, %th;",
    "FILL:",
    "shr.u32 %t1, %w, 7;",
    "mad.lo.u32 %t0, %w, 41, %t1;",
    ...loadWord(0, "%x"),
    ...masked("%x"),
    "shl.b32 %t1, %w, 2;",
    "mov.u32 %t2, sm;",
    "add.u32 %t1, %t1, %t2;",
    "st.shared.b32 [%t1], %x;",
    "add.u32 %w, %w, 128;",
    `setp.lt.u32 %p0, %w, ${SHARED_WORDS};`,
    "@%p0 bra FILL;",
  );
  // A's register r: element (53·r + tid) mod 128 of pool 1; C's (29·r + 7·tid) of pool 2.
  for (let r = 0; r < 4 && !p.sharedA; r++) {
    lines.push(`add.u32 %t0, %th, ${53 * r};`, ...loadWord(1, `%a${r}`), ...masked(`%a${r}`));
  }
  for (let r = 0; r < nd; r++) {
    lines.push(`mad.lo.u32 %t0, %th, 7, ${29 * r};`, ...loadWord(2, `%d${r}`));
  }
  const operand = (name: string, o: SharedOperand) =>
    lines.push(
      "mov.u32 %t0, sm;",
      "shr.u32 %t0, %t0, 4;",
      "cvt.u64.u32 %u0, %t0;",
      `mov.b64 %${name}, 0x${descriptorOf(o).toString(16)};`,
      `add.u64 %${name}, %${name}, %u0;`,
    );
  if (p.sharedA) operand("da", p.sharedA);
  operand("db", p.sharedB);
  const immediates: (number | string)[] = [];
  if (p.d !== "s32") immediates.push(...p.signs);
  if (p.a === "f16" || p.a === "bf16") {
    if (p.sharedA) immediates.push(p.sharedA.turned ? 1 : 0);
    immediates.push(p.sharedB.turned ? 1 : 0);
  }
  const a = p.sharedA ? "%da" : list("a", 4);
  lines.push(
    `setp.ne.u32 %p1, ${p.scale ? 1 : 0}, 0;`,
    "fence.proxy.async;",
    "bar.sync 0;",
    "wgmma.fence.sync.aligned;",
    `${mnemonicOf(p)} ${[list("d", nd), a, "%db", "%p1", ...immediates].join(", ")};`,
    "wgmma.commit_group.sync.aligned;",
    "wgmma.wait_group.sync.aligned 0;",
    "mul.wide.u32 %u0, %i, 8;",
    "add.u64 %u0, %u0, %q3;",
  );
  for (let c = 0; c < 4; c++) {
    const [first, second] = pairOf(p, c);
    lines.push(
      `setp.eq.u32 %p0, %class, ${c};`,
      `@%p0 st.global.v2.b32 [%u0], {%d${first},%d${second}};`,
    );
  }
  const ptx = `.version 8.4
.target sm_90a
.address_size 64
.visible .entry t(.param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 po, .param .u32 n)
{
  .reg .b32 %i, %n, %th, %class, %w, %x, %mask, %t<4>, %a<4>, %d<${nd}>;
  .reg .b64 %q<4>, %u<2>, %da, %db;
  .reg .pred %p<2>;
  .shared .align 1024 .b8 sm[${4 * SHARED_WORDS}];
  mov.u32 %class, %ctaid.x;
  mov.u32 %th, %tid.x;
  mad.lo.u32 %i, %class, 128, %th;
${[0, 1, 2].map((k) => `  ld.param.u64 %q${k}, [p${k}];`).join("\n")}
  ld.param.u64 %q3, [po];
${[0, 1, 2, 3].map((k) => `  cvta.to.global.u64 %q${k}, %q${k};`).join("\n")}
${lines.map((line) => `  ${line}`).join("\n")}
  ret;
}
`;
  return { name: `${mnemonicOf(p)} ${note}`, in: pools(p), out: "i64", tol: null, ptx };
}

/** The registers of D that block c writes. */
export function pairOf(p: WarpgroupProduct, c: number): [number, number] {
  const nd = registersOf(p);
  const first = (2 * (p.pair + c)) % nd;
  return [first, (first + 1) % nd];
}
