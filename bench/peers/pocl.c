// Runs the benchmark's kernels in OpenCL C on PoCL (or whatever CPU OpenCL is installed first).
// Usage: pocl NAME N OUTPUT FOLDER, where FOLDER holds pocl.cl; or: pocl latency.
// The first run is checked (its outputs are written to OUTPUT); then a run is timed for each line on
// the standard input, from the first enqueue to the end of clFinish.
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <ctype.h>
#include <unistd.h>

#include "problems.h"

static cl_context context;
static cl_device_id device;
static cl_command_queue queue;

static void check(cl_int error, const char *what) {
  if (error == CL_SUCCESS) return;
  fprintf(stderr, "%s: OpenCL error %d\n", what, error);
  exit(1);
}

static void open_device(void) {
  cl_platform_id platform;
  cl_uint platforms = 0;
  cl_int error;
  // Without a platform the loader reports an error of its own: the peer is then absent.
  if (clGetPlatformIDs(1, &platform, &platforms) != CL_SUCCESS || platforms == 0) {
    fprintf(stderr, "no OpenCL platform\n");
    exit(4);
  }
  check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_CPU, 1, &device, 0), "clGetDeviceIDs");
  context = clCreateContext(0, 1, &device, 0, 0, &error);
  check(error, "clCreateContext");
  queue = clCreateCommandQueue(context, device, 0, &error);
  check(error, "clCreateCommandQueue");
}

static cl_program build(const char *source, const char *options) {
  cl_int error;
  cl_program program = clCreateProgramWithSource(context, 1, &source, 0, &error);
  check(error, "clCreateProgramWithSource");
  if (clBuildProgram(program, 1, &device, options, 0, 0) != CL_SUCCESS) {
    static char log[1 << 16];
    clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof log, log, 0);
    fprintf(stderr, "%s\n", log);
    exit(1);
  }
  return program;
}

static cl_program program;
static cl_mem mem[MAX_BUFFERS];

static cl_kernel kernel(const char *name) {
  cl_int error;
  cl_kernel k = clCreateKernel(program, name, &error);
  check(error, name);
  return k;
}

// Sets the arguments by a pattern: a digit is that buffer, 'i' an int, 'f' a float from values.
static void arguments(cl_kernel k, const char *pattern, const double *values) {
  for (cl_uint i = 0; pattern[i]; ++i) {
    if (isdigit((unsigned char)pattern[i])) {
      check(clSetKernelArg(k, i, sizeof(cl_mem), &mem[pattern[i] - '0']), "clSetKernelArg");
    } else if (pattern[i] == 'i') {
      const cl_int v = (cl_int)*values++;
      check(clSetKernelArg(k, i, sizeof v, &v), "clSetKernelArg");
    } else {
      const cl_float v = (cl_float)*values++;
      check(clSetKernelArg(k, i, sizeof v, &v), "clSetKernelArg");
    }
  }
}

static void launch(cl_kernel k, size_t gx, size_t gy, size_t lx, size_t ly) {
  const size_t global[2] = {gx, gy}, local[2] = {lx, ly};
  check(clEnqueueNDRangeKernel(queue, k, gy ? 2 : 1, 0, global, local, 0, 0, 0), "launch");
}

// One kernel with one shape: name, kernel, argument pattern and values, global and local size.
typedef struct {
  const char *kernel, *pattern;
  double values[2];
  size_t gx, gy, lx, ly;
} Single;

static int single(const Problem *p, Single *s) {
  const size_t n = p->n;
#define IS(s) (strcmp(p->name, s) == 0)
#define IS1(problem, ...) if (IS(problem)) return *s = (Single){__VA_ARGS__}, 1
  IS1("saxpy", "saxpy", "if01", {n, 2}, n, 0, 256);
  IS1("triad", "triad", "if012", {n, 3}, n, 0, 256);
  IS1("transpose-naive", "transposeNaive", "i01", {n}, n, n, 16, 16);
  IS1("transpose-tiled", "transposeTiled", "i01", {n}, n, n / 4, 32, 8);
  IS1("reduce", "blockReduce", "i01", {n}, n, 0, 256);
  IS1("histogram-shared", "histogramShared", "01", {0}, n / 16, 0, 256);
  IS1("histogram-global", "histogramGlobal", "i01", {n}, n, 0, 256);
  IS1("sgemm", "gemm", "i012", {n}, n, n, 16, 16);
  IS1("dgemm", "gemm", "i012", {n}, n, n, 16, 16);
  IS1("hgemm-wmma", "gemm", "i012", {n}, n, n, 16, 16);
  IS1("convolution", "convolution", "i012", {n}, n, n, 16, 16);
  IS1("stencil", "stencil", "if01", {n, 0.25}, n, n, 32, 8);
  IS1("nbody", "nbody", "i01", {n}, n, 0, 256);
  IS1("mandelbrot", "mandelbrot", "ii0", {n, 256}, n, n, 16, 16);
  IS1("black-scholes", "blackScholes", "iff01234", {n}, n, 0, 256);
  IS1("spmv", "spmv", "i01234", {n}, n, 0, 256);
  IS1("monte-carlo", "monteCarlo", "i0", {256}, n, 0, 256);
  IS1("sha256", "sha256", "i01", {n}, n, 0, 256);
  IS1("softmax", "softmax", "i01", {1024}, n * 256, 0, 256);
  return 0;
}

static cl_kernel kernels[3];

static int prepare(const Problem *p, Single *s) {
  const int n = p->n;
  if (single(p, s)) {
    kernels[0] = kernel(s->kernel);
    const double scholes[3] = {n, 0.02, 0.3};
    arguments(kernels[0], s->pattern, IS("black-scholes") ? scholes : s->values);
  } else if (IS("scan")) {
    kernels[0] = kernel("scanBlocks");
    arguments(kernels[0], "012", 0);
    kernels[1] = kernel("scanSums");
    arguments(kernels[1], "i2", (double[]){n / 256});
    kernels[2] = kernel("scanAdd");
    arguments(kernels[2], "12", 0);
  } else if (IS("bitonic-sort")) {
    kernels[0] = kernel("bitonicStage");
  } else if (IS("floyd-warshall")) {
    kernels[0] = kernel("floydWarshall");
  } else {
    return 0;
  }
  return 1;
}

static void run(const Problem *p, const Single *s) {
  const int n = p->n;
  if (s->kernel) {
    launch(kernels[0], s->gx, s->gy, s->lx, s->ly);
  } else if (IS("scan")) {
    launch(kernels[0], n, 0, 256, 0);
    launch(kernels[1], 256, 0, 256, 0);
    launch(kernels[2], n, 0, 256, 0);
  } else if (IS("bitonic-sort")) {
    for (int size = 2; size <= n; size <<= 1)
      for (int distance = size >> 1; distance > 0; distance >>= 1) {
        arguments(kernels[0], "0ii", (double[]){size, distance});
        launch(kernels[0], n / 2, 0, 256, 0);
      }
  } else {
    for (int k = 0; k < n; ++k) {
      arguments(kernels[0], "ii0", (double[]){n, k});
      launch(kernels[0], n, n, 16, 16);
    }
  }
  check(clFinish(queue), "clFinish");
}
#undef IS

// Cold: from source text to the first result of a small kernel, the device being open. The kernel
// holds a number that nobody has built before and PoCL's cache on disk is off: it has to build.
// Launch: enqueue and finish of an empty kernel.
static int latency(void) {
  char source[256];
  setenv("POCL_KERNEL_CACHE", "0", 1);
  const double opened = now();
  open_device();
  const double open = now() - opened;
  snprintf(source, sizeof source,
           "__kernel void k(__global int *x) { if (get_global_id(0) == %u) x[0] = 1; }",
           hash32((uint32_t)time(0) ^ hash32((uint32_t)getpid())) | 1u << 28);
  double start = now();
  program = build(source, "");
  cl_kernel k = kernel("k");
  cl_int error;
  mem[0] = clCreateBuffer(context, 0, 4096, 0, &error);
  arguments(k, "0", 0);
  launch(k, 256, 0, 256, 0);
  check(clFinish(queue), "clFinish");
  const double cold = (now() - start) * 1e3;
  enum { LAUNCHES = 2000 };
  start = now();
  for (int i = 0; i < LAUNCHES; ++i) {
    launch(k, 256, 0, 256, 0);
    clFinish(queue);
  }
  const double each = (now() - start) / LAUNCHES;
  printf("{\"open_ms\": %.6f, \"cold_ms\": %.6f, \"launch_us\": %.6f}\n", open * 1e3, cold,
         each * 1e6);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "latency") == 0) return latency();
  if (argc != 5) return fprintf(stderr, "usage: pocl NAME N OUTPUT FOLDER\n"), 2;
  Problem p;
  Single s = {0};
  if (!problem_make(&p, argv[1], atoi(argv[2]))) {
    return fprintf(stderr, "no kernel %s\n", argv[1]), 3;
  }
  open_device();

  char path[4096], options[4200], symbol[64];
  snprintf(path, sizeof path, "%s/pocl.cl", argv[4]);
  FILE *f = fopen(path, "rb");
  if (!f) return perror(path), 1;
  static char source[1 << 16];
  source[fread(source, 1, sizeof source - 1, f)] = 0;
  fclose(f);
  int i = 0;
  for (; argv[1][i]; ++i) symbol[i] = argv[1][i] == '-' ? '_' : toupper((unsigned char)argv[1][i]);
  symbol[i] = 0;
  snprintf(options, sizeof options, "-D%s -I%s", symbol, argv[4]);
  program = build(source, options);

  for (int b = 0; b < p.buffers; ++b) {
    cl_int error;
    mem[b] = clCreateBuffer(context, 0, p.bytes[b], 0, &error);
    check(error, "clCreateBuffer");
    check(clEnqueueWriteBuffer(queue, mem[b], 1, 0, p.bytes[b], p.data[b], 0, 0, 0), "write");
  }
  if (!prepare(&p, &s)) return fprintf(stderr, "no kernel %s\n", argv[1]), 3;
  run(&p, &s);
  for (int b = 0; b < p.buffers; ++b) {
    check(clEnqueueReadBuffer(queue, mem[b], 1, 0, p.bytes[b], p.data[b], 0, 0, 0), "read");
  }
  if (!problem_write(&p, argv[3])) return 1;

  while (next_turn()) {
    for (int b = 0; b < p.buffers; ++b) {
      if (p.reset >> b & 1) {
        check(clEnqueueWriteBuffer(queue, mem[b], 1, 0, p.bytes[b], p.first[b], 0, 0, 0), "write");
      }
    }
    const double start = now();
    run(&p, &s);
    end_turn((now() - start) * 1e3);
  }
  return 0;
}
