import { Graph } from "../analysis/graph.ts";
import {
  type Block,
  I32,
  type LoweredFunction,
  NONE,
  retarget,
  successors,
  Value,
} from "../ir/ir.ts";

/**
 * Makes the graph below `start` reducible: a cycle that is entered at several blocks gets one
 * dispatching header, and its entries are reached through it (a register says which). `fresh`
 * makes a register and a block. Works on register form, before SSA.
 */
export function makeReducible(start: Block, fn: LoweredFunction, newBlock: () => Block): void {
  for (let round = 0; round < 1000; round++) {
    const graph = new Graph(start);
    if (!graph.irreducible) return;
    const entries = multipleEntries(graph);
    if (!entries) return;
    dispatch(graph, entries, fn, newBlock);
  }
  throw new Error(`${fn.name}: control flow that cannot be made reducible`);
}

/**
 * The entries of a cycle that is entered at more than one block. A cycle with one entry is a loop;
 * what it holds besides its header is looked at again.
 */
function multipleEntries(graph: Graph): Block[] | undefined {
  const work = [graph.order];
  for (let blocks = work.pop(); blocks; blocks = work.pop()) {
    for (const cycle of cycles(blocks)) {
      const entries = [...cycle].filter((b) => b.preds.some((p) => !cycle.has(p)));
      if (entries.length > 1) return entries;
      work.push([...cycle].filter((b) => b !== entries[0]));
    }
  }
  return undefined;
}

/** The strongly connected components of a subgraph that are cycles (Kosaraju, Sharir). */
function cycles(blocks: Block[]): Set<Block>[] {
  const inside = new Set(blocks);
  const post: Block[] = [];
  walk(blocks, (b) => successors(b).filter((s) => inside.has(s)), post);
  const found: Set<Block>[] = [];
  const seen = new Set<Block>();
  for (const root of post.reverse()) {
    if (seen.has(root)) continue;
    const component: Block[] = [];
    walk([root], (b) => b.preds.filter((p) => inside.has(p)), component, seen);
    if (component.length > 1 || successors(root).includes(root)) found.push(new Set(component));
  }
  return found;
}

/** Depth-first walk without recursion; appends to `post` each block after all that it leads to. */
function walk(
  roots: Block[],
  next: (b: Block) => Block[],
  post: Block[],
  seen = new Set<Block>(),
): void {
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    const stack = [{ block: root, next: next(root), k: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const s = top.next[top.k++];
      if (!s) {
        post.push(top.block);
        stack.pop();
      } else if (!seen.has(s)) {
        seen.add(s);
        stack.push({ block: s, next: next(s), k: 0 });
      }
    }
  }
}

function dispatch(
  graph: Graph,
  entries: Block[],
  fn: LoweredFunction,
  newBlock: () => Block,
): void {
  const register = fn.registers.length;
  fn.registers.push({ name: "entry", type: I32 });
  const header = newBlock();
  const index = new Value("regread", I32, [], register);
  header.values.push(index);
  header.terminator = { kind: "switch", index, targets: entries };
  const redirect = (to: Block): Block => {
    const k = entries.indexOf(to);
    if (k < 0) return to;
    const pad = newBlock();
    const number = new Value("const", I32, [], k);
    pad.values.push(number, new Value("regwrite", NONE, [number], register));
    pad.terminator = { kind: "jump", target: header };
    return pad;
  };
  for (const b of graph.order) retarget(b, redirect);
}
