/*
 * Hints about managed memory. Host and device share it, so that there is nothing to move; what was
 * said is remembered for those who ask.
 */
#include <stdlib.h>

#include "memory.h"
#include "warpring.h"

#define NO_DEVICE (-2)

/* What was last said of a range, newest first. */
struct said {
  struct said *next;
  uintptr_t start, end;
  uint32_t serial; /* of the allocation */
  int advice;      /* the number that sets it, or PREFETCH */
  int set;
  struct location location;
};
static struct said *all_said;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

enum { READ_MOSTLY = 1, PREFERRED_LOCATION = 3, ACCESSED_BY = 5, LAST_ADVICE = 6, PREFETCH = 7 };

/* `serial` receives the allocation's. */
static cudaError_t check_managed(const void *p, size_t bytes, uint32_t *serial) {
  struct wr_call c;
  if (p == NULL || bytes == 0) return cudaErrorInvalidValue;
  cudaError_t error = wr_about(p, &c);
  if (error != cudaSuccess) return error;
  uint64_t start = wr_get64(&c, POINTER_ATTRIBUTES_START);
  uint64_t size = wr_get64(&c, POINTER_ATTRIBUTES_BYTES);
  int managed = wr_get32(&c, POINTER_ATTRIBUTES_KIND) == MEMORY_MANAGED;
  if (serial != NULL) *serial = wr_get32(&c, POINTER_ATTRIBUTES_SERIAL);
  return managed && bytes <= start + size - (uintptr_t)p ? cudaSuccess : cudaErrorInvalidValue;
}

static cudaError_t check_location(struct location location) {
  if (location.type == WR_LOCATION_HOST) return cudaSuccess;
  if (location.type != WR_LOCATION_DEVICE) return cudaErrorInvalidValue;
  return wr_check_device(location.id);
}

static cudaError_t check_stream(cudaStream_t stream) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, stream);
  return error == cudaSuccess ? wr_send(&c, COMMAND_STREAM_INFO) : error;
}

static cudaError_t say(const void *p, size_t bytes, uint32_t serial, int advice, int set,
                       struct location location) {
  struct said *s = malloc(sizeof *s);
  if (s == NULL) return cudaErrorMemoryAllocation;
  uintptr_t start = (uintptr_t)p, end = start + bytes;
  pthread_mutex_lock(&lock);
  *s = (struct said){all_said, start, end, serial, advice, set, location};
  all_said = s;
  for (struct said **at = &s->next; *at != NULL;) {
    struct said *old = *at;
    int replaced = old->advice == advice && old->start >= start && old->end <= end;
    /* An allocation that came to lie at the addresses of a freed one. */
    int gone = old->serial != serial && old->start < end && old->end > start;
    if (!replaced && !gone) {
      at = &old->next;
      continue;
    }
    *at = old->next;
    free(old);
  }
  pthread_mutex_unlock(&lock);
  return cudaSuccess;
}

cudaError_t wr_prefetch(const void *p, size_t bytes, struct location location, unsigned flags,
                        cudaStream_t stream) {
  uint32_t serial;
  if (flags != 0) return wr_result(cudaErrorInvalidValue);
  WR_TRY(check_managed(p, bytes, &serial));
  WR_TRY(check_location(location));
  WR_TRY(check_stream(stream));
  return wr_result(say(p, bytes, serial, PREFETCH, 1, location));
}

cudaError_t wr_advise(const void *p, size_t bytes, int advice, struct location location) {
  uint32_t serial;
  if (advice < READ_MOSTLY || advice > LAST_ADVICE) return wr_result(cudaErrorInvalidValue);
  WR_TRY(check_managed(p, bytes, &serial));
  int sets = advice % 2;
  if (advice != READ_MOSTLY && advice != READ_MOSTLY + 1 && advice != PREFERRED_LOCATION + 1) {
    WR_TRY(check_location(location));
  }
  return wr_result(say(p, bytes, serial, sets ? advice : advice - 1, sets, location));
}

/* What holds for a whole range; `location` receives {0, NO_DEVICE} if nothing does. */
static int find(const void *p, size_t bytes, uint32_t serial, int advice, struct location *location) {
  uintptr_t start = (uintptr_t)p, end = start + bytes;
  int set = 0;
  *location = (struct location){0, NO_DEVICE};
  pthread_mutex_lock(&lock);
  for (struct said *s = all_said; s != NULL; s = s->next) {
    if (s->serial != serial || s->advice != advice || s->end <= start || s->start >= end) continue;
    set = s->start <= start && s->end >= end && s->set;
    if (set) *location = s->location;
    break;
  }
  pthread_mutex_unlock(&lock);
  return set;
}

/* cudaMemRangeAttribute. */
enum {
  RANGE_READ_MOSTLY = 1,
  RANGE_PREFERRED_LOCATION,
  RANGE_ACCESSED_BY,
  RANGE_LAST_PREFETCH,
  RANGE_PREFERRED_TYPE,
  RANGE_PREFERRED_ID,
  RANGE_PREFETCH_TYPE,
  RANGE_PREFETCH_ID
};

static int device_of(struct location l) {
  return l.type == WR_LOCATION_HOST ? WR_CPU_DEVICE : l.type == 0 ? NO_DEVICE : l.id;
}

static cudaError_t attribute(int *data, size_t size, int which, const void *p, size_t bytes) {
  struct location l;
  uint32_t serial;
  size_t count = size / sizeof *data;
  if (data == NULL || size == 0 || size % sizeof *data != 0) return cudaErrorInvalidValue;
  if (which < RANGE_READ_MOSTLY || which > RANGE_PREFETCH_ID) return cudaErrorInvalidValue;
  if (which != RANGE_ACCESSED_BY && count != 1) return cudaErrorInvalidValue;
  cudaError_t error = check_managed(p, bytes, &serial);
  if (error != cudaSuccess) return error;
  int advice = which >= RANGE_PREFETCH_TYPE || which == RANGE_LAST_PREFETCH ? PREFETCH
               : which == RANGE_READ_MOSTLY                                 ? READ_MOSTLY
               : which == RANGE_ACCESSED_BY                                 ? ACCESSED_BY
                                                                            : PREFERRED_LOCATION;
  int set = find(p, bytes, serial, advice, &l);
  if (which == RANGE_READ_MOSTLY) *data = set;
  else if (which == RANGE_PREFERRED_TYPE || which == RANGE_PREFETCH_TYPE) *data = l.type;
  else if (which == RANGE_PREFERRED_ID || which == RANGE_PREFETCH_ID) *data = set ? l.id : 0;
  else *data = device_of(l);
  for (size_t i = 1; i < count; i++) data[i] = NO_DEVICE;
  return cudaSuccess;
}
WR_API cudaError_t cudaMemRangeGetAttribute(void *data, size_t size, int which, const void *p,
                                            size_t bytes) {
  return wr_result(attribute(data, size, which, p, bytes));
}
WR_API cudaError_t cudaMemRangeGetAttributes(void **data, size_t *sizes, int *which, size_t count,
                                             const void *p, size_t bytes) {
  if (data == NULL || sizes == NULL || which == NULL || count == 0) {
    return wr_result(cudaErrorInvalidValue);
  }
  for (size_t i = 0; i < count; i++) WR_TRY(attribute(data[i], sizes[i], which[i], p, bytes));
  return cudaSuccess;
}

#define ATTACH_GLOBAL 1u
#define ATTACH_HOST 2u
#define ATTACH_SINGLE 4u
/* Whose memory it is changes nothing: any stream and the host may use it at any time. */
WR_API cudaError_t cudaStreamAttachMemAsync(cudaStream_t stream, void *p, size_t bytes,
                                            unsigned flags) {
  if (flags != ATTACH_GLOBAL && flags != ATTACH_HOST && flags != ATTACH_SINGLE) {
    return wr_result(cudaErrorInvalidValue);
  }
  WR_TRY(check_managed(p, bytes == 0 ? 1 : bytes, NULL));
  return wr_result(check_stream(stream));
}

/* -- many ranges at once --------------------------------------------------------------------- */

static cudaError_t check_ranges(void **ranges, const size_t *sizes, size_t count,
                                unsigned long long flags) {
  if (ranges == NULL || sizes == NULL || count == 0 || flags != 0) return cudaErrorInvalidValue;
  for (size_t i = 0; i < count; i++) {
    cudaError_t error = check_managed(ranges[i], sizes[i], NULL);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}
/* What is discarded may keep its contents. */
WR_API cudaError_t cudaMemDiscardBatchAsync(void **ranges, size_t *sizes, size_t count,
                                            unsigned long long flags, cudaStream_t stream) {
  WR_TRY(check_ranges(ranges, sizes, count, flags));
  return wr_result(check_stream(stream));
}
WR_API cudaError_t cudaMemPrefetchBatchAsync(void **ranges, size_t *sizes, size_t count,
                                             struct location *locations, size_t *starts,
                                             size_t location_count, unsigned long long flags,
                                             cudaStream_t stream) {
  WR_TRY(check_ranges(ranges, sizes, count, flags));
  if (locations == NULL || starts == NULL || location_count == 0 || location_count > count) {
    return wr_result(cudaErrorInvalidValue);
  }
  /* The n-th location is for the ranges from starts[n] on. */
  if (starts[0] != 0) return wr_result(cudaErrorInvalidValue);
  for (size_t i = 0, at = 0; i < count; i++) {
    if (at + 1 < location_count && starts[at + 1] == i) at++;
    WR_TRY(wr_prefetch(ranges[i], sizes[i], locations[at], 0, stream));
  }
  return cudaSuccess;
}
WR_API cudaError_t cudaMemDiscardAndPrefetchBatchAsync(void **ranges, size_t *sizes, size_t count,
                                                       struct location *locations, size_t *starts,
                                                       size_t location_count,
                                                       unsigned long long flags,
                                                       cudaStream_t stream) {
  return cudaMemPrefetchBatchAsync(ranges, sizes, count, locations, starts, location_count, flags,
                                   stream);
}
