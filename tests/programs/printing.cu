// printf in kernels comes out in order with the host's own text, at each synchronisation.
#include <cstdio>

__global__ void say(int round) {
  if (threadIdx.x % 2 == 0) printf("round %d thread %d %s %.2f\n", round, threadIdx.x, "text", 0.25 * threadIdx.x);
}

int main() {
  for (int round = 0; round < 3; round++) {
    printf("host before %d\n", round);
    say<<<1, 4>>>(round);
    cudaDeviceSynchronize();
  }
  printf("printing passed\n");
}
