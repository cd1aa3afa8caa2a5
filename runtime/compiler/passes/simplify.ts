import { Graph } from "../analysis/graph.ts";
import { type Block, I64, isPure, type Region, type Value } from "../ir/ir.ts";
import { fold } from "./fold.ts";

export const MAX_STATIC_OFFSET = 65536;

/**
 * Folds constants, shares equal pure values along the dominator tree, moves constant parts of
 * addresses into the accesses' static offsets, and drops address checks that a dominating check of
 * the same address covers.
 */
export function simplify(region: Region): void {
  const graph = new Graph(region.start);
  const forward = new Map<Value, Value>();
  /** Check → bytes by which its users' offsets grow. */
  const shift = new Map<Value, number>();
  const movable = accessedOnly(region);
  const resolve = (v: Value): Value => {
    let to = v;
    for (let n = forward.get(to); n; n = forward.get(to)) to = n;
    return to;
  };
  // Values of the blocks that dominate the current one; left behind when the walk goes back up.
  const known = new Map<string, Value>();
  const find = (key: string): Value | undefined => known.get(key);
  inDominatorOrder(graph, (block, undo) => {
    const note = (key: string, v: Value) => {
      const before = known.get(key);
      known.set(key, v);
      undo.push(() => (before ? known.set(key, before) : known.delete(key)));
    };
    const out: Value[] = [];
    const place = (v: Value): Value => {
      if (!isPure(v)) {
        out.push(v);
        return v;
      }
      const key = keyOf(v);
      const same = find(key);
      if (same) return same;
      note(key, v);
      out.push(v);
      return v;
    };
    const foldPlaced = (v: Value): Value => {
      let current = v;
      for (let round = 0; round < 8; round++) {
        const next = fold(current);
        if (next === current) break;
        // New operands that folding made (constants, joined sums) need a place of their own.
        next.args = next.args.map((a) =>
          a.block === undefined && a.op === "const" ? place(a) : a,
        );
        current = next;
        if (current.block !== undefined) return current;
      }
      current.block = block;
      return place(current);
    };
    for (const v of block.values) {
      if (v.op === "phi") {
        v.block = block;
        out.push(v);
        continue;
      }
      const delta = rebase(v, resolve, shift, movable);
      if (delta === "done") {
        v.block = block;
        out.push(v);
        continue;
      }
      if (v.op === "check") {
        v.block = block;
        const key = `check ${v.args[0].id} ${v.aux.space}`;
        const earlier = find(key);
        if (earlier && covers(earlier, v)) forward.set(v, earlier);
        else {
          out.push(v);
          if (!earlier) note(key, v);
        }
        continue;
      }
      const to = foldPlaced(v);
      if (to !== v) forward.set(v, to);
    }
    block.values = out;
    const t = block.terminator;
    if (t?.kind === "branch") t.cond = resolve(t.cond);
    else if (t?.kind === "switch") t.index = resolve(t.index);
    else if (t?.kind === "cut" && t.state) {
      t.state.operands = t.state.operands.map(resolve);
      t.state.sources = t.state.sources.map(resolve);
      for (const s of t.state.spills) s.value = resolve(s.value);
    }
  });
  // Arguments of phis may come from later blocks.
  for (const block of graph.order) {
    for (const v of block.values) if (v.op === "phi") v.args = v.args.map(resolve);
  }
}

/**
 * Visits blocks so that each comes after its dominators. What a visit puts into `undo` is called
 * when the walk has left all blocks that the visited one dominates.
 */
function inDominatorOrder(
  graph: Graph,
  visit: (block: Block, undo: (() => unknown)[]) => void,
): void {
  const children: number[][] = graph.order.map(() => []);
  for (let k = 1; k < graph.order.length; k++) children[graph.idom[k]].push(k);
  const stack: { next: number; k: number; undo: (() => unknown)[] }[] = [];
  const enter = (k: number) => {
    const undo: (() => unknown)[] = [];
    visit(graph.order[k], undo);
    stack.push({ next: 0, k, undo });
  };
  enter(0);
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const list = children[top.k];
    if (top.next < list.length) enter(list[top.next++]);
    else {
      for (const step of top.undo.reverse()) step();
      stack.pop();
    }
  }
}

/**
 * The checks whose address is used for loads and stores only: constants of such an address can move
 * into static offsets. Elsewhere (phis, cuts, atomics) the address itself is needed.
 */
export function accessedOnly(region: Region): Set<Value> {
  const found = new Set<Value>();
  for (const block of region.blocks) {
    for (const v of block.values) if (v.op === "check") found.add(v);
  }
  for (const block of region.blocks) {
    for (const v of block.values) {
      const access = v.op === "load" || v.op === "store";
      v.args.forEach((a, k) => {
        if (!access || k > 0) found.delete(a);
      });
    }
    const t = block.terminator;
    if (t?.kind !== "cut" || !t.state) continue;
    for (const v of t.state.operands) found.delete(v);
    for (const v of t.state.sources) found.delete(v);
    for (const s of t.state.spills) found.delete(s.value);
  }
  return found;
}

/** Resolves arguments, and moves constant offsets between checks and their users. */
function rebase(
  v: Value,
  resolve: (v: Value) => Value,
  shift: Map<Value, number>,
  movable: Set<Value>,
): "done" | undefined {
  const original = v.args;
  v.args = original.map(resolve);
  if (v.op === "check") {
    const [address] = v.args;
    const wide = address.op === "i64_add" && v.aux.space === "generic";
    const narrow = address.op === "i32_add" && v.aux.space !== "generic";
    if ((!wide && !narrow) || !movable.has(v)) return undefined;
    const k = address.args[1];
    if (k.op !== "const") return undefined;
    const by = wide ? Number(k.big) : k.imm;
    const offset = (v.aux.offset as number) + by;
    // Shared and local addresses are 32-bit: a negative index plus an offset must not wrap.
    if (by < 0 || offset > MAX_STATIC_OFFSET) return undefined;
    v.args = [address.args[0]];
    v.aux = { ...v.aux, offset };
    shift.set(v, by);
    return undefined;
  }
  const first = original[0];
  const delta = first ? shift.get(first) : undefined;
  if ((v.op === "load" || v.op === "store") && delta) {
    v.aux = { ...v.aux, offset: (v.aux.offset as number) + delta };
    return v.op === "store" ? "done" : undefined;
  }
  return undefined;
}

/** Whether a passed check `a` makes check `b` of the same address unnecessary. */
function covers(a: Value, b: Value): boolean {
  const [fromA, fromB] = [a.aux.offset as number, b.aux.offset as number];
  const [endA, endB] = [fromA + (a.aux.size as number), fromB + (b.aux.size as number)];
  if (fromB < fromA || endB > endA) return false;
  return alignmentImplied(a, b);
}

/** Whether alignment at a's offset implies what b asks at its own. */
export function alignmentImplied(a: Value, b: Value): boolean {
  const alignB = b.aux.align as number;
  if (alignB > (a.aux.align as number)) return false;
  return ((b.aux.offset as number) - (a.aux.offset as number)) % alignB === 0;
}

function keyOf(v: Value): string {
  let key = `${v.op} ${v.type}`;
  for (const a of v.args) key += ` ${a.id}`;
  if (
    v.op === "const" ||
    v.op === "param" ||
    v.op === "sreg" ||
    v.op === "argument" ||
    v.op === "result" ||
    v.op === "reload"
  ) {
    key += ` #${v.type === I64 || v.type === 4 ? v.big : v.imm} ${v.imm}`;
  }
  if (v.aux.name) key += ` ${v.aux.name}`;
  if (v.op === "load") key += ` ${v.aux.size} ${v.aux.offset}`;
  if (v.op === "param") key += ` ${v.aux.size}`;
  return key;
}
