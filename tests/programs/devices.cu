// Several devices: ordinals, contexts of their own, peers, work across them. Run with two.
#include <cstring>
#include <thread>
#include <vector>
#include "check.h"

__device__ int counter = 7;
__constant__ int factor = 3;
__managed__ int shared_by_all = 40;

__global__ void fill(int *x, int value, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] = value + i;
}
__global__ void scale(int *to, const int *from, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) to[i] = from[i] * factor;
}
__global__ void count() { atomicAdd(&counter, 1), atomicAdd(&shared_by_all, 1); }
__global__ void spin(int *x, int rounds) {
  for (int i = 0; i < rounds; i++) atomicAdd(x, 1);
}
__global__ void fault() { *(volatile int *)8 = 1; }

static const int N = 4096;
static const size_t BYTES = N * sizeof(int);
static int host[N];

static int read(const int *device) {
  int value;
  CHECK(cudaMemcpy(&value, device, sizeof value, cudaMemcpyDefault));
  return value;
}

static void ordinals() {
  int n = 0, device = -1;
  CHECK(cudaGetDeviceCount(&n));
  WANT(n == 2);
  for (int bad : {-1, 2, 1000}) {
    cudaDeviceProp p;
    FAILS(cudaErrorInvalidDevice, cudaSetDevice(bad));
    FAILS(cudaErrorInvalidDevice, cudaInitDevice(bad, 0, 0));
    FAILS(cudaErrorInvalidDevice, cudaDeviceGetAttribute(&n, cudaDevAttrWarpSize, bad));
    FAILS(cudaErrorInvalidDevice, cudaGetDeviceProperties(&p, bad));
    FAILS(cudaErrorInvalidDevice, cudaDeviceCanAccessPeer(&n, 0, bad));
    FAILS(cudaErrorInvalidDevice, cudaDeviceCanAccessPeer(&n, bad, 0));
    FAILS(cudaErrorInvalidDevice, cudaDeviceEnablePeerAccess(bad, 0));
    FAILS(cudaErrorInvalidDevice, cudaMemcpyPeer(host, bad, host, 0, 4));
  }
  CHECK(cudaGetDevice(&device));
  WANT(device == 0);
  CHECK(cudaSetDevice(1));
  // The current device belongs to the thread.
  std::thread([] {
    int own = -1;
    CHECK(cudaGetDevice(&own));
    WANT(own == 0);
  }).join();
  CHECK(cudaGetDevice(&device));
  WANT(device == 1);
  cudaDeviceProp a, b;
  char id[2][16];
  CHECK(cudaGetDeviceProperties(&a, 0));
  CHECK(cudaGetDeviceProperties(&b, 1));
  WANT(memcmp(&a.uuid, &b.uuid, sizeof a.uuid) != 0);
  WANT(a.pciBusID != b.pciBusID || a.pciDeviceID != b.pciDeviceID || a.pciDomainID != b.pciDomainID);
  WANT(a.totalGlobalMem == b.totalGlobalMem);
  for (int i = 0; i < 2; i++) {
    CHECK(cudaDeviceGetPCIBusId(id[i], sizeof id[i], i));
    CHECK(cudaDeviceGetByPCIBusId(&device, id[i]));
    WANT(device == i);
  }
  FAILS(cudaErrorInvalidDevice, cudaDeviceGetByPCIBusId(&device, "0000:77:00.0"));
  CHECK(cudaSetDevice(0));
}

// Memory, variables and streams are those of one device; the addresses mean the same everywhere.
static void contexts() {
  int *x[2];
  cudaStream_t s[2];
  size_t before[2], after[2], total;
  for (int i = 0; i < 2; i++) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaMemGetInfo(&before[i], &total));
  }
  CHECK(cudaMalloc(&x[1], 1 << 20));
  for (int i = 0; i < 2; i++) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaMemGetInfo(&after[i], &total));
  }
  WANT(after[0] == before[0] && after[1] == before[1] - (1 << 20));
  CHECK(cudaSetDevice(0));
  CHECK(cudaFree(x[1]));  // on whichever device
  for (int i = 0; i < 2; i++) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaMalloc(&x[i], BYTES));
    CHECK(cudaStreamCreate(&s[i]));
    cudaPointerAttributes known;
    CHECK(cudaPointerGetAttributes(&known, x[i]));
    WANT(known.device == i && known.type == cudaMemoryTypeDevice);
    int device = -1;
    CHECK(cudaStreamGetDevice(s[i], &device));
    WANT(device == i);
    for (int k = 0; k <= i; k++) count<<<1, 1>>>();
    CHECK(cudaDeviceSetLimit(cudaLimitStackSize, 2048 * (i + 1)));
  }
  int value;
  size_t limit;
  void *address[2];
  for (int i = 0; i < 2; i++) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaMemcpyFromSymbol(&value, counter, sizeof value));
    WANT(value == 8 + i);
    CHECK(cudaGetSymbolAddress(&address[i], counter));
    CHECK(cudaDeviceGetLimit(&limit, cudaLimitStackSize));
    WANT(limit == 2048 * (i + 1));
  }
  WANT(address[0] != address[1]);
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaSetDevice(0));
  CHECK(cudaDeviceSynchronize());
  WANT(shared_by_all == 43);
  // Kernels run on the device of their stream, and copies and waiting follow it, too.
  CHECK(cudaSetDevice(0));
  count<<<1, 1, 0, s[1]>>>();
  CHECK(cudaGetLastError());
  CHECK(cudaStreamSynchronize(s[1]));
  CHECK(cudaMemcpyFromSymbol(&value, counter, sizeof value));
  WANT(value == 8);
  CHECK(cudaSetDevice(1));
  CHECK(cudaMemcpyFromSymbol(&value, counter, sizeof value));
  WANT(value == 10);
  CHECK(cudaSetDevice(0));
  CHECK(cudaMemsetAsync(x[1], 0, BYTES, s[1]));
  CHECK(cudaMemcpyAsync(host, x[1], BYTES, cudaMemcpyDefault, s[1]));
  CHECK(cudaStreamSynchronize(s[1]));
  CHECK(cudaStreamQuery(s[1]));
  WANT(host[5] == 0);
  for (int i = 0; i < 2; i++) {
    CHECK(cudaFree(x[i]));
    CHECK(cudaStreamDestroy(s[i]));
  }
}

static void peers() {
  int can = 0, value = -1;
  CHECK(cudaDeviceCanAccessPeer(&can, 0, 1));
  WANT(can == 1);
  CHECK(cudaDeviceCanAccessPeer(&can, 1, 1));
  WANT(can == 0);
  CHECK(cudaDeviceGetP2PAttribute(&value, cudaDevP2PAttrAccessSupported, 0, 1));
  WANT(value == 1);
  CHECK(cudaDeviceGetP2PAttribute(&value, cudaDevP2PAttrPerformanceRank, 1, 0));
  WANT(value == 0);
  FAILS(cudaErrorInvalidDevice, cudaDeviceGetP2PAttribute(&value, cudaDevP2PAttrAccessSupported, 0, 0));
  FAILS(cudaErrorInvalidValue, cudaDeviceGetP2PAttribute(&value, (cudaDeviceP2PAttr)9, 0, 1));
  FAILS(cudaErrorInvalidValue, cudaDeviceEnablePeerAccess(1, 1));
  FAILS(cudaErrorPeerAccessUnsupported, cudaDeviceEnablePeerAccess(0, 0));
  FAILS(cudaErrorPeerAccessNotEnabled, cudaDeviceDisablePeerAccess(1));
  CHECK(cudaDeviceEnablePeerAccess(1, 0));
  FAILS(cudaErrorPeerAccessAlreadyEnabled, cudaDeviceEnablePeerAccess(1, 0));
  // Only in that direction.
  CHECK(cudaSetDevice(1));
  FAILS(cudaErrorPeerAccessNotEnabled, cudaDeviceDisablePeerAccess(0));
  int *there, *here;
  CHECK(cudaMalloc(&there, BYTES));
  fill<<<16, 256>>>(there, 10, N);
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaSetDevice(0));
  CHECK(cudaMalloc(&here, BYTES));
  scale<<<16, 256>>>(here, there, N);
  WANT(read(here + 5) == 45);
  CHECK(cudaDeviceDisablePeerAccess(1));
  CHECK(cudaFree(here));
  CHECK(cudaFree(there));
}

static void copies() {
  int *x[2];
  cudaStream_t s;
  for (int i = 0; i < 2; i++) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaMalloc(&x[i], BYTES));
    CHECK(cudaMemset(x[i], 0, BYTES));
  }
  // A copy in the default stream comes after the work of both devices, and before what is asked later.
  CHECK(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
  spin<<<1, 1, 0, s>>>(x[1], 3000);
  CHECK(cudaSetDevice(0));
  CHECK(cudaMemcpyPeerAsync(x[0], 0, x[1], 1, BYTES, 0));
  CHECK(cudaSetDevice(1));
  fill<<<16, 256>>>(x[1], 100, N);
  CHECK(cudaDeviceSynchronize());
  WANT(read(x[0]) == 3000 && read(x[0] + 1) == 0 && read(x[1] + 1) == 101);
  CHECK(cudaMemcpyPeer(x[0], 0, x[1], 1, BYTES));
  WANT(read(x[0] + 7) == 107);
  FAILS(cudaErrorInvalidValue, cudaMemset(x[0], 0, BYTES));
  CHECK(cudaSetDevice(0));
  CHECK(cudaMemset(x[0], 0, BYTES));
  CHECK(cudaSetDevice(1));
  CHECK(cudaMemcpy(x[0], x[1], BYTES, cudaMemcpyDefault));
  WANT(read(x[0] + 8) == 108);
  CHECK(cudaDeviceEnablePeerAccess(0, 0));
  CHECK(cudaMemset(x[0], 0, BYTES));
  CHECK(cudaDeviceDisablePeerAccess(0));
  CHECK(cudaMemcpyPeerAsync(x[0], 0, x[1], 1, BYTES, s));
  CHECK(cudaStreamSynchronize(s));
  WANT(read(x[0] + 9) == 109);
  cudaMemcpy3DPeerParms p = {};
  p.srcDevice = 1, p.dstDevice = 0;
  p.srcPtr = make_cudaPitchedPtr(x[1], 64, 64, 4);
  p.dstPtr = make_cudaPitchedPtr(x[0] + 512, 128, 64, 4);
  p.extent = make_cudaExtent(64, 4, 1);
  CHECK(cudaMemcpy3DPeer(&p));
  WANT(read(x[0] + 512 + 32) == 116);
  FAILS(cudaErrorInvalidValue, cudaMemcpyPeer(x[0], 0, x[1] + 1, 1, BYTES));
  CHECK(cudaStreamDestroy(s));
  CHECK(cudaFree(x[0]));
  CHECK(cudaFree(x[1]));
}

static void events() {
  cudaStream_t s[2];
  cudaEvent_t e[2], later;
  int *x;
  for (int i = 0; i < 2; i++) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaStreamCreateWithFlags(&s[i], cudaStreamNonBlocking));
    CHECK(cudaEventCreate(&e[i]));
  }
  CHECK(cudaEventCreate(&later));
  CHECK(cudaMalloc(&x, BYTES));
  CHECK(cudaMemset(x, 0, BYTES));
  FAILS(cudaErrorInvalidResourceHandle, cudaEventRecord(e[0], s[1]));
  FAILS(cudaErrorInvalidResourceHandle, cudaEventRecord(e[0], 0));
  CHECK(cudaEventRecord(e[0], s[0]));
  spin<<<1, 1, 0, s[1]>>>(x, 3000);
  CHECK(cudaEventRecord(e[1], s[1]));
  CHECK(cudaSetDevice(0));
  CHECK(cudaStreamWaitEvent(s[0], e[1], 0));
  spin<<<1, 1, 0, s[0]>>>(x, 1);
  CHECK(cudaStreamSynchronize(s[0]));
  WANT(read(x) == 3001);
  CHECK(cudaEventQuery(e[1]));
  CHECK(cudaEventSynchronize(e[1]));
  float ms = -1;
  FAILS(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&ms, e[0], e[1]));
  CHECK(cudaEventRecord(later, s[1]));
  CHECK(cudaEventSynchronize(later));
  CHECK(cudaEventElapsedTime(&ms, e[1], later));
  WANT(ms >= 0);
  for (int i = 0; i < 2; i++) {
    CHECK(cudaStreamDestroy(s[i]));
    CHECK(cudaEventDestroy(e[i]));
  }
  CHECK(cudaEventDestroy(later));
  CHECK(cudaFree(x));
}

static void managed() {
  int *x;
  CHECK(cudaMallocManaged(&x, BYTES));
  for (int i = 0; i < 2; i++) {
    CHECK(cudaSetDevice(i));
    cudaMemLocation place = {cudaMemLocationTypeDevice, i}, none = {cudaMemLocationTypeDevice, 2};
    CHECK(cudaMemPrefetchAsync(x, BYTES, place, 0, 0));
    CHECK(cudaMemAdvise(x, BYTES, cudaMemAdviseSetPreferredLocation, place));
    FAILS(cudaErrorInvalidDevice, cudaMemPrefetchAsync(x, BYTES, none, 0, 0));
    int where = -1;
    CHECK(cudaMemRangeGetAttribute(&where, sizeof where, cudaMemRangeAttributePreferredLocation, x, BYTES));
    WANT(where == i);
    fill<<<16, 256>>>(x, 1000 * i, N);
    CHECK(cudaDeviceSynchronize());
    WANT(x[3] == 1000 * i + 3);
  }
  cudaPointerAttributes known;
  CHECK(cudaPointerGetAttributes(&known, &shared_by_all));
  WANT(known.type == cudaMemoryTypeManaged);
  CHECK(cudaFree(x));
  CHECK(cudaSetDevice(0));
}

static void pools() {
  cudaMemPool_t pool[2], own;
  int *x;
  cudaStream_t s;
  for (int i = 0; i < 2; i++) CHECK(cudaDeviceGetDefaultMemPool(&pool[i], i));
  WANT(pool[0] != pool[1]);
  FAILS(cudaErrorInvalidDevice, cudaDeviceGetDefaultMemPool(&own, 2));
  FAILS(cudaErrorInvalidValue, cudaDeviceSetMemPool(0, pool[1]));
  cudaMemPoolProps props = {};
  props.allocType = cudaMemAllocationTypePinned;
  props.location = {cudaMemLocationTypeDevice, 1};
  CHECK(cudaMemPoolCreate(&own, &props));
  // Memory comes from the device of the stream, or of the pool.
  cudaPointerAttributes known;
  CHECK(cudaMallocFromPoolAsync(&x, BYTES, own, 0));
  CHECK(cudaPointerGetAttributes(&known, x));
  WANT(known.device == 1);
  CHECK(cudaFreeAsync(x, 0));
  CHECK(cudaSetDevice(1));
  CHECK(cudaStreamCreate(&s));
  CHECK(cudaSetDevice(0));
  CHECK(cudaMallocAsync(&x, BYTES, s));
  CHECK(cudaPointerGetAttributes(&known, x));
  WANT(known.device == 1);
  CHECK(cudaFreeAsync(x, s));
  CHECK(cudaStreamDestroy(s));
  cudaMemAccessFlags flags;
  cudaMemLocation here = {cudaMemLocationTypeDevice, 0}, there = {cudaMemLocationTypeDevice, 1};
  CHECK(cudaMemPoolGetAccess(&flags, own, &there));
  WANT(flags == cudaMemAccessFlagsProtReadWrite);
  CHECK(cudaMemPoolGetAccess(&flags, own, &here));
  WANT(flags == cudaMemAccessFlagsProtNone);
  cudaMemAccessDesc access = {here, cudaMemAccessFlagsProtReadWrite};
  CHECK(cudaMemPoolSetAccess(own, &access, 1));
  CHECK(cudaMemPoolGetAccess(&flags, own, &here));
  WANT(flags == cudaMemAccessFlagsProtReadWrite);
  access = {there, cudaMemAccessFlagsProtNone};
  FAILS(cudaErrorInvalidValue, cudaMemPoolSetAccess(own, &access, 1));
  access.location.id = 2;
  FAILS(cudaErrorInvalidDevice, cudaMemPoolSetAccess(own, &access, 1));
  CHECK(cudaMemPoolDestroy(own));
}

// A graph with kernels of both devices.
static void graph() {
  cudaStream_t s[2];
  cudaEvent_t forked, joined;
  int *x;
  CHECK(cudaMallocManaged(&x, BYTES));
  x[0] = 0;
  for (int i = 1; i >= 0; i--) {
    CHECK(cudaSetDevice(i));
    CHECK(cudaStreamCreateWithFlags(&s[i], cudaStreamNonBlocking));
    CHECK(cudaEventCreate(i == 0 ? &forked : &joined));
  }
  CHECK(cudaStreamBeginCapture(s[0], cudaStreamCaptureModeRelaxed));
  spin<<<1, 1, 0, s[0]>>>(x, 10);
  CHECK(cudaEventRecord(forked, s[0]));
  CHECK(cudaStreamWaitEvent(s[1], forked, 0));
  CHECK(cudaSetDevice(1));
  count<<<1, 1, 0, s[1]>>>();
  spin<<<1, 1, 0, s[1]>>>(x, 5);
  CHECK(cudaEventRecord(joined, s[1]));
  CHECK(cudaStreamWaitEvent(s[0], joined, 0));
  cudaGraph_t g;
  cudaGraphExec_t exec;
  size_t nodes = 0;
  CHECK(cudaStreamEndCapture(s[0], &g));
  CHECK(cudaGraphGetNodes(g, nullptr, &nodes));
  WANT(nodes == 3);
  CHECK(cudaGraphInstantiate(&exec, g, 0));
  int before, after;
  CHECK(cudaMemcpyFromSymbol(&before, counter, sizeof before));
  for (int i = 0; i < 3; i++) CHECK(cudaGraphLaunch(exec, s[i % 2]));
  for (int i = 0; i < 2; i++) CHECK(cudaStreamSynchronize(s[i]));
  CHECK(cudaMemcpyFromSymbol(&after, counter, sizeof after));
  WANT(x[0] == 45 && after == before + 3);
  CHECK(cudaGraphExecDestroy(exec));
  CHECK(cudaGraphDestroy(g));
  for (int i = 0; i < 2; i++) CHECK(cudaStreamDestroy(s[i]));
  CHECK(cudaEventDestroy(forked));
  CHECK(cudaEventDestroy(joined));
  CHECK(cudaFree(x));
  CHECK(cudaSetDevice(0));
}

static void threads() {
  std::vector<std::thread> all;
  for (int t = 0; t < 4; t++) {
    all.emplace_back([t] {
      int *x;
      CHECK(cudaSetDevice(t % 2));
      CHECK(cudaMalloc(&x, BYTES));
      for (int round = 0; round < 50; round++) fill<<<16, 256>>>(x, round + t, N);
      WANT(read(x + 1) == 50 + t);
      CHECK(cudaFree(x));
    });
  }
  for (auto &thread : all) thread.join();
}

// What goes wrong on one device stays there, and is gone after a reset.
static void faults() {
  int *x, *y;
  CHECK(cudaSetDevice(0));
  CHECK(cudaMalloc(&x, BYTES));
  CHECK(cudaDeviceEnablePeerAccess(1, 0));
  CHECK(cudaSetDevice(1));
  CHECK(cudaMalloc(&y, BYTES));
  fault<<<1, 1>>>();
  FAILS(cudaErrorIllegalAddress, cudaDeviceSynchronize());
  FAILS(cudaErrorIllegalAddress, cudaMalloc(&y, 4));
  CHECK(cudaSetDevice(0));
  fill<<<16, 256>>>(x, 1, N);
  WANT(read(x + 1) == 2);
  CHECK(cudaDeviceSynchronize());
  CHECK(cudaSetDevice(1));
  FAILS(cudaErrorIllegalAddress, cudaDeviceSynchronize());
  CHECK(cudaDeviceReset());
  cudaPointerAttributes known;
  CHECK(cudaPointerGetAttributes(&known, y));
  WANT(known.type == cudaMemoryTypeUnregistered);
  int value;
  CHECK(cudaMemcpyFromSymbol(&value, counter, sizeof value));
  WANT(value == 7);
  CHECK(cudaSetDevice(0));
  WANT(read(x + 1) == 2);
  CHECK(cudaMemcpyFromSymbol(&value, counter, sizeof value));
  WANT(value != 7);
  // Access ended with the peer's context.
  FAILS(cudaErrorPeerAccessNotEnabled, cudaDeviceDisablePeerAccess(1));
  CHECK(cudaFree(x));
}

int main() {
  ordinals();
  contexts();
  peers();
  copies();
  events();
  managed();
  pools();
  graph();
  threads();
  faults();
  printf("devices passed\n");
}
