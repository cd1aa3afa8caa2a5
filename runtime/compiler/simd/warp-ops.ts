import { type Cut, F32, I1, I32, NONE, sourceSlot, type Type, Value } from "../ir/ir.ts";
import { memberMask, namesAllLanes } from "../regions/crossing.ts";
import { LANES, spansWarp, UNIFORM, uniform, VARYING, varying } from "./shapes.ts";
import type { WarpJam } from "./warp-jam.ts";

const GROUPS = 8;

/** How a warp operation is done in the body for whole warps. */
export type WarpForm = "in registers" | "through the warp's frame";

/**
 * Writes a warp operation that all 32 lanes come to, with its operands in eight lane groups. Shuffles
 * by constants only rename and join groups; votes, reductions and broadcasts leave one scalar; the
 * others go through the warp's exchange frame, as the library's functions take it.
 * @param results the values of it that are used, one for each destination
 */
export function expandWarp(jam: WarpJam, first: Value, results: Value[]): WarpForm {
  const name = first.aux.name as string;
  // Without a name nothing is left to do: all groups have come here.
  if (name === "" || inRegisters(jam, name, first, results)) return "in registers";
  throughFrame(jam, first, results);
  return "through the warp's frame";
}

function inRegisters(jam: WarpJam, name: string, first: Value, results: Value[]): boolean {
  const shuffle = /^shfl_sync_(up|down|bfly|idx)_b32$/.exec(name);
  if (shuffle) return shuffled(jam, shuffle[1], first, results);
  const vote = /^vote_sync_(all|any|uni|ballot)_/.exec(name);
  if (vote) {
    const lanes = predicates(jam, first.args[0]);
    if (!namesAllLanes(first)) {
      const ballot = new Value("warp_vote", I32, lanes, 0, 0n, { name: "ballot" });
      jam.emit(ballot, uniform);
      for (const r of results) masked(jam, vote[1], ballot, first, r);
      return true;
    }
    for (const r of results) {
      const type = vote[1] === "ballot" ? I32 : I1;
      const v = new Value("warp_vote", type, lanes, 0, 0n, { name: vote[1] });
      jam.define(r, [asType(jam, jam.emit(v, uniform), r.type)]);
    }
    return true;
  }
  const redux = REDUCTIONS[name];
  if (redux) {
    const lanes = groups(jam, first.args[0]);
    for (const r of results) {
      const v = jam.emit(new Value("warp_reduce", I32, lanes, 0, 0n, { name: redux }), uniform);
      jam.define(r, [asType(jam, v, r.type)]);
    }
    return true;
  }
  if (name === "activemask_b32") {
    for (const r of results) {
      const all = jam.emit(new Value("const", I32, [], -1), uniform);
      jam.define(r, [asType(jam, all, r.type)]);
    }
    return true;
  }
  return false;
}

const REDUCTIONS: Record<string, string> = {
  redux_sync_add_u32: "i32x4_add",
  redux_sync_add_s32: "i32x4_add",
  redux_sync_min_u32: "i32x4_min_u",
  redux_sync_min_s32: "i32x4_min_s",
  redux_sync_max_u32: "i32x4_max_u",
  redux_sync_max_s32: "i32x4_max_s",
  redux_sync_and_b32: "v128_and",
  redux_sync_or_b32: "v128_or",
  redux_sync_xor_b32: "v128_xor",
};

const groups = (jam: WarpJam, v: Value): Value[] =>
  Array.from({ length: GROUPS }, (_, k) => jam.of(v, k));

/** A scalar of 32 bits as the register that takes it has it. */
function asType(jam: WarpJam, v: Value, type: Type): Value {
  if (type !== F32) return v;
  return jam.emit(new Value("f32_reinterpret_i32", F32, [v]), uniform);
}

/** The lanes' predicates, of an operand that holds them as 0 and 1. */
function predicates(jam: WarpJam, v: Value): Value[] {
  if (v.op === "bool_to_i32") return groups(jam, v.args[0]);
  const zero = jam.emit(new Value("const", I32, []), uniform);
  return groups(jam, v).map((x, k) => {
    const isUniform = jam.shape(x).kind === UNIFORM;
    const test = new Value("i32_ne", I1, [x, zero]);
    return jam.emit(test, isUniform ? uniform : varying, isUniform ? undefined : k);
  });
}

/** What a vote comes to for the lanes of a mask, which may differ from lane to lane. */
function masked(jam: WarpJam, mode: string, ballot: Value, first: Value, result: Value): void {
  const mask = memberMask(first) as Value;
  const shared = jam.isShared(mask);
  const values = Array.from({ length: shared ? 1 : GROUPS }, (_, k) => {
    const own = shared ? undefined : k;
    const make = (op: string, type: Type, ...args: Value[]) =>
      jam.emit(new Value(op, type, args), shared ? uniform : varying, own);
    const names = jam.of(mask, k);
    const votes = make("i32_and", I32, ballot, names);
    if (mode === "ballot")
      return result.type === F32 ? make("f32_reinterpret_i32", F32, votes) : votes;
    const none = () => make("i32_eq", I1, votes, jam.emit(new Value("const", I32, []), uniform));
    const all = () => make("i32_eq", I1, votes, names);
    if (mode === "any") return make("not1", I1, none());
    return mode === "all" ? all() : make("or1", I1, all(), none());
  });
  jam.define(result, values);
}

// ---- shuffles ----

/** The lane that each lane reads, and whether that one lies in its segment (PTX ISA §9.7.9.6). */
function sourceLanes(
  mode: string,
  by: number,
  control: number,
): { from: number; inside: boolean }[] {
  const [amount, clamp, segment] = [by & 31, control & 31, (control >> 8) & 31];
  return Array.from({ length: 32 }, (_, lane) => {
    const base = lane & segment;
    const limit = base | (clamp & ~segment);
    const j =
      mode === "up"
        ? lane - amount
        : mode === "down"
          ? lane + amount
          : mode === "bfly"
            ? lane ^ amount
            : base | (amount & ~segment);
    const inside = mode === "up" ? j >= limit : j <= limit;
    return { from: inside ? j : lane, inside };
  });
}

function shuffled(jam: WarpJam, mode: string, first: Value, results: Value[]): boolean {
  const [a, by, control] = first.args;
  const shared = results.filter((r) => jam.shape(r).kind === UNIFORM);
  if (by.op === "const" && control.op === "const") {
    const lanes = sourceLanes(mode, by.imm, control.imm);
    for (const r of results) {
      if (r.imm !== 0) jam.define(r, insideLanes(jam, lanes));
      else if (jam.isShared(a)) jam.define(r, [asType(jam, jam.of(a, 0), r.type)]);
      else if (shared.includes(r)) jam.define(r, [laneOf(jam, a, by.imm & 31, r.type)]);
      else jam.define(r, moved(jam, a, lanes, r.type));
    }
    return true;
  }
  if (results.some((r) => r.imm !== 0)) return false;
  if (jam.isShared(a)) {
    for (const r of results) jam.define(r, [asType(jam, jam.of(a, 0), r.type)]);
    return true;
  }
  // By the same number in all lanes, over the whole warp.
  const full = mode === "up" ? (control.imm & 0x1f1f) === 0 : spansWarp(control);
  if (control.op !== "const" || !full || !jam.isShared(by)) return false;
  const amount = jam.of(by, 0);
  for (let k = 0; k < GROUPS; k++) keep(jam, 2, a, k);
  for (const r of results) {
    if (mode === "idx") {
      const v = new Value("warp_pick", I32, [amount], 2);
      jam.define(r, [asType(jam, jam.emit(v, uniform), r.type)]);
      continue;
    }
    jam.define(
      r,
      Array.from({ length: GROUPS }, (_, k) => {
        const args = [jam.of(a, k), amount];
        return jam.emit(new Value("warp_shift", r.type, args, 2, 0n, { name: mode }), varying, k);
      }),
    );
  }
  return true;
}

/** One lane's value, as a scalar. */
function laneOf(jam: WarpJam, a: Value, lane: number, type: Type): Value {
  const group = jam.of(a, lane >> 2);
  return asType(jam, jam.emit(new Value("warp_lane", I32, [group], lane & 3), uniform), type);
}

function insideLanes(jam: WarpJam, lanes: { inside: boolean }[]): Value[] {
  return Array.from({ length: GROUPS }, (_, k) => {
    const words = lanes.slice(LANES * k, LANES * (k + 1)).map((x) => (x.inside ? -1 : 0));
    return jam.emit(new Value("warp_constant", I1, [], 0, 0n, { lanes: words }), varying, k);
  });
}

/** The groups that a constant permutation makes of an operand's. */
function moved(jam: WarpJam, a: Value, lanes: { from: number }[], type: Type): Value[] {
  return Array.from({ length: GROUPS }, (_, k) => {
    const from = lanes.slice(LANES * k, LANES * (k + 1)).map((x) => x.from);
    const sources = [...new Set(from.map((lane) => lane >> 2))];
    const isWhole = sources.length === 1 && from.every((lane, n) => (lane & 3) === n);
    const same = jam.of(a, sources[0]);
    if (isWhole && jam.shape(same).kind === VARYING && same.type === type) return same;
    let sum = same;
    let taken = from.map((lane) => (lane >> 2 === sources[0] ? lane & 3 : 0));
    // Two groups at a time: what is there already keeps its place.
    for (const [n, group] of (sources.length > 1 ? sources.slice(1) : [sources[0]]).entries()) {
      const pattern = from.map((lane, at) => {
        if (sources.length > 1 && lane >> 2 === group) return 4 + (lane & 3);
        return n === 0 ? taken[at] : at;
      });
      taken = pattern;
      const args = [sum, jam.of(a, group)];
      sum = jam.emit(new Value("warp_lanes", type, args, 0, 0n, { lanes: pattern }), varying, k);
    }
    return sum;
  });
}

// ---- through the exchange frame ----

/** Stores group k of an operand to a slot of the warp's frame. */
function keep(jam: WarpJam, slot: number, v: Value, k: number): void {
  jam.emit(new Value("warp_store", NONE, [jam.of(v, k)], slot), uniform, k);
}

function throughFrame(jam: WarpJam, first: Value, results: Value[]): void {
  const cut = first.aux.cut as Cut;
  const name = first.aux.name as string;
  cut.sources.forEach((_, n) => {
    for (let k = 0; k < GROUPS; k++) keep(jam, sourceSlot(cut, n), first.args[n], k);
  });
  jam.emit(new Value("warp_call", NONE, [], 0, 0n, { cut }), uniform);
  for (const r of results) {
    if (r.type === NONE) continue;
    if (jam.shape(r).kind === UNIFORM) {
      jam.define(r, [jam.emit(new Value("warp_word", r.type, [], r.imm), uniform)]);
      continue;
    }
    const mask = namesAllLanes(first) ? undefined : memberMask(first);
    jam.define(
      r,
      Array.from({ length: GROUPS }, (_, k) => {
        const result = jam.emit(new Value("result", r.type, [], r.imm), varying, k);
        // Of a match without a mask: a shuffle's does not matter.
        if (!mask || !name.startsWith("match")) return result;
        return jam.emit(new Value("i32_and", I32, [result, jam.of(mask, k)]), varying, k);
      }),
    );
  }
}
