// Layouts that compiled kernels, the core's execution loops (AssemblyScript) and the executor
// (TypeScript) share. Offsets in bytes; u32 unless noted. Written once, imported by all three.

// Launch record: one for each launch, read by all workers.
//
//   0  NEXT_BLOCK       atomic: next block to claim
//   4  STOP             atomic: not 0 once a fault or the deadline ends the launch
//   8  GRID_X Y Z       blocks
//  20  BLOCK_X Y Z      threads
//  32  THREADS          threads of a block
//  36  GROUPS           lane groups of a block
//  40  WIDTH            threads of a lane group (1 or 4)
//  44  PARAMS           address of the parameter buffer
//  48  PARAM_BYTES
//  52  DYNAMIC_SHARED   bytes asked for at launch
//  56  TOTAL_SHARED     bytes of the block's shared window
//  60  LOCAL_BYTES      local memory of a thread
//  64  MODULE_OFFSET    address of the module's variables
//  68  CUTS             address of the cut table
//  72  REGIONS          number of regions
//  76  BLOCKS           blocks of the grid
//  80  HEAP_BASE        u64: CUDA pointer of address 0
//  88  HEAP_LOW         u64: lowest CUDA pointer that a kernel may access
//  96  HEAP_BYTES       u64: bytes from there to the end of the memory
// 104  DEADLINE         f64: host clock in ms, 0 for none
// 112  FRAME_BYTES      bytes of one warp's exchange frame
// 116  FAULT            fault record, 48 bytes
// 164  RUNS             1: a call of the kernel's region runs the BLOCK_RUN blocks of its context
// 168  GRID_ID          u64
// 176  ENVREG           32 × u32: %envreg0..31
// 304  CLUSTER_X Y Z    blocks of a cluster; 0 or 1: blocks come one by one
// 316  CLUSTER_BLOCKS   their product
// 320  EXPLICIT_CLUSTER 1 if the launch or the kernel names the cluster's size
// 324  CLUSTER_SHIFT    log2 of the distance between the shared windows of a cluster's blocks
// 328  CLUSTER_SHARED   bytes from the first of these windows to the end of the last
// 336  RANGES           parts that the grid is divided into; 0 or 1: all is claimed by NEXT_BLOCK
// 340  QUIET            1: while it runs, nobody outside of it writes but between the two:
// 344  HOST_LOW         u64: CUDA pointer, of memory that the host uses
// 352  HOST_HIGH        u64: the end of it
// 384  CURSORS          atomic: next block of each part, CURSOR_BYTES apart
export const LAUNCH_NEXT_BLOCK = 0;
export const LAUNCH_STOP = 4;
export const LAUNCH_GRID_X = 8;
export const LAUNCH_GRID_Y = 12;
export const LAUNCH_GRID_Z = 16;
export const LAUNCH_BLOCK_X = 20;
export const LAUNCH_BLOCK_Y = 24;
export const LAUNCH_BLOCK_Z = 28;
export const LAUNCH_THREADS = 32;
export const LAUNCH_GROUPS = 36;
export const LAUNCH_WIDTH = 40;
export const LAUNCH_PARAMS = 44;
export const LAUNCH_PARAM_BYTES = 48;
export const LAUNCH_DYNAMIC_SHARED = 52;
export const LAUNCH_TOTAL_SHARED = 56;
export const LAUNCH_LOCAL_BYTES = 60;
export const LAUNCH_MODULE_OFFSET = 64;
export const LAUNCH_CUTS = 68;
export const LAUNCH_REGIONS = 72;
export const LAUNCH_BLOCKS = 76;
export const LAUNCH_HEAP_BASE = 80;
export const LAUNCH_HEAP_LOW = 88;
export const LAUNCH_HEAP_BYTES = 96;
export const LAUNCH_DEADLINE = 104;
export const LAUNCH_FRAME_BYTES = 112;
export const LAUNCH_FAULT = 116;
export const LAUNCH_RUNS = 164;
export const LAUNCH_GRID_ID = 168;
export const LAUNCH_ENVREG = 176;
export const LAUNCH_CLUSTER_X = 304;
export const LAUNCH_CLUSTER_Y = 308;
export const LAUNCH_CLUSTER_Z = 312;
export const LAUNCH_CLUSTER_BLOCKS = 316;
export const LAUNCH_EXPLICIT_CLUSTER = 320;
export const LAUNCH_CLUSTER_SHIFT = 324;
export const LAUNCH_CLUSTER_SHARED = 328;
export const LAUNCH_RANGES = 336;
export const LAUNCH_QUIET = 340;
export const LAUNCH_HOST_LOW = 344;
export const LAUNCH_HOST_HIGH = 352;
export const LAUNCH_CURSORS = 384;
export const LAUNCH_RECORD_BYTES = 1408;
/** Bytes from one cursor to the next: a cache line each. */
export const CURSOR_BYTES = 64;
/** Parts of a grid at most. */
export const MAX_RANGES = 16;

// Fault record, at LAUNCH_FAULT:
//   0  CODE     cudaError_t; 0 while there is none (claimed by compare-and-swap)
//   4  SITE     index into the kernel's site table
//   8  BLOCK    x, y, z
//  20  THREAD   linear index in the block
//  24  (pad)    keeps ADDRESS at 8 bytes: 116 + 28 = 144
//  28  ADDRESS  u64
export const FAULT_CODE = 0;
export const FAULT_SITE = 4;
export const FAULT_BLOCK_X = 8;
export const FAULT_BLOCK_Y = 12;
export const FAULT_BLOCK_Z = 16;
export const FAULT_THREAD = 20;
export const FAULT_ADDRESS = 28;

// Block context: one for each block that is resident on a worker.
//   0  LAUNCH     address of the launch record
//   4  CTAID_X Y Z
//  16  SHARED     address of the block's shared window
//  20  LOCAL      address of the threads' local memory
//  24  SPILL      address of the spill slots
//  28  PC         address of u32[threads]: where each thread stands
//  32  ARGUMENT   address of u32[threads]: member mask, or barrier and count, of a waiting thread
//  36  FRAME      address of the warps' exchange frames
//  40  MASKED     1: a region runs only the threads whose pc is its entry, marked ready
//  44  SMID       index of the worker
//  48  TABLE      table index of the kernel's first region, on this worker
//  52  STATE      0 free, 1 its threads are together, 2 they are not
//  56  RANK       index of the block in its cluster
//  60  ARRIVED    16 × u32: threads that have arrived at each barrier by `bar.arrive`
// 124  ENTRY      the region that runs next, while the threads are together
// 128  SINK       16 bytes: where inactive lanes load and store
// 144  RUN        blocks in a row (x) that the call runs, from CTAID on; the kernel counts it down
// 148  CLUSTER    address of the shared window of the cluster's first block
// 152  PHASE      address of u32[threads]: 1 while a thread's arrival at barrier.cluster counts
// 156  RANGE      the part of the grid that its worker begins with
// 160  VECTORS    address of KEPT
// 192  KEPT       KEPT_SLOTS × 16 bytes: vectors that a region keeps here for a while
export const BLOCK_LAUNCH = 0;
export const BLOCK_CTAID_X = 4;
export const BLOCK_CTAID_Y = 8;
export const BLOCK_CTAID_Z = 12;
export const BLOCK_SHARED = 16;
export const BLOCK_LOCAL = 20;
export const BLOCK_SPILL = 24;
export const BLOCK_PC = 28;
export const BLOCK_ARGUMENT = 32;
export const BLOCK_FRAME = 36;
export const BLOCK_MASKED = 40;
export const BLOCK_SMID = 44;
export const BLOCK_TABLE = 48;
export const BLOCK_STATE = 52;
export const BLOCK_RANK = 56;
export const BLOCK_ARRIVED = 60;
export const BLOCK_ENTRY = 124;
export const BLOCK_SINK = 128;
export const BLOCK_RUN = 144;
export const BLOCK_CLUSTER = 148;
export const BLOCK_PHASE = 152;
export const BLOCK_RANGE = 156;
export const BLOCK_VECTORS = 160;
export const BLOCK_KEPT = 192;
export const KEPT_SLOTS = 48;
export const BLOCK_CONTEXT_BYTES = 960;

// A thread's pc: 0 has exited; otherwise the entry (1-based region) that it stands before, with
// PC_READY set if it may run and clear if it waits at the cut in front of that region.
export const PC_EXITED = 0;
export const PC_READY = 0x40000000;

// What a region returns: the pc that all its threads have reached, or one of these.
export const REGION_MIXED = -1;
export const REGION_FAULT = -2;

// Cut table: one entry of 16 bytes for each region, by entry - 1.
//   0  KIND       CUT_…
//   4  FLAGS      CUT_CONSTANT: OPERAND holds what all threads would store as their argument
//   8  OPERAND    member mask; or barrier number | thread count << 8
//  12  REDUCTION  bar.red: 0 none, 1 popc, 2 and, 3 or
export const CUT_BYTES = 16;
export const CUT_KIND = 0;
export const CUT_FLAGS = 4;
export const CUT_OPERAND = 8;
export const CUT_REDUCTION = 12;
export const CUT_START = 0;
export const CUT_BLOCK = 1;
export const CUT_WARP = 2;
export const CUT_GATHER = 3;
export const CUT_WAIT = 4;
export const CUT_CLUSTER = 5;
export const CUT_CONSTANT = 1;

// A frame slot: 32 elements of up to 8 bytes.
export const FRAME_SLOT_BYTES = 256;
