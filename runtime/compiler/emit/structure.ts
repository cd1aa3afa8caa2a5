import type { Graph } from "../analysis/graph.ts";
import type { Block } from "../ir/ir.ts";

/** What the structured walk asks of whoever writes the code. */
export interface StructureSink {
  block(): void;
  /** Opens two loops, one in the other: rounds are of the inner one, see `again`. */
  loop(header: Block): void;
  /** Closes one construct. */
  end(): void;
  /** The values of a block. */
  body(block: Block): void;
  /** A conditional block: pushes the branch's condition (negated or not) and opens an `if`. */
  ifThen(block: Block, negate: boolean): void;
  /** `br_if` on the branch's condition. */
  branchIf(block: Block, negate: boolean, depth: number): void;
  /** Whether the edge needs code of its own (copies to phis, fuel). */
  edgeIsFree(from: Block, to: Block): boolean;
  /** Code of the edge, before the jump. */
  edge(from: Block, to: Block): void;
  br(depth: number): void;
  /**
   * The next round of a loop, by its header, whose label is at `depth`. What is rare is done on the way to the loop around it,
   * one label further out, so that the loop itself has none of it.
   */
  again(header: Block, depth: number): void;
  /** The index of a switch and its `br_table` over the next blocks outwards. */
  brTable(block: Block, count: number): void;
  /** A terminator without successors: exit, return, cut. */
  leave(block: Block): void;
}

type Frame = { kind: "loop" | "block"; target: Block } | { kind: "plain" };

/**
 * Turns a reducible control-flow graph into WebAssembly's structured control flow, along the
 * dominator tree, after Ramsey, "Beyond Relooper" (ICFP 2022). No code is duplicated.
 */
export function walkStructured(graph: Graph, sink: StructureSink): void {
  new Structurer(graph, sink).run();
}

class Structurer {
  private readonly graph: Graph;
  private readonly sink: StructureSink;
  private readonly children: number[][];
  private readonly isMerge: boolean[];
  private readonly isHeader: boolean[];
  private readonly frames: Frame[] = [];

  constructor(graph: Graph, sink: StructureSink) {
    this.graph = graph;
    this.sink = sink;
    const n = graph.order.length;
    this.children = Array.from({ length: n }, () => []);
    this.isMerge = new Array(n).fill(false);
    this.isHeader = new Array(n).fill(false);
    for (let k = 1; k < n; k++) this.children[graph.idom[k]].push(k);
    graph.order.forEach((block, k) => {
      let forward = 0;
      for (const p of block.preds) {
        if ((graph.index.get(p) as number) < k) forward++;
        else this.isHeader[k] = true;
      }
      this.isMerge[k] = forward > 1;
    });
  }

  run(): void {
    this.tree(0);
  }

  private tree(k: number): void {
    const block = this.graph.order[k];
    // The last block in order is the outermost: what comes after everything else.
    const merges = this.children[k].filter((c) => this.isMerge[c]).sort((a, b) => b - a);
    if (this.isHeader[k]) {
      this.sink.loop(block);
      this.frames.push({ kind: "plain" }, { kind: "loop", target: block });
    }
    for (const m of merges) {
      this.sink.block();
      this.frames.push({ kind: "block", target: this.graph.order[m] });
    }
    this.node(block);
    for (const m of merges.reverse()) {
      this.sink.end();
      this.frames.pop();
      this.tree(m);
    }
    if (this.isHeader[k]) {
      this.sink.end();
      this.sink.end();
      this.frames.length -= 2;
    }
  }

  private node(block: Block): void {
    this.sink.body(block);
    const t = block.terminator;
    if (!t) throw new Error(`block ${block.id} has no end`);
    if (t.kind === "jump") this.branch(block, t.target);
    else if (t.kind === "branch") this.conditional(block, t.yes, t.no);
    else if (t.kind === "switch") {
      for (let k = 0; k < t.targets.length; k++) {
        this.sink.block();
        this.frames.push({ kind: "plain" });
      }
      this.sink.brTable(block, t.targets.length);
      for (const target of t.targets) {
        this.sink.end();
        this.frames.pop();
        this.branch(block, target);
      }
    } else this.sink.leave(block);
  }

  private conditional(block: Block, then: Block, other: Block): void {
    if (then === other) {
      this.branch(block, then);
      return;
    }
    for (const [target, rest, negate] of [
      [then, other, false],
      [other, then, true],
    ] as const) {
      const depth = this.depthOf(block, target);
      if (depth !== undefined && this.sink.edgeIsFree(block, target)) {
        this.sink.branchIf(block, negate, depth);
        this.branch(block, rest);
        return;
      }
    }
    // The side that only jumps goes into the `if`; the other follows without nesting.
    const inner =
      this.depthOf(block, then) === undefined && this.depthOf(block, other) !== undefined;
    const [first, second] = inner ? [other, then] : [then, other];
    this.sink.ifThen(block, inner);
    this.frames.push({ kind: "plain" });
    this.branch(block, first);
    this.sink.end();
    this.frames.pop();
    this.branch(block, second);
  }

  /** The label depth of an edge's target, or undefined if the target's code follows in place. */
  private depthOf(from: Block, to: Block): number | undefined {
    const [f, t] = [this.graph.index.get(from) as number, this.graph.index.get(to) as number];
    if (t > f && !this.isMerge[t]) return undefined;
    const kind = t <= f ? "loop" : "block";
    for (let d = 0; d < this.frames.length; d++) {
      const frame = this.frames[this.frames.length - 1 - d];
      if (frame.kind === kind && frame.target === to) return d;
    }
    throw new Error("control flow is not reducible");
  }

  private branch(from: Block, to: Block): void {
    const depth = this.depthOf(from, to);
    const back = (this.graph.index.get(to) as number) <= (this.graph.index.get(from) as number);
    this.sink.edge(from, to);
    if (depth === undefined) this.tree(this.graph.index.get(to) as number);
    else if (back) this.sink.again(to, depth);
    else this.sink.br(depth);
  }
}

/** The order in which the structured walk writes the blocks. */
export function writingOrder(graph: Graph): Block[] {
  const order: Block[] = [];
  walkStructured(graph, {
    block() {},
    loop() {},
    end() {},
    body(b) {
      order.push(b);
    },
    ifThen() {},
    branchIf() {},
    edgeIsFree: () => false,
    edge() {},
    br() {},
    again() {},
    brTable() {},
    leave() {},
  });
  return order;
}
