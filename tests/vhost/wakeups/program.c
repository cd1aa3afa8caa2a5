/*
 * Counts what passes between the library and the device to wake each other: the library's calls of
 * eventfd, write, read and poll come here. What the device writes to an eventfd is the sum of what is
 * read from it, and of what is left in it.
 *
 * For each way of waiting it prints: its name, how often it waited, how many requests it made at most,
 * kicks (library to device), calls (device to library), sleeps.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kernel.h"

/* In the order in which the library makes them: kick and call of the control queue, then the event
 * queue's, on which another thread waits. */
enum { KICK, CALL, MADE };
static int fds[MADE], made;
static pthread_t waiter;
static uint64_t kicks, calls, sleeps;

int eventfd(unsigned value, int flags) {
  int fd = (int)syscall(SYS_eventfd2, value, flags);
  if (made < MADE) fds[made++] = fd;
  return fd;
}
ssize_t write(int fd, const void *from, size_t bytes) {
  if (made == MADE && fd == fds[KICK]) __atomic_add_fetch(&kicks, 1, __ATOMIC_SEQ_CST);
  return syscall(SYS_write, fd, from, bytes);
}
ssize_t read(int fd, void *to, size_t bytes) {
  ssize_t got = syscall(SYS_read, fd, to, bytes);
  if (made == MADE && fd == fds[CALL] && got == 8) {
    uint64_t count;
    memcpy(&count, to, 8);
    calls += count;
  }
  return got;
}
int poll(struct pollfd *set, nfds_t count, int timeout) {
  if (pthread_equal(pthread_self(), waiter)) sleeps++;
  return (int)syscall(SYS_poll, set, count, timeout);
}

extern int cudaDeviceSynchronize(void), cudaStreamSynchronize(void *);
extern int cudaEventCreate(void **), cudaEventRecord(void *, void *), cudaEventSynchronize(void *);
extern int cudaMalloc(void **, size_t), cudaMemcpy(void *, const void *, size_t, int);
extern int cudaMemGetInfo(size_t *, size_t *);

static void *event, *memory;
static char host[64];
#define WANT(c) \
  if (!(c)) fprintf(stderr, "line %d: %s\n", __LINE__, #c), exit(1)

static void by_device(void) { WANT(cudaDeviceSynchronize() == 0); }
static void by_stream(void) { WANT(cudaStreamSynchronize(NULL) == 0); }
static void by_event(void) { WANT(cudaEventRecord(event, NULL) == 0 && cudaEventSynchronize(event) == 0); }
static void by_copy(void) { WANT(cudaMemcpy(host, memory, sizeof host, 2) == 0); }
static void by_answer(void) {
  size_t free_bytes, total;
  WANT(cudaMemGetInfo(&free_bytes, &total) == 0);
}

static const struct {
  const char *name;
  void (*wait)(void);
  unsigned launches, waits; /* each round: launches, which are not waited for, and requests that are */
} ways[] = {{"answer", by_answer, 0, 1}, {"device", by_device, 0, 1}, {"stream", by_stream, 20, 1},
            {"device after launches", by_device, 30, 1}, {"event", by_event, 20, 2},
            {"copy", by_copy, 20, 1}};

#define ROUNDS 200

int main(void) {
  waiter = pthread_self();
  register_kernel();
  WANT(launch() == 0 && cudaEventCreate(&event) == 0 && cudaMalloc(&memory, sizeof host) == 0);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    ways[i].wait(); /* what is set up once */
    uint8_t left[8];
    read(fds[CALL], left, 8);
    kicks = calls = sleeps = 0;
    for (int round = 0; round < ROUNDS; round++) {
      for (unsigned n = 0; n < ways[i].launches; n++) WANT(launch() == 0);
      ways[i].wait();
    }
    read(fds[CALL], left, 8);
    unsigned waits = ROUNDS * ways[i].waits;
    printf("%s: %u %u %llu %llu %llu\n", ways[i].name, waits, ROUNDS * ways[i].launches + waits,
           (unsigned long long)kicks, (unsigned long long)calls, (unsigned long long)sleeps);
  }
  return 0;
}
