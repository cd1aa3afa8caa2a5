/* Scenarios with split rings, and of the protocol itself: frontend SCENARIO SOCKET. */
#include "frontend.h"

static void begin(uint64_t protocol) { begin_with(0, protocol); }

/* A ring in guest RAM. */
struct ring {
  struct desc {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
  } *desc;
  struct {
    uint16_t flags, idx, ring[SIZE];
  } *avail;
  struct {
    uint16_t flags, idx;
    struct {
      uint32_t id, bytes;
    } ring[SIZE];
  } *used;
  uint64_t at;
  int kick, call, error;
};

static struct ring ring_at(unsigned index) {
  struct ring r;
  r.at = ring_place(index);
  r.desc = (void *)(memory + r.at);
  r.avail = (void *)(memory + r.at + 0x1000);
  r.used = (void *)(memory + r.at + 0x2000);
  r.kick = eventfd(0, EFD_NONBLOCK);
  r.call = eventfd(0, EFD_NONBLOCK);
  r.error = eventfd(0, EFD_NONBLOCK);
  return r;
}
static uint64_t start_ring(struct ring *r, unsigned index, unsigned base) {
  return start_ring_at(r->at, index, base, r->kick, r->call, r->error);
}

/* What is added to a place in `memory` for its guest address. */
static uint64_t guest_offset;

static void make_available(struct ring *r, unsigned head) {
  r->avail->ring[r->avail->idx % SIZE] = (uint16_t)head;
  __atomic_store_n(&r->avail->idx, (uint16_t)(r->avail->idx + 1), __ATOMIC_SEQ_CST);
  uint64_t one = 1;
  WANT(write(r->kick, &one, 8) == 8);
}
static void offer(struct ring *r, unsigned head, uint32_t command, uint32_t first) {
  uint64_t place = request_place(r->at, head) + guest_offset;
  write_request(r->at, head, command, first);
  r->desc[head] = (struct desc){place, 256, 1, (uint16_t)(head + 1)};
  r->desc[head + 1] = (struct desc){place + 0x200, 0x200, 2, 0};
  make_available(r, head);
}
static void wait_used(struct ring *r, uint16_t index) {
  while (__atomic_load_n(&r->used->idx, __ATOMIC_SEQ_CST) != index) WANT(wait_for(r->call));
}
static uint32_t error_of(struct ring *r, unsigned head) { return error_at(r->at, head); }

/* -- scenarios ------------------------------------------------------------------------------- */

/* A memory file that could shrink is refused; one that is sealed cannot shrink. */
static void unsealed(void) {
  begin(REPLY_ACK);
  int fd = memory_file(F_SEAL_GROW, ALL);
  struct {
    uint32_t count, padding;
    uint64_t guest, bytes, user, offset;
  } table = {1, 0, 0, ALL, USER, 0};
  send_message(SET_MEM_TABLE, 0, &table, sizeof table, fd);
  WANT(at_end());
}
static void shrinks(void) {
  begin(REPLY_ACK | CONFIG);
  int fd = memory_file(F_SEAL_SHRINK, ALL);
  WANT(share(fd) == 0);
  WANT(ftruncate(fd, 4096) < 0 && errno == EPERM);
  uint32_t config[3 + 2] = {0, 8, 0};
  send_message(GET_CONFIG, 0, config, sizeof config, -1);
  WANT(receive(GET_CONFIG, config, sizeof config, NULL) == sizeof config);
}
/* A file that is smaller than the region that it is said to have. */
static void short_file(void) {
  begin(REPLY_ACK);
  int fd = memory_file(F_SEAL_SHRINK, ALL / 2);
  struct {
    uint32_t count, padding;
    uint64_t guest, bytes, user, offset;
  } table = {1, 0, 0, ALL, USER, 0};
  send_message(SET_MEM_TABLE, NEED_REPLY, &table, sizeof table, fd);
  WANT(at_end());
}

/* REPLY_ACK: success and refusal are said; without it a refusal ends the connection. */
static void reply_ack(void) {
  begin(REPLY_ACK);
  WANT(ask64(SET_FEATURES, 1ull << 60, -1) == 1);
  WANT(ask64(SET_FEATURES, F_VERSION_1 | F_PROTOCOL, -1) == 0);
  WANT(ask(SET_CONFIG, "xxxxxxxxxxxxxxxx", 16, -1) == 1);
  close(s);
  open_socket();
  uint64_t bad = 1ull << 60;
  send_message(SET_FEATURES, NEED_REPLY, &bad, 8, -1); /* not negotiated: nothing is answered */
  WANT(at_end());
}

/* MQ: queues of a second group work as those of the first. */
static void mq(void) {
  begin(MQ | REPLY_ACK);
  uint64_t queues = get(GET_QUEUE_NUM);
  WANT(queues >= 6 && queues % 3 == 0);
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  struct ring a = ring_at(0), b = ring_at(3);
  WANT(start_ring(&a, 0, 0) == 0 && start_ring(&b, 3, 0) == 0);
  offer(&b, 0, START, PROTOCOL);
  wait_used(&b, 1);
  WANT(error_of(&b, 0) == 0 && a.used->idx == 0);
  offer(&a, 4, START, PROTOCOL);
  wait_used(&a, 1);
  WANT(error_of(&a, 4) == 0 && a.used->ring[0].id == 4);
  struct {
    uint64_t index;
  } wrong = {queues};
  send_message(SET_VRING_CALL, 0, &wrong, 8, eventfd(0, 0));
  WANT(at_end());
}

/* CONFIG: any part can be read, and nothing beyond; nothing is there before there is a device. */
static void config(void) {
  begin(REPLY_ACK | CONFIG);
  uint32_t request[3 + 64] = {0, 48, 0}, answer[3 + 64];
  send_message(GET_CONFIG, 0, request, 12 + 48, -1);
  WANT(receive(GET_CONFIG, answer, sizeof answer, NULL) == 12 && answer[1] == 0);
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  send_message(GET_CONFIG, 0, request, 12 + 48, -1);
  WANT(receive(GET_CONFIG, answer, sizeof answer, NULL) == 12 + 48);
  WANT(answer[3] == PROTOCOL && answer[4] == 9 && answer[5] == 0); /* version, compute capability */
  request[0] = 4, request[1] = 4;
  send_message(GET_CONFIG, 0, request, 12 + 4, -1);
  uint32_t part[4];
  WANT(receive(GET_CONFIG, part, sizeof part, NULL) == 16 && part[3] == 9);
  request[0] = 0, request[1] = 4096;
  send_message(GET_CONFIG, 0, request, 12, -1);
  WANT(receive(GET_CONFIG, part, sizeof part, NULL) == 12 && part[1] == 0);
}

/* STATUS and RESET_DEVICE: a broken ring needs a reset, says so on its error descriptor, and works
 * again afterwards. */
static void status(void) {
  begin(REPLY_ACK | STATUS | RESET);
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  WANT(get(GET_STATUS) == 0);
  WANT(ask64(SET_STATUS, 1 | 2 | 8, -1) == 0);
  WANT(get(GET_STATUS) == (1 | 2 | 8));
  struct ring r = ring_at(0);
  WANT(start_ring(&r, 0, 0) == 0);
  WANT(ask64(SET_STATUS, 1 | 2 | 8 | 4, -1) == 0);
  r.avail->idx = 5000; /* more than there are entries */
  uint64_t one = 1;
  WANT(write(r.kick, &one, 8) == 8);
  WANT(wait_for(r.error));
  WANT(get(GET_STATUS) & 0x40);
  WANT(ask(RESET_DEVICE, NULL, 0, -1) == 0);
  WANT(!(get(GET_STATUS) & 0x40));
  memset(memory + RAM, 0, 0x10000);
  r = ring_at(0);
  WANT(start_ring(&r, 0, 0) == 0);
  offer(&r, 0, START, PROTOCOL);
  wait_used(&r, 1);
  WANT(error_of(&r, 0) == 0);
  WANT(ask64(SET_STATUS, 0, -1) == 0 && get(GET_STATUS) == 0);
}

/* A ring that is stopped goes on where it was; buffers that the device had come back empty. */
static void base(void) {
  begin(REPLY_ACK);
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  struct ring r = ring_at(0), events = ring_at(1);
  WANT(start_ring(&r, 0, 0) == 0 && start_ring(&events, 1, 0) == 0);
  offer(&r, 0, START, PROTOCOL);
  wait_used(&r, 1);
  events.desc[3] = (struct desc){events.at + 0x3000, 0x1000, 2, 0};
  events.avail->ring[0] = 3;
  events.avail->idx = 1;
  WANT(stop_ring(0) == 1);
  WANT(stop_ring(1) == events.used->idx); /* what it had taken is back */
  WANT(start_ring(&r, 0, 1) == 0);
  offer(&r, 2, START, PROTOCOL);
  wait_used(&r, 2);
  WANT(r.used->ring[1].id == 2 && error_of(&r, 2) == 0);
}

/* A frontend whose RAM is elsewhere, as that of a virtual machine is: two regions, one of them above
 * 4 GiB, and no device memory that is shared. Data goes in and out by the queue. */
struct table {
  uint32_t count, padding;
  struct {
    uint64_t guest, bytes, user, offset;
  } regions[2];
};
static void send_table(const struct table *t, const int *fds, int wants_reply) {
  struct message m = {SET_MEM_TABLE, wants_reply ? 1 | NEED_REPLY : 1, sizeof *t, {0}};
  char control[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(8))) = {0};
  struct iovec iov = {&m, 12 + sizeof *t};
  struct msghdr h = {NULL, 0, &iov, 1, control, sizeof control, 0};
  memcpy(m.payload, t, sizeof *t);
  struct cmsghdr *c = CMSG_FIRSTHDR(&h);
  c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(2 * sizeof(int));
  memcpy(CMSG_DATA(c), fds, 2 * sizeof(int));
  WANT(sendmsg(s, &h, MSG_NOSIGNAL) == (ssize_t)iov.iov_len);
}
#define LOW 0xa0000
#define HIGH 0x100000
static void copy(struct ring *r, uint64_t target, uint64_t source, uint32_t kind, uint32_t flags) {
  /* The request and its answer are in the upper region, the data is in the lower one. */
  uint64_t place = request_place(r->at, 0);
  uint32_t request[16] = {0x12, 0, 0x100, 0}, fields[] = {5000, 0, kind, flags};
  memcpy(request + 2, memory + place + 0x380, 4); /* the context */
  memcpy(request + 6, &target, 8), memcpy(request + 8, &source, 8), memcpy(request + 10, fields, 16);
  memcpy(memory + place, request, sizeof request);
  int in = kind == 1; /* to the device: the data follows the request, else the answer */
  r->desc[0] = (struct desc){place + guest_offset, sizeof request, 1, 1};
  r->desc[1] = in ? (struct desc){0x3000, 5000, 1, 2} : (struct desc){place + guest_offset + 0x200, 8, 3, 2};
  r->desc[2] = in ? (struct desc){place + guest_offset + 0x200, 8, 2, 0} : (struct desc){0x8000, 5000, 2, 0};
  make_available(r, 0);
  wait_used(r, r->avail->idx);
  WANT(error_of(r, 0) == 0);
}
static void elsewhere(void) {
  const uint64_t features = F_VERSION_1 | F_PROTOCOL | 5; /* not WARPRING_F_DEVICE_MEMORY */
  begin(REPLY_ACK);
  WANT(ask64(SET_FEATURES, features, -1) == 0);
  int fds[2] = {memory_file(F_SEAL_SHRINK, LOW + 0x1000), memory_file(F_SEAL_SHRINK, HIGH)};
  struct table table = {2, 0, {{0, LOW, 1ull << 30, 0x1000}, {1ull << 32, HIGH, USER + RAM, 0}}};
  send_table(&table, fds, 1);
  uint64_t refused = 1;
  WANT(receive(SET_MEM_TABLE, &refused, 8, NULL) == 8 && refused == 0);
  uint8_t *low = mmap(NULL, LOW, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0x1000);
  uint8_t *high = mmap(NULL, HIGH, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
  WANT(low != MAP_FAILED && high != MAP_FAILED);
  memory = high - RAM;
  guest_offset = (1ull << 32) - RAM;
  struct ring r = ring_at(0);
  WANT(start_ring(&r, 0, 0) == 0);
  offer(&r, 0, START, PROTOCOL);
  wait_used(&r, 1);
  WANT(error_of(&r, 0) == 0);
  offer(&r, 0, 3, 0x80000000u); /* CONTEXT_CREATE, CONTEXT_PRIMARY */
  wait_used(&r, 2);
  uint64_t place = request_place(r.at, 0), address;
  uint32_t context, allocation[16] = {0x10, 0, 0, 0, 0, 0, 5000, 0, 2}; /* MEMORY_ALLOC, MEMORY_DEVICE */
  memcpy(&context, memory + place + 0x208, 4);
  WANT(error_of(&r, 0) == 0 && context != 0);
  offer(&r, 0, 0x10, 5000);
  wait_used(&r, 3);
  WANT(error_of(&r, 0) != 0); /* no context */
  allocation[2] = context;
  memcpy(memory + place, allocation, sizeof allocation);
  make_available(&r, 0);
  wait_used(&r, 4);
  memcpy(&address, memory + place + 0x208, 8);
  WANT(error_of(&r, 0) == 0 && address != 0);
  for (int i = 0; i < 5000; i++) low[0x3000 + i] = (uint8_t)(i * 7 + i / 256);
  memcpy(memory + place + 0x380, &context, 4);
  copy(&r, address, 0, 1, 1);
  copy(&r, 0, address, 2, 2);
  WANT(memcmp(low + 0x3000, low + 0x8000, 5000) == 0);
  /* Between the regions there is nothing. */
  r.desc[0] = (struct desc){LOW, 64, 1, 1};
  make_available(&r, 0);
  WANT(wait_for(r.error));
  close(s);

  /* Regions that overlap, or leave no room; a table that came before the features. */
  for (int i = 0; i < 2; i++) {
    begin(REPLY_ACK);
    WANT(ask64(SET_FEATURES, features, -1) == 0);
    table.regions[1].guest = i ? 1ull << 32 : LOW - 0x1000;
    table.regions[1].bytes = i ? 1ull << 32 : HIGH;
    if (i) fds[1] = memory_file(F_SEAL_SHRINK, 1ull << 32);
    send_table(&table, fds, 0);
    WANT(at_end());
    close(s);
  }
  guest_offset = 0;
  begin(REPLY_ACK);
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  WANT(ask64(SET_FEATURES, features, -1) == 0);
  struct ring late = ring_at(0);
  uint64_t places[5] = {0, USER + late.at, USER + late.at + 0x2000, USER + late.at + 0x1000, 0};
  WANT(ask_state(SET_VRING_NUM, 0, SIZE) == 0 && ask(SET_VRING_ADDR, places, sizeof places, -1) == 0);
  WANT(ask64(SET_VRING_KICK, 0, late.kick) == 0);
  uint32_t enable[2] = {0, 1};
  send_message(SET_VRING_ENABLE, NEED_REPLY, enable, 8, -1);
  WANT(at_end());
}

/* INFLIGHT_SHMFD. Entries: u8 in flight at 0, u16 next at 6, u64 counter at 8. */
static void inflight(void) {
  struct area area;
  begin(REPLY_ACK | INFLIGHT);
  int fd = -1;
  uint8_t *kept = get_area(&area, &fd);
  WANT(area.bytes >= 6 * (16 + 16 * SIZE));
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  WANT(ask(SET_INFLIGHT_FD, &area, sizeof area, fd) == 0);
  struct ring r = ring_at(0);
  WANT(start_ring(&r, 0, 0) == 0);
  WANT(kept[8] == 1 && kept[10] == SIZE); /* version, descriptors */
  offer(&r, 0, START, PROTOCOL);
  wait_used(&r, 1);
  offer(&r, 6, 9999, 0);
  wait_used(&r, 2);
  WANT(stop_ring(0) == 2);
  for (int i = 0; i < SIZE; i++) WANT(kept[16 + 16 * i] == 0);
  WANT(kept[12] == 6 && kept[14] == 2); /* the last one, and the used ring's index */
  close(s);

  /* As if that device had ended with two buffers, taken in this order: 8, then 2; and after it had
   * published 4 without having noted that. */
  uint8_t *entry = kept + 16;
  uint64_t counters[] = {5, 4, 3};
  int heads[] = {2, 8, 4};
  for (int i = 0; i < 3; i++) {
    entry[16 * heads[i]] = 1;
    memcpy(entry + 16 * heads[i] + 8, &counters[i], 8);
    r.avail->ring[(2 + 2 - i) % SIZE] = (uint16_t)heads[i];
  }
  r.avail->idx = 5;
  r.used->ring[2].id = 4;
  r.used->idx = 3;
  kept[12] = 4;
  uint8_t *old = memory;
  begin(REPLY_ACK | INFLIGHT);
  int file = memory_file(F_SEAL_SHRINK, ALL);
  WANT(share(file) == 0);
  memcpy(memory + RAM, old + RAM, 0x10000);
  WANT(ask(SET_INFLIGHT_FD, &area, sizeof area, fd) == 0);
  r = ring_at(0);
  WANT(start_ring(&r, 0, 3) == 0);
  WANT(r.used->idx == 5 && r.used->ring[3].id == 8 && r.used->ring[4].id == 2);
  WANT(r.used->ring[3].bytes == 0 && wait_for(r.call));
  offer(&r, 10, START, PROTOCOL);
  wait_used(&r, 6);
  WANT(r.used->ring[5].id == 10 && error_of(&r, 10) == 0);
  close(s);

  /* What is in the area is checked. */
  begin(REPLY_ACK | INFLIGHT);
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  kept[10] = 99;
  WANT(ask(SET_INFLIGHT_FD, &area, sizeof area, fd) == 0);
  struct ring wrong = ring_at(0);
  uint64_t address[5] = {0, USER + wrong.at, USER + wrong.at + 0x2000, USER + wrong.at + 0x1000, 0};
  WANT(ask_state(SET_VRING_NUM, 0, SIZE) == 0 && ask(SET_VRING_ADDR, address, sizeof address, -1) == 0);
  WANT(ask64(SET_VRING_KICK, 0, wrong.kick) == 0);
  uint32_t enable[2] = {0, 1};
  send_message(SET_VRING_ENABLE, NEED_REPLY, enable, 8, -1);
  WANT(at_end());
  open_socket();
  int unsealed_file = memory_file(0, area.bytes);
  send_message(SET_INFLIGHT_FD, 0, &area, sizeof area, unsealed_file);
  WANT(at_end());
}

/* Sends and never takes an answer, until the device cannot send any more; then stays. */
static void silent(void) {
  open_socket();
  struct message m = {GET_FEATURES, 1, 0, {0}};
  struct pollfd p = {s, POLLOUT, 0};
  for (int i = 0; i < 200000 && poll(&p, 1, 500) > 0; i++) {
    if (send(s, &m, 12, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) break;
  }
  puts("stuck");
  fflush(stdout);
  pause();
}

/* Many connections: most of them say nothing, some ask something. They stay. */
static void many(void) {
  int silent_ones = 0;
  for (int i = 0; i < 1000; i++) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) break; /* no more descriptors: that is as many as one process can have */
    WANT(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    silent_ones++;
  }
  WANT(silent_ones > 900);
  puts("connected");
  fflush(stdout);
  pause();
}

int main(int argc, char **argv) {
  static const struct scenario scenarios[] = {
      {"unsealed", unsealed}, {"shrinks", shrinks}, {"short-file", short_file}, {"reply-ack", reply_ack},
      {"mq", mq}, {"config", config}, {"status", status}, {"base", base}, {"elsewhere", elsewhere}, {"inflight", inflight},
      {"silent", silent}, {"many", many}};
  return run_scenario(scenarios, sizeof scenarios / sizeof *scenarios, argc, argv);
}
