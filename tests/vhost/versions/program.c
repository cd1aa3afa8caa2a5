/*
 * A program as nvcc makes it, of CUDA VERSION (9000, 10020, 11080 or 12090), in plain C: with the
 * structures and the signatures that the public headers of that version have.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  unsigned x, y, z;
} dim3;

struct properties {
  char name[256];
#if VERSION >= 10000
  char uuid[16];
  char luid[8];
  unsigned luidDeviceNodeMask;
#endif
  size_t totalGlobalMem, sharedMemPerBlock;
  int regsPerBlock, warpSize;
  size_t memPitch;
  int maxThreadsPerBlock, maxThreadsDim[3], maxGridSize[3], clockRate;
  size_t totalConstMem;
  int major, minor;
  size_t textureAlignment, texturePitchAlignment;
  int deviceOverlap, multiProcessorCount, kernelExecTimeoutEnabled, integrated, canMapHostMemory;
  int computeMode, maxTexture1D, maxTexture1DMipmap, maxTexture1DLinear, maxTexture2D[2];
  int maxTexture2DMipmap[2], maxTexture2DLinear[3], maxTexture2DGather[2], maxTexture3D[3];
  int maxTexture3DAlt[3], maxTextureCubemap, maxTexture1DLayered[2], maxTexture2DLayered[3];
  int maxTextureCubemapLayered[2], maxSurface1D, maxSurface2D[2], maxSurface3D[3];
  int maxSurface1DLayered[2], maxSurface2DLayered[3], maxSurfaceCubemap;
  int maxSurfaceCubemapLayered[2];
  size_t surfaceAlignment;
  int concurrentKernels, ECCEnabled, pciBusID, pciDeviceID, pciDomainID, tccDriver;
  int asyncEngineCount, unifiedAddressing, memoryClockRate, memoryBusWidth, l2CacheSize;
#if VERSION >= 11000
  int persistingL2CacheMaxSize;
#endif
  int maxThreadsPerMultiProcessor, streamPrioritiesSupported, globalL1CacheSupported;
  int localL1CacheSupported;
  size_t sharedMemPerMultiprocessor;
  int regsPerMultiprocessor, managedMemory, isMultiGpuBoard, multiGpuBoardGroupID;
  int hostNativeAtomicSupported, singleToDoublePrecisionPerfRatio, pageableMemoryAccess;
  int concurrentManagedAccess, computePreemptionSupported, canUseHostPointerForRegisteredMem;
  int cooperativeLaunch, cooperativeMultiDeviceLaunch;
  size_t sharedMemPerBlockOptin;
#if VERSION >= 10000
  int pageableMemoryAccessUsesHostPageTables, directManagedMemAccessFromHost;
#endif
#if VERSION >= 11000
  int maxBlocksPerMultiProcessor, accessPolicyMaxWindowSize;
  size_t reservedSharedMemPerBlock;
#endif
#if VERSION >= 12000
  int hostRegisterSupported, sparseCudaArraySupported, hostRegisterReadOnlySupported;
  int timelineSemaphoreInteropSupported, memoryPoolsSupported, gpuDirectRDMASupported;
  unsigned gpuDirectRDMAFlushWritesOptions;
  int gpuDirectRDMAWritesOrdering;
  unsigned memoryPoolSupportedHandleTypes;
  int deferredMappingCudaArraySupported, ipcEventSupported, clusterLaunch;
  int unifiedFunctionPointers, reserved2[2], reserved1[1], reserved[60];
#endif
};

struct pointer_attributes {
#if VERSION < 11000
  int memoryType;
#endif
#if VERSION >= 10000
  int type;
#endif
  int device;
  void *devicePointer, *hostPointer;
#if VERSION < 11000
  int isManaged;
#endif
};

struct function_attributes {
  size_t sharedSizeBytes, constSizeBytes, localSizeBytes;
  int maxThreadsPerBlock, numRegs, ptxVersion, binaryVersion, cacheModeCA;
  int maxDynamicSharedSizeBytes, preferredShmemCarveout;
#if VERSION >= 12000
  int cluster[6], reserved[16];
#endif
};

int cudaRuntimeGetVersion(int *);
int cudaDriverGetVersion(int *);
#if VERSION >= 12000
#define cudaGetDeviceProperties cudaGetDeviceProperties_v2
#endif
int cudaGetDeviceProperties(struct properties *, int);
int cudaDeviceGetAttribute(int *, int, int);
int cudaPointerGetAttributes(struct pointer_attributes *, const void *);
int cudaFuncGetAttributes(struct function_attributes *, const void *);
int cudaMalloc(void **, size_t);
int cudaMallocManaged(void **, size_t, unsigned);
int cudaFree(void *);
int cudaMemcpy(void *, const void *, size_t, int);
int cudaMemPrefetchAsync(const void *, size_t, int, void *);
int cudaMemAdvise(const void *, size_t, int, int);
int cudaMemRangeGetAttribute(void *, size_t, int, const void *, size_t);
int cudaThreadSynchronize(void);
int cudaGetLastError(void);
int cudaStreamQuery(void *);
const char *cudaGetErrorName(int);
void **__cudaRegisterFatBinary(void *);
void __cudaUnregisterFatBinary(void **);
void __cudaRegisterFunction(void **, const char *, char *, const char *, int, void *, void *,
                            dim3 *, dim3 *, int *);
#if VERSION < 10000
int cudaConfigureCall(dim3, dim3, size_t, void *);
int cudaSetupArgument(const void *, size_t, size_t);
int cudaLaunch(const void *);
#define INVALID_VALUE 11
#define INVALID_DEVICE_FUNCTION 8
#else
int cudaLaunchKernel(const void *, dim3, dim3, void **, size_t, void *);
int cudaGraphCreate(void **, unsigned);
int cudaGraphAddEmptyNode(void **, void *, const void *const *, size_t);
int cudaGraphAddDependencies(void *, void **, void **, size_t);
int cudaGraphGetEdges(void *, void **, void **, size_t *);
int cudaGraphLaunch(void *, void *);
#if VERSION >= 12000
int cudaGraphInstantiate(void **, void *, unsigned long long);
struct update {
  int result;
  void *node, *from;
};
int cudaGraphExecUpdate(void *, void *, struct update *);
int cudaGraphGetEdges_v2(void *, void **, void **, char *, size_t *);
#else
int cudaGraphInstantiate(void **, void *, void **, char *, size_t);
int cudaGraphExecUpdate(void *, void *, void **, int *);
#endif
int cudaStreamGetCaptureInfo(void *, int *, unsigned long long *);
#define INVALID_VALUE 1
#define INVALID_DEVICE_FUNCTION 98
#endif

static int line_of_failure;
#define CHECK(condition)                                                  \
  do {                                                                    \
    if (!(condition)) return printf("line %d: %s\n", __LINE__, #condition), 1; \
  } while (0)

static const char ptx[] =
    ".version 6.0\n.target sm_60\n.address_size 64\n"
    ".visible .entry add(.param .u64 p, .param .u32 v) {\n"
    ".reg .u64 %rd<4>; .reg .u32 %r<4>;\n"
    "ld.param.u64 %rd1, [p]; ld.param.u32 %r1, [v]; mov.u32 %r2, %tid.x;\n"
    "mul.wide.u32 %rd2, %r2, 4; add.u64 %rd3, %rd1, %rd2;\n"
    "ld.global.u32 %r3, [%rd3]; add.u32 %r3, %r3, %r1; st.global.u32 [%rd3], %r3; ret;\n}\n";

/* A fat binary with that text, stored. */
static struct {
  uint32_t magic;
  uint16_t version, header;
  uint64_t bytes;
  struct {
    uint16_t kind, version;
    uint32_t header;
    uint64_t bytes;
    uint32_t compressed, options, minor_major, arch, name, name_bytes;
    uint64_t flags, zero, uncompressed;
  } entry;
  char text[(sizeof ptx + 7) / 8 * 8];
} fatbin = {0xba55ed50u, 1, 16, 64 + sizeof fatbin.text,
            {1, 0x101, 64, sizeof fatbin.text, 0, 0, 6, 60, 0, 0, 0, 0, 0}, {0}};
static struct {
  uint32_t magic, version;
  void *data, *more;
} wrapper = {0x466243b1u, 1, &fatbin, NULL};

static void add(void) {}
static int canary(const unsigned char *p, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    if (p[i] != 0xa5) return 0;
  }
  return 1;
}

static int check_properties(void) {
  static union {
    struct properties p;
    unsigned char bytes[sizeof(struct properties) + 256];
  } u;
  memset(&u, 0xa5, sizeof u);
  CHECK(cudaGetDeviceProperties(&u.p, 0) == 0);
  CHECK(canary(u.bytes + sizeof u.p, 256));
  const struct {
    int attribute, value;
  } same[] = {{75, u.p.major},
              {13, u.p.clockRate},
              {36, u.p.memoryClockRate},
              {37, u.p.memoryBusWidth},
              {16, u.p.multiProcessorCount},
              {20, u.p.computeMode},
              {69, u.p.maxTexture1DLinear},
              {87, u.p.singleToDoublePrecisionPerfRatio},
              {95, u.p.cooperativeLaunch},
              {97, (int)u.p.sharedMemPerBlockOptin},
              {39, u.p.maxThreadsPerMultiProcessor},
#if VERSION >= 10000
              {101, u.p.directManagedMemAccessFromHost},
#endif
#if VERSION >= 11000
              {111, (int)u.p.reservedSharedMemPerBlock},
              {108, u.p.persistingL2CacheMaxSize},
#endif
#if VERSION >= 12000
              {120, u.p.clusterLaunch},
              {115, u.p.memoryPoolsSupported},
              {41, u.p.unifiedFunctionPointers},
#endif
              {15, u.p.deviceOverlap}};
  for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
    int value;
    CHECK(cudaDeviceGetAttribute(&value, same[i].attribute, 0) == 0);
    if (value != same[i].value) line_of_failure = same[i].attribute;
    CHECK(value == same[i].value);
  }
  return 0;
}

static int check_memory(void) {
  struct {
    struct pointer_attributes a;
    unsigned char after[64];
  } u;
  void *managed;
  int at = -3;
  CHECK(cudaMallocManaged(&managed, 4096, 1) == 0);
  memset(&u, 0xa5, sizeof u);
  CHECK(cudaPointerGetAttributes(&u.a, managed) == 0);
  CHECK(canary(u.after, sizeof u.after));
  CHECK(u.a.device == 0 && u.a.devicePointer == managed && u.a.hostPointer == managed);
#if VERSION < 11000
  CHECK(u.a.memoryType == 2 && u.a.isManaged == 1);
  CHECK(cudaPointerGetAttributes(&u.a, &at) == INVALID_VALUE);
  CHECK(cudaGetLastError() == INVALID_VALUE);
#else
  CHECK(cudaPointerGetAttributes(&u.a, &at) == 0 && u.a.type == 0);
#endif
#if VERSION >= 10000 && VERSION < 11000
  CHECK(cudaPointerGetAttributes(&u.a, managed) == 0 && u.a.type == 3);
#endif
  CHECK(cudaMemPrefetchAsync(managed, 4096, -1, NULL) == 0);
  CHECK(cudaMemRangeGetAttribute(&at, sizeof at, 4, managed, 4096) == 0 && at == -1);
  CHECK(cudaMemAdvise(managed, 4096, 3, 0) == 0);
  CHECK(cudaMemRangeGetAttribute(&at, sizeof at, 2, managed, 4096) == 0 && at == 0);
  CHECK(cudaFree(managed) == 0);
  CHECK(cudaFree(managed) == INVALID_VALUE && cudaGetLastError() == INVALID_VALUE);
  CHECK(strcmp(cudaGetErrorName(INVALID_VALUE), "cudaErrorInvalidValue") == 0);
  return 0;
}

static int launch(const void *function, int *x, int value) {
  dim3 grid = {1, 1, 1}, block = {32, 1, 1};
#if VERSION < 10000
  CHECK(cudaConfigureCall(grid, block, 0, NULL) == 0);
  CHECK(cudaSetupArgument(&x, sizeof x, 0) == 0 && cudaSetupArgument(&value, 4, 8) == 0);
  return cudaLaunch(function);
#else
  void *args[] = {&x, &value};
  return cudaLaunchKernel(function, grid, block, args, 0, NULL);
#endif
}

static int check_kernel(void) {
  int *x, host[32];
  struct {
    struct function_attributes a;
    unsigned char after[64];
  } u;
  memset(&u, 0xa5, sizeof u);
  CHECK(cudaFuncGetAttributes(&u.a, (const void *)add) == 0);
  CHECK(canary(u.after, sizeof u.after));
  CHECK(u.a.maxThreadsPerBlock == 1024 && u.a.maxDynamicSharedSizeBytes > 0);
  for (int i = 0; i < 32; i++) host[i] = i;
  CHECK(cudaMalloc((void **)&x, sizeof host) == 0);
  CHECK(cudaMemcpy(x, host, sizeof host, 1) == 0);
  CHECK(launch((const void *)add, x, 7) == 0);
  CHECK(cudaThreadSynchronize() == 0 && cudaStreamQuery(NULL) == 0);
  CHECK(cudaMemcpy(host, x, sizeof host, 2) == 0);
  for (int i = 0; i < 32; i++) CHECK(host[i] == i + 7);
  CHECK(launch((const void *)cudaFree, x, 7) == INVALID_DEVICE_FUNCTION);
  CHECK(cudaGetLastError() == INVALID_DEVICE_FUNCTION && cudaGetLastError() == 0);
  return 0;
}

static int check_graphs(void) {
#if VERSION >= 10000
  void *graph, *exec, *nodes[2], *from[1], *to[1];
  size_t edges = 1;
  int status = 7;
  unsigned long long id;
  CHECK(cudaGraphCreate(&graph, 0) == 0);
  for (int i = 0; i < 2; i++) CHECK(cudaGraphAddEmptyNode(&nodes[i], graph, NULL, 0) == 0);
  CHECK(cudaGraphAddDependencies(graph, &nodes[0], &nodes[1], 1) == 0);
  CHECK(cudaGraphGetEdges(graph, from, to, &edges) == 0 && edges == 1 && from[0] == nodes[0]);
#if VERSION >= 12000
  struct update update = {7, graph, graph};
  char data[8] = "........";
  CHECK(cudaGraphGetEdges_v2(graph, from, to, data, &edges) == 0 && data[0] == 0 && data[7] == 0);
  CHECK(cudaGraphInstantiate(&exec, graph, 0) == 0);
  CHECK(cudaGraphExecUpdate(exec, graph, &update) == 0);
  CHECK(update.result == 0 && update.node == NULL && update.from == NULL);
#else
  void *node = graph;
  char log[16] = "untouched";
  int result = 7;
  CHECK(cudaGraphInstantiate(&exec, graph, &node, log, sizeof log) == 0);
  CHECK(node == NULL && log[0] == 0);
  CHECK(cudaGraphExecUpdate(exec, graph, &node, &result) == 0 && result == 0);
#endif
  CHECK(cudaGraphLaunch(exec, NULL) == 0);
  CHECK(cudaStreamGetCaptureInfo(NULL, &status, &id) == 0 && status == 0);
#endif
  return 0;
}

int main(void) {
  int version, driver;
  memcpy(fatbin.text, ptx, sizeof ptx);
  void **module = __cudaRegisterFatBinary(&wrapper);
  __cudaRegisterFunction(module, (const char *)add, "add", "add", -1, 0, 0, 0, 0, 0);
  CHECK(cudaRuntimeGetVersion(&version) == 0 && version == VERSION);
  CHECK(cudaDriverGetVersion(&driver) == 0 && driver >= version);
  if (check_properties()) return printf("attribute %d\n", line_of_failure), 1;
  if (check_memory() || check_kernel() || check_graphs()) return 1;
  __cudaUnregisterFatBinary(module);
  puts("passed");
  return 0;
}
