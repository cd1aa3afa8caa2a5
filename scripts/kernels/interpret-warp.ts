// What the threads of a warp make of each other's values (PTX ISA §9.7.9 shfl.sync, §9.7.13 vote.sync,
// match.sync, redux.sync): for the lanes of a mask, which are all there.

import type { Value } from "./ops.ts";

/** One lane's operands, in the order of the instruction, without the destination. */
export type Operands = readonly Value[];

/** A lane's result, and the predicate beside it where there is one. */
export type Result = [value: Value, predicate?: boolean];

const bit = (lane: number): number => (1 << lane) >>> 0;

function shuffle(mode: string, lanes: ReadonlyMap<number, Operands>): Map<number, Result> {
  const results = new Map<number, Result>();
  for (const [lane, [own, by, control]] of lanes) {
    const b = Number(by) & 31;
    const [segment, clamp] = [(Number(control) >> 8) & 31, Number(control) & 31];
    const first = lane & segment;
    const last = first | (clamp & ~segment);
    const from = {
      up: lane - b,
      down: lane + b,
      bfly: lane ^ b,
      idx: first | (b & ~segment),
    }[mode] as number;
    const valid = mode === "up" ? from >= last : from <= last;
    const source = valid ? lanes.get(from)?.[0] : own;
    if (source === undefined)
      throw new Error(`lane ${lane} reads lane ${from}, which takes no part`);
    results.set(lane, [source, valid]);
  }
  return results;
}

function vote(mode: string, lanes: ReadonlyMap<number, Operands>): Value {
  const votes = [...lanes].filter(([, [p]]) => p === true).map(([lane]) => lane);
  if (mode === "ballot") return votes.reduce((sum, lane) => (sum | bit(lane)) >>> 0, 0);
  if (mode === "any") return votes.length > 0;
  if (mode === "all") return votes.length === lanes.size;
  return votes.length === lanes.size || votes.length === 0;
}

function match(mode: string, lanes: ReadonlyMap<number, Operands>): Map<number, Result> {
  const results = new Map<number, Result>();
  for (const [lane, [own]] of lanes) {
    let same = 0;
    for (const [other, [value]] of lanes) if (value === own) same = (same | bit(other)) >>> 0;
    const whole = [...lanes.keys()].reduce((sum, other) => (sum | bit(other)) >>> 0, 0);
    results.set(lane, mode === "any" ? [same] : [same === whole ? same : 0, same === whole]);
  }
  return results;
}

const REDUCE: Record<string, (a: number, b: number) => number> = {
  "add.u32": (a, b) => a + b,
  "add.s32": (a, b) => a + b,
  "min.s32": (a, b) => Math.min(a | 0, b | 0),
  "max.s32": (a, b) => Math.max(a | 0, b | 0),
  "min.u32": Math.min,
  "max.u32": Math.max,
  "and.b32": (a, b) => a & b,
  "or.b32": (a, b) => a | b,
  "xor.b32": (a, b) => a ^ b,
};

/** The results of one instruction, lane by lane. */
export function warpResults(
  opcode: string,
  mods: readonly string[],
  lanes: ReadonlyMap<number, Operands>,
): Map<number, Result> {
  const mode = mods[1] as string;
  if (opcode === "shfl") return shuffle(mode, lanes);
  if (opcode === "match") return match(mods[0] as string, lanes);
  let value: Value;
  if (opcode === "vote") value = vote(mode, lanes);
  else {
    const step = REDUCE[`${mode}.${mods[2]}`] as (a: number, b: number) => number;
    value = [...lanes.values()].map(([v]) => Number(v)).reduce((a, b) => step(a, b) >>> 0) >>> 0;
  }
  return new Map([...lanes.keys()].map((lane) => [lane, [value]]));
}
