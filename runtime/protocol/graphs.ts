// Graphs and stream capture of the protocol; see definitions.ts for the conventions (requests'
// fields begin at 24, responses' at 8). Plain numbers without imports.
//
// A node that does something is a recorded request: a whole stream-ordered request (LAUNCH,
// MEMORY_COPY, MEMORY_COPY_3D, MEMORY_SET, MEMORY_SET_3D, HOST_CALL, EVENT_RECORD,
// STREAM_WAIT_EVENT, MEMORY_ALLOC_ASYNC or MEMORY_FREE_ASYNC) with its variable part, as it would be sent. REQUEST_CONTEXT, REQUEST_STREAM
// and REQUEST_THREAD of it are those of the launch of the graph.

/** GRAPH_CREATE. */
export const COMMAND_GRAPH_CREATE = 0x50;
export const GRAPH_CREATE_GRAPH = 8;
export const GRAPH_CREATE_RESPONSE_SIZE = 12;

/** GRAPH_DESTROY: with its nodes; what was instantiated from it stays. */
export const COMMAND_GRAPH_DESTROY = 0x51;
export const GRAPH_DESTROY_GRAPH = 24;
export const GRAPH_DESTROY_RESPONSE_SIZE = 8;

/** GRAPH_CLONE. */
export const COMMAND_GRAPH_CLONE = 0x52;
export const GRAPH_CLONE_SOURCE = 24;
export const GRAPH_CLONE_GRAPH = 8;
export const GRAPH_CLONE_RESPONSE_SIZE = 12;

/** GRAPH_ADD_NODE: DEPENDENCIES node handles (u32) follow, then REQUEST_BYTES of a request. */
export const COMMAND_GRAPH_ADD_NODE = 0x53;
export const GRAPH_ADD_NODE_GRAPH = 24;
export const GRAPH_ADD_NODE_DEPENDENCIES = 28;
export const GRAPH_ADD_NODE_REQUEST_BYTES = 32; // 0: an empty node, or a child graph
export const GRAPH_ADD_NODE_CHILD = 36; // a graph whose copy becomes the node, or 0
export const GRAPH_ADD_NODE_CONDITION = 40; // u64, the condition of a conditional node, or 0
export const GRAPH_ADD_NODE_KIND = 48; // of it: CONDITION_*
export const GRAPH_ADD_NODE_BODIES = 52; // how many; their handles follow the response
export const GRAPH_ADD_NODE_NODE = 8;
export const GRAPH_ADD_NODE_RESERVED = 12;
export const GRAPH_ADD_NODE_ADDRESS = 16; // u64, of an allocation
export const GRAPH_ADD_NODE_RESPONSE_SIZE = 24;

/** GRAPH_NODE_GET: type and parameters of a node; the recorded request follows. */
export const COMMAND_GRAPH_NODE_GET = 0x54;
export const GRAPH_NODE_GET_NODE = 24;
export const GRAPH_NODE_GET_TYPE = 8; // cudaGraphNodeType
export const GRAPH_NODE_GET_CHILD = 12; // the child graph's handle, or 0
export const GRAPH_NODE_GET_REQUEST_BYTES = 16;
export const GRAPH_NODE_GET_DEVICE = 20; // ordinal
export const GRAPH_NODE_GET_ADDRESS = 24; // u64, of an allocation or a free
export const GRAPH_NODE_GET_RESPONSE_SIZE = 32;
/** cudaGraphNodeType numbers. */
export const NODE_KERNEL = 0;
export const NODE_MEMCPY = 1;
export const NODE_MEMSET = 2;
export const NODE_HOST = 3;
export const NODE_GRAPH = 4;
export const NODE_EMPTY = 5;
export const NODE_WAIT_EVENT = 6;
export const NODE_EVENT_RECORD = 7;
export const NODE_MEM_ALLOC = 10;
export const NODE_MEM_FREE = 11;
export const NODE_CONDITIONAL = 13;
/** Bodies that a conditional node may have. */
export const MAX_BODIES = 1024;
/** cudaGraphConditionalNodeType numbers. */
export const CONDITION_IF = 0; // the first body if not 0, the second (if there is one) if 0
export const CONDITION_WHILE = 1; // the body as long as it is not 0
export const CONDITION_SWITCH = 2; // the body of that number, if there is one

/** GRAPH_CONDITION_CREATE: a value that kernels set and conditional nodes of the graph look at. */
export const COMMAND_GRAPH_CONDITION_CREATE = 0x64;
export const GRAPH_CONDITION_CREATE_GRAPH = 24;
export const GRAPH_CONDITION_CREATE_VALUE = 28; // what it is when a launch begins, with CONDITION_ASSIGN
export const GRAPH_CONDITION_CREATE_FLAGS = 32;
export const GRAPH_CONDITION_CREATE_CONDITION = 8; // u64, what kernels are given
export const GRAPH_CONDITION_CREATE_RESPONSE_SIZE = 16;
export const CONDITION_ASSIGN = 1; // without it a condition is 0 when a launch begins

/** GRAPH_NODE_SET: another request of the same node type; it follows (REQUEST_BYTES). */
export const COMMAND_GRAPH_NODE_SET = 0x55;
export const GRAPH_NODE_SET_NODE = 24;
export const GRAPH_NODE_SET_REQUEST_BYTES = 28;
export const GRAPH_NODE_SET_RESPONSE_SIZE = 8;

/** GRAPH_NODE_DESTROY: the node and its edges. */
export const COMMAND_GRAPH_NODE_DESTROY = 0x56;
export const GRAPH_NODE_DESTROY_NODE = 24;
export const GRAPH_NODE_DESTROY_RESPONSE_SIZE = 8;

/** GRAPH_EDGES: adds or removes edges; COUNT pairs of node handles (from, to) follow. */
export const COMMAND_GRAPH_EDGES = 0x57;
export const GRAPH_EDGES_GRAPH = 24;
export const GRAPH_EDGES_COUNT = 28;
export const GRAPH_EDGES_REMOVE = 32; // 0 add, 1 remove
export const GRAPH_EDGES_RESPONSE_SIZE = 8;

/** GRAPH_LIST: handles of nodes follow the response; pairs (from, to) for LIST_EDGES. */
export const COMMAND_GRAPH_LIST = 0x58;
export const GRAPH_LIST_OBJECT = 24; // a graph, or a node
export const GRAPH_LIST_WHAT = 28; // LIST_*
export const GRAPH_LIST_COUNT = 8; // nodes or edges that there are, whatever room there was
export const GRAPH_LIST_RESPONSE_SIZE = 12;
export const LIST_NODES = 0; // of a graph, in the order in which they were added
export const LIST_ROOTS = 1; // of a graph
export const LIST_EDGES = 2; // of a graph
export const LIST_DEPENDENCIES = 3; // of a node
export const LIST_DEPENDENTS = 4; // of a node

/** GRAPH_FIND_IN_CLONE: the node of a clone that a node of the original became. */
export const COMMAND_GRAPH_FIND_IN_CLONE = 0x59;
export const GRAPH_FIND_IN_CLONE_NODE = 24;
export const GRAPH_FIND_IN_CLONE_CLONE = 28;
export const GRAPH_FIND_IN_CLONE_FOUND = 8;
export const GRAPH_FIND_IN_CLONE_RESPONSE_SIZE = 12;

/** GRAPH_INSTANTIATE: checks a graph and makes it executable; later changes don't touch that. */
export const COMMAND_GRAPH_INSTANTIATE = 0x5a;
export const GRAPH_INSTANTIATE_GRAPH = 24;
export const GRAPH_INSTANTIATE_FLAGS = 28; // INSTANTIATE_*
export const GRAPH_INSTANTIATE_EXEC = 8;
export const GRAPH_INSTANTIATE_RESPONSE_SIZE = 12;
export const INSTANTIATE_FREE_ON_LAUNCH = 1; // what an earlier launch left allocated

/** GRAPH_EXEC_DESTROY. */
export const COMMAND_GRAPH_EXEC_DESTROY = 0x5b;
export const GRAPH_EXEC_DESTROY_EXEC = 24;
export const GRAPH_EXEC_DESTROY_RESPONSE_SIZE = 8;

/** GRAPH_LAUNCH on REQUEST_STREAM. */
export const COMMAND_GRAPH_LAUNCH = 0x5c;
export const GRAPH_LAUNCH_EXEC = 24;
export const GRAPH_LAUNCH_ONLY_CHECK = 28; // 1: nothing is launched (cudaGraphUpload)
export const GRAPH_LAUNCH_RESPONSE_SIZE = 8;

/** GRAPH_EXEC_UPDATE: takes the parameters of a graph of the same shape. */
export const COMMAND_GRAPH_EXEC_UPDATE = 0x5d;
export const GRAPH_EXEC_UPDATE_EXEC = 24;
export const GRAPH_EXEC_UPDATE_GRAPH = 28;
export const GRAPH_EXEC_UPDATE_RESULT = 8; // cudaGraphExecUpdateResult
export const GRAPH_EXEC_UPDATE_NODE = 12; // the node that differs, or 0
export const GRAPH_EXEC_UPDATE_RESPONSE_SIZE = 16;
export const UPDATE_SUCCESS = 0;
export const UPDATE_ERROR = 1;
export const UPDATE_TOPOLOGY_CHANGED = 2;
export const UPDATE_NODE_TYPE_CHANGED = 3;
export const UPDATE_PARAMETERS_CHANGED = 5; // a conditional node of another kind
export const UPDATE_NOT_SUPPORTED = 6; // a node that allocates or frees memory
export const UPDATE_FUNCTION_CHANGED = 7; // a kernel of another device

/** GRAPH_EXEC_NODE_SET: another request for one node (of the graph it was instantiated from). */
export const COMMAND_GRAPH_EXEC_NODE_SET = 0x5e;
export const GRAPH_EXEC_NODE_SET_EXEC = 24;
export const GRAPH_EXEC_NODE_SET_NODE = 28;
export const GRAPH_EXEC_NODE_SET_REQUEST_BYTES = 32; // 0 with a child graph
export const GRAPH_EXEC_NODE_SET_CHILD = 36; // of the same shape as the node's, or 0
export const GRAPH_EXEC_NODE_SET_RESPONSE_SIZE = 8;

/** GRAPH_EXEC_NODE_ENABLE: switches a node of an executable graph off or on. */
export const COMMAND_GRAPH_EXEC_NODE_ENABLE = 0x5f;
export const GRAPH_EXEC_NODE_ENABLE_EXEC = 24;
export const GRAPH_EXEC_NODE_ENABLE_NODE = 28;
export const GRAPH_EXEC_NODE_ENABLE_SET = 32; // 0 off, 1 on, 2 only ask
export const GRAPH_EXEC_NODE_ENABLE_ENABLED = 8;
export const GRAPH_EXEC_NODE_ENABLE_RESPONSE_SIZE = 12;

/** GRAPH_MEMORY: what the graphs of the context's device use of its memory (cudaGraphMemAttributeType). */
export const COMMAND_GRAPH_MEMORY = 0x63;
export const GRAPH_MEMORY_WHAT = 24; // GRAPH_MEMORY_*
export const GRAPH_MEMORY_ATTRIBUTE = 28; // cudaGraphMemAttributeType, to get or reset
export const GRAPH_MEMORY_VALUE = 8; // u64
export const GRAPH_MEMORY_RESPONSE_SIZE = 16;
export const GRAPH_MEMORY_GET = 0;
export const GRAPH_MEMORY_RESET = 1; // a high mark
export const GRAPH_MEMORY_TRIM = 2; // lets go of what isn't used
export const GRAPH_MEMORY_USED = 0; // bytes
export const GRAPH_MEMORY_USED_HIGH = 1;
export const GRAPH_MEMORY_RESERVED = 2;
export const GRAPH_MEMORY_RESERVED_HIGH = 3;

/**
 * CAPTURE_BEGIN on REQUEST_STREAM: its work becomes nodes of a graph from now on. The handles (u32) of
 * DEPENDENCIES nodes that the first one comes after follow.
 */
export const COMMAND_CAPTURE_BEGIN = 0x60;
export const CAPTURE_BEGIN_MODE = 24; // cudaStreamCaptureMode
export const CAPTURE_BEGIN_GRAPH = 28; // one that there is, or 0 for a new one
export const CAPTURE_BEGIN_DEPENDENCIES = 32;
export const CAPTURE_BEGIN_RESPONSE_SIZE = 8;
export const CAPTURE_GLOBAL = 0;
export const CAPTURE_THREAD_LOCAL = 1;
export const CAPTURE_RELAXED = 2;

/** CAPTURE_END on the stream that it began on. */
export const COMMAND_CAPTURE_END = 0x61;
export const CAPTURE_END_KNOWN = 24; // 1: it must be a capture into a graph that there was before
export const CAPTURE_END_GRAPH = 8;
export const CAPTURE_END_RESPONSE_SIZE = 12;

/** CAPTURE_INFO of REQUEST_STREAM; handles of the nodes that its next one depends on follow. */
export const COMMAND_CAPTURE_INFO = 0x62;
export const CAPTURE_INFO_STATUS = 8; // cudaStreamCaptureStatus
export const CAPTURE_INFO_GRAPH = 12;
export const CAPTURE_INFO_ID = 16; // u64
export const CAPTURE_INFO_DEPENDENCIES = 24; // how many
export const CAPTURE_INFO_RESERVED = 28;
export const CAPTURE_INFO_RESPONSE_SIZE = 32;
export const CAPTURE_STATUS_NONE = 0;
export const CAPTURE_STATUS_ACTIVE = 1;
export const CAPTURE_STATUS_INVALIDATED = 2;

/** CAPTURE_UPDATE: what the next node of REQUEST_STREAM comes after; COUNT node handles (u32) follow. */
export const COMMAND_CAPTURE_UPDATE = 0x65;
export const CAPTURE_UPDATE_REPLACE = 24; // 0 besides what it is now, 1 instead
export const CAPTURE_UPDATE_COUNT = 28;
export const CAPTURE_UPDATE_RESPONSE_SIZE = 8;
