// The vGPU's protocol: commands, request and response layouts, feature bits, config space.
// Plain numbers without imports, so that TypeScript, AssemblyScript and (generated) C share them.
// docs/device.md is the prose; this file is the law. All fields are little-endian; u32 unless a
// comment says otherwise; "u64" fields are 8 bytes, 8-byte aligned. A field is "previous + size".
// Bytes of a request that a command doesn't name, and reserved fields, are 0.

/** Version of this protocol: START answers with the device's. */
export const PROTOCOL_VERSION = 3;

// ── virtio ────────────────────────────────────────────────────────────────────────────────────
/** Device id in the experimental range below virtio's reserved block (virtio 1.3 §5). */
export const VIRTIO_ID_GPU_COMPUTE = 0x3f;
export const VIRTIO_VENDOR_ID = 0x57525047; // "GPRW"

/** Feature bits of this device type (0–23, virtio 1.3 §2.2). */
export const WARPRING_F_EVENTS = 0; // the event queues exist
export const WARPRING_F_DEVICE_MEMORY = 1; // device memory is visible as shared memory region 0
export const WARPRING_F_HOST_CALLS = 2; // stream callbacks come as events

/** Virtqueues: each host thread owns a group of three (virtio 1.3 §2.6). */
export const QUEUES_PER_GROUP = 3;
export const QUEUE_CONTROL = 0; // any command
export const QUEUE_EVENT = 1; // buffers for the device to write events into
export const QUEUE_STREAM = 2; // stream-ordered commands
/** Queue groups of a device: as many host threads can drive it at once. */
export const MAX_QUEUE_GROUPS = 8;
/** Largest sizes of the three queues. */
export const CONTROL_QUEUE_SIZE = 64;
export const EVENT_QUEUE_SIZE = 16;
export const STREAM_QUEUE_SIZE = 256;

/** Shared memory region (virtio 1.3 §2.10) that holds the device memory. */
export const SHM_DEVICE_MEMORY = 0;

// ── config space (virtio 1.3 §2.5) ────────────────────────────────────────────────────────────
/** Devices that there are at most; they are named by ordinals from 0. */
export const MAX_DEVICES = 16;

export const CONFIG_PROTOCOL_VERSION = 0;
export const CONFIG_COMPUTE_MAJOR = 4;
export const CONFIG_COMPUTE_MINOR = 8;
export const CONFIG_MULTIPROCESSORS = 12;
export const CONFIG_MEMORY_SIZE = 16; // u64, bytes of device memory, of all devices together
export const CONFIG_POINTER_BASE = 24; // u64, CUDA pointer = base + guest physical address
export const CONFIG_WARP_SIZE = 32;
export const CONFIG_MAX_THREADS_PER_BLOCK = 36;
export const CONFIG_MAX_SHARED_PER_BLOCK = 40; // opt-in, bytes
export const CONFIG_MAX_PARAMETER_BYTES = 44;
export const CONFIG_QUEUE_GROUPS = 48;
export const CONFIG_DEVICE_INDEX = 52; // of the first device
export const CONFIG_DEVICES = 56; // how many there are: ordinals 0 to CONFIG_DEVICES - 1
export const CONFIG_SIZE = 60;

// ── headers ───────────────────────────────────────────────────────────────────────────────────
/**
 * The fixed part of every request is REQUEST_SIZE bytes: this header, then the command's fields.
 * What has a variable length (an image, a name, parameters, bytes to copy) follows it.
 */
export const REQUEST_COMMAND = 0;
export const REQUEST_THREAD = 4; // the caller's thread id, as gettid() gives it
export const REQUEST_CONTEXT = 8; // handle of the context, 0 where none is needed
export const REQUEST_STREAM = 12; // handle of the stream, see STREAM_LEGACY
export const REQUEST_FLAGS = 16; // cudaStreamCaptureMode of the caller's thread
export const REQUEST_RESERVED = 20; // 0
export const REQUEST_HEADER_SIZE = 24;
export const REQUEST_SIZE = 64;

/** Every response starts with this header, then the command's fields, then variable data. */
export const RESPONSE_ERROR = 0; // cudaError_t
export const RESPONSE_DETAIL = 4; // one of DETAIL_*, why the request was refused
export const RESPONSE_HEADER_SIZE = 8;

/** RESPONSE_DETAIL: what was wrong with the request itself. */
export const DETAIL_NONE = 0;
export const DETAIL_SHORT_REQUEST = 1; // fewer readable bytes than the command's layout
export const DETAIL_SHORT_RESPONSE = 2; // fewer writable bytes than the command's answer
export const DETAIL_UNKNOWN_COMMAND = 3;
export const DETAIL_WRONG_QUEUE = 4; // the command is not allowed on this queue
export const DETAIL_NOT_STARTED = 5; // START has not been sent
export const DETAIL_VERSION = 6; // START with another protocol version
export const DETAIL_BAD_LENGTH = 7; // a length field disagrees with the buffers

/** Room that is enough for the fixed part of any response. */
export const MAX_RESPONSE_SIZE = 960;

// ── handles ───────────────────────────────────────────────────────────────────────────────────
/** Streams every context has; others come from STREAM_CREATE and are above these. */
export const STREAM_DEFAULT = 0; // the legacy default stream
export const STREAM_LEGACY = 1; // cudaStreamLegacy
export const STREAM_PER_THREAD = 2; // cudaStreamPerThread: one for each REQUEST_THREAD
export const FIRST_HANDLE = 0x100;

// ── commands: device and contexts ─────────────────────────────────────────────────────────────
/** START: a process opens the device. */
export const COMMAND_START = 1;
export const START_PROTOCOL_VERSION = REQUEST_HEADER_SIZE;
export const START_PROCESS = START_PROTOCOL_VERSION + 4; // process id, for `smi`
export const START_DEVICE_VERSION = RESPONSE_HEADER_SIZE;
export const START_OPEN_COUNT = START_DEVICE_VERSION + 4; // opens of this device now
export const START_RESPONSE_SIZE = START_OPEN_COUNT + 4;

/** STOP: closes what START opened; at the last one all that is left is freed. */
export const COMMAND_STOP = 2;
export const STOP_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

/** CONTEXT_CREATE: a new context of a device, or its primary one (made at first use, counted). */
export const COMMAND_CONTEXT_CREATE = 3;
export const CONTEXT_CREATE_FLAGS = REQUEST_HEADER_SIZE; // CONTEXT_PRIMARY, cudaDeviceSchedule* bits
export const CONTEXT_CREATE_DEVICE = CONTEXT_CREATE_FLAGS + 4; // ordinal
export const CONTEXT_CREATE_CONTEXT = RESPONSE_HEADER_SIZE;
export const CONTEXT_CREATE_RESPONSE_SIZE = CONTEXT_CREATE_CONTEXT + 4;
export const CONTEXT_PRIMARY = 0x80000000;

/** CONTEXT_DESTROY: gives a context back; its memory, modules and streams go with the last user. */
export const COMMAND_CONTEXT_DESTROY = 4;
export const CONTEXT_DESTROY_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

/** CONTEXT_RESET: empties the context (cudaDeviceReset) and clears its sticky error. */
export const COMMAND_CONTEXT_RESET = 5;
export const CONTEXT_RESET_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

/** CONTEXT_SYNCHRONIZE: answered when all work of the context is done. */
export const COMMAND_CONTEXT_SYNCHRONIZE = 6;
export const CONTEXT_SYNCHRONIZE_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

export const DEVICE_PROPERTIES_NAME_SIZE = 256;
export const DEVICE_PROPERTIES_UUID_SIZE = 16;
export const DEVICE_ATTRIBUTE_COUNT = 160;

/** DEVICE_PROPERTIES: everything that is fixed about a device. */
export const COMMAND_DEVICE_PROPERTIES = 7;
export const DEVICE_PROPERTIES_DEVICE = REQUEST_HEADER_SIZE; // ordinal
export const DEVICE_PROPERTIES_TOTAL_MEMORY = RESPONSE_HEADER_SIZE; // u64
export const DEVICE_PROPERTIES_NAME = DEVICE_PROPERTIES_TOTAL_MEMORY + 8; // NUL-terminated UTF-8
export const DEVICE_PROPERTIES_UUID = DEVICE_PROPERTIES_NAME + DEVICE_PROPERTIES_NAME_SIZE; // names no other device
// An i32 for each attribute from 0 (cudaDeviceAttr has no 0) to DEVICE_ATTRIBUTE_COUNT - 1.
export const DEVICE_PROPERTIES_ATTRIBUTES = DEVICE_PROPERTIES_UUID + DEVICE_PROPERTIES_UUID_SIZE; // 160 × i32
export const DEVICE_PROPERTIES_RESPONSE_SIZE =
  DEVICE_PROPERTIES_ATTRIBUTES + 4 * DEVICE_ATTRIBUTE_COUNT;

/** DEVICE_ATTRIBUTE: one attribute by cudaDeviceAttr number. */
export const COMMAND_DEVICE_ATTRIBUTE = 8;
export const DEVICE_ATTRIBUTE_ATTRIBUTE = REQUEST_HEADER_SIZE;
export const DEVICE_ATTRIBUTE_DEVICE = DEVICE_ATTRIBUTE_ATTRIBUTE + 4; // ordinal
export const DEVICE_ATTRIBUTE_VALUE = RESPONSE_HEADER_SIZE; // i32
export const DEVICE_ATTRIBUTE_RESPONSE_SIZE = DEVICE_ATTRIBUTE_VALUE + 4;

/** MEMORY_INFO: cudaMemGetInfo. */
export const COMMAND_MEMORY_INFO = 9;
export const MEMORY_INFO_DEVICE = REQUEST_HEADER_SIZE; // ordinal
export const MEMORY_INFO_FREE = RESPONSE_HEADER_SIZE; // u64
export const MEMORY_INFO_TOTAL = MEMORY_INFO_FREE + 8; // u64
export const MEMORY_INFO_RESPONSE_SIZE = MEMORY_INFO_TOTAL + 8;

/** FAULT_INFO: the text of the context's sticky kernel fault (bytes after the fixed part). */
export const COMMAND_FAULT_INFO = 10;
export const FAULT_INFO_CODE = RESPONSE_HEADER_SIZE; // cudaError_t, 0 = no fault
export const FAULT_INFO_LINE = FAULT_INFO_CODE + 4; // source line, 0 = unknown
export const FAULT_INFO_ADDRESS = FAULT_INFO_LINE + 4; // u64
export const FAULT_INFO_BLOCK = FAULT_INFO_ADDRESS + 8; // 3 × u32
export const FAULT_INFO_THREAD = FAULT_INFO_BLOCK + 12; // 3 × u32
export const FAULT_INFO_TEXT_LENGTH = FAULT_INFO_THREAD + 12;
export const FAULT_INFO_RESERVED = FAULT_INFO_TEXT_LENGTH + 4;
export const FAULT_INFO_RESPONSE_SIZE = FAULT_INFO_RESERVED + 4; // then TEXT_LENGTH bytes, UTF-8

/** PEER_ACCESS: lets a context's kernels use another device's memory, or no longer. */
export const COMMAND_PEER_ACCESS = 0x0d;
export const PEER_ACCESS_DEVICE = REQUEST_HEADER_SIZE; // ordinal of the peer
export const PEER_ACCESS_ENABLE = PEER_ACCESS_DEVICE + 4; // 1 enable, 0 disable
export const PEER_ACCESS_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

/** PEER_ATTRIBUTE: what one device can do with another's memory. */
export const COMMAND_PEER_ATTRIBUTE = 0x0e;
export const PEER_ATTRIBUTE_ATTRIBUTE = REQUEST_HEADER_SIZE; // PEER_*, cudaDeviceP2PAttr numbers
export const PEER_ATTRIBUTE_SOURCE = PEER_ATTRIBUTE_ATTRIBUTE + 4; // ordinal
export const PEER_ATTRIBUTE_TARGET = PEER_ATTRIBUTE_SOURCE + 4; // ordinal
export const PEER_ATTRIBUTE_VALUE = RESPONSE_HEADER_SIZE;
export const PEER_ATTRIBUTE_RESPONSE_SIZE = PEER_ATTRIBUTE_VALUE + 4;
export const PEER_PERFORMANCE_RANK = 1; // the smaller the faster; all alike here
export const PEER_ACCESS_SUPPORTED = 2;
export const PEER_NATIVE_ATOMIC_SUPPORTED = 3;
export const PEER_ARRAY_ACCESS_SUPPORTED = 4;
export const PEER_PARTIAL_NATIVE_ATOMIC = 5; // only some atomic operations

// ── commands: memory ──────────────────────────────────────────────────────────────────────────
/** MEMORY_ALLOC: bytes of device memory, or of pinned or managed memory. */
export const COMMAND_MEMORY_ALLOC = 0x10;
export const MEMORY_ALLOC_BYTES = REQUEST_HEADER_SIZE; // u64
export const MEMORY_ALLOC_KIND = MEMORY_ALLOC_BYTES + 8; // MEMORY_*
export const MEMORY_ALLOC_FLAGS = MEMORY_ALLOC_KIND + 4; // cudaHostAlloc*, cudaMemAttach*
export const MEMORY_ALLOC_ADDRESS = RESPONSE_HEADER_SIZE; // u64 CUDA pointer
export const MEMORY_ALLOC_SERIAL = MEMORY_ALLOC_ADDRESS + 8; // names this allocation for ever
export const MEMORY_ALLOC_RESERVED = MEMORY_ALLOC_SERIAL + 4;
export const MEMORY_ALLOC_RESPONSE_SIZE = MEMORY_ALLOC_RESERVED + 4;
/** Kinds of memory; the first three are CUDA's cudaMemoryType numbers. */
export const MEMORY_UNREGISTERED = 0;
export const MEMORY_HOST = 1; // pinned
export const MEMORY_DEVICE = 2;
export const MEMORY_MANAGED = 3;
export const MEMORY_ARRAY = 4;

/** MEMORY_FREE: an address from MEMORY_ALLOC, of that kind. Waits for the context's work. */
export const COMMAND_MEMORY_FREE = 0x11;
export const MEMORY_FREE_ADDRESS = REQUEST_HEADER_SIZE; // u64
export const MEMORY_FREE_KIND = MEMORY_FREE_ADDRESS + 8; // MEMORY_HOST, or MEMORY_DEVICE (also managed)
export const MEMORY_FREE_SERIAL = MEMORY_FREE_KIND + 4; // 0, or free only the allocation so named
export const MEMORY_FREE_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

/**
 * MEMORY_COPY: copies bytes, ordered on REQUEST_STREAM. Host sides are CUDA pointers (pinned and
 * managed memory), or outside: COPY_SOURCE_INLINE and COPY_TARGET_INLINE, the bytes follow request
 * or response; COPY_SOURCE_MAPPED and COPY_TARGET_MAPPED, the driver moves them itself through
 * shared memory region 0, after the device has checked the other side and the stream's turn came.
 */
export const COMMAND_MEMORY_COPY = 0x12;
export const MEMORY_COPY_TARGET = REQUEST_HEADER_SIZE; // u64
export const MEMORY_COPY_SOURCE = MEMORY_COPY_TARGET + 8; // u64
export const MEMORY_COPY_BYTES = MEMORY_COPY_SOURCE + 8; // u64
export const MEMORY_COPY_KIND = MEMORY_COPY_BYTES + 8; // cudaMemcpyKind
export const MEMORY_COPY_FLAGS = MEMORY_COPY_KIND + 4; // COPY_*
export const MEMORY_COPY_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;
export const COPY_HOST_TO_HOST = 0;
export const COPY_HOST_TO_DEVICE = 1;
export const COPY_DEVICE_TO_HOST = 2;
export const COPY_DEVICE_TO_DEVICE = 3;
export const COPY_DEFAULT = 4;
export const COPY_SOURCE_INLINE = 1;
export const COPY_TARGET_INLINE = 2;
export const COPY_SOURCE_MAPPED = 4;
export const COPY_TARGET_MAPPED = 8;
export const COPY_ASYNC = 16; // answer when the copy is queued, not when it is done

/** MEMORY_SET: fills COUNT elements of WIDTH 1, 2 or 4 bytes, ordered on REQUEST_STREAM. */
export const COMMAND_MEMORY_SET = 0x13;
export const MEMORY_SET_TARGET = REQUEST_HEADER_SIZE; // u64
export const MEMORY_SET_COUNT = MEMORY_SET_TARGET + 8; // u64, elements
export const MEMORY_SET_VALUE = MEMORY_SET_COUNT + 8;
export const MEMORY_SET_WIDTH = MEMORY_SET_VALUE + 4;
export const MEMORY_SET_FLAGS = MEMORY_SET_WIDTH + 4; // COPY_ASYNC
export const MEMORY_SET_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

/**
 * MEMORY_COPY_3D: a box of rows and slices (2-D: depth 1); a BOX follows the fixed request. With
 * COPY_SOURCE_MAPPED or COPY_TARGET_MAPPED that side's address is not looked at and the driver
 * moves the rows; the INLINE flags are not allowed.
 */
export const COMMAND_MEMORY_COPY_3D = 0x14;
export const MEMORY_COPY_3D_KIND = REQUEST_HEADER_SIZE; // cudaMemcpyKind
export const MEMORY_COPY_3D_FLAGS = MEMORY_COPY_3D_KIND + 4; // COPY_*
export const MEMORY_COPY_3D_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

/** MEMORY_SET_3D: fills a box of elements of 1, 2 or 4 bytes; a BOX (its target) follows. */
export const COMMAND_MEMORY_SET_3D = 0x15;
export const MEMORY_SET_3D_VALUE = REQUEST_HEADER_SIZE;
export const MEMORY_SET_3D_ELEMENT = MEMORY_SET_3D_VALUE + 4; // bytes
export const MEMORY_SET_3D_FLAGS = MEMORY_SET_3D_ELEMENT + 4; // COPY_ASYNC
export const MEMORY_SET_3D_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

/** BOX: all fields u64, in bytes but for HEIGHT (rows) and DEPTH (slices). */
export const BOX_TARGET = 0;
export const BOX_TARGET_PITCH = BOX_TARGET + 8; // from row to row
export const BOX_TARGET_SLICE = BOX_TARGET_PITCH + 8; // from slice to slice
export const BOX_SOURCE = BOX_TARGET_SLICE + 8;
export const BOX_SOURCE_PITCH = BOX_SOURCE + 8;
export const BOX_SOURCE_SLICE = BOX_SOURCE_PITCH + 8;
export const BOX_WIDTH = BOX_SOURCE_SLICE + 8;
export const BOX_HEIGHT = BOX_WIDTH + 8;
export const BOX_DEPTH = BOX_HEIGHT + 8;
export const BOX_SIZE = BOX_DEPTH + 8;

/** POINTER_ATTRIBUTES: what the allocation table knows of an address. */
export const COMMAND_POINTER_ATTRIBUTES = 0x16;
export const POINTER_ATTRIBUTES_ADDRESS = REQUEST_HEADER_SIZE; // u64
export const POINTER_ATTRIBUTES_START = RESPONSE_HEADER_SIZE; // u64, start of its allocation
export const POINTER_ATTRIBUTES_BYTES = POINTER_ATTRIBUTES_START + 8; // u64, size asked for
export const POINTER_ATTRIBUTES_KIND = POINTER_ATTRIBUTES_BYTES + 8; // MEMORY_*; 0 = not ours
export const POINTER_ATTRIBUTES_FLAGS = POINTER_ATTRIBUTES_KIND + 4; // as given to MEMORY_ALLOC
export const POINTER_ATTRIBUTES_SERIAL = POINTER_ATTRIBUTES_FLAGS + 4;
export const POINTER_ATTRIBUTES_CONTEXT = POINTER_ATTRIBUTES_SERIAL + 4;
export const POINTER_ATTRIBUTES_DEVICE = POINTER_ATTRIBUTES_CONTEXT + 4; // ordinal of its device
export const POINTER_ATTRIBUTES_RESERVED = POINTER_ATTRIBUTES_DEVICE + 4;
export const POINTER_ATTRIBUTES_RESPONSE_SIZE = POINTER_ATTRIBUTES_RESERVED + 4;

// ── commands: modules, functions, launches ────────────────────────────────────────────────────
/** MODULE_LOAD: PTX text, a fat binary or an ELF file follows the fixed request. */
export const COMMAND_MODULE_LOAD = 0x20;
export const MODULE_LOAD_BYTES = REQUEST_HEADER_SIZE; // of the image
export const MODULE_LOAD_FLAGS = MODULE_LOAD_BYTES + 4; // 0 or MODULE_IMAGE_MAPPED
export const MODULE_LOAD_ADDRESS = MODULE_LOAD_FLAGS + 4; // u64, with MODULE_IMAGE_MAPPED
// The same image on another device, whose managed variables these are; or 0.
export const MODULE_LOAD_TWIN = MODULE_LOAD_ADDRESS + 8;
// The variable part: the image.
export const MODULE_LOAD_MODULE = RESPONSE_HEADER_SIZE;
export const MODULE_LOAD_FUNCTIONS = MODULE_LOAD_MODULE + 4; // how many kernels it has
export const MODULE_LOAD_LOG_LENGTH = MODULE_LOAD_FUNCTIONS + 4;
export const MODULE_LOAD_RESERVED = MODULE_LOAD_LOG_LENGTH + 4;
export const MODULE_LOAD_RESPONSE_SIZE = MODULE_LOAD_RESERVED + 4; // then LOG_LENGTH bytes, UTF-8

/** The image lies at MODULE_LOAD_ADDRESS in an allocation, and not behind the request. */
export const MODULE_IMAGE_MAPPED = 1;

/** MODULE_UNLOAD. */
export const COMMAND_MODULE_UNLOAD = 0x21;
export const MODULE_UNLOAD_MODULE = REQUEST_HEADER_SIZE;
export const MODULE_UNLOAD_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;

/** FUNCTION_GET: a kernel by name (NAME_LENGTH bytes follow), or by index with an empty name. */
export const COMMAND_FUNCTION_GET = 0x22;
export const FUNCTION_GET_MODULE = REQUEST_HEADER_SIZE;
export const FUNCTION_GET_NAME_LENGTH = FUNCTION_GET_MODULE + 4;
export const FUNCTION_GET_INDEX = FUNCTION_GET_NAME_LENGTH + 4; // used if NAME_LENGTH is 0
// The variable part: the name, UTF-8.
export const FUNCTION_GET_FUNCTION = RESPONSE_HEADER_SIZE;
export const FUNCTION_GET_PARAMETER_BYTES = FUNCTION_GET_FUNCTION + 4; // size of the packed block
export const FUNCTION_GET_PARAMETER_COUNT = FUNCTION_GET_PARAMETER_BYTES + 4;
export const FUNCTION_GET_NAME_BYTES = FUNCTION_GET_PARAMETER_COUNT + 4;
export const FUNCTION_GET_SHARED_BYTES = FUNCTION_GET_NAME_BYTES + 4; // static shared memory
export const FUNCTION_GET_LOCAL_BYTES = FUNCTION_GET_SHARED_BYTES + 4; // a thread
export const FUNCTION_GET_CONST_BYTES = FUNCTION_GET_LOCAL_BYTES + 4;
export const FUNCTION_GET_REGISTERS = FUNCTION_GET_CONST_BYTES + 4;
export const FUNCTION_GET_MAX_THREADS = FUNCTION_GET_REGISTERS + 4; // per block
export const FUNCTION_GET_MAX_DYNAMIC_SHARED = FUNCTION_GET_MAX_THREADS + 4;
export const FUNCTION_GET_PTX_VERSION = FUNCTION_GET_MAX_DYNAMIC_SHARED + 4; // of its target: 75 for sm_75
export const FUNCTION_GET_BINARY_VERSION = FUNCTION_GET_PTX_VERSION + 4; // 10 major + minor
export const FUNCTION_GET_CLUSTERS = FUNCTION_GET_BINARY_VERSION + 4; // 1: only in clusters
export const FUNCTION_GET_RESPONSE_SIZE = FUNCTION_GET_CLUSTERS + 4;
// After the fixed part: PARAMETER_COUNT parameters, then the name (NAME_BYTES, UTF-8).
export const PARAMETER_OFFSET = 0; // in the packed parameter block
export const PARAMETER_BYTES = 4;
export const PARAMETER_SIZE = 8;
/** Largest packed parameter block (CUDA 12.1 and later: 32,764 bytes; older: 4,096). */
export const MAX_PARAMETER_BYTES = 32764;

/** SYMBOL_GET: a global or constant variable by name (NAME_LENGTH bytes follow). */
export const COMMAND_SYMBOL_GET = 0x23;
export const SYMBOL_GET_MODULE = REQUEST_HEADER_SIZE;
export const SYMBOL_GET_NAME_LENGTH = SYMBOL_GET_MODULE + 4;
// The variable part: the name.
export const SYMBOL_GET_ADDRESS = RESPONSE_HEADER_SIZE; // u64
export const SYMBOL_GET_BYTES = SYMBOL_GET_ADDRESS + 8; // u64
export const SYMBOL_GET_SPACE = SYMBOL_GET_BYTES + 8; // SYMBOL_GLOBAL or SYMBOL_CONST
export const SYMBOL_GET_RESERVED = SYMBOL_GET_SPACE + 4;
export const SYMBOL_GET_RESPONSE_SIZE = SYMBOL_GET_RESERVED + 4;
export const SYMBOL_GLOBAL = 0;
export const SYMBOL_CONST = 1;

/** LAUNCH, ordered on REQUEST_STREAM; the packed parameter block follows the fixed request. */
export const COMMAND_LAUNCH = 0x24;
export const LAUNCH_FUNCTION = REQUEST_HEADER_SIZE;
export const LAUNCH_GRID_X = LAUNCH_FUNCTION + 4;
export const LAUNCH_GRID_Y = LAUNCH_GRID_X + 4;
export const LAUNCH_GRID_Z = LAUNCH_GRID_Y + 4;
export const LAUNCH_BLOCK_X = LAUNCH_GRID_Z + 4;
export const LAUNCH_BLOCK_Y = LAUNCH_BLOCK_X + 4;
export const LAUNCH_BLOCK_Z = LAUNCH_BLOCK_Y + 4;
export const LAUNCH_SHARED_BYTES = LAUNCH_BLOCK_Z + 4; // dynamic
export const LAUNCH_PARAMETER_BYTES = LAUNCH_SHARED_BYTES + 4;
export const LAUNCH_FLAGS = LAUNCH_PARAMETER_BYTES + 4; // LAUNCH_COOPERATIVE; a cluster's size
// The variable part: the parameters.
export const LAUNCH_RESPONSE_SIZE = RESPONSE_HEADER_SIZE;
export const LAUNCH_COOPERATIVE = 1;
/** First bit of a cluster's blocks in x, y and z, 8 bits each; all 0: the launch names no size. */
export const LAUNCH_CLUSTER_X_BIT = 8;
export const LAUNCH_CLUSTER_Y_BIT = 16;
export const LAUNCH_CLUSTER_Z_BIT = 24;

// ── events: what the device writes into buffers of an event queue ─────────────────────────────
export const EVENT_KIND = 0; // EVENT_*
export const EVENT_CONTEXT = 4;
export const EVENT_BYTES = 8; // bytes after the header
export const EVENT_VALUE = 12; // by kind
export const EVENT_HEADER_SIZE = 16;
export const EVENT_PRINT = 1; // text for the file descriptor EVENT_VALUE (1 stdout, 2 stderr)
export const EVENT_FAULT = 2; // EVENT_VALUE is the cudaError_t; the text follows
export const EVENT_HOST_CALL = 3; // EVENT_VALUE is the ticket to give back with HOST_CALL_DONE
/** Size of a buffer that a driver offers in an event queue (at least EVENT_HEADER_SIZE + 1). */
export const EVENT_BUFFER_SIZE = 4096;

// ── ioctl ─────────────────────────────────────────────────────────────────────────────────────
/**
 * An ioctl number is IOCTL_BASE + command. Its argument is the request (REQUEST_SIZE bytes) with
 * the response behind it at ARG_RESPONSE; the driver fills REQUEST_COMMAND and REQUEST_THREAD.
 * Bytes of variable length (image, name, parameters, host data) go beside it.
 */
export const IOCTL_BASE = 0x5700; // 'W' << 8
export const ARG_RESPONSE = REQUEST_SIZE;
export const ARG_SIZE = ARG_RESPONSE + MAX_RESPONSE_SIZE;
