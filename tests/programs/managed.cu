// Managed memory and managed variables: the host and kernels use the same pointers.
#include <cstdio>

__managed__ int total = 5;
__device__ int hits;

struct Node {
  Node *next;
  int value;
};

__global__ void walk(Node *head) {
  for (Node *n = head; n; n = n->next) {
    n->value *= 2;
    total += n->value;
    hits++;
  }
}

int main() {
  Node *nodes;
  if (cudaMallocManaged(&nodes, 10 * sizeof(Node)) != cudaSuccess) return 2;
  for (int i = 0; i < 10; i++) nodes[i] = {i < 9 ? &nodes[i + 1] : nullptr, i};
  total = 100;
  walk<<<1, 1>>>(nodes);
  if (cudaDeviceSynchronize() != cudaSuccess) return 3;
  for (int i = 0; i < 10; i++) {
    if (nodes[i].value != 2 * i) return printf("node %d is %d\n", i, nodes[i].value), 1;
  }
  int count = 0;
  cudaMemcpyFromSymbol(&count, hits, sizeof count);
  if (total != 190 || count != 10) return printf("total %d, hits %d\n", total, count), 1;
  cudaFree(nodes);
  printf("managed passed\n");
}
