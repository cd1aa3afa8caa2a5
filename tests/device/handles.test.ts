import assert from "node:assert/strict";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench } from "./bench.ts";

type Kind =
  | "stream"
  | "event"
  | "module"
  | "function"
  | "pool"
  | "graph"
  | "node"
  | "exec"
  | "array";
type Handles = Record<Kind, number>;

const INVALID_HANDLE = P.cudaErrorInvalidResourceHandle;
const INVALID_VALUE = P.cudaErrorInvalidValue;

/** Makes one of everything in the bench's current context. */
function makeAll(bench: Bench): Handles {
  const made = (command: number, field: number, fields: Record<number, number> = {}): number => {
    assert.equal(bench.call(command, fields), 0);
    return bench.get32(field);
  };
  const module = bench.load("// kernel k 0");
  const graph = made(P.COMMAND_GRAPH_CREATE, P.GRAPH_CREATE_GRAPH);
  return {
    stream: made(P.COMMAND_STREAM_CREATE, P.STREAM_CREATE_STREAM, { [P.STREAM_CREATE_FLAGS]: 1 }),
    event: made(P.COMMAND_EVENT_CREATE, P.EVENT_CREATE_EVENT),
    module,
    function: bench.fn(module, "k"),
    pool: made(P.COMMAND_POOL_CREATE, P.POOL_CREATE_POOL),
    graph,
    node: made(P.COMMAND_GRAPH_ADD_NODE, P.GRAPH_ADD_NODE_NODE, {
      [P.GRAPH_ADD_NODE_GRAPH]: graph,
    }),
    exec: made(P.COMMAND_GRAPH_INSTANTIATE, P.GRAPH_INSTANTIATE_EXEC, {
      [P.GRAPH_INSTANTIATE_GRAPH]: graph,
    }),
    array: made(P.COMMAND_ARRAY_CREATE, P.ARRAY_CREATE_ARRAY, {
      [P.ARRAY_CREATE_WIDTH]: 4,
      [P.ARRAY_CREATE_FORMAT]: P.FORMAT_FLOAT,
      [P.ARRAY_CREATE_BITS_X]: 32,
    }),
  };
}

/** Destroys one of everything. */
function destroyAll(bench: Bench, handles: Handles): void {
  const end: [number, number, Kind][] = [
    [P.COMMAND_STREAM_DESTROY, P.REQUEST_STREAM, "stream"],
    [P.COMMAND_EVENT_DESTROY, P.EVENT_DESTROY_EVENT, "event"],
    [P.COMMAND_MODULE_UNLOAD, P.MODULE_UNLOAD_MODULE, "module"],
    [P.COMMAND_POOL_DESTROY, P.POOL_DESTROY_POOL, "pool"],
    [P.COMMAND_GRAPH_EXEC_DESTROY, P.GRAPH_EXEC_DESTROY_EXEC, "exec"],
    [P.COMMAND_GRAPH_NODE_DESTROY, P.GRAPH_NODE_DESTROY_NODE, "node"],
    [P.COMMAND_GRAPH_DESTROY, P.GRAPH_DESTROY_GRAPH, "graph"],
    [P.COMMAND_ARRAY_DESTROY, P.ARRAY_DESTROY_ARRAY, "array"],
  ];
  for (const [command, field, kind] of end) {
    assert.equal(bench.call(command, { [field]: handles[kind] }), 0, kind);
  }
}

/** Command, field, kind of handle in it, error if it is none, another field that must be right. */
const ENTRIES: readonly [string, number, Kind, number, number][] = [
  ["STREAM_DESTROY", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["STREAM_SYNCHRONIZE", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["STREAM_QUERY", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["STREAM_INFO", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["STREAM_WAIT_EVENT", P.REQUEST_STREAM, "stream", INVALID_HANDLE, P.STREAM_WAIT_EVENT_EVENT],
  ["STREAM_WAIT_EVENT", P.STREAM_WAIT_EVENT_EVENT, "event", INVALID_HANDLE, 0],
  ["HOST_CALL", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["EVENT_RECORD", P.REQUEST_STREAM, "stream", INVALID_HANDLE, P.EVENT_RECORD_EVENT],
  ["EVENT_RECORD", P.EVENT_RECORD_EVENT, "event", INVALID_HANDLE, 0],
  ["EVENT_QUERY", P.EVENT_QUERY_EVENT, "event", INVALID_HANDLE, 0],
  ["EVENT_SYNCHRONIZE", P.EVENT_SYNCHRONIZE_EVENT, "event", INVALID_HANDLE, 0],
  ["EVENT_DESTROY", P.EVENT_DESTROY_EVENT, "event", INVALID_HANDLE, 0],
  ["EVENT_ELAPSED", P.EVENT_ELAPSED_START, "event", INVALID_HANDLE, P.EVENT_ELAPSED_END],
  ["EVENT_ELAPSED", P.EVENT_ELAPSED_END, "event", INVALID_HANDLE, P.EVENT_ELAPSED_START],
  ["MEMORY_COPY", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["MEMORY_SET", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["MEMORY_COPY_3D", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["MEMORY_SET_3D", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["MEMORY_ALLOC_ASYNC", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["MEMORY_FREE_ASYNC", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["MEMORY_ALLOC_ASYNC", P.MEMORY_ALLOC_ASYNC_POOL, "pool", INVALID_VALUE, 0],
  ["MODULE_UNLOAD", P.MODULE_UNLOAD_MODULE, "module", INVALID_HANDLE, 0],
  ["FUNCTION_GET", P.FUNCTION_GET_MODULE, "module", INVALID_HANDLE, 0],
  ["SYMBOL_GET", P.SYMBOL_GET_MODULE, "module", INVALID_HANDLE, 0],
  ["LAUNCH", P.LAUNCH_FUNCTION, "function", INVALID_HANDLE, 0],
  ["LAUNCH", P.REQUEST_STREAM, "stream", INVALID_HANDLE, P.LAUNCH_FUNCTION],
  ["FUNCTION_ATTRIBUTES", P.FUNCTION_ATTRIBUTES_FUNCTION, "function", INVALID_HANDLE, 0],
  ["FUNCTION_SET", P.FUNCTION_SET_FUNCTION, "function", INVALID_HANDLE, 0],
  ["OCCUPANCY", P.OCCUPANCY_FUNCTION, "function", INVALID_HANDLE, 0],
  ["OCCUPANCY_SHARED", P.OCCUPANCY_SHARED_FUNCTION, "function", INVALID_HANDLE, 0],
  ["POOL_DESTROY", P.POOL_DESTROY_POOL, "pool", INVALID_VALUE, 0],
  ["POOL_CURRENT", P.POOL_CURRENT_POOL, "pool", INVALID_VALUE, 0],
  ["POOL_GET", P.POOL_GET_POOL, "pool", INVALID_VALUE, 0],
  ["POOL_SET", P.POOL_SET_POOL, "pool", INVALID_VALUE, 0],
  ["POOL_TRIM", P.POOL_TRIM_POOL, "pool", INVALID_VALUE, 0],
  ["GRAPH_DESTROY", P.GRAPH_DESTROY_GRAPH, "graph", INVALID_VALUE, 0],
  ["GRAPH_CLONE", P.GRAPH_CLONE_SOURCE, "graph", INVALID_VALUE, 0],
  ["GRAPH_ADD_NODE", P.GRAPH_ADD_NODE_GRAPH, "graph", INVALID_VALUE, 0],
  ["GRAPH_ADD_NODE", P.GRAPH_ADD_NODE_CHILD, "graph", INVALID_VALUE, P.GRAPH_ADD_NODE_GRAPH],
  ["GRAPH_NODE_GET", P.GRAPH_NODE_GET_NODE, "node", INVALID_VALUE, 0],
  ["GRAPH_NODE_SET", P.GRAPH_NODE_SET_NODE, "node", INVALID_VALUE, 0],
  ["GRAPH_NODE_DESTROY", P.GRAPH_NODE_DESTROY_NODE, "node", INVALID_VALUE, 0],
  ["GRAPH_EDGES", P.GRAPH_EDGES_GRAPH, "graph", INVALID_VALUE, 0],
  ["GRAPH_LIST", P.GRAPH_LIST_OBJECT, "graph", INVALID_VALUE, 0],
  ["GRAPH_FIND_IN_CLONE", P.GRAPH_FIND_IN_CLONE_CLONE, "graph", INVALID_VALUE, 0],
  ["GRAPH_INSTANTIATE", P.GRAPH_INSTANTIATE_GRAPH, "graph", INVALID_VALUE, 0],
  ["GRAPH_EXEC_DESTROY", P.GRAPH_EXEC_DESTROY_EXEC, "exec", INVALID_VALUE, 0],
  ["GRAPH_LAUNCH", P.GRAPH_LAUNCH_EXEC, "exec", INVALID_VALUE, 0],
  ["GRAPH_LAUNCH", P.REQUEST_STREAM, "stream", INVALID_HANDLE, P.GRAPH_LAUNCH_EXEC],
  ["GRAPH_EXEC_UPDATE", P.GRAPH_EXEC_UPDATE_EXEC, "exec", INVALID_VALUE, P.GRAPH_EXEC_UPDATE_GRAPH],
  [
    "GRAPH_EXEC_UPDATE",
    P.GRAPH_EXEC_UPDATE_GRAPH,
    "graph",
    INVALID_VALUE,
    P.GRAPH_EXEC_UPDATE_EXEC,
  ],
  ["GRAPH_EXEC_NODE_SET", P.GRAPH_EXEC_NODE_SET_EXEC, "exec", INVALID_VALUE, 0],
  ["GRAPH_EXEC_NODE_ENABLE", P.GRAPH_EXEC_NODE_ENABLE_EXEC, "exec", INVALID_VALUE, 0],
  ["CAPTURE_BEGIN", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["CAPTURE_END", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["CAPTURE_INFO", P.REQUEST_STREAM, "stream", INVALID_HANDLE, 0],
  ["ARRAY_DESTROY", P.ARRAY_DESTROY_ARRAY, "array", INVALID_HANDLE, 0],
  ["ARRAY_INFO", P.ARRAY_INFO_ARRAY, "array", INVALID_HANDLE, 0],
  ["TEXTURE_CREATE", P.TEXTURE_CREATE_ARRAY, "array", INVALID_HANDLE, 0],
];

/** What the field beside the one under test has to be for the command to get that far. */
function other(name: string, field: number): Kind {
  if (name === "LAUNCH") return "function";
  if (name === "GRAPH_ADD_NODE") return "graph";
  if (name === "GRAPH_EXEC_UPDATE") return field === P.GRAPH_EXEC_UPDATE_GRAPH ? "graph" : "exec";
  return name === "GRAPH_LAUNCH" ? "exec" : "event";
}

describe("handles", () => {
  test("of another kind, destroyed, of another context or made up: each command says no", () => {
    const bench = new Bench();
    const primary = bench.context;
    bench.call(P.COMMAND_CONTEXT_CREATE);
    bench.context = bench.get32(P.CONTEXT_CREATE_CONTEXT);
    const foreign = makeAll(bench);
    bench.context = primary;
    const own = makeAll(bench);
    const gone = makeAll(bench);
    destroyAll(bench, gone);
    const variable = new Uint8Array(P.REQUEST_SIZE + 200);
    for (const [name, field, kind, error, beside] of ENTRIES) {
      const command = (P as unknown as Record<string, number>)[`COMMAND_${name}`]!;
      const wrong: [string, number][] = [
        ["made up", 0xfffffff0],
        ["below all handles", 77],
        ["destroyed", gone[kind]],
        ["the context's own", bench.context],
      ];
      // Events may be waited for and recorded across contexts.
      if (kind !== "event") wrong.push(["foreign", foreign[kind]]);
      for (const [otherKind, handle] of Object.entries(own)) {
        if (otherKind !== kind) wrong.push([otherKind, handle]);
      }
      for (const [what, handle] of wrong) {
        const fields: Record<number, number> = { [field]: handle };
        if (beside !== 0) fields[beside] = own[other(name, beside)];
        const said = bench.call(command, fields, {}, name === "MEMORY_COPY" ? undefined : variable);
        assert.equal(said, error, `${name} with ${what} as its ${kind}`);
      }
    }
    assert.equal(bench.sync(), 0);
    destroyAll(bench, own);
    bench.context = foreign.stream;
    assert.equal(bench.sync(), P.cudaErrorDeviceUninitialized);
  });
});
