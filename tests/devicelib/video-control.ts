/** Control words of video instructions from their text, for tests. */
import * as V from "../../assembly/devicelib/video-defs.ts";

const PARTS: Record<string, number> = {
  b0: V.VIDEO_B0,
  b1: V.VIDEO_B1,
  b2: V.VIDEO_B2,
  b3: V.VIDEO_B3,
  h0: V.VIDEO_H0,
  h1: V.VIDEO_H1,
};
const SECOND: Record<string, number> = {
  add: V.VIDEO_SECOND_ADD,
  min: V.VIDEO_SECOND_MIN,
  max: V.VIDEO_SECOND_MAX,
};
const COMPARE: Record<string, number> = {
  eq: V.VIDEO_EQ,
  ne: V.VIDEO_NE,
  lt: V.VIDEO_LT,
  le: V.VIDEO_LE,
  gt: V.VIDEO_GT,
  ge: V.VIDEO_GE,
};

/** A library call: the function, its leading constants and the registers after them. */
export interface VideoCall {
  name: string;
  constants: number[];
  registers: string[];
}

/** Nibbles of a SIMD selector, as "h32" or "b7654": the last digit is lane 0. */
function selectorNibbles(text: string): number {
  let nibbles = 0;
  for (const digit of text.slice(1)) nibbles = (nibbles << 4) | Number(digit);
  return nibbles;
}

/**
 * Reads a video instruction.
 * @param mnemonic as "vadd.s32.u32.u32.sat.add"
 * @param operands destination first, with their selectors
 * @returns the call, or undefined for any other instruction
 */
export function videoCall(mnemonic: string, operands: string[]): VideoCall | undefined {
  const match = /^v(add|sub|avrg|absdiff|min|max|set|shl|shr|mad)([24]?)\.(.*)$/.exec(mnemonic);
  if (!match) return undefined;
  const op = match[1] as string;
  const size = match[2] as string;
  const words = (match[3] as string).split(".");
  const types = words.filter((w) => /^[us]32$/.test(w));
  const [d, a, b] = op === "set" ? ["u32", ...types] : types;
  let control = 0;
  if (d === "s32") control |= V.VIDEO_SIGNED_D;
  if (a === "s32") control |= V.VIDEO_SIGNED_A;
  if (b === "s32") control |= V.VIDEO_SIGNED_B;
  if (words.includes("sat")) control |= V.VIDEO_SAT;
  if (words.includes("wrap")) control |= V.VIDEO_WRAP;
  if (words.includes("po")) control |= V.VIDEO_PLUS_ONE;
  if (words.includes("shr7")) control |= V.VIDEO_SHR7;
  if (words.includes("shr15")) control |= V.VIDEO_SHR15;
  for (const w of words) control |= (COMPARE[w] ?? 0) << V.VIDEO_COMPARE_SHIFT;
  const split = operands.map((o) => o.replace(/^-/, "").split("."));
  const registers = split.slice(1).map((s) => s[0] as string);
  const negated = operands.map((o) => o.startsWith("-"));
  if (op === "mad" && negated[1] !== negated[2]) control |= V.VIDEO_NEGATE_PRODUCT;
  if (op === "mad" && negated[3]) control |= V.VIDEO_NEGATE_C;
  if (size) {
    const lanes = Number(size);
    const mask = split[0]?.[1];
    let bits = (1 << lanes) - 1;
    if (mask) {
      bits = 0;
      for (const digit of mask.slice(1)) bits |= 1 << Number(digit);
    }
    control |= bits << V.VIDEO_MASK_SHIFT;
    if (words.includes("add")) control |= V.VIDEO_ACCUMULATE;
    const own = lanes === 2 ? V.VIDEO_SELECTORS_2 : V.VIDEO_SELECTORS_4;
    const low = split[1]?.[1] ? selectorNibbles(split[1][1]) : own & 0xffff;
    const high = split[2]?.[1] ? selectorNibbles(split[2][1]) : own >>> 16;
    const selectors = (low | (high << 16)) >>> 0;
    return { name: `video_${op}${size}`, constants: [control >>> 0, selectors], registers };
  }
  control |= (PARTS[split[1]?.[1] ?? ""] ?? 0) << V.VIDEO_SELECT_A_SHIFT;
  control |= (PARTS[split[2]?.[1] ?? ""] ?? 0) << V.VIDEO_SELECT_B_SHIFT;
  const merge = PARTS[split[0]?.[1] ?? ""];
  if (merge) control |= (V.VIDEO_SECOND_MERGE + merge) << V.VIDEO_SECOND_SHIFT;
  for (const w of words) control |= (SECOND[w] ?? 0) << V.VIDEO_SECOND_SHIFT;
  while (registers.length < 3) registers.push("0");
  return { name: `video_${op}`, constants: [control >>> 0], registers };
}
