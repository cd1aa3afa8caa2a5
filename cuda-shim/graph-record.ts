/** What nodes of graphs are given: each is the recorded request of one stream-ordered call. */
import {
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
} from "../runtime/protocol/errors.ts";
import { MAX_BODIES } from "../runtime/protocol/graphs.ts";
import {
  COMMAND_MEMORY_ALLOC_ASYNC,
  COMMAND_MEMORY_FREE_ASYNC,
  MEMORY_ALLOC_ASYNC_BYTES,
  MEMORY_FREE_ASYNC_ADDRESS,
} from "../runtime/protocol/pools.ts";
import {
  COMMAND_EVENT_RECORD,
  COMMAND_STREAM_WAIT_EVENT,
  EVENT_RECORD_EVENT,
  STREAM_WAIT_EVENT_EVENT,
} from "../runtime/protocol/streams.ts";
import { boxes3D } from "./array-copy.ts";
import {
  cudaGraphNodeTypeConditional,
  cudaGraphNodeTypeEmpty,
  cudaGraphNodeTypeEventRecord,
  cudaGraphNodeTypeGraph,
  cudaGraphNodeTypeHost,
  cudaGraphNodeTypeKernel,
  cudaGraphNodeTypeMemAlloc,
  cudaGraphNodeTypeMemcpy,
  cudaGraphNodeTypeMemFree,
  cudaGraphNodeTypeMemset,
  cudaGraphNodeTypeWaitEvent,
  cudaMemHandleTypeNone,
} from "./constants.ts";
import { CudaError } from "./errors.ts";
import type { CudaConditionalNodeParams, Place, Recorder } from "./graph-place.ts";
import { sendHostCall } from "./host-call.ts";
import { isHostCopy, lineCopy, sendHostCopy } from "./host-copy.ts";
import { launchConfiguration, packArguments, sendLaunch } from "./launch.ts";
import { copy, set } from "./memory.ts";
import { deviceOfPlace } from "./memory-place.ts";
import { type CudaMemcpy3DParms, copyBox, rows, setBox } from "./pitched.ts";
import type { CudaMemAccessDesc, CudaMemPoolProps } from "./pool.ts";
import { symbolRange } from "./symbol.ts";
import type { HostThread } from "./thread.ts";
import {
  type CopyOperand,
  type CudaEvent,
  type CudaGraph,
  type CudaPointer,
  type Dim3Like,
  type HostMemory,
  type HostSymbol,
  isObject,
  isSize,
  isU32,
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

/** `cudaMemAllocNodeParams`: memory of the device that `poolProps` names. */
export interface CudaMemAllocNodeParams {
  poolProps: CudaMemPoolProps;
  accessDescs?: readonly CudaMemAccessDesc[];
  bytesize: number;
  /** Receives the address when the node is made. */
  dptr?: CudaPointer;
}

/** `cudaGraphNodeParams`: a `cudaGraphNodeType…`, and what that type needs. */
export type CudaGraphNodeParams =
  | { type: typeof cudaGraphNodeTypeKernel; kernel: CudaKernelNodeParams }
  | { type: typeof cudaGraphNodeTypeMemcpy; memcpy: { copyParams: CudaMemcpy3DParms } }
  | { type: typeof cudaGraphNodeTypeMemset; memset: CudaMemsetParams }
  | { type: typeof cudaGraphNodeTypeHost; host: CudaHostNodeParams }
  | { type: typeof cudaGraphNodeTypeGraph; graph: { graph: CudaGraph } }
  | { type: typeof cudaGraphNodeTypeEmpty }
  | { type: typeof cudaGraphNodeTypeWaitEvent; eventWait: { event: CudaEvent } }
  | { type: typeof cudaGraphNodeTypeEventRecord; eventRecord: { event: CudaEvent } }
  | { type: typeof cudaGraphNodeTypeMemAlloc; alloc: CudaMemAllocNodeParams }
  | { type: typeof cudaGraphNodeTypeMemFree; free: { dptr: CudaPointer } }
  | { type: typeof cudaGraphNodeTypeConditional; conditional: CudaConditionalNodeParams };

/** Records the request that `body` makes. */
function record(thread: HostThread, body: () => number): { request: Uint8Array } {
  const device = thread.device();
  device.needContext();
  return { request: device.record(body) };
}

export function recordKernel(params: CudaKernelNodeParams | null): Recorder {
  return (thread) => {
    if (!isObject(params)) throw new CudaError(cudaErrorInvalidValue);
    const { func, gridDim, blockDim, sharedMemBytes = 0, kernelParams } = params;
    const { grid, block, sharedBytes } = launchConfiguration(gridDim, blockDim, sharedMemBytes);
    const device = thread.device();
    const fn = thread.registry.functionOn(device, thread.registry.kernel(func));
    packArguments(fn, kernelParams);
    return record(thread, () => sendLaunch(device, fn, grid, block, sharedBytes, 0, 0));
  };
}

export function recordCopy3D(p: CudaMemcpy3DParms | null): Recorder {
  return (thread) => {
    const copied = { ...boxes3D(thread, p), kind: p?.kind ?? -1 };
    const { target, source, extent, kind } = copied;
    if (isHostCopy(copied)) return record(thread, () => sendHostCopy(thread, copied, 0));
    return record(thread, () => copyBox(thread, target, source, extent, kind, 0, 0));
  };
}

export function recordCopy(
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
): Recorder {
  return (thread) => recordLine(thread, dst, src, count, kind);
}

function recordLine(
  thread: HostThread,
  dst: CopyOperand,
  src: CopyOperand,
  count: number,
  kind: number,
): { request: Uint8Array } {
  const copied = lineCopy(dst, src, count, kind);
  if (isHostCopy(copied)) return record(thread, () => sendHostCopy(thread, copied, 0));
  return record(thread, () => copy(thread, dst, src, count, kind, 0, 0));
}

/** A copy between a variable and memory. */
export function recordSymbolCopy(
  symbol: HostSymbol | null,
  memory: CopyOperand,
  count: number,
  offset: number,
  kind: number,
  toSymbol: boolean,
): Recorder {
  return (thread) => {
    const at = symbolRange(thread, symbol, count, offset);
    const [dst, src] = toSymbol ? [at, memory] : [memory, at];
    return recordLine(thread, dst, src, count, kind);
  };
}

export function recordSet(params: CudaMemsetParams | null): Recorder {
  return (thread) => {
    if (!isObject(params)) throw new CudaError(cudaErrorInvalidValue);
    const { dst, pitch, value, elementSize: element, width, height } = params;
    if (element !== 1 && element !== 2 && element !== 4) throw new CudaError(cudaErrorInvalidValue);
    if (!isSize(width) || !isSize(height)) throw new CudaError(cudaErrorInvalidValue);
    if (height <= 1) {
      return record(thread, () => set(thread, dst, value, element, width * height, 0, 0));
    }
    const extent = { width: width * element, height, depth: 1 };
    return record(thread, () =>
      setBox(thread, rows(dst, pitch), value, extent, 0, 0, element as 1 | 2 | 4),
    );
  };
}

export function recordHost(params: CudaHostNodeParams | null): Recorder {
  return (thread) => {
    const { fn, userData } = params ?? {};
    if (typeof fn !== "function") throw new CudaError(cudaErrorInvalidValue);
    const ticket = thread.hostCalls.add(() => fn(userData), false, { fn, userData });
    return record(thread, () => sendHostCall(thread.device(), 0, ticket, 0));
  };
}

export function recordEventRecord(event: CudaEvent): Recorder {
  return recordEvent(event, COMMAND_EVENT_RECORD, EVENT_RECORD_EVENT);
}

export function recordEventWait(event: CudaEvent): Recorder {
  return recordEvent(event, COMMAND_STREAM_WAIT_EVENT, STREAM_WAIT_EVENT_EVENT);
}

function recordEvent(event: CudaEvent, command: number, field: number): Recorder {
  return (thread) =>
    record(thread, () =>
      thread.device().begin().setHandle(field, event, cudaErrorInvalidResourceHandle).send(command),
    );
}

/** @param place a new node: what nodes allocate and free never changes */
export function recordAlloc(place: Place, params: CudaMemAllocNodeParams | null): Recorder {
  return (thread) => {
    if (!place.isNew || !isObject(params) || !isObject(params.poolProps)) {
      throw new CudaError(cudaErrorInvalidValue);
    }
    const { bytesize, accessDescs = [] } = params;
    const { allocType, location, handleTypes = cudaMemHandleTypeNone } = params.poolProps;
    const device = deviceOfPlace(thread, location, allocType);
    if (handleTypes !== cudaMemHandleTypeNone) throw new CudaError(cudaErrorNotSupported);
    if (!isSize(bytesize) || !Array.isArray(accessDescs)) {
      throw new CudaError(cudaErrorInvalidValue);
    }
    for (const access of accessDescs) deviceOfPlace(thread, access?.location, allocType);
    device.needContext();
    const request = device.record(() =>
      device.begin().setU64(MEMORY_ALLOC_ASYNC_BYTES, bytesize).send(COMMAND_MEMORY_ALLOC_ASYNC),
    );
    const allocated = (address: CudaPointer): void => {
      params.dptr = address;
    };
    return { request, device, allocated };
  };
}

/** @param place as in `recordAlloc` */
export function recordFree(place: Place, dptr: CudaPointer): Recorder {
  return (thread) => {
    if (!place.isNew || !isSize(dptr)) throw new CudaError(cudaErrorInvalidValue);
    return record(thread, () =>
      thread
        .device()
        .begin()
        .setU64(MEMORY_FREE_ASYNC_ADDRESS, dptr)
        .send(COMMAND_MEMORY_FREE_ASYNC),
    );
  };
}

/** A copy of a graph as a node. */
export function recordChild(child: CudaGraph): Recorder {
  return () => {
    if (child === 0) throw new CudaError(cudaErrorInvalidValue);
    return { child };
  };
}

/** A node that runs others by a condition. @param place as in `recordAlloc` */
function recordConditional(place: Place, conditional: CudaConditionalNodeParams | null): Recorder {
  return () => {
    const good =
      place.isNew &&
      isObject(conditional) &&
      isSize(conditional.handle) &&
      conditional.handle > 0 &&
      isU32(conditional.type) &&
      isU32(conditional.size) &&
      conditional.size > 0 &&
      conditional.size <= MAX_BODIES;
    if (!good) throw new CudaError(cudaErrorInvalidValue);
    return { conditional };
  };
}

/** A node that does nothing. */
export function recordNothing(): Recorder {
  return () => ({});
}

/** What a node of any type is given. */
export function recordAny(place: Place, params: CudaGraphNodeParams | null): Recorder {
  return (thread) => recorderOf(place, params)(thread);
}

function recorderOf(place: Place, params: CudaGraphNodeParams | null): Recorder {
  if (!isObject(params)) throw new CudaError(cudaErrorInvalidValue);
  switch (params.type) {
    case cudaGraphNodeTypeKernel:
      return recordKernel(params.kernel);
    case cudaGraphNodeTypeMemcpy:
      return recordCopy3D(params.memcpy?.copyParams);
    case cudaGraphNodeTypeMemset:
      return recordSet(params.memset);
    case cudaGraphNodeTypeHost:
      return recordHost(params.host);
    case cudaGraphNodeTypeGraph:
      return recordChild(params.graph?.graph ?? 0);
    case cudaGraphNodeTypeEmpty:
      if (!place.isNew) throw new CudaError(cudaErrorInvalidValue);
      return recordNothing();
    case cudaGraphNodeTypeWaitEvent:
      return recordEventWait(params.eventWait?.event ?? 0);
    case cudaGraphNodeTypeEventRecord:
      return recordEventRecord(params.eventRecord?.event ?? 0);
    case cudaGraphNodeTypeMemAlloc:
      return recordAlloc(place, params.alloc);
    case cudaGraphNodeTypeMemFree:
      return recordFree(place, params.free?.dptr ?? 0);
    case cudaGraphNodeTypeConditional:
      return recordConditional(place, params.conditional);
    default:
      throw new CudaError(cudaErrorNotSupported, "a node of that type");
  }
}
