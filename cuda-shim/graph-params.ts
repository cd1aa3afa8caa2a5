/** Nodes of graphs, and of executable graphs, are given other parameters. */
import { ofExec, ofNode, put } from "./graph-place.ts";
import {
  type CudaGraphNodeParams,
  type CudaHostNodeParams,
  type CudaKernelNodeParams,
  type CudaMemsetParams,
  recordAny,
  recordChild,
  recordCopy,
  recordCopy3D,
  recordEventRecord,
  recordEventWait,
  recordHost,
  recordKernel,
  recordSet,
  recordSymbolCopy,
} from "./graph-record.ts";
import type { CudaMemcpy3DParms } from "./pitched.ts";
import type {
  CopyOperand,
  CudaEvent,
  CudaGraph,
  CudaGraphExec,
  CudaGraphNode,
  HostSymbol,
} from "./types.ts";

/** Changes a node of a graph; its type stays. */
export function cudaGraphNodeSetParams(
  node: CudaGraphNode,
  nodeParams: CudaGraphNodeParams | null,
): number {
  const place = ofNode(node);
  return put(place, recordAny(place, nodeParams));
}

/** Changes a node of an executable graph; its type stays. */
export function cudaGraphExecNodeSetParams(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  nodeParams: CudaGraphNodeParams | null,
): number {
  const place = ofExec(hGraphExec, node);
  return put(place, recordAny(place, nodeParams));
}

/** Changes a kernel node of a graph. */
export function cudaGraphKernelNodeSetParams(
  node: CudaGraphNode,
  pNodeParams: CudaKernelNodeParams | null,
): number {
  return put(ofNode(node), recordKernel(pNodeParams));
}

/** Changes a kernel node of an executable graph. */
export function cudaGraphExecKernelNodeSetParams(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  pNodeParams: CudaKernelNodeParams | null,
): number {
  return put(ofExec(hGraphExec, node), recordKernel(pNodeParams));
}

/** Changes a copy node of a graph. */
export function cudaGraphMemcpyNodeSetParams(
  node: CudaGraphNode,
  pNodeParams: CudaMemcpy3DParms | null,
): number {
  return put(ofNode(node), recordCopy3D(pNodeParams));
}

/** Changes a copy node of an executable graph. */
export function cudaGraphExecMemcpyNodeSetParams(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  pNodeParams: CudaMemcpy3DParms | null,
): number {
  return put(ofExec(hGraphExec, node), recordCopy3D(pNodeParams));
}

/** Changes a copy node of a graph to a copy of `count` bytes. */
export function cudaGraphMemcpyNodeSetParams1D(
  node: CudaGraphNode,
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
): number {
  return put(ofNode(node), recordCopy(dst, src, count, kind));
}

/** Changes a copy node of an executable graph to a copy of `count` bytes. */
export function cudaGraphExecMemcpyNodeSetParams1D(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
): number {
  return put(ofExec(hGraphExec, node), recordCopy(dst, src, count, kind));
}

/** Changes a copy node of a graph to a copy into a variable. */
export function cudaGraphMemcpyNodeSetParamsToSymbol(
  node: CudaGraphNode,
  symbol: HostSymbol | null,
  src: CopyOperand,
  count: number,
  offset: number,
  kind: number,
): number {
  return put(ofNode(node), recordSymbolCopy(symbol, src, count, offset, kind, true));
}

/** Changes a copy node of an executable graph to a copy into a variable. */
export function cudaGraphExecMemcpyNodeSetParamsToSymbol(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  symbol: HostSymbol | null,
  src: CopyOperand,
  count: number,
  offset: number,
  kind: number,
): number {
  return put(ofExec(hGraphExec, node), recordSymbolCopy(symbol, src, count, offset, kind, true));
}

/** Changes a copy node of a graph to a copy from a variable. */
export function cudaGraphMemcpyNodeSetParamsFromSymbol(
  node: CudaGraphNode,
  dst: CopyOperand,
  symbol: HostSymbol | null,
  count: number,
  offset: number,
  kind: number,
): number {
  return put(ofNode(node), recordSymbolCopy(symbol, dst, count, offset, kind, false));
}

/** Changes a copy node of an executable graph to a copy from a variable. */
export function cudaGraphExecMemcpyNodeSetParamsFromSymbol(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  dst: CopyOperand,
  symbol: HostSymbol | null,
  count: number,
  offset: number,
  kind: number,
): number {
  return put(ofExec(hGraphExec, node), recordSymbolCopy(symbol, dst, count, offset, kind, false));
}

/** Changes a set node of a graph. */
export function cudaGraphMemsetNodeSetParams(
  node: CudaGraphNode,
  pNodeParams: CudaMemsetParams | null,
): number {
  return put(ofNode(node), recordSet(pNodeParams));
}

/** Changes a set node of an executable graph. */
export function cudaGraphExecMemsetNodeSetParams(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  pNodeParams: CudaMemsetParams | null,
): number {
  return put(ofExec(hGraphExec, node), recordSet(pNodeParams));
}

/** Changes a host node of a graph. */
export function cudaGraphHostNodeSetParams(
  node: CudaGraphNode,
  pNodeParams: CudaHostNodeParams | null,
): number {
  return put(ofNode(node), recordHost(pNodeParams));
}

/** Changes a host node of an executable graph. */
export function cudaGraphExecHostNodeSetParams(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  pNodeParams: CudaHostNodeParams | null,
): number {
  return put(ofExec(hGraphExec, node), recordHost(pNodeParams));
}

/** Changes which event a node records, in a graph. */
export function cudaGraphEventRecordNodeSetEvent(node: CudaGraphNode, event: CudaEvent): number {
  return put(ofNode(node), recordEventRecord(event));
}

/** Changes which event a node records, in an executable graph. */
export function cudaGraphExecEventRecordNodeSetEvent(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  event: CudaEvent,
): number {
  return put(ofExec(hGraphExec, node), recordEventRecord(event));
}

/** Changes which event a node waits for, in a graph. */
export function cudaGraphEventWaitNodeSetEvent(node: CudaGraphNode, event: CudaEvent): number {
  return put(ofNode(node), recordEventWait(event));
}

/** Changes which event a node waits for, in an executable graph. */
export function cudaGraphExecEventWaitNodeSetEvent(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  event: CudaEvent,
): number {
  return put(ofExec(hGraphExec, node), recordEventWait(event));
}

/**
 * Changes the child graph of a node of an executable graph.
 * @returns cudaErrorInvalidValue if it has another shape
 */
export function cudaGraphExecChildGraphNodeSetParams(
  hGraphExec: CudaGraphExec,
  node: CudaGraphNode,
  childGraph: CudaGraph,
): number {
  return put(ofExec(hGraphExec, node), recordChild(childGraph));
}
