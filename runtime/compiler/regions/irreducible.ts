import { Graph } from "../analysis/graph.ts";
import { type Block, I32, type LoweredFunction, NONE, successors, Value } from "../ir/ir.ts";

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

/** The entries of a smallest cycle that is entered at more than one block. */
function multipleEntries(graph: Graph): Block[] | undefined {
  const n = graph.order.length;
  for (let h = n - 1; h >= 0; h--) {
    const header = graph.order[h];
    const bad = header.preds.find((p) => {
      const k = graph.index.get(p) as number;
      return k >= h && !graph.dominates(h, k);
    });
    if (!bad) continue;
    const component = cycleThrough(graph, header, bad);
    const entries = [...component].filter((b) => b.preds.some((p) => !component.has(p)));
    if (entries.length > 1) return entries;
  }
  return undefined;
}

/** The strongly connected component of `header`. */
function cycleThrough(graph: Graph, header: Block, tail: Block): Set<Block> {
  const forward = new Set([header]);
  let work = [header];
  for (let b = work.pop(); b; b = work.pop()) {
    for (const s of successors(b)) {
      if (!forward.has(s) && graph.index.has(s)) {
        forward.add(s);
        work.push(s);
      }
    }
  }
  const component = new Set([header]);
  work = [tail];
  for (let b = work.pop(); b; b = work.pop()) {
    if (component.has(b) || !forward.has(b)) continue;
    component.add(b);
    work.push(...b.preds);
  }
  return component;
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
  for (const b of graph.order) {
    const t = b.terminator;
    if (t?.kind === "jump") t.target = redirect(t.target);
    else if (t?.kind === "branch") {
      t.yes = redirect(t.yes);
      t.no = redirect(t.no);
    } else if (t?.kind === "switch") t.targets = t.targets.map(redirect);
  }
}
