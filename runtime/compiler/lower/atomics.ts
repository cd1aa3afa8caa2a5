import type { Value } from "../ir/ir.ts";
import type { Instruction } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { checkedAddress, spaceOf } from "./memory.ts";
import { lastType, type PtxType } from "./types.ts";

const OPERATIONS = new Set("add and or xor exch cas min max inc dec".split(" "));

/** The types under which the library has an operation: same bits, same function. */
function libraryType(op: string, type: PtxType): string {
  if (op === "add" && /^[su](32|64)$/.test(type.name)) return `u${type.bits}`;
  if (op === "min" || op === "max" || op === "inc" || op === "dec") return type.name;
  if (op === "add") return type.name;
  return `b${type.bits}`;
}

/**
 * One atomic operation through the library's `atom_<op>_<type>(address, operands…)`: real atomic
 * accesses, except on shared memory, which one worker owns (`…_cta`).
 */
function atomic(b: Builder, i: Instruction, sources: Instruction["operands"], at: number): Value {
  const type = lastType(i.mods) as PtxType;
  const op = i.mods.find((m) => OPERATIONS.has(m));
  if (!op || type.bits > 64) throw b.unsupported();
  const space = spaceOf(i);
  const size = type.bits / 8;
  const checked = checkedAddress(b, i.operands[at], space, size, size);
  const { ea, offset } = checked;
  const address = offset === 0 ? ea : b.emit("i32_add", 1, [ea, b.i32(offset)]);
  const name = `atom_${op}_${libraryType(op, type)}${checked.space === "shared" ? "_cta" : ""}`;
  const args = sources.map((o) => b.read(o, type));
  return b.lib(name, [address, ...args], true);
}

const atom: Lowering = (b, i) => {
  const type = lastType(i.mods) as PtxType;
  const [d, , ...sources] = i.operands;
  const rest = i.mods.includes("L2::cache_hint") ? sources.slice(0, -1) : sources;
  if (d.kind === "vector") return false;
  b.write(d, b.coerce(atomic(b, i, rest, 1), type.type), type);
  return true;
};

const red: Lowering = (b, i) => {
  if (i.mods.includes("async")) return false;
  const sources = i.operands.slice(1, i.mods.includes("L2::cache_hint") ? -1 : undefined);
  if (sources[0].kind === "vector") return false;
  atomic(b, i, sources, 0);
  return true;
};

/** Atomic operations (PTX ISA §9.7.13 atom, red). */
export const atomics: Record<string, Lowering> = { atom, red };
