/**
 * The one table of what the device is: attributes (cudaDevAttr*), from which the properties
 * (cudaDeviceProp) and the config space are filled too, so that they cannot disagree. The values
 * are those of an H100 wherever the vGPU has no reason of its own; docs/device.md lists them.
 */
import { REGISTERS_PER_MULTIPROCESSOR } from "../exec/types.ts";
import * as attr from "../protocol/attributes.ts";
import { DEVICE_ATTRIBUTE_COUNT } from "../protocol/definitions.ts";
import { MEM_SYNC_DOMAINS } from "../protocol/streams.ts";

/** What differs between vGPUs. */
export interface DeviceDescription {
  readonly name: string;
  /** Which of the machine's vGPUs the first of these is, from 0. */
  readonly index: number;
  /** How many there are, all alike; 1 if not given. They share the memory in equal parts. */
  readonly devices?: number;
  readonly multiprocessors: number;
  /** Bytes of device memory, of all devices together. */
  readonly memoryBytes: number;
  /** Kernels are stopped after this long; 0 = never. */
  readonly timeoutMs: number;
}

export const COMPUTE_MAJOR = 9;
export const COMPUTE_MINOR = 0;
export const WARP_SIZE = 32;
export const MAX_THREADS_PER_BLOCK = 1024;
export const MAX_BLOCK_DIM = [1024, 1024, 64] as const;
export const MAX_GRID_DIM = [2147483647, 65535, 65535] as const;
export const SHARED_PER_BLOCK = 48 << 10;
/** What a function can opt in to: 227 KiB. */
export const SHARED_PER_BLOCK_OPTIN = 227 << 10;
export const SHARED_PER_MULTIPROCESSOR = 228 << 10;
/** Shared memory that the system keeps of each resident block. */
export const SHARED_RESERVED = 1024;
export const REGISTERS_PER_BLOCK = 65536;
export const THREADS_PER_MULTIPROCESSOR = 2048;
export const BLOCKS_PER_MULTIPROCESSOR = 32;
export const TEXTURE_ALIGNMENT = 512;
export const TEXTURE_PITCH_ALIGNMENT = 32;
export const MAX_PITCH = 2147483647;

/** [attribute, value] for all vGPUs. */
const FIXED: readonly (readonly [number, number])[] = [
  [attr.cudaDevAttrMaxThreadsPerBlock, MAX_THREADS_PER_BLOCK],
  [attr.cudaDevAttrMaxBlockDimX, MAX_BLOCK_DIM[0]],
  [attr.cudaDevAttrMaxBlockDimY, MAX_BLOCK_DIM[1]],
  [attr.cudaDevAttrMaxBlockDimZ, MAX_BLOCK_DIM[2]],
  [attr.cudaDevAttrMaxGridDimX, MAX_GRID_DIM[0]],
  [attr.cudaDevAttrMaxGridDimY, MAX_GRID_DIM[1]],
  [attr.cudaDevAttrMaxGridDimZ, MAX_GRID_DIM[2]],
  [attr.cudaDevAttrMaxSharedMemoryPerBlock, SHARED_PER_BLOCK],
  [attr.cudaDevAttrTotalConstantMemory, 65536],
  [attr.cudaDevAttrWarpSize, WARP_SIZE],
  [attr.cudaDevAttrMaxPitch, MAX_PITCH],
  [attr.cudaDevAttrMaxRegistersPerBlock, REGISTERS_PER_BLOCK],
  [attr.cudaDevAttrClockRate, 1755000], // kHz
  [attr.cudaDevAttrTextureAlignment, TEXTURE_ALIGNMENT],
  [attr.cudaDevAttrGpuOverlap, 1],
  [attr.cudaDevAttrIntegrated, 0],
  [attr.cudaDevAttrCanMapHostMemory, 1],
  [attr.cudaDevAttrComputeMode, 0],
  [attr.cudaDevAttrMaxTexture1DWidth, 131072],
  [attr.cudaDevAttrMaxTexture2DWidth, 131072],
  [attr.cudaDevAttrMaxTexture2DHeight, 65536],
  [attr.cudaDevAttrMaxTexture3DWidth, 16384],
  [attr.cudaDevAttrMaxTexture3DHeight, 16384],
  [attr.cudaDevAttrMaxTexture3DDepth, 16384],
  [attr.cudaDevAttrMaxTexture2DLayeredWidth, 32768],
  [attr.cudaDevAttrMaxTexture2DLayeredHeight, 32768],
  [attr.cudaDevAttrMaxTexture2DLayeredLayers, 2048],
  [attr.cudaDevAttrSurfaceAlignment, 512],
  [attr.cudaDevAttrConcurrentKernels, 1],
  [attr.cudaDevAttrEccEnabled, 0],
  [attr.cudaDevAttrPciDeviceId, 0],
  [attr.cudaDevAttrTccDriver, 0],
  [attr.cudaDevAttrMemoryClockRate, 2619000], // kHz
  [attr.cudaDevAttrGlobalMemoryBusWidth, 5120], // bits
  [attr.cudaDevAttrL2CacheSize, 52428800],
  [attr.cudaDevAttrMaxThreadsPerMultiProcessor, THREADS_PER_MULTIPROCESSOR],
  [attr.cudaDevAttrAsyncEngineCount, 2],
  [attr.cudaDevAttrUnifiedAddressing, 1],
  [attr.cudaDevAttrMaxTexture1DLayeredWidth, 32768],
  [attr.cudaDevAttrMaxTexture1DLayeredLayers, 2048],
  [attr.cudaDevAttrMaxTexture2DGatherWidth, 32768],
  [attr.cudaDevAttrMaxTexture2DGatherHeight, 32768],
  [attr.cudaDevAttrMaxTexture3DWidthAlt, 8192],
  [attr.cudaDevAttrMaxTexture3DHeightAlt, 8192],
  [attr.cudaDevAttrMaxTexture3DDepthAlt, 32768],
  [attr.cudaDevAttrPciDomainId, 0],
  [attr.cudaDevAttrTexturePitchAlignment, TEXTURE_PITCH_ALIGNMENT],
  [attr.cudaDevAttrMaxTextureCubemapWidth, 32768],
  [attr.cudaDevAttrMaxTextureCubemapLayeredWidth, 32768],
  [attr.cudaDevAttrMaxTextureCubemapLayeredLayers, 2046],
  [attr.cudaDevAttrMaxSurface1DWidth, 32768],
  [attr.cudaDevAttrMaxSurface2DWidth, 131072],
  [attr.cudaDevAttrMaxSurface2DHeight, 65536],
  [attr.cudaDevAttrMaxSurface3DWidth, 16384],
  [attr.cudaDevAttrMaxSurface3DHeight, 16384],
  [attr.cudaDevAttrMaxSurface3DDepth, 16384],
  [attr.cudaDevAttrMaxSurface1DLayeredWidth, 32768],
  [attr.cudaDevAttrMaxSurface1DLayeredLayers, 2048],
  [attr.cudaDevAttrMaxSurface2DLayeredWidth, 32768],
  [attr.cudaDevAttrMaxSurface2DLayeredHeight, 32768],
  [attr.cudaDevAttrMaxSurface2DLayeredLayers, 2048],
  [attr.cudaDevAttrMaxSurfaceCubemapWidth, 32768],
  [attr.cudaDevAttrMaxSurfaceCubemapLayeredWidth, 32768],
  [attr.cudaDevAttrMaxSurfaceCubemapLayeredLayers, 2046],
  [attr.cudaDevAttrMaxTexture1DLinearWidth, 268435456],
  [attr.cudaDevAttrMaxTexture2DLinearWidth, 131072],
  [attr.cudaDevAttrMaxTexture2DLinearHeight, 65000],
  [attr.cudaDevAttrMaxTexture2DLinearPitch, 2097120],
  [attr.cudaDevAttrMaxTexture2DMipmappedWidth, 32768],
  [attr.cudaDevAttrMaxTexture2DMipmappedHeight, 32768],
  [attr.cudaDevAttrComputeCapabilityMajor, COMPUTE_MAJOR],
  [attr.cudaDevAttrComputeCapabilityMinor, COMPUTE_MINOR],
  [attr.cudaDevAttrMaxTexture1DMipmappedWidth, 32768],
  [attr.cudaDevAttrStreamPrioritiesSupported, 1],
  [attr.cudaDevAttrGlobalL1CacheSupported, 1],
  [attr.cudaDevAttrLocalL1CacheSupported, 1],
  [attr.cudaDevAttrMaxSharedMemoryPerMultiprocessor, SHARED_PER_MULTIPROCESSOR],
  [attr.cudaDevAttrMaxRegistersPerMultiprocessor, REGISTERS_PER_MULTIPROCESSOR],
  [attr.cudaDevAttrManagedMemory, 1],
  [attr.cudaDevAttrIsMultiGpuBoard, 0],
  [attr.cudaDevAttrHostNativeAtomicSupported, 1],
  [attr.cudaDevAttrSingleToDoublePrecisionPerfRatio, 2],
  [attr.cudaDevAttrPageableMemoryAccess, 0],
  [attr.cudaDevAttrConcurrentManagedAccess, 1],
  [attr.cudaDevAttrComputePreemptionSupported, 1],
  // Kernels need the address that cudaHostGetDevicePointer gives; arguments are looked through for it.
  [attr.cudaDevAttrCanUseHostPointerForRegisteredMem, 0],
  [attr.cudaDevAttrCooperativeLaunch, 1],
  [attr.cudaDevAttrMaxSharedMemoryPerBlockOptin, SHARED_PER_BLOCK_OPTIN],
  [attr.cudaDevAttrCanFlushRemoteWrites, 0],
  [attr.cudaDevAttrHostRegisterSupported, 1],
  [attr.cudaDevAttrPageableMemoryAccessUsesHostPageTables, 0],
  [attr.cudaDevAttrDirectManagedMemAccessFromHost, 1],
  [attr.cudaDevAttrMaxBlocksPerMultiprocessor, BLOCKS_PER_MULTIPROCESSOR],
  // The caches are the host's: no part of them can be kept for a window of addresses.
  [attr.cudaDevAttrMaxPersistingL2CacheSize, 0],
  [attr.cudaDevAttrMaxAccessPolicyWindowSize, 134213632],
  [attr.cudaDevAttrReservedSharedMemoryPerBlock, SHARED_RESERVED],
  [attr.cudaDevAttrSparseCudaArraySupported, 0],
  [attr.cudaDevAttrHostRegisterReadOnlySupported, 0],
  [attr.cudaDevAttrTimelineSemaphoreInteropSupported, 0],
  [attr.cudaDevAttrMemoryPoolsSupported, 1],
  [attr.cudaDevAttrGPUDirectRDMASupported, 0],
  [attr.cudaDevAttrGPUDirectRDMAFlushWritesOptions, 0],
  [attr.cudaDevAttrGPUDirectRDMAWritesOrdering, 0],
  [attr.cudaDevAttrMemoryPoolSupportedHandleTypes, 0],
  [attr.cudaDevAttrClusterLaunch, 1],
  [attr.cudaDevAttrDeferredMappingCudaArraySupported, 0],
  [attr.cudaDevAttrIpcEventSupport, 0],
  [attr.cudaDevAttrMemSyncDomainCount, MEM_SYNC_DOMAINS],
  [attr.cudaDevAttrNumaConfig, 0],
  [attr.cudaDevAttrNumaId, -1],
  [attr.cudaDevAttrMpsEnabled, 0],
  [attr.cudaDevAttrHostNumaId, -1],
  [attr.cudaDevAttrD3D12CigSupported, 0],
  [attr.cudaDevAttrVulkanCigSupported, 0],
  [attr.cudaDevAttrGpuPciDeviceId, 0x107f1af4], // virtio's vendor, 0x1040 + the device id
  [attr.cudaDevAttrGpuPciSubsystemId, 0],
  [attr.cudaDevAttrHostNumaMemoryPoolsSupported, 0],
  [attr.cudaDevAttrHostNumaMultinodeIpcSupported, 0],
  [attr.cudaDevAttrHostMemoryPoolsSupported, 0],
  [attr.cudaDevAttrOnlyPartialHostNativeAtomicSupported, 0],
];

/** Every attribute of a vGPU: a value for each number that CUDA 13 names, none for the others. */
export class DeviceAttributes {
  readonly description: DeviceDescription;
  readonly #index: number;
  readonly #known = new Uint8Array(DEVICE_ATTRIBUTE_COUNT);
  readonly #values = new Int32Array(DEVICE_ATTRIBUTE_COUNT);

  /**
   * @param description of the vGPUs
   * @param ordinal which of them
   */
  constructor(description: DeviceDescription, ordinal: number) {
    this.description = description;
    this.#index = description.index + ordinal;
    for (const [number, value] of FIXED) this.#set(number, value);
    this.#set(attr.cudaDevAttrMultiProcessorCount, description.multiprocessors);
    this.#set(attr.cudaDevAttrKernelExecTimeout, description.timeoutMs > 0 ? 1 : 0);
    this.#set(attr.cudaDevAttrPciBusId, this.#index + 1);
    this.#set(attr.cudaDevAttrMultiGpuBoardGroupID, this.#index);
  }

  /** @returns the value of a cudaDeviceAttr number, or undefined if CUDA has no such attribute */
  get(number: number): number | undefined {
    return this.#known[number] === 1 ? this.#values[number] : undefined;
  }

  /** 16 bytes that name this vGPU and no other of the machine. */
  uuid(): Uint8Array {
    const bytes = new TextEncoder().encode("warpring-vgpu-00");
    bytes[14] = 0x30 + Math.floor(this.#index / 10);
    bytes[15] = 0x30 + (this.#index % 10);
    return bytes;
  }

  #set(number: number, value: number): void {
    this.#known[number] = 1;
    this.#values[number] = value;
  }
}
