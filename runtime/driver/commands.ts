/** What the driver has to know of each command to carry it: sizes, queue, what it waits for. */
import * as P from "../protocol/definitions.ts";
import * as F from "../protocol/functions.ts";
import * as O from "../protocol/pools.ts";
import * as S from "../protocol/streams.ts";

/** How one command travels. */
export interface CommandShape {
  /** Bytes of the response's fixed part; variable data follows it. */
  readonly responseBytes: number;
  /** Goes by the stream queue. */
  readonly streamQueue: boolean;
  /** A synchronisation point: events may be waiting afterwards. */
  readonly synchronizes: boolean;
}

const control = (responseBytes: number, synchronizes = false): CommandShape => ({
  responseBytes,
  streamQueue: false,
  synchronizes,
});
const stream = (responseBytes: number, synchronizes = false): CommandShape => ({
  responseBytes,
  streamQueue: true,
  synchronizes,
});

const SHAPES: readonly (readonly [number, CommandShape])[] = [
  [P.COMMAND_CONTEXT_CREATE, control(P.CONTEXT_CREATE_RESPONSE_SIZE)],
  [P.COMMAND_CONTEXT_DESTROY, control(P.CONTEXT_DESTROY_RESPONSE_SIZE, true)],
  [P.COMMAND_CONTEXT_RESET, control(P.CONTEXT_RESET_RESPONSE_SIZE, true)],
  [P.COMMAND_CONTEXT_SYNCHRONIZE, control(P.CONTEXT_SYNCHRONIZE_RESPONSE_SIZE, true)],
  [P.COMMAND_DEVICE_PROPERTIES, control(P.DEVICE_PROPERTIES_RESPONSE_SIZE)],
  [P.COMMAND_DEVICE_ATTRIBUTE, control(P.DEVICE_ATTRIBUTE_RESPONSE_SIZE)],
  [P.COMMAND_MEMORY_INFO, control(P.MEMORY_INFO_RESPONSE_SIZE)],
  [P.COMMAND_FAULT_INFO, control(P.FAULT_INFO_RESPONSE_SIZE)],
  [P.COMMAND_MEMORY_ALLOC, control(P.MEMORY_ALLOC_RESPONSE_SIZE)],
  [P.COMMAND_MEMORY_FREE, control(P.MEMORY_FREE_RESPONSE_SIZE, true)],
  [P.COMMAND_MEMORY_COPY, stream(P.MEMORY_COPY_RESPONSE_SIZE, true)],
  [P.COMMAND_MEMORY_SET, stream(P.MEMORY_SET_RESPONSE_SIZE, true)],
  [P.COMMAND_MEMORY_COPY_3D, stream(P.MEMORY_COPY_3D_RESPONSE_SIZE, true)],
  [P.COMMAND_MEMORY_SET_3D, stream(P.MEMORY_SET_3D_RESPONSE_SIZE, true)],
  [P.COMMAND_POINTER_ATTRIBUTES, control(P.POINTER_ATTRIBUTES_RESPONSE_SIZE)],
  [P.COMMAND_MODULE_LOAD, control(P.MODULE_LOAD_RESPONSE_SIZE)],
  [P.COMMAND_MODULE_UNLOAD, control(P.MODULE_UNLOAD_RESPONSE_SIZE, true)],
  [P.COMMAND_FUNCTION_GET, control(P.FUNCTION_GET_RESPONSE_SIZE)],
  [P.COMMAND_SYMBOL_GET, control(P.SYMBOL_GET_RESPONSE_SIZE)],
  [P.COMMAND_LAUNCH, stream(P.LAUNCH_RESPONSE_SIZE)],
  [S.COMMAND_STREAM_CREATE, control(S.STREAM_CREATE_RESPONSE_SIZE)],
  [S.COMMAND_STREAM_DESTROY, control(S.STREAM_DESTROY_RESPONSE_SIZE)],
  [S.COMMAND_STREAM_SYNCHRONIZE, stream(S.STREAM_SYNCHRONIZE_RESPONSE_SIZE, true)],
  [S.COMMAND_STREAM_QUERY, control(S.STREAM_QUERY_RESPONSE_SIZE, true)],
  [S.COMMAND_STREAM_WAIT_EVENT, stream(S.STREAM_WAIT_EVENT_RESPONSE_SIZE)],
  [S.COMMAND_STREAM_INFO, control(S.STREAM_INFO_RESPONSE_SIZE)],
  [S.COMMAND_HOST_CALL, stream(S.HOST_CALL_RESPONSE_SIZE, true)],
  [S.COMMAND_HOST_CALL_DONE, control(S.HOST_CALL_DONE_RESPONSE_SIZE)],
  [S.COMMAND_EVENT_CREATE, control(S.EVENT_CREATE_RESPONSE_SIZE)],
  [S.COMMAND_EVENT_DESTROY, control(S.EVENT_DESTROY_RESPONSE_SIZE)],
  [S.COMMAND_EVENT_RECORD, stream(S.EVENT_RECORD_RESPONSE_SIZE)],
  [S.COMMAND_EVENT_QUERY, control(S.EVENT_QUERY_RESPONSE_SIZE, true)],
  [S.COMMAND_EVENT_SYNCHRONIZE, control(S.EVENT_SYNCHRONIZE_RESPONSE_SIZE, true)],
  [S.COMMAND_EVENT_ELAPSED, control(S.EVENT_ELAPSED_RESPONSE_SIZE)],
  [F.COMMAND_FUNCTION_ATTRIBUTES, control(F.FUNCTION_ATTRIBUTES_RESPONSE_SIZE)],
  [F.COMMAND_FUNCTION_SET, control(F.FUNCTION_SET_RESPONSE_SIZE)],
  [F.COMMAND_OCCUPANCY, control(F.OCCUPANCY_RESPONSE_SIZE)],
  [F.COMMAND_OCCUPANCY_SHARED, control(F.OCCUPANCY_SHARED_RESPONSE_SIZE)],
  [F.COMMAND_LIMIT_GET, control(F.LIMIT_GET_RESPONSE_SIZE)],
  [F.COMMAND_LIMIT_SET, control(F.LIMIT_SET_RESPONSE_SIZE)],
  [O.COMMAND_POOL_CREATE, control(O.POOL_CREATE_RESPONSE_SIZE)],
  [O.COMMAND_POOL_DESTROY, control(O.POOL_DESTROY_RESPONSE_SIZE)],
  [O.COMMAND_POOL_CURRENT, control(O.POOL_CURRENT_RESPONSE_SIZE)],
  [O.COMMAND_POOL_GET, control(O.POOL_GET_RESPONSE_SIZE)],
  [O.COMMAND_POOL_SET, control(O.POOL_SET_RESPONSE_SIZE)],
  [O.COMMAND_POOL_TRIM, control(O.POOL_TRIM_RESPONSE_SIZE)],
  [O.COMMAND_MEMORY_ALLOC_ASYNC, control(O.MEMORY_ALLOC_ASYNC_RESPONSE_SIZE)],
  [O.COMMAND_MEMORY_FREE_ASYNC, control(O.MEMORY_FREE_ASYNC_RESPONSE_SIZE)],
];

/** Command number → how it travels; START and STOP are the driver's own and not here. */
export const COMMAND_SHAPES: readonly (CommandShape | undefined)[] = (() => {
  const table: (CommandShape | undefined)[] = [];
  for (const [command, shape] of SHAPES) table[command] = shape;
  return table;
})();
