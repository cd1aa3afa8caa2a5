// The acceleration of each of n bodies (x, y, z, mass) by all, straight from global memory.
extern "C" __global__ void nbody(int n, const float4 *__restrict__ p, float4 *__restrict__ out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const float4 me = p[i];
  float ax = 0.0f, ay = 0.0f, az = 0.0f;
  for (int j = 0; j < n; ++j) {
    const float4 q = p[j];
    const float dx = q.x - me.x, dy = q.y - me.y, dz = q.z - me.z;
    const float d = dx * dx + dy * dy + dz * dz + 0.01f;
    const float r = 1.0f / sqrtf(d);
    const float s = q.w * r * r * r;
    ax += dx * s;
    ay += dy * s;
    az += dz * s;
  }
  out[i] = make_float4(ax, ay, az, 0.0f);
}
