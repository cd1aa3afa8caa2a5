// Instructions against the table: which form one is, or why it is none.

import type { Instruction, PtxFunction, PtxModule } from "./ast.ts";
import { PtxError } from "./ast.ts";
import {
  type Candidate,
  type Mismatch,
  matchOperands,
  type ResolvedOperand,
  spaceOfMods,
} from "./match.ts";
import { type Form, formsOf, type OperandSpec, type Slot } from "./table/index.ts";
import { isTypeName, typeBits, widerType } from "./types.ts";

export type { Candidate } from "./match.ts";

/** What `check` found. */
export type CheckResult = { ok: true; candidate: Candidate } | { ok: false; reason: string };

const cache = new Map<string, readonly Candidate[]>();
/** Names from all modules are kept; more than that are not PTX but an attack. */
const MAX_CACHED = 20_000;

/** Modifiers that come together are all there, or none. */
function groupsComplete(slots: readonly Slot[], filled: readonly (string | undefined)[]): boolean {
  return slots.every((slot, k) => {
    if (slot.group === 0 || filled[k] !== undefined) return true;
    return slots.every((other, n) => other.group !== slot.group || filled[n] === undefined);
  });
}

/** Fills the slots in order; a slot that may be missing is tried with and without. */
function fillInOrder(
  slots: readonly Slot[],
  mods: readonly string[],
  slot: number,
  mod: number,
  filled: (string | undefined)[],
): boolean {
  if (slot === slots.length) return mod === mods.length && groupsComplete(slots, filled);
  const { values, optional } = slots[slot] as Slot;
  const given = mods[mod];
  if (given !== undefined && values.includes(given)) {
    filled[slot] = given;
    if (fillInOrder(slots, mods, slot + 1, mod + 1, filled)) return true;
    filled[slot] = undefined;
  }
  return optional && fillInOrder(slots, mods, slot + 1, mod, filled);
}

/**
 * Fills the slots in any order, as ptxas does (`add.f32.rn`, `red.add.release.gpu.u32`); only types
 * stay in order among themselves.
 */
function fillInAnyOrder(
  slots: readonly Slot[],
  mods: readonly string[],
  filled: (string | undefined)[],
): boolean {
  let lastType = -1;
  for (const mod of mods) {
    const isType = isTypeName(mod);
    let slot = isType ? lastType + 1 : 0;
    while (slot < slots.length) {
      if (filled[slot] === undefined && (slots[slot] as Slot).values.includes(mod)) break;
      slot++;
    }
    if (slot === slots.length) return false;
    filled[slot] = mod;
    if (isType) lastType = slot;
  }
  const complete = slots.every((slot, k) => slot.optional || filled[k] !== undefined);
  return complete && groupsComplete(slots, filled);
}

/** The type that an operand has, given the modifiers. */
function resolveType(spec: OperandSpec, form: Form, filled: readonly (string | undefined)[]) {
  const named = (name: string): string | undefined => {
    const at = form.slots.findIndex((slot) => slot.name === name);
    return at < 0 ? undefined : filled[at];
  };
  if (spec.type === "" || spec.kind === "pack")
    return filled.findLast((mod) => mod !== undefined && isTypeName(mod)) ?? "b32";
  const wide = /^wide\((\w+)\)$/.exec(spec.type);
  if (wide !== null) return widerType(named(wide[1] as string) ?? "u32");
  return named(spec.type) ?? spec.type;
}

/** The number of elements that an operand has: 0 a scalar, −1 any. */
function resolveCount(
  spec: OperandSpec,
  form: Form,
  filled: readonly (string | undefined)[],
): number {
  if (typeof spec.count === "number") return spec.count;
  if (spec.count === "any") return -1;
  const at = form.slots.findIndex((slot) => slot.name === spec.count);
  const mod = at < 0 ? undefined : filled[at];
  return mod === undefined ? 0 : Number(mod.slice(1));
}

/** A vector of at most 128 bits, where a modifier says how many elements it has (§6.4.3). */
function isTooLong(operand: ResolvedOperand): boolean {
  return typeof operand.spec.count === "string" && operand.count * typeBits(operand.type) > 128;
}

/** Has the form a cache policy operand that goes with a modifier, and no other optional one? */
function policyOf(form: Form, mods: readonly string[]): Candidate["policy"] {
  const hinted = form.slots.some((slot) => slot.name === "cache_hint");
  if (!hinted || form.operands.filter((spec) => spec.optional).length !== 1) return "either";
  return mods.includes("L2::cache_hint") ? "with" : "without";
}

function makeCandidate(
  form: Form,
  filled: (string | undefined)[],
  rest: string[],
): Candidate | undefined {
  // Before PTX 6.3 the .aligned of wmma went without saying.
  const aligned = form.opcode === "wmma" ? form.slots.findIndex((s) => s.name === "aligned") : -1;
  if (aligned >= 0) filled[aligned] = "aligned";
  const mods = [...filled.filter((mod) => mod !== undefined), ...rest];
  const operands = form.operands.map((spec) => ({
    spec,
    type: resolveType(spec, form, filled),
    count: resolveCount(spec, form, filled),
    fits: new Map<string, boolean>(),
  }));
  if (operands.some(isTooLong)) return undefined;
  return {
    form,
    mnemonic: [form.opcode, ...mods].join("."),
    mods,
    operands,
    required: operands.filter((o) => !o.spec.optional),
    space: spaceOfMods(mods),
    policy: policyOf(form, mods),
  };
}

function tryForm(form: Form, mods: readonly string[], anyOrder: boolean): Candidate | undefined {
  const filled: (string | undefined)[] = new Array(form.slots.length).fill(undefined);
  if (form.openEnded) {
    const own = form.slots.length;
    if (!fillInOrder(form.slots, mods.slice(0, own), 0, 0, filled)) return undefined;
    return makeCandidate(form, filled, mods.slice(own));
  }
  const fits = anyOrder
    ? fillInAnyOrder(form.slots, mods, filled)
    : fillInOrder(form.slots, mods, 0, 0, filled);
  return fits ? makeCandidate(form, filled, []) : undefined;
}

/**
 * The forms that a whole name ("add.rn.f32") may be; none if there is no such instruction. Those
 * whose modifiers stand in the ISA's order come before all others.
 */
export function candidatesOf(
  mnemonic: string,
  opcode: string,
  mods: readonly string[],
): readonly Candidate[] {
  const known = cache.get(mnemonic);
  if (known !== undefined) return known;
  const found: Candidate[] = [];
  for (const anyOrder of [false, true]) {
    if (found.length > 0 || mods.length > 24) break;
    for (const form of formsOf(opcode)) {
      const candidate = tryForm(form, mods, anyOrder);
      if (candidate !== undefined) found.push(candidate);
    }
  }
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(mnemonic, found);
  return found;
}

/** Why no form has these modifiers. */
function nameReason(opcode: string, mods: readonly string[]): string {
  const forms = formsOf(opcode);
  if (forms.length === 0) return `there is no instruction '${opcode}'`;
  const known = new Set(forms.flatMap((form) => form.slots.flatMap((slot) => slot.values)));
  const unknown = mods.find((mod) => !known.has(mod));
  if (unknown !== undefined) return `'${opcode}' has no modifier '.${unknown}'`;
  const name = [opcode, ...mods].join(".");
  return `there is no '${name}' (the modifiers don't go together)`;
}

/** Which form of the table an instruction is, or why it is none. */
export function check(instruction: Instruction): CheckResult {
  const { mnemonic, opcode, mods, operands } = instruction;
  const candidates = candidatesOf(mnemonic, opcode, mods);
  let best: Mismatch | undefined;
  for (const candidate of candidates) {
    const mismatch = matchOperands(candidate, operands);
    if (mismatch === undefined) return { ok: true, candidate };
    if (best === undefined || mismatch.position > best.position) best = mismatch;
  }
  return { ok: false, reason: best?.reason ?? nameReason(opcode, mods) };
}

/** `st.param` writes arguments of calls and results, not what the function was given (§9.7.9). */
function storesToParameter(
  { opcode, operands }: Instruction,
  fn: PtxFunction | undefined,
): boolean {
  const [address] = operands;
  if (opcode !== "st" || fn === undefined || address?.kind !== "address") return false;
  const { base } = address;
  return (
    base.kind === "symbol" && base.symbol.kind === "variable" && fn.params.includes(base.symbol)
  );
}

/**
 * Checks an instruction and puts its modifiers into the ISA's order. Throws PtxError with line,
 * column, the function's name and the instruction's text if the table has no such form.
 */
export function checkInstruction(instruction: Instruction, fn?: PtxFunction): Candidate {
  const result = check(instruction);
  if (!result.ok) {
    const { line, column } = instruction;
    throw new PtxError(`${result.reason}: ${instruction.text()}`, line, column, fn?.name);
  }
  if (storesToParameter(instruction, fn)) {
    const { line, column } = instruction;
    const reason = "a function's own parameters can't be written";
    throw new PtxError(`${reason}: ${instruction.text()}`, line, column, fn?.name);
  }
  const { candidate } = result;
  instruction.mnemonic = candidate.mnemonic;
  instruction.mods = candidate.mods;
  return candidate;
}

/** Checks every instruction of a module; throws PtxError at the first that the table hasn't. */
export function checkModule(module: PtxModule): void {
  for (const fn of module.functions) {
    for (const statement of fn.body ?? []) {
      if (statement.kind === "instr") checkInstruction(statement, fn);
    }
  }
}
