/*
 * A virtio driver in user space: the vhost-user frontend that shares this process's memory with the
 * device, one control queue and one event queue (split rings, virtio 1.3 section 2.7), and requests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "driver.h"
#include "warpring.h"

struct wr_device wr_device = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER,
                              .event_lock = PTHREAD_MUTEX_INITIALIZER};
unsigned wr_generation = 1;
__thread struct wr_thread wr_thread;

/* How often a waiter looks at the ring before it sleeps. */
#define SPINS 4000

int wr_memory_fd(void) { return wr_device.memory_fd; }

static cudaError_t lost(const char *why) {
  struct wr_device *d = &wr_device;
  if (!__atomic_exchange_n(&d->gone, 1, __ATOMIC_SEQ_CST)) {
    fprintf(stderr, "warpring: the device is gone: %s\n", why);
  }
  return cudaErrorDevicesUnavailable;
}

/* -- rings ---------------------------------------------------------------------------------- */

/* Makes the descriptors from `head` on available. The caller has written them. */
void wr_ring_offer(struct wr_ring *r, uint16_t head) {
  r->avail->ring[r->next_avail % r->size] = head;
  r->next_avail++;
  __atomic_store_n(&r->avail->idx, r->next_avail, __ATOMIC_RELEASE);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (!(__atomic_load_n(&r->used->flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY)) {
    uint64_t one = 1;
    while (write(r->kick, &one, 8) < 0 && errno == EINTR) {
    }
  }
}

/* Takes one used element. */
int wr_ring_take(struct wr_ring *r, uint16_t *head, uint32_t *bytes) {
  if (__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE) == r->next_used) return 0;
  struct used_element *e = &r->used->ring[r->next_used % r->size];
  *head = (uint16_t)e->id;
  *bytes = e->bytes;
  r->next_used++;
  return 1;
}

/*
 * With the lock held: takes what the device has used. A thread that waits in wait_used meanwhile would
 * find the ring empty and sleep on, though its own answer may be among what is taken here: it is woken.
 */
static void reap(struct wr_device *d) {
  uint16_t head;
  uint32_t bytes;
  int taken = 0;
  while (wr_ring_take(&d->control, &head, &bytes)) {
    unsigned at = head / 2;
    taken = 1;
    if (at >= SLOTS) continue;
    struct wr_slot *slot = &d->slots[at];
    slot->used = bytes;
    slot->state = SLOT_DONE;
    if (slot->posted) {
      uint32_t error = bytes >= 4 ? *(uint32_t *)slot->in : (uint32_t)cudaErrorUnknown;
      if (error != cudaSuccess && d->late == cudaSuccess) d->late = (cudaError_t)error;
      slot->state = SLOT_FREE;
    }
  }
  const uint64_t one = 1;
  if (taken && d->waiting && write(d->control.call, &one, sizeof one) < 0) {
    lost("its notifications cannot be written");
  }
}

static int used_waits(struct wr_ring *r) {
  return __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE) != r->next_used;
}

/* With the lock held: waits until the device has used something. Others may come in meanwhile. */
static cudaError_t wait_used(struct wr_device *d) {
  if (d->gone) return cudaErrorDevicesUnavailable;
  if (d->waiting) {
    pthread_cond_wait(&d->changed, &d->lock);
    return cudaSuccess;
  }
  d->waiting = 1;
  pthread_mutex_unlock(&d->lock);
  cudaError_t error = cudaSuccess;
  for (int i = 0; i < SPINS && !used_waits(&d->control); i++) __builtin_ia32_pause();
  if (!used_waits(&d->control)) {
    __atomic_store_n(&d->control.avail->flags, 0, __ATOMIC_SEQ_CST);
    if (!used_waits(&d->control)) {
      struct pollfd fds[2] = {{d->control.call, POLLIN, 0}, {d->socket, POLLIN, 0}};
      if (poll(fds, 2, -1) > 0) {
        uint64_t count;
        if (fds[0].revents & POLLIN && read(d->control.call, &count, 8) < 0 && errno != EAGAIN) {
          error = lost("its notifications cannot be read");
        }
        /* The device says nothing of its own accord on the socket: it has ended. */
        if (fds[1].revents && !used_waits(&d->control)) error = lost("it closed the connection");
      }
    }
    __atomic_store_n(&d->control.avail->flags, AVAIL_NO_INTERRUPT, __ATOMIC_SEQ_CST);
  }
  pthread_mutex_lock(&d->lock);
  d->waiting = 0;
  pthread_cond_broadcast(&d->changed);
  return error;
}

/* -- requests ------------------------------------------------------------------------------- */

cudaError_t wr_begin(struct wr_call *c, cudaStream_t stream) {
  memset(c->request, 0, sizeof c->request);
  c->out = NULL;
  c->in = NULL;
  c->out_bytes = c->in_bytes = 0;
  cudaError_t error = wr_connect();
  if (error != cudaSuccess) return error;
  uint32_t handle = wr_handle(stream);
  if (handle == 0 && wr_thread.per_thread_default) handle = STREAM_PER_THREAD;
  wr_put32(c, REQUEST_CONTEXT, wr_device.context);
  wr_put32(c, REQUEST_STREAM, handle);
  wr_put32(c, REQUEST_FLAGS, (uint32_t)wr_thread.capture_mode);
  return cudaSuccess;
}

static __thread uint32_t thread_id;

static cudaError_t submit(struct wr_call *c, uint32_t command, int posted, struct wr_slot **result) {
  struct wr_device *d = &wr_device;
  if (REQUEST_SIZE + c->out_bytes > SLOT_OUT_BYTES) return cudaErrorInvalidValue;
  if (MAX_RESPONSE_SIZE + c->in_bytes > SLOT_IN_BYTES) return cudaErrorInvalidValue;
  if (thread_id == 0) thread_id = (uint32_t)syscall(SYS_gettid);
  wr_put32(c, REQUEST_COMMAND, command);
  wr_put32(c, REQUEST_THREAD, thread_id);
  struct wr_slot *slot = NULL;
  for (;;) {
    reap(d);
    for (unsigned i = 0; i < SLOTS && slot == NULL; i++) {
      if (d->slots[i].state == SLOT_FREE) slot = &d->slots[i];
    }
    if (slot != NULL) break;
    cudaError_t error = wait_used(d);
    if (error != cudaSuccess) return error;
  }
  slot->state = SLOT_SENT;
  slot->posted = posted;
  memcpy(slot->out, c->request, REQUEST_SIZE);
  if (c->out_bytes) memcpy(slot->out + REQUEST_SIZE, c->out, c->out_bytes);
  unsigned head = 2 * (unsigned)(slot - d->slots);
  d->control.desc[head].bytes = REQUEST_SIZE + c->out_bytes;
  d->control.desc[head + 1].bytes = MAX_RESPONSE_SIZE + c->in_bytes;
  wr_ring_offer(&d->control, (uint16_t)head);
  *result = slot;
  return cudaSuccess;
}

cudaError_t wr_transact(struct wr_call *c, uint32_t command, uint32_t response_bytes) {
  struct wr_device *d = &wr_device;
  pthread_mutex_lock(&d->lock);
  struct wr_slot *slot;
  cudaError_t error = submit(c, command, 0, &slot);
  while (error == cudaSuccess) {
    reap(d);
    if (slot->state == SLOT_DONE) break;
    error = wait_used(d);
  }
  if (error == cudaSuccess) {
    uint32_t used = slot->used;
    uint32_t fixed = used < response_bytes ? used : response_bytes;
    memset(c->response, 0, sizeof c->response);
    memcpy(c->response, slot->in, fixed);
    if (c->in_bytes && used > fixed) {
      uint32_t more = used - fixed < c->in_bytes ? used - fixed : c->in_bytes;
      memcpy(c->in, slot->in + fixed, more);
    }
    error = used < RESPONSE_HEADER_SIZE ? cudaErrorUnknown : (cudaError_t)wr_get32(c, RESPONSE_ERROR);
    slot->state = SLOT_FREE;
    if (error == cudaSuccess && d->late != cudaSuccess) {
      error = d->late;
      d->late = cudaSuccess;
    }
    pthread_cond_broadcast(&d->changed);
  }
  pthread_mutex_unlock(&d->lock);
  wr_events();
  return error;
}

cudaError_t wr_send(struct wr_call *c, uint32_t command) {
  return wr_transact(c, command, wr_response_bytes(command));
}

cudaError_t wr_post(struct wr_call *c, uint32_t command) {
  struct wr_slot *slot;
  pthread_mutex_lock(&wr_device.lock);
  cudaError_t error = submit(c, command, 1, &slot);
  pthread_mutex_unlock(&wr_device.lock);
  return error;
}

cudaError_t wr_send_handle(uint32_t command, int at, const void *handle) {
  struct wr_call c;
  WR_TRY(wr_begin(&c, NULL));
  wr_put32(&c, at, wr_handle(handle));
  return wr_result(wr_send(&c, command));
}
