/** Nodes of graphs are made. */
import {
  type CudaGraphEdgeData,
  checkEdges,
  type Dependencies,
  type NodeOut,
  newNode,
  put,
} from "./graph-place.ts";
import {
  type CudaGraphNodeParams,
  type CudaHostNodeParams,
  type CudaKernelNodeParams,
  type CudaMemAllocNodeParams,
  type CudaMemsetParams,
  recordAlloc,
  recordAny,
  recordChild,
  recordCopy,
  recordCopy3D,
  recordEventRecord,
  recordEventWait,
  recordFree,
  recordHost,
  recordKernel,
  recordNothing,
  recordSet,
  recordSymbolCopy,
} from "./graph-record.ts";
import type { CudaMemcpy3DParms } from "./pitched.ts";
import type { CopyOperand, CudaEvent, CudaGraph, CudaPointer, HostSymbol } from "./types.ts";

/**
 * Adds a node of any type to a graph.
 * @param dependencyData for each edge its ports: all 0, or null
 * @param nodeParams its type and what that needs; the address of an allocation is put into it
 * @returns cudaErrorNotSupported for edges with ports
 */
export function cudaGraphAddNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  dependencyData: readonly (CudaGraphEdgeData | null)[] | null,
  nodeParams: CudaGraphNodeParams | null,
): number {
  const place = newNode(pGraphNode, graph, pDependencies);
  return put(place, (thread) => {
    checkEdges(dependencyData);
    return recordAny(place, nodeParams)(thread);
  });
}

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
  return put(newNode(pGraphNode, graph, pDependencies), recordKernel(pNodeParams));
}

/**
 * Adds a copy between pitched memories or arrays to a graph. JavaScript's own memory is read, or written, when
 * the node's turn comes, in a call of this JavaScript thread that waits.
 */
export function cudaGraphAddMemcpyNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  pCopyParams: CudaMemcpy3DParms | null,
): number {
  return put(newNode(pGraphNode, graph, pDependencies), recordCopy3D(pCopyParams));
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
  return put(newNode(pGraphNode, graph, pDependencies), recordCopy(dst, src, count, kind));
}

/** Adds a copy into a variable to a graph; see `cudaMemcpyToSymbol`. */
export function cudaGraphAddMemcpyNodeToSymbol(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  symbol: HostSymbol | null,
  src: CopyOperand,
  count: number,
  offset: number,
  kind: number,
): number {
  return put(
    newNode(pGraphNode, graph, pDependencies),
    recordSymbolCopy(symbol, src, count, offset, kind, true),
  );
}

/** Adds a copy from a variable to a graph; see `cudaMemcpyFromSymbol`. */
export function cudaGraphAddMemcpyNodeFromSymbol(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  dst: CopyOperand,
  symbol: HostSymbol | null,
  count: number,
  offset: number,
  kind: number,
): number {
  return put(
    newNode(pGraphNode, graph, pDependencies),
    recordSymbolCopy(symbol, dst, count, offset, kind, false),
  );
}

/** Adds a set of memory to a graph. */
export function cudaGraphAddMemsetNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  pMemsetParams: CudaMemsetParams | null,
): number {
  return put(newNode(pGraphNode, graph, pDependencies), recordSet(pMemsetParams));
}

/** Adds a function of the host to a graph; see `cudaLaunchHostFunc`. */
export function cudaGraphAddHostNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  pNodeParams: CudaHostNodeParams | null,
): number {
  return put(newNode(pGraphNode, graph, pDependencies), recordHost(pNodeParams));
}

/** Adds a node that does nothing but come after others. */
export function cudaGraphAddEmptyNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
): number {
  return put(newNode(pGraphNode, graph, pDependencies), recordNothing());
}

/** Adds a copy of another graph as a node. */
export function cudaGraphAddChildGraphNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  childGraph: CudaGraph,
): number {
  return put(newNode(pGraphNode, graph, pDependencies), recordChild(childGraph));
}

/** Adds the record of an event to a graph. */
export function cudaGraphAddEventRecordNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  event: CudaEvent,
): number {
  return put(newNode(pGraphNode, graph, pDependencies), recordEventRecord(event));
}

/** Adds a wait for an event to a graph. */
export function cudaGraphAddEventWaitNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  event: CudaEvent,
): number {
  return put(newNode(pGraphNode, graph, pDependencies), recordEventWait(event));
}

/**
 * Adds an allocation of device memory to a graph: it has its address from now on, and is there from when
 * the node runs until a node or a call frees it.
 * @param nodeParams the device and the size; receives the address (`dptr`)
 */
export function cudaGraphAddMemAllocNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  nodeParams: CudaMemAllocNodeParams | null,
): number {
  const place = newNode(pGraphNode, graph, pDependencies);
  return put(place, recordAlloc(place, nodeParams));
}

/** Adds a node that frees memory that a graph has allocated. */
export function cudaGraphAddMemFreeNode(
  pGraphNode: NodeOut,
  graph: CudaGraph,
  pDependencies: Dependencies,
  dptr: CudaPointer,
): number {
  const place = newNode(pGraphNode, graph, pDependencies);
  return put(place, recordFree(place, dptr));
}
