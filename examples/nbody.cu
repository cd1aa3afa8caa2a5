// Gravity between n bodies, all pairs, one leapfrog step per launch. A block keeps a tile of
// bodies in shared memory and each of its threads adds the pull of the whole tile on its body.

#define TILE 256
#define SOFTENING 0.01f  // squared softening length: keeps close encounters finite

extern "C" __global__ void __launch_bounds__(TILE)
    nbodyStep(int n, float dt, const float4 *__restrict__ oldPositions,  // x, y, z, mass
              float4 *__restrict__ newPositions, float4 *__restrict__ velocities) {
  __shared__ float4 tile[TILE];

  const int i = blockIdx.x * TILE + threadIdx.x;
  const float4 body = i < n ? oldPositions[i] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);

  float ax = 0.0f, ay = 0.0f, az = 0.0f;
  for (int first = 0; first < n; first += TILE) {
    const int j = first + threadIdx.x;
    // A body of mass zero pulls nobody: it pads the last tile.
    tile[threadIdx.x] = j < n ? oldPositions[j] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    __syncthreads();

#pragma unroll 4
    for (int k = 0; k < TILE; ++k) {
      const float4 other = tile[k];
      const float dx = other.x - body.x;
      const float dy = other.y - body.y;
      const float dz = other.z - body.z;
      const float inverse = rsqrtf(dx * dx + dy * dy + dz * dz + SOFTENING);
      const float pull = other.w * inverse * inverse * inverse;
      ax += dx * pull;
      ay += dy * pull;
      az += dz * pull;
    }
    __syncthreads();
  }

  if (i < n) {
    float4 v = velocities[i];
    v.x += ax * dt;
    v.y += ay * dt;
    v.z += az * dt;
    velocities[i] = v;
    newPositions[i] =
        make_float4(body.x + v.x * dt, body.y + v.y * dt, body.z + v.z * dt, body.w);
  }
}
