/*
 * cudaDeviceProp as programs of CUDA PROPERTIES_VERSION have it, filled from the device's attributes.
 * It is included with that and with PROPERTIES_NAME(x), which gives what it defines a name of its own;
 * a library that serves programs of two versions includes it twice.
 */
#define PROPERTIES PROPERTIES_NAME(device_properties)
#define FILL PROPERTIES_NAME(fill)
#define GET PROPERTIES_NAME(get_properties)

struct PROPERTIES {
  char name[256];
#if PROPERTIES_VERSION >= 10000
  uint8_t uuid[16];
  char luid[8];
  unsigned int luidDeviceNodeMask;
#endif
  size_t totalGlobalMem;
  size_t sharedMemPerBlock;
  int regsPerBlock;
  int warpSize;
  size_t memPitch;
  int maxThreadsPerBlock;
  int maxThreadsDim[3];
  int maxGridSize[3];
#if PROPERTIES_VERSION < 13000
  int clockRate;
#endif
  size_t totalConstMem;
  int major;
  int minor;
  size_t textureAlignment;
  size_t texturePitchAlignment;
#if PROPERTIES_VERSION < 13000
  int deviceOverlap;
#endif
  int multiProcessorCount;
#if PROPERTIES_VERSION < 13000
  int kernelExecTimeoutEnabled;
#endif
  int integrated;
  int canMapHostMemory;
#if PROPERTIES_VERSION < 13000
  int computeMode;
#endif
  int maxTexture1D;
  int maxTexture1DMipmap;
#if PROPERTIES_VERSION < 13000
  int maxTexture1DLinear;
#endif
  int maxTexture2D[2];
  int maxTexture2DMipmap[2];
  int maxTexture2DLinear[3];
  int maxTexture2DGather[2];
  int maxTexture3D[3];
  int maxTexture3DAlt[3];
  int maxTextureCubemap;
  int maxTexture1DLayered[2];
  int maxTexture2DLayered[3];
  int maxTextureCubemapLayered[2];
  int maxSurface1D;
  int maxSurface2D[2];
  int maxSurface3D[3];
  int maxSurface1DLayered[2];
  int maxSurface2DLayered[3];
  int maxSurfaceCubemap;
  int maxSurfaceCubemapLayered[2];
  size_t surfaceAlignment;
  int concurrentKernels;
  int ECCEnabled;
  int pciBusID;
  int pciDeviceID;
  int pciDomainID;
  int tccDriver;
  int asyncEngineCount;
  int unifiedAddressing;
#if PROPERTIES_VERSION < 13000
  int memoryClockRate;
#endif
  int memoryBusWidth;
  int l2CacheSize;
#if PROPERTIES_VERSION >= 11000
  int persistingL2CacheMaxSize;
#endif
  int maxThreadsPerMultiProcessor;
  int streamPrioritiesSupported;
  int globalL1CacheSupported;
  int localL1CacheSupported;
  size_t sharedMemPerMultiprocessor;
  int regsPerMultiprocessor;
  int managedMemory;
  int isMultiGpuBoard;
  int multiGpuBoardGroupID;
  int hostNativeAtomicSupported;
#if PROPERTIES_VERSION < 13000
  int singleToDoublePrecisionPerfRatio;
#endif
  int pageableMemoryAccess;
  int concurrentManagedAccess;
  int computePreemptionSupported;
  int canUseHostPointerForRegisteredMem;
  int cooperativeLaunch;
#if PROPERTIES_VERSION < 13000
  int cooperativeMultiDeviceLaunch;
#endif
  size_t sharedMemPerBlockOptin;
#if PROPERTIES_VERSION >= 9020
  int pageableMemoryAccessUsesHostPageTables;
  int directManagedMemAccessFromHost;
#endif
#if PROPERTIES_VERSION >= 11000
  int maxBlocksPerMultiProcessor;
  int accessPolicyMaxWindowSize;
  size_t reservedSharedMemPerBlock;
#endif
#if PROPERTIES_VERSION >= 12000
  int hostRegisterSupported;
  int sparseCudaArraySupported;
  int hostRegisterReadOnlySupported;
  int timelineSemaphoreInteropSupported;
  int memoryPoolsSupported;
  int gpuDirectRDMASupported;
  unsigned int gpuDirectRDMAFlushWritesOptions;
  int gpuDirectRDMAWritesOrdering;
  unsigned int memoryPoolSupportedHandleTypes;
  int deferredMappingCudaArraySupported;
  int ipcEventSupported;
  int clusterLaunch;
  int unifiedFunctionPointers;
#endif
#if PROPERTIES_VERSION >= 13000
  int deviceNumaConfig;
  int deviceNumaId;
  int mpsEnabled;
  int hostNumaId;
  unsigned int gpuPciDeviceID;
  unsigned int gpuPciSubsystemID;
  int hostNumaMultinodeIpcSupported;
  int reserved[56];
#elif PROPERTIES_VERSION >= 12000
  int reserved[63];
#endif
};

/* The attribute that each field repeats. */
static void FILL(struct PROPERTIES *p, const int32_t *a) {
  p->sharedMemPerBlock = (size_t)a[cudaDevAttrMaxSharedMemoryPerBlock];
  p->regsPerBlock = a[cudaDevAttrMaxRegistersPerBlock];
  p->warpSize = a[cudaDevAttrWarpSize];
  p->memPitch = (size_t)a[cudaDevAttrMaxPitch];
  p->maxThreadsPerBlock = a[cudaDevAttrMaxThreadsPerBlock];
  p->totalConstMem = (size_t)a[cudaDevAttrTotalConstantMemory];
  p->major = a[cudaDevAttrComputeCapabilityMajor];
  p->minor = a[cudaDevAttrComputeCapabilityMinor];
  p->textureAlignment = (size_t)a[cudaDevAttrTextureAlignment];
  p->texturePitchAlignment = (size_t)a[cudaDevAttrTexturePitchAlignment];
  p->multiProcessorCount = a[cudaDevAttrMultiProcessorCount];
  p->integrated = a[cudaDevAttrIntegrated];
  p->canMapHostMemory = a[cudaDevAttrCanMapHostMemory];
  p->maxTexture1D = a[cudaDevAttrMaxTexture1DWidth];
  p->maxTexture1DMipmap = a[cudaDevAttrMaxTexture1DMipmappedWidth];
  p->maxTextureCubemap = a[cudaDevAttrMaxTextureCubemapWidth];
  p->maxSurface1D = a[cudaDevAttrMaxSurface1DWidth];
  p->maxSurfaceCubemap = a[cudaDevAttrMaxSurfaceCubemapWidth];
  p->surfaceAlignment = (size_t)a[cudaDevAttrSurfaceAlignment];
  p->concurrentKernels = a[cudaDevAttrConcurrentKernels];
  p->ECCEnabled = a[cudaDevAttrEccEnabled];
  p->pciBusID = a[cudaDevAttrPciBusId];
  p->pciDeviceID = a[cudaDevAttrPciDeviceId];
  p->pciDomainID = a[cudaDevAttrPciDomainId];
  p->tccDriver = a[cudaDevAttrTccDriver];
  p->asyncEngineCount = a[cudaDevAttrAsyncEngineCount];
  p->unifiedAddressing = a[cudaDevAttrUnifiedAddressing];
  p->memoryBusWidth = a[cudaDevAttrGlobalMemoryBusWidth];
  p->l2CacheSize = a[cudaDevAttrL2CacheSize];
  p->maxThreadsPerMultiProcessor = a[cudaDevAttrMaxThreadsPerMultiProcessor];
  p->streamPrioritiesSupported = a[cudaDevAttrStreamPrioritiesSupported];
  p->globalL1CacheSupported = a[cudaDevAttrGlobalL1CacheSupported];
  p->localL1CacheSupported = a[cudaDevAttrLocalL1CacheSupported];
  p->sharedMemPerMultiprocessor = (size_t)a[cudaDevAttrMaxSharedMemoryPerMultiprocessor];
  p->regsPerMultiprocessor = a[cudaDevAttrMaxRegistersPerMultiprocessor];
  p->managedMemory = a[cudaDevAttrManagedMemory];
  p->isMultiGpuBoard = a[cudaDevAttrIsMultiGpuBoard];
  p->multiGpuBoardGroupID = a[cudaDevAttrMultiGpuBoardGroupID];
  p->hostNativeAtomicSupported = a[cudaDevAttrHostNativeAtomicSupported];
  p->pageableMemoryAccess = a[cudaDevAttrPageableMemoryAccess];
  p->concurrentManagedAccess = a[cudaDevAttrConcurrentManagedAccess];
  p->computePreemptionSupported = a[cudaDevAttrComputePreemptionSupported];
  p->canUseHostPointerForRegisteredMem = a[cudaDevAttrCanUseHostPointerForRegisteredMem];
  p->cooperativeLaunch = a[cudaDevAttrCooperativeLaunch];
  p->sharedMemPerBlockOptin = (size_t)a[cudaDevAttrMaxSharedMemoryPerBlockOptin];
  p->maxThreadsDim[0] = a[cudaDevAttrMaxBlockDimX];
  p->maxThreadsDim[1] = a[cudaDevAttrMaxBlockDimY];
  p->maxThreadsDim[2] = a[cudaDevAttrMaxBlockDimZ];
  p->maxGridSize[0] = a[cudaDevAttrMaxGridDimX];
  p->maxGridSize[1] = a[cudaDevAttrMaxGridDimY];
  p->maxGridSize[2] = a[cudaDevAttrMaxGridDimZ];
  p->maxTexture2D[0] = a[cudaDevAttrMaxTexture2DWidth];
  p->maxTexture2D[1] = a[cudaDevAttrMaxTexture2DHeight];
  p->maxTexture2DMipmap[0] = a[cudaDevAttrMaxTexture2DMipmappedWidth];
  p->maxTexture2DMipmap[1] = a[cudaDevAttrMaxTexture2DMipmappedHeight];
  p->maxTexture2DLinear[0] = a[cudaDevAttrMaxTexture2DLinearWidth];
  p->maxTexture2DLinear[1] = a[cudaDevAttrMaxTexture2DLinearHeight];
  p->maxTexture2DLinear[2] = a[cudaDevAttrMaxTexture2DLinearPitch];
  p->maxTexture2DGather[0] = a[cudaDevAttrMaxTexture2DGatherWidth];
  p->maxTexture2DGather[1] = a[cudaDevAttrMaxTexture2DGatherHeight];
  p->maxTexture3D[0] = a[cudaDevAttrMaxTexture3DWidth];
  p->maxTexture3D[1] = a[cudaDevAttrMaxTexture3DHeight];
  p->maxTexture3D[2] = a[cudaDevAttrMaxTexture3DDepth];
  p->maxTexture3DAlt[0] = a[cudaDevAttrMaxTexture3DWidthAlt];
  p->maxTexture3DAlt[1] = a[cudaDevAttrMaxTexture3DHeightAlt];
  p->maxTexture3DAlt[2] = a[cudaDevAttrMaxTexture3DDepthAlt];
  p->maxTexture1DLayered[0] = a[cudaDevAttrMaxTexture1DLayeredWidth];
  p->maxTexture1DLayered[1] = a[cudaDevAttrMaxTexture1DLayeredLayers];
  p->maxTexture2DLayered[0] = a[cudaDevAttrMaxTexture2DLayeredWidth];
  p->maxTexture2DLayered[1] = a[cudaDevAttrMaxTexture2DLayeredHeight];
  p->maxTexture2DLayered[2] = a[cudaDevAttrMaxTexture2DLayeredLayers];
  p->maxTextureCubemapLayered[0] = a[cudaDevAttrMaxTextureCubemapLayeredWidth];
  p->maxTextureCubemapLayered[1] = a[cudaDevAttrMaxTextureCubemapLayeredLayers];
  p->maxSurface2D[0] = a[cudaDevAttrMaxSurface2DWidth];
  p->maxSurface2D[1] = a[cudaDevAttrMaxSurface2DHeight];
  p->maxSurface3D[0] = a[cudaDevAttrMaxSurface3DWidth];
  p->maxSurface3D[1] = a[cudaDevAttrMaxSurface3DHeight];
  p->maxSurface3D[2] = a[cudaDevAttrMaxSurface3DDepth];
  p->maxSurface1DLayered[0] = a[cudaDevAttrMaxSurface1DLayeredWidth];
  p->maxSurface1DLayered[1] = a[cudaDevAttrMaxSurface1DLayeredLayers];
  p->maxSurface2DLayered[0] = a[cudaDevAttrMaxSurface2DLayeredWidth];
  p->maxSurface2DLayered[1] = a[cudaDevAttrMaxSurface2DLayeredHeight];
  p->maxSurface2DLayered[2] = a[cudaDevAttrMaxSurface2DLayeredLayers];
  p->maxSurfaceCubemapLayered[0] = a[cudaDevAttrMaxSurfaceCubemapLayeredWidth];
  p->maxSurfaceCubemapLayered[1] = a[cudaDevAttrMaxSurfaceCubemapLayeredLayers];
#if PROPERTIES_VERSION >= 9020
  p->pageableMemoryAccessUsesHostPageTables = a[cudaDevAttrPageableMemoryAccessUsesHostPageTables];
  p->directManagedMemAccessFromHost = a[cudaDevAttrDirectManagedMemAccessFromHost];
#endif
#if PROPERTIES_VERSION >= 11000
  p->persistingL2CacheMaxSize = a[cudaDevAttrMaxPersistingL2CacheSize];
  p->maxBlocksPerMultiProcessor = a[cudaDevAttrMaxBlocksPerMultiprocessor];
  p->accessPolicyMaxWindowSize = a[cudaDevAttrMaxAccessPolicyWindowSize];
  p->reservedSharedMemPerBlock = (size_t)a[cudaDevAttrReservedSharedMemoryPerBlock];
#endif
#if PROPERTIES_VERSION >= 12000
  p->hostRegisterSupported = a[cudaDevAttrHostRegisterSupported];
  p->sparseCudaArraySupported = a[cudaDevAttrSparseCudaArraySupported];
  p->hostRegisterReadOnlySupported = a[cudaDevAttrHostRegisterReadOnlySupported];
  p->timelineSemaphoreInteropSupported = a[cudaDevAttrTimelineSemaphoreInteropSupported];
  p->memoryPoolsSupported = a[cudaDevAttrMemoryPoolsSupported];
  p->gpuDirectRDMASupported = a[cudaDevAttrGPUDirectRDMASupported];
  p->gpuDirectRDMAFlushWritesOptions = (unsigned int)a[cudaDevAttrGPUDirectRDMAFlushWritesOptions];
  p->gpuDirectRDMAWritesOrdering = a[cudaDevAttrGPUDirectRDMAWritesOrdering];
  p->memoryPoolSupportedHandleTypes = (unsigned int)a[cudaDevAttrMemoryPoolSupportedHandleTypes];
  p->deferredMappingCudaArraySupported = a[cudaDevAttrDeferredMappingCudaArraySupported];
  p->ipcEventSupported = a[cudaDevAttrIpcEventSupport];
  p->clusterLaunch = a[cudaDevAttrClusterLaunch];
  p->unifiedFunctionPointers = a[cudaDevAttrUnifiedAddressing];
#endif
#if PROPERTIES_VERSION >= 13000
  p->deviceNumaConfig = a[cudaDevAttrNumaConfig];
  p->deviceNumaId = a[cudaDevAttrNumaId];
  p->mpsEnabled = a[cudaDevAttrMpsEnabled];
  p->hostNumaId = a[cudaDevAttrHostNumaId];
  p->gpuPciDeviceID = (unsigned int)a[cudaDevAttrGpuPciDeviceId];
  p->gpuPciSubsystemID = (unsigned int)a[cudaDevAttrGpuPciSubsystemId];
  p->hostNumaMultinodeIpcSupported = a[cudaDevAttrHostNumaMultinodeIpcSupported];
#endif
#if PROPERTIES_VERSION < 13000
  p->clockRate = a[cudaDevAttrClockRate];
  p->deviceOverlap = a[cudaDevAttrGpuOverlap];
  p->kernelExecTimeoutEnabled = a[cudaDevAttrKernelExecTimeout];
  p->computeMode = a[cudaDevAttrComputeMode];
  p->maxTexture1DLinear = a[cudaDevAttrMaxTexture1DLinearWidth];
  p->memoryClockRate = a[cudaDevAttrMemoryClockRate];
  p->singleToDoublePrecisionPerfRatio = a[cudaDevAttrSingleToDoublePrecisionPerfRatio];
#endif
}

static cudaError_t GET(struct PROPERTIES *p, int device) {
  struct wr_call c;
  int32_t attributes[DEVICE_ATTRIBUTE_COUNT];
  if (p == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(wr_begin_without(&c));
  wr_put32(&c, DEVICE_PROPERTIES_DEVICE, (uint32_t)device);
  WR_TRY(wr_send(&c, COMMAND_DEVICE_PROPERTIES));
  memcpy(attributes, c.response + DEVICE_PROPERTIES_ATTRIBUTES, sizeof attributes);
  memset(p, 0, sizeof *p);
  memcpy(p->name, c.response + DEVICE_PROPERTIES_NAME, sizeof p->name);
#if PROPERTIES_VERSION >= 10000
  memcpy(p->uuid, c.response + DEVICE_PROPERTIES_UUID, sizeof p->uuid);
#endif
  p->totalGlobalMem = wr_get64(&c, DEVICE_PROPERTIES_TOTAL_MEMORY);
  FILL(p, attributes);
  return cudaSuccess;
}

#undef PROPERTIES
#undef FILL
#undef GET
#undef PROPERTIES_VERSION
#undef PROPERTIES_NAME
