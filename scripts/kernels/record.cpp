// Records what a real GPU computes for generated kernels. `export.ts` writes the folder:
//
//   list.txt    a line for each kernel: index, grid (x, y), block (x, y, z), bytes of output, of counters
//   N.ptx N.in  the kernel and its input
//
// and this program adds N.out: the output, then the counters. Needs only the driver's library:
//
//   g++ -O1 -static-libstdc++ -static-libgcc -o record scripts/kernels/record.cpp -ldl
//   ./record DIR OUTDIR
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

typedef int CUresult;
typedef unsigned long long CUdeviceptr;

static void *driver;
template <class F> static F symbol(const char *name) {
  void *f = dlsym(driver, name);
  if (!f) {
    fprintf(stderr, "record: no %s\n", name);
    exit(2);
  }
  return reinterpret_cast<F>(f);
}

static void check(CUresult result, const char *what) {
  if (result == 0) return;
  fprintf(stderr, "record: %s: error %d\n", what, result);
  exit(1);
}

static std::vector<char> read(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    fprintf(stderr, "record: cannot read %s\n", path.c_str());
    exit(2);
  }
  return std::vector<char>(std::istreambuf_iterator<char>(in), {});
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: record DIR OUTDIR\n");
    return 2;
  }
  driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (!driver) {
    fprintf(stderr, "record: %s\n", dlerror());
    return 2;
  }
  auto init = symbol<CUresult (*)(unsigned)>("cuInit");
  auto deviceGet = symbol<CUresult (*)(int *, int)>("cuDeviceGet");
  auto deviceName = symbol<CUresult (*)(char *, int, int)>("cuDeviceGetName");
  auto retain = symbol<CUresult (*)(void **, int)>("cuDevicePrimaryCtxRetain");
  auto setCurrent = symbol<CUresult (*)(void *)>("cuCtxSetCurrent");
  auto load = symbol<CUresult (*)(void **, const void *, unsigned, int *, void **)>(
      "cuModuleLoadDataEx");
  auto unload = symbol<CUresult (*)(void *)>("cuModuleUnload");
  auto getFunction = symbol<CUresult (*)(void **, void *, const char *)>("cuModuleGetFunction");
  auto alloc = symbol<CUresult (*)(CUdeviceptr *, size_t)>("cuMemAlloc_v2");
  auto release = symbol<CUresult (*)(CUdeviceptr)>("cuMemFree_v2");
  auto toDevice = symbol<CUresult (*)(CUdeviceptr, const void *, size_t)>("cuMemcpyHtoD_v2");
  auto toHost = symbol<CUresult (*)(void *, CUdeviceptr, size_t)>("cuMemcpyDtoH_v2");
  auto fill = symbol<CUresult (*)(CUdeviceptr, unsigned char, size_t)>("cuMemsetD8_v2");
  auto launch = symbol<CUresult (*)(void *, unsigned, unsigned, unsigned, unsigned, unsigned,
                                    unsigned, unsigned, void *, void **, void **)>("cuLaunchKernel");
  auto synchronize = symbol<CUresult (*)()>("cuCtxSynchronize");
  check(init(0), "cuInit");
  int device;
  check(deviceGet(&device, 0), "cuDeviceGet");
  char name[256];
  check(deviceName(name, sizeof name, device), "cuDeviceGetName");
  void *context;
  check(retain(&context, device), "cuDevicePrimaryCtxRetain");
  check(setCurrent(context), "cuCtxSetCurrent");
  const std::string dir = argv[1], out = argv[2];
  std::ifstream list(dir + "/list.txt");
  int index, count = 0;
  unsigned gx, gy, bx, by, bz;
  size_t bytes, counterBytes;
  while (list >> index >> gx >> gy >> bx >> by >> bz >> bytes >> counterBytes) {
    const std::string base = dir + "/" + std::to_string(index);
    std::vector<char> ptx = read(base + ".ptx"), input = read(base + ".in");
    ptx.push_back(0);
    void *module, *kernel;
    // CU_JIT_OPTIMIZATION_LEVEL 0: what is recorded is the instructions, not the optimiser. (ptxas
    // 13.0 above -O0 computes another value than at -O0 for about one kernel of 400.)
    int option = 7;
    void *level = nullptr;
    check(load(&module, ptx.data(), 1, &option, &level), (base + ".ptx").c_str());
    check(getFunction(&kernel, module, "k"), "cuModuleGetFunction");
    CUdeviceptr in, result, counters;
    check(alloc(&in, input.size()), "cuMemAlloc");
    check(alloc(&result, bytes), "cuMemAlloc");
    check(alloc(&counters, counterBytes), "cuMemAlloc");
    check(toDevice(in, input.data(), input.size()), "cuMemcpyHtoD");
    check(fill(result, 0, bytes), "cuMemset");
    check(fill(counters, 0, counterBytes), "cuMemset");
    void *params[] = {&in, &result, &counters};
    check(launch(kernel, gx, gy, 1, bx, by, bz, 0, nullptr, params, nullptr), "cuLaunchKernel");
    check(synchronize(), (base + ".ptx runs").c_str());
    std::vector<char> answer(bytes + counterBytes);
    check(toHost(answer.data(), result, bytes), "cuMemcpyDtoH");
    check(toHost(answer.data() + bytes, counters, counterBytes), "cuMemcpyDtoH");
    std::ofstream(out + "/" + std::to_string(index) + ".out", std::ios::binary)
        .write(answer.data(), answer.size());
    check(release(in), "cuMemFree");
    check(release(result), "cuMemFree");
    check(release(counters), "cuMemFree");
    check(unload(module), "cuModuleUnload");
    count++;
  }
  printf("%d kernels on %s\n", count, name);
  return 0;
}
