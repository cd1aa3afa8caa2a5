/** Attributes of launches and of streams. */
import { LAUNCH_COOPERATIVE } from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { COMMAND_STREAM_INFO } from "../runtime/protocol/streams.ts";
import {
  cudaLaunchAttributeAccessPolicyWindow,
  cudaLaunchAttributeClusterDimension,
  cudaLaunchAttributeCooperative,
  cudaLaunchAttributeIgnore,
  cudaLaunchAttributeMemSyncDomain,
  cudaLaunchAttributeMemSyncDomainMap,
  cudaLaunchAttributePreferredSharedMemoryCarveout,
  cudaLaunchAttributePriority,
  cudaLaunchAttributeProgrammaticStreamSerialization,
  cudaLaunchAttributeSynchronizationPolicy,
} from "./constants.ts";
import { CudaError } from "./errors.ts";
import { clusterFlags, launch } from "./launch.ts";
import { call } from "./thread.ts";
import {
  type CudaStream,
  type Dim3Like,
  type HostMemory,
  type HostSymbol,
  isBox,
  isObject,
  type Out,
} from "./types.ts";

/** `cudaLaunchAttribute`: `id` is a `cudaLaunchAttribute…`, the value depends on it. */
export interface CudaLaunchAttribute {
  id: number;
  val: unknown;
}

/** `cudaLaunchConfig_t`. */
export interface CudaLaunchConfig {
  gridDim: Dim3Like;
  blockDim: Dim3Like;
  dynamicSmemBytes?: number;
  stream?: CudaStream;
  attrs?: readonly CudaLaunchAttribute[];
}

/** Attributes that are hints to a card, and without effect on results: they may be ignored. */
const HINTS: ReadonlySet<number> = new Set([
  cudaLaunchAttributeIgnore,
  cudaLaunchAttributeAccessPolicyWindow,
  cudaLaunchAttributeSynchronizationPolicy,
  // Allows a kernel to begin before the one before it ends; it need not.
  cudaLaunchAttributeProgrammaticStreamSerialization,
  cudaLaunchAttributePriority,
  cudaLaunchAttributeMemSyncDomainMap,
  cudaLaunchAttributeMemSyncDomain,
  cudaLaunchAttributePreferredSharedMemoryCarveout,
]);

/** The flags of a launch with these attributes. @throws CudaError cudaErrorNotSupported */
function launchFlags(attributes: readonly CudaLaunchAttribute[]): number {
  let flags = 0;
  for (const { id, val } of attributes) {
    if (id === cudaLaunchAttributeCooperative) {
      if (val) flags |= LAUNCH_COOPERATIVE;
    } else if (id === cudaLaunchAttributeClusterDimension) {
      flags |= clusterFlags(val as Dim3Like);
    } else if (!HINTS.has(id)) {
      throw new CudaError(cudaErrorNotSupported, `launch attribute ${id}`);
    }
  }
  return flags;
}

/**
 * Launches a kernel with attributes.
 * @param config shape, stream, attributes
 * @param func what the kernel was registered under, or its `cudaKernel_t`
 * @param args as in `cudaLaunchKernel`
 * @returns as `cudaLaunchKernel`; cudaErrorInvalidClusterSize; cudaErrorNotSupported for unknown
 *   attributes
 */
export function cudaLaunchKernelExC(
  config: CudaLaunchConfig | null,
  func: HostSymbol | null,
  args: readonly HostMemory[] | null,
): number {
  if (!isObject(config)) return call(() => cudaErrorInvalidValue);
  const { gridDim, blockDim, dynamicSmemBytes = 0, stream = 0, attrs = [] } = config;
  return launch(
    (thread) => thread.registry.kernel(func),
    gridDim,
    blockDim,
    args,
    dynamicSmemBytes,
    stream,
    () => launchFlags(attrs),
  );
}

/** Attributes of streams that can be set: hints, kept for those who ask. */
const STREAM_ATTRIBUTES: ReadonlySet<number> = new Set([
  cudaLaunchAttributeAccessPolicyWindow,
  cudaLaunchAttributeSynchronizationPolicy,
  cudaLaunchAttributeMemSyncDomainMap,
  cudaLaunchAttributeMemSyncDomain,
]);

/** Sets an attribute of a stream: a hint, which this host thread keeps for those who ask. */
export function cudaStreamSetAttribute(stream: CudaStream, attr: number, value: unknown): number {
  return call((thread) => {
    if (!STREAM_ATTRIBUTES.has(attr) || value === null) return cudaErrorInvalidValue;
    thread.device().begin(stream).check(COMMAND_STREAM_INFO);
    const known = thread.streamAttributes.get(stream) ?? new Map<number, unknown>();
    thread.streamAttributes.set(stream, known.set(attr, value));
    return cudaSuccess;
  });
}

/** Gives a stream the attributes of another. */
export function cudaStreamCopyAttributes(dst: CudaStream, src: CudaStream): number {
  return call((thread) => {
    for (const stream of [dst, src]) {
      thread.device().begin(stream).check(COMMAND_STREAM_INFO);
    }
    const attributes = thread.streamAttributes.get(src);
    if (attributes) thread.streamAttributes.set(dst, new Map(attributes));
    else thread.streamAttributes.delete(dst);
    return cudaSuccess;
  });
}

/** What was set by `cudaStreamSetAttribute`, or undefined. */
export function cudaStreamGetAttribute(
  stream: CudaStream,
  attr: number,
  value: Out<unknown> | null,
): number {
  return call((thread) => {
    if (!STREAM_ATTRIBUTES.has(attr) || !isBox(value)) return cudaErrorInvalidValue;
    thread.device().begin(stream).check(COMMAND_STREAM_INFO);
    value.value = thread.streamAttributes.get(stream)?.get(attr);
    return cudaSuccess;
  });
}
