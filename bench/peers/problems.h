// The problems that every peer solves: what goes in, what comes out, made from one hash so that the
// C programs and bench/problems.ts make the same bits without exchanging files. A problem has one
// size n; the meaning of n and every buffer's length is in problem_make().
//
// Inputs of the linear kernels are multiples of 1/256 in [-0.5, 0.5): all sums and products are
// then exact in f32, whatever the order and with or without fused multiply-add, and outputs are
// compared bit for bit. The others are compared within a tolerance (bench/problems.ts).
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_BUFFERS 6

typedef struct {
  const char *name;
  int n;
  int buffers;
  void *data[MAX_BUFFERS];
  size_t bytes[MAX_BUFFERS];
  unsigned outputs;  // bit i: buffer i is an output
  unsigned reset;    // bit i: buffer i is given its first contents again before every run
  void *first[MAX_BUFFERS];
} Problem;

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

// lowbias32, Chris Wellons, "Prospecting for Hash Functions" (public domain).
static inline uint32_t hash32(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  x ^= x >> 16;
  return x;
}
static inline uint32_t draw(uint32_t i, uint32_t seed) { return hash32(i + seed * 0x9e3779b9u); }
static inline float uniform(uint32_t i, uint32_t seed) { return (draw(i, seed) >> 8) * 0x1p-24f; }
static inline float coarse(uint32_t i, uint32_t seed) {
  return ((int)(draw(i, seed) >> 24) - 128) * 0x1p-8f;
}

static void *add_buffer(Problem *p, size_t bytes) {
  void *data = aligned_alloc(64, (bytes + 63) / 64 * 64);
  memset(data, 0, bytes);
  p->bytes[p->buffers] = bytes;
  p->data[p->buffers++] = data;
  return data;
}
static float *add_coarse(Problem *p, size_t count, uint32_t seed) {
  float *data = add_buffer(p, count * 4);
  for (size_t i = 0; i < count; ++i) data[i] = coarse((uint32_t)i, seed);
  return data;
}
static float *add_uniform(Problem *p, size_t count, uint32_t seed, float low, float span) {
  float *data = add_buffer(p, count * 4);
  for (size_t i = 0; i < count; ++i) data[i] = low + span * uniform((uint32_t)i, seed);
  return data;
}
static uint32_t *add_words(Problem *p, size_t count, uint32_t seed) {
  uint32_t *data = add_buffer(p, count * 4);
  for (size_t i = 0; i < count; ++i) data[i] = draw((uint32_t)i, seed);
  return data;
}

// Makes the problem `name` of size n. Returns 0 if there is no such problem.
static int problem_make(Problem *p, const char *name, int n) {
  const size_t N = (size_t)n;
  memset(p, 0, sizeof *p);
  p->name = name;
  p->n = n;
#define IS(s) (strcmp(name, s) == 0)
  if (IS("saxpy")) {  // x, y; n elements
    add_coarse(p, N, 1), add_coarse(p, N, 2);
    p->outputs = p->reset = 2;
  } else if (IS("triad")) {  // b, c, a; n elements
    add_coarse(p, N, 1), add_coarse(p, N, 2), add_buffer(p, N * 4);
    p->outputs = 4;
  } else if (IS("transpose-naive") || IS("transpose-tiled")) {  // in, out; n x n
    add_coarse(p, N * N, 1), add_buffer(p, N * N * 4);
    p->outputs = 2;
  } else if (IS("reduce")) {  // in, out; n elements in blocks of 256
    add_coarse(p, N, 1), add_buffer(p, N / 256 * 4);
    p->outputs = 2;
  } else if (IS("scan")) {  // in, out, sums; n elements in blocks of 256
    uint32_t *in = add_words(p, N, 1);
    for (size_t i = 0; i < N; ++i) in[i] &= 15;
    add_buffer(p, N * 4), add_buffer(p, N / 256 * 4);
    p->outputs = 2;
  } else if (IS("histogram-shared")) {  // data, bins; n words
    add_words(p, N, 1), add_buffer(p, 256 * 4);
    p->outputs = p->reset = 2;
  } else if (IS("histogram-global")) {  // data, bins; n words
    add_words(p, N, 1), add_buffer(p, 4096 * 4);
    p->outputs = p->reset = 2;
  } else if (IS("sgemm")) {  // a, b, c; n x n
    add_coarse(p, N * N, 1), add_coarse(p, N * N, 2), add_buffer(p, N * N * 4);
    p->outputs = 4;
  } else if (IS("dgemm")) {  // a, b, c in double precision; n x n
    for (uint32_t seed = 1; seed <= 2; ++seed) {
      double *m = add_buffer(p, N * N * 8);
      for (size_t i = 0; i < N * N; ++i) m[i] = coarse((uint32_t)i, seed);
    }
    add_buffer(p, N * N * 8);
    p->outputs = 4;
  } else if (IS("hgemm-wmma")) {  // a, b in f16, c in f32; n x n
    for (uint32_t seed = 1; seed <= 2; ++seed) {
      _Float16 *m = add_buffer(p, N * N * 2);
      for (size_t i = 0; i < N * N; ++i) m[i] = (_Float16)coarse((uint32_t)i, seed);
    }
    add_buffer(p, N * N * 4);
    p->outputs = 4;
  } else if (IS("convolution")) {  // in, filter, out; n x n, 7 x 7
    add_coarse(p, N * N, 1);
    float *filter = add_buffer(p, 49 * 4);
    for (int i = 0; i < 49; ++i) filter[i] = ((int)(draw(i, 2) >> 28) - 8) * 0x1p-4f;
    add_buffer(p, N * N * 4);
    p->outputs = 4;
  } else if (IS("stencil")) {  // in, out; n x n
    add_coarse(p, N * N, 1), add_buffer(p, N * N * 4);
    p->outputs = 2;
  } else if (IS("nbody")) {  // bodies x, y, z, mass; accelerations; n bodies
    add_uniform(p, 4 * N, 1, 0, 1), add_buffer(p, 16 * N);
    p->outputs = 2;
  } else if (IS("mandelbrot")) {  // iterations; n x n
    add_buffer(p, N * N * 4);
    p->outputs = 1;
  } else if (IS("black-scholes")) {  // spot, strike, years, call, put; n options
    add_uniform(p, N, 1, 5, 25), add_uniform(p, N, 2, 1, 99), add_uniform(p, N, 3, 0.25f, 9.75f);
    add_buffer(p, N * 4), add_buffer(p, N * 4);
    p->outputs = 8 | 16;
  } else if (IS("spmv")) {  // starts, columns, values, x, y; n rows of 4 to 19 elements
    int *starts = add_buffer(p, (N + 1) * 4);
    for (int r = 0; r < n; ++r) starts[r + 1] = starts[r] + 4 + (draw(r, 1) >> 28);
    const size_t count = starts[n];
    int *columns = add_buffer(p, count * 4);
    for (size_t i = 0; i < count; ++i) columns[i] = draw((uint32_t)i, 2) % (uint32_t)n;
    add_coarse(p, count, 3), add_coarse(p, N, 4), add_buffer(p, N * 4);
    p->outputs = 16;
  } else if (IS("bitonic-sort")) {  // keys; n of them, a power of two
    add_words(p, N, 1);
    p->outputs = p->reset = 1;
  } else if (IS("monte-carlo")) {  // hits; n threads of 256 points
    add_buffer(p, N * 4);
    p->outputs = 1;
  } else if (IS("sha256")) {  // messages (8 words each, word-major), digests; n messages
    add_words(p, 8 * N, 1), add_buffer(p, N * 4);
    p->outputs = 2;
  } else if (IS("softmax")) {  // in, out; n rows of 1024
    add_uniform(p, N * 1024, 1, 0, 8), add_buffer(p, N * 1024 * 4);
    p->outputs = 2;
  } else if (IS("floyd-warshall")) {  // distances; n x n
    uint32_t *d = add_words(p, N * N, 1);
    for (size_t i = 0; i < N * N; ++i) d[i] = i % (N + 1) == 0 ? 0 : 1 + d[i] % 1000;
    p->outputs = p->reset = 1;
  } else {
    return 0;
  }
#undef IS
  for (int i = 0; i < p->buffers; ++i) {
    if (p->reset >> i & 1) {
      p->first[i] = malloc(p->bytes[i]);
      memcpy(p->first[i], p->data[i], p->bytes[i]);
    }
  }
  return 1;
}

// Writes the outputs, one after the other, to a file.
static int problem_write(const Problem *p, const char *path) {
  FILE *f = fopen(path, "wb");
  if (!f) return perror(path), 0;
  for (int i = 0; i < p->buffers; ++i) {
    if (p->outputs >> i & 1) fwrite(p->data[i], 1, p->bytes[i], f);
  }
  return fclose(f) == 0;
}

// Takes part in turns: says that the outputs are written, then waits for a line on the standard input
// before each run. False at its end.
static int next_turn(void) {
  static int ready;
  if (!ready) puts("{\"ready\": true}"), fflush(stdout), ready = 1;
  for (int c; (c = getchar()) != EOF;) {
    if (c == '\n') return 1;
  }
  return 0;
}

// Ends a turn: prints its time, in milliseconds, as a line of JSON.
static void end_turn(double ms) {
  printf("{\"ms\": %.6f}\n", ms);
  fflush(stdout);
}
