/** Graphs: building, asking, instantiating, updating, launching. */
import { DETAIL_BAD_LENGTH, REQUEST_SIZE } from "../../protocol/definitions.ts";
import {
  cudaErrorInvalidValue,
  cudaErrorMemoryAllocation,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../../protocol/errors.ts";
import * as P from "../../protocol/graphs.ts";
import { MEMORY_ALLOC_ASYNC_BYTES, MEMORY_FREE_ASYNC_ADDRESS } from "../../protocol/pools.ts";
import type { Allocation } from "../allocations.ts";
import type { Call } from "../call.ts";
import { checkRequest } from "../capture.ts";
import type { Context } from "../context.ts";
import type { Device } from "../device.ts";
import { connect, Graph, GraphNode, innerGraphs, isMemoryNode, nodeType } from "../graph.ts";
import { allocateForGraph, releaseGraphMemory } from "../graph-memory.ts";
import { anonymous, RecordedRequest } from "../source.ts";
import type { Command, CommandFamily } from "../table.ts";
import { addConditionalNode, readConditional } from "./conditions.ts";

/** The graph of a handle. */
export function graphOf(device: Device, call: Call, handle: number): Graph | undefined {
  return device.visible(call.context, handle, Graph);
}

export function nodeOf(device: Device, call: Call, handle: number): GraphNode | undefined {
  return device.visible(call.context, handle, GraphNode);
}

/** Puts handles behind the fixed response, as many as there is room for. */
export function writeHandles(call: Call, handles: readonly number[]): void {
  const bytes = new Uint8Array(Uint32Array.from(handles).buffer);
  call.writeOutput(bytes, bytes.length);
}

/** Reads u32s of the variable part. @returns undefined if there are fewer */
export function readWords(call: Call, offset: number, count: number): Uint32Array | undefined {
  const bytes = new Uint8Array(Math.min(4 * count, Math.max(0, call.inputBytes - offset)));
  if (bytes.length < 4 * count) {
    call.detail(DETAIL_BAD_LENGTH);
    return undefined;
  }
  call.readInput(offset, bytes, bytes.length);
  return new Uint32Array(bytes.buffer);
}

/** Reads a recorded request of the variable part. @returns undefined if it is none */
function readRequest(call: Call, offset: number, bytes: number): Uint8Array | undefined {
  if (bytes < REQUEST_SIZE || call.inputBytes < offset + bytes) {
    call.detail(DETAIL_BAD_LENGTH);
    return undefined;
  }
  const request = new Uint8Array(bytes);
  call.readInput(offset, request, bytes);
  return anonymous(request);
}

const create: Command = {
  responseBytes: P.GRAPH_CREATE_RESPONSE_SIZE,
  context: true,
  afterFault: true,
  creates: true,
  run(device: Device, call: Call): number {
    const graph = new Graph(device.newHandle());
    call.context.resources.set(graph.handle, graph);
    call.set32(P.GRAPH_CREATE_GRAPH, graph.handle);
    return cudaSuccess;
  },
};

/** Takes a graph, its nodes and what it allocated out of use. */
export function destroyGraph(device: Device, graph: Graph): void {
  device.forget(graph.handle);
  for (const condition of graph.conditions) device.forget(condition.handle);
  for (const node of graph.nodes) {
    device.forget(node.handle);
    for (const inner of innerGraphs(node)) destroyGraph(device, inner);
  }
  releaseGraphMemory(device);
}

const destroy: Command = {
  responseBytes: P.GRAPH_DESTROY_RESPONSE_SIZE,
  context: true,
  afterFault: true,
  run(device: Device, call: Call): number {
    const graph = graphOf(device, call, call.u32(P.GRAPH_DESTROY_GRAPH));
    if (graph === undefined) return cudaErrorInvalidValue;
    destroyGraph(device, graph);
    return cudaSuccess;
  },
};

function cloneInto(device: Device, context: Context, graph: Graph): Graph {
  return graph.clone(device, (object) => context.resources.set(object.handle, object));
}

const clone: Command = {
  responseBytes: P.GRAPH_CLONE_RESPONSE_SIZE,
  context: true,
  creates: true,
  run(device: Device, call: Call): number {
    const graph = graphOf(device, call, call.u32(P.GRAPH_CLONE_SOURCE));
    if (graph === undefined) return cudaErrorInvalidValue;
    if (graph.conditional) return cudaErrorNotSupported;
    call.set32(P.GRAPH_CLONE_GRAPH, cloneInto(device, call.context, graph).handle);
    return cudaSuccess;
  },
};

const addNode: Command = {
  responseBytes: P.GRAPH_ADD_NODE_RESPONSE_SIZE,
  context: true,
  afterFault: true,
  creates: true,
  run(device: Device, call: Call): number {
    const { context } = call;
    const graph = graphOf(device, call, call.u32(P.GRAPH_ADD_NODE_GRAPH));
    const count = call.u32(P.GRAPH_ADD_NODE_DEPENDENCIES);
    const bytes = call.u32(P.GRAPH_ADD_NODE_REQUEST_BYTES);
    const childHandle = call.u32(P.GRAPH_ADD_NODE_CHILD);
    const condition = readConditional(device, call);
    if (graph === undefined) return cudaErrorInvalidValue;
    const handles = readWords(call, 0, count);
    if (handles === undefined) return cudaErrorInvalidValue;
    const after = [...handles].map((handle) => nodeOf(device, call, handle));
    if (after.some((node) => node?.graph !== graph) || new Set(after).size < after.length) {
      return cudaErrorInvalidValue;
    }
    let type: number | undefined = P.NODE_EMPTY;
    let request: Uint8Array | undefined = new Uint8Array(0);
    let child: Graph | undefined;
    if (bytes > 0) {
      request = readRequest(call, 4 * count, bytes);
      if (request === undefined) return cudaErrorInvalidValue;
      type = nodeType(request);
      if (type === undefined) return cudaErrorInvalidValue;
      if (isMemoryNode(type)) {
        return addMemoryNode(device, call, graph, type, request, after as GraphNode[]);
      }
      const error = checkRequest(device, context, request);
      if (error !== cudaSuccess) return error;
    } else if (condition) {
      return addConditionalNode(device, call, graph, condition, after as GraphNode[]);
    } else if (childHandle !== 0) {
      const inner = graphOf(device, call, childHandle);
      if (inner === undefined || inner === graph) return cudaErrorInvalidValue;
      if (inner.conditional) return cudaErrorNotSupported;
      child = cloneInto(device, context, inner);
      type = P.NODE_GRAPH;
    }
    const node = graph.add(device, context, type, request, after as GraphNode[], child);
    context.resources.set(node.handle, node);
    call.set32(P.GRAPH_ADD_NODE_NODE, node.handle);
    return cudaSuccess;
  },
};

/** A node that allocates: it has its address from now on. Or one that frees such memory. */
function addMemoryNode(
  device: Device,
  call: Call,
  graph: Graph,
  type: number,
  request: Uint8Array,
  after: readonly GraphNode[],
): number {
  const { context } = call;
  const recorded = new RecordedRequest(device.memory, context, call.group, request);
  let entry: Allocation | undefined;
  if (type === P.NODE_MEM_ALLOC) {
    const bytes = recorded.u64(MEMORY_ALLOC_ASYNC_BYTES);
    if (bytes === 0) return cudaErrorInvalidValue;
    entry = allocateForGraph(device, context, bytes);
    if (entry === undefined) return cudaErrorMemoryAllocation;
    call.set64(P.GRAPH_ADD_NODE_ADDRESS, device.memory.pointerOf(entry.offset));
  } else {
    entry = device.allocations.at(recorded.u64(MEMORY_FREE_ASYNC_ADDRESS));
    if (entry === undefined || !graph.mayFree(entry)) return cudaErrorInvalidValue;
  }
  const node = graph.add(device, context, type, request, after);
  node.allocation = entry;
  context.resources.set(node.handle, node);
  call.set32(P.GRAPH_ADD_NODE_NODE, node.handle);
  return cudaSuccess;
}

const nodeGet: Command = {
  responseBytes: P.GRAPH_NODE_GET_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const node = nodeOf(device, call, call.u32(P.GRAPH_NODE_GET_NODE));
    if (node === undefined) return cudaErrorInvalidValue;
    call.set32(P.GRAPH_NODE_GET_TYPE, node.type);
    call.set32(P.GRAPH_NODE_GET_CHILD, node.child?.handle ?? 0);
    call.set32(P.GRAPH_NODE_GET_DEVICE, node.context.ordinal);
    call.set32(P.GRAPH_NODE_GET_REQUEST_BYTES, node.request.length);
    if (node.allocation) {
      call.set64(P.GRAPH_NODE_GET_ADDRESS, device.memory.pointerOf(node.allocation.offset));
    }
    call.writeOutput(node.request, node.request.length);
    return cudaSuccess;
  },
};

/**
 * A request that may replace one of the same node type.
 * @param context whose the node is then
 */
export function replacement(
  device: Device,
  call: Call,
  bytes: number,
  type: number,
  context: Context,
): Uint8Array | number {
  const request = isMemoryNode(type) ? undefined : readRequest(call, 0, bytes);
  if (request === undefined || nodeType(request) !== type) {
    return cudaErrorInvalidValue;
  }
  const error = checkRequest(device, context, request);
  return error === cudaSuccess ? request : error;
}

const nodeSet: Command = {
  responseBytes: P.GRAPH_NODE_SET_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const node = nodeOf(device, call, call.u32(P.GRAPH_NODE_SET_NODE));
    if (node === undefined) return cudaErrorInvalidValue;
    const bytes = call.u32(P.GRAPH_NODE_SET_REQUEST_BYTES);
    // What runs on a device is from now on the current one's.
    const context = node.type <= P.NODE_MEMSET ? call.context : node.context;
    const request = replacement(device, call, bytes, node.type, context);
    if (typeof request === "number") return request;
    node.request = request;
    node.context = context;
    return cudaSuccess;
  },
};

const nodeDestroy: Command = {
  responseBytes: P.GRAPH_NODE_DESTROY_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const node = nodeOf(device, call, call.u32(P.GRAPH_NODE_DESTROY_NODE));
    if (node === undefined) return cudaErrorInvalidValue;
    // Their memory would have no end, or no beginning (cudaGraphDestroyNode).
    if (isMemoryNode(node.type)) return cudaErrorNotSupported;
    node.graph.remove(node);
    device.forget(node.handle);
    for (const inner of innerGraphs(node)) destroyGraph(device, inner);
    return cudaSuccess;
  },
};

const edges: Command = {
  responseBytes: P.GRAPH_EDGES_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const graph = graphOf(device, call, call.u32(P.GRAPH_EDGES_GRAPH));
    const count = call.u32(P.GRAPH_EDGES_COUNT);
    const remove = call.u32(P.GRAPH_EDGES_REMOVE) !== 0;
    const words = readWords(call, 0, 2 * count);
    if (graph === undefined || words === undefined) return cudaErrorInvalidValue;
    const pairs: [GraphNode, GraphNode][] = [];
    for (let i = 0; i < count; i++) {
      const from = nodeOf(device, call, words[2 * i]!);
      const to = nodeOf(device, call, words[2 * i + 1]!);
      if (from?.graph !== graph || to?.graph !== graph || from === to) return cudaErrorInvalidValue;
      // An edge is added once and removed only if it is there.
      if (from.dependents.has(to) !== remove) return cudaErrorInvalidValue;
      pairs.push([from, to]);
    }
    for (const [from, to] of pairs) {
      if (remove) {
        from.dependents.delete(to);
        to.dependencies.delete(from);
      } else {
        connect(from, to);
      }
    }
    return cudaSuccess;
  },
};

const list: Command = {
  responseBytes: P.GRAPH_LIST_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const handle = call.u32(P.GRAPH_LIST_OBJECT);
    const what = call.u32(P.GRAPH_LIST_WHAT);
    const ofNode = what === P.LIST_DEPENDENCIES || what === P.LIST_DEPENDENTS;
    const node = ofNode ? nodeOf(device, call, handle) : undefined;
    const graph = ofNode ? undefined : graphOf(device, call, handle);
    const nodes = [...(graph?.nodes ?? [])];
    let found: GraphNode[] = [];
    if (ofNode ? node === undefined : graph === undefined) return cudaErrorInvalidValue;
    if (what === P.LIST_NODES) found = nodes;
    else if (what === P.LIST_ROOTS) found = nodes.filter((each) => each.dependencies.size === 0);
    else if (what === P.LIST_EDGES) {
      found = nodes.flatMap((from) => [...from.dependents].flatMap((to) => [from, to]));
    } else if (what === P.LIST_DEPENDENCIES) found = [...node!.dependencies];
    else if (what === P.LIST_DEPENDENTS) found = [...node!.dependents];
    else return cudaErrorInvalidValue;
    call.set32(P.GRAPH_LIST_COUNT, what === P.LIST_EDGES ? found.length / 2 : found.length);
    writeHandles(
      call,
      found.map((each) => each.handle),
    );
    return cudaSuccess;
  },
};

const findInClone: Command = {
  responseBytes: P.GRAPH_FIND_IN_CLONE_RESPONSE_SIZE,
  context: true,
  run(device: Device, call: Call): number {
    const node = nodeOf(device, call, call.u32(P.GRAPH_FIND_IN_CLONE_NODE));
    const graph = graphOf(device, call, call.u32(P.GRAPH_FIND_IN_CLONE_CLONE));
    const found = [...(graph?.nodes ?? [])].find((each) => node && each.origin === node);
    if (found === undefined) return cudaErrorInvalidValue;
    call.set32(P.GRAPH_FIND_IN_CLONE_FOUND, found.handle);
    return cudaSuccess;
  },
};

/** The family: GRAPH_*. */
export const graphCommands: CommandFamily = new Map([
  [P.COMMAND_GRAPH_CREATE, create],
  [P.COMMAND_GRAPH_DESTROY, destroy],
  [P.COMMAND_GRAPH_CLONE, clone],
  [P.COMMAND_GRAPH_ADD_NODE, addNode],
  [P.COMMAND_GRAPH_NODE_GET, nodeGet],
  [P.COMMAND_GRAPH_NODE_SET, nodeSet],
  [P.COMMAND_GRAPH_NODE_DESTROY, nodeDestroy],
  [P.COMMAND_GRAPH_EDGES, edges],
  [P.COMMAND_GRAPH_LIST, list],
  [P.COMMAND_GRAPH_FIND_IN_CLONE, findInClone],
]);
