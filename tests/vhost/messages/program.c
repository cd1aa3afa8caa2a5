/* A program with one kernel, `vecAdd`, from the fat binary FATBIN, as nvcc registers and launches it. */
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
extern int cudaDeviceSynchronize(void);
extern const char *cudaGetErrorName(int);

__asm__(".section .nv_fatbin, \"a\"\n.balign 8\nfatbin: .incbin \"" FATBIN "\"\n.previous\n");
extern const char fatbin[] __attribute__((visibility("hidden")));
static const struct {
  int magic, version;
  const void *data;
  void *more;
} wrapper = {0x466243b1, 1, fatbin, NULL};

static void add(void) {}

int main(void) {
  void **handle = __cudaRegisterFatBinary((void *)&wrapper);
  __cudaRegisterFunction(handle, (const char *)add, (char *)"vecAdd", "vecAdd", -1, 0, 0, 0, 0, 0);
  __cudaRegisterFatBinaryEnd(handle);
  dim3 one = {1, 1, 1};
  void *parameters[8] = {0};
  long long nothing[8] = {0};
  for (int i = 0; i < 8; i++) parameters[i] = &nothing[i];
  int error = cudaLaunchKernel((const void *)add, one, one, parameters, 0, NULL);
  printf("%s\n", cudaGetErrorName(error));
  return error;
}
