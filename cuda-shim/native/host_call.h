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

#endif
