/* A host function in a stream: cudaLaunchHostFunc, cudaStreamAddCallback, or a graph's host node. */
#ifndef WARPRING_HOST_CALL_H
#define WARPRING_HOST_CALL_H

#include "warpring.h"

struct wr_host_call {
  void (*function)(void *);
  void (*callback)(cudaStream_t, cudaError_t, void *);
  cudaStream_t stream;
  void *data;
  int once; /* freed after the call; those of graphs are called again and kept */
};
void wr_host_call(struct wr_host_call *call, cudaError_t error);

/* Puts a call into a stream; the request of a graph's host node is built by graph.c. */
cudaError_t wr_enqueue_host(cudaStream_t stream, struct wr_host_call call, uint32_t flags);
/* Is the stream being captured? */
int wr_captures(cudaStream_t stream);
/* How many captures this process has begun and not ended. */
extern int wr_capturing;

/* Boxes of memory, box.c. Sides that the device does not know are moved by this process. */
struct wr_side {
  uint8_t *start;
  size_t pitch, slice;
};
struct wr_box {
  struct wr_side target, source;
  size_t width, height, depth;
};
void wr_move_box(const struct wr_box *box);
/* A copy as a host call: for graphs and captures with memory that the device does not know. */
cudaError_t wr_copy_call(const struct wr_box *box, struct wr_host_call *call);
/* The request of a call. `bytes` has BOX_SIZE: of a copy the device checks the sides that it knows. */
void wr_host_request(struct wr_call *c, uint8_t *bytes, const struct wr_host_call *call,
                     uint32_t flags);
/* The request of a copy between memories that the device knows. `bytes` has BOX_SIZE. */
void wr_box_request(struct wr_call *c, uint8_t *bytes, const struct wr_box *box, int kind,
                    uint32_t flags);
/* cudaMemcpy3DParms. */
struct copy_3d {
  void *source_array;
  struct position source_at;
  struct pitched source;
  void *target_array;
  struct position target_at;
  struct pitched target;
  struct extent extent;
  int kind;
};
/* The copy that such a call makes; NULL if it is another call. */
const struct wr_box *wr_box_of_call(const struct wr_host_call *call);
/* The box with registered memory at the addresses that the device knows. */
struct wr_box wr_known_box(const struct wr_box *box);
/* What can be known to be wrong with a copy before the device is asked. */
cudaError_t wr_check_box(const struct wr_box *box, int kind);
/* Makes a copy, at once or in a stream; the error is remembered. */
cudaError_t wr_copy_box(const struct wr_box *box, int kind, cudaStream_t stream, uint32_t flags);
/* The box of a cudaMemcpy3DParms. */
cudaError_t wr_box_of(const struct copy_3d *p, struct wr_box *box, int *kind);

#endif
