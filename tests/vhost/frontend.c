/*
 * A vhost-user frontend for tests that is not our library: frontend SCENARIO SOCKET. Each scenario
 * checks what the device answers; exit code 0 if that is right, else the line of what is not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WANT(c)                                                        \
  do {                                                                 \
    if (!(c)) {                                                        \
      fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #c, errno); \
      exit(1);                                                         \
    }                                                                  \
  } while (0)

enum {
  GET_FEATURES = 1, SET_FEATURES, SET_OWNER, RESET_OWNER, SET_MEM_TABLE,
  SET_VRING_NUM = 8, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL,
  SET_VRING_ERR, GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE,
  GET_CONFIG = 24, SET_CONFIG, GET_INFLIGHT_FD = 31, SET_INFLIGHT_FD, RESET_DEVICE = 34,
  SET_STATUS = 39, GET_STATUS
};
#define NEED_REPLY 8
#define F_VERSION_1 (1ull << 32)
#define F_PROTOCOL (1ull << 30)
#define MQ (1ull << 0)
#define REPLY_ACK (1ull << 3)
#define CONFIG (1ull << 9)
#define INFLIGHT (1ull << 12)
#define RESET (1ull << 13)
#define STATUS (1ull << 16)

struct message {
  uint32_t request, flags, bytes;
  uint8_t payload[512];
} __attribute__((packed));

static int s = -1;
static const char *path;
static uint8_t *memory;

static void open_socket(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  s = socket(AF_UNIX, SOCK_STREAM, 0);
  WANT(connect(s, (struct sockaddr *)&address, sizeof address) == 0);
}

static void send_message(uint32_t request, uint32_t flags, const void *payload, uint32_t bytes, int fd) {
  struct message m = {request, 1 | flags, bytes, {0}};
  char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
  struct iovec iov = {&m, 12 + bytes};
  struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
  memcpy(m.payload, payload, bytes);
  if (fd >= 0) {
    h.msg_control = control;
    h.msg_controllen = sizeof control;
    struct cmsghdr *c = CMSG_FIRSTHDR(&h);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  WANT(sendmsg(s, &h, MSG_NOSIGNAL) == (ssize_t)iov.iov_len);
}

/* The reply to a request; its descriptor, or -1. Returns the bytes of the payload, -1 at the end. */
static int receive(uint32_t request, void *payload, uint32_t room, int *fd) {
  struct message m;
  char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
  struct iovec iov = {&m, 12};
  struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(s, &h, MSG_WAITALL);
  if (got <= 0) return -1;
  WANT(got == 12 && m.request == request && (m.flags & 7) == 5 && m.bytes <= room);
  struct cmsghdr *c = CMSG_FIRSTHDR(&h);
  int given = -1;
  if (c != NULL && h.msg_controllen > 0) memcpy(&given, CMSG_DATA(c), sizeof given);
  if (fd) *fd = given;
  WANT(m.bytes == 0 || recv(s, payload, m.bytes, MSG_WAITALL) == (ssize_t)m.bytes);
  return (int)m.bytes;
}

static uint64_t get(uint32_t request) {
  uint64_t value = 0;
  send_message(request, 0, NULL, 0, -1);
  WANT(receive(request, &value, 8, NULL) == 8);
  return value;
}
/* With REPLY_ACK: 0 if it was done. */
static uint64_t ask(uint32_t request, const void *payload, uint32_t bytes, int fd) {
  uint64_t value = 99;
  send_message(request, NEED_REPLY, payload, bytes, fd);
  WANT(receive(request, &value, 8, NULL) == 8);
  return value;
}
static uint64_t ask64(uint32_t request, uint64_t value, int fd) { return ask(request, &value, 8, fd); }
static uint64_t ask_state(uint32_t request, uint32_t index, uint32_t value) {
  uint32_t state[2] = {index, value};
  return ask(request, state, 8, -1);
}
static int at_end(void) {
  char byte;
  return recv(s, &byte, 1, 0) <= 0;
}

static int memory_file(unsigned seals, size_t bytes) {
  int fd = memfd_create("frontend", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  WANT(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0);
  if (seals) WANT(fcntl(fd, F_ADD_SEALS, seals) == 0);
  return fd;
}

#define ALL (1ull << 32)
#define USER (1ull << 45)
/* One region with everything in it, as our library has it; `memory` is where we see it. */
static uint64_t share(int fd) {
  struct {
    uint32_t count, padding;
    uint64_t guest, bytes, user, offset;
  } table = {1, 0, 0, ALL, USER, 0};
  memory = mmap(NULL, ALL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
  WANT(memory != MAP_FAILED);
  return ask(SET_MEM_TABLE, &table, sizeof table, fd);
}

static void begin(uint64_t protocol) {
  open_socket();
  WANT(get(GET_FEATURES) & F_PROTOCOL);
  WANT((get(GET_PROTOCOL_FEATURES) & protocol) == protocol);
  send_message(SET_PROTOCOL_FEATURES, 0, &protocol, 8, -1);
  WANT(ask(SET_OWNER, NULL, 0, -1) == 0);
  WANT(ask64(SET_FEATURES, F_VERSION_1 | F_PROTOCOL | 7, -1) == 0);
}

/* A ring in guest RAM, 64 KiB of it for each queue. */
#define RAM 0x10000ull
#define SIZE 16
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
  r.at = RAM + 0x10000 * (uint64_t)index;
  r.desc = (void *)(memory + r.at);
  r.avail = (void *)(memory + r.at + 0x1000);
  r.used = (void *)(memory + r.at + 0x2000);
  r.kick = eventfd(0, EFD_NONBLOCK);
  r.call = eventfd(0, EFD_NONBLOCK);
  r.error = eventfd(0, EFD_NONBLOCK);
  return r;
}
static uint64_t start_ring(struct ring *r, unsigned index, unsigned base) {
  uint64_t address[5] = {index, USER + r->at, USER + r->at + 0x2000, USER + r->at + 0x1000, 0};
  WANT(ask_state(SET_VRING_NUM, index, SIZE) == 0);
  WANT(ask_state(SET_VRING_BASE, index, base) == 0);
  WANT(ask(SET_VRING_ADDR, address, sizeof address, -1) == 0);
  WANT(ask64(SET_VRING_CALL, index, r->call) == 0);
  WANT(ask64(SET_VRING_ERR, index, r->error) == 0);
  WANT(ask64(SET_VRING_KICK, index, r->kick) == 0);
  return ask_state(SET_VRING_ENABLE, index, 1);
}

static int wait_for(int fd) {
  struct pollfd p = {fd, POLLIN, 0};
  uint64_t count;
  return poll(&p, 1, 60000) == 1 && read(fd, &count, 8) == 8;
}

/* Requests of docs/device.md: u32 command, context, stream, thread; then START's fields. */
#define START 1
static void offer(struct ring *r, unsigned head, uint32_t command, uint32_t first) {
  uint32_t request[64] = {command, 0, 0, 0, 0, 0, first};
  memset(memory + r->at + 0x3000 + 0x400 * head, 0, 0x400);
  memcpy(memory + r->at + 0x3000 + 0x400 * head, request, sizeof request);
  r->desc[head] = (struct desc){r->at + 0x3000 + 0x400 * head, 256, 1, (uint16_t)(head + 1)};
  r->desc[head + 1] = (struct desc){r->at + 0x3000 + 0x400 * head + 0x200, 0x200, 2, 0};
  r->avail->ring[r->avail->idx % SIZE] = (uint16_t)head;
  __atomic_store_n(&r->avail->idx, (uint16_t)(r->avail->idx + 1), __ATOMIC_SEQ_CST);
  uint64_t one = 1;
  WANT(write(r->kick, &one, 8) == 8);
}
static void wait_used(struct ring *r, uint16_t index) {
  while (__atomic_load_n(&r->used->idx, __ATOMIC_SEQ_CST) != index) WANT(wait_for(r->call));
}
static uint32_t error_of(struct ring *r, unsigned head) {
  uint32_t error;
  memcpy(&error, memory + r->at + 0x3000 + 0x400 * head + 0x200, 4);
  return error;
}

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
  offer(&b, 0, START, 1);
  wait_used(&b, 1);
  WANT(error_of(&b, 0) == 0 && a.used->idx == 0);
  offer(&a, 4, START, 1);
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
  WANT(answer[3] == 1 && answer[4] == 9 && answer[5] == 0); /* version, compute capability */
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
  offer(&r, 0, START, 1);
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
  offer(&r, 0, START, 1);
  wait_used(&r, 1);
  uint32_t state[2] = {1, 0};
  events.desc[3] = (struct desc){events.at + 0x3000, 0x1000, 2, 0};
  events.avail->ring[0] = 3;
  events.avail->idx = 1;
  for (uint32_t queue = 0; queue < 2; queue++) {
    state[0] = queue;
    send_message(GET_VRING_BASE, 0, state, 8, -1);
    WANT(receive(GET_VRING_BASE, state, 8, NULL) == 8 && state[0] == queue);
    WANT(queue == 1 || state[1] == 1);
  }
  WANT(state[1] == events.used->idx); /* what it had taken is back */
  WANT(start_ring(&r, 0, 1) == 0);
  offer(&r, 2, START, 1);
  wait_used(&r, 2);
  WANT(r.used->ring[1].id == 2 && error_of(&r, 2) == 0);
}

/* INFLIGHT_SHMFD. Entries: u8 in flight at 0, u16 next at 6, u64 counter at 8. */
static void inflight(void) {
  struct {
    uint64_t bytes, offset;
    uint16_t queues, size;
  } __attribute__((packed)) area = {0, 0, 6, SIZE};
  begin(REPLY_ACK | INFLIGHT);
  int fd = -1;
  send_message(GET_INFLIGHT_FD, 0, &area, sizeof area, -1);
  WANT(receive(GET_INFLIGHT_FD, &area, sizeof area, &fd) == sizeof area && fd >= 0);
  WANT(area.bytes >= 6 * (16 + 16 * SIZE) && area.offset == 0 && area.queues == 6 && area.size == SIZE);
  WANT(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK);
  uint8_t *kept = mmap(NULL, area.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  WANT(kept != MAP_FAILED);
  WANT(share(memory_file(F_SEAL_SHRINK, ALL)) == 0);
  WANT(ask(SET_INFLIGHT_FD, &area, sizeof area, fd) == 0);
  struct ring r = ring_at(0);
  WANT(start_ring(&r, 0, 0) == 0);
  WANT(kept[8] == 1 && kept[10] == SIZE); /* version, descriptors */
  offer(&r, 0, START, 1);
  wait_used(&r, 1);
  offer(&r, 6, 9999, 0);
  wait_used(&r, 2);
  uint32_t state[2] = {0, 0};
  send_message(GET_VRING_BASE, 0, state, 8, -1);
  WANT(receive(GET_VRING_BASE, state, 8, NULL) == 8 && state[1] == 2);
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
  offer(&r, 10, START, 1);
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
  static const struct {
    const char *name;
    void (*run)(void);
  } scenarios[] = {{"unsealed", unsealed}, {"shrinks", shrinks}, {"short-file", short_file},
                   {"reply-ack", reply_ack}, {"mq", mq}, {"config", config}, {"status", status},
                   {"base", base}, {"inflight", inflight}, {"silent", silent}, {"many", many}};
  if (argc != 3) return 2;
  path = argv[2];
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    if (strcmp(argv[1], scenarios[i].name) == 0) {
      scenarios[i].run();
      return 0;
    }
  }
  return 2;
}
