/* Entry points in the form that they have up to CUDA 11. */
#include "array.h"
#include "graph_object.h"
#include "warpring.h"

WR_API cudaError_t cudaGraphInstantiate(void **exec, void *graph, void **node, char *log,
                                        size_t log_bytes) {
  if (node != NULL) *node = NULL;
  if (log != NULL && log_bytes > 0) *log = 0;
  return wr_instantiate(exec, graph, 0);
}
WR_API cudaError_t cudaGraphExecUpdate(void *exec, void *graph, void **node, int *result) {
  if (node != NULL) *node = NULL;
  return wr_exec_update(exec, graph, result, node);
}

#if WR_CUDA_VERSION >= 11000
/* The driver's own functions: there are none. */
WR_API cudaError_t cudaGetDriverEntryPoint(const char *symbol, void **function,
                                           unsigned long long flags) {
  (void)flags;
  if (symbol == NULL || function == NULL) return wr_result(cudaErrorInvalidValue);
  *function = NULL;
  return wr_result(cudaErrorSymbolNotFound);
}
#endif

#if WR_CUDA_VERSION >= 11000
WR_API cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream,
                                                       const void *const *nodes, size_t count,
                                                       unsigned flags) {
  return wr_capture_update(stream, nodes, count, flags);
}
#endif

#if WR_CUDA_VERSION >= 11000
cudaError_t cudaCreateTextureObject(unsigned long long *object, const struct wr_resource *r,
                                    const struct wr_texture *t, const void *view);
cudaError_t cudaGetTextureObjectTextureDesc(struct wr_texture *t, unsigned long long object);
/* The texture's description has a field more at its end, which has no meaning here. */
WR_API cudaError_t cudaCreateTextureObject_v2(unsigned long long *object,
                                              const struct wr_resource *r,
                                              const struct wr_texture *t, const void *view) {
  return cudaCreateTextureObject(object, r, t, view);
}
WR_API cudaError_t cudaGetTextureObjectTextureDesc_v2(struct wr_texture *t,
                                                      unsigned long long object) {
  return cudaGetTextureObjectTextureDesc(t, object);
}
#endif
