import { Block, type Cut, I1, type LoweredFunction, successors, Value } from "../ir/ir.ts";

/**
 * Finds the loops that wait for other threads: those whose exit depends on memory that others write
 * (ordered loads, atomics, mbarrier tests), or that sleep. Their back edges become cuts of the kind
 * "wait": a thread that has gone round a while lets the others run. Without that, a lane that spins
 * on a lock would starve the lane that holds it.
 */
export function cutWaitLoops(fn: LoweredFunction): void {
  const roots = [fn.entry, ...fn.cuts.map((c) => c.next)];
  let preds = predecessors(fn, successors);
  for (const [latch, header] of backEdges(roots, successors)) {
    const loop = naturalLoop(preds, latch, header);
    const sleeps = [...loop].some((b) => b.values.some((v) => v.op === "nanosleep"));
    if (!sleeps && !exitDependsOnMemory(loop, isOrdered)) continue;
    insertWait(fn, latch, header);
    preds = predecessors(fn, successors);
  }
}

/**
 * Whether a block may wait for other blocks, so that several must take turns: it has a wait, or a
 * loop around a barrier or warp operation that looks at memory of all blocks each time round, and
 * that loaded data ends (one thread may look, and tell the others through shared memory).
 */
export function waitsForBlocks(fn: LoweredFunction): boolean {
  if (fn.cuts.some((c) => c.kind === "wait")) return true;
  const preds = predecessors(fn, across);
  return backEdges([fn.entry], across).some(([latch, header]) => {
    const loop = naturalLoop(preds, latch, header);
    if (![...loop].some((b) => b.terminator?.kind === "cut")) return false;
    const looks = [...loop].some((b) => b.values.some((v) => isOrdered(v) && !isOwn(v)));
    return looks && exitDependsOnMemory(loop, (v) => v.op === "load" || isOrdered(v));
  });
}

/** Whether a thread may come to some place twice, across cuts too. */
export function hasLoops(fn: LoweredFunction): boolean {
  return backEdges([fn.entry], across).length > 0;
}

/**
 * The cuts of warp operations that a region may go past: but for those in loops that wait for other
 * threads, which must get their turn.
 */
export function crossableCuts(fn: LoweredFunction): Set<Cut> {
  const cuts = new Set(fn.cuts.filter((c) => c.kind === "warp" || c.kind === "gather"));
  if (cuts.size === 0) return cuts;
  const past = (b: Block) =>
    b.terminator?.kind === "cut" && !cuts.has(b.terminator.cut) ? [] : across(b);
  const preds = predecessors(fn, past);
  for (const [latch, header] of backEdges([fn.entry, ...fn.cuts.map((c) => c.next)], past)) {
    const loop = naturalLoop(preds, latch, header);
    const sleeps = [...loop].some((b) => b.values.some((v) => v.op === "nanosleep"));
    if (!sleeps && !exitDependsOnMemory(loop, isOrdered)) continue;
    for (const { terminator: t } of loop) if (t?.kind === "cut") cuts.delete(t.cut);
  }
  return cuts;
}

/** Where a block goes to, past the cut that ends it. */
function across(block: Block): Block[] {
  return block.terminator?.kind === "cut" ? [block.terminator.cut.next] : successors(block);
}

/** Memory that no other block has. */
const isOwn = ({ op, aux }: Value): boolean =>
  op === "load" ? aux.space === "shared" || aux.space === "local" : /_cta$/.test(aux.name ?? "");

type Successors = (block: Block) => Block[];

/** Edges to a block that is on the path of a depth-first walk. */
function backEdges(roots: Block[], successors: Successors): [Block, Block][] {
  const edges: [Block, Block][] = [];
  const state = new Map<Block, 1 | 2>();
  for (const root of roots) {
    if (state.has(root)) continue;
    state.set(root, 1);
    const stack = [{ block: root, next: successors(root), k: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.k === top.next.length) {
        state.set(top.block, 2);
        stack.pop();
        continue;
      }
      const s = top.next[top.k++];
      const seen = state.get(s);
      if (seen === 1) edges.push([top.block, s]);
      else if (seen === undefined) {
        state.set(s, 1);
        stack.push({ block: s, next: successors(s), k: 0 });
      }
    }
  }
  return edges;
}

function naturalLoop(preds: Map<Block, Block[]>, latch: Block, header: Block): Set<Block> {
  const loop = new Set([header]);
  const work = [latch];
  for (let b = work.pop(); b; b = work.pop()) {
    if (loop.has(b)) continue;
    loop.add(b);
    work.push(...(preds.get(b) ?? []));
  }
  return loop;
}

function predecessors(fn: LoweredFunction, successors: Successors): Map<Block, Block[]> {
  const map = new Map<Block, Block[]>();
  for (const b of fn.blocks) {
    for (const s of successors(b)) {
      const list = map.get(s);
      if (list) list.push(b);
      else map.set(s, [b]);
    }
  }
  return map;
}

/** What reads memory that others write: ordered loads, atomics, tests of mbarriers. */
const isOrdered = ({ op, aux }: Value): boolean =>
  (op === "load" && aux.ordered === true) ||
  (op === "lib" && aux.effect === true && !/^(texture|surface)_/.test(aux.name ?? ""));

/**
 * Whether the condition of a branch out of the loop is computed from one of the sources, or from
 * what is written on one side only of a branch that is.
 */
function exitDependsOnMemory(loop: Set<Block>, isSource: (value: Value) => boolean): boolean {
  const tainted = new Set<Value>();
  const registers = new Set<number>();
  const taintedBranch = ({ terminator: t }: Block) =>
    (t?.kind === "branch" && tainted.has(t.cond)) || (t?.kind === "switch" && tainted.has(t.index));
  const decided = new Set<Block>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const b of loop) {
      for (const v of b.values) {
        if (tainted.has(v)) continue;
        const source =
          isSource(v) ||
          (v.op === "regread" && registers.has(v.imm)) ||
          v.args.some((a) => tainted.has(a));
        if (!source) continue;
        tainted.add(v);
        changed = true;
        if (v.op === "regwrite") registers.add(v.imm);
      }
      // What a warp operation makes of it.
      const cut = b.terminator?.kind === "cut" ? b.terminator.cut : undefined;
      if (!cut?.sources.some((v) => tainted.has(v))) continue;
      for (const { register } of cut.destinations) {
        if (register < 0 || registers.has(register)) continue;
        registers.add(register);
        changed = true;
      }
    }
    for (const b of loop) {
      if (decided.has(b) || !taintedBranch(b)) continue;
      decided.add(b);
      changed = true;
      for (const side of sides(loop, b)) {
        for (const v of side.values) if (v.op === "regwrite") registers.add(v.imm);
      }
    }
  }
  return [...loop].some(
    (b) =>
      taintedBranch(b) &&
      (b.terminator?.kind === "switch" || successors(b).some((s) => !loop.has(s))),
  );
}

/** Blocks of the loop that one round comes to by some of a branch's ways only. */
function sides(loop: Set<Block>, branch: Block): Block[] {
  const [header] = loop;
  const ways = successors(branch).filter((s) => s !== header && loop.has(s));
  const counts = new Map<Block, number>();
  for (const way of ways) {
    const seen = new Set([way]);
    const work = [way];
    for (let b = work.pop(); b; b = work.pop()) {
      counts.set(b, (counts.get(b) ?? 0) + 1);
      for (const s of across(b)) {
        if (s === header || !loop.has(s) || seen.has(s)) continue;
        seen.add(s);
        work.push(s);
      }
    }
  }
  const all = successors(branch).length;
  return [...counts].filter(([, count]) => count < all).map(([b]) => b);
}

/** Sends the edge latch → header through "spin a while, then cut". */
function insertWait(fn: LoweredFunction, latch: Block, header: Block): void {
  const spin = new Block(fn.blocks.length);
  const stop = new Block(fn.blocks.length + 1);
  fn.blocks.push(spin, stop);
  spin.line = latch.line;
  stop.line = latch.line;
  const again = new Value("spin", I1, []);
  spin.values.push(again);
  spin.terminator = { kind: "branch", cond: again, yes: header, no: stop };
  const cut: Cut = {
    kind: "wait",
    entry: fn.cuts.length + 2,
    next: header,
    operands: [],
    destinations: [],
    sources: [],
    scratchBytes: 0,
    line: header.line,
  };
  fn.cuts.push(cut);
  stop.terminator = { kind: "cut", cut };
  const t = latch.terminator;
  if (t?.kind === "jump") t.target = spin;
  else if (t?.kind === "branch") {
    if (t.yes === header) t.yes = spin;
    if (t.no === header) t.no = spin;
  } else if (t?.kind === "switch") t.targets = t.targets.map((x) => (x === header ? spin : x));
}
