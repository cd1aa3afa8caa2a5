// Operands against the table: kinds, types (PTX ISA §9.4) and numbers of elements.

import type { Operand, RegOperand, Space, Variable } from "./ast.ts";
import { matchCall } from "./match-call.ts";
import type { Form, OperandSpec } from "./table/index.ts";
import { fitsRegister, TYPE_BYTES, typeBits } from "./types.ts";

/** An operand of a form whose modifiers are known. */
export interface ResolvedOperand {
  spec: OperandSpec;
  type: string;
  /** Elements: 0 for a scalar, −1 for a vector of any length. */
  count: number;
  /** Which types of registers fit, as far as they have been seen. */
  fits: Map<string, boolean>;
}

/** A form with its modifiers known. */
export interface Candidate {
  form: Form;
  /** The name with the modifiers in the ISA's order. */
  mnemonic: string;
  mods: readonly string[];
  operands: readonly ResolvedOperand[];
  /** Those that can't be left out. */
  required: readonly ResolvedOperand[];
  /** The one state space that the modifiers name, if they name one. */
  space: Space | undefined;
  /** A cache policy operand is there exactly if `.L2::cache_hint` is. */
  policy: "with" | "without" | "either";
}

/** Why the operands aren't those of a form, and how far they were. */
export interface Mismatch {
  position: number;
  reason: string;
}

const SPACE_OF_MOD = new Map<string, Space>([
  ["global", "global"],
  ["const", "const"],
  ["local", "local"],
  ["shared", "shared"],
  ["shared::cta", "shared"],
  ["shared::cluster", "shared"],
  ["param", "param"],
  ["param::entry", "param"],
  ["param::func", "param"],
]);

/** The one state space that modifiers name, if they name one. */
export function spaceOfMods(mods: readonly string[]): Space | undefined {
  let space: Space | undefined;
  for (const mod of mods) {
    const named = SPACE_OF_MOD.get(mod);
    if (named === undefined) continue;
    if (space !== undefined) return undefined;
    space = named;
  }
  return space;
}

/** Compares operands with a form; undefined if they fit. */
export function matchOperands(c: Candidate, given: readonly Operand[]): Mismatch | undefined {
  const { form, operands, required } = c;
  if (form.opcode === "call") return matchCall(given);
  if (form.anyOperands) return undefined;
  const count = given.length;
  // An operand list has one optional operand at most where the policy is decided by a modifier.
  if (c.policy === "with" && count === required.length) {
    return { position: 0, reason: "a cache policy operand is missing after .L2::cache_hint" };
  }
  if (c.policy === "without" && count > required.length) {
    return { position: 0, reason: "a cache policy operand needs the modifier .L2::cache_hint" };
  }
  if (count === operands.length) return matchAll(c, operands, given);
  if (count === required.length) return matchAll(c, required, given);
  return align(c, given, 0, 0, operands.length - count);
}

function matchAll(c: Candidate, expected: readonly ResolvedOperand[], given: readonly Operand[]) {
  for (let k = 0; k < given.length; k++) {
    const reason = matchOperand(c, expected[k] as ResolvedOperand, given[k] as Operand);
    if (reason !== undefined) return { position: k, reason: describe(k, expected[k], reason) };
  }
  return undefined;
}

function describe(k: number, expected: ResolvedOperand | undefined, reason: string): string {
  const name = expected?.spec.name ?? "";
  return `operand ${k + 1}${name === "" ? "" : ` (${name})`} must be ${reason}`;
}

/** Leaves out `missing` of the optional operands so that the rest fits. */
function align(
  c: Candidate,
  given: readonly Operand[],
  e: number,
  g: number,
  missing: number,
): Mismatch | undefined {
  const resolved = c.operands[e];
  if (resolved === undefined || missing < 0) {
    if (g === given.length && missing === 0) return undefined;
    return { position: g, reason: countReason(c.form, given.length) };
  }
  const operand = given[g];
  let best: Mismatch | undefined;
  if (operand === undefined) {
    best = { position: g, reason: countReason(c.form, given.length) };
  } else {
    const reason = matchOperand(c, resolved, operand);
    if (reason === undefined) best = align(c, given, e + 1, g + 1, missing);
    else best = { position: g, reason: describe(g, resolved, reason) };
    if (best === undefined) return undefined;
  }
  if (!resolved.spec.optional || missing === 0) return best;
  const without = align(c, given, e + 1, g, missing - 1);
  if (without === undefined || without.position > best.position) return without;
  return best;
}

function countReason(form: Form, count: number): string {
  return `${count} operand${count === 1 ? "" : "s"} where the form is '${form.syntax}'`;
}

/** What is wrong with an operand ("a register of type .f32, not …"), or undefined. */
function matchOperand(c: Candidate, r: ResolvedOperand, operand: Operand) {
  switch (r.spec.kind) {
    case "destination":
      return matchDestination(r, operand);
    case "source":
      return matchSource(r, operand);
    case "pair":
      return matchPair(r, operand);
    case "address":
      return matchAddress(operand, c.space);
    case "texture":
      return matchTexture(operand, c.mods);
    case "predicate":
      return matchPredicate(operand);
    case "constant":
      return matchConstant(r, operand);
    case "sink":
      return operand.kind === "sink" ? undefined : "'_'";
    case "label":
      return operand.kind === "label" ? undefined : "a label";
    case "targets":
      return operand.kind === "proto" && operand.proto.kind === "branchtargets"
        ? undefined
        : "the name of a .branchtargets list";
    case "pack":
      return matchPack(r, operand);
  }
}

function ofRegister(operand: RegOperand): string {
  const { reg, component } = operand;
  return `${reg.name}${component === undefined ? "" : `.${component}`} of type .${reg.type}`;
}

const SELECTORS: Record<string, RegExp> = {
  sel: /^(b[0-3]|h[01])$/,
  sel2: /^h[0-3]{1,2}$/,
  sel4: /^b[0-7]{1,4}$/,
};

function fits(r: ResolvedOperand, reg: Variable): boolean {
  const known = r.fits.get(reg.type);
  if (known !== undefined) return known;
  const fit = fitsRegister(reg.type, r.type, r.spec.relaxed);
  r.fits.set(reg.type, fit);
  return fit;
}

/** Is the register, with its component or selector, one scalar of the type? */
function matchRegister(r: ResolvedOperand, operand: RegOperand): string | undefined {
  const { reg, component } = operand;
  if (component === undefined && fits(r, reg)) return undefined;
  const want = `a register of type .${r.type}`;
  if (component !== undefined && !(SELECTORS[r.spec.selector]?.test(component) ?? false)) {
    return `${want} without the selector .${component}`;
  }
  if (fits(r, reg)) return undefined;
  return `${want}, not ${ofRegister(operand)}`;
}

/** A vector operand of as many elements as there must be. */
function matchVector(r: ResolvedOperand, operand: Operand, isDestination: boolean) {
  if (operand.kind === "reg" && r.count === 1) return matchRegister(r, operand);
  const want = (): string => (r.count < 0 ? "a vector" : `a vector of ${r.count}`);
  if (operand.kind !== "vector") return `${want()} of type .${r.type}`;
  if (r.count >= 0 && operand.elements.length !== r.count) {
    return `${want()}, not of ${operand.elements.length}`;
  }
  for (const element of operand.elements) {
    const reason = isDestination ? matchDestinationScalar(r, element) : matchScalar(r, element);
    if (reason !== undefined) return `${want()} whose elements are ${reason}`;
  }
  return undefined;
}

function matchDestinationScalar(r: ResolvedOperand, operand: Operand): string | undefined {
  if (operand.kind === "reg") return matchRegister(r, operand);
  if (operand.kind === "sink" && r.spec.sink) return undefined;
  return `a register of type .${r.type}${r.spec.sink ? " or '_'" : ""}`;
}

/** `{a}` stands for `a` where a vector might be. */
function unwrap(r: ResolvedOperand, operand: Operand): Operand {
  if (operand.kind !== "vector" || operand.elements.length !== 1) return operand;
  return typeof r.spec.count === "string" ? (operand.elements[0] as Operand) : operand;
}

function matchDestination(r: ResolvedOperand, operand: Operand): string | undefined {
  if (r.count !== 0) return matchVector(r, operand, true);
  operand = unwrap(r, operand);
  return matchDestinationScalar(r, operand);
}

function matchPair(r: ResolvedOperand, operand: Operand): string | undefined {
  if (operand.kind !== "pair") {
    if (r.spec.pairOptional) return matchDestination(r, operand);
    return "a pair d|p";
  }
  const second = operand.second;
  const isPredicate = second.kind === "reg" && second.reg.type === "pred";
  if (!isPredicate && second.kind !== "sink") return "a pair whose second is a predicate";
  return matchDestination(r, operand.first);
}

function matchSource(r: ResolvedOperand, operand: Operand): string | undefined {
  if (r.count !== 0) return matchVector(r, operand, false);
  return matchScalar(r, unwrap(r, operand));
}

/** Special registers of 64 bits. */
const WIDE_SPECIAL = /^%(clock64|globaltimer|pm\d_64|gridid|current_graph_exec)$/;

function matchScalar(r: ResolvedOperand, operand: Operand): string | undefined {
  const { type, spec } = r;
  switch (operand.kind) {
    case "reg":
      return matchRegister(r, operand);
    case "neg":
      if (spec.negatable) return matchRegister(r, operand.operand);
      break;
    case "int":
      if (operand.value > spec.most) return `a register or a constant up to ${spec.most}`;
      if (isIntegerType(type) || type === "pred") return undefined;
      break;
    case "float":
      if (type === "f32" || type === "f64") return undefined;
      if (type === `b${operand.size * 8}`) return undefined;
      break;
    case "sreg":
      if (spec.special && matchSpecial(type, operand.name)) return undefined;
      break;
    case "symbol":
      if (spec.symbol && isAddressType(type)) return undefined;
      break;
  }
  return `a register${/^[bus]\d+$|^f(32|64)$/.test(type) ? " or constant" : ""} of type .${type}`;
}

function isIntegerType(type: string): boolean {
  return TYPE_BYTES.has(type) && "bus".includes(type[0] as string) && type !== "bf16x2";
}

function isAddressType(type: string): boolean {
  return /^[bu](32|64)$|^s64$/.test(type);
}

/** The one special register that is a predicate. */
const PREDICATE_SPECIAL = "%is_explicit_cluster";

/** May a special register be moved to this type? The wide ones lose their upper half in 32 bits. */
function matchSpecial(type: string, name: string): boolean {
  const bits = typeBits(type);
  if (/^%n?(tid|ctaid|clusterid)$|^%cluster_n?ctaid$/.test(name)) return false;
  if (type.startsWith("f") || name === PREDICATE_SPECIAL) return false;
  return WIDE_SPECIAL.test(name) ? bits === 64 || name === "%gridid" : bits === 32 || bits === 16;
}

function matchPredicate(operand: Operand): string | undefined {
  const register = operand.kind === "not" ? operand.operand : operand;
  if (register.kind === "reg" && register.reg.type === "pred") return undefined;
  if (register.kind === "sreg" && register.name === PREDICATE_SPECIAL) return undefined;
  return operand.kind === "int" ? undefined : "a predicate register";
}

function matchConstant(r: ResolvedOperand, operand: Operand): string | undefined {
  const { constants } = r.spec;
  if (operand.kind !== "int") return "an integer constant";
  if (constants.length === 0 || constants.some((c) => BigInt(c) === operand.value))
    return undefined;
  return constants.length === 1 ? `${constants[0]}` : `one of ${constants.join(", ")}`;
}

const ADDRESS_TYPES = new Set("b16 b32 b64 u16 u32 u64 s16 s32 s64".split(" "));

function isAddressRegister(reg: Variable): boolean {
  return ADDRESS_TYPES.has(reg.type);
}

function matchAddress(operand: Operand, space: Space | undefined): string | undefined {
  if (operand.kind !== "address") return "an address in brackets";
  const { base } = operand;
  if (base.kind === "reg") {
    if (base.component === undefined && !isAddressRegister(base.reg)) {
      return `an address, in a register of an integer type, not ${ofRegister(base)}`;
    }
    return undefined;
  }
  if (base.kind === "int") return undefined;
  const { symbol } = base;
  if (symbol.kind !== "variable") return `the address of data, not of the function ${symbol.name}`;
  if (space === undefined || symbol.space === space) return undefined;
  return `an address in .${space} space; ${symbol.name} is in .${symbol.space}`;
}

function isHandle(operand: Operand): boolean {
  if (operand.kind === "reg") return /^[bu]64$/.test(operand.reg.type);
  return operand.kind === "symbol" && operand.symbol.kind === "variable";
}

/** Coordinates by geometry (§9.7.10); a tensor's are as many as its dimensions. */
const COORDINATES = new Map<string, number>([
  ["1d", 1],
  ["2d", 2],
  ["3d", 4],
  ["a1d", 2],
  ["a2d", 4],
  ["cube", 4],
  ["acube", 4],
  ["2dms", 4],
  ["a2dms", 4],
]);

/** How many coordinates the modifiers ask for. */
export function coordinateCount(mods: readonly string[]): number {
  if (mods.includes("tile::gather4") || mods.includes("tile::scatter4")) return 5;
  const tensor = mods.includes("tensor");
  for (const mod of mods) {
    if (tensor && /^[1-5]d$/.test(mod)) return Number(mod[0]);
    const count = COORDINATES.get(mod);
    if (count !== undefined) return count;
  }
  return 1;
}

function matchTexture(operand: Operand, mods: readonly string[]): string | undefined {
  if (operand.kind !== "texture") return "a texture or surface with coordinates: [t, {x, y}]";
  const { base, sampler, coords } = operand;
  if (!isHandle(base)) return "a texture or surface: a .texref, a .surfref or a 64-bit handle";
  if (sampler !== undefined && !isHandle(sampler)) return "a sampler: a .samplerref or a handle";
  const elements = coords.kind === "vector" ? coords.elements : [coords];
  for (const element of elements) {
    const isConstant = element.kind === "int" || element.kind === "float";
    if (!isConstant && !(element.kind === "reg" && typeBits(element.reg.type) === 32)) {
      return "a texture or surface whose coordinates are of 32 bits";
    }
  }
  const count = coordinateCount(mods);
  if (elements.length === count) return undefined;
  return `a texture or surface with ${count} coordinate${count === 1 ? "" : "s"}`;
}

/** `{a, b}` that are packed into, or taken out of, one register of as many bits (§9.7.9). */
function matchPack(r: ResolvedOperand, operand: Operand): string | undefined {
  const bits = typeBits(r.type);
  if (operand.kind !== "vector") return "a vector {a, b}";
  const { elements } = operand;
  const isUnpack = r.spec.name === "d";
  const each = bits / elements.length;
  for (const element of elements) {
    if (element.kind === "sink" && isUnpack) continue;
    if (element.kind === "int" && !isUnpack) continue;
    if (element.kind === "reg" && typeBits(element.reg.type) === each) continue;
    return `a vector of ${elements.length} registers of ${each} bits`;
  }
  return [2, 4].includes(elements.length) ? undefined : "a vector of two or four";
}
