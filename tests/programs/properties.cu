// The fields of cudaDeviceProp agree with the attributes that repeat them.
#include <cstdio>
#include <cuda_runtime.h>

#define SAME(field, attribute)                                                             \
  do {                                                                                     \
    int value;                                                                             \
    if (cudaDeviceGetAttribute(&value, cudaDevAttr##attribute, 0) != cudaSuccess) return 2; \
    if ((long long)p.field != (long long)value) {                                          \
      printf("%s: %lld, but %d\n", #field, (long long)p.field, value);                     \
      return 1;                                                                            \
    }                                                                                      \
  } while (0)

int main() {
  cudaDeviceProp p;
  if (cudaGetDeviceProperties(&p, 0) != cudaSuccess) return 3;
  SAME(sharedMemPerBlock, MaxSharedMemoryPerBlock);
  SAME(regsPerBlock, MaxRegistersPerBlock);
  SAME(warpSize, WarpSize);
  SAME(memPitch, MaxPitch);
  SAME(maxThreadsPerBlock, MaxThreadsPerBlock);
  SAME(maxThreadsDim[0], MaxBlockDimX);
  SAME(maxThreadsDim[2], MaxBlockDimZ);
  SAME(maxGridSize[0], MaxGridDimX);
  SAME(maxGridSize[1], MaxGridDimY);
  SAME(totalConstMem, TotalConstantMemory);
  SAME(major, ComputeCapabilityMajor);
  SAME(minor, ComputeCapabilityMinor);
  SAME(textureAlignment, TextureAlignment);
  SAME(texturePitchAlignment, TexturePitchAlignment);
  SAME(multiProcessorCount, MultiProcessorCount);
  SAME(integrated, Integrated);
  SAME(canMapHostMemory, CanMapHostMemory);
  SAME(maxTexture1D, MaxTexture1DWidth);
  SAME(maxTexture1DMipmap, MaxTexture1DMipmappedWidth);
  SAME(maxTexture2D[1], MaxTexture2DHeight);
  SAME(maxTexture2DMipmap[0], MaxTexture2DMipmappedWidth);
  SAME(maxTexture2DLinear[2], MaxTexture2DLinearPitch);
  SAME(maxTexture2DGather[1], MaxTexture2DGatherHeight);
  SAME(maxTexture3D[2], MaxTexture3DDepth);
  SAME(maxTexture3DAlt[0], MaxTexture3DWidthAlt);
  SAME(maxTextureCubemap, MaxTextureCubemapWidth);
  SAME(maxTexture1DLayered[1], MaxTexture1DLayeredLayers);
  SAME(maxTexture2DLayered[0], MaxTexture2DLayeredWidth);
  SAME(maxTextureCubemapLayered[1], MaxTextureCubemapLayeredLayers);
  SAME(maxSurface1D, MaxSurface1DWidth);
  SAME(maxSurface2D[1], MaxSurface2DHeight);
  SAME(maxSurface3D[2], MaxSurface3DDepth);
  SAME(maxSurface1DLayered[0], MaxSurface1DLayeredWidth);
  SAME(maxSurface2DLayered[2], MaxSurface2DLayeredLayers);
  SAME(maxSurfaceCubemap, MaxSurfaceCubemapWidth);
  SAME(maxSurfaceCubemapLayered[1], MaxSurfaceCubemapLayeredLayers);
  SAME(surfaceAlignment, SurfaceAlignment);
  SAME(concurrentKernels, ConcurrentKernels);
  SAME(ECCEnabled, EccEnabled);
  SAME(pciBusID, PciBusId);
  SAME(pciDeviceID, PciDeviceId);
  SAME(pciDomainID, PciDomainId);
  SAME(tccDriver, TccDriver);
  SAME(asyncEngineCount, AsyncEngineCount);
  SAME(unifiedAddressing, UnifiedAddressing);
  SAME(memoryBusWidth, GlobalMemoryBusWidth);
  SAME(l2CacheSize, L2CacheSize);
  SAME(persistingL2CacheMaxSize, MaxPersistingL2CacheSize);
  SAME(maxThreadsPerMultiProcessor, MaxThreadsPerMultiProcessor);
  SAME(streamPrioritiesSupported, StreamPrioritiesSupported);
  SAME(globalL1CacheSupported, GlobalL1CacheSupported);
  SAME(localL1CacheSupported, LocalL1CacheSupported);
  SAME(sharedMemPerMultiprocessor, MaxSharedMemoryPerMultiprocessor);
  SAME(regsPerMultiprocessor, MaxRegistersPerMultiprocessor);
  SAME(managedMemory, ManagedMemory);
  SAME(isMultiGpuBoard, IsMultiGpuBoard);
  SAME(multiGpuBoardGroupID, MultiGpuBoardGroupID);
  SAME(hostNativeAtomicSupported, HostNativeAtomicSupported);
  SAME(pageableMemoryAccess, PageableMemoryAccess);
  SAME(concurrentManagedAccess, ConcurrentManagedAccess);
  SAME(computePreemptionSupported, ComputePreemptionSupported);
  SAME(canUseHostPointerForRegisteredMem, CanUseHostPointerForRegisteredMem);
  SAME(cooperativeLaunch, CooperativeLaunch);
  SAME(sharedMemPerBlockOptin, MaxSharedMemoryPerBlockOptin);
  SAME(pageableMemoryAccessUsesHostPageTables, PageableMemoryAccessUsesHostPageTables);
  SAME(directManagedMemAccessFromHost, DirectManagedMemAccessFromHost);
  SAME(maxBlocksPerMultiProcessor, MaxBlocksPerMultiprocessor);
  SAME(accessPolicyMaxWindowSize, MaxAccessPolicyWindowSize);
  SAME(reservedSharedMemPerBlock, ReservedSharedMemoryPerBlock);
  SAME(hostRegisterSupported, HostRegisterSupported);
  SAME(sparseCudaArraySupported, SparseCudaArraySupported);
  SAME(hostRegisterReadOnlySupported, HostRegisterReadOnlySupported);
  SAME(timelineSemaphoreInteropSupported, TimelineSemaphoreInteropSupported);
  SAME(memoryPoolsSupported, MemoryPoolsSupported);
  SAME(gpuDirectRDMASupported, GPUDirectRDMASupported);
  SAME(memoryPoolSupportedHandleTypes, MemoryPoolSupportedHandleTypes);
  SAME(deferredMappingCudaArraySupported, DeferredMappingCudaArraySupported);
  SAME(ipcEventSupported, IpcEventSupport);
  SAME(clusterLaunch, ClusterLaunch);
  SAME(deviceNumaConfig, NumaConfig);
  SAME(deviceNumaId, NumaId);
  SAME(mpsEnabled, MpsEnabled);
  SAME(hostNumaId, HostNumaId);
  SAME(gpuPciDeviceID, GpuPciDeviceId);
  SAME(gpuPciSubsystemID, GpuPciSubsystemId);
  SAME(hostNumaMultinodeIpcSupported, HostNumaMultinodeIpcSupported);
  size_t available, total;
  if (cudaMemGetInfo(&available, &total) != cudaSuccess || total != p.totalGlobalMem) return 4;
  printf("properties passed\n");
}
