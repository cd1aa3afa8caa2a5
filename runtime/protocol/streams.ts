// Streams, events and host calls of the protocol; see definitions.ts for the conventions. Fields of
// a request begin at 24 (REQUEST_HEADER_SIZE), of a response at 8 (RESPONSE_HEADER_SIZE). Plain
// numbers without imports. The stream is REQUEST_STREAM wherever a command concerns one.

/** STREAM_CREATE. */
export const COMMAND_STREAM_CREATE = 0x30;
export const STREAM_CREATE_FLAGS = 24; // STREAM_NON_BLOCKING
export const STREAM_CREATE_PRIORITY = 28; // i32; clamped to LEAST … GREATEST
export const STREAM_CREATE_STREAM = 8;
export const STREAM_CREATE_RESPONSE_SIZE = 12;
export const STREAM_NON_BLOCKING = 1;
/** Priorities (cudaDeviceGetStreamPriorityRange): lower numbers run first. */
export const STREAM_PRIORITY_LEAST = 0;
export const STREAM_PRIORITY_GREATEST = -5;

/** STREAM_DESTROY: at once; work that is in it still runs. */
export const COMMAND_STREAM_DESTROY = 0x31;
export const STREAM_DESTROY_RESPONSE_SIZE = 8;

/** STREAM_SYNCHRONIZE: answered when all work that is in the stream now is done. */
export const COMMAND_STREAM_SYNCHRONIZE = 0x32;
export const STREAM_SYNCHRONIZE_RESPONSE_SIZE = 8;

/** STREAM_QUERY: cudaSuccess, or cudaErrorNotReady. */
export const COMMAND_STREAM_QUERY = 0x33;
export const STREAM_QUERY_RESPONSE_SIZE = 8;

/** STREAM_WAIT_EVENT: the stream's later work waits for the event as it is recorded now. */
export const COMMAND_STREAM_WAIT_EVENT = 0x34;
export const STREAM_WAIT_EVENT_EVENT = 24;
export const STREAM_WAIT_EVENT_FLAGS = 28; // STREAM_WAIT_EVENT_EXTERNAL: a node of its own in a capture
export const STREAM_WAIT_EVENT_RESPONSE_SIZE = 8;
export const STREAM_WAIT_EVENT_EXTERNAL = 1;

/** STREAM_INFO: flags, priority, number and device of a stream. */
export const COMMAND_STREAM_INFO = 0x35;
export const STREAM_INFO_FLAGS = 8;
export const STREAM_INFO_PRIORITY = 12; // i32
export const STREAM_INFO_ID = 16; // u64; no other stream of the device has or had it
export const STREAM_INFO_DEVICE = 24; // ordinal
export const STREAM_INFO_RESPONSE_SIZE = 28;

/**
 * STREAM_ATTRIBUTE: asks for an attribute of a stream, sets it, or gives the stream those of another one of
 * its context. But for priorities, which count from the next piece of work on, they are hints.
 */
export const COMMAND_STREAM_ATTRIBUTE = 0x3e;
export const STREAM_ATTRIBUTE_WHAT = 24; // ATTRIBUTE_GET, ATTRIBUTE_SET or ATTRIBUTE_COPY
export const STREAM_ATTRIBUTE_NUMBER = 28; // cudaLaunchAttributeID, or the other stream's handle
export const STREAM_ATTRIBUTE_VALUE = 32; // 8 × u32: ATTRIBUTE_BYTES
export const STREAM_ATTRIBUTE_CURRENT = 8; // ATTRIBUTE_BYTES
export const STREAM_ATTRIBUTE_RESPONSE_SIZE = 40;
export const ATTRIBUTE_GET = 0;
export const ATTRIBUTE_SET = 1;
export const ATTRIBUTE_COPY = 2;
/** Values are the beginning of a cudaLaunchAttributeValue; the attributes that streams have: */
export const ATTRIBUTE_BYTES = 32;
export const ATTRIBUTE_ACCESS_POLICY_WINDOW = 1;
export const ATTRIBUTE_SYNCHRONIZATION_POLICY = 3; // u32, 1 to 4
export const ATTRIBUTE_PRIORITY = 8; // i32
export const ATTRIBUTE_MEM_SYNC_DOMAIN_MAP = 9; // two bytes below MEM_SYNC_DOMAINS
export const ATTRIBUTE_MEM_SYNC_DOMAIN = 10; // u32, 0 or 1
export const MEM_SYNC_DOMAINS = 4;

/**
 * HOST_CALL: when its turn comes the device writes an EVENT_HOST_CALL to this group's event queue,
 * and the stream goes on when HOST_CALL_DONE gives the ticket back.
 */
export const COMMAND_HOST_CALL = 0x36;
export const HOST_CALL_DATA = 24; // u64 for the driver's own use
export const HOST_CALL_FLAGS = 32; // HOST_CALL_ALWAYS, HOST_CALL_COPY
export const HOST_CALL_RESPONSE_SIZE = 8;
/** Call also when the context has failed (cudaStreamAddCallback; cudaLaunchHostFunc doesn't). */
export const HOST_CALL_ALWAYS = 1;
/**
 * The driver copies memory that the device does not know: such a node is a NODE_MEMCPY. A BOX follows, with the
 * address 0 for the side that the driver alone knows.
 */
export const HOST_CALL_COPY = 2;
/** What follows the header of an EVENT_HOST_CALL. */
export const EVENT_HOST_CALL_DATA = 0; // u64
export const EVENT_HOST_CALL_ERROR = 8; // the context's sticky error
export const EVENT_HOST_CALL_STREAM = 12; // handle
export const EVENT_HOST_CALL_BYTES = 16;

/** HOST_CALL_DONE. */
export const COMMAND_HOST_CALL_DONE = 0x37;
export const HOST_CALL_DONE_TICKET = 24;
export const HOST_CALL_DONE_RESPONSE_SIZE = 8;

/** EVENT_CREATE: cudaEventCreateWithFlags. */
export const COMMAND_EVENT_CREATE = 0x38;
export const EVENT_CREATE_FLAGS = 24; // EVENT_BLOCKING_SYNC, EVENT_DISABLE_TIMING
export const EVENT_CREATE_EVENT = 8;
export const EVENT_CREATE_RESPONSE_SIZE = 12;
export const EVENT_BLOCKING_SYNC = 1;
export const EVENT_DISABLE_TIMING = 2;
export const EVENT_INTERPROCESS = 4; // not supported

/** EVENT_DESTROY. */
export const COMMAND_EVENT_DESTROY = 0x39;
export const EVENT_DESTROY_EVENT = 24;
export const EVENT_DESTROY_RESPONSE_SIZE = 8;

/** EVENT_RECORD on REQUEST_STREAM. */
export const COMMAND_EVENT_RECORD = 0x3a;
export const EVENT_RECORD_EVENT = 24;
export const EVENT_RECORD_FLAGS = 28; // EVENT_RECORD_EXTERNAL: a node of its own in a capture
export const EVENT_RECORD_RESPONSE_SIZE = 8;
export const EVENT_RECORD_EXTERNAL = 1;

/** EVENT_QUERY: cudaSuccess (also if never recorded), or cudaErrorNotReady. */
export const COMMAND_EVENT_QUERY = 0x3b;
export const EVENT_QUERY_EVENT = 24;
export const EVENT_QUERY_RESPONSE_SIZE = 8;

/** EVENT_SYNCHRONIZE: answered when the event's latest record is reached. */
export const COMMAND_EVENT_SYNCHRONIZE = 0x3c;
export const EVENT_SYNCHRONIZE_EVENT = 24;
export const EVENT_SYNCHRONIZE_RESPONSE_SIZE = 8;

/** EVENT_ELAPSED: milliseconds from one event to another. */
export const COMMAND_EVENT_ELAPSED = 0x3d;
export const EVENT_ELAPSED_START = 24;
export const EVENT_ELAPSED_END = 28;
export const EVENT_ELAPSED_MILLISECONDS = 8; // f32
export const EVENT_ELAPSED_RESPONSE_SIZE = 12;
