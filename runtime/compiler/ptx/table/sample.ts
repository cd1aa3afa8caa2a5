// Examples of the table's forms: instructions to compile one by one. The tests, the documentation and
// the fuzzer are made of them.

import { type Candidate, candidatesOf } from "../check.ts";
import { coordinateCount, type ResolvedOperand } from "../match.ts";
import { typeBits } from "../types.ts";
import type { Form } from "./notation.ts";

/** Register types that the kernel around a sample declares, 40 of each: %u32_0 to %u32_39. */
const REGISTER_TYPES =
  "pred b8 u8 s8 b16 u16 s16 f16 b32 u32 s32 f32 f16x2 b64 u64 s64 f64 b128".split(" ");

/** The type of register to use for a value of a type. */
function registerType(type: string): string {
  if (REGISTER_TYPES.includes(type)) return type;
  return `b${typeBits(type)}`;
}

/** Constants that instructions ask for, where 0 won't do. */
const CONSTANTS: Record<string, string> = { setmaxnreg: "64", alloca: "16", pmevent: "3" };

class Writer {
  #next = 0;

  register(type: string): string {
    return `%${registerType(type)}_${1 + (this.#next++ % 38)}`;
  }

  vector(type: string, count: number): string {
    return `{${Array.from({ length: count }, () => this.register(type)).join(", ")}}`;
  }
}

function coordinates(w: Writer, candidate: Candidate): string {
  const { mods, form } = candidate;
  const isFloat = form.opcode === "tld4" || (form.opcode === "tex" && mods.at(-1) === "f32");
  const layered = mods.some((mod) => /^a(1d|2d|cube|2dms)$/.test(mod));
  const names = Array.from({ length: coordinateCount(mods) }, (_, k) =>
    w.register(isFloat && !(layered && k === 0) ? "f32" : "b32"),
  );
  return `{${names.join(", ")}}`;
}

function operandText(w: Writer, o: ResolvedOperand, candidate: Candidate): string {
  const { spec, type } = o;
  const { mods, form } = candidate;
  const selector = { sel: ".b1", sel2: ".h10", sel4: ".b3210" }[spec.selector] ?? "";
  const plain = (): string => {
    if (o.count === 0) return w.register(type);
    if (o.count < 0) return w.vector(type, anyCount(candidate, spec.name));
    return w.vector(type, o.count);
  };
  switch (spec.kind) {
    case "pair":
      return `${plain()}|${w.register("pred")}`;
    case "address":
      if (mods.some((mod) => /^param(::\w+)?$/.test(mod)) && form.opcode !== "prefetch") {
        return form.opcode === "ld" && !mods.includes("param::func") ? "[kp]" : "[fp]";
      }
      return "[%b64_39]";
    case "texture":
      return `[%b64_39, ${coordinates(w, candidate)}]`;
    case "predicate":
      return w.register("pred");
    case "constant":
      return `${spec.constants[0] ?? CONSTANTS[form.opcode] ?? "1"}`;
    case "sink":
      return "_";
    case "label":
      return "LABEL";
    case "targets":
      return "TARGETS";
    case "pack":
      return w.vector(`b${typeBits(type) / 2}`, 2);
    default:
      return plain() + selector;
  }
}

function dimension(mods: readonly string[]): string {
  return mods.find((mod) => /^[1-5]d$/.test(mod)) ?? "1d";
}

/** Length of a vector that may have any: by what the shape says. */
function anyCount(candidate: Candidate, name: string): number {
  const { mods, form } = candidate;
  if (form.opcode === "wgmma") {
    const n = Number(/n(\d+)k/.exec(mods.find((mod) => mod.startsWith("m64n")) ?? "")?.[1] ?? 8);
    return mods[mods.length - 3] === "f16" ? n / 4 : n / 2;
  }
  if (form.opcode === "ldmatrix") return mods.includes("x1") ? 2 : 4;
  if (form.opcode === "cp") return { "3d": 1, "4d": 2, "5d": 3 }[dimension(mods)] ?? 1;
  const geometry = mods.find((mod) => /^a?([1-3]d|2dms|cube)$/.test(mod)) ?? "1d";
  const flat = geometry.replace(/^a/, "");
  if (name === "offset") return { "1d": 1, "2d": 2, "3d": 4, "2dms": 2 }[flat] ?? 2;
  return { "1d": 1, "2d": 2, "3d": 4, cube: 4 }[flat] ?? 1;
}

/** The instruction's text for one choice of modifiers. */
function sampleText(candidate: Candidate): string {
  const w = new Writer();
  const { mods, form, mnemonic } = candidate;
  if (form.opcode === "call") return `${mnemonic} (%b32_1), callee, (%b32_2)`;
  const operands: string[] = [];
  for (const o of candidate.operands) {
    if (o.spec.optional) {
      const hint = o.spec.name === "e" && mods.includes("L2::cache_hint");
      const mask = o.spec.name === "mask" && mods.includes("multicast::cluster");
      const info = o.spec.name === "info" && mods.some((mod) => /^im2col(::w.*)?$/.test(mod));
      if (!hint && !mask && !info) continue;
    }
    operands.push(operandText(w, o, candidate));
  }
  return operands.length === 0 ? mnemonic : `${mnemonic} ${operands.join(", ")}`;
}

/** Reads a mnemonic apart and finds the candidate of one form. */
function candidate(form: Form, mods: readonly string[]): Candidate | undefined {
  const mnemonic = [form.opcode, ...mods].join(".");
  return candidatesOf(mnemonic, form.opcode, mods).find((c) => c.form === form);
}

/**
 * Instructions of a form, without guard and semicolon: one with the first choice everywhere, and for
 * each modifier one with each other choice. Empty for forms that take anything.
 */
export function samplesOf(form: Form): string[] {
  if (form.openEnded) return [];
  const texts = new Set<string>();
  const base = form.slots.map((slot) => (slot.optional ? undefined : slot.values[0]));
  const add = (choice: (string | undefined)[]): void => {
    const found = candidate(
      form,
      choice.filter((mod) => mod !== undefined),
    );
    if (found !== undefined) texts.add(sampleText(found));
  };
  add(base);
  form.slots.forEach((slot, k) => {
    for (const value of slot.values) {
      const choice = [...base];
      form.slots.forEach((other, n) => {
        if (slot.group !== 0 && other.group === slot.group) choice[n] = other.values[0];
      });
      choice[k] = value;
      add(choice);
    }
  });
  return [...texts];
}

/**
 * Instructions with exactly this name, such as "ld.global.nc.v2.f32": one for each entry of the table
 * that the name is an instance of and that a target has (80 for sm_80). Empty if there is none.
 */
export function samplesNamed(mnemonic: string, target: number): string[] {
  const [opcode = "", ...mods] = mnemonic.split(".");
  const found = candidatesOf(mnemonic, opcode, mods).filter((c) => c.form.target <= target);
  // The table may have the modifiers in another order than the name.
  return [...new Set(found.map((c) => mnemonic + sampleText(c).slice(c.mnemonic.length)))];
}

/** A module with one kernel, `sample`, that holds the instructions, one a line from line `SAMPLE_LINE`. */
export function sampleModule(instructions: readonly string[], target = "sm_90a"): string {
  const registers = REGISTER_TYPES.map((type) => `.reg .${type} %${type}_<40>;`);
  return [
    ".version 9.0",
    `.target ${target}`,
    ".address_size 64",
    ".func (.param .b32 r) callee(.param .b32 x) { .reg .b32 t; ld.param.b32 t, [x]; st.param.b32 [r], t; ret; }",
    ".visible .entry sample(.param .align 16 .b8 kp[64])",
    "{",
    ...registers,
    ".param .align 16 .b8 fp[64];",
    "TARGETS: .branchtargets LABEL;",
    ...instructions.map((text) => `${text};`),
    "LABEL:",
    "ret;",
    "}",
    "",
  ].join("\n");
}

/** The line of the first instruction of `sampleModule`. */
export const SAMPLE_LINE = 9 + REGISTER_TYPES.length;
