// All shortest paths of a graph with n nodes: one launch for each intermediate node k.
extern "C" __global__ void floydWarshall(int n, int k, int *__restrict__ distances) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  const int through = distances[y * n + k] + distances[k * n + x];
  if (through < distances[y * n + x]) distances[y * n + x] = through;
}
