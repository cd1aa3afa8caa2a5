// Which calls answer what: after a fault of a kernel, in a thread with errors behind it, while a stream is
// captured, for memory of every kind. Each part runs in a process of its own and prints numbers, which are
// held against those of an H100.
#include <cassert>
#include <cstring>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include "check.h"

__constant__ int constant[4];
__global__ void nothing() {}
__global__ void wild(int *x) { *x = 1; }
__global__ void crooked(char *x) { *(int *)(x + 1) = 1; }
__global__ void trap() { asm("trap;"); }
__global__ void asserts(int x) { assert(x == 0); }
__global__ void shared_wild(int i) {
  extern __shared__ int words[];
  words[i] = 1;
}
__device__ __noinline__ int descend(int *x, int n) {
  volatile int own[64];
  for (int i = 0; i < 64; i++) own[i] = x[i % 4] + i;
  return n == 0 ? own[x[0]] : descend(x, n - 1) + own[n % 64];
}
__global__ void deep(int *x, int n) { x[0] = descend(x, n); }
__global__ void surface_wild(cudaSurfaceObject_t s) { surf1Dwrite<int>(1, s, 4000); }
static void CUDART_CB host(void *) {}

static const char *part;
// The number that a call answers; with the last error, which is taken.
#define SAY(e) printf("%s: %s = %d\n", part, #e, (int)(e))
#define LAST(e)                                                                                  \
  do {                                                                                           \
    int answer_ = (int)(e), last_ = (int)cudaGetLastError();                                     \
    printf("%s: %s = %d, last %d\n", part, #e, answer_, last_);                                  \
  } while (0)

static cudaSurfaceObject_t surface() {
  cudaArray_t a;
  cudaChannelFormatDesc d = cudaCreateChannelDesc<int>();
  CHECK(cudaMallocArray(&a, &d, 20, 0, cudaArraySurfaceLoadStore));
  cudaResourceDesc r = {};
  r.resType = cudaResourceTypeArray;
  r.res.array.array = a;
  cudaSurfaceObject_t s;
  CHECK(cudaCreateSurfaceObject(&s, &r));
  return s;
}

static void after_fault(const char *kind) {
  int *x, *y, *pinned, *managed, number, host_x[4] = {};
  cudaStream_t s, t;
  cudaEvent_t e, before, other;
  cudaGraph_t g, h;
  cudaGraphExec_t exec, exec2;
  cudaGraphNode_t node;
  cudaDeviceProp prop;
  cudaFuncAttributes fa;
  cudaPointerAttributes pa;
  cudaMemPool_t pool;
  cudaStreamCaptureStatus status;
  size_t bytes, total;
  float ms;
  void *symbol;
  CHECK(cudaMalloc(&x, 64));
  CHECK(cudaMallocHost(&pinned, 64));
  CHECK(cudaMallocManaged(&managed, 64));
  CHECK(cudaStreamCreate(&s));
  CHECK(cudaEventCreate(&before));
  CHECK(cudaEventCreate(&e));
  CHECK(cudaEventRecord(before, s));
  CHECK(cudaGraphCreate(&g, 0));
  CHECK(cudaGraphAddEmptyNode(&node, g, nullptr, 0));
  CHECK(cudaGraphInstantiate(&exec, g, 0));
  CHECK(cudaDeviceSynchronize());
  if (!strcmp(kind, "wild")) wild<<<1, 1, 0, s>>>((int *)0x123400000000);
  if (!strcmp(kind, "null")) wild<<<1, 1, 0, s>>>(nullptr);
  if (!strcmp(kind, "crooked")) crooked<<<1, 1, 0, s>>>((char *)x);
  if (!strcmp(kind, "trap")) trap<<<1, 1, 0, s>>>();
  if (!strcmp(kind, "assert")) asserts<<<1, 1, 0, s>>>(1);
  if (!strcmp(kind, "shared")) shared_wild<<<1, 1, 64, s>>>(1 << 28);
  if (!strcmp(kind, "shared-near")) shared_wild<<<1, 1, 64, s>>>(100000);
  if (!strcmp(kind, "shared-below")) shared_wild<<<1, 1, 64, s>>>(-100000);
  if (!strcmp(kind, "stack")) deep<<<1, 1, 0, s>>>(x, 1 << 28);
  if (!strcmp(kind, "surface")) surface_wild<<<1, 1, 0, s>>>(surface());
  SAY(cudaEventRecord(e, s));
  SAY(cudaStreamSynchronize(s));
  SAY(cudaGetLastError());
  SAY(cudaGetLastError());
  SAY(cudaPeekAtLastError());
  SAY(cudaDeviceSynchronize());
  SAY(cudaStreamSynchronize(nullptr));
  SAY(cudaStreamQuery(s));
  SAY(cudaStreamQuery(nullptr));
  SAY(cudaEventQuery(before));
  SAY(cudaEventQuery(e));
  SAY(cudaEventSynchronize(before));
  SAY(cudaEventElapsedTime(&ms, before, e));
  SAY(cudaEventCreate(&other));
  SAY(cudaEventRecord(before, s));
  SAY(cudaEventDestroy(e));
  SAY(cudaStreamCreate(&t));
  SAY(cudaStreamWaitEvent(s, before, 0));
  SAY(cudaStreamGetPriority(s, &number));
  SAY(cudaStreamIsCapturing(s, &status));
  SAY(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
  SAY(cudaLaunchHostFunc(s, host, nullptr));
  SAY(cudaMalloc(&y, 64));
  SAY(cudaMallocHost(&y, 64));
  SAY(cudaHostAlloc(&y, 64, 0));
  SAY(cudaMallocManaged(&y, 64));
  SAY(cudaMallocAsync(&y, 64, s));
  SAY(cudaMemcpy(host_x, x, 16, cudaMemcpyDeviceToHost));
  SAY(cudaMemcpy(host_x, host_x + 2, 8, cudaMemcpyHostToHost));
  SAY(cudaMemcpyAsync(x, pinned, 16, cudaMemcpyHostToDevice, s));
  SAY(cudaMemset(x, 0, 16));
  SAY(cudaMemcpyToSymbol(constant, host_x, 16));
  SAY(cudaGetSymbolAddress(&symbol, constant));
  SAY(cudaMemGetInfo(&bytes, &total));
  SAY(cudaPointerGetAttributes(&pa, x));
  SAY(cudaPointerGetAttributes(&pa, host_x));
  SAY(cudaFuncGetAttributes(&fa, nothing));
  SAY(cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, 1024));
  SAY(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&number, nothing, 32, 0));
  nothing<<<1, 1>>>();
  SAY(cudaGetLastError());
  nothing<<<1, 2000>>>();
  SAY(cudaGetLastError());
  SAY(cudaGraphCreate(&h, 0));
  SAY(cudaGraphAddEmptyNode(&node, g, nullptr, 0));
  SAY(cudaGraphInstantiate(&exec2, g, 0));
  SAY(cudaGraphLaunch(exec, s));
  SAY(cudaGraphExecDestroy(exec));
  SAY(cudaGraphDestroy(g));
  SAY(cudaGetDevice(&number));
  SAY(cudaSetDevice(0));
  SAY(cudaSetDevice(9));
  SAY(cudaGetDeviceCount(&number));
  SAY(cudaGetDeviceProperties(&prop, 0));
  SAY(cudaDeviceGetAttribute(&number, cudaDevAttrWarpSize, 0));
  SAY(cudaDriverGetVersion(&number));
  SAY(cudaRuntimeGetVersion(&number));
  SAY(cudaDeviceGetLimit(&bytes, cudaLimitStackSize));
  SAY(cudaDeviceSetLimit(cudaLimitStackSize, 2048));
  SAY(cudaDeviceGetStreamPriorityRange(&number, &number));
  SAY(cudaDeviceGetDefaultMemPool(&pool, 0));
  SAY(cudaGetDeviceFlags((unsigned *)&number));
  SAY(cudaFree(nullptr));
  SAY(cudaFree(x));
  SAY(cudaFreeHost(pinned));
  SAY(cudaFreeAsync(managed, s));
  SAY(cudaFree(managed));
  SAY(cudaStreamDestroy(s));
  SAY(cudaEventDestroy(before));
  SAY(cudaGetLastError());
  SAY(cudaDeviceReset());
  SAY(cudaGetLastError());
  SAY(cudaMalloc(&x, 64));
  nothing<<<1, 1>>>();
  SAY(cudaGetLastError());
  SAY(cudaDeviceSynchronize());
}

static void last_errors() {
  int *x, number;
  cudaStream_t s;
  cudaEvent_t e, unrecorded, untimed, timed;
  cudaDeviceProp prop;
  float ms;
  CHECK(cudaStreamCreate(&s));
  CHECK(cudaEventCreate(&e));
  CHECK(cudaEventCreate(&unrecorded));
  CHECK(cudaEventCreate(&timed));
  CHECK(cudaEventCreateWithFlags(&untimed, cudaEventDisableTiming));
  CHECK(cudaMalloc(&x, 1024));
  CHECK(cudaEventRecord(e, s));
  CHECK(cudaEventRecord(timed, s));
  CHECK(cudaDeviceSynchronize());
  LAST(cudaEventElapsedTime(&ms, unrecorded, e));
  CHECK(cudaEventRecord(untimed));
  LAST(cudaEventElapsedTime(&ms, untimed, e));
  LAST(cudaEventQuery(unrecorded));
  LAST(cudaEventSynchronize(unrecorded));
  LAST(cudaStreamWaitEvent(s, unrecorded, 0));
  LAST(cudaSetDevice(77));
  LAST(cudaSetDevice(-1));
  LAST(cudaGetDeviceProperties(&prop, 77));
  LAST(cudaDeviceGetAttribute(&number, (cudaDeviceAttr)9999, 0));
  LAST(cudaDeviceGetAttribute(&number, cudaDevAttrWarpSize, 77));
  LAST(cudaDeviceSetLimit((cudaLimit)99, 1));
  LAST(cudaEventCreateWithFlags(&e, 0x100));
  LAST(cudaStreamCreateWithFlags(&s, 0x100));
  LAST(cudaHostAlloc(&x, 16, 0x100));
  LAST(cudaMallocManaged(&x, 16, 3));
  LAST(cudaMallocManaged(&x, 0));
  printf("%s: null %d\n", part, x == nullptr);
  LAST(cudaMalloc(&x, 0));
  printf("%s: null %d\n", part, x == nullptr);
  LAST(cudaMallocHost(&x, 0));
  printf("%s: null %d\n", part, x == nullptr);
  LAST(cudaMallocAsync(&x, 0, 0));
  printf("%s: null %d\n", part, x == nullptr);
  LAST(cudaMalloc(&x, 1ull << 45));
  LAST(cudaMallocHost(&x, 1ull << 60));
  LAST(cudaMallocAsync(&x, 1ull << 60, 0));
  LAST(cudaMalloc(&x, 64));
  LAST(cudaFree(x + 1));
  LAST(cudaFree(x));
  LAST(cudaFree(x));
  LAST(cudaFreeHost(x));
  LAST(cudaFreeHost(nullptr));
  LAST(cudaFreeAsync(nullptr, 0));
  LAST(cudaMemset(nullptr, 0, 0));
  LAST(cudaMemset(nullptr, 0, 1));
  LAST(cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyDefault));
  LAST(cudaMemcpy(nullptr, &number, 4, cudaMemcpyHostToDevice));
  LAST(cudaDeviceCanAccessPeer(&number, 0, 0));
  printf("%s: number %d\n", part, number);
  LAST(cudaDeviceEnablePeerAccess(0, 0));
  LAST(cudaDeviceEnablePeerAccess(55, 0));
  LAST(cudaHostRegister(nullptr, 0, 0));
  LAST(cudaHostUnregister(&number));
  LAST(cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, 1 << 20));
  LAST(cudaFuncSetAttribute(nothing, (cudaFuncAttribute)77, 0));
  LAST(cudaFuncSetCacheConfig(nothing, (cudaFuncCache)77));
  LAST(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&number, nothing, 0, 0));
  LAST(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&number, nothing, 2000, 0));
  LAST(cudaLaunchKernel((void *)nothing, dim3(0), dim3(1), nullptr, 0, 0));
  LAST(cudaLaunchKernel((void *)nothing, dim3(1), dim3(1025), nullptr, 0, 0));
  LAST(cudaLaunchKernel((void *)nothing, dim3(1, 65536), dim3(1), nullptr, 0, 0));
  LAST(cudaLaunchKernel((void *)nothing, dim3(1), dim3(1, 1, 65), nullptr, 0, 0));
  LAST(cudaLaunchKernel((void *)nothing, dim3(1u << 31), dim3(1), nullptr, 0, 0));
  LAST(cudaLaunchKernel((void *)nothing, dim3(1), dim3(1), nullptr, 49153, 0));
  LAST(cudaLaunchKernel((void *)nothing, dim3(1), dim3(1), nullptr, 300000, 0));
  LAST(cudaLaunchKernel((void *)&number, dim3(1), dim3(1), nullptr, 0, 0));
  LAST(cudaLaunchKernel(nullptr, dim3(1), dim3(1), nullptr, 0, 0));
  LAST(cudaLaunchCooperativeKernel((void *)nothing, dim3(1000000), dim3(1024), nullptr, 0, 0));
  LAST(cudaMemcpyToSymbol(&number, &number, 4));
  LAST(cudaMemcpyToSymbol(constant, &number, 32));
  LAST(cudaMemcpyToSymbol(constant, &number, 4, 16));
  LAST(cudaLaunchHostFunc(0, nullptr, nullptr));
  LAST(cudaStreamAddCallback(0, nullptr, nullptr, 0));
  LAST(cudaThreadExchangeStreamCaptureMode((cudaStreamCaptureMode *)&(number = 9)));
  LAST(cudaStreamDestroy(0));
  LAST(cudaEventDestroy(nullptr));
  LAST(cudaDeviceSetCacheConfig((cudaFuncCache)77));
  LAST(cudaSetDeviceFlags(0x100));
  LAST(cudaDeviceDisablePeerAccess(0));
  LAST(cudaGraphLaunch(nullptr, 0));
  LAST(cudaGraphDestroy(nullptr));
  LAST(cudaGraphExecDestroy(nullptr));
  // Success does not clear it, another error takes its place, another thread has its own.
  cudaSetDevice(77);
  cudaFree(&number);
  CHECK(cudaDeviceSynchronize());
  SAY(cudaPeekAtLastError());
  std::thread([] { SAY(cudaGetLastError()); }).join();
  SAY(cudaGetLastError());
  SAY(cudaGetLastError());
  SAY(cudaDeviceReset());
  nothing<<<1, 1>>>();
  SAY(cudaGetLastError());
  SAY(cudaDeviceSynchronize());
}

static cudaStream_t s, other;
static cudaEvent_t event;
static cudaGraph_t graph;
static int *memory, *more, *pinned, pageable[16];

// Makes one call while s is captured, then ends the capture.
static void capturing(const char *name, cudaStreamCaptureMode mode) {
  cudaStreamCaptureStatus status;
  unsigned long long id;
  size_t bytes, total;
  float ms;
  cudaEvent_t e2;
  cudaStream_t s2;
  cudaGraph_t g2;
  cudaGraphExec_t exec;
  CHECK(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
  CHECK(cudaStreamCreate(&other));
  CHECK(cudaEventCreate(&event));
  CHECK(cudaMalloc(&memory, 64));
  CHECK(cudaMallocHost(&pinned, 64));
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaStreamBeginCapture(s, mode));
  nothing<<<1, 1, 0, s>>>();
  CHECK(cudaEventRecord(event, s));
#define DO(n, e) if (!strcmp(name, n)) SAY(e)
  DO("malloc", cudaMalloc(&more, 64));
  DO("free", cudaFree(memory));
  DO("malloc-host", cudaMallocHost(&more, 64));
  DO("malloc-managed", cudaMallocManaged(&more, 64));
  DO("malloc-async", cudaMallocAsync(&more, 64, s));
  DO("malloc-async-other", cudaMallocAsync(&more, 64, other));
  DO("copy", cudaMemcpy(memory, pageable, 64, cudaMemcpyHostToDevice));
  DO("copy-default", cudaMemcpy(memory, pageable, 64, cudaMemcpyDefault));
  DO("copy-async", cudaMemcpyAsync(memory, pinned, 64, cudaMemcpyHostToDevice, s));
  DO("copy-async-pageable", cudaMemcpyAsync(memory, pageable, 64, cudaMemcpyHostToDevice, s));
  DO("copy-async-legacy", cudaMemcpyAsync(memory, pinned, 64, cudaMemcpyHostToDevice, 0));
  DO("set", cudaMemset(memory, 0, 64));
  DO("set-async", cudaMemsetAsync(memory, 0, 64, s));
  DO("set-async-other", cudaMemsetAsync(memory, 0, 64, other));
  DO("device-synchronize", cudaDeviceSynchronize());
  DO("synchronize", cudaStreamSynchronize(s));
  DO("synchronize-other", cudaStreamSynchronize(other));
  DO("synchronize-legacy", cudaStreamSynchronize(0));
  DO("query", cudaStreamQuery(s));
  DO("query-other", cudaStreamQuery(other));
  DO("query-legacy", cudaStreamQuery(0));
  DO("event-query", cudaEventQuery(event));
  DO("event-synchronize", cudaEventSynchronize(event));
  DO("event-create", cudaEventCreate(&e2));
  DO("event-elapsed", cudaEventElapsedTime(&ms, event, event));
  DO("event-record-other", cudaEventRecord(event, other));
  DO("event-record-legacy", cudaEventRecord(event, 0));
  DO("event-destroy", cudaEventDestroy(event));
  DO("stream-create", cudaStreamCreate(&s2));
  DO("stream-destroy", cudaStreamDestroy(s));
  DO("begin-again", cudaStreamBeginCapture(s, mode));
  DO("begin-legacy", cudaStreamBeginCapture(0, mode));
  DO("end-other", cudaStreamEndCapture(other, &g2));
  DO("unjoined", cudaStreamWaitEvent(other, event, 0));
  DO("wait-legacy", cudaStreamWaitEvent(0, event, 0));
  DO("host-function", cudaLaunchHostFunc(s, host, nullptr));
  DO("callback", cudaStreamAddCallback(s, [](cudaStream_t, cudaError_t, void *) {}, nullptr, 0));
  DO("mem-info", cudaMemGetInfo(&bytes, &total));
  DO("set-device", cudaSetDevice(0));
  DO("capture-info", cudaStreamGetCaptureInfo(s, &status, &id));
  DO("capturing-legacy", cudaStreamIsCapturing(0, &status));
  DO("wrong-launch", cudaLaunchKernel((void *)nothing, dim3(1), dim3(2000), nullptr, 0, s));
  DO("launch-other", cudaLaunchKernel((void *)nothing, dim3(1), dim3(1), nullptr, 0, other));
  DO("launch-legacy", cudaLaunchKernel((void *)nothing, dim3(1), dim3(1), nullptr, 0, 0));
  DO("reset", cudaDeviceReset());
  if (!strcmp(name, "thread")) std::thread([] { SAY(cudaStreamEndCapture(s, &graph)); }).join();
  if (!strcmp(name, "thread-malloc")) std::thread([] { SAY(cudaMalloc(&more, 64)); }).join();
  if (!strcmp(name, "merge")) {
    SAY(cudaStreamBeginCapture(other, mode));
    SAY(cudaStreamWaitEvent(other, event, 0));
    SAY(cudaStreamEndCapture(other, &g2));
  }
  if (!strcmp(name, "outside")) {
    cudaEvent_t outside;
    CHECK(cudaEventCreate(&outside));
    CHECK(cudaEventRecord(outside, other));
    SAY(cudaStreamWaitEvent(s, outside, 0));
  }
  SAY(cudaGetLastError());
  SAY(cudaStreamIsCapturing(s, &status));
  SAY(status);
  SAY(cudaStreamEndCapture(s, &graph));
  SAY(graph != nullptr);
  SAY(cudaGetLastError());
  if (graph) SAY(cudaGraphInstantiate(&exec, graph, 0));
  SAY(cudaStreamIsCapturing(s, &status));
  SAY(status);
  SAY(cudaDeviceSynchronize());
}

static void kinds_of_memory() {
  int *device, *pinned, *managed, *registered = (int *)aligned_alloc(4096, 4096), stack[4], *freed;
  static int global[4];
  CHECK(cudaMalloc(&device, 64));
  CHECK(cudaMalloc(&freed, 64));
  CHECK(cudaFree(freed));
  CHECK(cudaMallocHost(&pinned, 64));
  CHECK(cudaMallocManaged(&managed, 64));
  CHECK(cudaHostRegister(registered, 4096, 0));
  int *all[] = {device, pinned, managed, registered, stack, global};
  const char *names[] = {"device", "pinned", "managed", "registered", "stack", "global"};
  for (int i = 0; i < 6; i++) {
    cudaPointerAttributes a;
    int answer = cudaPointerGetAttributes(&a, all[i] + 1);
    printf("%s: %s is %d: type %d, device %d, pointers %d %d\n", part, names[i], answer, a.type, a.device,
           a.devicePointer == all[i] + 1, a.hostPointer == all[i] + 1);
    void *p = nullptr;
    unsigned flags = 77;
    answer = cudaHostGetDevicePointer(&p, all[i], 0);
    printf("%s: device pointer of %s %d %d\n", part, names[i], answer, p == all[i]);
    answer = cudaHostGetFlags(&flags, all[i]);
    printf("%s: flags of %s %d %u\n", part, names[i], answer, flags);
    printf("%s: set %s %d\n", part, names[i], cudaMemset(all[i], 0, 16));
    for (int k = 0; k < 6; k++)
      for (int kind = 0; kind < 5; kind++)
        printf("%s: copy %d from %s to %s %d\n", part, kind, names[i], names[k],
               cudaMemcpy(all[k], all[i], 8, (cudaMemcpyKind)kind));
  }
  LAST(cudaHostRegister(registered, 4096, 0));
  LAST(cudaHostRegister(pinned, 64, 0));
  LAST(cudaHostRegister(device, 64, 0));
  LAST(cudaFreeHost(registered));
  LAST(cudaFree(registered));
  LAST(cudaFree(pinned));
  LAST(cudaFreeHost(managed));
  LAST(cudaHostUnregister(registered));
  LAST(cudaHostUnregister(registered));
  LAST(cudaHostUnregister(pinned));
  LAST(cudaMemcpy(device, stack, 65, cudaMemcpyHostToDevice));
  LAST(cudaMemset(device, 0, 65));
  LAST(cudaMemset(device + 15, 0, 5));
  LAST(cudaMemPrefetchAsync(device, 64, cudaMemLocation{cudaMemLocationTypeDevice, 0}, 0, 0));
  LAST(cudaMemAdvise(device, 64, cudaMemAdviseSetReadMostly, cudaMemLocation{cudaMemLocationTypeDevice, 0}));
}

static void texts() {
  for (int i = 0; i < 1200; i++)
    if (strcmp(cudaGetErrorName((cudaError_t)i), "unrecognized error code"))
      printf("%s: %d %s: %s\n", part, i, cudaGetErrorName((cudaError_t)i), cudaGetErrorString((cudaError_t)i));
  printf("%s: %s, %s\n", part, cudaGetErrorName((cudaError_t)1234), cudaGetErrorString((cudaError_t)1234));
}

static const char *const faults[] = {"wild", "null", "crooked", "trap", "assert", "shared", "shared-near",
                                     "shared-below", "stack", "surface"};
static const char *const captures[] = {
    "nothing", "malloc", "free", "malloc-host", "malloc-managed", "malloc-async", "malloc-async-other", "copy",
    "copy-default", "copy-async", "copy-async-pageable", "copy-async-legacy", "set", "set-async",
    "set-async-other", "device-synchronize", "synchronize", "synchronize-other", "synchronize-legacy", "query",
    "query-other", "query-legacy", "event-query", "event-synchronize", "event-create", "event-elapsed",
    "event-record-other", "event-record-legacy", "event-destroy", "stream-create", "begin-again", "begin-legacy",
    "end-other", "unjoined", "wait-legacy", "host-function", "callback", "mem-info", "set-device",
    "capture-info", "capturing-legacy", "wrong-launch", "launch-other", "launch-legacy", "thread",
    "thread-malloc", "merge", "outside"};

static void run_part(const char *group, const char *name) {
  char title[80];
  snprintf(title, sizeof title, "%s %s", group, name);
  part = title;
  if (!strcmp(group, "fault")) after_fault(name);
  if (!strcmp(group, "last")) last_errors();
  if (!strcmp(group, "global")) capturing(name, cudaStreamCaptureModeGlobal);
  if (!strcmp(group, "local")) capturing(name, cudaStreamCaptureModeThreadLocal);
  if (!strcmp(group, "relaxed")) capturing(name, cudaStreamCaptureModeRelaxed);
  if (!strcmp(group, "memory")) kinds_of_memory();
  if (!strcmp(group, "texts")) texts();
}

static void spawn(char **argv, const char *group, const char *name) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    if (!strcmp(name, "assert")) freopen("/dev/null", "w", stderr);
    execl("/proc/self/exe", argv[0], group, name, (char *)0);
    _exit(99);
  }
  int status;
  WANT(waitpid(pid, &status, 0) == pid);
  if (status) printf("%s %s: ends with %x\n", group, name, status);
}

int main(int argc, char **argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc > 2) return alarm(60), run_part(argv[1], argv[2]), 0;
  for (const char *name : faults) spawn(argv, "fault", name);
  spawn(argv, "last", "errors");
  for (const char *group : {"global", "relaxed"})
    for (const char *name : captures) spawn(argv, group, name);
  for (const char *name : {"malloc", "query-other", "thread-malloc"}) spawn(argv, "local", name);
  spawn(argv, "memory", "kinds");
  spawn(argv, "texts", "all");
  printf("states passed\n");
}
