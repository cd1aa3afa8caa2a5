// Two ranks, each with a device of its own, that exchange halves of a stencil's rows through MPI. Only
// the few functions that are used are declared, for Open MPI's C interface; the library is opened at
// run time, so that the program can be built where MPI is not.
#include <dlfcn.h>
#include <vector>
#include "check.h"

static void *library;
template <typename F> static F function(const char *name) {
  void *f = dlsym(library, name);
  if (f == nullptr) printf("%s: %s\n", name, dlerror()), exit(3);
  return (F)f;
}

__global__ void step(const float *in, float *out, int rows, int width) {
  int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y + 1;
  if (x >= width || y > rows) return;
  float left = x > 0 ? in[y * width + x - 1] : 0, right = x < width - 1 ? in[y * width + x + 1] : 0;
  out[y * width + x] = 0.25f * (in[(y - 1) * width + x] + in[(y + 1) * width + x] + left + right);
}

// `rows` rows between two of the neighbours'.
static void run(std::vector<float> &grid, int rows, int width, int steps, void (*exchange)(float *, int, int)) {
  float *a, *b;
  size_t bytes = grid.size() * sizeof(float);
  CHECK(cudaMallocManaged(&a, bytes));
  CHECK(cudaMallocManaged(&b, bytes));
  CHECK(cudaMemcpy(a, grid.data(), bytes, cudaMemcpyDefault));
  CHECK(cudaMemset(b, 0, bytes));
  for (int i = 0; i < steps; i++) {
    step<<<dim3((width + 63) / 64, rows), 64>>>(a, b, rows, width);
    CHECK(cudaDeviceSynchronize());
    if (exchange) exchange(b, rows, width);
    std::swap(a, b);
  }
  CHECK(cudaMemcpy(grid.data(), a, bytes, cudaMemcpyDefault));
  CHECK(cudaFree(a));
  CHECK(cudaFree(b));
}

static int rank;
static void *world, *real;
static int (*sendrecv)(const void *, int, void *, int, int, void *, int, void *, int, int, void *, void *);
// Managed memory goes to MPI as it is: the last row of rank 0 and the first of rank 1 change places.
static void exchange(float *grid, int rows, int width) {
  float *mine = grid + (rank == 0 ? rows : 1) * width;
  float *other = grid + (rank == 0 ? rows + 1 : 0) * width;
  int peer = 1 - rank;
  WANT(sendrecv(mine, width, real, peer, 0, other, width, real, peer, 0, world, nullptr) == 0);
}

int main(int argc, char **argv) {
  library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) return printf("%s\n", dlerror()), 3;
  WANT(function<int (*)(int *, char ***)>("MPI_Init")(&argc, &argv) == 0);
  world = function<void *>("ompi_mpi_comm_world");
  real = function<void *>("ompi_mpi_float");
  sendrecv = function<decltype(sendrecv)>("MPI_Sendrecv");
  int size;
  function<int (*)(void *, int *)>("MPI_Comm_rank")(world, &rank);
  function<int (*)(void *, int *)>("MPI_Comm_size")(world, &size);
  WANT(size == 2);
  const int rows = 20, width = 100, steps = 30;
  std::vector<float> whole((2 * rows + 2) * width), half((rows + 2) * width);
  for (int y = 1; y <= 2 * rows; y++)
    for (int x = 0; x < width; x++) whole[y * width + x] = (y * 31 + x * 17) % 100;
  for (size_t i = 0; i < half.size(); i++) half[i] = whole[i + rank * rows * width];
  run(whole, 2 * rows, width, steps, nullptr);
  run(half, rows, width, steps, exchange);
  for (int y = 1; y <= rows; y++)
    for (int x = 0; x < width; x++) WANT(half[y * width + x] == whole[(y + rank * rows) * width + x]);
  function<int (*)(void *)>("MPI_Barrier")(world);
  function<int (*)()>("MPI_Finalize")();
  if (rank == 0) printf("mpi passed\n");
}
