/** Where the request of a node goes: to a new node, a node of a graph, or one of an executable graph. */
import {
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import {
  COMMAND_GRAPH_ADD_NODE,
  COMMAND_GRAPH_EXEC_NODE_SET,
  COMMAND_GRAPH_NODE_SET,
  GRAPH_ADD_NODE_ADDRESS,
  GRAPH_ADD_NODE_BODIES,
  GRAPH_ADD_NODE_CHILD,
  GRAPH_ADD_NODE_CONDITION,
  GRAPH_ADD_NODE_DEPENDENCIES,
  GRAPH_ADD_NODE_GRAPH,
  GRAPH_ADD_NODE_KIND,
  GRAPH_ADD_NODE_NODE,
  GRAPH_ADD_NODE_REQUEST_BYTES,
  GRAPH_EXEC_NODE_SET_CHILD,
  GRAPH_EXEC_NODE_SET_EXEC,
  GRAPH_EXEC_NODE_SET_NODE,
  GRAPH_EXEC_NODE_SET_REQUEST_BYTES,
  GRAPH_NODE_SET_NODE,
  GRAPH_NODE_SET_REQUEST_BYTES,
} from "../runtime/protocol/graphs.ts";
import { type DeviceFile, handleOf } from "./device-file.ts";
import { CudaError } from "./errors.ts";
import { shapeError } from "./launch.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CudaGraph,
  type CudaGraphConditionalHandle,
  type CudaGraphExec,
  type CudaGraphNode,
  type CudaPointer,
  isBox,
  type Out,
} from "./types.ts";

/** The nodes that a new one comes after; null for none. */
export type Dependencies = readonly CudaGraphNode[] | null;
export type NodeOut = Out<CudaGraphNode> | null;

/** `cudaConditionalNodeParams`. */
export interface CudaConditionalNodeParams {
  handle: CudaGraphConditionalHandle;
  /** `cudaGraphCondType…` */
  type: number;
  /** Bodies: 1 or, for one that runs if the condition is 0, 2; of a switch any number. */
  size: number;
  /** Receives the bodies, which nodes can be added to. */
  phGraph_out?: CudaGraph[];
}

/** What a node is given: its recorded request, or a child graph (neither: it does nothing). */
export interface NodeContent {
  readonly request?: Uint8Array;
  readonly child?: CudaGraph;
  /** A conditional node; its bodies, which are made, are put into it. */
  readonly conditional?: CudaConditionalNodeParams;
  /** Whose the node is, if not the current device's. */
  readonly device?: DeviceFile;
  /** Is told the address of memory that the node allocates. */
  readonly allocated?: (address: CudaPointer) => void;
}

/** Makes what a node is given. */
export type Recorder = (thread: HostThread) => NodeContent;

/** Where a request goes. */
export interface Place {
  /** Whether a node is made there. */
  readonly isNew: boolean;
  /** Checks what can be checked before the content is made. @throws CudaError */
  check(): void;
  send(device: DeviceFile, content: NodeContent): number;
}

const NO_REQUEST = new Uint8Array(0);

/** Makes what a node is given, and sends it to its place. */
export function put(place: Place, recorder: Recorder): number {
  return call((thread) => {
    place.check();
    const content = recorder(thread);
    return shapeError(place.send(content.device ?? thread.device(), content));
  });
}

/**
 * Begins a request about a graph or a node.
 * @throws CudaError cudaErrorInvalidValue if the handle is none
 */
export function aboutGraph(device: DeviceFile, field: number, handle: number): DeviceFile {
  return device.begin().setHandle(field, handle, cudaErrorInvalidValue);
}

/** A new node of a graph. */
export function newNode(out: NodeOut, graph: CudaGraph, dependencies: Dependencies): Place {
  const before = dependencies ?? [];
  return {
    isNew: true,
    check() {
      if (!isBox(out) || !Array.isArray(before)) throw new CudaError(cudaErrorInvalidValue);
    },
    send(device, { request = NO_REQUEST, child = 0, conditional, allocated }) {
      const bytes = new Uint8Array(4 * before.length + request.length);
      aboutGraph(device, GRAPH_ADD_NODE_GRAPH, graph);
      const view = new DataView(bytes.buffer);
      for (const [index, node] of before.entries()) {
        view.setUint32(4 * index, handleOf(node, cudaErrorInvalidValue), true);
      }
      bytes.set(request, 4 * before.length);
      device.setU32(GRAPH_ADD_NODE_DEPENDENCIES, before.length);
      device.setU32(GRAPH_ADD_NODE_REQUEST_BYTES, request.length);
      device.setU32(GRAPH_ADD_NODE_CHILD, handleOf(child, cudaErrorInvalidValue));
      const bodies = new Uint32Array(conditional?.size ?? 0);
      if (conditional) {
        device.setU64(GRAPH_ADD_NODE_CONDITION, conditional.handle);
        device.setU32(GRAPH_ADD_NODE_KIND, conditional.type);
        device.setU32(GRAPH_ADD_NODE_BODIES, bodies.length);
      }
      const answer = conditional && new Uint8Array(bodies.buffer);
      const error = device.send(COMMAND_GRAPH_ADD_NODE, bytes, answer);
      if (error !== cudaSuccess) return error;
      if (conditional) conditional.phGraph_out = [...bodies];
      if (out) out.value = device.getU32(GRAPH_ADD_NODE_NODE);
      allocated?.(device.getU64(GRAPH_ADD_NODE_ADDRESS));
      return cudaSuccess;
    },
  };
}

/** A node of a graph. */
export function ofNode(node: CudaGraphNode): Place {
  return {
    isNew: false,
    check() {},
    send(device, { request = NO_REQUEST }) {
      aboutGraph(device, GRAPH_NODE_SET_NODE, node);
      device.setU32(GRAPH_NODE_SET_REQUEST_BYTES, request.length);
      return device.send(COMMAND_GRAPH_NODE_SET, request);
    },
  };
}

/** A node of an executable graph, named by the node that it was made from. */
export function ofExec(exec: CudaGraphExec, node: CudaGraphNode): Place {
  return {
    isNew: false,
    check() {},
    send(device, { request = NO_REQUEST, child = 0 }) {
      aboutGraph(device, GRAPH_EXEC_NODE_SET_EXEC, exec);
      device.setHandle(GRAPH_EXEC_NODE_SET_NODE, node, cudaErrorInvalidValue);
      device.setU32(GRAPH_EXEC_NODE_SET_REQUEST_BYTES, request.length);
      device.setU32(GRAPH_EXEC_NODE_SET_CHILD, handleOf(child, cudaErrorInvalidValue));
      return device.send(COMMAND_GRAPH_EXEC_NODE_SET, request);
    },
  };
}

/** `cudaGraphEdgeData`; all of it is 0: there are no ports on this device. */
export interface CudaGraphEdgeData {
  from_port?: number;
  to_port?: number;
  type?: number;
}

/** Checks what comes with edges. @throws CudaError cudaErrorNotSupported for ports */
export function checkEdges(edges: readonly (CudaGraphEdgeData | null)[] | null): number {
  const plain = (each: CudaGraphEdgeData | null) => Object.values(each ?? {}).every((v) => v === 0);
  if (edges !== null && !(Array.isArray(edges) && edges.every(plain))) {
    throw new CudaError(cudaErrorNotSupported, "edges with ports");
  }
  return cudaSuccess;
}
