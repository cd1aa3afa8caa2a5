/*
 * Objects of the program that live as long as graphs use them (cudaUserObject_t). Their destructors are
 * functions of this process, so that this process counts who holds them.
 */
#include <stdlib.h>

#include "user_object.h"

struct object {
  struct object *next;
  void *data;
  void (*destroy)(void *);
  size_t count;
};
/* A graph, or an executable graph, holds an object so many times. */
struct hold {
  struct hold *next;
  const void *graph;
  struct object *object;
  size_t count;
};
static struct object *objects;
static struct hold *holds;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* With the lock held. */
static struct object *find(const void *handle) {
  struct object *o = objects;
  while (o != NULL && o != handle) o = o->next;
  return o;
}
/* With the lock held. @returns the object if nobody holds it any more: it is to be destroyed. */
static struct object *drop(struct object *o, size_t count) {
  o->count -= count;
  if (o->count > 0) return NULL;
  struct object **at = &objects;
  while (*at != o) at = &(*at)->next;
  *at = o->next;
  return o;
}
static void end(struct object *o) {
  if (o == NULL) return;
  o->destroy(o->data);
  free(o);
}
static struct hold *hold_of(const void *graph, const struct object *o) {
  struct hold *h = holds;
  while (h != NULL && (h->graph != graph || h->object != o)) h = h->next;
  return h;
}
static cudaError_t add(const void *graph, struct object *o, size_t count) {
  struct hold *h = hold_of(graph, o);
  if (h == NULL) {
    h = calloc(1, sizeof *h);
    if (h == NULL) return cudaErrorMemoryAllocation;
    *h = (struct hold){holds, graph, o, 0};
    holds = h;
  }
  h->count += count;
  return cudaSuccess;
}

#define NO_DESTRUCTOR_SYNC 1u
#define MOST_REFERENCES 0x7fffffffu
WR_API cudaError_t cudaUserObjectCreate(void **object, void *data, void (*destroy)(void *),
                                        unsigned count, unsigned flags) {
  if (object == NULL || destroy == NULL || flags != NO_DESTRUCTOR_SYNC) {
    return wr_result(cudaErrorInvalidValue);
  }
  if (count == 0 || count > MOST_REFERENCES) return wr_result(cudaErrorInvalidValue);
  struct object *o = calloc(1, sizeof *o);
  if (o == NULL) return wr_result(cudaErrorMemoryAllocation);
  pthread_mutex_lock(&lock);
  *o = (struct object){objects, data, destroy, count};
  objects = o;
  pthread_mutex_unlock(&lock);
  *object = o;
  return cudaSuccess;
}
WR_API cudaError_t cudaUserObjectRetain(void *object, unsigned count) {
  pthread_mutex_lock(&lock);
  struct object *o = find(object);
  int good = o != NULL && count > 0 && count <= MOST_REFERENCES;
  if (good) o->count += count;
  pthread_mutex_unlock(&lock);
  return good ? cudaSuccess : wr_result(cudaErrorInvalidValue);
}
WR_API cudaError_t cudaUserObjectRelease(void *object, unsigned count) {
  struct object *gone = NULL;
  pthread_mutex_lock(&lock);
  struct object *o = find(object);
  int good = o != NULL && count > 0 && count <= o->count;
  if (good) gone = drop(o, count);
  pthread_mutex_unlock(&lock);
  end(gone);
  return good ? cudaSuccess : wr_result(cudaErrorInvalidValue);
}

static cudaError_t check_graph(const void *graph) {
  struct wr_call c;
  cudaError_t error = wr_begin(&c, NULL);
  if (error != cudaSuccess) return error;
  wr_put32(&c, GRAPH_LIST_OBJECT, wr_handle(graph));
  wr_put32(&c, GRAPH_LIST_WHAT, LIST_NODES);
  return wr_send(&c, COMMAND_GRAPH_LIST);
}
#define MOVE_REFERENCES 1u
WR_API cudaError_t cudaGraphRetainUserObject(void *graph, void *object, unsigned count,
                                             unsigned flags) {
  if (count == 0 || count > MOST_REFERENCES || flags > MOVE_REFERENCES) {
    return wr_result(cudaErrorInvalidValue);
  }
  WR_TRY(check_graph(graph));
  pthread_mutex_lock(&lock);
  struct object *o = find(object);
  cudaError_t error = cudaErrorInvalidValue;
  if (o != NULL && (flags != MOVE_REFERENCES || count <= o->count)) error = add(graph, o, count);
  if (error == cudaSuccess && flags != MOVE_REFERENCES) o->count += count;
  pthread_mutex_unlock(&lock);
  return wr_result(error);
}
WR_API cudaError_t cudaGraphReleaseUserObject(void *graph, void *object, unsigned count) {
  struct object *gone = NULL;
  WR_TRY(check_graph(graph));
  pthread_mutex_lock(&lock);
  struct object *o = find(object);
  struct hold *h = o == NULL ? NULL : hold_of(graph, o);
  int good = h != NULL && count > 0 && count <= h->count;
  if (good) {
    h->count -= count;
    gone = drop(o, count);
  }
  pthread_mutex_unlock(&lock);
  end(gone);
  return good ? cudaSuccess : wr_result(cudaErrorInvalidValue);
}

void wr_graph_copied(const void *from, const void *to) {
  pthread_mutex_lock(&lock);
  for (struct hold *h = holds; h != NULL; h = h->next) {
    if (h->graph != from || h->count == 0) continue;
    if (add(to, h->object, 1) == cudaSuccess) h->object->count++;
  }
  pthread_mutex_unlock(&lock);
}

void wr_graph_destroyed(const void *graph) {
  struct object *gone = NULL;
  pthread_mutex_lock(&lock);
  for (struct hold **at = &holds; *at != NULL;) {
    struct hold *h = *at;
    if (h->graph != graph) {
      at = &h->next;
      continue;
    }
    *at = h->next;
    struct object *o = h->count > 0 ? drop(h->object, h->count) : NULL;
    if (o != NULL) {
      o->next = gone;
      gone = o;
    }
    free(h);
  }
  pthread_mutex_unlock(&lock);
  while (gone != NULL) {
    struct object *o = gone;
    gone = o->next;
    end(o);
  }
}
