import { I1, I32, I64, type Value } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import { completeTransfer } from "./async.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { checkedAddress, spaceOf } from "./memory.ts";
import { lastType, type PtxType } from "./types.ts";
import { atomicWide } from "./wide.ts";

export const OPERATIONS = new Set("add and or xor exch cas min max inc dec".split(" "));

/** The library's name of an operation; `own`: on memory that only this block touches. */
export function atomicName(op: string, type: PtxType, own: boolean): string {
  return `atom_${op}_${libraryType(op, type)}${own ? "_cta" : ""}`;
}

/** The types under which the library has an operation: same bits, same function. */
function libraryType(op: string, type: PtxType): string {
  if (op === "add" && /^[su](32|64)$/.test(type.name)) return `u${type.bits}`;
  if (op === "min" || op === "max" || op === "inc" || op === "dec") return type.name;
  if (op === "add") return type.name;
  return `b${type.bits}`;
}

/**
 * One atomic operation for each element through the library's `atom_<op>_<type>(address,
 * operands…)`: real atomic accesses, except on shared memory, which one worker owns (`…_cta`). Where one
 * thread runs all blocks, those on device memory need be no more, unless the host may take part.
 * A vector is atomic element by element (PTX ISA §9.7.13.7).
 */
function atomic(b: Builder, i: Instruction, address: Operand, sources: Operand[]): Value[] {
  const type = lastType(i.mods) as PtxType;
  const op = i.mods.find((m) => OPERATIONS.has(m));
  if (!op) throw b.unsupported();
  const parts = elementsOf(sources[0]).length;
  const size = type.bits / 8;
  const { ea, offset, space } = checkedAddress(b, address, spaceOf(i), parts * size, parts * size);
  const name = atomicName(op, type, space === "shared");
  const values = sources.map((o) => elementsOf(o).map((e) => b.read(e, type)));
  if (op === "add" && type.name === "f32") {
    const keep = keepsSubnormals(b, ea, space);
    values.push(values[0].map(() => keep));
  }
  return Array.from({ length: parts }, (_, k) => {
    const at = offset + k * size;
    const place = at === 0 ? ea : b.emit("i32_add", I32, [ea, b.i32(at)]);
    const old = b.lib(name, [place, ...values.map((v) => v[k])], true);
    old.aux.system = i.mods.includes("sys");
    return old;
  });
}

/** Whether an addition keeps subnormals: in shared memory, which a generic address may mean. */
function keepsSubnormals(b: Builder, ea: Value, space: string): Value {
  if (space !== "generic") return b.i32(space === "global" ? 0 : 1);
  const clusters = b.fn.context.usesClusters;
  const window = b.emit("sreg", I64, [], { name: clusters ? "clusterWindow" : "sharedWindow" });
  const size = b.emit("sreg", I32, [], { name: clusters ? "clusterShared" : "totalShared" });
  const from = b.emit("i32_sub", I32, [ea, b.coerce(window, I32)]);
  return b.coerce(b.emit("i32_lt_u", I1, [from, size]), I32);
}

const elementsOf = (o: Operand) => (o.kind === "vector" ? o.elements : [o]);

const atom: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  if (type.bits > 64) return atomicWide(b, i);
  const [d, address, ...sources] = i.operands;
  const rest = i.mods.includes("L2::cache_hint") ? sources.slice(0, -1) : sources;
  const old = atomic(b, i, address, rest);
  elementsOf(d).forEach((target, k) => {
    b.write(target, b.coerce(old[k], type.type), type);
  });
  return true;
};

const red: Lowering = (b, i) => {
  const [address, source, mbar] = i.operands;
  const old = atomic(b, i, address, [source]);
  if (i.mods.includes("async")) {
    completeTransfer(b, i, mbar, (old.length * (lastType(i.mods) as PtxType).bits) / 8);
  }
  return true;
};

/** Atomic operations (PTX ISA §9.7.13 atom, red). */
export const atomics: Record<string, Lowering> = { atom, red };
