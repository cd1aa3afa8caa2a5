/* Launches the kernel once, and says what comes of it. */
#include "../kernel.h"

int main(void) {
  register_kernel();
  int error = launch();
  printf("%s\n", cudaGetErrorName(error));
  return error;
}
