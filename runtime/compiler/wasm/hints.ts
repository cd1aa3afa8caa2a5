import { OP } from "./opcodes.ts";
import { Reader, skipImmediates } from "./reader.ts";

const ELSE = 0x05;

/** A branch whose way is known: where it stands in the code, and whether it is hardly ever or nearly always taken. */
export interface Hint {
  at: number;
  taken: boolean;
}

/**
 * The branches of a function around what hardly ever happens: `if`s that a call of certain functions lies
 * directly in, or that begin with `nop`, and a `br_if` that leads past what else runs into such a call.
 * Engines that know it keep what the rare way would have them save out of the code around.
 * @param code instructions, without the last `end`
 * @param rare the functions, by index
 */
export function rareBranches(code: Uint8Array, rare: ReadonlySet<number>): Hint[] {
  const r = new Reader(code);
  const found = new Map<number, Hint>();
  /** Of each construct around: where it begins, if it is an `if` that has not come to its `else`. */
  const around: number[] = [];
  /** The last `br_if`, if nothing but straight code has followed. */
  let passed = -1;
  while (r.pos < code.length) {
    const at = r.pos;
    const op = r.u8();
    if (op === OP.br_if) {
      r.skipLeb();
      passed = at;
    } else if (op === OP.call) {
      if (rare.has(r.u32())) {
        const inside = around[around.length - 1] ?? -1;
        if (passed >= 0) found.set(passed, { at: passed, taken: true });
        else if (inside >= 0) found.set(inside, { at: inside, taken: false });
      }
      passed = -1;
    } else if ((op >= OP.block && op <= OP.if) || op === ELSE || op === OP.end || op === OP.br) {
      if (op >= OP.block && op <= OP.if) {
        r.skipLeb();
        around.push(op === OP.if ? at : -1);
        if (op === OP.if && code[r.pos] === OP.nop) found.set(at, { at, taken: false });
      } else if (op === ELSE) around[around.length - 1] = -1;
      else if (op === OP.end) around.pop();
      else r.skipLeb();
      passed = -1;
    } else skipImmediates(r, op);
  }
  return [...found.values()].sort((a, b) => a.at - b.at);
}
