/*
 * Stands for a kernel that is too old, or a process with limits: a library to be preloaded, in which
 * the call that $LACKS names fails as it would there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int lacks(const char *what) {
  const char *named = getenv("LACKS");
  return named != NULL && strcmp(named, what) == 0;
}

static int failed(int number) {
  errno = number;
  return -1;
}

int memfd_create(const char *name, unsigned flags) {
  if (lacks("memfd")) return failed(ENOSYS);
  if (lacks("descriptors")) return failed(EMFILE);
  return (int)syscall(SYS_memfd_create, name, flags);
}

int fcntl(int fd, int command, ...) {
  va_list args;
  va_start(args, command);
  long argument = va_arg(args, long);
  va_end(args);
  if (command == F_ADD_SEALS && lacks("seals")) return failed(EINVAL);
  return (int)syscall(SYS_fcntl, fd, command, argument);
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  if (bytes == 1ull << 32 && lacks("addresses")) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset);
}
