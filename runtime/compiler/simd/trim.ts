import { PC_EXITED } from "../../exec/layout.ts";
import { type Block, hasEffect, type Region, type Value } from "../ir/ir.ts";
import { NEGATED, SWAPPED } from "../passes/fold.ts";
import { LANES } from "./shapes.ts";

/** A thread index: a block-uniform value (a constant or one of the prologue) << shift, plus a constant. */
export interface Bound {
  value: Value;
  shift: number;
  plus: number;
  signed: boolean;
}

/** The threads of a block for which a region does anything: from `low` on, below `high`. */
export interface Trim {
  low?: Bound;
  high?: Bound;
}

/**
 * Finds a branch at a region's start that depends on the thread's index alone and on one side of which
 * nothing is left to do (`if (tid < k)` around the whole body): lane groups that are on this side
 * altogether needn't be visited. A side does nothing if it has no effect and leaves every register as
 * it was on its way to the cut.
 */
export function trimOf(
  region: Region,
  prologue: Value[],
  block: readonly [number, number, number],
): Trim | undefined {
  // Threads that stop at several places each have to note where.
  if (block[1] * block[2] !== 1 || onlyStop(region) === undefined) return undefined;
  const known = new Set(prologue);
  const isKnown = (v: Value) => v.op === "const" || known.has(v);
  let at = region.start;
  for (let steps = 0; steps < 8; steps++) {
    if (at.values.some((v) => v.op === "phi" || hasEffect(v))) return undefined;
    const t = at.terminator;
    if (t?.kind === "jump") {
      at = t.target;
      continue;
    }
    if (t?.kind !== "branch" || t.yes === t.no) return undefined;
    const [idleYes, idleNo] = [isIdle(at, t.yes), isIdle(at, t.no)];
    if (idleYes === idleNo) return undefined;
    return range(t.cond, idleYes, isKnown);
  }
  return undefined;
}

/** The thread that a bound is, if it is known. */
export function constantThread({ value, shift, plus, signed }: Bound): number | undefined {
  if (value.op !== "const") return undefined;
  return (signed ? value.imm : value.imm >>> 0) * 2 ** shift + plus;
}

/** The shape of a block of just the lane groups that are visited, where that is known. */
export function trimmedShape(
  { high }: Trim,
  block: readonly [number, number, number],
): readonly [number, number, number] {
  const threads = high && constantThread(high);
  if (threads === undefined) return block;
  const groups = Math.max(1, Math.ceil(threads / LANES));
  return [Math.min(block[0], groups * LANES), 1, 1];
}

/** The one pc at which all threads of a region stop, if there is just one. */
export function onlyStop(region: Region): number | undefined {
  const stops = new Set<number>();
  for (const { terminator: t } of region.blocks) {
    if (t?.kind === "cut") stops.add(t.cut.entry);
    else if (t?.kind === "exit") stops.add(PC_EXITED);
  }
  return stops.size === 1 ? [...stops][0] : undefined;
}

/** Whether a thread that goes from one block to another has nothing left to do up to its stop. */
function isIdle(from: Block, to: Block): boolean {
  const phis = new Map<Value, Value>();
  let [before, at] = [from, to];
  for (let steps = 0; steps < 8; steps++) {
    const n = at.preds.indexOf(before);
    for (const v of at.values) {
      if (v.op === "phi") phis.set(v, phis.get(v.args[n]) ?? v.args[n]);
      else if (hasEffect(v)) return false;
    }
    const t = at.terminator;
    if (t?.kind === "exit") return true;
    if (t?.kind === "cut" && t.state) {
      const { operands, sources, spills } = t.state;
      const kept = spills.every(({ register, value }) => {
        const v = phis.get(value) ?? value;
        return v.op === "reload" && v.imm === register;
      });
      return kept && sources.length === 0 && operands.every((v) => v.op === "const");
    }
    if (t?.kind !== "jump") return false;
    [before, at] = [at, t.target];
  }
  return false;
}

/** The threads for which a condition holds (or doesn't, if negated), where they are a range. */
function range(cond: Value, negated: boolean, isKnown: (v: Value) => boolean): Trim | undefined {
  const parts = /^i32_(lt|gt|le|ge|eq|ne)(?:_([su]))?$/.exec(cond.op);
  if (!parts) return undefined;
  const [x, y] = cond.args;
  const [left, right] = [threadShift(x), threadShift(y)];
  const shift = left ?? right;
  const value = left === undefined ? x : y;
  if (shift === undefined || !isKnown(value)) return undefined;
  let op = left === undefined ? SWAPPED[parts[1]] : parts[1];
  if (negated) op = NEGATED[op];
  // A limit that is shifted must be a constant that stays in range.
  if (shift > 0 && (value.op !== "const" || value.imm < 0 || value.imm >= 1 << 10))
    return undefined;
  const signed = parts[2] === "s";
  const isZero = value.op === "const" && value.imm === 0;
  const bound = (more: number): Bound => ({ value, shift, plus: more << shift, signed });
  switch (op) {
    case "lt":
      return { high: bound(0) };
    case "le":
      return { high: bound(1) };
    case "gt":
      return { low: bound(1) };
    case "ge":
      return { low: bound(0) };
    case "eq":
      return isZero ? { high: bound(1) } : { low: bound(0), high: bound(1) };
    default: // all but one
      return isZero ? { low: bound(1) } : undefined;
  }
}

/** s, if a value is the thread's index >> s. */
function threadShift(v: Value): number | undefined {
  if (v.op === "sreg" && v.aux.name === "tid.x") return 0;
  if (v.op !== "i32_shr_u" && v.op !== "i32_shr_s") return undefined;
  const [a, by] = v.args;
  if (a.op !== "sreg" || a.aux.name !== "tid.x" || by.op !== "const") return undefined;
  return by.imm & 31;
}

/** A range of threads in words, for reports. */
export function trimName({ low, high }: Trim): string {
  const name = (bound: Bound): string => {
    const limit = `a limit of the block's${bound.plus > 0 ? ` + ${bound.plus}` : ""}`;
    return String(constantThread(bound) ?? limit);
  };
  const parts = [low && `from ${name(low)} on`, high && `below ${name(high)}`];
  return `threads ${parts.filter((p) => p).join(", ")} only`;
}
