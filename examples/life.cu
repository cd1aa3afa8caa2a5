// Conway's game of life on a torus, one byte per cell, one generation per launch.

extern "C" __global__ void lifeStep(int width, int height, const unsigned char *__restrict__ now,
                                    unsigned char *__restrict__ next) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= width || y >= height) return;

  const int left = x == 0 ? width - 1 : x - 1;
  const int right = x == width - 1 ? 0 : x + 1;
  const unsigned char *above = now + (y == 0 ? height - 1 : y - 1) * width;
  const unsigned char *here = now + y * width;
  const unsigned char *below = now + (y == height - 1 ? 0 : y + 1) * width;

  const int neighbours = above[left] + above[x] + above[right] + here[left] + here[right] +
                         below[left] + below[x] + below[right];
  next[y * width + x] = neighbours == 3 || (neighbours == 2 && here[x]);
}
