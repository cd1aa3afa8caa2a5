import type { Block, LoweredFunction } from "../ir/ir.ts";
import { successors } from "../ir/ir.ts";

/** For each block (by id), the set of virtual registers that are live at its start, as bits. */
export function liveRegisters(fn: LoweredFunction): Uint32Array[] {
  const words = (fn.registers.length + 31) >>> 5;
  const live = fn.blocks.map(() => new Uint32Array(words));
  const use = fn.blocks.map(() => new Uint32Array(words));
  const def = fn.blocks.map(() => new Uint32Array(words));
  fn.blocks.forEach((b, k) => {
    for (const v of b.values) {
      const word = v.imm >>> 5;
      const bit = 1 << (v.imm & 31);
      if (v.op === "regread" && !(def[k][word] & bit)) use[k][word] |= bit;
      else if (v.op === "regwrite") def[k][word] |= bit;
    }
  });
  const preds: Block[][] = fn.blocks.map(() => []);
  for (const b of fn.blocks) for (const s of following(b)) preds[s.id].push(b);
  const work = [...fn.blocks];
  const queued = new Uint8Array(fn.blocks.length).fill(1);
  const out = new Uint32Array(words);
  for (let b = work.pop(); b; b = work.pop()) {
    queued[b.id] = 0;
    out.fill(0);
    for (const s of following(b)) {
      const from = live[s.id];
      for (let w = 0; w < words; w++) out[w] |= from[w];
    }
    if (b.terminator?.kind === "cut") {
      for (const { register } of b.terminator.cut.destinations) {
        if (register >= 0) out[register >>> 5] &= ~(1 << (register & 31));
      }
    }
    const mine = live[b.id];
    let changed = false;
    for (let w = 0; w < words; w++) {
      const next = (use[b.id][w] | (out[w] & ~def[b.id][w])) >>> 0;
      if (next !== mine[w]) {
        mine[w] = next;
        changed = true;
      }
    }
    if (!changed) continue;
    for (const p of preds[b.id]) {
      if (queued[p.id]) continue;
      queued[p.id] = 1;
      work.push(p);
    }
  }
  return live;
}

/** The blocks that run after a block, across a cut too. */
export function following(b: Block): Block[] {
  return b.terminator?.kind === "cut" ? [b.terminator.cut.next] : successors(b);
}

/** The registers of a bit set. */
export function* bits(set: Uint32Array): Generator<number> {
  for (let w = 0; w < set.length; w++) {
    for (let rest = set[w]; rest !== 0; rest &= rest - 1) {
      yield w * 32 + (31 - Math.clz32(rest & -rest));
    }
  }
}
