/**
 * Which device-library function a warp-wide instruction calls, and the frame that it takes.
 *
 * Such a function runs once per warp: `name(active, frame)`. Operand k is an array of 32 lanes at
 * `frame + 256·k`, 4 bytes a lane (8 for b64), destinations first, then sources in PTX order with
 * vectors flattened. The member mask is no operand: `active` is the lanes that take part. A second
 * destination (`d|p`) has its slot even where the instruction does not name it. Scratch memory
 * follows the last operand. The frame is 16-byte aligned.
 */
import {
  DOUBLE_SCRATCH_BYTES,
  FLOAT_SCRATCH_BYTES,
  INTEGER_SCRATCH_BYTES,
  MATRIX_SCRATCH_BYTES,
  QUAD_SCRATCH_BYTES,
  SLOT_BYTES,
  SPARSE_INTEGER_SCRATCH_BYTES,
  SPARSE_SCRATCH_BYTES,
} from "./warp-frame-defs.ts";
import { wmmaFragment } from "./wmma-fragments.ts";

/** A lane's value: predicates are 0 or 1 in 4 bytes, f32 and packed values are b32. */
export type SlotType = "pred" | "b32" | "b64";

/** Frame of one warp-wide instruction. */
export interface WarpFrame {
  /** Export of the device library. */
  function: string;
  /**
   * The export to call instead where the engine has relaxed SIMD and its multiply-add is known to
   * be fused: same results, faster.
   */
  relaxed?: string;
  dst: SlotType[];
  src: SlotType[];
  /** Bytes after the operands that the function writes and reads. */
  scratchBytes: number;
  /**
   * `ldmatrix` and `stmatrix`: their address operand (slot number, linear-memory byte addresses as
   * b32), and how many lanes' addresses count, from lane 0: each is of 16 bytes and 16-aligned.
   */
  access?: { slot: number; lanes: number; store: boolean };
}

/** Bytes of the whole frame. */
export function frameBytes(frame: WarpFrame): number {
  return (frame.dst.length + frame.src.length) * SLOT_BYTES + frame.scratchBytes;
}

const b32 = (count: number): SlotType[] => Array<SlotType>(count).fill("b32");
const b64 = (count: number): SlotType[] => Array<SlotType>(count).fill("b64");

const plain = (name: string, dst: SlotType[], src: SlotType[], scratchBytes = 0): WarpFrame => ({
  function: name,
  dst,
  src,
  scratchBytes,
});

const underscored = (mnemonic: string): string => mnemonic.replaceAll(".", "_");

/** Shuffles, votes, matches, reductions, elections. */
function laneOperation(mnemonic: string): WarpFrame | undefined {
  let match = /^shfl(?:\.sync)?\.(up|down|bfly|idx)\.b32$/.exec(mnemonic);
  if (match) return plain(`shfl_sync_${match[1]}_b32`, ["b32", "pred"], b32(3));
  match = /^vote(?:\.sync)?\.(all|any|uni)\.pred$/.exec(mnemonic);
  if (match) return plain(`vote_sync_${match[1]}_pred`, ["pred"], ["pred"]);
  if (/^vote(\.sync)?\.ballot\.b32$/.test(mnemonic)) {
    return plain("vote_sync_ballot_b32", ["b32"], ["pred"]);
  }
  match = /^match\.(any|all)\.sync\.(b32|b64)$/.exec(mnemonic);
  if (match) {
    const dst: SlotType[] = match[1] === "all" ? ["b32", "pred"] : ["b32"];
    return plain(underscored(mnemonic), dst, [match[2] as SlotType]);
  }
  if (
    /^redux\.sync\.((add|min|max)\.[us]32|(and|or|xor)\.b32|(min|max)(\.abs)?(\.NaN)?\.f32)$/.test(
      mnemonic,
    )
  ) {
    return plain(underscored(mnemonic), ["b32"], ["b32"]);
  }
  return mnemonic === "elect.sync" ? plain("elect_sync", ["b32", "pred"], []) : undefined;
}

/** `ldmatrix`, `stmatrix`, `movmatrix`. */
function matrixMove(mnemonic: string): WarpFrame | undefined {
  if (mnemonic === "movmatrix.sync.aligned.m8n8.trans.b16") {
    return plain(underscored(mnemonic), ["b32"], ["b32"], MATRIX_SCRATCH_BYTES);
  }
  const match =
    /^(ld|st)matrix\.sync\.aligned\.m8n8\.x([124])(\.trans)?(?:\.shared(?:::cta)?)?\.b16$/.exec(
      mnemonic,
    );
  if (!match) return undefined;
  const [, kind, digits, trans = ""] = match;
  const count = Number(digits);
  const store = kind === "st";
  const name = `${kind}matrix_sync_aligned_m8n8_x${count}${underscored(trans)}_b16`;
  const registers = b32(count);
  return {
    function: name,
    dst: store ? [] : registers,
    src: store ? ["b32", ...registers] : ["b32"],
    scratchBytes: MATRIX_SCRATCH_BYTES,
    access: { slot: store ? 0 : count, lanes: 8 * count, store },
  };
}

/** Registers of d (and c), a, b of an `mma.sync`, and its scratch memory. */
interface Registers {
  d: number;
  a: number;
  b: number;
  c: number;
}

function product(name: string, { d, a, b, c }: Registers, scratchBytes: number): WarpFrame {
  return plain(name, b32(d), b32(a + b + c), scratchBytes);
}

/** A frame whose function has a relaxed twin. */
function withRelaxed(frame: WarpFrame | undefined): WarpFrame | undefined {
  return frame && { ...frame, relaxed: `${frame.function}_relaxed` };
}

const MMA_FLOAT: Record<string, [a: number, types: RegExp]> = {
  m16n8k16: [4, /^(f32\.(f16\.f16|bf16\.bf16)\.f32|f16\.f16\.f16\.f16)$/],
  m16n8k8: [2, /^(f32\.(f16\.f16|bf16\.bf16)\.f32|f16\.f16\.f16\.f16)$/],
};
const MMA_TF32: Record<string, number> = { m16n8k8: 4, m16n8k4: 2 };
const MMA_QUARTER: Record<string, number> = { m16n8k32: 4, m16n8k16: 2 };
const MMA_DOUBLE: Record<string, Registers> = {
  m8n8k4: { d: 2, a: 1, b: 1, c: 2 },
  m16n8k4: { d: 4, a: 2, b: 1, c: 4 },
  m16n8k8: { d: 4, a: 4, b: 2, c: 4 },
  m16n8k16: { d: 4, a: 8, b: 4, c: 4 },
};
const SMALL: Registers = { d: 2, a: 1, b: 1, c: 2 };
const MIDDLE: Registers = { d: 4, a: 2, b: 1, c: 4 };
const LARGE: Registers = { d: 4, a: 4, b: 2, c: 4 };
const MMA_BYTE: Record<string, Registers> = { m8n8k16: SMALL, m16n8k16: MIDDLE, m16n8k32: LARGE };
const MMA_NIBBLE: Record<string, Registers> = {
  m8n8k32: SMALL,
  m16n8k32: MIDDLE,
  m16n8k64: LARGE,
};
const MMA_BIT: Record<string, Registers> = {
  m8n8k128: SMALL,
  m16n8k128: MIDDLE,
  m16n8k256: LARGE,
};

/** f64 products, of `mma.sync` and `wmma`: `.rn` is the default. */
function doubleProduct(shape: string, rounding: string): WarpFrame | undefined {
  const r = MMA_DOUBLE[shape];
  if (!r) return undefined;
  const base = `mma_sync_aligned_${shape}_row_col_f64_f64_f64_f64`;
  const nearest = rounding === "" || rounding === ".rn";
  return {
    function: nearest ? base : base + underscored(rounding),
    ...(nearest ? { relaxed: `${base}_relaxed` } : {}),
    dst: b64(r.d),
    src: b64(r.a + r.b + r.c),
    scratchBytes: DOUBLE_SCRATCH_BYTES,
  };
}

/** `mma.sync`. */
function mma(mnemonic: string): WarpFrame | undefined {
  const name = underscored(mnemonic);
  let match =
    /^mma\.sync\.aligned\.m8n8k4\.(?:row|col)\.(?:row|col)\.(f\d+)\.f16\.f16\.(f\d+)$/.exec(
      mnemonic,
    );
  if (match) {
    const [d, c] = [match[1] === "f16" ? 4 : 8, match[2] === "f16" ? 4 : 8];
    if (d === 4 && c === 8) return undefined;
    return product(name, { d, a: 2, b: 2, c }, QUAD_SCRATCH_BYTES);
  }
  match = /^mma\.sync\.aligned\.(m\d+n8k\d+)\.row\.col\.(satfinite\.)?(.+)$/.exec(mnemonic);
  if (!match) return undefined;
  const [, shape = "", saturate, types = ""] = match;
  if (saturate) {
    if (/^s32\.[su]8\.[su]8\.s32$/.test(types)) return integer(name, MMA_BYTE[shape]);
    if (/^s32\.[su]4\.[su]4\.s32$/.test(types)) return integer(name, MMA_NIBBLE[shape]);
    return undefined;
  }
  const half = types.startsWith("f16") ? 2 : 4;
  const quarter = (a: number | undefined) =>
    a ? product(name, { d: half, a, b: a / 2, c: half }, FLOAT_SCRATCH_BYTES) : undefined;
  const float = (a: number | undefined) => withRelaxed(quarter(a));
  const [registers, allowed] = MMA_FLOAT[shape] ?? [];
  if (allowed?.test(types)) return float(registers);
  if (types === "f32.tf32.tf32.f32") return float(MMA_TF32[shape]);
  if (/^(f32|f16)\.e[45]m[32]\.e[45]m[32]\.\1$/.test(types) && !/e4m2|e5m3/.test(types)) {
    return quarter(MMA_QUARTER[shape]);
  }
  // The rounding stands before or after the types.
  match = /^(?:(r[nzmp])\.)?f64\.f64\.f64\.f64(\.r[nzmp])?$/.exec(types);
  if (match) return doubleProduct(shape, match[1] ? `.${match[1]}` : (match[2] ?? ""));
  if (/^s32\.[su]8\.[su]8\.s32$/.test(types)) return integer(name, MMA_BYTE[shape]);
  if (/^s32\.[su]4\.[su]4\.s32$/.test(types)) return integer(name, MMA_NIBBLE[shape]);
  if (/^s32\.b1\.b1\.s32\.(xor|and)\.popc$/.test(types)) {
    const r = MMA_BIT[shape];
    return r ? product(name, r, 0) : undefined;
  }
  return undefined;
}

function integer(name: string, registers: Registers | undefined): WarpFrame | undefined {
  return registers ? product(name, registers, INTEGER_SCRATCH_BYTES) : undefined;
}

const SPARSE_FLOAT: Record<string, number> = {
  "m16n8k16.f32.f16.f16.f32": 2,
  "m16n8k32.f32.f16.f16.f32": 4,
  "m16n8k16.f16.f16.f16.f16": 2,
  "m16n8k32.f16.f16.f16.f16": 4,
  "m16n8k16.f32.bf16.bf16.f32": 2,
  "m16n8k32.f32.bf16.bf16.f32": 4,
  "m16n8k8.f32.tf32.tf32.f32": 2,
  "m16n8k16.f32.tf32.tf32.f32": 4,
};
const SPARSE_BYTE: Record<string, number> = { m16n8k32: 2, m16n8k64: 4 };
const SPARSE_NIBBLE: Record<string, number> = { m16n8k64: 2, m16n8k128: 4 };

/** `mma.sp`: metadata and selector (as one value in every lane) are the last two sources. */
function sparse(mnemonic: string): WarpFrame | undefined {
  const plainName = mnemonic.replace("sp::ordered_metadata", "sp");
  const match = /^mma\.sp\.sync\.aligned\.(m16n8k\d+)\.row\.col\.(satfinite\.)?(.+)$/.exec(
    plainName,
  );
  if (!match) return undefined;
  const [, shape = "", saturate, types = ""] = match;
  const isByte = /^s32\.[su]8\.[su]8\.s32$/.test(types);
  const isInteger = isByte || /^s32\.[su]4\.[su]4\.s32$/.test(types);
  let registers: number | undefined;
  if (isInteger) registers = (isByte ? SPARSE_BYTE : SPARSE_NIBBLE)[shape];
  else if (saturate) return undefined;
  else if (/^f32\.(e4m3|e5m2)\.(e4m3|e5m2)\.f32$/.test(types)) {
    registers = shape === "m16n8k64" ? 4 : undefined;
  } else registers = SPARSE_FLOAT[`${shape}.${types}`];
  if (!registers) return undefined;
  const c = types.startsWith("f16") ? 2 : 4;
  return plain(
    underscored(plainName),
    b32(c),
    b32(2 * registers + c + 2),
    isInteger ? SPARSE_INTEGER_SCRATCH_BYTES : SPARSE_SCRATCH_BYTES,
  );
}

/**
 * `wmma.mma`. The layouts of A and B are the loads' business and pick no other function. Registers of
 * A and B that repeat others are not in the frame.
 */
function wmma(mnemonic: string): WarpFrame | undefined {
  let match =
    /^wmma\.mma\.(xor|and)\.popc\.sync\.aligned\.row\.col\.m8n8k128\.s32\.b1\.b1\.s32$/.exec(
      mnemonic,
    );
  if (match) {
    return mma(`mma.sync.aligned.m8n8k128.row.col.s32.b1.b1.s32.${match[1]}.popc`);
  }
  match =
    /^wmma\.mma\.sync\.aligned\.(row|col)\.(row|col)\.(m\d+n\d+k\d+)(?:\.(r[nzmp]))?\.(.+)$/.exec(
      mnemonic,
    );
  if (!match) return undefined;
  const [, a, b, shape = "", before, rest = ""] = match;
  const [types = "", suffix = ""] = splitSuffix(rest);
  if (shape === "m8n8k4") {
    if (types !== "f64.f64.f64.f64" || suffix === ".satfinite") return undefined;
    return doubleProduct(shape, before ? `.${before}` : suffix);
  }
  if (before || (suffix !== "" && suffix !== ".satfinite")) return undefined;
  if (shape === "m8n8k32") {
    if (a !== "row" || b !== "col" || !/^s32\.(s4\.s4|u4\.u4)\.s32$/.test(types)) return undefined;
    return mma(`mma.sync.aligned.${shape}.row.col${suffix}.${types}`);
  }
  // f16 products name only the types of D and C.
  const full = /^f(16|32)\.f(16|32)$/.test(types) ? types.replace(".", ".f16.f16.") : types;
  const [d = "", x = "", y, c = ""] = full.split(".");
  const isInteger = x === "s8" || x === "u8";
  if (x !== y || (suffix !== "" && !isInteger)) return undefined;
  const fragments = [
    wmmaFragment(shape, "d", d),
    wmmaFragment(shape, "a", x),
    wmmaFragment(shape, "b", x),
    wmmaFragment(shape, "c", c),
  ];
  const matching = isInteger
    ? d === "s32" && c === "s32"
    : x === "f16"
      ? d !== "s32" && c !== "s32"
      : d === "f32" && c === "f32";
  const [nd, na, nb, nc] = fragments.map((f) => f?.distinct ?? 0);
  if (!matching || !nd || !na || !nb || !nc) return undefined;
  const name = `wmma_mma_${shape}_${underscored(full + suffix)}`;
  const registers = { d: nd, a: na, b: nb, c: nc };
  if (isInteger) return product(name, registers, INTEGER_SCRATCH_BYTES);
  return withRelaxed(product(name, registers, FLOAT_SCRATCH_BYTES));
}

/** "s32.u8.u8.s32.satfinite" → types and the qualifier after them. */
function splitSuffix(rest: string): [string, string] {
  const match = /^(.*?)(\.satfinite|\.r[nzmp])?$/.exec(rest);
  return [match?.[1] ?? rest, match?.[2] ?? ""];
}

/**
 * The frame of a warp-wide instruction.
 * @param mnemonic opcode with all qualifiers, as in PTX, without operands
 * @returns undefined if the instruction is none of these, or not in this form on sm_90
 */
export function warpFrame(mnemonic: string): WarpFrame | undefined {
  if (mnemonic.startsWith("mma.sp")) return sparse(mnemonic);
  if (mnemonic.startsWith("mma.")) return mma(mnemonic);
  if (mnemonic.startsWith("wmma.mma.")) return wmma(mnemonic);
  return matrixMove(mnemonic) ?? laneOperation(mnemonic);
}
