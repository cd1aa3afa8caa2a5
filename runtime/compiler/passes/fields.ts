import type { Block, Region, Value } from "../ir/ir.ts";
import { Writer } from "./writer.ts";

// Bit fields whose place is a constant, as nvcc takes numbers apart with them, are shifts and masks.

/** Writes what comes in front. @returns the last operation: its name and operands */
type Expansion = (w: Writer, args: readonly Value[]) => [op: string, a: Value, b: Value | number];

const ones = (length: number) => (length > 31 ? -1 : 2 ** length - 1) | 0;
/** Positions and lengths count modulo 256. */
const byte = (v: Value) => v.imm & 0xff;

const EXPANSIONS: Record<string, Expansion> = {
  bfe_u32: (w, [a, b, c]) => {
    const [start, length] = [byte(b), byte(c)];
    if (start > 31 || length === 0) return ["i32_and", a, 0];
    if (start + length > 31) return ["i32_shr_u", a, start];
    return ["i32_and", w.op("i32_shr_u", a, start), ones(length)];
  },
  bfe_s32: (w, [a, b, c]) => {
    const [start, length] = [byte(b), byte(c)];
    if (length === 0) return ["i32_and", a, 0];
    if (start + length > 31) return ["i32_shr_s", a, Math.min(start, 31)];
    return ["i32_shr_s", w.op("i32_shl", a, 32 - start - length), 32 - length];
  },
  bfi_b32: (w, [a, b, c, d]) => {
    const [start, length] = [byte(c), byte(d)];
    if (start > 31 || length === 0) return ["i32_or", b, 0];
    const shifted = w.op("i32_shl", a, start);
    const mask = ones(length) << start;
    const field = start + length > 31 ? shifted : w.op("i32_and", shifted, mask);
    return ["i32_or", field, w.op("i32_and", b, ~mask)];
  },
};

/** prmt: the bytes that each of two numbers gives, shifted to their places. */
const permutation: Expansion = (w, [a, b, selector]) => {
  const masks = new Map<number, number>();
  for (let k = 0; k < 4; k++) {
    const from = (selector.imm >> (4 * k)) & 7;
    const key = 8 * (from >> 2) + (k - (from & 3)) + 4;
    masks.set(key, (masks.get(key) ?? 0) | (0xff << (8 * k)));
  }
  const terms = [...masks].map(([key, mask]) => {
    const by = 8 * ((key & 7) - 4);
    const source = key >> 3 === 0 ? a : b;
    const moved = by < 0 ? w.op("i32_shr_u", source, -by) : w.op("i32_shl", source, by);
    return w.op("i32_and", moved, mask);
  });
  const [first, ...others] = terms;
  return ["i32_or", others.reduce((sum, term) => w.op("i32_or", sum, term), first), 0];
};

/**
 * Makes operations on bit fields with constant places plain ones.
 * @param width 4: bytes are left to be permuted by a shuffle
 */
export function expandFields(region: Region, width: 1 | 4): void {
  for (const block of region.blocks) expandBlock(block, width);
}

function expandBlock(block: Block, width: 1 | 4): void {
  if (!block.values.some((v) => v.op === "lib")) return;
  block.values = block.values.flatMap((v) => {
    const expansion = v.op === "lib" ? expansionOf(v, width) : undefined;
    if (!expansion) return [v];
    const w = new Writer();
    const [op, a, b] = expansion(w, v.args);
    v.op = op;
    v.args = [a, w.operand(b)];
    v.aux = {};
    return [...w.made, v];
  });
}

function expansionOf({ aux, args }: Value, width: 1 | 4): Expansion | undefined {
  const name = aux.name as string;
  const constants = (...at: number[]) => at.every((k) => args[k].op === "const");
  if (name === "prmt_b32") {
    const plain = width === 1 && constants(2) && (args[2].imm & 0x8888) === 0;
    return plain ? permutation : undefined;
  }
  const at = name === "bfi_b32" ? [2, 3] : [1, 2];
  return Object.hasOwn(EXPANSIONS, name) && constants(...at) ? EXPANSIONS[name] : undefined;
}
