import type { Graph } from "../analysis/graph.ts";
import { type Block, F32, F64, I64, isPure, NONE, type Type, type Value } from "../ir/ir.ts";
import { VALTYPE } from "../wasm/opcodes.ts";

/** How deep single-use expressions are nested instead of going through locals. */
const MAX_DEPTH = 48;

/** Where each value of a region lives: inside its user's expression, or in a local. */
export interface Placement {
  /** Values written where they are used. */
  inlined: Set<Value>;
  /** Local slots of every other value with a result: indices into `types`. */
  slots: Map<Value, number[]>;
  types: number[];
}

export const valtypeOf = (type: Type): number =>
  type === I64
    ? VALTYPE.i64
    : type === F32
      ? VALTYPE.f32
      : type === F64
        ? VALTYPE.f64
        : VALTYPE.i32;

/** How values are kept in locals. */
export interface PlacementPolicy {
  /** Locals of a value: their types. */
  types(v: Value): number[];
  /** Whether a pure value with this only user (undefined: the block's end) may be nested in it. */
  nests(v: Value, user: Value | undefined): boolean;
  /** Values that keep their locals for the whole function. */
  mutable: Iterable<Value>;
  /** Results may take the local of an operand that ends there: all operands are read first. */
  reuses: boolean;
}

/** One local for each value. */
export const SCALAR_PLACEMENT: PlacementPolicy = {
  types: (v) => (v.type === NONE ? [] : [valtypeOf(v.type)]),
  nests: () => true,
  mutable: [],
  reuses: true,
};

/** The values that a terminator uses, in order. */
export function terminatorValues(block: Block): Value[] {
  const t = block.terminator;
  if (t?.kind === "branch") return [t.cond];
  if (t?.kind === "switch") return [t.index];
  if (t?.kind === "cut" && t.state) {
    return [...t.state.operands, ...t.state.sources, ...t.state.spills.map((s) => s.value)];
  }
  return [];
}

/**
 * Decides which values are nested into their user's expression, and shares locals among the others
 * by linear scan over the order in which blocks are written (`order`, with loop extents from
 * `graph`). Prologue values come first and live to the end.
 */
export function placeValues(
  graph: Graph,
  order: Block[],
  prologue: Value[],
  policy: PlacementPolicy = SCALAR_PLACEMENT,
): Placement {
  const inlined = findInlined(order, prologue, policy);
  const position = new Map<Value, number>();
  const blockStart = new Map<Block, number>();
  const blockEnd = new Map<Block, number>();
  let at = 1;
  for (const block of order) {
    blockStart.set(block, at++);
    for (const v of block.values) position.set(v, at++);
    blockEnd.set(block, at++);
  }
  const start = new Map<Value, number>();
  const end = new Map<Value, number>();
  const use = (v: Value, where: number) => {
    if (v.op === "const" && !position.has(v)) return;
    const root = inlined.has(v);
    if (root) for (const a of v.args) use(a, where);
    else end.set(v, Math.max(end.get(v) ?? 0, where));
  };
  for (const block of order) {
    const last = blockEnd.get(block) as number;
    for (const v of block.values) {
      const here = position.get(v) as number;
      if (v.op === "phi") {
        start.set(v, Math.min(start.get(v) ?? Infinity, blockStart.get(block) as number));
        v.args.forEach((a, k) => {
          const from = blockEnd.get(block.preds[k]) as number;
          use(a, from);
          start.set(v, Math.min(start.get(v) as number, from));
          end.set(v, Math.max(end.get(v) ?? 0, from));
        });
        continue;
      }
      if (inlined.has(v)) continue;
      start.set(v, here);
      for (const a of v.args) use(a, policy.reuses ? here : here + 1);
    }
    for (const v of terminatorValues(block)) use(v, last);
  }
  extendOverLoops(graph, blockStart, blockEnd, start, end);
  const slots = new Map<Value, number[]>();
  const types: number[] = [];
  const own = (v: Value) => {
    const locals = policy.types(v).map((type) => types.push(type) - 1);
    slots.set(v, locals);
  };
  for (const v of prologue) if (v.op !== "const" && !inlined.has(v)) own(v);
  for (const v of policy.mutable) own(v);
  const shared = [...start.keys()].filter((v) => end.has(v) && !slots.has(v));
  scan(shared, start, end, slots, types, policy);
  return { inlined, slots, types };
}

/** A value used after a loop's start but made before it must survive the whole loop. */
function extendOverLoops(
  graph: Graph,
  blockStart: Map<Block, number>,
  blockEnd: Map<Block, number>,
  start: Map<Value, number>,
  end: Map<Value, number>,
): void {
  const extents = graph.loops
    .map((loop) => {
      const from = blockStart.get(graph.order[loop.header]) as number;
      const to = Math.max(...loop.blocks.map((b) => blockEnd.get(graph.order[b]) as number));
      return { from, to };
    })
    .sort((a, b) => a.from - b.from);
  if (extents.length === 0) return;
  for (const [v, last] of end) {
    const first = start.get(v);
    if (first === undefined) continue;
    let until = last;
    // Inner loops come after outer ones; growing past an outer loop's end needs another look.
    for (let changed = true; changed; ) {
      changed = false;
      for (const { from, to } of extents) {
        if (from > until) break;
        if (first < from && until >= from && until < to) {
          until = to;
          changed = true;
        }
      }
    }
    end.set(v, until);
  }
}

function scan(
  values: Value[],
  start: Map<Value, number>,
  end: Map<Value, number>,
  slots: Map<Value, number[]>,
  types: number[],
  policy: PlacementPolicy,
): void {
  values.sort((a, b) => (start.get(a) as number) - (start.get(b) as number));
  const free = new Map<number, number[]>();
  // Active intervals as a binary heap by end.
  const heap: { end: number; slot: number }[] = [];
  for (const v of values) {
    const from = start.get(v) as number;
    while (heap.length > 0 && heap[0].end <= from) {
      const { slot } = popHeap(heap);
      const list = free.get(types[slot]);
      if (list) list.push(slot);
      else free.set(types[slot], [slot]);
    }
    const list = policy.types(v).map((type) => {
      const slot = free.get(type)?.pop() ?? types.push(type) - 1;
      pushHeap(heap, { end: end.get(v) as number, slot });
      return slot;
    });
    slots.set(v, list);
  }
}

function pushHeap(
  heap: { end: number; slot: number }[],
  item: { end: number; slot: number },
): void {
  let k = heap.length;
  heap.push(item);
  while (k > 0) {
    const parent = (k - 1) >> 1;
    if (heap[parent].end <= item.end) break;
    heap[k] = heap[parent];
    k = parent;
  }
  heap[k] = item;
}

function popHeap(heap: { end: number; slot: number }[]): { end: number; slot: number } {
  const top = heap[0];
  const last = heap.pop() as { end: number; slot: number };
  if (heap.length > 0) {
    let k = 0;
    for (;;) {
      let child = 2 * k + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].end < heap[child].end) child++;
      if (heap[child].end >= last.end) break;
      heap[k] = heap[child];
      k = child;
    }
    heap[k] = last;
  }
  return top;
}

/** Values that are nested into their user's expression. */
export function findInlined(
  order: Block[],
  prologue: Value[],
  policy: PlacementPolicy,
): Set<Value> {
  const inlined = new Set<Value>();
  const depth = new Map<Value, number>();
  const lists: { values: Value[]; last: Value[] }[] = [
    { values: prologue, last: [] },
    ...order.map((b) => ({ values: b.values, last: lastUses(b) })),
  ];
  for (const { values, last } of lists) {
    const own = new Set(values);
    const used = new Map<Value, Value | undefined>();
    for (const v of values) for (const a of v.args) if (v.op !== "phi") used.set(a, v);
    for (const v of last) used.set(v, undefined);
    for (const v of values) {
      if (v.op === "const") {
        inlined.add(v);
        continue;
      }
      let d = 0;
      for (const a of v.args) if (inlined.has(a)) d = Math.max(d, (depth.get(a) ?? 0) + 1);
      depth.set(v, d);
      if (v.uses !== 1 || !own.has(v) || !used.has(v) || !isPure(v)) continue;
      if (!policy.nests(v, used.get(v))) continue;
      if (v.op === "load" || d >= MAX_DEPTH) continue;
      inlined.add(v);
    }
  }
  return inlined;
}

/** Values used at a block's end: by its terminator and by the phis of its successors. */
function lastUses(block: Block): Value[] {
  const list = terminatorValues(block);
  const t = block.terminator;
  const next =
    t?.kind === "jump"
      ? [t.target]
      : t?.kind === "branch"
        ? [t.yes, t.no]
        : t?.kind === "switch"
          ? t.targets
          : [];
  for (const s of next) {
    for (const v of s.values) {
      if (v.op !== "phi") break;
      s.preds.forEach((p, k) => {
        if (p === block) list.push(v.args[k]);
      });
    }
  }
  return list;
}
