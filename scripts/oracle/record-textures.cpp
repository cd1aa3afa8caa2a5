// Records what a real GPU's texture unit answers: runs the cases that scripts/oracle/textures.ts wrote
// to DIR and writes DIR/golden.bin, four 32-bit results for each place, cases back to back.
//
//   g++ -O1 -I CUDA/include -static-libstdc++ -static-libgcc -o record-textures \
//     scripts/oracle/record-textures.cpp -ldl
//   ./record-textures DIR
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
  int linear, fraction, normalized, srgb, layered, cube, gather;
};

static CUarray_format formatOf(const Case &c) {
  static const CUarray_format table[3][3] = {
      {CU_AD_FORMAT_SIGNED_INT8, CU_AD_FORMAT_SIGNED_INT16, CU_AD_FORMAT_SIGNED_INT32},
      {CU_AD_FORMAT_UNSIGNED_INT8, CU_AD_FORMAT_UNSIGNED_INT16, CU_AD_FORMAT_UNSIGNED_INT32},
      {CU_AD_FORMAT_HALF, CU_AD_FORMAT_HALF, CU_AD_FORMAT_FLOAT}};
  return table[c.format][c.bits == 8 ? 0 : c.bits == 16 ? 1 : 2];
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  const std::string dir = argv[1];
  library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) return 2;
  CUdevice device;
  CUcontext context;
  CALL(cuInit, "cuInit", 0);
  CALL(cuDeviceGet, "cuDeviceGet", &device, 0);
  CALL(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain", &context, device);
  CALL(cuCtxSetCurrent, "cuCtxSetCurrent", context);
  std::ifstream list(dir + "/cases.txt");
  int count, places;
  float border[4];
  list >> count >> places >> border[0] >> border[1] >> border[2] >> border[3];
  std::ofstream golden(dir + "/golden.bin", std::ios::binary);
  for (current = 0; current < count; current++) {
    Case c;
    list >> c.format >> c.bits >> c.channels >> c.width >> c.height >> c.depth >> c.mode;
    list >> c.linear >> c.fraction >> c.normalized >> c.srgb >> c.layered >> c.cube >> c.gather;
    const std::string number = std::to_string(current);
    std::vector<char> texels = read(dir + "/texels." + number + ".bin");
    std::vector<char> coordinates = read(dir + "/places." + number + ".bin");
    std::vector<char> ptx = read(dir + "/kernel." + number + ".ptx");
    ptx.push_back(0);

    CUDA_ARRAY3D_DESCRIPTOR shape = {};
    shape.Width = c.width;
    shape.Height = c.height;
    shape.Depth = c.depth;
    shape.Format = formatOf(c);
    shape.NumChannels = c.channels;
    if (c.layered) shape.Flags |= CUDA_ARRAY3D_LAYERED;
    if (c.cube) shape.Flags |= CUDA_ARRAY3D_CUBEMAP;
    if (c.gather) shape.Flags |= CUDA_ARRAY3D_TEXTURE_GATHER;
    CUarray array;
    CALL(cuArray3DCreate, "cuArray3DCreate_v2", &array, &shape);
    CUDA_MEMCPY3D copy = {};
    copy.srcMemoryType = CU_MEMORYTYPE_HOST;
    copy.srcHost = texels.data();
    copy.srcPitch = size_t(c.width) * c.channels * c.bits / 8;
    copy.srcHeight = c.height ? c.height : 1;
    copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
    copy.dstArray = array;
    copy.WidthInBytes = copy.srcPitch;
    copy.Height = copy.srcHeight;
    copy.Depth = c.depth ? c.depth : 1;
    CALL(cuMemcpy3D, "cuMemcpy3D_v2", &copy);

    CUDA_RESOURCE_DESC resource = {};
    resource.resType = CU_RESOURCE_TYPE_ARRAY;
    resource.res.array.hArray = array;
    CUDA_TEXTURE_DESC sampling = {};
    for (auto &mode : sampling.addressMode) mode = CUaddress_mode(c.mode);
    sampling.filterMode = c.linear ? CU_TR_FILTER_MODE_LINEAR : CU_TR_FILTER_MODE_POINT;
    if (!c.fraction && c.format != 2) sampling.flags |= CU_TRSF_READ_AS_INTEGER;
    if (c.normalized) sampling.flags |= CU_TRSF_NORMALIZED_COORDINATES;
    if (c.srgb) sampling.flags |= CU_TRSF_SRGB;
    memcpy(sampling.borderColor, border, sizeof border);
    CUtexObject texture;
    CALL(cuTexObjectCreate, "cuTexObjectCreate", &texture, &resource, &sampling, nullptr);

    CUmodule module;
    CUfunction kernel;
    CALL(cuModuleLoadData, "cuModuleLoadData", &module, ptx.data());
    CALL(cuModuleGetFunction, "cuModuleGetFunction", &kernel, module, "t");
    CUdeviceptr in, out;
    std::vector<char> results(16 * size_t(places));
    CALL(cuMemAlloc, "cuMemAlloc_v2", &in, coordinates.size());
    CALL(cuMemAlloc, "cuMemAlloc_v2", &out, results.size());
    CALL(cuMemcpyHtoD, "cuMemcpyHtoD_v2", in, coordinates.data(), coordinates.size());
    CALL(cuMemsetD8, "cuMemsetD8_v2", out, 0xcd, results.size());
    unsigned n = places;
    void *params[] = {&texture, &in, &out, &n};
    CALL(cuLaunchKernel, "cuLaunchKernel", kernel, (n + 127) / 128, 1, 1, 128, 1, 1, 0, nullptr,
         params, nullptr);
    CALL(cuCtxSynchronize, "cuCtxSynchronize");
    CALL(cuMemcpyDtoH, "cuMemcpyDtoH_v2", results.data(), out, results.size());
    golden.write(results.data(), results.size());
    CALL(cuMemFree, "cuMemFree_v2", in);
    CALL(cuMemFree, "cuMemFree_v2", out);
    CALL(cuModuleUnload, "cuModuleUnload", module);
    CALL(cuTexObjectDestroy, "cuTexObjectDestroy", texture);
    CALL(cuArrayDestroy, "cuArrayDestroy", array);
  }
  printf("%d cases recorded\n", count);
  return 0;
}
