import * as attr from "../runtime/protocol/attributes.ts";
import {
  COMMAND_DEVICE_PROPERTIES,
  DEVICE_PROPERTIES_ATTRIBUTES,
  DEVICE_PROPERTIES_DEVICE,
  DEVICE_PROPERTIES_NAME,
  DEVICE_PROPERTIES_NAME_SIZE,
  DEVICE_PROPERTIES_TOTAL_MEMORY,
  DEVICE_PROPERTIES_UUID,
  DEVICE_PROPERTIES_UUID_SIZE,
} from "../runtime/protocol/definitions.ts";
import type { DeviceFile } from "./device-file.ts";

/** The attribute that each whole-number field of `cudaDeviceProp` repeats (driver_types.h, CUDA 13). */
const SCALARS = {
  sharedMemPerBlock: attr.cudaDevAttrMaxSharedMemoryPerBlock,
  regsPerBlock: attr.cudaDevAttrMaxRegistersPerBlock,
  warpSize: attr.cudaDevAttrWarpSize,
  memPitch: attr.cudaDevAttrMaxPitch,
  maxThreadsPerBlock: attr.cudaDevAttrMaxThreadsPerBlock,
  totalConstMem: attr.cudaDevAttrTotalConstantMemory,
  major: attr.cudaDevAttrComputeCapabilityMajor,
  minor: attr.cudaDevAttrComputeCapabilityMinor,
  textureAlignment: attr.cudaDevAttrTextureAlignment,
  texturePitchAlignment: attr.cudaDevAttrTexturePitchAlignment,
  multiProcessorCount: attr.cudaDevAttrMultiProcessorCount,
  integrated: attr.cudaDevAttrIntegrated,
  canMapHostMemory: attr.cudaDevAttrCanMapHostMemory,
  maxTexture1D: attr.cudaDevAttrMaxTexture1DWidth,
  maxTexture1DMipmap: attr.cudaDevAttrMaxTexture1DMipmappedWidth,
  maxTextureCubemap: attr.cudaDevAttrMaxTextureCubemapWidth,
  maxSurface1D: attr.cudaDevAttrMaxSurface1DWidth,
  maxSurfaceCubemap: attr.cudaDevAttrMaxSurfaceCubemapWidth,
  surfaceAlignment: attr.cudaDevAttrSurfaceAlignment,
  concurrentKernels: attr.cudaDevAttrConcurrentKernels,
  ECCEnabled: attr.cudaDevAttrEccEnabled,
  pciBusID: attr.cudaDevAttrPciBusId,
  pciDeviceID: attr.cudaDevAttrPciDeviceId,
  pciDomainID: attr.cudaDevAttrPciDomainId,
  tccDriver: attr.cudaDevAttrTccDriver,
  asyncEngineCount: attr.cudaDevAttrAsyncEngineCount,
  unifiedAddressing: attr.cudaDevAttrUnifiedAddressing,
  memoryBusWidth: attr.cudaDevAttrGlobalMemoryBusWidth,
  l2CacheSize: attr.cudaDevAttrL2CacheSize,
  persistingL2CacheMaxSize: attr.cudaDevAttrMaxPersistingL2CacheSize,
  maxThreadsPerMultiProcessor: attr.cudaDevAttrMaxThreadsPerMultiProcessor,
  streamPrioritiesSupported: attr.cudaDevAttrStreamPrioritiesSupported,
  globalL1CacheSupported: attr.cudaDevAttrGlobalL1CacheSupported,
  localL1CacheSupported: attr.cudaDevAttrLocalL1CacheSupported,
  sharedMemPerMultiprocessor: attr.cudaDevAttrMaxSharedMemoryPerMultiprocessor,
  regsPerMultiprocessor: attr.cudaDevAttrMaxRegistersPerMultiprocessor,
  managedMemory: attr.cudaDevAttrManagedMemory,
  isMultiGpuBoard: attr.cudaDevAttrIsMultiGpuBoard,
  multiGpuBoardGroupID: attr.cudaDevAttrMultiGpuBoardGroupID,
  hostNativeAtomicSupported: attr.cudaDevAttrHostNativeAtomicSupported,
  pageableMemoryAccess: attr.cudaDevAttrPageableMemoryAccess,
  concurrentManagedAccess: attr.cudaDevAttrConcurrentManagedAccess,
  computePreemptionSupported: attr.cudaDevAttrComputePreemptionSupported,
  canUseHostPointerForRegisteredMem: attr.cudaDevAttrCanUseHostPointerForRegisteredMem,
  cooperativeLaunch: attr.cudaDevAttrCooperativeLaunch,
  sharedMemPerBlockOptin: attr.cudaDevAttrMaxSharedMemoryPerBlockOptin,
  pageableMemoryAccessUsesHostPageTables: attr.cudaDevAttrPageableMemoryAccessUsesHostPageTables,
  directManagedMemAccessFromHost: attr.cudaDevAttrDirectManagedMemAccessFromHost,
  maxBlocksPerMultiProcessor: attr.cudaDevAttrMaxBlocksPerMultiprocessor,
  accessPolicyMaxWindowSize: attr.cudaDevAttrMaxAccessPolicyWindowSize,
  reservedSharedMemPerBlock: attr.cudaDevAttrReservedSharedMemoryPerBlock,
  hostRegisterSupported: attr.cudaDevAttrHostRegisterSupported,
  sparseCudaArraySupported: attr.cudaDevAttrSparseCudaArraySupported,
  hostRegisterReadOnlySupported: attr.cudaDevAttrHostRegisterReadOnlySupported,
  timelineSemaphoreInteropSupported: attr.cudaDevAttrTimelineSemaphoreInteropSupported,
  memoryPoolsSupported: attr.cudaDevAttrMemoryPoolsSupported,
  gpuDirectRDMASupported: attr.cudaDevAttrGPUDirectRDMASupported,
  gpuDirectRDMAFlushWritesOptions: attr.cudaDevAttrGPUDirectRDMAFlushWritesOptions,
  gpuDirectRDMAWritesOrdering: attr.cudaDevAttrGPUDirectRDMAWritesOrdering,
  memoryPoolSupportedHandleTypes: attr.cudaDevAttrMemoryPoolSupportedHandleTypes,
  deferredMappingCudaArraySupported: attr.cudaDevAttrDeferredMappingCudaArraySupported,
  ipcEventSupported: attr.cudaDevAttrIpcEventSupport,
  clusterLaunch: attr.cudaDevAttrClusterLaunch,
  // Unified pointers are those of unified addressing.
  unifiedFunctionPointers: attr.cudaDevAttrUnifiedAddressing,
  deviceNumaConfig: attr.cudaDevAttrNumaConfig,
  deviceNumaId: attr.cudaDevAttrNumaId,
  mpsEnabled: attr.cudaDevAttrMpsEnabled,
  hostNumaId: attr.cudaDevAttrHostNumaId,
  gpuPciDeviceID: attr.cudaDevAttrGpuPciDeviceId,
  gpuPciSubsystemID: attr.cudaDevAttrGpuPciSubsystemId,
  hostNumaMultinodeIpcSupported: attr.cudaDevAttrHostNumaMultinodeIpcSupported,
  // No longer in CUDA 13's struct; programs for older toolkits read them.
  clockRate: attr.cudaDevAttrClockRate,
  memoryClockRate: attr.cudaDevAttrMemoryClockRate,
  deviceOverlap: attr.cudaDevAttrGpuOverlap,
  kernelExecTimeoutEnabled: attr.cudaDevAttrKernelExecTimeout,
  computeMode: attr.cudaDevAttrComputeMode,
  singleToDoublePrecisionPerfRatio: attr.cudaDevAttrSingleToDoublePrecisionPerfRatio,
} as const;

/** The attributes that each field with several numbers repeats. */
const VECTORS = {
  maxThreadsDim: [
    attr.cudaDevAttrMaxBlockDimX,
    attr.cudaDevAttrMaxBlockDimY,
    attr.cudaDevAttrMaxBlockDimZ,
  ],
  maxGridSize: [
    attr.cudaDevAttrMaxGridDimX,
    attr.cudaDevAttrMaxGridDimY,
    attr.cudaDevAttrMaxGridDimZ,
  ],
  maxTexture2D: [attr.cudaDevAttrMaxTexture2DWidth, attr.cudaDevAttrMaxTexture2DHeight],
  maxTexture2DMipmap: [
    attr.cudaDevAttrMaxTexture2DMipmappedWidth,
    attr.cudaDevAttrMaxTexture2DMipmappedHeight,
  ],
  maxTexture2DLinear: [
    attr.cudaDevAttrMaxTexture2DLinearWidth,
    attr.cudaDevAttrMaxTexture2DLinearHeight,
    attr.cudaDevAttrMaxTexture2DLinearPitch,
  ],
  maxTexture2DGather: [
    attr.cudaDevAttrMaxTexture2DGatherWidth,
    attr.cudaDevAttrMaxTexture2DGatherHeight,
  ],
  maxTexture3D: [
    attr.cudaDevAttrMaxTexture3DWidth,
    attr.cudaDevAttrMaxTexture3DHeight,
    attr.cudaDevAttrMaxTexture3DDepth,
  ],
  maxTexture3DAlt: [
    attr.cudaDevAttrMaxTexture3DWidthAlt,
    attr.cudaDevAttrMaxTexture3DHeightAlt,
    attr.cudaDevAttrMaxTexture3DDepthAlt,
  ],
  maxTexture1DLayered: [
    attr.cudaDevAttrMaxTexture1DLayeredWidth,
    attr.cudaDevAttrMaxTexture1DLayeredLayers,
  ],
  maxTexture2DLayered: [
    attr.cudaDevAttrMaxTexture2DLayeredWidth,
    attr.cudaDevAttrMaxTexture2DLayeredHeight,
    attr.cudaDevAttrMaxTexture2DLayeredLayers,
  ],
  maxTextureCubemapLayered: [
    attr.cudaDevAttrMaxTextureCubemapLayeredWidth,
    attr.cudaDevAttrMaxTextureCubemapLayeredLayers,
  ],
  maxSurface2D: [attr.cudaDevAttrMaxSurface2DWidth, attr.cudaDevAttrMaxSurface2DHeight],
  maxSurface3D: [
    attr.cudaDevAttrMaxSurface3DWidth,
    attr.cudaDevAttrMaxSurface3DHeight,
    attr.cudaDevAttrMaxSurface3DDepth,
  ],
  maxSurface1DLayered: [
    attr.cudaDevAttrMaxSurface1DLayeredWidth,
    attr.cudaDevAttrMaxSurface1DLayeredLayers,
  ],
  maxSurface2DLayered: [
    attr.cudaDevAttrMaxSurface2DLayeredWidth,
    attr.cudaDevAttrMaxSurface2DLayeredHeight,
    attr.cudaDevAttrMaxSurface2DLayeredLayers,
  ],
  maxSurfaceCubemapLayered: [
    attr.cudaDevAttrMaxSurfaceCubemapLayeredWidth,
    attr.cudaDevAttrMaxSurfaceCubemapLayeredLayers,
  ],
} as const;

/** `cudaDeviceProp`: sizes in bytes, rates in kHz. */
export type CudaDeviceProp = {
  name: string;
  /** 16 bytes. */
  uuid: Uint8Array;
  totalGlobalMem: number;
} & { -readonly [Field in keyof typeof SCALARS]: number } & {
  -readonly [Field in keyof typeof VECTORS]: number[];
};

/**
 * Asks the device for its properties.
 * @throws CudaError if it doesn't answer
 */
export function readProperties(device: DeviceFile): CudaDeviceProp {
  device.beginWithout().setU32(DEVICE_PROPERTIES_DEVICE, device.ordinal);
  device.check(COMMAND_DEVICE_PROPERTIES);
  const name = device.getBytes(DEVICE_PROPERTIES_NAME, DEVICE_PROPERTIES_NAME_SIZE);
  const attribute = (number: number) => device.getI32(DEVICE_PROPERTIES_ATTRIBUTES + 4 * number);
  const properties: Record<string, unknown> = {
    name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
    uuid: device.getBytes(DEVICE_PROPERTIES_UUID, DEVICE_PROPERTIES_UUID_SIZE),
    totalGlobalMem: device.getU64(DEVICE_PROPERTIES_TOTAL_MEMORY),
  };
  for (const [field, number] of Object.entries(SCALARS)) properties[field] = attribute(number);
  for (const [field, numbers] of Object.entries(VECTORS))
    properties[field] = numbers.map(attribute);
  return properties as CudaDeviceProp;
}
