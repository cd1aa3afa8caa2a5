/**
 * `wmma` fragments whose matrix lies across their registers: an A in columns, a B in rows. A lane's
 * elements of one register are a stride apart in memory then. Where nothing but products reads such
 * a fragment, it is loaded with every 8×8 block the other way round, in which neighbours in memory
 * are neighbours in a register, and turned in front of the product (`turn_blocks`).
 */
import type { Instruction, Operand, PtxFunction } from "../ptx/ast.ts";
import type { Place, WmmaFragment } from "../wmma-fragments.ts";

/** The registers of a fragment in one word; undefined if it is no plain list of registers. */
function keyOf(o: Operand | undefined): string | undefined {
  if (o?.kind !== "vector") return undefined;
  const ids = o.elements.map((e) => (e.kind === "reg" ? e.reg.id : -1));
  return ids.includes(-1) ? undefined : ids.join(" ");
}

function registersIn(o: Operand): number[] {
  switch (o.kind) {
    case "reg":
      return [o.reg.id];
    case "vector":
    case "list":
      return o.elements.flatMap(registersIn);
    case "address":
      return registersIn(o.base);
    case "texture":
      return [o.base, o.coords, ...(o.sampler ? [o.sampler] : [])].flatMap(registersIn);
    case "pair":
      return [...registersIn(o.first), ...registersIn(o.second)];
    case "not":
    case "neg":
      return registersIn(o.operand);
    default:
      return [];
  }
}

/** "a m16n16k16 f16" of a load across; undefined for every other instruction. */
function loadAcross(i: Instruction): string | undefined {
  if (i.opcode !== "wmma" || i.mods[0] !== "load") return undefined;
  const use = i.mods[1];
  const across = use === "a" ? "col" : use === "b" ? "row" : "";
  const type = i.mods[i.mods.length - 1];
  if (!i.mods.includes(across) || (type !== "f16" && type !== "bf16")) return undefined;
  return `${use} ${i.mods.find((m) => /^m\d+n\d+k\d+$/.test(m))} ${type}`;
}

/** "a m16n16k16" of a product's operand. */
const operandOf = (i: Instruction, use: string) =>
  `${use} ${i.mods.find((m) => /^m\d+n\d+k\d+$/.test(m))}`;

const cache = new WeakMap<PtxFunction, Set<string>>();

/** Keys of the fragments of a function that are turned in front of products. */
function turned(fn: PtxFunction): Set<string> {
  const known = cache.get(fn);
  if (known) return known;
  const kinds = new Map<string, string>();
  const instructions = (fn.body ?? []).filter((s): s is Instruction => s.kind === "instr");
  for (const i of instructions) {
    const kind = loadAcross(i);
    const key = kind && keyOf(i.operands[0]);
    if (kind && key) kinds.set(key, kinds.has(key) && kinds.get(key) !== kind ? "" : kind);
  }
  // A register of two fragments, or of anything else besides, rules its fragments out.
  const owners = new Map<number, string>();
  const spoilt = new Set<string>();
  for (const key of kinds.keys()) {
    for (const id of key.split(" ").map(Number)) {
      const other = owners.get(id);
      if (other !== undefined) spoilt.add(other).add(key);
      owners.set(id, key);
    }
  }
  const touch = (o: Operand) => {
    for (const id of registersIn(o)) spoilt.add(owners.get(id) ?? "");
  };
  for (const i of kinds.size > 0 ? instructions : []) {
    const load = loadAcross(i);
    const product = i.opcode === "wmma" && i.mods[0] === "mma";
    i.operands.forEach((o, k) => {
      const key = keyOf(o) ?? "";
      const kind = kinds.get(key);
      if (kind && load === kind && k === 0) return;
      if (kind && product && k === 1 && kind.startsWith(`${operandOf(i, "a")} `)) return;
      if (kind && product && k === 2 && kind.startsWith(`${operandOf(i, "b")} `)) return;
      touch(o);
    });
    if (i.pred) spoilt.add(owners.get(i.pred.reg.id) ?? "");
  }
  const result = new Set(
    [...kinds].filter(([key, kind]) => kind && !spoilt.has(key)).map(([k]) => k),
  );
  cache.set(fn, result);
  return result;
}

/** Whether the fragment in these registers of a function is held with its blocks turned. */
export function isTurned(fn: PtxFunction, registers: Operand): boolean {
  const key = keyOf(registers);
  return key !== undefined && turned(fn).has(key);
}

/** The layout of a fragment with every 8×8 block of 16-bit elements the other way round. */
export function turnBlocks(f: WmmaFragment): WmmaFragment {
  const place = (lane: number, register: number, j: number): Place => {
    const origin = f.place(0, register, 0);
    const at = f.place(lane, register, j);
    return {
      row: origin.row + at.column - origin.column,
      column: origin.column + at.row - origin.row,
    };
  };
  return { ...f, place };
}
