/*
 * Makes the calls of a script, first in one thread and then in two at once, each with handles of its own,
 * and says which did not answer what they should. A line is: what it is, the number of the error, the entry point, and its
 * arguments, each by a letter: i number, v variable + offset, o variable to be set (or NULL), b host
 * memory, s bytes, a list, k kernel, y symbol, f host function, c callback, m image.
 *
 * With "record" or "record-present" and a list of numbers of lines, each followed by a comma, it makes the calls of all other
 * lines in one thread and prints what each answered: its line, the error's number (or "crash", or "hang",
 * after which it must be started anew without that line), the entry point, and what it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void **__cudaRegisterFatBinary(void *);
void __cudaRegisterFatBinaryEnd(void **);
void __cudaRegisterFunction(void **, const char *, const char *, const char *, int, void *, void *,
                            void *, void *, int *);
void __cudaRegisterVar(void **, char *, const char *, const char *, int, size_t, int, int);
const char *cudaGetErrorName(int);
int cudaDeviceSynchronize(void);

#define NOT_READY 600
#define MOST_VARIABLES 65536
#define MOST_ARGUMENTS 16
#define SCRATCH 4096

static char *script;
static uint8_t *image;
static char kernels[3], symbols[3];
static const char *const kernel_names[] = {"nothing", "absent", "nobody"};
static const char *const symbol_names[] = {"factors", "missing", "nobody"};

static void host_function(void *data) { (void)data; }
static void callback(void *stream, int status, void *data) { (void)stream, (void)status, (void)data; }

static char *read_file(const char *name) {
  FILE *f = fopen(name, "rb");
  if (f == NULL) exit(3);
  fseek(f, 0, SEEK_END);
  size_t bytes = (size_t)ftell(f);
  rewind(f);
  char *text = calloc(1, bytes + 1);
  if (fread(text, 1, bytes, f) != bytes) exit(3);
  fclose(f);
  return text;
}

struct thread {
  uint64_t *variables;
  uint8_t *outs[MOST_ARGUMENTS], *strings[MOST_ARGUMENTS];
  uint64_t lists[MOST_ARGUMENTS][32];
  uint8_t host[256];
  int alone, failures;
};

/* When recording: lines to leave out, the line at which the thread is, and where a crash goes on. */
static const char *left_out;
static int line_number;
static const char *line_name, *line_label;
static sigjmp_buf after_crash;

static void say(const char *what) {
  printf("%d\t%s\t%s\t%s\n", line_number, what, line_name, line_label);
}

static void crashed(int signal) {
  say(signal == SIGALRM ? "hang" : "crash");
  fflush(stdout);
  if (signal == SIGALRM) _exit(1);
  siglongjmp(after_crash, 1);
}

static int is_left_out(void) {
  char number[16];
  snprintf(number, sizeof number, ",%d,", line_number);
  return strstr(left_out, number) != NULL;
}

static uint64_t named(const char *name, char *places, const char *const names[3]) {
  for (int i = 0; i < 3; i++) {
    if (strcmp(name, names[i]) == 0) return (uintptr_t)&places[i];
  }
  exit(4);
}

/* One argument; `set` receives the variable that an o sets. */
static uint64_t argument(struct thread *t, int n, char *text, int *set) {
  char *rest = text + 1;
  switch (*text) {
    case 'i': return strtoull(rest, NULL, 16);
    case 'v': {
      char *plus;
      uint64_t value = t->variables[strtoul(rest, &plus, 10)];
      return value + strtoull(plus + 1, NULL, 10);
    }
    case 'o':
      *set = atoi(rest);
      memset(t->outs[n], 0, SCRATCH);
      return (uintptr_t)t->outs[n];
    case 'b': return (uintptr_t)t->host;
    case 's': {
      size_t bytes = strlen(rest) / 2;
      memset(t->strings[n], 0, SCRATCH);
      for (size_t i = 0; i < bytes; i++) {
        unsigned byte;
        sscanf(rest + 2 * i, "%2x", &byte);
        t->strings[n][i] = (uint8_t)byte;
      }
      return (uintptr_t)t->strings[n];
    }
    case 'a': {
      int count = 0, unused, more = *rest != 0;
      while (more) {
        char *comma = strchr(rest, ',');
        more = comma != NULL;
        if (more) *comma = 0;
        t->lists[n][count++] = argument(t, n, rest, &unused);
        if (more) rest = comma + 1;
      }
      return (uintptr_t)t->lists[n];
    }
    case 'k': return named(rest, kernels, kernel_names);
    case 'y': return named(rest, symbols, symbol_names);
    case 'f': return (uintptr_t)host_function;
    case 'c': return (uintptr_t)callback;
    case 'm': return (uintptr_t)image;
    default: exit(5);
  }
}

typedef int (*function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

/* The one call with a structure by value, which is not passed like as many numbers. */
struct extent {
  size_t width, height, depth;
};
typedef int (*make_mipmapped)(void *, void *, struct extent, unsigned, unsigned);

static int call(void *found, const char *name, const uint64_t *v) {
  if (strcmp(name, "cudaMallocMipmappedArray") == 0) {
    struct extent extent = {v[2], v[3], v[4]};
    return ((make_mipmapped)found)((void *)(uintptr_t)v[0], (void *)(uintptr_t)v[1], extent,
                                   (unsigned)v[5], (unsigned)v[6]);
  }
  return ((function)found)(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11]);
}

static void run_line(struct thread *t, char *line) {
  char *save, *label = strtok_r(line, "\t", &save), *wanted = strtok_r(NULL, "\t", &save);
  char *name = strtok_r(NULL, "\t", &save), *text;
  /* Beside another thread an address that was freed may be in use again. */
  if (!t->alone && strstr(label, "freed memory") != NULL) return;
  uint64_t values[MOST_ARGUMENTS] = {0};
  int sets[MOST_ARGUMENTS], n = 0;
  while (n < 12 && (text = strtok_r(NULL, "\t", &save)) != NULL) {
    sets[n] = -1;
    values[n] = argument(t, n, text, &sets[n]);
    n++;
  }
  void *found = dlsym(RTLD_DEFAULT, name);
  if (found == NULL) printf("%s is not there\n", name), exit(6);
  int got;
  line_name = name;
  line_label = label;
  if (left_out != NULL) {
    if (is_left_out()) return;
    alarm(20);
    if (sigsetjmp(after_crash, 1)) {
      /* Locks may be held still: then it ends here. */
      line_label = "after a crash";
      cudaDeviceSynchronize();
      alarm(0);
      return;
    }
  }
  do {
    got = call(found, name, values);
    /* The legacy stream's work waits for that of the other thread, which is done some time. */
  } while (got == NOT_READY && got != atoi(wanted) && cudaDeviceSynchronize() == 0);
  if (left_out != NULL) {
    char number[16];
    alarm(0);
    snprintf(number, sizeof number, "%d", got);
    if (strcmp(label, "preparation") != 0 || got != 0) say(number);
  } else if (got != atoi(wanted)) {
    printf("%s: %s: %s instead of %s\n", name, label, cudaGetErrorName(got),
           cudaGetErrorName(atoi(wanted)));
    t->failures++;
  }
  for (int i = 0; i < n; i++) {
    if (sets[i] >= 0) memcpy(&t->variables[sets[i]], t->outs[i], 8);
  }
}

static void *run(void *data) {
  struct thread *t = data;
  char *own = strdup(script), *save;
  t->variables = calloc(MOST_VARIABLES, sizeof *t->variables);
  for (int i = 0; i < MOST_ARGUMENTS; i++) {
    t->outs[i] = malloc(SCRATCH);
    t->strings[i] = malloc(SCRATCH);
  }
  for (char *line = strtok_r(own, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
    line_number++;
    run_line(t, line);
  }
  return NULL;
}

int main(int argc, char **argv) {
  static struct thread threads[2];
  static struct {
    uint32_t magic, version;
    void *data, *more;
  } wrapper = {0x466243b1u, 1, NULL, NULL};
  pthread_t ids[2];
  if (argc != 3 && argc != 5) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  script = read_file(argv[1]);
  image = (uint8_t *)read_file(argv[2]);
  wrapper.data = image;
  void **module = __cudaRegisterFatBinary(&wrapper);
  /* A real runtime may refuse everything for what the image lacks: "record-present" leaves it out. */
  int registered = argc == 5 && strcmp(argv[3], "record-present") == 0 ? 1 : 2;
  for (int i = 0; i < registered; i++) {
    const char *kernel = kernel_names[i], *symbol = symbol_names[i];
    __cudaRegisterFunction(module, &kernels[i], kernel, kernel, -1, 0, 0, 0, 0, 0);
    __cudaRegisterVar(module, &symbols[i], symbol, symbol, 0, 16, i == 0, 0);
  }
  __cudaRegisterFatBinaryEnd(module);
  threads[0].alone = 1;
  if (argc == 5) {
    const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM};
    for (int i = 0; i < 6; i++) signal(signals[i], crashed);
    left_out = argv[4];
    run(&threads[0]);
    return 0;
  }
  run(&threads[0]);
  threads[0].alone = 0;
  for (int i = 0; i < 2; i++) pthread_create(&ids[i], NULL, run, &threads[i]);
  for (int i = 0; i < 2; i++) pthread_join(ids[i], NULL);
  if (threads[0].failures || threads[1].failures) return 1;
  puts("every call answered what it should");
  return 0;
}
