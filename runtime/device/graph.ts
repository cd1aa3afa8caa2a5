/** Graphs: nodes with recorded requests and edges between them, and what they become when run. */
import * as D from "../protocol/definitions.ts";
import {
  cudaErrorGraphExecUpdateFailure,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../protocol/errors.ts";
import * as P from "../protocol/graphs.ts";
import * as O from "../protocol/pools.ts";
import * as S from "../protocol/streams.ts";
import type { Allocation } from "./allocations.ts";
import type { Context } from "./context.ts";
import type { Device } from "./device.ts";
import { recordedCommand } from "./source.ts";

/** Which node a recorded command makes. */
const NODE_TYPES: ReadonlyMap<number, number> = new Map([
  [D.COMMAND_LAUNCH, P.NODE_KERNEL],
  [D.COMMAND_MEMORY_COPY, P.NODE_MEMCPY],
  [D.COMMAND_MEMORY_COPY_3D, P.NODE_MEMCPY],
  [D.COMMAND_MEMORY_SET, P.NODE_MEMSET],
  [D.COMMAND_MEMORY_SET_3D, P.NODE_MEMSET],
  [S.COMMAND_HOST_CALL, P.NODE_HOST],
  [S.COMMAND_STREAM_WAIT_EVENT, P.NODE_WAIT_EVENT],
  [S.COMMAND_EVENT_RECORD, P.NODE_EVENT_RECORD],
  [O.COMMAND_MEMORY_ALLOC_ASYNC, P.NODE_MEM_ALLOC],
  [O.COMMAND_MEMORY_FREE_ASYNC, P.NODE_MEM_FREE],
]);

/** @returns the cudaGraphNodeType of a recorded request, or undefined if it can be no node */
export function nodeType(request: Uint8Array): number | undefined {
  const command = recordedCommand(request);
  const view = new DataView(request.buffer, request.byteOffset);
  const copy = (view.getUint32(S.HOST_CALL_FLAGS, true) & S.HOST_CALL_COPY) !== 0;
  return command === S.COMMAND_HOST_CALL && copy ? P.NODE_MEMCPY : NODE_TYPES.get(command);
}

/** A node of a graph. */
export class GraphNode {
  readonly handle: number;
  readonly graph: Graph;
  /** Where its work runs: nodes of one graph may be different devices'. */
  context: Context;
  readonly type: number;
  /** The recorded request; empty for nodes that have none. */
  request: Uint8Array;
  /** The child graph of a NODE_GRAPH. */
  readonly child: Graph | undefined;
  /** What a NODE_CONDITIONAL looks at, and what it then runs. */
  readonly conditional: Conditional | undefined;
  /** What an allocation node gave, or a free node takes. */
  allocation: Allocation | undefined;
  readonly dependencies = new Set<GraphNode>();
  readonly dependents = new Set<GraphNode>();
  /** The node that it was cloned from. */
  origin: GraphNode | undefined;

  constructor(
    handle: number,
    graph: Graph,
    context: Context,
    type: number,
    request: Uint8Array,
    child?: Graph,
    conditional?: Conditional,
  ) {
    this.handle = handle;
    this.graph = graph;
    this.context = context;
    this.type = type;
    this.request = request;
    this.child = child;
    this.conditional = conditional;
    for (const inner of innerGraphs(this)) inner.owner = this;
  }
}

/** A value that kernels set (cudaGraphSetConditional) and conditional nodes look at. */
export class Condition {
  /** Also what kernels are given. */
  readonly handle: number;
  readonly graph: Graph;
  /** When a launch begins. */
  readonly initial: number;

  constructor(handle: number, graph: Graph, initial: number) {
    this.handle = handle;
    this.graph = graph;
    this.initial = initial;
  }
}

/** What a conditional node runs, by a condition's value. */
export interface Conditional {
  readonly condition: Condition;
  /** CONDITION_* */
  readonly kind: number;
  readonly bodies: readonly Graph[];
}

/** The graphs inside a node: a child graph, or what runs by condition. */
export function innerGraphs(node: GraphNode): readonly Graph[] {
  return node.child ? [node.child] : (node.conditional?.bodies ?? []);
}

/** A graph. Nodes have handles of their own in the context's table. */
export class Graph {
  readonly handle: number;
  readonly nodes = new Set<GraphNode>();
  readonly conditions = new Set<Condition>();
  /** The node that it is inside of. */
  owner: GraphNode | undefined;

  constructor(handle: number) {
    this.handle = handle;
  }

  /** May a conditional node of this graph look at that: is it its own, or of a graph around it? */
  sees(condition: Condition): boolean {
    return condition.graph === this || (this.owner?.graph.sees(condition) ?? false);
  }

  /** Does it, or a graph inside it, have conditional nodes? */
  get conditional(): boolean {
    return [...this.nodes].some((node) => node.conditional || node.child?.conditional);
  }

  /** Adds a node that comes after others of this graph. */
  add(
    device: Device,
    context: Context,
    type: number,
    request: Uint8Array,
    after: Iterable<GraphNode>,
    child?: Graph,
    conditional?: Conditional,
  ): GraphNode {
    const handle = device.newHandle();
    const node = new GraphNode(handle, this, context, type, request, child, conditional);
    this.nodes.add(node);
    for (const dependency of after) connect(dependency, node);
    return node;
  }

  /** May a node free that: is it memory of a graph, and no other node of this one frees it? */
  mayFree(entry: Allocation): boolean {
    const twice = [...this.nodes].some(
      (node) => node.type === P.NODE_MEM_FREE && node.allocation === entry,
    );
    return entry.graph !== undefined && !twice;
  }

  remove(node: GraphNode): void {
    for (const other of node.dependencies) other.dependents.delete(node);
    for (const other of node.dependents) other.dependencies.delete(node);
    this.nodes.delete(node);
  }

  /** @returns the nodes so that each comes after all it depends on, or undefined for a cycle */
  sorted(): GraphNode[] | undefined {
    const waiting = new Map<GraphNode, number>();
    const ready: GraphNode[] = [];
    for (const node of this.nodes) {
      waiting.set(node, node.dependencies.size);
      if (node.dependencies.size === 0) ready.push(node);
    }
    for (let i = 0; i < ready.length; i++) {
      for (const next of ready[i]!.dependents) {
        const left = waiting.get(next)! - 1;
        waiting.set(next, left);
        if (left === 0) ready.push(next);
      }
    }
    return ready.length === this.nodes.size ? ready : undefined;
  }

  /** A copy with nodes of its own. `register` gives each new object to the handle table. */
  clone(device: Device, register: (object: Graph | GraphNode) => void): Graph {
    const copy = new Graph(device.newHandle());
    register(copy);
    const made = new Map<GraphNode, GraphNode>();
    for (const node of this.nodes) {
      const child = node.child?.clone(device, register);
      const twin = copy.add(device, node.context, node.type, node.request.slice(), [], child);
      twin.allocation = node.allocation;
      twin.origin = node;
      made.set(node, twin);
      register(twin);
    }
    for (const [node, twin] of made) {
      for (const dependency of node.dependencies) connect(made.get(dependency)!, twin);
    }
    return copy;
  }
}

/** Does a node allocate or free memory? */
export function isMemoryNode(type: number): boolean {
  return type === P.NODE_MEM_ALLOC || type === P.NODE_MEM_FREE;
}

/** Makes `to` depend on `from`. */
export function connect(from: GraphNode, to: GraphNode): void {
  from.dependents.add(to);
  to.dependencies.add(from);
}

/** One step of an executable graph. */
export interface GraphStep {
  readonly node: GraphNode;
  /** The node's when the graph was instantiated. */
  readonly context: Context;
  readonly type: number;
  request: Uint8Array;
  enabled: boolean;
  /** Steps that it comes after, by index; for a child graph the child's own. */
  readonly after: readonly number[];
  readonly child: GraphExec | undefined;
  conditional: ConditionalStep | undefined;
}

/** What a step runs, by a condition's value. */
export interface ConditionalStep {
  readonly condition: Condition;
  readonly kind: number;
  readonly bodies: readonly GraphExec[];
}

/** A graph's part of an executable graph; cycles have been looked for. */
function execOf(graph: Graph): GraphExec {
  return new GraphExec(0, graph.sorted() ?? []);
}

function conditionalStep(node: GraphNode): ConditionalStep | undefined {
  return node.conditional && { ...node.conditional, bodies: node.conditional.bodies.map(execOf) };
}

/** An executable graph: the steps in an order that respects all edges. */
export class GraphExec {
  readonly handle: number;
  readonly steps: GraphStep[];
  /** A launch frees what an earlier one has left allocated. */
  readonly freesOnLaunch: boolean;

  /** @param nodes sorted, as from `Graph.sorted` */
  constructor(handle: number, nodes: readonly GraphNode[], freesOnLaunch = false) {
    this.handle = handle;
    this.freesOnLaunch = freesOnLaunch;
    const index = new Map(nodes.map((node, i) => [node, i]));
    this.steps = nodes.map((node) => ({
      node,
      context: node.context,
      type: node.type,
      request: node.request.slice(),
      enabled: true,
      after: [...node.dependencies].map((other) => index.get(other)!).sort((a, b) => a - b),
      child: node.child && execOf(node.child),
      conditional: conditionalStep(node),
    }));
  }

  /** What the graph's nodes allocate (or free, if not `made`). */
  memory(made: boolean): Allocation[] {
    const type = made ? P.NODE_MEM_ALLOC : P.NODE_MEM_FREE;
    return this.steps.flatMap((step) => {
      if (step.child) return step.child.memory(made);
      return step.type === type && step.node.allocation ? [step.node.allocation] : [];
    });
  }

  /** The step of a node of the original graph, also inside child graphs. */
  stepOf(node: GraphNode): GraphStep | undefined {
    for (const step of this.steps) {
      if (step.node === node) return step;
      for (const inner of innerExecs(step)) {
        const inside = inner.stepOf(node);
        if (inside) return inside;
      }
    }
    return undefined;
  }

  /** The steps that do something, in order, those of child graphs in their places. */
  actions(): GraphStep[] {
    return this.steps.flatMap((step) => {
      if (!step.enabled) return [];
      if (step.child) return step.child.actions();
      return step.request.length > 0 || step.conditional ? [step] : [];
    });
  }

  /** All conditions that its conditional nodes look at. */
  conditions(): Condition[] {
    return this.steps.flatMap((step) => {
      const inside = innerExecs(step).flatMap((inner) => inner.conditions());
      return step.conditional ? [step.conditional.condition, ...inside] : inside;
    });
  }

  /**
   * Takes the parameters of a graph of the same shape.
   * @returns error, cudaGraphExecUpdateResult and the node that differs
   */
  update(graph: Graph): { error: number; result: number; node: number } {
    const nodes = graph.sorted();
    const failure = (result: number, node: number) => ({
      error: cudaErrorGraphExecUpdateFailure,
      result,
      node,
    });
    if (nodes === undefined) return { ...failure(P.UPDATE_ERROR, 0), error: cudaErrorInvalidValue };
    const next = new GraphExec(0, nodes);
    const difference = this.difference(next);
    if (difference) return failure(difference.result, difference.node);
    this.#take(next);
    return { error: cudaSuccess, result: P.UPDATE_SUCCESS, node: 0 };
  }

  /** Where another graph has another shape. */
  difference(next: GraphExec): { result: number; node: number } | undefined {
    if (next.steps.length !== this.steps.length) {
      return { result: P.UPDATE_TOPOLOGY_CHANGED, node: 0 };
    }
    for (const [i, step] of next.steps.entries()) {
      const own = this.steps[i]!;
      const { handle } = step.node;
      if (step.type !== own.type) return { result: P.UPDATE_NODE_TYPE_CHANGED, node: handle };
      if (step.context !== own.context && step.type <= P.NODE_MEMSET) {
        const kernel = step.type === P.NODE_KERNEL;
        const result = kernel ? P.UPDATE_FUNCTION_CHANGED : P.UPDATE_PARAMETERS_CHANGED;
        return { result, node: handle };
      }
      if (isMemoryNode(step.type)) return { result: P.UPDATE_NOT_SUPPORTED, node: handle };
      if (step.after.join() !== own.after.join()) {
        return { result: P.UPDATE_TOPOLOGY_CHANGED, node: handle };
      }
      const bodies = innerExecs(step);
      const same = step.conditional?.kind === own.conditional?.kind;
      if (!same || bodies.length !== innerExecs(own).length) {
        return { result: P.UPDATE_PARAMETERS_CHANGED, node: handle };
      }
      for (const [at, body] of innerExecs(own).entries()) {
        const inside = body.difference(bodies[at]!);
        if (inside) return inside;
      }
    }
    return undefined;
  }

  #take(next: GraphExec): void {
    for (const [i, step] of next.steps.entries()) {
      const own = this.steps[i]!;
      own.request = step.request;
      const bodies = innerExecs(step);
      for (const [at, body] of innerExecs(own).entries()) body.#take(bodies[at]!);
      // Kernels are given the conditions of the graph that they come from.
      if (own.conditional && step.conditional) {
        own.conditional = { ...own.conditional, condition: step.conditional.condition };
      }
    }
  }
}

/** What is inside a step. */
function innerExecs(step: GraphStep): readonly GraphExec[] {
  return step.child ? [step.child] : (step.conditional?.bodies ?? []);
}
