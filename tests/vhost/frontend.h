/*
 * A vhost-user frontend for tests that is not our library: messages, memory and how scenarios are run.
 * A program is called as NAME SCENARIO SOCKET. Each scenario checks what the device answers; exit code 0
 * if that is right, else the line of what is not.
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
#define F_PACKED (1ull << 34)
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

static void begin_with(uint64_t features, uint64_t protocol) {
  open_socket();
  WANT(get(GET_FEATURES) & F_PROTOCOL);
  WANT((get(GET_PROTOCOL_FEATURES) & protocol) == protocol);
  send_message(SET_PROTOCOL_FEATURES, 0, &protocol, 8, -1);
  WANT(ask(SET_OWNER, NULL, 0, -1) == 0);
  WANT(ask64(SET_FEATURES, F_VERSION_1 | F_PROTOCOL | 7 | features, -1) == 0);
}

/* Where rings are: 64 KiB of guest RAM for each. */
#define RAM 0x10000ull
#define SIZE 16
static uint64_t ring_place(unsigned index) { return RAM + 0x10000 * (uint64_t)index; }

/* Tells the device of a ring whose three parts are 4 KiB apart, and starts it. */
static uint64_t start_ring_at(uint64_t at, unsigned index, uint32_t base, int kick, int call, int error) {
  uint64_t address[5] = {index, USER + at, USER + at + 0x2000, USER + at + 0x1000, 0};
  WANT(ask_state(SET_VRING_NUM, index, SIZE) == 0);
  WANT(ask_state(SET_VRING_BASE, index, base) == 0);
  WANT(ask(SET_VRING_ADDR, address, sizeof address, -1) == 0);
  WANT(ask64(SET_VRING_CALL, index, call) == 0);
  WANT(ask64(SET_VRING_ERR, index, error) == 0);
  WANT(ask64(SET_VRING_KICK, index, kick) == 0);
  return ask_state(SET_VRING_ENABLE, index, 1);
}
static uint32_t stop_ring(unsigned index) {
  uint32_t state[2] = {index, 0};
  send_message(GET_VRING_BASE, 0, state, 8, -1);
  WANT(receive(GET_VRING_BASE, state, 8, NULL) == 8 && state[0] == index);
  return state[1];
}

static int wait_for(int fd) {
  struct pollfd p = {fd, POLLIN, 0};
  uint64_t count;
  return poll(&p, 1, 60000) == 1 && read(fd, &count, 8) == 8;
}

/* Requests of docs/device.md: u32 command, context, stream, thread; then START's fields. */
#define START 1
#define PROTOCOL 3 /* its version */
static uint64_t request_place(uint64_t ring, unsigned slot) { return ring + 0x3000 + 0x400 * slot; }
static void write_request(uint64_t ring, unsigned slot, uint32_t command, uint32_t first) {
  uint32_t request[64] = {command, 0, 0, 0, 0, 0, first};
  memset(memory + request_place(ring, slot), 0, 0x400);
  memcpy(memory + request_place(ring, slot), request, sizeof request);
}
static uint32_t error_at(uint64_t ring, unsigned slot) {
  uint32_t error;
  memcpy(&error, memory + request_place(ring, slot) + 0x200, 4);
  return error;
}

/* INFLIGHT_SHMFD: the payload of both messages. */
struct area {
  uint64_t bytes, offset;
  uint16_t queues, size;
} __attribute__((packed));
/* Asks for an area for six queues, and maps it. */
static uint8_t *get_area(struct area *area, int *fd) {
  *area = (struct area){0, 0, 6, SIZE};
  send_message(GET_INFLIGHT_FD, 0, area, sizeof *area, -1);
  WANT(receive(GET_INFLIGHT_FD, area, sizeof *area, fd) == sizeof *area && *fd >= 0);
  WANT(area->offset == 0 && area->queues == 6 && area->size == SIZE);
  WANT(fcntl(*fd, F_GET_SEALS) & F_SEAL_SHRINK);
  uint8_t *kept = mmap(NULL, area->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
  WANT(kept != MAP_FAILED);
  return kept;
}

struct scenario {
  const char *name;
  void (*run)(void);
};
static int run_scenario(const struct scenario *scenarios, size_t count, int argc, char **argv) {
  if (argc != 3) return 2;
  path = argv[2];
  for (size_t i = 0; i < count; i++) {
    if (strcmp(argv[1], scenarios[i].name) != 0) continue;
    scenarios[i].run();
    return 0;
  }
  return 2;
}
