import { type Block, type Region, successors, type Value } from "../ir/ir.ts";
import { negated } from "./fold.ts";

/**
 * Makes branches on constants jumps.
 * @returns whether there were any
 */
export function foldBranches(region: Region): boolean {
  let found = false;
  for (const b of region.blocks) {
    const t = b.terminator;
    if (t?.kind !== "branch" || t.cond.op !== "const" || t.yes === t.no) continue;
    takeSide(b, t.cond.imm !== 0);
    found = true;
  }
  if (found) removeUnreachable(region);
  return found;
}

/**
 * Turns branches around a block (`if (a >= b) skip`) into ones to it: the lanes that run it are then
 * those of a comparison, and not those of its opposite.
 */
export function turnSkips(region: Region): void {
  const uses = new Map<Value, number>();
  const use = (v: Value) => uses.set(v, (uses.get(v) ?? 0) + 1);
  for (const b of region.blocks) {
    for (const v of b.values) v.args.forEach(use);
    const t = b.terminator;
    if (t?.kind === "branch") use(t.cond);
    else if (t?.kind === "switch") use(t.index);
    else if (t?.kind === "cut" && t.state) {
      [...t.state.operands, ...t.state.sources].forEach(use);
      for (const s of t.state.spills) use(s.value);
    }
  }
  for (const b of region.blocks) {
    const t = b.terminator;
    if (t?.kind !== "branch" || t.no.terminator?.kind !== "jump") continue;
    if (t.no.terminator.target !== t.yes || uses.get(t.cond) !== 1) continue;
    const op = negated(t.cond.op);
    if (!op) continue;
    t.cond.op = op;
    [t.yes, t.no] = [t.no, t.yes];
  }
}

/** Makes a branch a jump to one side. */
export function takeSide(block: Block, side: boolean): void {
  const t = block.terminator;
  if (t?.kind !== "branch") return;
  const [taken, other] = side ? [t.yes, t.no] : [t.no, t.yes];
  block.terminator = { kind: "jump", target: taken };
  dropEdge(block, other);
}

/** Forgets that a block comes from another; its phis lose the operand. */
function dropEdge(from: Block, to: Block): void {
  const stays = to.preds.map((p) => p !== from);
  to.preds = to.preds.filter((_, k) => stays[k]);
  for (const phi of to.values) {
    if (phi.op !== "phi") break;
    phi.args = phi.args.filter((_, k) => stays[k]);
  }
}

/** Drops the blocks that nothing leads to; a phi that is left with one operand is that operand. */
export function removeUnreachable(region: Region): void {
  const reached = new Set<Block>([region.start]);
  const work = [region.start];
  for (let b = work.pop(); b; b = work.pop()) {
    for (const s of successors(b)) {
      if (reached.has(s)) continue;
      reached.add(s);
      work.push(s);
    }
  }
  for (const b of region.blocks) {
    if (reached.has(b)) continue;
    for (const s of successors(b)) if (reached.has(s)) dropEdge(b, s);
  }
  region.blocks = region.blocks.filter((b) => reached.has(b));
  // A phi with one operand is that operand.
  const forward = new Map<Value, Value>();
  for (const b of region.blocks) {
    for (const v of b.values) if (v.op === "phi" && v.args.length === 1) forward.set(v, v.args[0]);
  }
  if (forward.size === 0) return;
  const to = (v: Value): Value => {
    let at = v;
    for (let n = forward.get(at); n; n = forward.get(at)) at = n;
    return at;
  };
  for (const b of region.blocks) b.values = b.values.filter((v) => !forward.has(v));
  replaceAll(region.blocks, to);
}

/** Replaces operands. */
export function replaceAll(blocks: readonly Block[], to: (v: Value) => Value): void {
  for (const b of blocks) {
    for (const v of b.values) v.args = v.args.map(to);
    const t = b.terminator;
    if (t?.kind === "branch") t.cond = to(t.cond);
    else if (t?.kind === "switch") t.index = to(t.index);
    else if (t?.kind === "cut" && t.state) {
      t.state.operands = t.state.operands.map(to);
      t.state.sources = t.state.sources.map(to);
      for (const s of t.state.spills) s.value = to(s.value);
    }
  }
}
