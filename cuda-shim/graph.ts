/** Graphs: their structure. Nodes are in graph-nodes.ts, executable graphs in graph-exec.ts. */
import { cudaErrorInvalidValue, cudaSuccess } from "../runtime/protocol/errors.ts";
import {
  COMMAND_GRAPH_CLONE,
  COMMAND_GRAPH_CONDITION_CREATE,
  COMMAND_GRAPH_CREATE,
  COMMAND_GRAPH_DESTROY,
  COMMAND_GRAPH_EDGES,
  COMMAND_GRAPH_FIND_IN_CLONE,
  COMMAND_GRAPH_LIST,
  COMMAND_GRAPH_NODE_DESTROY,
  COMMAND_GRAPH_NODE_GET,
  GRAPH_CLONE_GRAPH,
  GRAPH_CLONE_SOURCE,
  GRAPH_CONDITION_CREATE_CONDITION,
  GRAPH_CONDITION_CREATE_FLAGS,
  GRAPH_CONDITION_CREATE_GRAPH,
  GRAPH_CONDITION_CREATE_VALUE,
  GRAPH_CREATE_GRAPH,
  GRAPH_DESTROY_GRAPH,
  GRAPH_EDGES_COUNT,
  GRAPH_EDGES_GRAPH,
  GRAPH_EDGES_REMOVE,
  GRAPH_FIND_IN_CLONE_CLONE,
  GRAPH_FIND_IN_CLONE_FOUND,
  GRAPH_FIND_IN_CLONE_NODE,
  GRAPH_LIST_COUNT,
  GRAPH_LIST_OBJECT,
  GRAPH_LIST_WHAT,
  GRAPH_NODE_DESTROY_NODE,
  GRAPH_NODE_GET_CHILD,
  GRAPH_NODE_GET_NODE,
  GRAPH_NODE_GET_TYPE,
  LIST_DEPENDENCIES,
  LIST_DEPENDENTS,
  LIST_EDGES,
  LIST_NODES,
  LIST_ROOTS,
} from "../runtime/protocol/graphs.ts";
import { type DeviceFile, handleOf } from "./device-file.ts";
import { aboutGraph } from "./graph-place.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CudaGraph,
  type CudaGraphConditionalHandle,
  type CudaGraphNode,
  isBox,
  isU32,
  type Out,
} from "./types.ts";

/** Makes a request about a graph or node and reads one field of the answer. */
export function ask(
  out: Out<number> | null,
  command: number,
  answer: number,
  field: number,
  handle: number,
  set: (device: DeviceFile) => void = () => {},
): number {
  return call((thread) => {
    if (!isBox(out)) return cudaErrorInvalidValue;
    const device = aboutGraph(thread.device(), field, handle);
    set(device);
    device.check(command);
    out.value = device.getU32(answer);
    return cudaSuccess;
  });
}

/** Makes a request about a graph or node. @param then is called if it succeeds */
export function act(
  command: number,
  field: number,
  handle: number,
  then: (thread: HostThread) => void = () => {},
): number {
  return call((thread) => {
    aboutGraph(thread.device(), field, handle).check(command);
    then(thread);
    return cudaSuccess;
  });
}

/** Makes an empty graph. @param flags 0 */
export function cudaGraphCreate(pGraph: Out<CudaGraph> | null, flags = 0): number {
  return call((thread) => {
    if (!isBox(pGraph) || flags !== 0) return cudaErrorInvalidValue;
    const device = thread.device().begin();
    device.check(COMMAND_GRAPH_CREATE);
    pGraph.value = device.getU32(GRAPH_CREATE_GRAPH);
    return cudaSuccess;
  });
}

/** Ends a graph with its nodes; what was instantiated from it stays. */
export function cudaGraphDestroy(graph: CudaGraph): number {
  return act(COMMAND_GRAPH_DESTROY, GRAPH_DESTROY_GRAPH, graph, ({ userObjects }) =>
    userObjects.ended(graph),
  );
}

/** Copies a graph. */
export function cudaGraphClone(
  pGraphClone: Out<CudaGraph> | null,
  originalGraph: CudaGraph,
): number {
  return call((thread) => {
    if (!isBox(pGraphClone)) return cudaErrorInvalidValue;
    const device = aboutGraph(thread.device(), GRAPH_CLONE_SOURCE, originalGraph);
    device.check(COMMAND_GRAPH_CLONE);
    pGraphClone.value = device.getU32(GRAPH_CLONE_GRAPH);
    thread.userObjects.copied(originalGraph, pGraphClone.value);
    return cudaSuccess;
  });
}

/**
 * Makes a condition for a graph: kernels set it by `cudaGraphSetConditional`, conditional nodes look at it.
 * @param defaultLaunchValue what it is when a launch begins, with `cudaGraphCondAssignDefault`
 */
export function cudaGraphConditionalHandleCreate(
  pHandle_out: Out<CudaGraphConditionalHandle> | null,
  graph: CudaGraph,
  defaultLaunchValue = 0,
  flags = 0,
): number {
  return call((thread) => {
    if (!isBox(pHandle_out) || !isU32(defaultLaunchValue) || !isU32(flags)) {
      return cudaErrorInvalidValue;
    }
    const device = aboutGraph(thread.device(), GRAPH_CONDITION_CREATE_GRAPH, graph);
    device.setU32(GRAPH_CONDITION_CREATE_VALUE, defaultLaunchValue);
    device.setU32(GRAPH_CONDITION_CREATE_FLAGS, flags).check(COMMAND_GRAPH_CONDITION_CREATE);
    pHandle_out.value = device.getU64(GRAPH_CONDITION_CREATE_CONDITION);
    return cudaSuccess;
  });
}

/** Takes a node out of its graph, with its edges. */
export function cudaGraphDestroyNode(node: CudaGraphNode): number {
  return act(COMMAND_GRAPH_NODE_DESTROY, GRAPH_NODE_DESTROY_NODE, node);
}

/** The node of a clone that a node of the original became. */
export function cudaGraphNodeFindInClone(
  pNode: Out<CudaGraphNode> | null,
  originalNode: CudaGraphNode,
  clonedGraph: CudaGraph,
): number {
  const answer = GRAPH_FIND_IN_CLONE_FOUND;
  const field = GRAPH_FIND_IN_CLONE_NODE;
  return ask(pNode, COMMAND_GRAPH_FIND_IN_CLONE, answer, field, originalNode, (device) =>
    device.setHandle(GRAPH_FIND_IN_CLONE_CLONE, clonedGraph, cudaErrorInvalidValue),
  );
}

/** What a node is (`cudaGraphNodeType…`). */
export function cudaGraphNodeGetType(node: CudaGraphNode, pType: Out<number> | null): number {
  return ask(pType, COMMAND_GRAPH_NODE_GET, GRAPH_NODE_GET_TYPE, GRAPH_NODE_GET_NODE, node);
}

/** The graph in a child graph node. @returns cudaErrorInvalidValue if it is another kind of node */
export function cudaGraphChildGraphNodeGetGraph(
  node: CudaGraphNode,
  pGraph: Out<CudaGraph> | null,
): number {
  const child = { value: 0 };
  const answer = GRAPH_NODE_GET_CHILD;
  const error = ask(child, COMMAND_GRAPH_NODE_GET, answer, GRAPH_NODE_GET_NODE, node);
  if (error !== cudaSuccess) return error;
  if (!isBox(pGraph) || child.value === 0) return call(() => cudaErrorInvalidValue);
  pGraph.value = child.value;
  return cudaSuccess;
}

/** Asks for a list of handles. */
function list(
  object: number,
  what: number,
  each: number,
  take: (handles: CudaGraphNode[], count: number) => void,
): number {
  return call((thread) => {
    const request = (room: Uint8Array) => {
      const device = aboutGraph(thread.device(), GRAPH_LIST_OBJECT, object).setU32(
        GRAPH_LIST_WHAT,
        what,
      );
      device.check(COMMAND_GRAPH_LIST, undefined, room);
      return device;
    };
    const device = request(new Uint8Array(0));
    const count = device.getU32(GRAPH_LIST_COUNT);
    const raw = new Uint32Array(count * each);
    if (count > 0) request(new Uint8Array(raw.buffer));
    take([...raw], count);
    return cudaSuccess;
  });
}

/** Lists nodes; either box may be null (in C a null array asks for the number only). */
function listNodes(
  object: number,
  what: number,
  nodes: Out<CudaGraphNode[]> | null,
  numNodes: Out<number> | null,
): number {
  if (!isBox(nodes) && !isBox(numNodes)) return call(() => cudaErrorInvalidValue);
  return list(object, what, 1, (handles, count) => {
    if (isBox(nodes)) nodes.value = handles;
    if (isBox(numNodes)) numNodes.value = count;
  });
}

/** The nodes of a graph, in the order in which they were added. */
export function cudaGraphGetNodes(
  graph: CudaGraph,
  nodes: Out<CudaGraphNode[]> | null,
  numNodes: Out<number> | null = null,
): number {
  return listNodes(graph, LIST_NODES, nodes, numNodes);
}

/** The nodes of a graph that depend on none. */
export function cudaGraphGetRootNodes(
  graph: CudaGraph,
  pRootNodes: Out<CudaGraphNode[]> | null,
  pNumRootNodes: Out<number> | null = null,
): number {
  return listNodes(graph, LIST_ROOTS, pRootNodes, pNumRootNodes);
}

/** The nodes that a node depends on. */
export function cudaGraphNodeGetDependencies(
  node: CudaGraphNode,
  pDependencies: Out<CudaGraphNode[]> | null,
  pNumDependencies: Out<number> | null = null,
): number {
  return listNodes(node, LIST_DEPENDENCIES, pDependencies, pNumDependencies);
}

/** The nodes that depend on a node. */
export function cudaGraphNodeGetDependentNodes(
  node: CudaGraphNode,
  pDependentNodes: Out<CudaGraphNode[]> | null,
  pNumDependentNodes: Out<number> | null = null,
): number {
  return listNodes(node, LIST_DEPENDENTS, pDependentNodes, pNumDependentNodes);
}

/** The edges of a graph: `from[i]` comes before `to[i]`. */
export function cudaGraphGetEdges(
  graph: CudaGraph,
  from: Out<CudaGraphNode[]> | null,
  to: Out<CudaGraphNode[]> | null,
  numEdges: Out<number> | null = null,
): number {
  if (isBox(from) !== isBox(to) || (!isBox(from) && !isBox(numEdges)))
    return call(() => cudaErrorInvalidValue);
  return list(graph, LIST_EDGES, 2, (handles, count) => {
    if (isBox(from)) from.value = Array.from({ length: count }, (_, i) => handles[2 * i] ?? 0);
    if (isBox(to)) to.value = Array.from({ length: count }, (_, i) => handles[2 * i + 1] ?? 0);
    if (isBox(numEdges)) numEdges.value = count;
  });
}

function edges(
  graph: CudaGraph,
  from: readonly CudaGraphNode[] | null,
  to: readonly CudaGraphNode[] | null,
  remove: 0 | 1,
): number {
  return call((thread) => {
    const device = aboutGraph(thread.device(), GRAPH_EDGES_GRAPH, graph);
    if (!Array.isArray(from) || !Array.isArray(to) || from.length !== to.length)
      return cudaErrorInvalidValue;
    const pairs = new Uint32Array(2 * from.length);
    for (let i = 0; i < from.length; i++) {
      pairs[2 * i] = handleOf(from[i] ?? 0, cudaErrorInvalidValue);
      pairs[2 * i + 1] = handleOf(to[i] ?? 0, cudaErrorInvalidValue);
    }
    device.setU32(GRAPH_EDGES_COUNT, from.length).setU32(GRAPH_EDGES_REMOVE, remove);
    return device.send(COMMAND_GRAPH_EDGES, new Uint8Array(pairs.buffer));
  });
}

/** Lets `from[i]` come before `to[i]`. */
export function cudaGraphAddDependencies(
  graph: CudaGraph,
  from: readonly CudaGraphNode[] | null,
  to: readonly CudaGraphNode[] | null,
): number {
  return edges(graph, from, to, 0);
}

/** Takes edges out of a graph. */
export function cudaGraphRemoveDependencies(
  graph: CudaGraph,
  from: readonly CudaGraphNode[] | null,
  to: readonly CudaGraphNode[] | null,
): number {
  return edges(graph, from, to, 1);
}
