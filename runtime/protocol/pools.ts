// Stream-ordered allocation of the protocol; see definitions.ts for the conventions (requests'
// fields begin at 24, responses' at 8). Plain numbers without imports.

/** POOL_CREATE: a memory pool of the context's device. */
export const COMMAND_POOL_CREATE = 0x40;
export const POOL_CREATE_MAX_BYTES = 24; // u64; 0 = no limit but the device's
export const POOL_CREATE_POOL = 8;
export const POOL_CREATE_RESPONSE_SIZE = 12;

/** POOL_DESTROY: at once; what was allocated from it stays until it is freed. */
export const COMMAND_POOL_DESTROY = 0x41;
export const POOL_DESTROY_POOL = 24;
export const POOL_DESTROY_RESPONSE_SIZE = 8;

/** POOL_CURRENT: the pool that allocations without one come from; 0 as POOL only asks. */
export const COMMAND_POOL_CURRENT = 0x42;
export const POOL_CURRENT_POOL = 24; // to be used from now on, or 0
export const POOL_CURRENT_CURRENT = 8;
export const POOL_CURRENT_DEFAULT = 12; // the device's own, which is never destroyed
export const POOL_CURRENT_RESPONSE_SIZE = 16;

/** POOL_GET and POOL_SET: cudaMemPoolAttr numbers. */
export const COMMAND_POOL_GET = 0x43;
export const POOL_GET_POOL = 24;
export const POOL_GET_ATTRIBUTE = 28;
export const POOL_GET_VALUE = 8; // u64; 2⁶⁴ - 1 reads as a number above 2⁵³
export const POOL_GET_RESPONSE_SIZE = 16;
export const COMMAND_POOL_SET = 0x44;
export const POOL_SET_POOL = 24;
export const POOL_SET_ATTRIBUTE = 28;
export const POOL_SET_VALUE = 32; // u64
export const POOL_SET_RESPONSE_SIZE = 8;
export const POOL_REUSE_FOLLOW_EVENT_DEPENDENCIES = 1;
export const POOL_REUSE_ALLOW_OPPORTUNISTIC = 2;
export const POOL_REUSE_ALLOW_INTERNAL_DEPENDENCIES = 3;
export const POOL_RELEASE_THRESHOLD = 4;
export const POOL_RESERVED_CURRENT = 5;
export const POOL_RESERVED_HIGH = 6; // may be set to 0
export const POOL_USED_CURRENT = 7;
export const POOL_USED_HIGH = 8; // may be set to 0

/** POOL_TRIM: gives back what the pool holds beyond so many bytes. */
export const COMMAND_POOL_TRIM = 0x45;
export const POOL_TRIM_POOL = 24;
export const POOL_TRIM_KEEP = 32; // u64, bytes
export const POOL_TRIM_RESPONSE_SIZE = 8;

/** POOL_ACCESS: who besides its own device may use a pool's memory (cudaMemAccessFlags). */
export const COMMAND_POOL_ACCESS = 0x48;
export const POOL_ACCESS_POOL = 24;
export const POOL_ACCESS_DEVICE = 28; // ordinal
export const POOL_ACCESS_SET = 32; // 1 set, 0 only ask
export const POOL_ACCESS_FLAGS = 36; // POOL_ACCESS_*, if it is set
export const POOL_ACCESS_ALLOWED = 8; // POOL_ACCESS_*
export const POOL_ACCESS_RESPONSE_SIZE = 12;
export const POOL_ACCESS_NONE = 0;
export const POOL_ACCESS_READ_WRITE = 3;

/** MEMORY_ALLOC_ASYNC on REQUEST_STREAM, from a pool (0: the current one). */
export const COMMAND_MEMORY_ALLOC_ASYNC = 0x46;
export const MEMORY_ALLOC_ASYNC_BYTES = 24; // u64
export const MEMORY_ALLOC_ASYNC_POOL = 32;
export const MEMORY_ALLOC_ASYNC_ADDRESS = 8; // u64
export const MEMORY_ALLOC_ASYNC_SERIAL = 16;
export const MEMORY_ALLOC_ASYNC_RESPONSE_SIZE = 24;

/** MEMORY_FREE_ASYNC on REQUEST_STREAM: the memory goes back when the stream gets there. */
export const COMMAND_MEMORY_FREE_ASYNC = 0x47;
export const MEMORY_FREE_ASYNC_ADDRESS = 24; // u64
export const MEMORY_FREE_ASYNC_RESPONSE_SIZE = 8;
