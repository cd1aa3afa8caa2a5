/* A client whose memory file could shrink: the device must refuse it. Exit code 0 if it does. */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (argc < 2) return 2;
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  int s = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(s, (struct sockaddr *)&address, sizeof address) < 0) return 3;
  int memory = memfd_create("unsealed", MFD_ALLOW_SEALING);
  if (ftruncate(memory, 1ll << 32) < 0) return 4;
  struct {
    uint32_t request, flags, bytes, count, padding;
    uint64_t region[4];
  } __attribute__((packed)) m = {5, 1, 40, 1, 0, {0, 1ull << 32, 1ull << 45, 0}};
  char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
  struct iovec iov = {&m, sizeof m};
  struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                     .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&h);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(c), &memory, sizeof memory);
  if (sendmsg(s, &h, 0) != (ssize_t)sizeof m) return 5;
  /* Refused: the connection ends. */
  char byte;
  return read(s, &byte, 1) <= 0 ? 0 : 1;
}
