import { I32, I64, type Type, type Value } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import {
  WGMMA_A_DESCRIPTOR,
  WGMMA_HALF,
  WGMMA_NEGATE,
  WGMMA_SATURATE,
  WGMMA_SCRATCH_BYTES,
  WGMMA_TURN_A,
  WGMMA_TURN_B,
  WGMMA_TYPE_A,
  WGMMA_TYPE_B,
} from "../warp-frame-defs.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { ownWindow } from "./sreg.ts";
import { ptxType } from "./types.ts";

const ROWS = 64;

/** The library function of a product's types, and what its word says of them. */
function product(d: string, a: string, b: string): { name: string; word: number } | undefined {
  const both = `${a} ${b}`;
  if (/^(f16 f16|bf16 bf16|tf32 tf32)$/.test(both)) return { name: `wgmma_${d}_${a}`, word: 0 };
  if (both === "b1 b1") return { name: "wgmma_s32_b1", word: 0 };
  const types = (second: string) =>
    (a === second ? WGMMA_TYPE_A : 0) | (b === second ? WGMMA_TYPE_B : 0);
  if (/^[su]8 [su]8$/.test(both)) return { name: "wgmma_s32_8", word: types("u8") };
  if (/^e(4m3|5m2) e(4m3|5m2)$/.test(both)) {
    return { name: "wgmma_quarter", word: types("e5m2") | (d === "f16" ? WGMMA_HALF : 0) };
  }
  return undefined;
}

/** A constant −1 or 1 (`sign`), or 0 or 1. */
function constant(b: Builder, o: Operand | undefined, sign: boolean): number {
  const value = o?.kind === "int" ? BigInt.asIntN(64, o.value) : undefined;
  if (value === 1n || value === (sign ? -1n : 0n)) return Number(value);
  throw b.error(sign ? "−1 or 1 was expected" : "0 or 1 was expected");
}

/**
 * The linear address of shared offset 0, behind a check of all that a descriptor's operand of
 * `rows` rows (or columns) is read from. A descriptor's start is an offset in the block's own memory.
 */
function checkedBase(b: Builder, descriptor: Value, rows: number, turned: boolean): Value {
  const last = b.lib("wgmma_last", [descriptor, b.i32(rows / 8), b.i32(turned ? 1 : 0)]);
  let offset = last;
  let start = b.i32(0);
  if (b.fn.context.usesClusters) {
    // The start's 18 bits may have some of the block's place in its cluster.
    const word = b.emit("i32_wrap_i64", I32, [descriptor]);
    const field = b.emit("i32_shl", I32, [b.emit("i32_and", I32, [word, b.i32(0x3fff)]), b.i32(4)]);
    const bytes = b.emit("i32_shl", I32, [
      b.i32(1),
      b.emit("sreg", I32, [], { name: "clusterShift" }),
    ]);
    const within = b.emit("i32_and", I32, [field, b.emit("i32_sub", I32, [bytes, b.i32(1)])]);
    start = b.emit("i32_sub", I32, [b.emit("i32_add", I32, [ownWindow(b), within]), field]);
    offset = b.emit("i32_add", I32, [last, start]);
  }
  const aux = { space: "shared" as const, size: 16, offset: 0, align: 16, site: b.site() };
  const ea = b.emit("check", I32, [offset], aux);
  return b.emit("i32_sub", I32, [ea, last]);
}

/**
 * wgmma.mma_async (PTX ISA §9.7.15.5): each of four warps does its rows when it comes to the
 * instruction. What orders the asynchronous accesses to registers and memory has nothing to do then.
 */
const wgmma: Lowering = (b, i) => {
  const [kind] = i.mods;
  if (kind === "fence" || kind === "commit_group" || kind === "wait_group") return true;
  if (kind !== "mma_async" || i.mods.includes("sp")) return false;
  const at = i.mods.findIndex((m) => m.startsWith("m64n"));
  const columns = Number(/^m64n(\d+)k\d+$/.exec(i.mods[at] ?? "")?.[1]);
  const saturate = i.mods.includes("satfinite");
  const [dType = "", aType = "", bType = ""] = i.mods
    .slice(at + 1)
    .filter((m) => m !== "satfinite");
  const found = product(dType, aType, bType);
  if (!found || !columns) return false;
  const [d, a, bDescriptor, scale, ...rest] = i.operands;
  if (d.kind !== "vector") throw b.error("a vector was expected");
  const packed = dType === "f16";
  if (d.elements.length !== columns / (packed ? 4 : 2)) {
    throw b.error(`${columns / (packed ? 4 : 2)} registers expected`);
  }
  const inRegisters = a.kind === "vector";
  const floating = dType !== "s32";
  const signs = floating ? constant(b, rest[0], true) * constant(b, rest[1], true) : 1;
  const turns = rest.slice(2).map((o) => constant(b, o, false));
  const turnB = turns.length > 0 && turns[turns.length - 1] === 1;
  const turnA = turns.length === 2 && turns[0] === 1;
  const word =
    columns |
    found.word |
    (inRegisters ? 0 : WGMMA_A_DESCRIPTOR) |
    (turnA ? WGMMA_TURN_A : 0) |
    (turnB ? WGMMA_TURN_B : 0) |
    (signs < 0 ? WGMMA_NEGATE : 0) |
    (saturate ? WGMMA_SATURATE : 0);
  b.fn.cut({
    kind: "warp",
    operands: [b.i32(-1)],
    warpOp: found.name,
    relaxedOp: relaxed(b, i, found.name),
    argument: word,
    inPlace: d.elements.length,
    destinations: d.elements.map((o) => destination(b, o)),
    sources: [
      ...d.elements.map((o) => b.read(o, registerType(o))),
      ...operands(b, a, bDescriptor, scale, { columns, turnA, turnB }),
    ],
    scratchBytes: WGMMA_SCRATCH_BYTES,
  });
  return true;
};

/** A register as the frame holds it. */
const registerType = (o: Operand) => ptxType(o.kind === "reg" ? o.reg.type : "b32");

function destination(b: Builder, o: Operand): { register: number; type: Type } {
  if (o.kind !== "reg") throw b.error("a register was expected");
  const register = b.fn.registerOf(o.reg);
  return { register, type: b.fn.registers[register].type };
}

/** base, warp, scale, descriptor of B, and A: see assembly/devicelib/wgmma.ts. */
function operands(
  b: Builder,
  a: Operand,
  bDescriptor: Operand,
  scale: Operand,
  how: { columns: number; turnA: boolean; turnB: boolean },
): Value[] {
  const of = (o: Operand) => b.read(o, ptxType("b64"));
  const descriptor = of(bDescriptor);
  const warp = b.emit("i32_and", I32, [b.emit("sreg", I32, [], { name: "warpid" }), b.i32(3)]);
  const list = [
    checkedBase(b, descriptor, how.columns, how.turnB),
    warp,
    b.coerce(b.read(scale, ptxType("pred")), I32),
    b.coerce(descriptor, I64),
  ];
  if (a.kind === "vector") return [...list, ...a.elements.map((o) => b.read(o, registerType(o)))];
  const first = of(a);
  return [...list, b.coerce(first, I64), checkedBase(b, first, ROWS, how.turnA)];
}

function relaxed(b: Builder, i: Instruction, name: string): string | undefined {
  const twin = `${name}_relaxed`;
  return i.mods.some((m) => m === "f16" || m === "bf16" || m === "tf32") && b.fn.library.find(twin)
    ? twin
    : undefined;
}

/** Warpgroup products (PTX ISA §9.7.15). */
export const warpgroups: Record<string, Lowering> = { wgmma };
