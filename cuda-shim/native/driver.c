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

/* How often a waiter looks at the ring before it sleeps: less after looking was in vain. */
#define MAX_SPINS 4000
#define MIN_SPINS 100

struct wr_device wr_device = {.lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER,
                              .event_lock = PTHREAD_MUTEX_INITIALIZER,
                              .spins = MAX_SPINS};
unsigned wr_generations[MAX_DEVICES] = {[0 ... MAX_DEVICES - 1] = 1};
__thread struct wr_thread wr_thread;

cudaError_t wr_failure(void) { return wr_device.failed[wr_thread.device]; }
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
  uint16_t before = r->next_avail++;
  r->avail->ring[before % r->size] = head;
  __atomic_store_n(&r->avail->idx, r->next_avail, __ATOMIC_RELEASE);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  /* Section 2.7.10: the device wants to hear of the element after its avail_event. */
  uint16_t *avail_event = (uint16_t *)&r->used->ring[r->size];
  if (__atomic_load_n(avail_event, __ATOMIC_RELAXED) == before) {
    uint64_t one = 1;
    while (write(r->kick, &one, 8) < 0 && errno == EINTR) {
    }
  }
}

void wr_ring_notify(struct wr_ring *r, uint16_t after) {
  uint16_t event = (uint16_t)(r->next_used + after);
  __atomic_store_n(&r->avail->ring[r->size], event, __ATOMIC_SEQ_CST);
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
      cudaError_t *late = &d->late[slot->device];
      if (error != cudaSuccess && *late == cudaSuccess) *late = (cudaError_t)error;
      slot->state = SLOT_FREE;
    }
  }
  const uint64_t one = 1;
  if (taken && d->waiting && write(d->control.call, &one, sizeof one) < 0) {
    lost("its notifications cannot be written");
  }
}

/* Errors after which a context does nothing any more (CUDA Runtime API, "cudaError"). */
static int stays(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
      return 1;
    default:
      return 0;
  }
}

/* Is an error that stays that of the device which the call is for? */
static int is_own(const struct wr_device *d, const struct wr_call *c, uint32_t command) {
  if (d->devices == 1) return 1;
  uint32_t stream;
  memcpy(&stream, c->request + REQUEST_STREAM, 4);
  if (stream >= FIRST_HANDLE && wr_device_of(wr_pointer(stream)) < 0) return 0;
  /* Events and memory of any device are waited for. */
  return command != COMMAND_EVENT_SYNCHRONIZE && command != COMMAND_EVENT_QUERY &&
         command != COMMAND_MEMORY_FREE;
}

static int used_waits(struct wr_ring *r) {
  return __atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE) != r->next_used;
}

/* Have more than `after` elements been used since index `first`? */
static int used_more(struct wr_ring *r, uint16_t first, uint16_t after) {
  return (uint16_t)(__atomic_load_n(&r->used->idx, __ATOMIC_ACQUIRE) - first) > after;
}

/*
 * How many answers a waiter need not be woken for. The device answers launches at once, and they are
 * not waited for: who waits for an answer is woken by the first one after those, whosever it is; who
 * waits for a free slot, when half of them are back.
 */
static uint16_t uninteresting(const struct wr_device *d, const struct wr_slot *awaited) {
  unsigned posted = 0;
  for (unsigned i = 0; i < SLOTS; i++) posted += d->slots[i].state == SLOT_SENT && d->slots[i].posted;
  return (uint16_t)(awaited ? posted : posted / 2);
}

/*
 * With the lock held: waits until the device has used something. Others may come in meanwhile.
 * `awaited` is the slot whose answer is wanted, NULL if a free one is.
 */
static cudaError_t wait_used(struct wr_device *d, const struct wr_slot *awaited) {
  if (d->gone) return cudaErrorDevicesUnavailable;
  if (d->waiting) {
    pthread_cond_wait(&d->changed, &d->lock);
    return cudaSuccess;
  }
  d->waiting = 1;
  uint16_t after = uninteresting(d, awaited), first = d->control.next_used;
  pthread_mutex_unlock(&d->lock);
  cudaError_t error = cudaSuccess;
  int i = 0;
  while (i < d->spins && !used_more(&d->control, first, after)) {
    __builtin_ia32_pause();
    i++;
  }
  int more = i < d->spins ? 2 * d->spins : d->spins / 2;
  d->spins = more > MAX_SPINS ? MAX_SPINS : more < MIN_SPINS ? MIN_SPINS : more;
  if (!used_more(&d->control, first, after)) {
    uint16_t event = (uint16_t)(first + after);
    __atomic_store_n(&d->control.avail->ring[d->control.size], event, __ATOMIC_SEQ_CST);
    if (!used_more(&d->control, first, after)) {
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
  }
  pthread_mutex_lock(&d->lock);
  d->waiting = 0;
  pthread_cond_broadcast(&d->changed);
  return error;
}

/* -- requests ------------------------------------------------------------------------------- */

static cudaError_t begin(struct wr_call *c, int device) {
  memset(c->request, 0, sizeof c->request);
  c->out = NULL;
  c->in = NULL;
  c->out_bytes = c->in_bytes = 0;
  c->device = device;
  return wr_connect();
}

cudaError_t wr_begin_without(struct wr_call *c) { return begin(c, wr_thread.device); }

cudaError_t wr_begin_on(struct wr_call *c, int device, cudaStream_t stream) {
  uint32_t context;
  cudaError_t error = begin(c, device);
  if (error == cudaSuccess) error = wr_context(device, &context);
  if (error != cudaSuccess) return error;
  uint32_t handle = wr_handle(stream);
  if (handle == 0 && wr_thread.per_thread_default) handle = STREAM_PER_THREAD;
  int owner = handle < FIRST_HANDLE ? device : wr_device_of(stream);
  if (owner >= 0) c->device = owner;
  wr_put32(c, REQUEST_CONTEXT, context);
  wr_put32(c, REQUEST_STREAM, handle);
  wr_put32(c, REQUEST_FLAGS, (uint32_t)wr_thread.capture_mode);
  return cudaSuccess;
}

cudaError_t wr_begin(struct wr_call *c, cudaStream_t stream) {
  return wr_begin_on(c, wr_thread.device, stream);
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
    cudaError_t error = wait_used(d, NULL);
    if (error != cudaSuccess) return error;
  }
  slot->state = SLOT_SENT;
  slot->posted = posted;
  slot->device = c->device;
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
    error = wait_used(d, slot);
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
    if (error == cudaSuccess && d->late[c->device] != cudaSuccess) {
      /* What was launched before a reset is of no interest after it. */
      if (command != COMMAND_CONTEXT_RESET) error = d->late[c->device];
      d->late[c->device] = cudaSuccess;
    }
    if (command == COMMAND_CONTEXT_RESET) d->failed[c->device] = cudaSuccess;
    if (stays(error) && is_own(d, c, command)) d->failed[c->device] = error;
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

cudaError_t wr_synchronize_all(void) {
  cudaError_t result = wr_connect();
  for (int device = 0; device < wr_device.devices && result == cudaSuccess; device++) {
    struct wr_call c;
    if (__atomic_load_n(&wr_device.contexts[device], __ATOMIC_ACQUIRE) == 0) continue;
    result = wr_begin_on(&c, device, NULL);
    if (result == cudaSuccess) result = wr_send(&c, COMMAND_CONTEXT_SYNCHRONIZE);
  }
  return result;
}
