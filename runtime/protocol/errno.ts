// Linux errno numbers that the driver returns (negated) from ioctl, mmap and open.
// Plain numbers without imports.

export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EFAULT = 14;
export const EBUSY = 16;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENOTTY = 25;
export const ENOSPC = 28;
export const EDEADLK = 35;
export const EPROTO = 71;
export const ENOTSUP = 95;
export const ETIMEDOUT = 110;
