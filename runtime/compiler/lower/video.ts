import * as V from "../../../assembly/devicelib/video-defs.ts";
import type { Value } from "../ir/ir.ts";
import type { Instruction, Operand } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { ptxType } from "./types.ts";

const B32 = ptxType("b32");
const SELECTORS = ["b0", "b1", "b2", "b3", "h0", "h1"];
const COMPARISONS: Record<string, number> = {
  eq: V.VIDEO_EQ,
  ne: V.VIDEO_NE,
  lt: V.VIDEO_LT,
  le: V.VIDEO_LE,
  gt: V.VIDEO_GT,
  ge: V.VIDEO_GE,
};
const SECOND: Record<string, number> = {
  add: V.VIDEO_SECOND_ADD,
  min: V.VIDEO_SECOND_MIN,
  max: V.VIDEO_SECOND_MAX,
};

/** An operand without its sign (vmad). */
const positive = (o: Operand): Operand => (o.kind === "neg" ? o.operand : o);

const component = (o: Operand | undefined) => (o?.kind === "reg" ? (o.component ?? "") : "");

function selector(o: Operand): number {
  const c = component(o);
  return c === "" ? V.VIDEO_WORD : SELECTORS.indexOf(c) + 1;
}

/** An operand's whole register: the selector goes into the control word. */
function whole(b: Builder, o: Operand): Value {
  if (o.kind === "reg" && o.component) return b.read({ kind: "reg", reg: o.reg }, B32);
  return b.read(o, B32);
}

/** Signs of d, a and b: vset and vshl/vshr leave some types out. */
function signs(i: Instruction): number {
  const types = i.mods.filter((m) => /^[us]32$/.test(m));
  const signed = (k: number, bit: number) => (types[k] === "s32" ? bit : 0);
  if (i.opcode.startsWith("vset")) return signed(0, V.VIDEO_SIGNED_A) | signed(1, V.VIDEO_SIGNED_B);
  return signed(0, V.VIDEO_SIGNED_D) | signed(1, V.VIDEO_SIGNED_A) | signed(2, V.VIDEO_SIGNED_B);
}

/** Scalar video instructions (PTX ISA §9.7.17). */
function scalar(name: string): Lowering {
  return (b, i) => {
    const [d, x, y, z] = i.operands.map(positive);
    const negated = i.operands.map((o) => o.kind === "neg");
    let control =
      (negated[1] !== negated[2] ? V.VIDEO_NEGATE_PRODUCT : 0) |
      (negated[3] ? V.VIDEO_NEGATE_C : 0) |
      signs(i) |
      (selector(x) << V.VIDEO_SELECT_A_SHIFT) |
      (selector(y) << V.VIDEO_SELECT_B_SHIFT);
    for (const m of i.mods) {
      if (m === "sat") control |= V.VIDEO_SAT;
      else if (m === "wrap") control |= V.VIDEO_WRAP;
      else if (m === "po") control |= V.VIDEO_PLUS_ONE;
      else if (m === "shr7") control |= V.VIDEO_SHR7;
      else if (m === "shr15") control |= V.VIDEO_SHR15;
      else if (m in COMPARISONS) control |= COMPARISONS[m] << V.VIDEO_COMPARE_SHIFT;
      else if (m in SECOND && z) control |= SECOND[m] << V.VIDEO_SECOND_SHIFT;
    }
    if (component(d) !== "") {
      control |= (V.VIDEO_SECOND_MERGE + selector(d)) << V.VIDEO_SECOND_SHIFT;
    }
    const c = z ? whole(b, z) : b.i32(0);
    const v = b.lib(`video_${name}`, [b.i32(control), whole(b, x), whole(b, y), c]);
    writeWhole(b, d, v);
    return true;
  };
}

function writeWhole(b: Builder, d: Operand, v: Value): void {
  if (d.kind !== "reg") throw b.error("a register was expected");
  b.write({ kind: "reg", reg: d.reg }, v, B32);
}

/** The digits of a SIMD selector or mask such as "b3210" or "h10", lowest lane last. */
function parts(o: Operand): number[] {
  return component(o).slice(1).split("").reverse().map(Number);
}

/** SIMD video instructions on two halves or four bytes (PTX ISA §9.7.18). */
function simd(name: string, lanes: 2 | 4): Lowering {
  return (b, i) => {
    const [d, x, y, z] = i.operands;
    let control = signs(i);
    let mask = 0;
    for (const lane of parts(d)) mask |= 1 << lane;
    if (component(d) === "") mask = (1 << lanes) - 1;
    control |= mask << V.VIDEO_MASK_SHIFT;
    for (const m of i.mods) {
      if (m === "sat") control |= V.VIDEO_SAT;
      else if (m === "add") control |= V.VIDEO_ACCUMULATE;
      else if (m in COMPARISONS) control |= COMPARISONS[m] << V.VIDEO_COMPARE_SHIFT;
    }
    let selectors: number = lanes === 2 ? V.VIDEO_SELECTORS_2 : V.VIDEO_SELECTORS_4;
    [x, y].forEach((o, which) => {
      parts(o).forEach((part, lane) => {
        const shift = 4 * (4 * which + lane);
        selectors = (selectors & ~(15 << shift)) | (part << shift);
      });
    });
    const c = z ? whole(b, z) : b.i32(0);
    const args = [b.i32(control), b.i32(selectors), whole(b, x), whole(b, y), c];
    writeWhole(b, d, b.lib(`video_${name}${lanes}`, args));
    return true;
  };
}

const SCALAR = ["add", "sub", "absdiff", "min", "max", "shl", "shr", "set", "mad"];
const PACKED = ["add", "sub", "avrg", "absdiff", "min", "max", "set"];

/** Video instructions: the library's functions with a control word. */
export const video: Record<string, Lowering> = {
  ...Object.fromEntries(SCALAR.map((name) => [`v${name}`, scalar(name)])),
  ...Object.fromEntries(PACKED.map((name) => [`v${name}2`, simd(name, 2)])),
  ...Object.fromEntries(PACKED.map((name) => [`v${name}4`, simd(name, 4)])),
};
