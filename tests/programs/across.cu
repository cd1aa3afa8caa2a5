// What calls answer whose stream, event or memory is of another device than the current one. Each part runs
// in a process of its own and prints numbers, which are held against those of two H100s.
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

__device__ int counter;
__global__ void count() { counter++; }
__global__ void store(int *x, int value) { *x = value; }
static void CUDART_CB host(void *p) { ++*(int *)p; }
static void CUDART_CB callback(cudaStream_t, cudaError_t, void *p) { ++*(int *)p; }

static const char *part;
#define SAY(e) printf("%s: %s = %d\n", part, #e, (int)(e))
#define LAST(e)                                                                                  \
  do {                                                                                           \
    int answer_ = (int)(e), last_ = (int)cudaGetLastError();                                     \
    printf("%s: %s = %d, last %d\n", part, #e, answer_, last_);                                  \
  } while (0)

// Of device 0, which is current, and of device 1.
static cudaStream_t s[2];
static cudaEvent_t e[2], f[2];
static int *x[2];
static cudaArray_t a[2];
static int calls, words[64];

static void setup() {
  cudaChannelFormatDesc d = cudaCreateChannelDesc<int>();
  for (int i = 1; i >= 0; i--) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaStreamCreateWithFlags(&s[i], cudaStreamNonBlocking));
    CHECK(cudaEventCreate(&e[i]));
    CHECK(cudaEventCreate(&f[i]));
    CHECK(cudaMalloc(&x[i], sizeof words));
    CHECK(cudaMemset(x[i], 0, sizeof words));
    CHECK(cudaMallocArray(&a[i], &d, 16, 4));
    CHECK(cudaDeviceSynchronize());
  }
}

static int device_of(const void *p) {
  cudaPointerAttributes known;
  CHECK(cudaPointerGetAttributes(&known, p));
  return known.device;
}

static void counters() {
  int seen[2];
  for (int i = 1; i >= 0; i--) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaDeviceSynchronize());
  }
  for (int i = 1; i >= 0; i--) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaMemcpyFromSymbol(&seen[i], counter, sizeof seen[i]));
  }
  printf("%s: counters %d %d\n", part, seen[0], seen[1]);
}

static void launches() {
  void *none[] = {nullptr};
  cudaLaunchConfig_t config = {};
  config.gridDim = config.blockDim = dim3(1);
  config.stream = s[1];
  count<<<1, 1, 0, s[1]>>>();
  SAY(cudaGetLastError());
  LAST(cudaLaunchKernel((const void *)count, 1, 1, none, 0, s[1]));
  LAST(cudaLaunchCooperativeKernel((const void *)count, 1, 1, none, 0, s[1]));
  LAST(cudaLaunchKernelEx(&config, count));
  LAST(cudaLaunchHostFunc(s[1], host, &calls));
  LAST(cudaStreamAddCallback(s[1], callback, &calls, 0));
  SAY(cudaStreamSynchronize(s[1]));
  printf("%s: calls %d\n", part, calls);
  counters();
}

static void copying() {
  int *pinned;
  size_t i = 16;
  CHECK(cudaMallocHost(&pinned, sizeof words));
  for (int m = 0; m < 2; m++) {
    printf("%s: memory of %d in a stream of 1\n", part, m);
    LAST(cudaMemcpyAsync(x[m], words, 64, cudaMemcpyHostToDevice, s[1]));
    LAST(cudaMemcpyAsync(words, x[m], 64, cudaMemcpyDeviceToHost, s[1]));
    LAST(cudaMemcpyAsync(x[m], pinned, 64, cudaMemcpyHostToDevice, s[1]));
    LAST(cudaMemcpyAsync(pinned, x[m], 64, cudaMemcpyDefault, s[1]));
    LAST(cudaMemcpyAsync(x[1 - m], x[m], 64, cudaMemcpyDeviceToDevice, s[1]));
    LAST(cudaMemcpyAsync(x[m], x[m] + 32, 64, cudaMemcpyDeviceToDevice, s[1]));
    LAST(cudaMemcpyPeerAsync(x[1 - m], 1 - m, x[m], m, 64, s[1]));
    LAST(cudaMemcpyPeerAsync(x[1 - m], m, x[m], m, 64, s[1]));
    LAST(cudaMemcpyPeerAsync(x[1 - m], 1 - m, x[m], 1 - m, 64, s[1]));
    LAST(cudaMemcpy2DAsync(x[m], i, words, i, i, 4, cudaMemcpyHostToDevice, s[1]));
    LAST(cudaMemsetAsync(x[m], 1, 64, s[1]));
    LAST(cudaMemset2DAsync(x[m], i, 1, i, 4, s[1]));
    LAST(cudaMemcpy2DToArrayAsync(a[m], 0, 0, words, 64, 64, 4, cudaMemcpyHostToDevice, s[1]));
    LAST(cudaMemcpy2DToArray(a[m], 0, 0, words, 64, 64, 4, cudaMemcpyHostToDevice));
    LAST(cudaMemcpy2DToArray(a[m], 0, 0, x[1 - m], 64, 64, 4, cudaMemcpyDeviceToDevice));
    LAST(cudaMemcpy2DArrayToArray(a[m], 0, 0, a[1 - m], 0, 0, 64, 4, cudaMemcpyDeviceToDevice));
    LAST(cudaMemcpy(x[m], words, 64, cudaMemcpyHostToDevice));
    LAST(cudaMemcpy(x[m], x[1 - m], 64, cudaMemcpyDefault));
    LAST(cudaMemset(x[m], 1, 64));
  }
  LAST(cudaMemcpyToSymbolAsync(counter, words, 4, 0, cudaMemcpyHostToDevice, s[1]));
  LAST(cudaMemcpyFromSymbolAsync(words, counter, 4, 0, cudaMemcpyDeviceToHost, s[1]));
  SAY(cudaStreamSynchronize(s[1]));
  SAY(cudaDeviceSynchronize());
}

static void events() {
  float ms = -1;
  LAST(cudaEventQuery(e[1]));
  LAST(cudaEventRecord(e[0], s[1]));
  LAST(cudaEventRecord(e[1], s[0]));
  LAST(cudaEventRecord(e[1], 0));
  LAST(cudaEventRecord(e[1], cudaStreamPerThread));
  LAST(cudaEventRecord(e[1], s[1]));
  LAST(cudaEventRecord(f[1], s[1]));
  LAST(cudaEventRecord(e[0], s[0]));
  LAST(cudaEventSynchronize(e[1]));
  LAST(cudaEventSynchronize(e[0]));
  LAST(cudaEventSynchronize(f[1]));
  LAST(cudaEventQuery(e[1]));
  LAST(cudaEventElapsedTime(&ms, e[1], f[1]));
  LAST(cudaEventElapsedTime(&ms, e[0], e[1]));
  LAST(cudaStreamWaitEvent(s[0], e[1], 0));
  LAST(cudaStreamWaitEvent(s[1], e[0], 0));
  LAST(cudaStreamWaitEvent(s[1], e[1], 0));
  LAST(cudaStreamWaitEvent(0, e[1], 0));
  LAST(cudaEventRecordWithFlags(e[1], s[1], cudaEventRecordExternal));
  LAST(cudaEventDestroy(e[1]));
}

static void streams() {
  int number = 0, device = -1;
  unsigned flags = 0;
  unsigned long long id = 0;
  cudaStreamCaptureStatus status;
  cudaStreamAttrValue value = {};
  LAST(cudaStreamQuery(s[1]));
  LAST(cudaStreamSynchronize(s[1]));
  LAST(cudaStreamGetPriority(s[1], &number));
  LAST(cudaStreamGetFlags(s[1], &flags));
  LAST(cudaStreamGetId(s[1], &id));
  LAST(cudaStreamGetDevice(s[1], &device));
  printf("%s: device %d\n", part, device);
  LAST(cudaStreamIsCapturing(s[1], &status));
  LAST(cudaStreamGetCaptureInfo(s[1], &status, nullptr, nullptr, nullptr, nullptr, nullptr));
  LAST(cudaStreamGetAttribute(s[1], cudaLaunchAttributeSynchronizationPolicy, &value));
  LAST(cudaStreamSetAttribute(s[1], cudaLaunchAttributeSynchronizationPolicy, &value));
  LAST(cudaStreamCopyAttributes(s[0], s[1]));
  LAST(cudaStreamCopyAttributes(s[1], s[0]));
  LAST(cudaStreamDestroy(s[1]));
}

static void allocation() {
  int *p = nullptr, *managed;
  cudaMemPool_t pool;
  cudaMemLocation here = {cudaMemLocationTypeDevice, 0}, there = {cudaMemLocationTypeDevice, 1};
  LAST(cudaMallocAsync(&p, 64, s[1]));
  printf("%s: of device %d\n", part, device_of(p));
  LAST(cudaMemsetAsync(p, 0, 64, s[1]));
  LAST(cudaMemsetAsync(p, 0, 64, s[0]));
  LAST(cudaFreeAsync(p, s[1]));
  LAST(cudaMallocAsync(&p, 64, s[1]));
  LAST(cudaFreeAsync(p, s[0]));
  LAST(cudaDeviceGetDefaultMemPool(&pool, 1));
  LAST(cudaMallocFromPoolAsync(&p, 64, pool, s[0]));
  printf("%s: of device %d\n", part, device_of(p));
  LAST(cudaFreeAsync(p, s[0]));
  LAST(cudaMallocFromPoolAsync(&p, 64, pool, s[1]));
  LAST(cudaFree(p));
  LAST(cudaMallocManaged(&managed, 4096));
  LAST(cudaMemPrefetchAsync(managed, 4096, here, 0, s[1]));
  LAST(cudaMemPrefetchAsync(managed, 4096, there, 0, s[1]));
  LAST(cudaMemPrefetchAsync(managed, 4096, there, 0, s[0]));
  LAST(cudaStreamAttachMemAsync(s[1], managed, 0, cudaMemAttachSingle));
  LAST(cudaFreeAsync(x[1], s[0]));
  LAST(cudaFree(x[0]));
  LAST(cudaFreeArray(a[1]));
  SAY(cudaStreamSynchronize(s[1]));
  SAY(cudaStreamSynchronize(s[0]));
}

static void capture() {
  cudaGraph_t g = nullptr;
  void *none[] = {nullptr};
  LAST(cudaStreamBeginCapture(s[1], cudaStreamCaptureModeRelaxed));
  LAST(cudaLaunchKernel((const void *)count, 1, 1, none, 0, s[1]));
  LAST(cudaMemsetAsync(x[0], 0, 64, s[1]));
  LAST(cudaMemsetAsync(x[1], 0, 64, s[1]));
  LAST(cudaStreamEndCapture(s[1], &g));
}

static void capture_copies() {
  cudaGraph_t g = nullptr;
  cudaGraphExec_t exec = nullptr;
  size_t nodes = 0;
  LAST(cudaStreamBeginCapture(s[1], cudaStreamCaptureModeRelaxed));
  LAST(cudaMemsetAsync(x[0], 0, 64, s[1]));
  LAST(cudaMemsetAsync(x[1], 0, 64, s[1]));
  LAST(cudaMemcpyAsync(x[0], x[1], 64, cudaMemcpyDefault, s[1]));
  LAST(cudaEventRecord(e[0], s[1]));
  LAST(cudaEventRecord(e[1], s[1]));
  LAST(cudaLaunchHostFunc(s[1], host, &calls));
  LAST(cudaStreamEndCapture(s[1], &g));
  LAST(cudaGraphGetNodes(g, nullptr, &nodes));
  printf("%s: nodes %d\n", part, (int)nodes);
  LAST(cudaGraphInstantiate(&exec, g, 0));
  LAST(cudaGraphLaunch(exec, s[0]));
  LAST(cudaGraphLaunch(exec, s[1]));
  SAY(cudaStreamSynchronize(s[0]));
  SAY(cudaStreamSynchronize(s[1]));
  printf("%s: calls %d\n", part, calls);
}

// A graph of a kernel of device 0, launched where that is current and where it isn't.
static void graphs() {
  cudaGraph_t g;
  cudaGraphExec_t exec, other;
  cudaGraphNode_t node;
  void *none[] = {nullptr};
  cudaKernelNodeParams k = {};
  k.func = (void *)count;
  k.gridDim = k.blockDim = dim3(1);
  k.kernelParams = none;
  CHECK(cudaGraphCreate(&g, 0));
  LAST(cudaGraphAddKernelNode(&node, g, nullptr, 0, &k));
  LAST(cudaGraphInstantiate(&exec, g, 0));
  LAST(cudaGraphLaunch(exec, s[0]));
  LAST(cudaGraphLaunch(exec, s[1]));
  LAST(cudaGraphUpload(exec, s[1]));
  CHECK(cudaSetDevice(1));
  LAST(cudaGraphLaunch(exec, s[1]));
  LAST(cudaGraphLaunch(exec, s[0]));
  LAST(cudaGraphInstantiate(&other, g, 0));
  LAST(cudaGraphLaunch(other, s[1]));
  LAST(cudaGraphExecKernelNodeSetParams(exec, node, &k));
  LAST(cudaGraphLaunch(exec, s[1]));
  LAST(cudaGraphKernelNodeSetParams(node, &k));
  LAST(cudaGraphAddMemcpyNode1D(&node, g, nullptr, 0, x[0], x[1], 64, cudaMemcpyDefault));
  LAST(cudaGraphInstantiate(&other, g, 0));
  LAST(cudaGraphLaunch(other, s[0]));
  counters();
}

static void textures() {
  cudaResourceDesc r = {};
  cudaTextureDesc t = {};
  cudaTextureObject_t object = 0;
  r.resType = cudaResourceTypeArray;
  r.res.array.array = a[1];
  LAST(cudaCreateTextureObject(&object, &r, &t, nullptr));
  LAST(cudaDestroyTextureObject(object));
  r.resType = cudaResourceTypeLinear;
  r.res.linear = {x[1], cudaCreateChannelDesc<int>(), 64};
  LAST(cudaCreateTextureObject(&object, &r, &t, nullptr));
  LAST(cudaDestroyTextureObject(object));
  CHECK(cudaSetDevice(1));
  LAST(cudaCreateTextureObject(&object, &r, &t, nullptr));
  CHECK(cudaSetDevice(0));
  LAST(cudaDestroyTextureObject(object));
}

// What peer access changes.
static void peers() {
  cudaResourceDesc r = {};
  cudaTextureDesc t = {};
  cudaTextureObject_t object = 0;
  cudaMemPool_t pool;
  cudaGraph_t g;
  cudaGraphNode_t node;
  cudaGraphExec_t exec;
  int *p, *pinned, *managed;
  cudaMemsetParams fill = {x[1], 64, 7, 4, 16, 1};
  cudaMemAccessDesc access = {{cudaMemLocationTypeDevice, 0}, cudaMemAccessFlagsProtReadWrite};
  CHECK(cudaGraphCreate(&g, 0));
  LAST(cudaGraphAddMemsetNode(&node, g, nullptr, 0, &fill));
  CHECK(cudaSetDevice(1));
  CHECK(cudaDeviceGetDefaultMemPool(&pool, 1));
  CHECK(cudaMallocFromPoolAsync(&p, 64, pool, s[1]));
  CHECK(cudaMallocHost(&pinned, 64));
  CHECK(cudaMallocManaged(&managed, 64));
  CHECK(cudaStreamSynchronize(s[1]));
  CHECK(cudaSetDevice(0));
  r.resType = cudaResourceTypeLinear;
  r.res.linear = {x[1], cudaCreateChannelDesc<int>(), 64};
  LAST(cudaMemset(pinned, 1, 64));
  LAST(cudaMemset(managed, 1, 64));
  LAST(cudaMemsetAsync(pinned, 1, 64, s[0]));
  LAST(cudaMemset(p, 1, 64));
  LAST(cudaDeviceEnablePeerAccess(1, 0));
  LAST(cudaMemset(p, 1, 64));
  LAST(cudaMemPoolSetAccess(pool, &access, 1));
  LAST(cudaMemset(p, 1, 64));
  LAST(cudaMemsetAsync(p, 1, 64, s[0]));
  LAST(cudaMemset(x[1], 1, 64));
  LAST(cudaMemset2D(x[1], 16, 1, 16, 4));
  LAST(cudaMemset3D(make_cudaPitchedPtr(x[1], 16, 16, 4), 1, make_cudaExtent(16, 4, 1)));
  LAST(cudaMemsetAsync(x[1], 1, 64, s[0]));
  LAST(cudaMemsetAsync(x[0], 1, 64, s[1]));
  LAST(cudaGraphAddMemsetNode(&node, g, nullptr, 0, &fill));
  LAST(cudaGraphInstantiate(&exec, g, 0));
  LAST(cudaGraphLaunch(exec, s[0]));
  LAST(cudaCreateTextureObject(&object, &r, &t, nullptr));
  LAST(cudaDestroyTextureObject(object));
  LAST(cudaDeviceDisablePeerAccess(1));
  LAST(cudaMemset(x[1], 1, 64));
  LAST(cudaMemset(p, 1, 64));
  store<<<1, 1>>>(p, 1);
  LAST(cudaDeviceSynchronize());
}

// Of one device, but for the last lines.
static void attributes() {
  for (int id = 0; id < 16; id++) {
    cudaStreamAttrValue value = {};
    int got = cudaStreamGetAttribute(s[0], (cudaLaunchAttributeID)id, &value);
    printf("%s: attribute %d get %d: %d", part, id, got, got ? 0 : *(int *)&value);
    for (int v = -1; v < 6; v++) {
      memset(&value, 0, sizeof value);
      memcpy(&value, &v, 4);
      printf(" %d", (int)cudaStreamSetAttribute(s[0], (cudaLaunchAttributeID)id, &value));
    }
    got = cudaStreamGetAttribute(s[0], (cudaLaunchAttributeID)id, &value);
    printf(" then %d: %d\n", got, got ? 0 : *(int *)&value);
  }
  cudaGetLastError();
  cudaStream_t twin;
  CHECK(cudaStreamCreate(&twin));
  LAST(cudaStreamCopyAttributes(twin, s[0]));
  LAST(cudaEventRecordWithFlags(e[0], s[0], cudaEventRecordExternal));
  LAST(cudaEventRecordWithFlags(e[0], s[0], (unsigned)2));
  LAST(cudaStreamWaitEvent(s[0], e[0], cudaEventWaitExternal));
  LAST(cudaStreamWaitEvent(s[0], e[0], 2));
  for (int id : {1, 3, 8}) {
    cudaStreamAttrValue value = {};
    printf("%s: attribute %d of another device's get %d", part, id,
           (int)cudaStreamGetAttribute(s[1], (cudaLaunchAttributeID)id, &value));
    printf(" set %d\n", (int)cudaStreamSetAttribute(s[1], (cudaLaunchAttributeID)id, &value));
  }
}

static void defaults() {
  // The default streams are those of the current device.
  CHECK(cudaSetDevice(1));
  count<<<1, 1, 0, cudaStreamPerThread>>>();
  count<<<1, 1, 0, cudaStreamLegacy>>>();
  CHECK(cudaSetDevice(0));
  count<<<1, 1, 0, cudaStreamPerThread>>>();
  LAST(cudaStreamSynchronize(cudaStreamPerThread));
  counters();
}

static void peer_less() {
  CHECK(cudaSetDevice(1));
  store<<<1, 1>>>(x[0], 1);
  LAST(cudaDeviceSynchronize());
}

static void run_part(const char *name) {
  part = name;
  setup();
  if (!strcmp(name, "launches")) launches();
  if (!strcmp(name, "copies")) copying();
  if (!strcmp(name, "events")) events();
  if (!strcmp(name, "streams")) streams();
  if (!strcmp(name, "allocation")) allocation();
  if (!strcmp(name, "capture")) capture();
  if (!strcmp(name, "capture-copies")) capture_copies();
  if (!strcmp(name, "graphs")) graphs();
  if (!strcmp(name, "textures")) textures();
  if (!strcmp(name, "peers")) peers();
  if (!strcmp(name, "attributes")) attributes();
  if (!strcmp(name, "defaults")) defaults();
  if (!strcmp(name, "peer-less")) peer_less();
}

int main(int argc, char **argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc > 1) return alarm(60), run_part(argv[1]), 0;
  for (const char *name : {"launches", "copies", "events", "streams", "allocation", "capture", "capture-copies",
                           "graphs", "textures", "peers", "attributes", "defaults", "peer-less"}) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
      execl("/proc/self/exe", argv[0], name, (char *)0);
      _exit(99);
    }
    int status;
    WANT(waitpid(pid, &status, 0) == pid);
    if (status) printf("%s: ends with %x\n", name, status);
  }
  printf("across passed\n");
}
