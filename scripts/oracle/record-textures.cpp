// Records what a real GPU's texture unit answers: runs the cases that scripts/oracle/textures.ts wrote
// to DIR and writes DIR/golden.bin, four 32-bit results for each place, and of surfaces the texels
// afterwards, cases back to back. A kernel that the driver refuses is reported; its results stay 0xcd.
//
//   g++ -O1 -I CUDA/include -static-libstdc++ -static-libgcc -o record-textures record-textures.cpp -ldl
//   ./record-textures DIR…
#include <cuda.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

static void *library;

template <typename F> static F *entry(const char *name) {
  void *found = dlsym(library, name);
  if (!found) {
    fprintf(stderr, "no %s in libcuda.so.1\n", name);
    exit(2);
  }
  return reinterpret_cast<F *>(found);
}

#define CALL(name, versioned, ...)                                                         \
  do {                                                                                     \
    CUresult result = entry<decltype(name)>(versioned)(__VA_ARGS__);                       \
    if (result != CUDA_SUCCESS) {                                                          \
      fprintf(stderr, "case %d: %s: error %d\n", current, versioned, int(result));         \
      exit(1);                                                                             \
    }                                                                                      \
  } while (0)

static int current = -1;

static std::vector<char> read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return std::vector<char>(std::istreambuf_iterator<char>(file), {});
}

struct Case {
  int format, bits, channels, width, height, depth, mode;
  int linear, fraction, normalized, srgb, layered, cube, gather, memory, surface;
};

static CUarray_format formatOf(const Case &c) {
  static const CUarray_format table[3][3] = {
      {CU_AD_FORMAT_SIGNED_INT8, CU_AD_FORMAT_SIGNED_INT16, CU_AD_FORMAT_SIGNED_INT32},
      {CU_AD_FORMAT_UNSIGNED_INT8, CU_AD_FORMAT_UNSIGNED_INT16, CU_AD_FORMAT_UNSIGNED_INT32},
      {CU_AD_FORMAT_HALF, CU_AD_FORMAT_HALF, CU_AD_FORMAT_FLOAT}};
  return table[c.format][c.bits == 8 ? 0 : c.bits == 16 ? 1 : 2];
}


static size_t atLeastOne(int n) { return n ? size_t(n) : 1; }

// The array of a case, with its texels.
static CUarray makeArray(const Case &c, const std::vector<char> &texels) {
  CUDA_ARRAY3D_DESCRIPTOR shape = {};
  shape.Width = c.width;
  shape.Height = c.height;
  shape.Depth = c.depth;
  shape.Format = formatOf(c);
  shape.NumChannels = c.channels;
  if (c.layered) shape.Flags |= CUDA_ARRAY3D_LAYERED;
  if (c.cube) shape.Flags |= CUDA_ARRAY3D_CUBEMAP;
  if (c.gather && !c.layered && !c.cube) shape.Flags |= CUDA_ARRAY3D_TEXTURE_GATHER;
  if (c.surface) shape.Flags |= CUDA_ARRAY3D_SURFACE_LDST;
  CUarray array;
  CALL(cuArray3DCreate, "cuArray3DCreate_v2", &array, &shape);
  CUDA_MEMCPY3D copy = {};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = texels.data();
  copy.srcPitch = size_t(c.width) * c.channels * c.bits / 8;
  copy.srcHeight = atLeastOne(c.height);
  copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
  copy.dstArray = array;
  copy.WidthInBytes = copy.srcPitch;
  copy.Height = copy.srcHeight;
  copy.Depth = atLeastOne(c.depth);
  CALL(cuMemcpy3D, "cuMemcpy3D_v2", &copy);
  return array;
}

static void readArray(const Case &c, CUarray array, std::vector<char> &texels) {
  CUDA_MEMCPY3D copy = {};
  copy.srcMemoryType = CU_MEMORYTYPE_ARRAY;
  copy.srcArray = array;
  copy.dstMemoryType = CU_MEMORYTYPE_HOST;
  copy.dstHost = texels.data();
  copy.dstPitch = size_t(c.width) * c.channels * c.bits / 8;
  copy.dstHeight = atLeastOne(c.height);
  copy.WidthInBytes = copy.dstPitch;
  copy.Height = copy.dstHeight;
  copy.Depth = atLeastOne(c.depth);
  CALL(cuMemcpy3D, "cuMemcpy3D_v2", &copy);
}

// Texels in memory, rows 1024 bytes apart.
static CUdeviceptr makeMemory(const Case &c, const std::vector<char> &texels,
                              CUDA_RESOURCE_DESC &resource) {
  const size_t row = size_t(c.width) * c.channels * c.bits / 8, pitch = 1024;
  CUdeviceptr memory;
  CALL(cuMemAlloc, "cuMemAlloc_v2", &memory, pitch * atLeastOne(c.height));
  for (size_t y = 0; y < atLeastOne(c.height); y++)
    CALL(cuMemcpyHtoD, "cuMemcpyHtoD_v2", memory + y * pitch, texels.data() + y * row, row);
  if (c.memory == 1) {
    resource.resType = CU_RESOURCE_TYPE_LINEAR;
    resource.res.linear.devPtr = memory;
    resource.res.linear.format = formatOf(c);
    resource.res.linear.numChannels = c.channels;
    resource.res.linear.sizeInBytes = row;
  } else {
    resource.resType = CU_RESOURCE_TYPE_PITCH2D;
    resource.res.pitch2D.devPtr = memory;
    resource.res.pitch2D.format = formatOf(c);
    resource.res.pitch2D.numChannels = c.channels;
    resource.res.pitch2D.width = c.width;
    resource.res.pitch2D.height = c.height;
    resource.res.pitch2D.pitchInBytes = pitch;
  }
  return memory;
}

static CUtexObject makeTexture(const Case &c, const CUDA_RESOURCE_DESC &resource,
                               const float *border) {
  CUDA_TEXTURE_DESC sampling = {};
  for (auto &mode : sampling.addressMode) mode = CUaddress_mode(c.mode);
  sampling.filterMode = c.linear ? CU_TR_FILTER_MODE_LINEAR : CU_TR_FILTER_MODE_POINT;
  if (!c.fraction && c.format != 2) sampling.flags |= CU_TRSF_READ_AS_INTEGER;
  if (c.normalized) sampling.flags |= CU_TRSF_NORMALIZED_COORDINATES;
  if (c.srgb) sampling.flags |= CU_TRSF_SRGB;
  memcpy(sampling.borderColor, border, 4 * sizeof *border);
  CUtexObject texture;
  CALL(cuTexObjectCreate, "cuTexObjectCreate", &texture, &resource, &sampling, nullptr);
  return texture;
}

static CUdevice device;

static void startContext() {
  CUcontext context;
  CALL(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain", &context, device);
  CALL(cuCtxSetCurrent, "cuCtxSetCurrent", context);
}

// Runs the kernel of a case; false if it faults, and then everything in the context is gone.
static bool launch(const std::string &ptx, CUtexObject object, CUdeviceptr in, CUdeviceptr out,
                   unsigned n) {
  CUmodule module;
  CUfunction kernel;
  char log[400] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, reinterpret_cast<void *>(sizeof log)};
  auto load = entry<decltype(cuModuleLoadDataEx)>("cuModuleLoadDataEx");
  if (CUresult refused = load(&module, ptx.c_str(), 2, options, values)) {
    printf("case %d is refused with %d: %s\n", current, int(refused), log);
    return true;
  }
  if (entry<decltype(cuModuleGetFunction)>("cuModuleGetFunction")(&kernel, module, "t")) {
    printf("case %d has no kernel\n", current);
    return true;
  }
  void *params[] = {&object, &in, &out, &n};
  CALL(cuLaunchKernel, "cuLaunchKernel", kernel, (n + 127) / 128, 1, 1, 128, 1, 1, 0, nullptr,
       params, nullptr);
  if (CUresult fault = entry<decltype(cuCtxSynchronize)>("cuCtxSynchronize")()) {
    printf("case %d faults with %d\n", current, int(fault));
    return false;
  }
  CALL(cuModuleUnload, "cuModuleUnload", module);
  return true;
}

static void record(const std::string &dir) {
  std::ifstream list(dir + "/cases.txt");
  int count, places;
  float border[4];
  list >> count >> places >> border[0] >> border[1] >> border[2] >> border[3];
  std::ofstream golden(dir + "/golden.bin", std::ios::binary);
  for (current = 0; current < count; current++) {
    Case c;
    list >> c.format >> c.bits >> c.channels >> c.width >> c.height >> c.depth >> c.mode;
    list >> c.linear >> c.fraction >> c.normalized >> c.srgb >> c.layered >> c.cube >> c.gather;
    list >> c.memory >> c.surface;
    const std::string number = std::to_string(current);
    std::vector<char> texels = read(dir + "/texels." + number + ".bin");
    std::vector<char> coordinates = read(dir + "/places." + number + ".bin");
    std::vector<char> text = read(dir + "/kernel." + number + ".ptx");
    CUDA_RESOURCE_DESC resource = {};
    CUarray array = nullptr;
    CUdeviceptr memory = 0, in, out;
    if (c.memory) {
      memory = makeMemory(c, texels, resource);
    } else {
      array = makeArray(c, texels);
      resource.resType = CU_RESOURCE_TYPE_ARRAY;
      resource.res.array.hArray = array;
    }
    CUtexObject object;
    if (c.surface) CALL(cuSurfObjectCreate, "cuSurfObjectCreate", &object, &resource);
    else object = makeTexture(c, resource, border);
    std::vector<char> results(16 * size_t(places));
    CALL(cuMemAlloc, "cuMemAlloc_v2", &in, coordinates.size());
    CALL(cuMemAlloc, "cuMemAlloc_v2", &out, results.size());
    CALL(cuMemcpyHtoD, "cuMemcpyHtoD_v2", in, coordinates.data(), coordinates.size());
    CALL(cuMemsetD8, "cuMemsetD8_v2", out, 0xcd, results.size());
    if (!launch(std::string(text.begin(), text.end()), object, in, out, unsigned(places))) {
      CALL(cuDevicePrimaryCtxReset, "cuDevicePrimaryCtxReset_v2", device);
      CALL(cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2", device);
      startContext();
      std::fill(results.begin(), results.end(), char(0xcd));
      golden.write(results.data(), results.size());
      if (c.surface) golden.write(texels.data(), texels.size());
      continue;
    }
    CALL(cuMemcpyDtoH, "cuMemcpyDtoH_v2", results.data(), out, results.size());
    golden.write(results.data(), results.size());
    if (c.surface) {
      readArray(c, array, texels);
      golden.write(texels.data(), texels.size());
      CALL(cuSurfObjectDestroy, "cuSurfObjectDestroy", object);
    } else {
      CALL(cuTexObjectDestroy, "cuTexObjectDestroy", object);
    }
    CALL(cuMemFree, "cuMemFree_v2", in);
    CALL(cuMemFree, "cuMemFree_v2", out);
    if (memory) CALL(cuMemFree, "cuMemFree_v2", memory);
    if (array) CALL(cuArrayDestroy, "cuArrayDestroy", array);
  }
  printf("%s: %d cases recorded\n", dir.c_str(), count);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) return 2;
  CALL(cuInit, "cuInit", 0);
  CALL(cuDeviceGet, "cuDeviceGet", &device, 0);
  startContext();
  for (int i = 1; i < argc; i++) record(argv[i]);
  return 0;
}
