// One stage of the bitonic sorting network over n keys, a launch each; one pair a thread.
extern "C" __global__ void bitonicStage(unsigned int *__restrict__ keys, int size, int distance) {
  const int t = blockIdx.x * blockDim.x + threadIdx.x;
  const int i = 2 * t - (t & (distance - 1));
  const unsigned int a = keys[i], b = keys[i + distance];
  if ((a > b) == ((i & size) == 0)) {
    keys[i] = b;
    keys[i + distance] = a;
  }
}
