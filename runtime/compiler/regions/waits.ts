import { Block, type Cut, I1, type LoweredFunction, successors, Value } from "../ir/ir.ts";

/**
 * Finds the loops that wait for other threads: those whose exit depends on memory that others write
 * (ordered loads, atomics, mbarrier tests), or that sleep. Their back edges become cuts of the kind
 * "wait": a thread that has gone round a while lets the others run. Without that, a lane that spins
 * on a lock would starve the lane that holds it.
 */
export function cutWaitLoops(fn: LoweredFunction): void {
  const roots = [fn.entry, ...fn.cuts.map((c) => c.next)];
  for (const [latch, header] of backEdges(roots)) {
    const loop = naturalLoop(fn, latch, header);
    const sleeps = [...loop].some((b) => b.values.some((v) => v.op === "nanosleep"));
    if (!sleeps && !exitDependsOnMemory(loop)) continue;
    insertWait(fn, latch, header);
  }
}

/** Edges to a block that is on the path of a depth-first walk. */
function backEdges(roots: Block[]): [Block, Block][] {
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

function naturalLoop(fn: LoweredFunction, latch: Block, header: Block): Set<Block> {
  const preds = predecessors(fn);
  const loop = new Set([header]);
  const work = [latch];
  for (let b = work.pop(); b; b = work.pop()) {
    if (loop.has(b)) continue;
    loop.add(b);
    work.push(...(preds.get(b) ?? []));
  }
  return loop;
}

const predecessorCache = new WeakMap<
  LoweredFunction,
  { count: number; map: Map<Block, Block[]> }
>();

function predecessors(fn: LoweredFunction): Map<Block, Block[]> {
  const cached = predecessorCache.get(fn);
  if (cached && cached.count === fn.blocks.length) return cached.map;
  const map = new Map<Block, Block[]>();
  for (const b of fn.blocks) {
    for (const s of successors(b)) {
      const list = map.get(s);
      if (list) list.push(b);
      else map.set(s, [b]);
    }
  }
  predecessorCache.set(fn, { count: fn.blocks.length, map });
  return map;
}

/** Whether the condition of a branch out of the loop is computed from memory that others write. */
function exitDependsOnMemory(loop: Set<Block>): boolean {
  const tainted = new Set<Value>();
  const registers = new Set<number>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const b of loop) {
      for (const v of b.values) {
        if (tainted.has(v)) continue;
        const source =
          (v.op === "load" && v.aux.ordered) ||
          (v.op === "lib" && v.aux.effect && !/^(texture|surface)_/.test(v.aux.name ?? "")) ||
          (v.op === "regread" && registers.has(v.imm)) ||
          v.args.some((a) => tainted.has(a));
        if (!source) continue;
        tainted.add(v);
        changed = true;
        if (v.op === "regwrite") registers.add(v.imm);
      }
    }
  }
  for (const b of loop) {
    const t = b.terminator;
    if (t?.kind === "branch" && tainted.has(t.cond)) {
      if (!loop.has(t.yes) || !loop.has(t.no)) return true;
    }
    if (t?.kind === "switch" && tainted.has(t.index)) return true;
  }
  return false;
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
