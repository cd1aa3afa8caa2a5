// What the programs of this folder check with: the first thing that is wrong ends the program.
#pragma once
#include <cstdio>
#include <cstdlib>

#define CHECK(e)                                                                          \
  do {                                                                                    \
    cudaError_t error_ = (e);                                                             \
    if (error_ != cudaSuccess) {                                                          \
      printf("line %d: %s: %s\n", __LINE__, #e, cudaGetErrorName(error_));                \
      exit(2);                                                                            \
    }                                                                                     \
  } while (0)
#define WANT(c)                                 \
  do {                                          \
    if (!(c)) {                                 \
      printf("line %d: %s\n", __LINE__, #c);    \
      exit(1);                                  \
    }                                           \
  } while (0)
// The call fails with this error.
#define FAILS(wanted, e)                                                                  \
  do {                                                                                    \
    cudaError_t error_ = (e);                                                             \
    if (error_ != (wanted)) {                                                             \
      printf("line %d: %s: %s, not %s\n", __LINE__, #e, cudaGetErrorName(error_), #wanted); \
      exit(1);                                                                            \
    }                                                                                     \
    cudaGetLastError();                                                                   \
  } while (0)
