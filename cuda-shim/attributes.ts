/** Attributes of launches and of streams. */
import { LAUNCH_COOPERATIVE } from "../runtime/protocol/definitions.ts";
import {
  cudaErrorInvalidResourceHandle,
  cudaErrorInvalidValue,
  cudaErrorNotSupported,
  cudaSuccess,
} from "../runtime/protocol/errors.ts";
import { readU64, writeU64 } from "../runtime/protocol/fields.ts";
import {
  ATTRIBUTE_ACCESS_POLICY_WINDOW,
  ATTRIBUTE_BYTES,
  ATTRIBUTE_COPY,
  ATTRIBUTE_GET,
  ATTRIBUTE_MEM_SYNC_DOMAIN_MAP,
  ATTRIBUTE_SET,
  COMMAND_STREAM_ATTRIBUTE,
  STREAM_ATTRIBUTE_CURRENT,
  STREAM_ATTRIBUTE_NUMBER,
  STREAM_ATTRIBUTE_VALUE,
  STREAM_ATTRIBUTE_WHAT,
} from "../runtime/protocol/streams.ts";
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
import { type DeviceFile, handleOf } from "./device-file.ts";
import { CudaError } from "./errors.ts";
import { clusterFlags, launch } from "./launch.ts";
import { call, type HostThread } from "./thread.ts";
import {
  type CudaPointer,
  type CudaStream,
  type Dim3Like,
  type HostMemory,
  type HostSymbol,
  isBox,
  isI32,
  isObject,
  isSize,
  isU32,
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

/** `cudaAccessPolicyWindow`. */
export interface CudaAccessPolicyWindow {
  base_ptr: CudaPointer;
  /** Bytes. */
  num_bytes: number;
  /** 0 to 1. */
  hitRatio?: number;
  /** `cudaAccessProperty…` */
  hitProp?: number;
  missProp?: number;
}

/** `cudaLaunchMemSyncDomainMap`. */
export interface CudaLaunchMemSyncDomainMap {
  default_: number;
  remote: number;
}

/** Puts the value of an attribute into its bytes. @throws CudaError cudaErrorInvalidValue */
function putAttribute(view: DataView, attr: number, value: unknown): void {
  const word = (at: number, number: unknown): void => {
    if (!isU32(number)) throw new CudaError(cudaErrorInvalidValue);
    view.setUint32(at, number, true);
  };
  if (attr === ATTRIBUTE_ACCESS_POLICY_WINDOW) {
    if (!isObject(value)) throw new CudaError(cudaErrorInvalidValue);
    const window = value as Partial<CudaAccessPolicyWindow>;
    const { base_ptr = 0, num_bytes = 0, hitRatio = 0, hitProp = 0, missProp = 0 } = window;
    if (!isSize(base_ptr) || !isSize(num_bytes) || typeof hitRatio !== "number") {
      throw new CudaError(cudaErrorInvalidValue);
    }
    writeU64(view, WINDOW_BASE, base_ptr);
    writeU64(view, WINDOW_BYTES, num_bytes);
    view.setFloat32(WINDOW_RATIO, hitRatio, true);
    word(WINDOW_HIT, hitProp);
    word(WINDOW_MISS, missProp);
  } else if (attr === ATTRIBUTE_MEM_SYNC_DOMAIN_MAP) {
    if (!isObject(value)) throw new CudaError(cudaErrorInvalidValue);
    const { default_, remote } = value as Partial<CudaLaunchMemSyncDomainMap>;
    if (!isU8(default_) || !isU8(remote)) throw new CudaError(cudaErrorInvalidValue);
    view.setUint8(0, default_);
    view.setUint8(1, remote);
  } else {
    if (!isI32(value)) throw new CudaError(cudaErrorInvalidValue);
    view.setInt32(0, value, true);
  }
}

function isU8(value: unknown): value is number {
  return isU32(value) && value < 256;
}

/** Where the fields of a window are, in bytes. */
const WINDOW_BASE = 0;
const WINDOW_BYTES = 8;
const WINDOW_RATIO = 16;
const WINDOW_HIT = 20;
const WINDOW_MISS = 24;

/** The value of an attribute from its bytes. */
function getAttribute(view: DataView, attr: number): unknown {
  if (attr === ATTRIBUTE_ACCESS_POLICY_WINDOW) {
    const window: CudaAccessPolicyWindow = {
      base_ptr: readU64(view, WINDOW_BASE),
      num_bytes: readU64(view, WINDOW_BYTES),
      hitRatio: view.getFloat32(WINDOW_RATIO, true),
      hitProp: view.getUint32(WINDOW_HIT, true),
      missProp: view.getUint32(WINDOW_MISS, true),
    };
    return window;
  }
  if (attr === ATTRIBUTE_MEM_SYNC_DOMAIN_MAP) {
    const map: CudaLaunchMemSyncDomainMap = {
      default_: view.getUint8(0),
      remote: view.getUint8(1),
    };
    return map;
  }
  return view.getInt32(0, true);
}

/** Begins a request about a stream's attributes. @param number of one, or another stream */
function about(thread: HostThread, stream: CudaStream, what: number, number: number): DeviceFile {
  if (!isU32(number)) throw new CudaError(cudaErrorInvalidValue);
  const device = thread.device().begin(stream);
  return device.setU32(STREAM_ATTRIBUTE_WHAT, what).setU32(STREAM_ATTRIBUTE_NUMBER, number);
}

/**
 * Sets an attribute of a stream.
 * @param attr a `cudaLaunchAttribute…`: the priority, or a hint, which is kept for those who ask
 * @param value a number, a `CudaAccessPolicyWindow` or a `CudaLaunchMemSyncDomainMap`
 */
export function cudaStreamSetAttribute(stream: CudaStream, attr: number, value: unknown): number {
  return call((thread) => {
    const device = about(thread, stream, ATTRIBUTE_SET, attr);
    const view = new DataView(new ArrayBuffer(ATTRIBUTE_BYTES));
    putAttribute(view, attr, value);
    for (let at = 0; at < ATTRIBUTE_BYTES; at += 4) {
      device.setU32(STREAM_ATTRIBUTE_VALUE + at, view.getUint32(at, true));
    }
    return device.send(COMMAND_STREAM_ATTRIBUTE);
  });
}

/** Gives a stream the hints of another of its device. */
export function cudaStreamCopyAttributes(dst: CudaStream, src: CudaStream): number {
  return call((thread) => {
    const source = handleOf(src, cudaErrorInvalidResourceHandle);
    return about(thread, dst, ATTRIBUTE_COPY, source).send(COMMAND_STREAM_ATTRIBUTE);
  });
}

/** What an attribute of a stream is; see `cudaStreamSetAttribute`. */
export function cudaStreamGetAttribute(
  stream: CudaStream,
  attr: number,
  value: Out<unknown> | null,
): number {
  return call((thread) => {
    if (!isBox(value)) return cudaErrorInvalidValue;
    const device = about(thread, stream, ATTRIBUTE_GET, attr);
    device.check(COMMAND_STREAM_ATTRIBUTE);
    const bytes = device.getBytes(STREAM_ATTRIBUTE_CURRENT, ATTRIBUTE_BYTES);
    value.value = getAttribute(new DataView(bytes.buffer), attr);
    return cudaSuccess;
  });
}
