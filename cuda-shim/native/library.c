/* Libraries of kernels that the program loads at run time (cudaLibrary_t). */
#include <stdio.h>
#include <stdlib.h>

#include "module.h"
#include "warpring.h"

#define FATBIN_MAGIC 0xba55ed50u
#define ELF_MAGIC 0x464c457fu
/* e_shoff, e_shentsize and e_shnum of a 64-bit ELF file: its section headers come last. */
#define ELF_SECTIONS 40
#define ELF_SECTION_SIZE 58
#define ELF_SECTION_COUNT 60

/* An image in memory, whose length nobody says: a fat binary, machine code, or PTX text. */
static cudaError_t measure(const void **image, size_t *bytes) {
  uint32_t magic;
  memcpy(&magic, *image, 4);
  if (magic == WR_WRAPPER_MAGIC) {
    const struct wr_wrapper *wrapper = *image;
    if (wrapper->version == WR_RELOCATABLE_WRAPPER) return cudaErrorNotSupported;
    *image = wrapper->data;
    magic = FATBIN_MAGIC;
  }
  const uint8_t *at = *image;
  if (magic == FATBIN_MAGIC) {
    *bytes = wr_fatbin_bytes(at);
  } else if (magic == ELF_MAGIC) {
    uint64_t sections;
    uint16_t size, count;
    memcpy(&sections, at + ELF_SECTIONS, 8);
    memcpy(&size, at + ELF_SECTION_SIZE, 2);
    memcpy(&count, at + ELF_SECTION_COUNT, 2);
    *bytes = sections + (size_t)size * count;
  } else {
    *bytes = strlen((const char *)at);
  }
  return cudaSuccess;
}

/* Takes the image over. */
static cudaError_t load(void **library, uint8_t *image, size_t bytes) {
  struct wr_module *m = calloc(1, sizeof *m);
  if (m == NULL) {
    free(image);
    return cudaErrorMemoryAllocation;
  }
  m->is_library = 1;
  m->image = image;
  m->image_bytes = bytes;
  pthread_mutex_lock(&wr_module_lock);
  cudaError_t error = wr_load_module(m);
  if (error == cudaSuccess) {
    m->next = wr_modules;
    wr_modules = m;
    *library = m;
  }
  pthread_mutex_unlock(&wr_module_lock);
  if (error != cudaSuccess) {
    free(image);
    free(m);
  }
  return error;
}

/* Options of the compiler have nothing to say here, and code is always loaded at once. */
WR_API cudaError_t cudaLibraryLoadData(void **library, const void *code, int *options,
                                       void **values, unsigned count, int *library_options,
                                       void **library_values, unsigned library_count) {
  size_t bytes;
  (void)options, (void)values, (void)count;
  (void)library_options, (void)library_values, (void)library_count;
  if (library == NULL || code == NULL) return wr_result(cudaErrorInvalidValue);
  WR_TRY(measure(&code, &bytes));
  uint8_t *image = malloc(bytes + 1);
  if (image == NULL) return wr_result(cudaErrorMemoryAllocation);
  memcpy(image, code, bytes);
  return wr_result(load(library, image, bytes));
}
WR_API cudaError_t cudaLibraryLoadFromFile(void **library, const char *name, int *options,
                                           void **values, unsigned count, int *library_options,
                                           void **library_values, unsigned library_count) {
  (void)options, (void)values, (void)count;
  (void)library_options, (void)library_values, (void)library_count;
  if (library == NULL || name == NULL) return wr_result(cudaErrorInvalidValue);
  FILE *file = fopen(name, "rb");
  if (file == NULL) return wr_result(cudaErrorFileNotFound);
  long bytes = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  uint8_t *image = bytes < 0 ? NULL : malloc((size_t)bytes + 1);
  rewind(file);
  size_t got = image == NULL ? 0 : fread(image, 1, (size_t)bytes, file);
  fclose(file);
  if (image == NULL || got != (size_t)bytes) {
    free(image);
    return wr_result(cudaErrorOperatingSystem);
  }
  return wr_result(load(library, image, got));
}

/* With the lock held: a library that was loaded and not unloaded, and is in the device. */
static cudaError_t find(const void *library, struct wr_module **module) {
  struct wr_module *m = wr_modules;
  while (m != NULL && (m != library || !m->is_library)) m = m->next;
  if (m == NULL) return cudaErrorInvalidResourceHandle;
  *module = m;
  return wr_load_module(m);
}

WR_API cudaError_t cudaLibraryUnload(void *library) {
  struct wr_module *m;
  pthread_mutex_lock(&wr_module_lock);
  cudaError_t error = find(library, &m);
  if (error == cudaSuccess) wr_forget_module(m);
  pthread_mutex_unlock(&wr_module_lock);
  WR_TRY(error);
  for (int device = 0; device < MAX_DEVICES; device++) {
    struct wr_call c;
    const struct wr_loaded *loaded = &m->on[device];
    if (loaded->generation != wr_generations[device] || loaded->handle == 0) continue;
    cudaError_t refused = wr_begin_on(&c, device, NULL);
    if (refused == cudaSuccess) {
      wr_put32(&c, MODULE_UNLOAD_MODULE, loaded->handle);
      refused = wr_send(&c, COMMAND_MODULE_UNLOAD);
    }
    if (error == cudaSuccess) error = refused;
  }
  free(m->image);
  free(m);
  return wr_result(error);
}

struct wanted {
  const struct wr_module *module;
  const char *name;
};
static int is_named(const struct wr_kernel *k, const void *data) {
  const struct wanted *w = data;
  return k->module == w->module && strcmp(k->name, w->name) == 0;
}

/* With the lock held: the kernel of a library; it is made when it is asked for first. */
static cudaError_t kernel_named(struct wr_module *m, const char *name, void **kernel) {
  struct wanted wanted = {m, name};
  struct wr_kernel *k = wr_some_kernel(is_named, &wanted);
  if (k != NULL) {
    *kernel = k;
    return cudaSuccess;
  }
  k = calloc(1, sizeof *k);
  char *own = strdup(name);
  cudaError_t error = cudaErrorMemoryAllocation;
  if (k != NULL && own != NULL) {
    k->name = own;
    k->module = m;
    error = wr_look_up(k);
    if (error == cudaErrorInvalidDeviceFunction) error = cudaErrorSymbolNotFound;
    if (error == cudaSuccess && !wr_add_kernel(k)) error = cudaErrorMemoryAllocation;
  }
  if (error != cudaSuccess) {
    free(own);
    free(k);
    return error;
  }
  *kernel = k;
  return cudaSuccess;
}
WR_API cudaError_t cudaLibraryGetKernel(cudaKernel_t *kernel, void *library, const char *name) {
  struct wr_module *m;
  if (kernel == NULL || name == NULL) return wr_result(cudaErrorInvalidValue);
  pthread_mutex_lock(&wr_module_lock);
  cudaError_t error = find(library, &m);
  if (error == cudaSuccess) error = kernel_named(m, name, kernel);
  pthread_mutex_unlock(&wr_module_lock);
  return wr_result(error);
}
WR_API cudaError_t cudaLibraryGetKernelCount(unsigned *count, void *library) {
  struct wr_module *m;
  if (count == NULL) return wr_result(cudaErrorInvalidValue);
  pthread_mutex_lock(&wr_module_lock);
  cudaError_t error = find(library, &m);
  if (error == cudaSuccess) *count = m->functions;
  pthread_mutex_unlock(&wr_module_lock);
  return wr_result(error);
}

/* With the lock held: the name of a module's n-th kernel. */
static cudaError_t name_at(const struct wr_module *m, unsigned index, char *name, size_t room) {
  static uint8_t answer[40960];
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  wr_put32(&c, FUNCTION_GET_MODULE, wr_module_here(m)->handle);
  wr_put32(&c, FUNCTION_GET_INDEX, index);
  c.in = answer;
  c.in_bytes = sizeof answer;
  error = wr_send(&c, COMMAND_FUNCTION_GET);
  if (error != cudaSuccess) return error;
  size_t at = (size_t)wr_get32(&c, FUNCTION_GET_PARAMETER_COUNT) * PARAMETER_SIZE;
  size_t length = wr_get32(&c, FUNCTION_GET_NAME_BYTES);
  if (at + length > sizeof answer || length >= room) return cudaErrorNotSupported;
  memcpy(name, answer + at, length);
  name[length] = 0;
  return cudaSuccess;
}
WR_API cudaError_t cudaLibraryEnumerateKernels(cudaKernel_t *kernels, unsigned count,
                                               void *library) {
  struct wr_module *m;
  char name[8192];
  if (kernels == NULL || count == 0) return wr_result(cudaErrorInvalidValue);
  pthread_mutex_lock(&wr_module_lock);
  cudaError_t error = find(library, &m);
  for (unsigned i = 0; error == cudaSuccess && i < count && i < m->functions; i++) {
    error = name_at(m, i, name, sizeof name);
    if (error == cudaSuccess) error = kernel_named(m, name, &kernels[i]);
  }
  pthread_mutex_unlock(&wr_module_lock);
  return wr_result(error);
}

WR_API cudaError_t cudaLibraryGetGlobal(void **address, size_t *bytes, void *library,
                                        const char *name) {
  struct wr_module *m;
  uint64_t at, size;
  if (name == NULL || (address == NULL && bytes == NULL)) return wr_result(cudaErrorInvalidValue);
  pthread_mutex_lock(&wr_module_lock);
  cudaError_t error = find(library, &m);
  if (error == cudaSuccess) error = wr_symbol_of(m, name, &at, &size);
  pthread_mutex_unlock(&wr_module_lock);
  WR_TRY(error);
  if (address != NULL) *address = (void *)(uintptr_t)at;
  if (bytes != NULL) *bytes = size;
  return cudaSuccess;
}

WR_API cudaError_t cudaFuncSetAttribute(const void *func, int attribute, int value);
WR_API cudaError_t cudaKernelSetAttributeForDevice(cudaKernel_t kernel, int attribute, int value,
                                                   int device) {
  int before = wr_thread.device;
  WR_TRY(wr_check_device(device));
  wr_thread.device = device;
  cudaError_t error = cudaFuncSetAttribute(kernel, attribute, value);
  wr_thread.device = before;
  return error;
}
