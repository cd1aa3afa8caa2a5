/* What the program registers before main: fat binaries, kernels, variables. */
#include <stdlib.h>

#include "module.h"

pthread_mutex_t wr_module_lock = PTHREAD_MUTEX_INITIALIZER;
struct wr_module *wr_modules;
struct wr_variable *wr_variables;

/* Open addressing; the kernel of an entry that was taken out is NULL, its key stays. */
struct entry {
  const void *key;
  struct wr_kernel *kernel;
};
static struct entry *entries;
static size_t room, used;

static size_t place(const void *key, size_t among) {
  return ((uintptr_t)key * 0x9e3779b97f4a7c15u >> 20) & (among - 1);
}
static void insert(struct entry *table, size_t among, struct entry entry) {
  size_t at = place(entry.key, among);
  while (table[at].kernel != NULL && table[at].key != entry.key) at = (at + 1) & (among - 1);
  if (table[at].kernel == NULL) table[at] = entry; /* else the first one of that name stays */
}

static int grow(void) {
  if (2 * (used + 2) <= room) return 1;
  size_t more = room ? 2 * room : 128;
  struct entry *table = calloc(more, sizeof *table);
  if (table == NULL) return 0;
  used = 0;
  for (size_t i = 0; i < room; i++) {
    if (entries[i].kernel == NULL) continue;
    insert(table, more, entries[i]);
    used++;
  }
  free(entries);
  entries = table;
  room = more;
  return 1;
}

int wr_add_kernel(struct wr_kernel *k) {
  if (!grow()) return 0;
  if (k->host != NULL) insert(entries, room, (struct entry){k->host, k});
  insert(entries, room, (struct entry){k, k});
  used += 2;
  return 1;
}

struct wr_kernel *wr_registered_kernel(const void *key) {
  if (room == 0 || key == NULL) return NULL;
  for (size_t i = place(key, room); entries[i].key != NULL; i = (i + 1) & (room - 1)) {
    if (entries[i].key == key && entries[i].kernel != NULL) return entries[i].kernel;
  }
  return NULL;
}

struct wr_kernel *wr_some_kernel(int (*wanted)(const struct wr_kernel *, const void *),
                                 const void *data) {
  for (size_t i = 0; i < room; i++) {
    struct wr_kernel *k = entries[i].kernel;
    if (k != NULL && entries[i].key == k && wanted(k, data)) return k;
  }
  return NULL;
}

void wr_forget_module(struct wr_module *m) {
  for (size_t i = 0; i < room; i++) {
    if (entries[i].kernel != NULL && entries[i].kernel->module == m) entries[i].kernel = NULL;
  }
  for (struct wr_variable **v = &wr_variables; *v != NULL;) {
    struct wr_variable *gone = *v;
    if (gone->module != m) {
      v = &gone->next;
      continue;
    }
    *v = gone->next;
    free(gone);
  }
  for (struct wr_module **at = &wr_modules; *at != NULL; at = &(*at)->next) {
    if (*at != m) continue;
    *at = m->next;
    return;
  }
}

WR_API void **__cudaRegisterFatBinary(void *wrapper) {
  struct wr_module *m = calloc(1, sizeof *m);
  if (m == NULL) return NULL;
  m->wrapper = wrapper;
  pthread_mutex_lock(&wr_module_lock);
  m->next = wr_modules;
  wr_modules = m;
  pthread_mutex_unlock(&wr_module_lock);
  return (void **)m;
}

WR_API void __cudaRegisterFatBinaryEnd(void **module) { (void)module; }

/*
 * At the end of the process, or when a shared library is closed: another one may come to lie at its
 * addresses. What the device loaded of it stays until the process ends; threads may still use it.
 */
WR_API void __cudaUnregisterFatBinary(void **module) {
  pthread_mutex_lock(&wr_module_lock);
  wr_forget_module((struct wr_module *)module);
  pthread_mutex_unlock(&wr_module_lock);
}

WR_API void __cudaRegisterFunction(void **module, const char *host, char *device, const char *name,
                                   int limit, void *tid, void *bid, void *block, void *grid,
                                   int *warp) {
  (void)device, (void)limit, (void)tid, (void)bid, (void)block, (void)grid, (void)warp;
  struct wr_kernel *k = calloc(1, sizeof *k);
  if (k == NULL) return;
  k->host = host;
  k->name = name;
  k->module = (struct wr_module *)module;
  pthread_mutex_lock(&wr_module_lock);
  if (!wr_add_kernel(k)) free(k);
  pthread_mutex_unlock(&wr_module_lock);
}

static void add_variable(void **module, const void *host, void **managed, const char *name) {
  struct wr_variable *v = calloc(1, sizeof *v);
  if (v == NULL) return;
  v->host = host;
  v->managed = managed;
  v->name = name;
  v->module = (struct wr_module *)module;
  pthread_mutex_lock(&wr_module_lock);
  v->next = wr_variables;
  wr_variables = v;
  pthread_mutex_unlock(&wr_module_lock);
}

WR_API void __cudaRegisterVar(void **module, char *host, char *device, const char *name, int ext,
                              size_t size, int constant, int global) {
  (void)device, (void)ext, (void)size, (void)constant, (void)global;
  add_variable(module, host, NULL, name);
}

WR_API void __cudaRegisterManagedVar(void **module, void **host, char *device, const char *name,
                                     int ext, size_t size, int constant, int global) {
  (void)device, (void)ext, (void)size, (void)constant, (void)global;
  add_variable(module, host, host, name);
}
