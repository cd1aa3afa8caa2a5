import { OP } from "./opcodes.ts";
import { Reader, skipImmediates } from "./reader.ts";

const ELSE = 0x05;

/**
 * The `if`s of a function that are hardly ever entered: those that a call of certain functions lies
 * directly in. Engines that know it keep what such a call would have them save out of the code around.
 * @param code instructions, without the last `end`
 * @param rare the functions, by index
 * @returns where the `if`s stand in the code
 */
export function rareBranches(code: Uint8Array, rare: ReadonlySet<number>): number[] {
  const r = new Reader(code);
  const found = new Set<number>();
  /** Of each construct around: where it begins, if it is an `if` that has not come to its `else`. */
  const around: number[] = [];
  while (r.pos < code.length) {
    const at = r.pos;
    const op = r.u8();
    if (op >= OP.block && op <= OP.if) {
      r.skipLeb();
      around.push(op === OP.if ? at : -1);
    } else if (op === ELSE) around[around.length - 1] = -1;
    else if (op === OP.end) around.pop();
    else if (op === OP.br || op === OP.br_if) r.skipLeb();
    else if (op === OP.call) {
      const inside = around[around.length - 1] ?? -1;
      if (rare.has(r.u32()) && inside >= 0) found.add(inside);
    } else skipImmediates(r, op);
  }
  return [...found].sort((a, b) => a - b);
}
