/** What nodes of graphs were given: read from their recorded requests. */
import {
  BOX_DEPTH,
  BOX_HEIGHT,
  BOX_SOURCE,
  BOX_TARGET,
  BOX_WIDTH,
  COMMAND_MEMORY_COPY_3D,
  COMMAND_MEMORY_SET,
  LAUNCH_BLOCK_X,
  LAUNCH_COOPERATIVE,
  LAUNCH_FLAGS,
  LAUNCH_FUNCTION,
  LAUNCH_GRID_X,
  LAUNCH_SHARED_BYTES,
  MAX_PARAMETER_BYTES,
  MEMORY_COPY_3D_KIND,
  MEMORY_COPY_BYTES,
  MEMORY_COPY_KIND,
  MEMORY_COPY_SOURCE,
  MEMORY_COPY_TARGET,
  MEMORY_SET_3D_ELEMENT,
  MEMORY_SET_3D_VALUE,
  MEMORY_SET_COUNT,
  MEMORY_SET_TARGET,
  MEMORY_SET_VALUE,
  MEMORY_SET_WIDTH,
  REQUEST_COMMAND,
  REQUEST_SIZE,
} from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { readU64 } from "../runtime/protocol/fields.ts";
import {
  COMMAND_GRAPH_NODE_GET,
  GRAPH_NODE_GET_ADDRESS,
  GRAPH_NODE_GET_DEVICE,
  GRAPH_NODE_GET_NODE,
  GRAPH_NODE_GET_REQUEST_BYTES,
  GRAPH_NODE_GET_TYPE,
} from "../runtime/protocol/graphs.ts";
import { MEMORY_ALLOC_ASYNC_BYTES } from "../runtime/protocol/pools.ts";
import {
  COMMAND_HOST_CALL,
  EVENT_RECORD_EVENT,
  HOST_CALL_DATA,
  STREAM_WAIT_EVENT_EVENT,
} from "../runtime/protocol/streams.ts";
import {
  cudaGraphNodeTypeEventRecord,
  cudaGraphNodeTypeHost,
  cudaGraphNodeTypeKernel,
  cudaGraphNodeTypeMemAlloc,
  cudaGraphNodeTypeMemcpy,
  cudaGraphNodeTypeMemFree,
  cudaGraphNodeTypeMemset,
  cudaGraphNodeTypeWaitEvent,
  cudaLaunchAttributeAccessPolicyWindow,
  cudaLaunchAttributeCooperative,
  cudaLaunchAttributePriority,
  cudaMemAllocationTypePinned,
  cudaMemLocationTypeDevice,
} from "./constants.ts";
import { CudaError } from "./errors.ts";
import { aboutGraph, ofNode } from "./graph-place.ts";
import type {
  CudaHostNodeParams,
  CudaKernelNodeParams,
  CudaMemAllocNodeParams,
  CudaMemsetParams,
} from "./graph-record.ts";
import type { CudaMemcpy3DParms, CudaPitchedPtr } from "./pitched.ts";
import { call, type HostThread } from "./thread.ts";
import { type CudaEvent, type CudaGraphNode, type CudaPointer, isBox, type Out } from "./types.ts";

/** What the device says of a node. */
interface Recorded {
  readonly request: Uint8Array;
  readonly view: DataView;
  /** Ordinal of the node's device. */
  readonly device: number;
  /** Of memory that it allocates or frees. */
  readonly address: CudaPointer;
}

/** Asks for a node's request. @throws CudaError cudaErrorInvalidValue if it is of another type */
function recorded(thread: HostThread, node: CudaGraphNode, type: number): Recorded {
  const room = new Uint8Array(REQUEST_SIZE + MAX_PARAMETER_BYTES);
  const device = aboutGraph(thread.device(), GRAPH_NODE_GET_NODE, node);
  device.check(COMMAND_GRAPH_NODE_GET, undefined, room);
  if (device.getU32(GRAPH_NODE_GET_TYPE) !== type) throw new CudaError(cudaErrorInvalidValue);
  const request = room.subarray(0, device.getU32(GRAPH_NODE_GET_REQUEST_BYTES));
  return {
    request,
    view: new DataView(room.buffer),
    device: device.getU32(GRAPH_NODE_GET_DEVICE),
    address: device.getU64(GRAPH_NODE_GET_ADDRESS),
  };
}

/** Puts what a node of that type was given into a box. */
function get<T>(
  node: CudaGraphNode,
  type: number,
  out: Out<T> | null,
  read: (from: Recorded, thread: HostThread) => T,
): number {
  return call((thread) => {
    if (!isBox(out)) return cudaErrorInvalidValue;
    out.value = read(recorded(thread, node, type), thread);
    return cudaSuccess;
  });
}

function three(view: DataView, at: number): [number, number, number] {
  const [x, y, z] = [0, 4, 8].map((offset) => view.getUint32(at + offset, true));
  return [x ?? 0, y ?? 0, z ?? 0];
}

/** What a kernel node launches; the arguments are copies of what they were. */
export function cudaGraphKernelNodeGetParams(
  node: CudaGraphNode,
  pNodeParams: Out<CudaKernelNodeParams | null> | null,
): number {
  return get(node, cudaGraphNodeTypeKernel, pNodeParams, ({ request, view, device }, thread) => {
    const owner = thread.devices[device] ?? thread.device();
    const { func, fn } = thread.registry.symbolOf(owner, view.getUint32(LAUNCH_FUNCTION, true));
    const block = request.subarray(REQUEST_SIZE);
    return {
      func,
      gridDim: three(view, LAUNCH_GRID_X),
      blockDim: three(view, LAUNCH_BLOCK_X),
      sharedMemBytes: view.getUint32(LAUNCH_SHARED_BYTES, true),
      kernelParams: fn.parameters.map(({ offset, size }) => block.slice(offset, offset + size)),
    };
  });
}

/** One side of a box in a request. */
function side(view: DataView, at: number, xsize: number): CudaPitchedPtr {
  const [ptr, pitch, slice] = [0, 8, 16].map((field) => readU64(view, REQUEST_SIZE + at + field));
  const ysize = pitch ? Math.floor((slice ?? 0) / pitch) : 0;
  return { ptr: ptr ?? 0, pitch: pitch ?? 0, xsize, ysize };
}

/**
 * What a copy node copies. A side that is an array comes back as the memory of the array.
 * @returns cudaErrorInvalidValue for memory of another JavaScript thread
 */
export function cudaGraphMemcpyNodeGetParams(
  node: CudaGraphNode,
  pNodeParams: Out<CudaMemcpy3DParms | null> | null,
): number {
  return get(node, cudaGraphNodeTypeMemcpy, pNodeParams, ({ view }, thread) => {
    if (view.getUint32(REQUEST_COMMAND, true) === COMMAND_HOST_CALL) {
      const copied = thread.hostCalls.given(readU64(view, HOST_CALL_DATA))?.copied;
      if (!copied) throw new CudaError(cudaErrorInvalidValue);
      return copied;
    }
    if (view.getUint32(REQUEST_COMMAND, true) !== COMMAND_MEMORY_COPY_3D) {
      const width = readU64(view, MEMORY_COPY_BYTES);
      const line = (field: number) => {
        return { ptr: readU64(view, field), pitch: width, xsize: width, ysize: 1 };
      };
      return {
        srcPtr: line(MEMORY_COPY_SOURCE),
        dstPtr: line(MEMORY_COPY_TARGET),
        extent: { width, height: 1, depth: 1 },
        kind: view.getUint32(MEMORY_COPY_KIND, true),
      };
    }
    const [width = 0, height = 0, depth = 0] = [BOX_WIDTH, BOX_HEIGHT, BOX_DEPTH].map((field) =>
      readU64(view, REQUEST_SIZE + field),
    );
    return {
      srcPtr: side(view, BOX_SOURCE, width),
      dstPtr: side(view, BOX_TARGET, width),
      extent: { width, height, depth },
      kind: view.getUint32(MEMORY_COPY_3D_KIND, true),
    };
  });
}

/** What a set node sets. */
export function cudaGraphMemsetNodeGetParams(
  node: CudaGraphNode,
  pNodeParams: Out<CudaMemsetParams | null> | null,
): number {
  return get(node, cudaGraphNodeTypeMemset, pNodeParams, ({ view }) => {
    if (view.getUint32(REQUEST_COMMAND, true) === COMMAND_MEMORY_SET) {
      const width = readU64(view, MEMORY_SET_COUNT);
      const elementSize = view.getUint32(MEMORY_SET_WIDTH, true);
      return {
        dst: readU64(view, MEMORY_SET_TARGET),
        pitch: width * elementSize,
        value: view.getUint32(MEMORY_SET_VALUE, true),
        elementSize,
        width,
        height: 1,
      };
    }
    const elementSize = view.getUint32(MEMORY_SET_3D_ELEMENT, true);
    const { ptr, pitch } = side(view, BOX_TARGET, 0);
    return {
      dst: ptr as CudaPointer,
      pitch,
      value: view.getUint32(MEMORY_SET_3D_VALUE, true),
      elementSize,
      width: readU64(view, REQUEST_SIZE + BOX_WIDTH) / elementSize,
      height: readU64(view, REQUEST_SIZE + BOX_HEIGHT),
    };
  });
}

/**
 * What a host node calls.
 * @returns cudaErrorInvalidValue for a function that another JavaScript thread gave
 */
export function cudaGraphHostNodeGetParams(
  node: CudaGraphNode,
  pNodeParams: Out<CudaHostNodeParams | null> | null,
): number {
  return get(node, cudaGraphNodeTypeHost, pNodeParams, ({ view }, thread) => {
    const given = thread.hostCalls.given(readU64(view, HOST_CALL_DATA));
    if (!given) throw new CudaError(cudaErrorInvalidValue);
    return { ...given };
  });
}

/** The event that a node records. */
export function cudaGraphEventRecordNodeGetEvent(
  node: CudaGraphNode,
  event_out: Out<CudaEvent> | null,
): number {
  return get(node, cudaGraphNodeTypeEventRecord, event_out, ({ view }) =>
    view.getUint32(EVENT_RECORD_EVENT, true),
  );
}

/** The event that a node waits for. */
export function cudaGraphEventWaitNodeGetEvent(
  node: CudaGraphNode,
  event_out: Out<CudaEvent> | null,
): number {
  return get(node, cudaGraphNodeTypeWaitEvent, event_out, ({ view }) =>
    view.getUint32(STREAM_WAIT_EVENT_EVENT, true),
  );
}

/** What a node allocates, and its address. */
export function cudaGraphMemAllocNodeGetParams(
  node: CudaGraphNode,
  params_out: Out<CudaMemAllocNodeParams | null> | null,
): number {
  return get(node, cudaGraphNodeTypeMemAlloc, params_out, ({ view, device, address }) => ({
    poolProps: {
      allocType: cudaMemAllocationTypePinned,
      location: { type: cudaMemLocationTypeDevice, id: device },
    },
    bytesize: readU64(view, MEMORY_ALLOC_ASYNC_BYTES),
    dptr: address,
  }));
}

/** The address of what a node frees. */
export function cudaGraphMemFreeNodeGetParams(
  node: CudaGraphNode,
  dptr_out: Out<CudaPointer> | null,
): number {
  return get(node, cudaGraphNodeTypeMemFree, dptr_out, ({ address }) => address);
}

/** Attributes of kernel nodes; only the cooperative launch changes anything. */
const NODE_ATTRIBUTES: ReadonlySet<number> = new Set([
  cudaLaunchAttributeAccessPolicyWindow,
  cudaLaunchAttributeCooperative,
  cudaLaunchAttributePriority,
]);

/** Whether a kernel node's launch is cooperative; other hints are 0. @param attr `cudaLaunchAttribute…` */
export function cudaGraphKernelNodeGetAttribute(
  hNode: CudaGraphNode,
  attr: number,
  value_out: Out<unknown> | null,
): number {
  if (isBox(value_out) && !NODE_ATTRIBUTES.has(attr)) return call(() => cudaErrorNotSupported);
  return get(hNode, cudaGraphNodeTypeKernel, value_out, ({ view }) =>
    attr === cudaLaunchAttributeCooperative && isCooperative(view) ? 1 : 0,
  );
}

function isCooperative(view: DataView): boolean {
  return (view.getUint32(LAUNCH_FLAGS, true) & LAUNCH_COOPERATIVE) !== 0;
}

/** Gives a kernel node its request again, cooperative or not. */
function setCooperative(thread: HostThread, node: CudaGraphNode, cooperative: boolean): number {
  const { request, view, device } = recorded(thread, node, cudaGraphNodeTypeKernel);
  const flags = view.getUint32(LAUNCH_FLAGS, true) & ~LAUNCH_COOPERATIVE;
  view.setUint32(LAUNCH_FLAGS, flags | (cooperative ? LAUNCH_COOPERATIVE : 0), true);
  return ofNode(node).send(thread.devices[device] ?? thread.device(), { request });
}

/** Sets an attribute of a kernel node; all but `cudaLaunchAttributeCooperative` are hints. */
export function cudaGraphKernelNodeSetAttribute(
  hNode: CudaGraphNode,
  attr: number,
  value: unknown,
): number {
  return call((thread) => {
    if (value === null || value === undefined) return cudaErrorInvalidValue;
    if (!NODE_ATTRIBUTES.has(attr)) return cudaErrorNotSupported;
    if (attr === cudaLaunchAttributeCooperative) {
      return setCooperative(thread, hNode, Boolean(value));
    }
    recorded(thread, hNode, cudaGraphNodeTypeKernel);
    return cudaSuccess;
  });
}

/** Gives a kernel node the attributes of another. */
export function cudaGraphKernelNodeCopyAttributes(
  hDst: CudaGraphNode,
  hSrc: CudaGraphNode,
): number {
  return call((thread) => {
    const { view } = recorded(thread, hSrc, cudaGraphNodeTypeKernel);
    return setCooperative(thread, hDst, isCooperative(view));
  });
}
