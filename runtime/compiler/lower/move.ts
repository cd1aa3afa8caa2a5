import { I32, I64, type Value } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { inBlock } from "./sreg.ts";
import { lastType, type PtxType, ptxType } from "./types.ts";
import { moveWide } from "./wide.ts";

/** mov, with packing `mov.b32 d, {a, b}` and unpacking (PTX ISA §9.7.9 mov). */
const mov: Lowering = (b, i) => {
  const type = lastType(i.mods);
  const [d, x] = i.operands;
  if (!type) return false;
  if (type.bits > 64) return moveWide(b, i);
  if (x.kind === "vector") b.write(d, pack(b, x.elements, type), type);
  else if (d.kind === "vector") unpack(b, d.elements, b.read(x, type), type);
  else b.write(d, b.read(x, type), type);
  return true;
};

function pack(b: Builder, elements: Operand[], type: PtxType): Value {
  const bits = type.bits / elements.length;
  const part = ptxType(`b${bits}`);
  let sum: Value | undefined;
  elements.forEach((e, k) => {
    const v = b.coerce(b.read(e, part), type.type === I64 ? I64 : I32);
    const p = type.type === I64 ? "i64" : "i32";
    const shift = type.type === I64 ? b.i64(BigInt(k * bits)) : b.i32(k * bits);
    const moved = k === 0 ? v : b.emit(`${p}_shl`, v.type, [v, shift]);
    sum = sum ? b.emit(`${p}_or`, v.type, [sum, moved]) : moved;
  });
  return sum as Value;
}

function unpack(b: Builder, elements: Operand[], value: Value, type: PtxType): void {
  const bits = type.bits / elements.length;
  const part = ptxType(`b${bits}`);
  const v = b.coerce(value, type.type === I64 ? I64 : I32);
  const p = v.type === I64 ? "i64" : "i32";
  elements.forEach((e, k) => {
    const shift = v.type === I64 ? b.i64(BigInt(k * bits)) : b.i32(k * bits);
    const moved = k === 0 ? v : b.emit(`${p}_shr_u`, v.type, [v, shift]);
    const narrow = b.coerce(moved, I32);
    b.write(e, bits < 32 ? b.zeroExtend(narrow, bits) : narrow, part);
  });
}

const WINDOWS: Record<string, string> = {
  shared: "sharedWindow",
  "shared::cta": "sharedWindow",
  "shared::cluster": "sharedWindow",
  local: "localWindow",
  param: "paramWindow",
  "param::entry": "paramWindow",
};

/** cvta: between a state space's addresses and generic ones (PTX ISA §9.7.9 cvta). */
const cvta: Lowering = (b, i) => {
  const to = i.mods.includes("to");
  const space = i.mods.find((m) => m !== "to" && m !== "u64" && m !== "u32") as string;
  const type = lastType(i.mods) as PtxType;
  const [d, x] = i.operands;
  const u64 = ptxType("u64");
  if (space === "global" || space === "const") {
    b.write(d, b.coerce(b.read(x, u64), type.type), type);
    return true;
  }
  if (!WINDOWS[space]) return false;
  const shared = WINDOWS[space] === "sharedWindow" && b.fn.context.usesClusters;
  const name = shared ? "clusterWindow" : WINDOWS[space];
  const window = b.emit("sreg", I64, [], { name });
  const v = b.read(x, u64);
  if (to) b.write(d, b.coerce(b.emit("i64_sub", I64, [v, window]), type.type), type);
  else {
    const offset = b.emit("i64_and", I64, [v, b.i64(0xffffffffn)]);
    b.write(d, b.coerce(b.emit("i64_add", I64, [offset, window]), type.type), type);
  }
  return true;
};

const SIZES: Record<string, string> = {
  sharedWindow: "totalShared",
  localWindow: "localSize",
  paramWindow: "paramSize",
  clusterWindow: "clusterShared",
};

/** isspacep: whether a generic address lies in a state space's window. */
const isspacep: Lowering = (b, i: Instruction) => {
  const [d, x] = i.operands;
  const v = b.read(x, ptxType("u64"));
  const inside = (name: string) => {
    const window = b.emit("sreg", I64, [], { name });
    const size = b.coerce(b.emit("sreg", I32, [], { name: SIZES[name] }), I64);
    return b.emit("i64_lt_u", 0, [b.emit("i64_sub", I64, [v, window]), size]);
  };
  const space = i.mods[0];
  const { usesClusters } = b.fn.context;
  if (WINDOWS[space]) {
    const name = space === "shared::cluster" ? "clusterWindow" : WINDOWS[space];
    b.write(d, inside(name), ptxType("pred"));
    return true;
  }
  // Constants lie at the front of the module's variables.
  const module = b.emit("sreg", I64, [], { name: "moduleBase" });
  const bytes = b.i64(BigInt(b.fn.context.layout.constBytes));
  const constant = b.emit("i64_lt_u", 0, [b.emit("i64_sub", I64, [v, module]), bytes]);
  if (space === "const") {
    b.write(d, constant, ptxType("pred"));
    return true;
  }
  if (space !== "global") return false;
  const shared = usesClusters ? "clusterWindow" : "sharedWindow";
  const windows = [shared, "localWindow", "paramWindow"].map(inside);
  const any = windows.reduce((p, q) => b.emit("or1", 0, [p, q]), constant);
  b.write(d, b.not(any), ptxType("pred"));
  return true;
};

/**
 * The offset in the cluster's window of an address, which is one itself with .shared::cluster, else a
 * generic one.
 */
function clusterOffset(b: Builder, i: Instruction, x: Operand): Value {
  const type = lastType(i.mods) as PtxType;
  const address = b.read(x, type);
  if (i.mods.includes("shared::cluster")) return b.coerce(address, I32);
  const window = b.emit("sreg", I64, [], { name: "clusterWindow" });
  return b.coerce(b.emit("i64_sub", I64, [b.coerce(address, I64), window]), I32);
}

/** mapa: the same place in the shared memory of another block of the cluster (§9.7.9.23). */
const mapa: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  const [d, x, rank] = i.operands;
  const mapped = inBlock(b, clusterOffset(b, i, x), b.read(rank, ptxType("u32")));
  if (i.mods.includes("shared::cluster")) b.write(d, b.coerce(mapped, type.type), type);
  else {
    const window = b.emit("sreg", I64, [], { name: "clusterWindow" });
    const address = b.emit("i64_add", I64, [window, b.coerce(mapped, I64)]);
    b.write(d, b.coerce(address, type.type), type);
  }
  return true;
};

/** getctarank: the block of the cluster whose shared memory holds an address (§9.7.9.24). */
const getctarank: Lowering = (b, i) => {
  const [d, x] = i.operands;
  const shift = b.emit("sreg", I32, [], { name: "clusterShift" });
  const rank = b.emit("i32_shr_u", I32, [clusterOffset(b, i, x), shift]);
  b.write(d, rank, ptxType("u32"));
  return true;
};

/** istypep: whether an address is that of an opaque variable of a type (§9.7.10.6). */
const istypep: Lowering = (b, i) => {
  const [d, x] = i.operands;
  const address = b.read(x, ptxType("u64"));
  let any = b.bool(false);
  for (const v of b.fn.context.module.variables) {
    if (v.type !== i.mods[0]) continue;
    const same = b.emit("i64_eq", 0, [address, b.symbolAddress(v, 0)]);
    any = b.emit("or1", 0, [any, same]);
  }
  b.write(d, any, ptxType("pred"));
  return true;
};

/** Data movement without memory (PTX ISA §9.7.9). */
export const moves: Record<string, Lowering> = {
  mov,
  cvta,
  isspacep,
  mapa,
  getctarank,
  istypep,
};
