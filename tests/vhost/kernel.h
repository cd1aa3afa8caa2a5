/*
 * One kernel, `vecAdd(a, b, c, n)` from the fat binary FATBIN, as nvcc registers and launches it: for
 * programs in C.
 */
#include <stddef.h>
#include <stdio.h>

typedef struct {
  unsigned x, y, z;
} dim3;

extern void **__cudaRegisterFatBinary(void *);
extern void __cudaRegisterFatBinaryEnd(void **);
extern void __cudaRegisterFunction(void **, const char *, char *, const char *, int, void *, void *,
                                   void *, void *, int *);
extern int cudaLaunchKernel(const void *, dim3, dim3, void **, size_t, void *);
extern const char *cudaGetErrorName(int);

__asm__(".section .nv_fatbin, \"a\"\n.balign 8\nfatbin: .incbin \"" FATBIN "\"\n.previous\n");
extern const char fatbin[] __attribute__((visibility("hidden")));
static const struct {
  int magic, version;
  const void *data;
  void *more;
} wrapper = {0x466243b1, 1, fatbin, NULL};

static void vec_add(void) {}

static void register_kernel(void) {
  void **handle = __cudaRegisterFatBinary((void *)&wrapper);
  __cudaRegisterFunction(handle, (const char *)vec_add, (char *)"vecAdd", "vecAdd", -1, 0, 0, 0, 0, 0);
  __cudaRegisterFatBinaryEnd(handle);
}

/* Launches it with no elements: it touches no memory. Returns the error. */
static int launch(void) {
  dim3 one = {1, 1, 1};
  long long nothing[4] = {0};
  void *parameters[4] = {&nothing[0], &nothing[1], &nothing[2], &nothing[3]};
  return cudaLaunchKernel((const void *)vec_add, one, one, parameters, 0, NULL);
}
