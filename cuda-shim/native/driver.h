/* The connection to the device: what driver.c, connect.c and events.c share. */
#ifndef WARPRING_DRIVER_H
#define WARPRING_DRIVER_H

#include <pthread.h>
#include <stdint.h>

#include "warpring.h"

/* Split rings, virtio 1.3 section 2.7. */
struct descriptor {
  uint64_t address;
  uint32_t bytes;
  uint16_t flags, next;
};
struct avail_ring {
  uint16_t flags, idx, ring[]; /* behind the ring: used_event */
};
struct used_element {
  uint32_t id, bytes;
};
struct used_ring {
  uint16_t flags, idx;
  struct used_element ring[]; /* behind the ring: u16 avail_event */
};
#define DESC_NEXT 1
#define DESC_WRITE 2

struct wr_ring {
  unsigned size;
  struct descriptor *desc;
  struct avail_ring *avail;
  struct used_ring *used;
  uint16_t next_avail, next_used;
  int kick, call;
};

/* A slot holds one request and its answer. */
#define SLOTS (CONTROL_QUEUE_SIZE / 2)
#define SLOT_OUT_BYTES 49152
#define SLOT_IN_BYTES 49152
enum { SLOT_FREE, SLOT_SENT, SLOT_DONE };
struct wr_slot {
  uint8_t *out, *in;
  uint32_t used;
  int state, posted, device;
};

struct wr_device {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int waiting; /* a thread waits for the device on behalf of all */
  int spins;   /* looks at the ring before a waiter sleeps */
  int socket, memory_fd;
  int connected, gone, forked;
  int devices;
  cudaError_t late[MAX_DEVICES];   /* of launches that nobody waited for */
  cudaError_t failed[MAX_DEVICES]; /* an error that stays with a context until it is reset */
  uint32_t contexts[MAX_DEVICES];  /* 0: not made yet */
  struct wr_ring control, events;
  struct wr_slot slots[SLOTS];
  pthread_mutex_t event_lock;
  uint8_t *event_buffers;
};
extern struct wr_device wr_device;

struct wr_call;
cudaError_t wr_transact(struct wr_call *c, uint32_t command, uint32_t response_bytes);
void wr_ring_offer(struct wr_ring *r, uint16_t head);
int wr_ring_take(struct wr_ring *r, uint16_t *head, uint32_t *bytes);
/* Asks to be notified when `after` more elements than have been taken are used, and one. */
void wr_ring_notify(struct wr_ring *r, uint16_t after);
/* Bytes of a command's answer before what has a variable length; generated. */
uint32_t wr_response_bytes(uint32_t command);
/* Offers buffers for events and starts the thread that listens for them. */
cudaError_t wr_listen(void);

#endif
