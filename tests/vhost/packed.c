/* Scenarios with packed rings (virtio 1.3 section 2.8): packed SCENARIO SOCKET. */
#include "frontend.h"

#define NEXT 1
#define WRITE 2
#define AVAIL 0x80
#define USED 0x8000

struct desc {
  uint64_t address;
  uint32_t bytes;
  uint16_t id, flags;
};
struct ring {
  struct desc *desc;
  uint64_t at;
  int kick, call, error;
  unsigned next, wrap; /* where the next list goes */
};

static struct ring ring_at(unsigned index) {
  struct ring r = {.at = ring_place(index), .wrap = 1};
  r.desc = (void *)(memory + r.at);
  r.kick = eventfd(0, EFD_NONBLOCK);
  r.call = eventfd(0, EFD_NONBLOCK);
  r.error = eventfd(0, EFD_NONBLOCK);
  return r;
}
static uint64_t start_ring(struct ring *r, unsigned index, uint32_t base) {
  return start_ring_at(r->at, index, base, r->kick, r->call, r->error);
}

/* Adds a descriptor; the first one of a list is made available last, by `publish`. */
static unsigned add(struct ring *r, uint64_t address, uint32_t bytes, unsigned flags, uint16_t id, int first) {
  unsigned at = r->next, available = r->wrap ? AVAIL : USED;
  r->desc[at].address = address;
  r->desc[at].bytes = bytes;
  r->desc[at].id = id;
  if (!first) r->desc[at].flags = (uint16_t)(flags | available);
  if (++r->next == SIZE) r->next = 0, r->wrap ^= 1;
  return flags | available;
}
/* A request and its answer, in one list of two. Returns where it begins. */
static unsigned offer(struct ring *r, uint16_t id, uint32_t command, uint32_t first) {
  unsigned at = r->next;
  write_request(r->at, id, command, first);
  unsigned flags = add(r, request_place(r->at, id), 256, NEXT, id, 1);
  add(r, request_place(r->at, id) + 0x200, 0x200, WRITE, id, 0);
  __atomic_store_n(&r->desc[at].flags, (uint16_t)flags, __ATOMIC_SEQ_CST);
  uint64_t one = 1;
  WANT(write(r->kick, &one, 8) == 8);
  return at;
}
static int is_used(struct ring *r, unsigned at, unsigned wrap) {
  unsigned flags = __atomic_load_n(&r->desc[at].flags, __ATOMIC_SEQ_CST) & (AVAIL | USED);
  return flags == (wrap ? AVAIL | USED : 0);
}
static void wait_used(struct ring *r, unsigned at, unsigned wrap, uint16_t id) {
  while (!is_used(r, at, wrap)) WANT(wait_for(r->call));
  WANT(r->desc[at].id == id && error_at(r->at, id) == 0);
}

/* Asks for attribute 1 of the device, once it was started. */
#define ATTRIBUTE 8

/* A ring that is stopped goes on at both of its positions, also behind its end. */
static void base(void) {
  begin_with(F_PACKED, REPLY_ACK);
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  struct ring r = ring_at(0);
  WANT(start_ring(&r, 0, 0x80008000) == 0);
  wait_used(&r, offer(&r, 12, START, PROTOCOL), 1, 12);
  for (uint16_t i = 0; i < 4; i++) wait_used(&r, offer(&r, 3 * i, ATTRIBUTE, 1), 1, 3 * i);
  uint32_t at = stop_ring(0);
  WANT(at == (0x8000u | 10) * 0x10001u);
  WANT(start_ring(&r, 0, at) == 0);
  wait_used(&r, offer(&r, 7, START, PROTOCOL), 1, 7);
  for (uint16_t i = 0; i < 2; i++) wait_used(&r, offer(&r, i, ATTRIBUTE, 1), 1, i);
  wait_used(&r, offer(&r, 9, ATTRIBUTE, 1), 0, 9);
  WANT(stop_ring(0) == 2 * 0x10001u); /* the second round: wrap counters are 0 */
  /* One that is new begins at the start, whatever has not been said. */
  WANT(ask64(SET_VRING_KICK, 3, eventfd(0, EFD_NONBLOCK)) == 0);
  WANT(stop_ring(3) == 0x80008000);
}

/* INFLIGHT_SHMFD. Entries from 32: u8 in flight, u16 next at 2, last at 4, num at 6, u64 counter at 8,
 * u16 id at 16, flags at 18, u32 bytes at 20, u64 address at 24. */
static void set16(uint8_t *at, unsigned value) { memcpy(at, &(uint16_t){(uint16_t)value}, 2); }
static unsigned get16(const uint8_t *at) { return at[0] | at[1] << 8; }

static void inflight(void) {
  struct area area;
  begin_with(F_PACKED, REPLY_ACK | INFLIGHT);
  int fd = -1;
  uint8_t *kept = get_area(&area, &fd), *entry = kept + 32;
  WANT(area.bytes >= 6 * (32 + 32 * SIZE));
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  WANT(ask(SET_INFLIGHT_FD, &area, sizeof area, fd) == 0);
  struct ring r = ring_at(0);
  WANT(start_ring(&r, 0, 0x80008000) == 0);
  WANT(get16(kept + 8) == 1 && get16(kept + 10) == SIZE); /* version, descriptors */
  wait_used(&r, offer(&r, 0, START, PROTOCOL), 1, 0);
  wait_used(&r, offer(&r, 6, ATTRIBUTE, 1), 1, 6);
  WANT(stop_ring(0) == (0x8000u | 4) * 0x10001u);
  for (int i = 0; i < SIZE; i++) WANT(entry[32 * i] == 0);
  WANT(get16(kept + 16) == 4 && get16(kept + 18) == 4 && kept[20] == 1 && kept[21] == 1);
  close(s);

  /* As if that device had ended with two lists: 3, then 7, which has two descriptors; and after the
   * driver saw 5 used, without having noted that. */
  memset(kept + 32, 0, 32 * SIZE);
  for (int i = 0; i < SIZE; i++) set16(entry + 32 * i + 2, i + 1);
  const struct {
    unsigned first, last, num, id, counter;
  } lists[] = {{0, 1, 2, 7, 9}, {2, 2, 1, 3, 8}, {3, 3, 1, 5, 7}};
  for (int i = 0; i < 3; i++) {
    uint8_t *e = entry + 32 * lists[i].first;
    e[0] = 1;
    set16(e + 4, lists[i].last);
    set16(e + 6, lists[i].num);
    e[8] = (uint8_t)lists[i].counter;
    set16(entry + 32 * lists[i].last + 16, lists[i].id);
  }
  set16(kept + 14, 4);            /* old_free_head */
  set16(kept + 12, 3);            /* free_head: 5's entry is before it */
  set16(entry + 32 * 3 + 2, 4);
  set16(kept + 18, 4);            /* old_used_idx */
  set16(kept + 16, 5);            /* used_idx */
  r.desc[4] = (struct desc){0, 0, 5, AVAIL | USED};
  uint8_t *old = memory;
  begin_with(F_PACKED, REPLY_ACK | INFLIGHT);
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  memcpy(memory + RAM, old + RAM, 0x10000);
  WANT(ask(SET_INFLIGHT_FD, &area, sizeof area, fd) == 0);
  r = ring_at(0);
  WANT(start_ring(&r, 0, 0x80008000) == 0); /* the area knows better */
  WANT(is_used(&r, 5, 1) && r.desc[5].id == 3 && r.desc[5].bytes == 0);
  WANT(is_used(&r, 6, 1) && r.desc[6].id == 7 && r.desc[6].bytes == 0 && wait_for(r.call));
  r.next = 8;
  wait_used(&r, offer(&r, 11, START, PROTOCOL), 1, 11);
  WANT(stop_ring(0) == (0x8000u | 10) * 0x10001u);
  close(s);

  /* What is in the area is checked, and so is its kind. */
  set16(kept + 14, 99);
  for (int split = 0; split < 2; split++) {
    begin_with(split ? 0 : F_PACKED, REPLY_ACK | INFLIGHT);
    WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
    WANT(ask(SET_INFLIGHT_FD, &area, sizeof area, fd) == 0);
    if (split) WANT(ask64(SET_FEATURES, F_VERSION_1 | F_PROTOCOL | F_PACKED, -1) == 0);
    r = ring_at(0);
    uint64_t address[5] = {0, USER + r.at, USER + r.at + 0x2000, USER + r.at + 0x1000, 0};
    WANT(ask_state(SET_VRING_NUM, 0, SIZE) == 0 && ask(SET_VRING_ADDR, address, sizeof address, -1) == 0);
    WANT(ask64(SET_VRING_KICK, 0, r.kick) == 0);
    uint32_t enable[2] = {0, 1};
    send_message(SET_VRING_ENABLE, NEED_REPLY, enable, 8, -1);
    WANT(at_end());
    close(s);
  }
}

int main(int argc, char **argv) {
  static const struct scenario scenarios[] = {{"base", base}, {"inflight", inflight}};
  return run_scenario(scenarios, sizeof scenarios / sizeof *scenarios, argc, argv);
}
