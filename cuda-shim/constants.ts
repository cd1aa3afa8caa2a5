/**
 * Constants of the CUDA runtime API by their own names (driver_types.h). Error and attribute numbers
 * are in the protocol's definitions.
 */

/** `cudaMemcpyKind`. */
export const cudaMemcpyHostToHost = 0;
export const cudaMemcpyHostToDevice = 1;
export const cudaMemcpyDeviceToHost = 2;
export const cudaMemcpyDeviceToDevice = 3;
/** The direction is told by the pointers. */
export const cudaMemcpyDefault = 4;

/** Flags of `cudaHostAlloc`. */
export const cudaHostAllocDefault = 0;
export const cudaHostAllocPortable = 1;
export const cudaHostAllocMapped = 2;
export const cudaHostAllocWriteCombined = 4;

/** Flags of `cudaMallocManaged`. */
export const cudaMemAttachGlobal = 1;
export const cudaMemAttachHost = 2;
export const cudaMemAttachSingle = 4;

/** `cudaMemoryType`. */
export const cudaMemoryTypeUnregistered = 0;
export const cudaMemoryTypeHost = 1;
export const cudaMemoryTypeDevice = 2;
export const cudaMemoryTypeManaged = 3;

/** Streams that every context has. */
export const cudaStreamLegacy = 1;
export const cudaStreamPerThread = 2;

/** CUDA version that the API follows (`CUDART_VERSION`). */
export const CUDART_VERSION = 13000;

/** Flags of streams. */
export const cudaStreamDefault = 0;
export const cudaStreamNonBlocking = 1;

/** Flags of events. */
export const cudaEventDefault = 0;
export const cudaEventBlockingSync = 1;
export const cudaEventDisableTiming = 2;
export const cudaEventInterprocess = 4;
export const cudaEventRecordDefault = 0;
export const cudaEventRecordExternal = 1;
export const cudaEventWaitDefault = 0;
export const cudaEventWaitExternal = 1;

/** `cudaFuncCache`. */
export const cudaFuncCachePreferNone = 0;
export const cudaFuncCachePreferShared = 1;
export const cudaFuncCachePreferL1 = 2;
export const cudaFuncCachePreferEqual = 3;

/** `cudaSharedMemConfig`. */
export const cudaSharedMemBankSizeDefault = 0;
export const cudaSharedMemBankSizeFourByte = 1;
export const cudaSharedMemBankSizeEightByte = 2;

/** `cudaFuncAttribute`. */
export const cudaFuncAttributeMaxDynamicSharedMemorySize = 8;
export const cudaFuncAttributePreferredSharedMemoryCarveout = 9;
export const cudaFuncAttributeClusterDimMustBeSet = 10;
export const cudaFuncAttributeRequiredClusterWidth = 11;
export const cudaFuncAttributeRequiredClusterHeight = 12;
export const cudaFuncAttributeRequiredClusterDepth = 13;
export const cudaFuncAttributeNonPortableClusterSizeAllowed = 14;
export const cudaFuncAttributeClusterSchedulingPolicyPreference = 15;

/** `cudaLimit`. */
export const cudaLimitStackSize = 0;
export const cudaLimitPrintfFifoSize = 1;
export const cudaLimitMallocHeapSize = 2;
export const cudaLimitDevRuntimeSyncDepth = 3;
export const cudaLimitDevRuntimePendingLaunchCount = 4;
export const cudaLimitMaxL2FetchGranularity = 5;
export const cudaLimitPersistingL2CacheSize = 6;

/** Flags of devices. */
export const cudaDeviceScheduleAuto = 0;
export const cudaDeviceScheduleSpin = 1;
export const cudaDeviceScheduleYield = 2;
export const cudaDeviceScheduleBlockingSync = 4;
export const cudaDeviceMapHost = 8;
export const cudaDeviceLmemResizeToMax = 16;
export const cudaDeviceSyncMemops = 128;

/** `cudaChannelFormatKind`. */
export const cudaChannelFormatKindSigned = 0;
export const cudaChannelFormatKindUnsigned = 1;
export const cudaChannelFormatKindFloat = 2;
export const cudaChannelFormatKindNone = 3;

/** `cudaMemPoolAttr`. */
export const cudaMemPoolReuseFollowEventDependencies = 1;
export const cudaMemPoolReuseAllowOpportunistic = 2;
export const cudaMemPoolReuseAllowInternalDependencies = 3;
export const cudaMemPoolAttrReleaseThreshold = 4;
export const cudaMemPoolAttrReservedMemCurrent = 5;
export const cudaMemPoolAttrReservedMemHigh = 6;
export const cudaMemPoolAttrUsedMemCurrent = 7;
export const cudaMemPoolAttrUsedMemHigh = 8;

/** `cudaMemAllocationType`, `cudaMemLocationType`, `cudaMemAllocationHandleType`. */
export const cudaMemAllocationTypePinned = 1;
export const cudaMemLocationTypeDevice = 1;
export const cudaMemHandleTypeNone = 0;

/** Flags of the occupancy calls. */
export const cudaOccupancyDefault = 0;
export const cudaOccupancyDisableCachingOverride = 1;

/** `cudaStreamCaptureMode` and `cudaStreamCaptureStatus`. */
export const cudaStreamCaptureModeGlobal = 0;
export const cudaStreamCaptureModeThreadLocal = 1;
export const cudaStreamCaptureModeRelaxed = 2;
export const cudaStreamCaptureStatusNone = 0;
export const cudaStreamCaptureStatusActive = 1;
export const cudaStreamCaptureStatusInvalidated = 2;
export const cudaStreamAddCaptureDependencies = 0;
export const cudaStreamSetCaptureDependencies = 1;

/** `cudaGraphNodeType`. */
export const cudaGraphNodeTypeKernel = 0;
export const cudaGraphNodeTypeMemcpy = 1;
export const cudaGraphNodeTypeMemset = 2;
export const cudaGraphNodeTypeHost = 3;
export const cudaGraphNodeTypeGraph = 4;
export const cudaGraphNodeTypeEmpty = 5;
export const cudaGraphNodeTypeWaitEvent = 6;
export const cudaGraphNodeTypeEventRecord = 7;
export const cudaGraphNodeTypeMemAlloc = 10;
export const cudaGraphNodeTypeMemFree = 11;
export const cudaGraphNodeTypeConditional = 13;

/** `cudaGraphConditionalNodeType`, and flags of conditions. */
export const cudaGraphCondTypeIf = 0;
export const cudaGraphCondTypeWhile = 1;
export const cudaGraphCondTypeSwitch = 2;
export const cudaGraphCondAssignDefault = 1;

/** `cudaGraphExecUpdateResult`. */
export const cudaGraphExecUpdateSuccess = 0;
export const cudaGraphExecUpdateError = 1;
export const cudaGraphExecUpdateErrorTopologyChanged = 2;
export const cudaGraphExecUpdateErrorNodeTypeChanged = 3;
export const cudaGraphExecUpdateErrorParametersChanged = 5;
export const cudaGraphExecUpdateErrorNotSupported = 6;

/** `cudaGraphInstantiateFlags` and `cudaGraphInstantiateResult`. */
export const cudaGraphInstantiateFlagAutoFreeOnLaunch = 1;
export const cudaGraphInstantiateFlagUpload = 2;
export const cudaGraphInstantiateFlagDeviceLaunch = 4;
export const cudaGraphInstantiateFlagUseNodePriority = 8;
export const cudaGraphInstantiateSuccess = 0;
export const cudaGraphInstantiateError = 1;

/** `cudaGraphMemAttributeType`. */
export const cudaGraphMemAttrUsedMemCurrent = 0;
export const cudaGraphMemAttrUsedMemHigh = 1;
export const cudaGraphMemAttrReservedMemCurrent = 2;
export const cudaGraphMemAttrReservedMemHigh = 3;

/** Flags of user objects, and of graphs that hold them. */
export const cudaUserObjectNoDestructorSync = 1;
export const cudaGraphUserObjectMove = 1;

/** `cudaLaunchAttributeID`; those of streams and of kernel nodes are the same. */
export const cudaLaunchAttributeIgnore = 0;
export const cudaLaunchAttributeAccessPolicyWindow = 1;
export const cudaLaunchAttributeCooperative = 2;
export const cudaLaunchAttributeSynchronizationPolicy = 3;
export const cudaLaunchAttributeClusterDimension = 4;
export const cudaLaunchAttributeProgrammaticStreamSerialization = 6;
export const cudaLaunchAttributePriority = 8;
export const cudaLaunchAttributeMemSyncDomainMap = 9;
export const cudaLaunchAttributeMemSyncDomain = 10;
export const cudaLaunchAttributePreferredSharedMemoryCarveout = 14;
export const cudaStreamAttributeAccessPolicyWindow = 1;
export const cudaStreamAttributeSynchronizationPolicy = 3;

/** `cudaMemRangeAttribute`, and devices that are none. */
export const cudaMemRangeAttributeReadMostly = 1;
export const cudaMemRangeAttributePreferredLocation = 2;
export const cudaMemRangeAttributeAccessedBy = 3;
export const cudaMemRangeAttributeLastPrefetchLocation = 4;
export const cudaMemRangeAttributePreferredLocationType = 5;
export const cudaMemRangeAttributePreferredLocationId = 6;
export const cudaMemRangeAttributeLastPrefetchLocationType = 7;
export const cudaMemRangeAttributeLastPrefetchLocationId = 8;
export const cudaCpuDeviceId = -1;
export const cudaInvalidDeviceId = -2;

/** `cudaMemoryAdvise`. */
export const cudaMemAdviseSetReadMostly = 1;
export const cudaMemAdviseUnsetReadMostly = 2;
export const cudaMemAdviseSetPreferredLocation = 3;
export const cudaMemAdviseUnsetPreferredLocation = 4;
export const cudaMemAdviseSetAccessedBy = 5;
export const cudaMemAdviseUnsetAccessedBy = 6;
export const cudaMemLocationTypeHost = 2;

// cudaDeviceP2PAttr
export const cudaDevP2PAttrPerformanceRank = 1;
export const cudaDevP2PAttrAccessSupported = 2;
export const cudaDevP2PAttrNativeAtomicSupported = 3;
export const cudaDevP2PAttrCudaArrayAccessSupported = 4;

// cudaMemAccessFlags
export const cudaMemAccessFlagsProtNone = 0;
export const cudaMemAccessFlagsProtRead = 1;
export const cudaMemAccessFlagsProtReadWrite = 3;

/** Flags of arrays. */
export const cudaArrayDefault = 0;
export const cudaArrayLayered = 1;
export const cudaArraySurfaceLoadStore = 2;
export const cudaArrayCubemap = 4;
export const cudaArrayTextureGather = 8;

/** `cudaResourceType`. */
export const cudaResourceTypeArray = 0;
export const cudaResourceTypeMipmappedArray = 1;
export const cudaResourceTypeLinear = 2;
export const cudaResourceTypePitch2D = 3;

/** `cudaTextureAddressMode`, `cudaTextureFilterMode`, `cudaTextureReadMode`. */
export const cudaAddressModeWrap = 0;
export const cudaAddressModeClamp = 1;
export const cudaAddressModeMirror = 2;
export const cudaAddressModeBorder = 3;
export const cudaFilterModePoint = 0;
export const cudaFilterModeLinear = 1;
export const cudaReadModeElementType = 0;
export const cudaReadModeNormalizedFloat = 1;
