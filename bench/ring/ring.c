/* The yardstick for our rings: a virtio driver and a device in C, split and packed, which do the
 * same as assembly/core does, with the same checks (virtio 1.3, 2.7 and 2.8), one region of guest
 * memory and no event index. Compiled with gcc -O2 by bench/ring/run.ts.
 *
 * usage: ring split|packed BATCH REQUESTS [2]     ("2": driver and device in two threads)
 * prints nanoseconds per request
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE = 512, BYTES = 16, RAM = 1 << 20, BUFFERS = 0x40000 };
enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4, AVAIL = 0x80, USED = 0x8000, STATE = 0x8080 };

struct desc { uint64_t addr; uint32_t len; uint16_t flags, next; };
struct pdesc { uint64_t addr; _Atomic uint64_t tail; }; /* len | id << 32 | flags << 48 */
static uint64_t tail_of(uint32_t len, uint16_t id, uint16_t flags) {
  return len | (uint64_t)id << 32 | (uint64_t)flags << 48;
}
struct used_elem { uint32_t id, len; };
struct segment { uint32_t addr, len; };
struct shadow { uint16_t next, count; uint32_t in_bytes; uint16_t last; };

static _Alignas(4096) uint8_t ram[RAM]; /* guest memory: rings and buffers */
static int packed;

/* ---- rings in guest memory -------------------------------------------------------------- */
static struct desc *const table = (struct desc *)ram;
static struct pdesc *const ring = (struct pdesc *)ram;
struct avail { _Atomic uint16_t flags, idx; uint16_t ring[SIZE]; };
struct used { _Atomic uint16_t flags, idx; struct used_elem ring[SIZE]; };
static struct avail *const av = (struct avail *)(ram + 0x8000);
static struct used *const us = (struct used *)(ram + 0x9000);
static _Atomic uint32_t *const driver_event = (_Atomic uint32_t *)(ram + 0x8000);
static _Atomic uint32_t *const device_event = (_Atomic uint32_t *)(ram + 0x9000);

/* ---- driver ----------------------------------------------------------------------------- */
static struct {
  struct shadow shadow[SIZE];
  uint16_t free_head, free_count, avail_next, published, last_used, shadow_used;
  uint16_t next_avail, avail_wrap, next_used, used_wrap, added, head;
  uint64_t head_tail;
  int broken;
} drv __attribute__((aligned(64)));

struct sg { uint64_t addr; uint32_t len; };

static int split_add(const struct sg *sg, int out, int in) {
  int total = out + in;
  if (drv.broken || total == 0 || total > SIZE) return -1;
  if (total > drv.free_count) return -2;
  uint64_t in_bytes = 0, bytes = 0;
  for (int i = 0; i < total; i++) {
    if (sg[i].len == 0) return -1;
    bytes += sg[i].len;
    if (i >= out) in_bytes += sg[i].len;
  }
  if (bytes > 1ull << 32) return -1;
  int head = drv.free_head, index = head, last = head;
  for (int i = 0; i < total; i++) {
    int next = drv.shadow[index].next;
    table[index] = (struct desc){ sg[i].addr, sg[i].len,
      (uint16_t)((i + 1 < total ? F_NEXT : 0) | (i >= out ? F_WRITE : 0)), (uint16_t)next };
    last = index;
    index = next;
  }
  drv.free_head = index;
  drv.free_count -= total;
  drv.shadow[head].count = total;
  drv.shadow[head].last = last;
  drv.shadow[head].in_bytes = in_bytes;
  av->ring[drv.avail_next++ & (SIZE - 1)] = head;
  return head;
}

static int packed_add(const struct sg *sg, int out, int in) {
  int total = out + in;
  if (drv.broken || total == 0 || total > SIZE) return -1;
  if (total > drv.free_count) return -2;
  uint64_t in_bytes = 0, bytes = 0;
  for (int i = 0; i < total; i++) {
    if (sg[i].len == 0) return -1;
    bytes += sg[i].len;
    if (i >= out) in_bytes += sg[i].len;
  }
  if (bytes > 1ull << 32) return -1;
  int id = drv.free_head;
  drv.free_head = drv.shadow[id].next;
  drv.shadow[id].count = total;
  drv.shadow[id].in_bytes = in_bytes;
  for (int i = 0; i < total; i++) {
    uint16_t flags = (i + 1 < total ? F_NEXT : 0) | (i >= out ? F_WRITE : 0);
    flags |= drv.avail_wrap ? AVAIL : USED;
    struct pdesc *d = &ring[drv.next_avail];
    uint64_t tail = tail_of(sg[i].len, id, flags);
    d->addr = sg[i].addr;
    if (drv.added++ == 0) {
      drv.head = drv.next_avail;
      drv.head_tail = tail;
    } else {
      atomic_store_explicit(&d->tail, tail, memory_order_relaxed);
    }
    if (++drv.next_avail == SIZE) {
      drv.next_avail = 0;
      drv.avail_wrap ^= 1;
    }
  }
  drv.free_count -= total;
  return id;
}

static int split_kick(void) {
  if (drv.published != drv.avail_next) {
    drv.published = drv.avail_next;
    atomic_store(&av->idx, drv.avail_next);
  }
  return !(atomic_load(&us->flags) & 1);
}

static int packed_kick(void) {
  if (drv.added) {
    atomic_store(&ring[drv.head].tail, drv.head_tail);
    drv.added = 0;
  }
  return (atomic_load(device_event) >> 16 & 3) != 1;
}

static int split_get(uint32_t *len) {
  if (drv.broken) return -1;
  if (drv.shadow_used == drv.last_used) {
    uint16_t idx = atomic_load(&us->idx);
    if ((uint16_t)(idx - drv.last_used) > SIZE) return drv.broken = 1, -1;
    drv.shadow_used = idx;
    if (idx == drv.last_used) return -1;
  }
  struct used_elem e = us->ring[drv.last_used & (SIZE - 1)];
  if (e.id >= SIZE || !drv.shadow[e.id].count) return drv.broken = 1, -1;
  struct shadow *s = &drv.shadow[e.id];
  if (e.len > s->in_bytes) return drv.broken = 1, -1;
  drv.free_count += s->count;
  s->count = 0;
  drv.shadow[s->last].next = drv.free_head;
  drv.free_head = e.id;
  drv.last_used++;
  *len = e.len;
  return e.id;
}

static int packed_get(uint32_t *len) {
  if (drv.broken || drv.free_count == SIZE) return -1;
  uint64_t tail = atomic_load(&ring[drv.next_used].tail);
  uint16_t flags = tail >> 48;
  if ((flags & STATE) != (drv.used_wrap ? STATE : 0)) return -1;
  uint16_t id = tail >> 32;
  uint32_t l = flags & F_WRITE ? (uint32_t)tail : 0;
  if (id >= SIZE || !drv.shadow[id].count) return drv.broken = 1, -1;
  struct shadow *s = &drv.shadow[id];
  if (l > s->in_bytes) return drv.broken = 1, -1;
  int count = s->count;
  s->count = 0;
  s->next = drv.free_head;
  drv.free_head = id;
  drv.free_count += count;
  drv.next_used += count;
  if (drv.next_used >= SIZE) {
    drv.next_used -= SIZE;
    drv.used_wrap ^= 1;
  }
  *len = l;
  return id;
}

/* ---- device ----------------------------------------------------------------------------- */
static struct {
  struct segment seg[SIZE];
  uint8_t header[256], response[256];
  int segs, outs, descs;
  uint16_t last_avail, shadow_avail, used_next, in_use;
  uint16_t avail_index, avail_wrap, used_index, used_wrap;
  int broken;
} dev __attribute__((aligned(64)));

static int append(uint64_t addr, uint32_t len, uint64_t *bytes) {
  if (len == 0) return 0;
  if (addr >= RAM || len > RAM - addr) return 0;
  if (dev.segs == SIZE) return 0;
  dev.seg[dev.segs++] = (struct segment){ (uint32_t)addr, len };
  *bytes += len;
  return *bytes <= 1ull << 32;
}

static int split_pop(void) {
  if (dev.broken) return -1;
  if (dev.shadow_avail == dev.last_avail) {
    dev.shadow_avail = atomic_load(&av->idx);
    if ((uint16_t)(dev.shadow_avail - dev.last_avail) > SIZE) return dev.broken = 1, -1;
    if (dev.shadow_avail == dev.last_avail) return -1;
  }
  if (dev.in_use >= SIZE) return dev.broken = 1, -1;
  uint16_t head = av->ring[dev.last_avail & (SIZE - 1)];
  if (head >= SIZE) return dev.broken = 1, -1;
  dev.segs = dev.outs = dev.descs = 0;
  uint64_t bytes = 0;
  int writing = 0, budget = SIZE;
  for (uint16_t index = head;;) {
    if (budget-- == 0) return dev.broken = 1, -1;
    struct desc d = table[index];
    dev.descs++;
    if (d.flags & F_INDIRECT) return dev.broken = 1, -1;
    if (d.flags & F_WRITE) {
      if (!writing) writing = 1, dev.outs = dev.segs;
    } else if (writing) {
      return dev.broken = 1, -1;
    }
    if (!append(d.addr, d.len, &bytes)) return dev.broken = 1, -1;
    if (!(d.flags & F_NEXT)) break;
    index = d.next;
    if (index >= SIZE) return dev.broken = 1, -1;
  }
  if (!writing) dev.outs = dev.segs;
  dev.last_avail++;
  dev.in_use++;
  return head;
}

static int packed_pop(void) {
  if (dev.broken) return -1;
  uint64_t tail = atomic_load(&ring[dev.avail_index].tail);
  uint16_t flags = tail >> 48;
  if ((flags & STATE) != (dev.avail_wrap ? AVAIL : USED)) return -1;
  if (dev.in_use >= SIZE) return dev.broken = 1, -1;
  dev.segs = dev.outs = dev.descs = 0;
  uint64_t bytes = 0;
  int writing = 0, index = dev.avail_index, wrap = dev.avail_wrap;
  for (;;) {
    if (dev.descs >= SIZE - dev.in_use) return dev.broken = 1, -1;
    struct pdesc *d = &ring[index];
    if (dev.descs > 0) {
      tail = atomic_load_explicit(&d->tail, memory_order_relaxed);
      flags = tail >> 48;
      if ((flags & STATE) != (wrap ? AVAIL : USED)) return dev.broken = 1, -1;
    }
    if (flags & F_INDIRECT) return dev.broken = 1, -1;
    dev.descs++;
    if (flags & F_WRITE) {
      if (!writing) writing = 1, dev.outs = dev.segs;
    } else if (writing) {
      return dev.broken = 1, -1;
    }
    if (!append(d->addr, (uint32_t)tail, &bytes)) return dev.broken = 1, -1;
    if (++index == SIZE) {
      index = 0;
      wrap ^= 1;
    }
    if (!(flags & F_NEXT)) break;
  }
  if (!writing) dev.outs = dev.segs;
  dev.avail_index = index;
  dev.avail_wrap = wrap;
  dev.in_use += dev.descs;
  return (uint16_t)(tail >> 32);
}

static uint32_t gather(int first, int count, uint8_t *to, uint32_t bytes) {
  uint32_t done = 0;
  for (int i = first; i < first + count && done < bytes; i++) {
    uint32_t part = dev.seg[i].len < bytes - done ? dev.seg[i].len : bytes - done;
    memcpy(to + done, ram + dev.seg[i].addr, part);
    done += part;
  }
  return done;
}

static uint32_t scatter(int first, int count, const uint8_t *from, uint32_t bytes) {
  uint32_t done = 0;
  for (int i = first; i < first + count && done < bytes; i++) {
    uint32_t part = dev.seg[i].len < bytes - done ? dev.seg[i].len : bytes - done;
    memcpy(ram + dev.seg[i].addr, from + done, part);
    done += part;
  }
  return done;
}

static int split_push(int head, uint32_t len) {
  us->ring[dev.used_next & (SIZE - 1)] = (struct used_elem){ (uint32_t)head, len };
  atomic_store(&us->idx, ++dev.used_next);
  dev.in_use--;
  return !(atomic_load(&av->flags) & 1);
}

static int packed_push(int id, uint32_t len) {
  uint16_t flags = (dev.used_wrap ? STATE : 0) | (len ? F_WRITE : 0);
  atomic_store(&ring[dev.used_index].tail, tail_of(len, id, flags));
  dev.used_index += dev.descs;
  if (dev.used_index >= SIZE) {
    dev.used_index -= SIZE;
    dev.used_wrap ^= 1;
  }
  dev.in_use -= dev.descs;
  return (atomic_load(driver_event) >> 16 & 3) != 1;
}

/* ---- the loop --------------------------------------------------------------------------- */
static uint64_t notified; /* stands for the notifications, which are counted */

static int add(int slot, uint64_t sequence) {
  uint32_t at = BUFFERS + slot * 64;
  memcpy(ram + at, &sequence, 8);
  struct sg sg[2] = { { at, BYTES }, { at + 32, BYTES } };
  return packed ? packed_add(sg, 1, 1) : split_add(sg, 1, 1);
}

static void kick(void) { notified += packed ? packed_kick() : split_kick(); }

static int serve(void) {
  int served = 0, id;
  while ((id = packed ? packed_pop() : split_pop()) >= 0) {
    uint64_t sequence;
    gather(0, dev.outs, dev.header, BYTES);
    memcpy(&sequence, dev.header, 8);
    sequence ^= 0xffff;
    memcpy(dev.response, &sequence, 8);
    uint32_t len = scatter(dev.outs, dev.segs - dev.outs, dev.response, BYTES);
    notified += packed ? packed_push(id, len) : split_push(id, len);
    served++;
  }
  return served;
}

static int collect(uint64_t *sum) {
  int got = 0;
  uint32_t len;
  while ((packed ? packed_get(&len) : split_get(&len)) >= 0) {
    *sum += len;
    got++;
  }
  return got;
}

static _Atomic int stop;

static void *device_thread(void *arg) {
  (void)arg;
  while (!atomic_load_explicit(&stop, memory_order_relaxed)) serve();
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  packed = !strcmp(argv[1], "packed");
  int batch = atoi(argv[2]), two = argc > 4;
  long requests = atol(argv[3]);
  for (int i = 0; i < SIZE; i++) drv.shadow[i].next = (i + 1) % SIZE;
  drv.free_count = SIZE;
  drv.avail_wrap = drv.used_wrap = dev.avail_wrap = dev.used_wrap = 1;
  pthread_t thread;
  if (two && pthread_create(&thread, NULL, device_thread, NULL)) return 3;
  struct timespec a, b;
  uint64_t sum = 0;
  clock_gettime(CLOCK_MONOTONIC, &a);
  long done = 0;
  while (done < requests) {
    for (int i = 0; i < batch; i++) {
      if (add(i, done + i) < 0) return 4;
    }
    kick();
    if (!two) serve();
    for (int got = 0; got < batch;) got += collect(&sum);
    done += batch;
  }
  clock_gettime(CLOCK_MONOTONIC, &b);
  atomic_store(&stop, 1);
  if (two) pthread_join(thread, NULL);
  if (drv.broken || dev.broken || sum != (uint64_t)done * BYTES) return 5;
  double ns = (b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec);
  printf("%.2f\n", ns / done);
  return notified == 0;
}
