// Control words of one worker of the pool, u32 each, in scratch memory that kernels can't reach.
//
//   0  READY     1 once the worker waits for launches
//   4  COMMAND   number of the launch to take part in; POOL_STOP ends the worker
//   8  DONE      number of the last launch that the worker has finished
//  12  LAUNCH    address of the launch record
//  16  CONTEXTS  address of the worker's block contexts
//  20  COUNT     number of them
//  24  KERNEL    the kernel's number: installed by a message that was posted before
//  28  RESULT    what runLaunch returned
//  32  OFFER     the launch in COMMAND until the worker takes it (then POOL_TAKEN) or it is withdrawn
export const POOL_READY = 0;
export const POOL_COMMAND = 4;
export const POOL_DONE = 8;
export const POOL_LAUNCH = 12;
export const POOL_CONTEXTS = 16;
export const POOL_COUNT = 20;
export const POOL_KERNEL = 24;
export const POOL_RESULT = 28;
export const POOL_OFFER = 32;
export const POOL_CONTROL_BYTES = 64;
/** POOL_OFFER, when it holds no launch. */
export const POOL_WITHDRAWN = 0;
export const POOL_TAKEN = -1;
/** A command that no launch has. */
export const POOL_STOP = 0xffffffff;
