/* What the device says of its own accord: text of kernels, faults, and host functions to call. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "driver.h"
#include "host_call.h"
#include "warpring.h"

/* Host functions whose turn has come, for the thread that calls them. */
struct pending {
  struct pending *next;
  struct wr_host_call *call;
  uint32_t ticket;
  cudaError_t error;
};
static struct pending *first, **last = &first;
static int wake = -1;

static void offer(unsigned at) { wr_ring_offer(&wr_device.events, (uint16_t)at); }

static void receive(const uint8_t *event, uint32_t used) {
  uint32_t kind, bytes, value;
  if (used < EVENT_HEADER_SIZE) return;
  memcpy(&kind, event + EVENT_KIND, 4);
  memcpy(&bytes, event + EVENT_BYTES, 4);
  memcpy(&value, event + EVENT_VALUE, 4);
  if (bytes > used - EVENT_HEADER_SIZE) bytes = used - EVENT_HEADER_SIZE;
  const uint8_t *text = event + EVENT_HEADER_SIZE;
  if (kind == EVENT_PRINT) {
    FILE *to = value == 2 ? stderr : stdout;
    fwrite(text, 1, bytes, to);
  } else if (kind == EVENT_HOST_CALL && bytes >= EVENT_HOST_CALL_BYTES) {
    struct pending *p = malloc(sizeof *p);
    if (p == NULL) return;
    uint64_t data;
    uint32_t error;
    memcpy(&data, text + EVENT_HOST_CALL_DATA, 8);
    memcpy(&error, text + EVENT_HOST_CALL_ERROR, 4);
    *p = (struct pending){NULL, (struct wr_host_call *)(uintptr_t)data, value, (cudaError_t)error};
    *last = p;
    last = &p->next;
    uint64_t one = 1;
    if (write(wake, &one, 8) < 0) return;
  }
}

void wr_events(void) {
  struct wr_device *d = &wr_device;
  /* Not only if something is there: what another thread has taken it may not have printed yet. */
  pthread_mutex_lock(&d->event_lock);
  uint16_t head;
  uint32_t used;
  while (__atomic_load_n(&d->events.used->idx, __ATOMIC_SEQ_CST) != d->events.next_used) {
    while (wr_ring_take(&d->events, &head, &used)) {
      if (head >= d->events.size) continue;
      receive(d->event_buffers + (size_t)head * EVENT_BUFFER_SIZE, used);
      offer(head);
    }
    /* What was used before that was asked for is not notified: the loop looks again. */
    wr_ring_notify(&d->events, 0);
  }
  pthread_mutex_unlock(&d->event_lock);
}

/* Calls host functions, in a thread of the library's own as CUDA does. */
static void call_pending(void) {
  for (;;) {
    pthread_mutex_lock(&wr_device.event_lock);
    struct pending *p = first;
    if (p != NULL) first = p->next;
    if (first == NULL) last = &first;
    pthread_mutex_unlock(&wr_device.event_lock);
    if (p == NULL) return;
    wr_host_call(p->call, p->error);
    struct wr_call c;
    if (wr_begin(&c, NULL) == cudaSuccess) {
      wr_put32(&c, REQUEST_CONTEXT, 0);
      wr_put32(&c, HOST_CALL_DONE_TICKET, p->ticket);
      wr_send(&c, COMMAND_HOST_CALL_DONE);
    }
    free(p);
  }
}

static void *listener(void *unused) {
  (void)unused;
  struct wr_device *d = &wr_device;
  for (;;) {
    struct pollfd fds[2] = {{d->events.call, POLLIN, 0}, {wake, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return NULL;
    uint64_t count;
    for (int i = 0; i < 2; i++) {
      if (fds[i].revents & POLLIN && read(fds[i].fd, &count, 8) < 0 && errno != EAGAIN) return NULL;
    }
    if (d->gone) return NULL;
    wr_events();
    call_pending();
  }
}

cudaError_t wr_listen(void) {
  struct wr_device *d = &wr_device;
  wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return cudaErrorOperatingSystem;
  for (unsigned i = 0; i < d->events.size; i++) {
    uint64_t address = (uintptr_t)d->event_buffers - POINTER_BASE + (uint64_t)i * EVENT_BUFFER_SIZE;
    d->events.desc[i] = (struct descriptor){address, EVENT_BUFFER_SIZE, DESC_WRITE, 0};
    offer(i);
  }
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  int failed = pthread_create(&thread, &attributes, listener, NULL);
  pthread_attr_destroy(&attributes);
  return failed ? cudaErrorOperatingSystem : cudaSuccess;
}
