import assert from "node:assert/strict";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench } from "./bench.ts";

const bad = P.cudaErrorInvalidValue;

/** A bench with graphs, and a kernel that notes the number it is given. */
class Graphs extends Bench {
  readonly order: number[] = [];
  readonly called: number[];
  readonly mark: number;

  constructor() {
    const called: number[] = [];
    super({ hostCall: (data) => called.push(data) });
    this.called = called;
    this.mark = this.fn(this.load("// kernel mark 4"), "mark");
    this.executor.bodies.set("mark", ({ params }) => {
      this.order.push(params[0]!);
      return undefined;
    });
  }

  on(command: number, stream: number, fields: Record<number, number> = {}): number {
    return this.call(command, { [P.REQUEST_STREAM]: stream, ...fields });
  }

  graph(): number {
    assert.equal(this.call(P.COMMAND_GRAPH_CREATE), 0);
    return this.get32(P.GRAPH_CREATE_GRAPH);
  }

  stream(): number {
    const flags = { [P.STREAM_CREATE_FLAGS]: P.STREAM_NON_BLOCKING };
    assert.equal(this.call(P.COMMAND_STREAM_CREATE, flags), 0);
    return this.get32(P.STREAM_CREATE_STREAM);
  }

  event(): number {
    assert.equal(this.call(P.COMMAND_EVENT_CREATE), 0);
    return this.get32(P.EVENT_CREATE_EVENT);
  }

  /** A launch of `mark` as a recorded request. */
  marking(number: number): Uint8Array {
    const fields: Record<number, number> = {
      [P.LAUNCH_FUNCTION]: this.mark,
      [P.LAUNCH_PARAMETER_BYTES]: 4,
    };
    for (let i = 0; i < 6; i++) fields[P.LAUNCH_GRID_X + 4 * i] = 1;
    return request(P.COMMAND_LAUNCH, fields, {}, [number, 0, 0, 0]);
  }

  /** Adds a node. @returns its handle, or minus the error */
  add(graph: number, body: Uint8Array, after: number[] = [], child = 0): number {
    const variable = new Uint8Array(4 * after.length + body.length);
    variable.set(new Uint8Array(Uint32Array.from(after).buffer));
    variable.set(body, 4 * after.length);
    const fields = {
      [P.GRAPH_ADD_NODE_GRAPH]: graph,
      [P.GRAPH_ADD_NODE_DEPENDENCIES]: after.length,
      [P.GRAPH_ADD_NODE_REQUEST_BYTES]: body.length,
      [P.GRAPH_ADD_NODE_CHILD]: child,
    };
    const error = this.call(P.COMMAND_GRAPH_ADD_NODE, fields, {}, variable);
    return error === 0 ? this.get32(P.GRAPH_ADD_NODE_NODE) : -error;
  }

  instantiate(graph: number): number {
    const fields = { [P.GRAPH_INSTANTIATE_GRAPH]: graph };
    const error = this.call(P.COMMAND_GRAPH_INSTANTIATE, fields);
    return error === 0 ? this.get32(P.GRAPH_INSTANTIATE_EXEC) : -error;
  }

  run(exec: number, stream = 0): number[] {
    this.order.length = 0;
    const fields = { [P.REQUEST_STREAM]: stream, [P.GRAPH_LAUNCH_EXEC]: exec };
    assert.equal(this.call(P.COMMAND_GRAPH_LAUNCH, fields), 0);
    assert.equal(this.sync(), 0);
    return [...this.order];
  }

  list(object: number, what: number): number[] {
    const into = new Uint8Array(400);
    const fields = { [P.GRAPH_LIST_OBJECT]: object, [P.GRAPH_LIST_WHAT]: what };
    assert.equal(this.call(P.COMMAND_GRAPH_LIST, fields, {}, undefined, into), 0);
    const count = this.get32(P.GRAPH_LIST_COUNT) * (what === P.LIST_EDGES ? 2 : 1);
    return [...new Uint32Array(into.buffer, 0, count)];
  }

  edges(graph: number, pairs: number[], remove = 0): number {
    const fields = {
      [P.GRAPH_EDGES_GRAPH]: graph,
      [P.GRAPH_EDGES_COUNT]: pairs.length / 2,
      [P.GRAPH_EDGES_REMOVE]: remove,
    };
    const words = new Uint8Array(Uint32Array.from(pairs).buffer);
    return this.call(P.COMMAND_GRAPH_EDGES, fields, {}, words);
  }

  launchMark(number: number, stream: number): number {
    const params = new Uint8Array([number, 0, 0, 0]);
    return this.launch(this.mark, params, { [P.REQUEST_STREAM]: stream });
  }

  begin(stream: number, mode: number = P.CAPTURE_GLOBAL): number {
    return this.on(P.COMMAND_CAPTURE_BEGIN, stream, { [P.CAPTURE_BEGIN_MODE]: mode });
  }

  /** Ends a capture. @returns the graph, or minus the error */
  end(stream: number): number {
    const error = this.on(P.COMMAND_CAPTURE_END, stream);
    return error === 0 ? this.get32(P.CAPTURE_END_GRAPH) : -error;
  }
}

function request(
  command: number,
  fields: Record<number, number>,
  wide: Record<number, number> = {},
  variable: number[] = [],
): Uint8Array {
  const bytes = new Uint8Array(P.REQUEST_SIZE + variable.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(P.REQUEST_COMMAND, command, true);
  for (const [field, value] of Object.entries(fields)) view.setUint32(Number(field), value, true);
  for (const [field, value] of Object.entries(wide)) P.writeU64(view, Number(field), value);
  bytes.set(variable, P.REQUEST_SIZE);
  return bytes;
}

describe("graphs built by hand", () => {
  test("run in the order of their edges, as often as they are launched", () => {
    const bench = new Graphs();
    const graph = bench.graph();
    const c = bench.add(graph, bench.marking(3));
    const a = bench.add(graph, bench.marking(1));
    const b = bench.add(graph, bench.marking(2), [a]);
    assert.equal(bench.edges(graph, [b, c]), 0);
    const exec = bench.instantiate(graph);
    assert.deepEqual(bench.run(exec), [1, 2, 3]);
    assert.deepEqual(bench.run(exec, bench.stream()), [1, 2, 3]);
    assert.deepEqual(bench.list(graph, P.LIST_NODES), [c, a, b]);
    assert.deepEqual(bench.list(graph, P.LIST_ROOTS), [a]);
    assert.deepEqual(bench.list(graph, P.LIST_EDGES), [a, b, b, c]);
    assert.deepEqual(bench.list(c, P.LIST_DEPENDENCIES), [b]);
    assert.deepEqual(bench.list(a, P.LIST_DEPENDENTS), [b]);
    assert.equal(bench.edges(graph, [c, a]), 0);
    assert.equal(bench.instantiate(graph), -bad, "a cycle");
    assert.equal(bench.edges(graph, [c, a], 1), 0);
    assert.equal(bench.edges(graph, [c, a], 1), bad, "no such edge");
    assert.equal(bench.edges(graph, [a, b]), bad, "there already");
    assert.equal(bench.edges(graph, [a, a]), bad);
    assert.ok(bench.instantiate(graph) > 0);
  });

  test("copies, fills, host functions, events and empty nodes are nodes too", () => {
    const bench = new Graphs();
    const graph = bench.graph();
    const from = bench.alloc(64);
    const to = bench.alloc(64);
    const set = bench.add(
      graph,
      request(
        P.COMMAND_MEMORY_SET,
        { [P.MEMORY_SET_VALUE]: 9, [P.MEMORY_SET_WIDTH]: 1 },
        { [P.MEMORY_SET_TARGET]: from, [P.MEMORY_SET_COUNT]: 64 },
      ),
    );
    const empty = bench.add(graph, new Uint8Array(0), [set]);
    const copy = bench.add(
      graph,
      request(
        P.COMMAND_MEMORY_COPY,
        { [P.MEMORY_COPY_KIND]: P.COPY_DEFAULT },
        { [P.MEMORY_COPY_TARGET]: to, [P.MEMORY_COPY_SOURCE]: from, [P.MEMORY_COPY_BYTES]: 64 },
      ),
      [empty],
    );
    const event = bench.event();
    const record = request(P.COMMAND_EVENT_RECORD, { [P.EVENT_RECORD_EVENT]: event });
    bench.add(graph, record, [copy]);
    const call = request(P.COMMAND_HOST_CALL, {}, { [P.HOST_CALL_DATA]: 77 });
    const host = bench.add(graph, call, [copy]);
    assert.deepEqual(bench.run(bench.instantiate(graph)), []);
    assert.deepEqual(bench.called, [77]);
    const back = new Uint8Array(64);
    bench.copyOut(back, to);
    assert.deepEqual(back, new Uint8Array(64).fill(9));
    const ask = { [P.GRAPH_NODE_GET_NODE]: host };
    const into = new Uint8Array(100);
    assert.equal(bench.call(P.COMMAND_GRAPH_NODE_GET, ask, {}, undefined, into), 0);
    assert.equal(bench.get32(P.GRAPH_NODE_GET_TYPE), P.NODE_HOST);
    assert.deepEqual(into.subarray(0, bench.get32(P.GRAPH_NODE_GET_REQUEST_BYTES)), call);
  });

  test("instantiation is a snapshot; updates and node parameters change it", () => {
    const bench = new Graphs();
    const graph = bench.graph();
    const a = bench.add(graph, bench.marking(1));
    const b = bench.add(graph, bench.marking(2), [a]);
    const exec = bench.instantiate(graph);
    const nodeSet = (node: number, body: Uint8Array): number =>
      bench.call(
        P.COMMAND_GRAPH_NODE_SET,
        { [P.GRAPH_NODE_SET_NODE]: node, [P.GRAPH_NODE_SET_REQUEST_BYTES]: body.length },
        {},
        body,
      );
    assert.equal(nodeSet(a, bench.marking(10)), 0);
    assert.deepEqual(bench.run(exec), [1, 2]);
    const update = (other: number): number =>
      bench.call(P.COMMAND_GRAPH_EXEC_UPDATE, {
        [P.GRAPH_EXEC_UPDATE_EXEC]: exec,
        [P.GRAPH_EXEC_UPDATE_GRAPH]: other,
      });
    assert.equal(update(graph), 0);
    assert.deepEqual(bench.run(exec), [10, 2]);
    const body = bench.marking(20);
    const execSet = {
      [P.GRAPH_EXEC_NODE_SET_EXEC]: exec,
      [P.GRAPH_EXEC_NODE_SET_NODE]: b,
      [P.GRAPH_EXEC_NODE_SET_REQUEST_BYTES]: body.length,
    };
    assert.equal(bench.call(P.COMMAND_GRAPH_EXEC_NODE_SET, execSet, {}, body), 0);
    assert.deepEqual(bench.run(exec), [10, 20]);
    const enable = (node: number, set: number): number =>
      bench.call(P.COMMAND_GRAPH_EXEC_NODE_ENABLE, {
        [P.GRAPH_EXEC_NODE_ENABLE_EXEC]: exec,
        [P.GRAPH_EXEC_NODE_ENABLE_NODE]: node,
        [P.GRAPH_EXEC_NODE_ENABLE_SET]: set,
      });
    assert.equal(enable(a, 0), 0);
    assert.deepEqual(bench.run(exec), [20]);
    assert.equal(enable(a, 2), 0);
    assert.equal(bench.get32(P.GRAPH_EXEC_NODE_ENABLE_ENABLED), 0);
    assert.equal(enable(a, 3), bad);
    const other = bench.graph();
    const first = bench.add(other, bench.marking(1));
    bench.add(other, bench.marking(2));
    assert.equal(update(other), P.cudaErrorGraphExecUpdateFailure);
    assert.equal(bench.get32(P.GRAPH_EXEC_UPDATE_RESULT), P.UPDATE_TOPOLOGY_CHANGED);
    bench.call(P.COMMAND_GRAPH_NODE_DESTROY, { [P.GRAPH_NODE_DESTROY_NODE]: first });
    bench.add(other, new Uint8Array(0));
    assert.equal(update(other), P.cudaErrorGraphExecUpdateFailure);
    assert.equal(bench.get32(P.GRAPH_EXEC_UPDATE_RESULT), P.UPDATE_NODE_TYPE_CHANGED);
  });

  test("clones and child graphs are copies", () => {
    const bench = new Graphs();
    const inner = bench.graph();
    const innerNode = bench.add(inner, bench.marking(5));
    const outer = bench.graph();
    const first = bench.add(outer, bench.marking(4));
    const child = bench.add(outer, new Uint8Array(0), [first], inner);
    bench.add(outer, bench.marking(6), [child]);
    assert.equal(bench.call(P.COMMAND_GRAPH_CLONE, { [P.GRAPH_CLONE_SOURCE]: outer }), 0);
    const copy = bench.get32(P.GRAPH_CLONE_GRAPH);
    const find = {
      [P.GRAPH_FIND_IN_CLONE_NODE]: first,
      [P.GRAPH_FIND_IN_CLONE_CLONE]: copy,
    };
    assert.equal(bench.call(P.COMMAND_GRAPH_FIND_IN_CLONE, find), 0);
    const twin = bench.get32(P.GRAPH_FIND_IN_CLONE_FOUND);
    assert.deepEqual(bench.list(copy, P.LIST_ROOTS), [twin]);
    bench.call(P.COMMAND_GRAPH_NODE_DESTROY, { [P.GRAPH_NODE_DESTROY_NODE]: innerNode });
    const destroy = { [P.GRAPH_DESTROY_GRAPH]: outer };
    assert.equal(bench.call(P.COMMAND_GRAPH_DESTROY, destroy), 0);
    assert.equal(bench.call(P.COMMAND_GRAPH_DESTROY, destroy), bad);
    assert.deepEqual(bench.run(bench.instantiate(copy)), [4, 5, 6]);
    assert.equal(bench.instantiate(outer), -bad);
    assert.equal(bench.add(copy, new Uint8Array(0), [], copy), -bad, "a graph in itself");
  });

  test("bad nodes are refused", () => {
    const bench = new Graphs();
    const graph = bench.graph();
    const other = bench.add(bench.graph(), bench.marking(1));
    const own = bench.add(graph, bench.marking(1));
    assert.equal(bench.add(graph, bench.marking(1), [other]), -bad, "another graph's node");
    assert.equal(bench.add(graph, bench.marking(1), [own, own]), -bad, "twice the same");
    assert.equal(bench.add(graph, request(P.COMMAND_START, {})), -bad, "no node command");
    assert.equal(bench.add(graph, new Uint8Array(10)), -bad, "no whole request");
    assert.equal(bench.add(12345, bench.marking(1)), -bad);
    const unknown = request(P.COMMAND_LAUNCH, { [P.LAUNCH_FUNCTION]: 3 });
    assert.equal(bench.add(graph, unknown), -P.cudaErrorInvalidResourceHandle);
    assert.equal(bench.list(graph, P.LIST_NODES).length, 1);
  });
});

describe("stream capture", () => {
  test("records instead of running, across streams that events join", () => {
    const bench = new Graphs();
    const a = bench.stream();
    const b = bench.stream();
    const fork = bench.event();
    const join = bench.event();
    const pointer = bench.alloc(64);
    assert.equal(bench.begin(a), 0);
    assert.equal(bench.launchMark(1, a), 0);
    bench.on(P.COMMAND_EVENT_RECORD, a, { [P.EVENT_RECORD_EVENT]: fork });
    bench.on(P.COMMAND_STREAM_WAIT_EVENT, b, { [P.STREAM_WAIT_EVENT_EVENT]: fork });
    assert.equal(bench.launchMark(2, b), 0);
    const async = { [P.REQUEST_STREAM]: b, [P.MEMORY_SET_FLAGS]: P.COPY_ASYNC };
    const set = bench.call(
      P.COMMAND_MEMORY_SET,
      { ...async, [P.MEMORY_SET_VALUE]: 3, [P.MEMORY_SET_WIDTH]: 1 },
      { [P.MEMORY_SET_TARGET]: pointer, [P.MEMORY_SET_COUNT]: 64 },
    );
    assert.equal(set, 0);
    assert.equal(bench.launchMark(3, a), 0);
    bench.on(P.COMMAND_EVENT_RECORD, b, { [P.EVENT_RECORD_EVENT]: join });
    bench.on(P.COMMAND_STREAM_WAIT_EVENT, a, { [P.STREAM_WAIT_EVENT_EVENT]: join });
    assert.equal(bench.launchMark(4, a), 0);
    assert.equal(bench.on(P.COMMAND_CAPTURE_INFO, b), 0);
    assert.equal(bench.get32(P.CAPTURE_INFO_STATUS), P.CAPTURE_STATUS_ACTIVE);
    assert.deepEqual(bench.order, [], "nothing has run");
    const graph = bench.end(a);
    assert.ok(graph > 0, `error ${-graph}`);
    assert.equal(bench.list(graph, P.LIST_NODES).length, 5);
    assert.equal(bench.list(graph, P.LIST_EDGES).length / 2, 5);
    assert.equal(bench.on(P.COMMAND_CAPTURE_INFO, b), 0);
    assert.equal(bench.get32(P.CAPTURE_INFO_STATUS), P.CAPTURE_STATUS_NONE);
    const order = bench.run(bench.instantiate(graph));
    assert.deepEqual([order[0], order[3]], [1, 4]);
    assert.deepEqual([...order].sort(), [1, 2, 3, 4]);
    const back = new Uint8Array(64);
    bench.copyOut(back, pointer);
    assert.equal(back[63], 3);
    assert.equal(bench.launchMark(9, b), 0);
    assert.equal(bench.order.at(-1), 9, "the streams work as before");
  });

  test("what CUDA forbids meanwhile is refused and invalidates the capture", () => {
    const cases: [string, number, (bench: Graphs, s: number) => number][] = [
      [
        "synchronise the stream",
        P.cudaErrorStreamCaptureUnsupported,
        (bench, s) => bench.on(P.COMMAND_STREAM_SYNCHRONIZE, s),
      ],
      [
        "query the stream",
        P.cudaErrorStreamCaptureUnsupported,
        (bench, s) => bench.on(P.COMMAND_STREAM_QUERY, s),
      ],
      ["synchronise the context", P.cudaErrorStreamCaptureUnsupported, (bench) => bench.sync()],
      [
        "allocate",
        P.cudaErrorStreamCaptureUnsupported,
        (bench) =>
          bench.call(
            P.COMMAND_MEMORY_ALLOC,
            { [P.MEMORY_ALLOC_KIND]: P.MEMORY_DEVICE },
            { [P.MEMORY_ALLOC_BYTES]: 100 },
          ),
      ],
      [
        "copy and wait",
        P.cudaErrorStreamCaptureUnsupported,
        (bench, s) => bench.call(P.COMMAND_MEMORY_COPY, { [P.REQUEST_STREAM]: s }),
      ],
      [
        "query a captured event",
        P.cudaErrorCapturedEvent,
        (bench, s) => {
          const event = bench.event();
          bench.on(P.COMMAND_EVENT_RECORD, s, { [P.EVENT_RECORD_EVENT]: event });
          return bench.call(P.COMMAND_EVENT_QUERY, { [P.EVENT_QUERY_EVENT]: event });
        },
      ],
    ];
    for (const [name, error, act] of cases) {
      const bench = new Graphs();
      const s = bench.stream();
      assert.equal(bench.begin(s), 0);
      assert.equal(act(bench, s), error, name);
      assert.equal(bench.launchMark(1, s), P.cudaErrorStreamCaptureInvalidated, name);
      assert.equal(bench.end(s), -P.cudaErrorStreamCaptureInvalidated, name);
      assert.equal(bench.launchMark(1, s), 0, name);
      assert.deepEqual(bench.order, [1], name);
    }
  });

  test("the legacy stream, other work, other captures, other threads", () => {
    const bench = new Graphs();
    assert.equal(bench.begin(P.STREAM_LEGACY), P.cudaErrorStreamCaptureUnsupported);
    assert.equal(bench.call(P.COMMAND_STREAM_CREATE), 0);
    const blocking = bench.get32(P.STREAM_CREATE_STREAM);
    assert.equal(bench.begin(blocking), 0);
    assert.equal(bench.begin(blocking), P.cudaErrorIllegalState);
    assert.equal(bench.launchMark(1, P.STREAM_DEFAULT), P.cudaErrorStreamCaptureImplicit);
    assert.equal(bench.end(blocking), -P.cudaErrorStreamCaptureInvalidated);

    const a = bench.stream();
    const b = bench.stream();
    const event = bench.event();
    bench.on(P.COMMAND_EVENT_RECORD, b, { [P.EVENT_RECORD_EVENT]: event });
    bench.begin(a);
    const wait = { [P.STREAM_WAIT_EVENT_EVENT]: event };
    const isolation = bench.on(P.COMMAND_STREAM_WAIT_EVENT, a, wait);
    assert.equal(isolation, P.cudaErrorStreamCaptureIsolation);
    bench.end(a);

    bench.begin(a);
    bench.begin(b);
    bench.on(P.COMMAND_EVENT_RECORD, a, { [P.EVENT_RECORD_EVENT]: event });
    const merge = bench.on(P.COMMAND_STREAM_WAIT_EVENT, b, wait);
    assert.equal(merge, P.cudaErrorStreamCaptureMerge);
    bench.end(a);
    bench.end(b);

    bench.begin(a);
    bench.launchMark(1, a);
    bench.on(P.COMMAND_EVENT_RECORD, a, { [P.EVENT_RECORD_EVENT]: event });
    bench.on(P.COMMAND_STREAM_WAIT_EVENT, b, wait);
    bench.launchMark(2, b);
    assert.equal(bench.end(b), -P.cudaErrorStreamCaptureUnmatched);
    assert.equal(bench.end(a), -P.cudaErrorStreamCaptureUnjoined);
    assert.equal(bench.end(a), -P.cudaErrorIllegalState);
    assert.equal(bench.begin(a, 3), bad);
    bench.begin(a, P.CAPTURE_RELAXED);
    assert.ok(bench.alloc(100) > 0, "relaxed mode allows what is unsafe");
    assert.ok(bench.end(a) > 0);
  });

  test("regression: a stream that joined may be destroyed before the capture ends", () => {
    const bench = new Graphs();
    const [a, b] = [bench.stream(), bench.stream()];
    const [forked, joined] = [bench.event(), bench.event()];
    bench.begin(a);
    bench.on(P.COMMAND_EVENT_RECORD, a, { [P.EVENT_RECORD_EVENT]: forked });
    bench.on(P.COMMAND_STREAM_WAIT_EVENT, b, { [P.STREAM_WAIT_EVENT_EVENT]: forked });
    bench.on(P.COMMAND_EVENT_RECORD, b, { [P.EVENT_RECORD_EVENT]: joined });
    bench.on(P.COMMAND_STREAM_WAIT_EVENT, a, { [P.STREAM_WAIT_EVENT_EVENT]: joined });
    assert.equal(bench.call(P.COMMAND_STREAM_DESTROY, { [P.REQUEST_STREAM]: b }), 0);
    assert.ok(bench.end(a) > 0);
    const c = bench.stream();
    bench.begin(c);
    assert.equal(bench.call(P.COMMAND_STREAM_DESTROY, { [P.REQUEST_STREAM]: c }), 0);
    assert.equal(bench.end(c), -P.cudaErrorInvalidResourceHandle);
  });

  test("memory that a graph allocates and frees goes with the graph's last user", () => {
    const bench = new Graphs();
    const { device } = bench.machine.gpu;
    const s = bench.stream();
    const before = device.allocations.free(0);
    bench.begin(s);
    const alloc = bench.call(
      P.COMMAND_MEMORY_ALLOC_ASYNC,
      { [P.REQUEST_STREAM]: s },
      { [P.MEMORY_ALLOC_ASYNC_BYTES]: 1000 },
    );
    assert.equal(alloc, 0);
    const pointer = bench.get64(P.MEMORY_ALLOC_ASYNC_ADDRESS);
    bench.call(
      P.COMMAND_MEMORY_SET,
      {
        [P.REQUEST_STREAM]: s,
        [P.MEMORY_SET_WIDTH]: 1,
        [P.MEMORY_SET_VALUE]: 8,
        [P.MEMORY_SET_FLAGS]: P.COPY_ASYNC,
      },
      { [P.MEMORY_SET_TARGET]: pointer, [P.MEMORY_SET_COUNT]: 1000 },
    );
    const free = bench.call(
      P.COMMAND_MEMORY_FREE_ASYNC,
      { [P.REQUEST_STREAM]: s },
      { [P.MEMORY_FREE_ASYNC_ADDRESS]: pointer },
    );
    assert.equal(free, 0);
    const graph = bench.end(s);
    const exec = bench.instantiate(graph);
    bench.run(exec);
    bench.run(exec);
    bench.call(P.COMMAND_GRAPH_DESTROY, { [P.GRAPH_DESTROY_GRAPH]: graph });
    assert.equal(device.allocations.free(0), before - 1024);
    bench.run(exec);
    bench.call(P.COMMAND_GRAPH_EXEC_DESTROY, { [P.GRAPH_EXEC_DESTROY_EXEC]: exec });
    assert.equal(device.allocations.free(0), before);
  });

  test("a graph that is launched into a capturing stream becomes a child", () => {
    const bench = new Graphs();
    const inner = bench.graph();
    bench.add(inner, bench.marking(2), [bench.add(inner, bench.marking(1))]);
    const innerExec = bench.instantiate(inner);
    const s = bench.stream();
    bench.begin(s);
    const launch = { [P.GRAPH_LAUNCH_EXEC]: innerExec };
    assert.equal(bench.on(P.COMMAND_GRAPH_LAUNCH, s, launch), 0);
    bench.launchMark(3, s);
    const graph = bench.end(s);
    assert.equal(bench.list(graph, P.LIST_NODES).length, 2);
    assert.deepEqual(bench.run(bench.instantiate(graph)), [1, 2, 3]);
  });
});
