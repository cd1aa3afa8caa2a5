/* Finding the device: the memory that is shared with it, and the vhost-user messages. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "driver.h"
#include "module.h"
#include "warpring.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* Where things are in guest RAM, from its start. */
#define CONTROL_RING 0
#define EVENT_RING 16384
#define EVENT_BUFFERS 65536
#define SLOT_MEMORY 262144

#define NO_ANSWER "the device ended the connection: `--verbose` of run or serve tells why"

struct message {
  uint32_t request, flags, bytes;
  uint8_t payload[512];
} __attribute__((packed));

static cudaError_t fail(const char *what) {
  fprintf(stderr, "warpring: %s\n", what);
  return cudaErrorDevicesUnavailable;
}

/* The same, with the reason that the system gives. */
static cudaError_t fail_with(const char *what, int number) {
  fprintf(stderr, "warpring: %s: %s\n", what, strerror(number));
  return cudaErrorDevicesUnavailable;
}

static int receive_all(int fd, void *to, size_t bytes) {
  for (size_t at = 0; at < bytes;) {
    ssize_t got = recv(fd, (char *)to + at, bytes - at, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return -1;
    at += (size_t)got;
  }
  return 0;
}

/* Sends a message with up to one descriptor, and receives its reply. Returns 0, or -1. */
static int talk(uint32_t request, const void *payload, uint32_t bytes, int fd, void *reply,
                uint32_t reply_bytes) {
  struct message m = {.request = request, .flags = VHOST_FLAG_VERSION, .bytes = bytes};
  int wants_ack = reply == NULL && request != VHOST_SET_PROTOCOL_FEATURES;
  if (wants_ack) m.flags |= VHOST_FLAG_NEED_REPLY;
  memcpy(m.payload, payload, bytes);
  struct iovec iov = {&m, VHOST_HEADER_SIZE + bytes};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
  if (fd >= 0) {
    h.msg_control = control.bytes;
    h.msg_controllen = sizeof control.bytes;
    struct cmsghdr *c = CMSG_FIRSTHDR(&h);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  ssize_t sent;
  do sent = sendmsg(wr_device.socket, &h, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent != (ssize_t)iov.iov_len) return -1;
  if (reply == NULL && !wants_ack) return 0;
  struct message answer;
  if (receive_all(wr_device.socket, &answer, VHOST_HEADER_SIZE) < 0) return -1;
  if (answer.request != request || answer.bytes > sizeof answer.payload) return -1;
  if (receive_all(wr_device.socket, answer.payload, answer.bytes) < 0) return -1;
  if (wants_ack) {
    uint64_t refused = 1;
    memcpy(&refused, answer.payload, 8);
    return refused ? -1 : 0;
  }
  if (answer.bytes != reply_bytes) return -1;
  memcpy(reply, answer.payload, reply_bytes);
  return 0;
}

static int tell(uint32_t request, uint64_t value, int fd) {
  return talk(request, &value, 8, fd, NULL, 0);
}

static int vring_state(uint32_t request, uint32_t index, uint32_t value) {
  uint32_t state[2] = {index, value};
  return talk(request, state, 8, -1, NULL, 0);
}

/* Makes a ring in guest RAM and hands it to the device. */
static int set_up_ring(struct wr_ring *r, uint32_t index, unsigned size, unsigned at) {
  uint8_t *base = (uint8_t *)POINTER_BASE + GUEST_RAM_START + at;
  r->size = size;
  r->desc = (struct descriptor *)base;
  r->avail = (struct avail_ring *)(base + 4096);
  r->used = (struct used_ring *)(base + 8192);
  r->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  r->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (r->kick < 0 || r->call < 0) return -1;
  uint64_t address[5] = {index, (uintptr_t)r->desc, (uintptr_t)r->used, (uintptr_t)r->avail, 0};
  if (vring_state(VHOST_SET_VRING_NUM, index, size) < 0) return -1;
  if (vring_state(VHOST_SET_VRING_BASE, index, 0) < 0) return -1;
  if (talk(VHOST_SET_VRING_ADDR, address, sizeof address, -1, NULL, 0) < 0) return -1;
  if (tell(VHOST_SET_VRING_CALL, index, r->call) < 0) return -1;
  if (tell(VHOST_SET_VRING_KICK, index, r->kick) < 0) return -1;
  return vring_state(VHOST_SET_VRING_ENABLE, index, 1);
}

static void set_up_slots(struct wr_device *d) {
  uint8_t *at = (uint8_t *)POINTER_BASE + GUEST_RAM_START + SLOT_MEMORY;
  for (unsigned i = 0; i < SLOTS; i++, at += SLOT_OUT_BYTES + SLOT_IN_BYTES) {
    d->slots[i].out = at;
    d->slots[i].in = at + SLOT_OUT_BYTES;
    struct descriptor *desc = &d->control.desc[2 * i];
    uint64_t guest = (uintptr_t)at - POINTER_BASE;
    desc[0] = (struct descriptor){guest, 0, DESC_NEXT, (uint16_t)(2 * i + 1)};
    desc[1] = (struct descriptor){guest + SLOT_OUT_BYTES, 0, DESC_WRITE, 0};
  }
  d->event_buffers = (uint8_t *)POINTER_BASE + GUEST_RAM_START + EVENT_BUFFERS;
}

/* The memory of the device, at the addresses that kernels use. */
static cudaError_t share_memory(struct wr_device *d) {
  d->memory_fd = memfd_create("warpring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (d->memory_fd < 0) {
    if (errno == ENOSYS) {
      return fail("this kernel has no memfd_create: Linux 3.17 or later is needed");
    }
    return fail_with("no memory file can be made", errno);
  }
  if (ftruncate(d->memory_fd, MAX_MEMORY_BYTES) < 0) {
    return fail_with("no memory file can have 4 GiB", errno);
  }
  if (fcntl(d->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
    return fail("this kernel cannot seal memory files: Linux 3.17 or later is needed");
  }
  void *want = (void *)POINTER_BASE;
  int flags = MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  void *got = mmap(want, MAX_MEMORY_BYTES, PROT_READ | PROT_WRITE, flags, d->memory_fd, 0);
  if (got == MAP_FAILED && errno == ENOMEM) {
    return fail("this process has no 4 GiB of address space left: raise its limit (`ulimit -v`)");
  }
  if (got != want) return fail("the addresses of device memory are taken in this process");
  struct {
    uint32_t count, padding;
    uint64_t guest, bytes, user, offset;
  } table = {1, 0, 0, MAX_MEMORY_BYTES, POINTER_BASE, 0};
  if (talk(VHOST_SET_MEM_TABLE, &table, sizeof table, d->memory_fd, NULL, 0) < 0) {
    return fail("the device refuses this process's memory: `--verbose` of run or serve tells why");
  }
  return cudaSuccess;
}

static cudaError_t negotiate(struct wr_device *d) {
  const uint64_t needed = 1ull << VIRTIO_F_VERSION_1_BIT | 1ull << VIRTIO_F_EVENT_IDX_BIT |
                          1ull << WARPRING_F_EVENTS |
                          1ull << WARPRING_F_DEVICE_MEMORY | 1ull << WARPRING_F_HOST_CALLS;
  const uint64_t transport = 1ull << VHOST_F_PROTOCOL_FEATURES;
  const uint64_t protocol = 1ull << VHOST_PROTOCOL_F_MQ | 1ull << VHOST_PROTOCOL_F_REPLY_ACK |
                            1ull << VHOST_PROTOCOL_F_CONFIG;
  uint64_t offered = 0, offered_protocol = 0;
  if (talk(VHOST_GET_FEATURES, NULL, 0, -1, &offered, 8) < 0) return fail(NO_ANSWER);
  if ((offered & (needed | transport)) != (needed | transport)) {
    return fail("what listens at $WARPRING_SOCKET is another device");
  }
  if (talk(VHOST_GET_PROTOCOL_FEATURES, NULL, 0, -1, &offered_protocol, 8) < 0 ||
      (offered_protocol & protocol) != protocol) {
    return fail("the device lacks protocol features");
  }
  if (tell(VHOST_SET_PROTOCOL_FEATURES, protocol, -1) < 0) return fail(NO_ANSWER);
  if (talk(VHOST_SET_OWNER, NULL, 0, -1, NULL, 0) < 0) return fail("the device has an owner");
  if (tell(VHOST_SET_FEATURES, needed | transport, -1) < 0) return fail("features were refused");
  cudaError_t error = share_memory(d);
  if (error != cudaSuccess) return error;
  uint8_t config[12 + CONFIG_SIZE] = {0};
  uint32_t size = CONFIG_SIZE;
  memcpy(config + 4, &size, 4);
  if (talk(VHOST_GET_CONFIG, config, sizeof config, -1, config, sizeof config) < 0) {
    return fail("the device has no configuration");
  }
  uint32_t version, devices;
  uint64_t base;
  memcpy(&version, config + 12 + CONFIG_PROTOCOL_VERSION, 4);
  memcpy(&base, config + 12 + CONFIG_POINTER_BASE, 8);
  memcpy(&devices, config + 12 + CONFIG_DEVICES, 4);
  if (version != PROTOCOL_VERSION || base != POINTER_BASE || devices - 1 >= MAX_DEVICES) {
    return fail("the device is of another version of warpring: start `warpring serve` anew");
  }
  d->devices = (int)devices;
  if (set_up_ring(&d->control, QUEUE_CONTROL, CONTROL_QUEUE_SIZE, CONTROL_RING) < 0 ||
      set_up_ring(&d->events, QUEUE_EVENT, EVENT_QUEUE_SIZE, EVENT_RING) < 0) {
    return fail("the device does not take a queue");
  }
  return cudaSuccess;
}

static cudaError_t start(void) {
  struct wr_call c;
  memset(&c, 0, sizeof c);
  wr_put32(&c, START_PROTOCOL_VERSION, PROTOCOL_VERSION);
  wr_put32(&c, START_PROCESS, (uint32_t)getpid());
  return wr_send(&c, COMMAND_START);
}

static cudaError_t open_device(struct wr_device *d) {
  const char *path = getenv("WARPRING_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (path == NULL || strlen(path) >= sizeof address.sun_path) {
    fprintf(stderr, "warpring: there is no device: start the program with `warpring run`\n");
    return cudaErrorNoDevice;
  }
  strcpy(address.sun_path, path);
  d->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (d->socket < 0 || connect(d->socket, (struct sockaddr *)&address, sizeof address) < 0) {
    fprintf(stderr, "warpring: no device at %s: %s\n", path, strerror(errno));
    return cudaErrorNoDevice;
  }
  cudaError_t error = negotiate(d);
  if (error != cudaSuccess) return error;
  set_up_slots(d);
  error = wr_listen();
  return error == cudaSuccess ? start() : error;
}

/* Whatever another thread was doing with the program's kernels, nobody does it here any more. */
static void in_child(void) {
  wr_device.forked = 1;
  pthread_mutex_init(&wr_module_lock, NULL);
}

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static cudaError_t opened = cudaSuccess;

cudaError_t wr_connect(void) {
  struct wr_device *d = &wr_device;
  /* A forked child shares queues and memory with its parent: it may only exec (as in CUDA). */
  if (d->forked) return cudaErrorInitializationError;
  if (__atomic_load_n(&d->connected, __ATOMIC_ACQUIRE)) {
    return d->gone ? cudaErrorDevicesUnavailable : cudaSuccess;
  }
  pthread_mutex_lock(&opening);
  if (!d->connected && opened == cudaSuccess) {
    opened = open_device(d);
    if (opened == cudaSuccess) {
      pthread_atfork(NULL, NULL, in_child);
      __atomic_store_n(&d->connected, 1, __ATOMIC_RELEASE);
    }
  }
  cudaError_t error = opened;
  pthread_mutex_unlock(&opening);
  return error;
}

cudaError_t wr_check_device(int device) {
  cudaError_t error = wr_connect();
  if (error != cudaSuccess) return error;
  return device >= 0 && device < wr_device.devices ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t wr_context(int device, uint32_t *context) {
  cudaError_t error = wr_check_device(device);
  if (error != cudaSuccess) return error;
  uint32_t *known = &wr_device.contexts[device];
  *context = __atomic_load_n(known, __ATOMIC_ACQUIRE);
  if (*context != 0) return cudaSuccess;
  pthread_mutex_lock(&opening);
  if (*known == 0) {
    struct wr_call c;
    memset(&c, 0, sizeof c);
    wr_put32(&c, CONTEXT_CREATE_FLAGS, CONTEXT_PRIMARY);
    wr_put32(&c, CONTEXT_CREATE_DEVICE, (uint32_t)device);
    error = wr_send(&c, COMMAND_CONTEXT_CREATE);
    if (error == cudaSuccess) {
      __atomic_store_n(known, wr_get32(&c, CONTEXT_CREATE_CONTEXT), __ATOMIC_RELEASE);
    }
  }
  *context = *known;
  pthread_mutex_unlock(&opening);
  return error;
}
