/* The error numbers of CUDA 9, for generated entry points. */
#ifndef WARPRING_OLDER_ERRORS_H
#define WARPRING_OLDER_ERRORS_H

int wr_older_error(int error);
/* Of a number of CUDA 9. */
const char *wr_older_error_name(int error);
const char *wr_older_error_string(int error);

#endif
