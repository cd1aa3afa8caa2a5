// Function attributes, occupancy and context limits of the protocol; see definitions.ts for the
// conventions (requests' fields begin at 24, responses' at 8). Plain numbers without imports.

/** FUNCTION_ATTRIBUTES: what can change about a function; the rest is in FUNCTION_GET. */
export const COMMAND_FUNCTION_ATTRIBUTES = 0x25;
export const FUNCTION_ATTRIBUTES_FUNCTION = 24;
export const FUNCTION_ATTRIBUTES_MAX_DYNAMIC_SHARED = 8;
export const FUNCTION_ATTRIBUTES_CARVEOUT = 12; // i32, percent or -1
export const FUNCTION_ATTRIBUTES_CACHE_CONFIG = 16; // cudaFuncCache
export const FUNCTION_ATTRIBUTES_CLUSTER_WIDTH = 20; // blocks that launches must have, or 0
export const FUNCTION_ATTRIBUTES_CLUSTER_HEIGHT = 24;
export const FUNCTION_ATTRIBUTES_CLUSTER_DEPTH = 28;
export const FUNCTION_ATTRIBUTES_CLUSTER_REQUIRED = 32; // 1 if the kernel itself says so
export const FUNCTION_ATTRIBUTES_CLUSTER_POLICY = 36; // cudaClusterSchedulingPolicy
export const FUNCTION_ATTRIBUTES_CLUSTER_NON_PORTABLE = 40; // 1: clusters of 9 to 16 blocks
export const FUNCTION_ATTRIBUTES_CLUSTER_BLOCKS = 44; // of a cluster at most
export const FUNCTION_ATTRIBUTES_RESPONSE_SIZE = 48;

/** FUNCTION_SET: sets one of FUNCTION_*. */
export const COMMAND_FUNCTION_SET = 0x26;
export const FUNCTION_SET_FUNCTION = 24;
export const FUNCTION_SET_ATTRIBUTE = 28;
export const FUNCTION_SET_VALUE = 32; // i32
export const FUNCTION_SET_RESPONSE_SIZE = 8;
/** cudaFuncAttribute numbers. */
export const FUNCTION_MAX_DYNAMIC_SHARED = 8;
export const FUNCTION_CARVEOUT = 9;
export const FUNCTION_CLUSTER_WIDTH = 11;
export const FUNCTION_CLUSTER_HEIGHT = 12;
export const FUNCTION_CLUSTER_DEPTH = 13;
export const FUNCTION_CLUSTER_NON_PORTABLE = 14;
export const FUNCTION_CLUSTER_POLICY = 15;
/** Not a cudaFuncAttribute: cudaFuncSetCacheConfig. */
export const FUNCTION_CACHE_CONFIG = 0x100;

/** OCCUPANCY: blocks of a function that one multiprocessor holds. */
export const COMMAND_OCCUPANCY = 0x27;
export const OCCUPANCY_FUNCTION = 24;
export const OCCUPANCY_THREADS = 28; // of a block
export const OCCUPANCY_SHARED_BYTES = 32; // u64, dynamic, of a block
export const OCCUPANCY_BLOCKS = 8;
export const OCCUPANCY_RESPONSE_SIZE = 12;

/** OCCUPANCY_SHARED: dynamic shared memory that so many blocks of a function leave each other. */
export const COMMAND_OCCUPANCY_SHARED = 0x28;
export const OCCUPANCY_SHARED_FUNCTION = 24;
export const OCCUPANCY_SHARED_THREADS = 28;
export const OCCUPANCY_SHARED_BLOCKS = 32; // of a multiprocessor
export const OCCUPANCY_SHARED_AVAILABLE = 8; // bytes
export const OCCUPANCY_SHARED_RESPONSE_SIZE = 12;

/** LIMIT_GET and LIMIT_SET: cudaLimit numbers. */
export const COMMAND_LIMIT_GET = 0x0b;
export const LIMIT_GET_LIMIT = 24;
export const LIMIT_GET_VALUE = 8; // u64
export const LIMIT_GET_RESPONSE_SIZE = 16;
export const COMMAND_LIMIT_SET = 0x0c;
export const LIMIT_SET_LIMIT = 24;
export const LIMIT_SET_VALUE = 32; // u64
export const LIMIT_SET_RESPONSE_SIZE = 8;
export const LIMIT_STACK_SIZE = 0; // bytes of a thread
export const LIMIT_PRINTF_FIFO_SIZE = 1; // bytes
export const LIMIT_MALLOC_HEAP_SIZE = 2; // bytes
export const LIMIT_PENDING_LAUNCHES = 4;
export const LIMIT_L2_FETCH_GRANULARITY = 5; // bytes, a hint
export const LIMIT_PERSISTING_L2_SIZE = 6; // bytes
