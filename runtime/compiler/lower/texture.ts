import * as T from "../../../assembly/devicelib/texture-defs.ts";
import { DESCRIPTOR_SIZE } from "../../protocol/arrays.ts";
import { F32, I32, I64, NONE, type Type, type Value } from "../ir/ir.ts";
import type { AddressOperand, Instruction, Operand, TextureOperand } from "../ptx/ast.ts";
import { atomicName, OPERATIONS } from "./atomics.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { type CheckedAddress, checkAt } from "./memory.ts";
import { lastType, type PtxType, ptxType } from "./types.ts";

// A texture or surface object is the CUDA pointer of its descriptor in device memory
// (runtime/protocol/arrays.ts); a `.texref`, `.samplerref` or `.surfref` variable holds an object.

const B32 = ptxType("b32");
const B64 = ptxType("b64");
const elementsOf = (o: Operand) => (o.kind === "vector" ? o.elements : [o]);

/** Dimensions of a place in one layer, and where the layer index and the place stand. */
const GEOMETRIES: Record<string, { control: number; layer: boolean; axes: number }> = {
  "1d": { control: 1, layer: false, axes: 1 },
  "2d": { control: 2, layer: false, axes: 2 },
  "3d": { control: 3, layer: false, axes: 3 },
  a1d: { control: 1 | T.TEXTURE_LAYERED, layer: true, axes: 1 },
  a2d: { control: 2 | T.TEXTURE_LAYERED, layer: true, axes: 2 },
  cube: { control: 3 | T.TEXTURE_CUBE, layer: false, axes: 3 },
  acube: { control: 3 | T.TEXTURE_CUBE | T.TEXTURE_LAYERED, layer: true, axes: 3 },
};

function geometryOf(b: Builder, i: Instruction) {
  const name = i.mods.find((m) => Object.hasOwn(GEOMETRIES, m));
  if (!name) throw b.unsupported("unsupported texture geometry");
  return GEOMETRIES[name];
}

/** The checked address of the descriptor that an operand names. */
function descriptor(b: Builder, base: TextureOperand["base"] | AddressOperand["base"]): Value {
  const site = b.site();
  let handle = b.read(base, B64);
  if (base.kind === "symbol") {
    const from = { address: handle, offset: 0, space: "generic" as const };
    const ea = checkAt(b, from, 8, 8);
    handle = b.emit("load", I64, [ea], { size: 8, offset: 0, space: "generic" });
  }
  const aux = { space: "generic" as const, size: DESCRIPTOR_SIZE, offset: 0, align: 8, site };
  return b.emit("check", I32, [handle], aux);
}

/** The layer index and three coordinates of IR type `type`, zeros where there are none. */
function coordinates(b: Builder, i: Instruction, o: TextureOperand, type: Type): Value[] {
  const { layer, axes } = geometryOf(b, i);
  const given = elementsOf(o.coords);
  const pt = ptxType(type === F32 ? "f32" : "b32");
  const zero = () => b.coerce(b.i32(0), type);
  const index = layer ? b.read(given[0], B32) : b.i32(0);
  const from = layer ? 1 : 0;
  const place = [0, 1, 2].map((k) => (k < axes ? b.read(given[from + k], pt) : zero()));
  return [index, ...place];
}

/** Writes the four results of a fetch: f16 ones are rounded from f32. */
function writeResults(b: Builder, d: Operand, type: PtxType, out: CheckedAddress): void {
  const word = (k: number, t: Type) =>
    b.emit("load", t, [out.ea], { size: 4, offset: out.offset + 4 * k, space: out.space });
  const half = (k: number) => b.lib("cvt_rn_f16_f32", [word(k, F32)]);
  elementsOf(d).forEach((target, k) => {
    if (target.kind === "sink") return;
    if (type.name === "f16x2") {
      const high = b.emit("i32_shl", I32, [half(2 * k + 1), b.i32(16)]);
      b.write(target, b.emit("i32_or", I32, [half(2 * k), high]), B32);
    } else if (type.name === "f16") b.write(target, half(k), ptxType("b16"));
    else b.write(target, word(k, I32), B32);
  });
}

/** What chooses among the levels of a texture: a level, or two gradients of three coordinates each. */
function levelOperands(b: Builder, i: Instruction, rest: Operand[], integer: boolean): Value[] {
  if (i.mods.includes("level")) return [b.read(rest[0], ptxType(integer ? "b32" : "f32"))];
  if (!i.mods.includes("grad")) return [];
  const { axes } = geometryOf(b, i);
  return rest.flatMap((gradient) => {
    const given = elementsOf(gradient);
    return [0, 1, 2].map((k) =>
      k < axes ? b.read(given[k], ptxType("f32")) : b.coerce(b.i32(0), F32),
    );
  });
}

function fetch(b: Builder, i: Instruction, control: number, integer: boolean): boolean {
  const [result, texture, ...rest] = i.operands;
  if (texture.kind !== "texture") return false;
  const pair = result.kind === "pair";
  if (i.mods.includes("2dms") || i.mods.includes("a2dms")) {
    throw b.unsupported("unsupported instruction (multisampled textures)");
  }
  const chosen = i.mods.includes("level") ? "level" : i.mods.includes("grad") ? "gradient" : "";
  const levels = chosen === "level" ? 1 : chosen === "gradient" ? 2 : 0;
  if (rest.length > levels) {
    throw b.unsupported("unsupported instruction (texel offsets and depth comparison)");
  }
  const d = descriptor(b, texture.base);
  const s = texture.sampler ? descriptor(b, texture.sampler) : d;
  const place = coordinates(b, i, texture, integer ? I32 : F32);
  const out = b.fn.resultSlot(b);
  const plain = i.opcode === "tld4" ? "gather" : integer ? "texel" : "fetch";
  const name = integer && chosen ? "level_texel" : chosen || plain;
  const more = levelOperands(b, i, rest, integer);
  b.lib(`texture_${name}`, [d, s, out.ea, b.i32(control), ...place, ...more], true);
  const type = ptxType(i.mods[i.mods.length - 2]);
  writeResults(b, pair ? result.first : result, type, out);
  // The predicate says whether the memory is resident (sparse textures): all of it is.
  if (pair) b.write(result.second, b.bool(true), ptxType("pred"));
  return true;
}

const tex: Lowering = (b, i) => {
  const integer = i.mods[i.mods.length - 1] !== "f32";
  if (i.mods.includes("2dms") || i.mods.includes("a2dms")) return fetch(b, i, 0, true);
  return fetch(b, i, geometryOf(b, i).control, integer);
};

const tld4: Lowering = (b, i) => {
  const component = "rgba".indexOf(i.mods.find((m) => /^[rgba]$/.test(m)) as string);
  const control = geometryOf(b, i).control | (component << T.TEXTURE_COMPONENT_SHIFT);
  return fetch(b, i, control, false);
};

const QUERIES: Record<string, number> = {
  width: T.QUERY_WIDTH,
  height: T.QUERY_HEIGHT,
  depth: T.QUERY_DEPTH,
  channel_data_type: T.QUERY_CHANNEL_DATA_TYPE,
  channel_order: T.QUERY_CHANNEL_ORDER,
  normalized_coords: T.QUERY_NORMALIZED,
  array_size: T.QUERY_ARRAY_SIZE,
  filter_mode: T.QUERY_FILTER_MODE,
  addr_mode_0: T.QUERY_ADDRESS_MODE_X,
  addr_mode_1: T.QUERY_ADDRESS_MODE_Y,
  addr_mode_2: T.QUERY_ADDRESS_MODE_Z,
  num_mipmap_levels: T.QUERY_LEVELS,
};
/** Attributes that are the same for all textures and surfaces. */
const CONSTANT: Record<string, number> = {
  num_samples: 1,
  force_unnormalized_coords: 0,
  memory_layout: 0,
};

/** txq and suq (PTX ISA §9.7.10.5, §9.7.11.5). */
const query: Lowering = (b, i) => {
  const [d, address, lod] = i.operands;
  if (address.kind !== "address") throw b.error("a texture or surface was expected");
  const what = i.mods.find((m) => m !== "level" && m !== "b32") as string;
  const at = descriptor(b, address.base);
  if (Object.hasOwn(CONSTANT, what)) {
    b.write(d, b.i32(CONSTANT[what]), B32);
    return true;
  }
  if (!Object.hasOwn(QUERIES, what)) return false;
  const level = lod ? b.read(lod, B32) : b.i32(0);
  b.write(d, b.lib("texture_query", [at, b.i32(QUERIES[what]), level], true), B32);
  return true;
};

/** The address of `bytes` bytes of a surface, 0 outside; `.trap` faults there. */
function surfaceAddress(b: Builder, i: Instruction, o: Operand, bytes: number | Value): Value {
  if (o.kind !== "texture") throw b.error("a surface was expected");
  let { control } = geometryOf(b, i);
  if (i.mods.includes("clamp")) control |= T.SURFACE_CLAMP;
  if (i.mods[0] === "p") control |= T.SURFACE_ELEMENTS;
  const size = typeof bytes === "number" ? b.i32(bytes) : bytes;
  const d = descriptor(b, o.base);
  const place = coordinates(b, i, o, I32);
  return b.lib("surface_address", [d, b.i32(control), ...place, size], true);
}

/** Runs `body` with the address where it is inside; else `.trap` faults, and `outside` runs. */
function inside(
  b: Builder,
  i: Instruction,
  at: Value,
  body: (at: Value) => void,
  outside?: () => void,
) {
  const register = b.fn.newRegister("surface", I32);
  b.writeRegister(register, at);
  const [yes, no, next] = [b.fn.newBlock(), b.fn.newBlock(), b.fn.newBlock()];
  b.block.terminator = { kind: "branch", cond: b.truth(at), yes, no };
  b.block = yes;
  body(b.emit("regread", I32, [], undefined, register));
  b.block.terminator = { kind: "jump", target: next };
  b.block = no;
  if (i.mods.includes("trap")) {
    // An illegal address, as an H100 says: that of nothing.
    const nowhere = { space: "generic" as const, size: 1, offset: 0, align: 1, site: b.site() };
    b.emit("check", I32, [b.i64(0n)], nowhere);
    b.block.terminator = { kind: "exit" };
  } else {
    outside?.();
    b.block.terminator = { kind: "jump", target: next };
  }
  b.block = next;
}

const suld: Lowering = (b, i) => {
  const [d, surface] = i.operands;
  const type = lastType(i.mods) as PtxType;
  const targets = elementsOf(d);
  const size = type.bits / 8;
  const at = surfaceAddress(b, i, surface, size * targets.length);
  const zero = () => (type.type === I64 ? b.i64(0n) : b.i32(0));
  inside(
    b,
    i,
    at,
    (ea) => {
      targets.forEach((target, k) => {
        const aux = { size, offset: k * size, space: "generic" as const };
        if (target.kind !== "sink") b.write(target, b.emit("load", type.type, [ea], aux), type);
      });
    },
    () => {
      for (const target of targets) if (target.kind !== "sink") b.write(target, zero(), type);
    },
  );
  return true;
};

const sust: Lowering = (b, i) => {
  const [surface, value] = i.operands;
  const sources = elementsOf(value);
  if (i.mods[0] === "p") return storeFormatted(b, i, surface, sources);
  const type = lastType(i.mods) as PtxType;
  const size = type.bits / 8;
  const at = surfaceAddress(b, i, surface, size * sources.length);
  inside(b, i, at, (ea) => {
    sources.forEach((source, k) => {
      const aux = { size, offset: k * size, space: "generic" as const };
      b.emit("store", NONE, [ea, b.read(source, type)], aux);
    });
  });
  return true;
};

/** sust.p: whole elements, converted to the surface's format. */
function storeFormatted(b: Builder, i: Instruction, surface: Operand, sources: Operand[]): boolean {
  if (surface.kind !== "texture") return false;
  const at = surfaceAddress(b, i, surface, b.i32(1));
  inside(b, i, at, (ea) => {
    const d = descriptor(b, surface.base);
    sources.forEach((source, k) => {
      b.lib("surface_store_formatted", [d, ea, b.i32(k), b.read(source, B32)], true);
    });
  });
  return true;
}

/** sured: an atomic operation on an element of a surface (§9.7.11.4). */
const sured: Lowering = (b, i) => {
  const [surface, value] = i.operands;
  const type = lastType(i.mods) as PtxType;
  const op = i.mods.find((m) => OPERATIONS.has(m));
  if (!op) return false;
  // `.p` names only the width of its operand: minima and maxima are of unsigned integers.
  const typed = i.mods[0] === "p" ? ptxType(`u${type.bits}`) : type;
  const at = surfaceAddress(b, i, surface, type.bits / 8);
  inside(b, i, at, (ea) => {
    b.lib(atomicName(op, typed, false), [ea, b.read(value, type)], true);
  });
  return true;
};

/** Textures and surfaces (PTX ISA §9.7.10, §9.7.11). */
export const textures: Record<string, Lowering> = {
  tex,
  tld4,
  txq: query,
  suq: query,
  suld,
  sust,
  sured,
};
