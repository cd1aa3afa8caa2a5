/* Modules of the program and of its libraries (cudaLibrary_t), and the table of kernels. */
#ifndef WARPRING_MODULE_H
#define WARPRING_MODULE_H

#include "warpring.h"

/* The wrapper that nvcc puts around a fat binary, or around the parts of separately compiled code. */
struct wr_wrapper {
  uint32_t magic, version;
  const uint8_t *data;
  const uint8_t *const *parts; /* of a WR_RELOCATABLE_WRAPPER; the last one is NULL */
};
#define WR_WRAPPER_MAGIC 0x466243b1u
#define WR_RELOCATABLE_WRAPPER 2

/* A module on one device. */
struct wr_loaded {
  unsigned generation; /* the rest is valid if it is that of the device */
  cudaError_t error;
  uint32_t handle;
};
struct wr_module {
  struct wr_module *next;
  const struct wr_wrapper *wrapper; /* of a registered module */
  uint8_t *image;                   /* of a library, whose own it is */
  size_t image_bytes;
  int is_library;
  uint32_t functions;
  struct wr_loaded on[MAX_DEVICES];
};

static inline struct wr_loaded *wr_module_here(struct wr_module *m) {
  return &m->on[wr_thread.device];
}

struct wr_variable {
  struct wr_variable *next;
  const void *host;
  void **managed; /* where the program keeps the address of a __managed__ variable */
  const char *name;
  struct wr_module *module;
};

extern pthread_mutex_t wr_module_lock;
/* All of these with the lock held. */
extern struct wr_module *wr_modules;
extern struct wr_variable *wr_variables;
/* A kernel by the address of its host function, or by its own address as a handle. */
struct wr_kernel *wr_registered_kernel(const void *key);
/* Calls `each` for every kernel until it returns one. */
struct wr_kernel *wr_some_kernel(int (*wanted)(const struct wr_kernel *, const void *),
                                 const void *data);
/* Enters it under its host function, if it has one, and under its own address. 0 if no memory. */
int wr_add_kernel(struct wr_kernel *kernel);
/* Takes out the kernels and variables of a module. */
void wr_forget_module(struct wr_module *module);
/* Loads a module when something of it is used first, as CUDA does it. */
cudaError_t wr_load_module(struct wr_module *module);
/* Fills in what the device knows of a kernel. */
cudaError_t wr_look_up(struct wr_kernel *kernel);
/* A variable of a loaded module by its name in the device. */
cudaError_t wr_symbol_of(struct wr_module *m, const char *name, uint64_t *at, uint64_t *bytes);
size_t wr_fatbin_bytes(const uint8_t *fatbin);

#endif
