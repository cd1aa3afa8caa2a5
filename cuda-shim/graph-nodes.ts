/** Nodes of graphs: each is the recorded request of one stream-ordered call. */
import {
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  COMMAND_GRAPH_ADD_NODE,
  COMMAND_GRAPH_EXEC_NODE_SET,
  COMMAND_GRAPH_NODE_SET,
  GRAPH_ADD_NODE_CHILD,
  GRAPH_ADD_NODE_DEPENDENCIES,
  GRAPH_ADD_NODE_GRAPH,
  GRAPH_ADD_NODE_NODE,
  GRAPH_ADD_NODE_REQUEST_BYTES,
  GRAPH_EXEC_NODE_SET_EXEC,
  GRAPH_EXEC_NODE_SET_NODE,
  GRAPH_EXEC_NODE_SET_REQUEST_BYTES,
  GRAPH_NODE_SET_NODE,
  GRAPH_NODE_SET_REQUEST_BYTES,
} from "../runtime/protocol/graphs.ts";
import {
  COMMAND_EVENT_RECORD,
  COMMAND_STREAM_WAIT_EVENT,
  EVENT_RECORD_EVENT,
  STREAM_WAIT_EVENT_EVENT,
} from "../runtime/protocol/streams.ts";
import { boxes3D } from "./array-copy.ts";
import { type DeviceFile, handleOf } from "./device-file.ts";
import { CudaError } from "./errors.ts";
import { sendHostCall } from "./host-call.ts";
import { launchConfiguration, packArguments, sendLaunch } from "./launch.ts";
import { copy, set } from "./memory.ts";
import { type CudaMemcpy3DParms, copyBox, rows, setBox } from "./pitched.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CopyOperand,
  type CudaEvent,
  type CudaGraph,
  type CudaGraphExec,
  type CudaGraphNode,
  type CudaPointer,
  type Dim3Like,
  type HostMemory,
  type HostSymbol,
  isBox,
  isObject,
  isSize,
  type Out,
} from "./types.ts";

/** `cudaKernelNodeParams`; `kernelParams` as in `cudaLaunchKernel`. */
export interface CudaKernelNodeParams {
  func: HostSymbol;
  gridDim: Dim3Like;
  blockDim: Dim3Like;
  sharedMemBytes?: number;
  kernelParams: readonly HostMemory[] | null;
}

/** `cudaMemsetParams`: `height` rows of `width` elements, rows `pitch` bytes apart. */
export interface CudaMemsetParams {
  dst: CudaPointer;
  pitch: number;
  value: number;
  /** Bytes of an element: 1, 2 or 4. */
  elementSize: number;
  width: number;
  height: number;
}

/** `cudaHostNodeParams`. */
export interface CudaHostNodeParams {
  fn: (userData: unknown) => void;
  userData?: unknown;
}

/** Makes the request that a node is to have. */
type Recorder = (thread: HostThread) => Uint8Array;

/**
 * Begins a request about a graph or a node.
 * @throws CudaError cudaErrorInvalidValue if the handle is none
 */
export function aboutGraph(thread: HostThread, field: number, handle: number): DeviceFile {
  const device = thread.device().begin();
  return device.setHandle(field, handle, cudaErrorInvalidValue);
}

function recordKernel(params: CudaKernelNodeParams | null): Recorder {
  return (thread) => {
    if (!isObject(params)) throw new CudaError(cudaErrorInvalidValue);
    const { func, gridDim, blockDim, sharedMemBytes = 0, kernelParams } = params;
    const { grid, block, sharedBytes } = launchConfiguration(gridDim, blockDim, sharedMemBytes);
    const device = thread.device();
    const fn = thread.registry.functionOn(device, thread.registry.kernel(func));
    packArguments(fn, kernelParams);
    return device.record(() => sendLaunch(device, fn, grid, block, sharedBytes, 0, 0));
  };
}

function recordCopy3D(p: CudaMemcpy3DParms | null): Recorder {
  return (thread) => {
    const { target, source, extent } = boxes3D(thread, p);
    const device = thread.device();
    device.needContext();
    return device.record(() => copyBox(thread, target, source, extent, p?.kind ?? -1, 0, 0));
  };
}

function recordCopy(dst: CopyOperand, src: CopyOperand, count: number, kind: number): Recorder {
  return (thread) => {
    const device = thread.device();
    device.needContext();
    return device.record(() => copy(thread, dst, src, count, kind, 0, 0));
  };
}

function recordSet(params: CudaMemsetParams | null): Recorder {
  return (thread) => {
    if (!isObject(params)) throw new CudaError(cudaErrorInvalidValue);
    const { dst, pitch, value, elementSize: element, width, height } = params;
    if (element !== 1 && element !== 2 && element !== 4) throw new CudaError(cudaErrorInvalidValue);
    if (!isSize(width) || !isSize(height)) throw new CudaError(cudaErrorInvalidValue);
    const device = thread.device();
    device.needContext();
    if (height <= 1) {
      return device.record(() => set(thread, dst, value, element, width * height, 0, 0));
    }
    const extent = { width: width * element, height, depth: 1 };
    return device.record(() =>
      setBox(thread, rows(dst, pitch), value, extent, 0, 0, element as 1 | 2 | 4),
    );
  };
}

function recordHost(params: CudaHostNodeParams | null): Recorder {
  return (thread) => {
    const { fn, userData } = params ?? {};
    if (typeof fn !== "function") throw new CudaError(cudaErrorInvalidValue);
    const ticket = thread.hostCalls.add(() => fn(userData), false);
    const device = thread.device();
    device.needContext();
    return device.record(() => sendHostCall(device, 0, ticket, 0));
  };
}

function recordEvent(event: CudaEvent, command: number, field: number): Recorder {
  return (thread) => {
    const device = thread.device();
    device.needContext();
    return device.record(() =>
      device.begin().setHandle(field, event, cudaErrorInvalidResourceHandle).send(command),
    );
  };
}

/** Adds a node. @param recorder makes its request; none for an empty node or a child graph */
function add(
  pGraphNode: Out<CudaGraphNode> | null,
  graph: CudaGraph,
  pDependencies: readonly CudaGraphNode[] | null,
  recorder: Recorder | undefined,
  child: CudaGraph = 0,
): number {
  return call((thread) => {
    if (!isBox(pGraphNode)) return cudaErrorInvalidValue;
    const dependencies = pDependencies ?? [];
    if (!Array.isArray(dependencies)) return cudaErrorInvalidValue;
    const request = recorder ? recorder(thread) : new Uint8Array(0);
    const out = new Uint8Array(4 * dependencies.length + request.length);
    const device = aboutGraph(thread, GRAPH_ADD_NODE_GRAPH, graph);
    const view = new DataView(out.buffer);
    for (const [index, node] of dependencies.entries()) {
      view.setUint32(4 * index, handleOf(node, cudaErrorInvalidValue), true);
    }
    out.set(request, 4 * dependencies.length);
    device.setU32(GRAPH_ADD_NODE_DEPENDENCIES, dependencies.length);
    device.setU32(GRAPH_ADD_NODE_REQUEST_BYTES, request.length);
    if (child !== 0) device.setHandle(GRAPH_ADD_NODE_CHILD, child, cudaErrorInvalidValue);
    device.check(COMMAND_GRAPH_ADD_NODE, out);
    pGraphNode.value = device.getU32(GRAPH_ADD_NODE_NODE);
    return cudaSuccess;
  });
}

/** Gives a node of a graph another request. */
function setNode(node: CudaGraphNode, recorder: Recorder): number {
  return call((thread) => {
    const request = recorder(thread);
    const device = aboutGraph(thread, GRAPH_NODE_SET_NODE, node);
    device.setU32(GRAPH_NODE_SET_REQUEST_BYTES, request.length);
    return device.send(COMMAND_GRAPH_NODE_SET, request);
  });
}

/** Gives a node of an executable graph another request. */
function setExecNode(exec: CudaGraphExec, node: CudaGraphNode, recorder: Recorder): number {
  return call((thread) => {
    const request = recorder(thread);
    const device = aboutGraph(thread, GRAPH_EXEC_NODE_SET_EXEC, exec);
    device.setHandle(GRAPH_EXEC_NODE_SET_NODE, node, cudaErrorInvalidValue);
    device.setU32(GRAPH_EXEC_NODE_SET_REQUEST_BYTES, request.length);
    return device.send(COMMAND_GRAPH_EXEC_NODE_SET, request);
  });
}

type Dependencies = readonly CudaGraphNode[] | null;
type NodeOut = Out<CudaGraphNode> | null;

/**
 * Adds a kernel launch to a graph. The arguments are taken now.
 * @param pDependencies nodes of the graph that come before
 */
export function cudaGraphAddKernelNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  pNodeParams: CudaKernelNodeParams | null,
): number {
  return add(pGraphNode, graph, pDependencies, recordKernel(pNodeParams));
}

/**
 * Adds a copy between pitched memories to a graph.
 * @returns cudaErrorNotSupported for JavaScript memory: a graph needs device or pinned memory
 */
export function cudaGraphAddMemcpyNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  pCopyParams: CudaMemcpy3DParms | null,
): number {
  return add(pGraphNode, graph, pDependencies, recordCopy3D(pCopyParams));
}

/** Adds a copy of `count` bytes to a graph; see `cudaGraphAddMemcpyNode`. */
export function cudaGraphAddMemcpyNode1D(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
): number {
  return add(pGraphNode, graph, pDependencies, recordCopy(dst, src, count, kind));
}

/** Adds a set of memory to a graph. */
export function cudaGraphAddMemsetNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  pMemsetParams: CudaMemsetParams | null,
): number {
  return add(pGraphNode, graph, pDependencies, recordSet(pMemsetParams));
}

/** Adds a function of the host to a graph; see `cudaLaunchHostFunc`. */
export function cudaGraphAddHostNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  pNodeParams: CudaHostNodeParams | null,
): number {
  return add(pGraphNode, graph, pDependencies, recordHost(pNodeParams));
}

/** Adds a node that does nothing but come after others. */
export function cudaGraphAddEmptyNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
): number {
  return add(pGraphNode, graph, pDependencies, undefined);
}

/** Adds a copy of another graph as a node. */
export function cudaGraphAddChildGraphNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  childGraph: CudaGraph,
): number {
  if (childGraph === 0) return call(() => cudaErrorInvalidValue);
  return add(pGraphNode, graph, pDependencies, undefined, childGraph);
}

/** Adds the record of an event to a graph. */
export function cudaGraphAddEventRecordNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  event: CudaEvent,
): number {
  const recorder = recordEvent(event, COMMAND_EVENT_RECORD, EVENT_RECORD_EVENT);
  return add(pGraphNode, graph, pDependencies, recorder);
}

/** Adds a wait for an event to a graph. */
export function cudaGraphAddEventWaitNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  event: CudaEvent,
): number {
  const recorder = recordEvent(event, COMMAND_STREAM_WAIT_EVENT, STREAM_WAIT_EVENT_EVENT);
  return add(pGraphNode, graph, pDependencies, recorder);
}

/** Changes a kernel node of a graph. */
export function cudaGraphKernelNodeSetParams(
  node: CudaGraphNode,
  pNodeParams: CudaKernelNodeParams | null,
): number {
  return setNode(node, recordKernel(pNodeParams));
}

/** Changes a copy node of a graph. */
export function cudaGraphMemcpyNodeSetParams1D(
  node: CudaGraphNode,
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
): number {
  return setNode(node, recordCopy(dst, src, count, kind));
}

/** Changes a set node of a graph. */
export function cudaGraphMemsetNodeSetParams(
  node: CudaGraphNode,
  pNodeParams: CudaMemsetParams | null,
): number {
  return setNode(node, recordSet(pNodeParams));
}

/** Changes a host node of a graph. */
export function cudaGraphHostNodeSetParams(
  node: CudaGraphNode,
  pNodeParams: CudaHostNodeParams | null,
): number {
  return setNode(node, recordHost(pNodeParams));
}

/** Changes a kernel node of an executable graph, named by the node that it was made from. */
export function cudaGraphExecKernelNodeSetParams(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  pNodeParams: CudaKernelNodeParams | null,
): number {
  return setExecNode(hGraphExec, node, recordKernel(pNodeParams));
}

/** Changes a copy node of an executable graph. */
export function cudaGraphExecMemcpyNodeSetParams1D(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
): number {
  return setExecNode(hGraphExec, node, recordCopy(dst, src, count, kind));
}

/** Changes a set node of an executable graph. */
export function cudaGraphExecMemsetNodeSetParams(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  pNodeParams: CudaMemsetParams | null,
): number {
  return setExecNode(hGraphExec, node, recordSet(pNodeParams));
}

/** Changes a host node of an executable graph. */
export function cudaGraphExecHostNodeSetParams(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  pNodeParams: CudaHostNodeParams | null,
): number {
  return setExecNode(hGraphExec, node, recordHost(pNodeParams));
}
