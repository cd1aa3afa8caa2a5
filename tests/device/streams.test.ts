import assert from "node:assert/strict";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench, type BenchOptions } from "./bench.ts";

/** A bench with streams that can be made to stand still, and a kernel that notes its turn. */
class Streams extends Bench {
  readonly called: [number, number, number][];
  readonly order: number[] = [];
  readonly mark: number;

  constructor(options: BenchOptions = {}) {
    const called: [number, number, number][] = [];
    super({ ...options, hostCall: (data, error, stream) => called.push([data, error, stream]) });
    this.called = called;
    this.mark = this.fn(this.load("// kernel mark 4"), "mark");
    this.executor.bodies.set("mark", ({ params }) => {
      this.order.push(params[0]!);
      return undefined;
    });
  }

  stream(flags = 0, priority = 0): number {
    const error = this.call(P.COMMAND_STREAM_CREATE, {
      [P.STREAM_CREATE_FLAGS]: flags,
      [P.STREAM_CREATE_PRIORITY]: priority,
    });
    assert.equal(error, 0);
    return this.get32(P.STREAM_CREATE_STREAM);
  }

  on(command: number, stream: number, fields: Record<number, number> = {}): number {
    return this.call(command, { [P.REQUEST_STREAM]: stream, ...fields });
  }

  /** Launches a kernel that notes `number` when it runs. */
  note(stream: number, number: number): void {
    const params = new Uint8Array([number, 0, 0, 0]);
    assert.equal(this.launch(this.mark, params, { [P.REQUEST_STREAM]: stream }), 0);
  }

  event(flags = 0): number {
    assert.equal(this.call(P.COMMAND_EVENT_CREATE, { [P.EVENT_CREATE_FLAGS]: flags }), 0);
    return this.get32(P.EVENT_CREATE_EVENT);
  }

  /** Puts work into a stream directly that stands still until `go`. */
  block(stream: number): () => void {
    const { device } = this.machine.gpu;
    const context = device.contexts.get(this.context)!;
    const target = context.stream(stream, this.file.thread)!;
    context.scheduler.enqueue(target, { run: () => 1 });
    device.run();
    return () => {
      context.scheduler.finish(target);
      device.run();
    };
  }
}

describe("streams", () => {
  test("work in one stream is in order, and waits for what is before it", () => {
    const bench = new Streams();
    const s = bench.stream(P.STREAM_NON_BLOCKING);
    const go = bench.block(s);
    for (let i = 1; i <= 5; i++) bench.note(s, i);
    assert.deepEqual(bench.order, []);
    assert.equal(bench.on(P.COMMAND_STREAM_QUERY, s), P.cudaErrorNotReady);
    go();
    assert.deepEqual(bench.order, [1, 2, 3, 4, 5]);
    assert.equal(bench.on(P.COMMAND_STREAM_QUERY, s), 0);
    assert.equal(bench.on(P.COMMAND_STREAM_SYNCHRONIZE, s), 0);
  });

  test("the legacy default stream waits for blocking streams and they for it", () => {
    const bench = new Streams();
    const blocking = bench.stream();
    const free = bench.stream(P.STREAM_NON_BLOCKING);
    const go = bench.block(blocking);
    bench.note(P.STREAM_DEFAULT, 1);
    bench.note(free, 2);
    bench.note(P.STREAM_PER_THREAD, 3);
    assert.deepEqual(bench.order, [2], "3 waits for 1, which waits for the blocking stream");
    go();
    assert.deepEqual(bench.order, [2, 1, 3]);
    const legacy = bench.block(P.STREAM_LEGACY);
    bench.note(blocking, 4);
    bench.note(free, 5);
    assert.deepEqual(bench.order.slice(3), [5]);
    legacy();
    assert.deepEqual(bench.order.slice(3), [5, 4]);
  });

  test("streams of higher priority run first", () => {
    const bench = new Streams();
    const low = bench.stream(P.STREAM_NON_BLOCKING, 3);
    const high = bench.stream(P.STREAM_NON_BLOCKING, -100);
    const gate = bench.stream(P.STREAM_NON_BLOCKING);
    const event = bench.event();
    const go = bench.block(gate);
    bench.on(P.COMMAND_EVENT_RECORD, gate, { [P.EVENT_RECORD_EVENT]: event });
    for (const s of [low, high]) {
      bench.on(P.COMMAND_STREAM_WAIT_EVENT, s, { [P.STREAM_WAIT_EVENT_EVENT]: event });
    }
    bench.note(low, 1);
    bench.note(high, 2);
    go();
    assert.deepEqual(bench.order, [2, 1]);
    assert.equal(bench.on(P.COMMAND_STREAM_INFO, high), 0);
    assert.equal(bench.get32(P.STREAM_INFO_PRIORITY) | 0, P.STREAM_PRIORITY_GREATEST);
    assert.equal(bench.get32(P.STREAM_INFO_FLAGS), P.STREAM_NON_BLOCKING);
    assert.equal(bench.on(P.COMMAND_STREAM_INFO, low), 0);
    assert.equal(bench.get32(P.STREAM_INFO_PRIORITY), P.STREAM_PRIORITY_LEAST);
  });

  test("asynchronous copies and sets keep their place, and take the bytes at once", () => {
    const bench = new Streams();
    const s = bench.stream(P.STREAM_NON_BLOCKING);
    const pointer = bench.alloc(64);
    const other = bench.alloc(64);
    const go = bench.block(s);
    const data = new Uint8Array(64).fill(5);
    const async = { [P.REQUEST_STREAM]: s, [P.MEMORY_COPY_FLAGS]: P.COPY_ASYNC };
    assert.equal(bench.copyIn(pointer, data, async), 0);
    data.fill(6);
    assert.equal(bench.copy(other, pointer, 64, P.COPY_DEVICE_TO_DEVICE, async), 0);
    const set = bench.call(
      P.COMMAND_MEMORY_SET,
      {
        [P.REQUEST_STREAM]: s,
        [P.MEMORY_SET_VALUE]: 7,
        [P.MEMORY_SET_WIDTH]: 1,
        [P.MEMORY_SET_FLAGS]: P.COPY_ASYNC,
      },
      { [P.MEMORY_SET_TARGET]: pointer, [P.MEMORY_SET_COUNT]: 64 },
    );
    assert.equal(set, 0);
    const look = (at: number): number => (bench.file.mmap(at, 1) as Uint8Array)[0]!;
    assert.deepEqual([look(pointer), look(other)], [0, 0]);
    go();
    assert.deepEqual([look(pointer), look(other)], [7, 5]);
  });

  test("memory that is freed while work is queued goes back when the work is done", () => {
    const bench = new Streams();
    const s = bench.stream(P.STREAM_NON_BLOCKING);
    const pointer = bench.alloc(1024);
    const { device } = bench.machine.gpu;
    const before = device.allocations.free(0);
    const go = bench.block(s);
    // The request can only be answered once the stream goes on: nobody else runs here, so the
    // driver says that it would wait for ever.
    assert.throws(() => bench.free(pointer), /errno 35/);
    assert.equal(device.allocations.free(0), before);
    assert.equal(device.allocations.at(pointer), undefined);
    go();
    assert.equal(device.allocations.free(0), before + 1024);
  });

  test("default streams cannot be destroyed; a destroyed one is gone, its work is not", () => {
    const bench = new Streams();
    const bad = P.cudaErrorInvalidResourceHandle;
    for (const s of [P.STREAM_DEFAULT, P.STREAM_LEGACY, P.STREAM_PER_THREAD, 77, bench.event()]) {
      assert.equal(bench.on(P.COMMAND_STREAM_DESTROY, s), bad);
    }
    const s = bench.stream(P.STREAM_NON_BLOCKING);
    const go = bench.block(s);
    bench.note(s, 1);
    assert.equal(bench.on(P.COMMAND_STREAM_DESTROY, s), 0);
    assert.equal(bench.on(P.COMMAND_STREAM_QUERY, s), bad);
    go();
    assert.deepEqual(bench.order, [1]);
    const flags = { [P.STREAM_CREATE_FLAGS]: 2 };
    assert.equal(bench.call(P.COMMAND_STREAM_CREATE, flags), P.cudaErrorInvalidValue);
  });
});

describe("events", () => {
  test("an event is reached when its stream gets there; its latest record counts", () => {
    const bench = new Streams();
    const s = bench.stream(P.STREAM_NON_BLOCKING);
    const event = bench.event();
    const query = (): number => bench.call(P.COMMAND_EVENT_QUERY, { [P.EVENT_QUERY_EVENT]: event });
    assert.equal(query(), 0, "never recorded");
    const go = bench.block(s);
    bench.on(P.COMMAND_EVENT_RECORD, s, { [P.EVENT_RECORD_EVENT]: event });
    assert.equal(query(), P.cudaErrorNotReady);
    go();
    assert.equal(query(), 0);
    const again = { [P.EVENT_SYNCHRONIZE_EVENT]: event };
    assert.equal(bench.call(P.COMMAND_EVENT_SYNCHRONIZE, again), 0);
  });

  test("another stream waits for an event and for nothing else", () => {
    const bench = new Streams();
    const a = bench.stream(P.STREAM_NON_BLOCKING);
    const b = bench.stream(P.STREAM_NON_BLOCKING);
    const event = bench.event();
    const go = bench.block(a);
    bench.on(P.COMMAND_EVENT_RECORD, a, { [P.EVENT_RECORD_EVENT]: event });
    const later = bench.block(a);
    bench.note(b, 1);
    bench.on(P.COMMAND_STREAM_WAIT_EVENT, b, { [P.STREAM_WAIT_EVENT_EVENT]: event });
    bench.note(b, 2);
    assert.deepEqual(bench.order, [1]);
    go();
    assert.deepEqual(bench.order, [1, 2], "though the first stream stands still again");
    later();
  });

  test("an event of one context is waited for in another", () => {
    const bench = new Streams();
    const primary = bench.context;
    const { device } = bench.machine.gpu;
    const s = bench.stream(P.STREAM_NON_BLOCKING);
    const event = bench.event();
    const go = bench.block(s);
    bench.on(P.COMMAND_EVENT_RECORD, s, { [P.EVENT_RECORD_EVENT]: event });
    bench.call(P.COMMAND_CONTEXT_CREATE);
    bench.context = bench.get32(P.CONTEXT_CREATE_CONTEXT);
    const mark = bench.fn(bench.load("// kernel mark 4"), "mark");
    const wait = { [P.STREAM_WAIT_EVENT_EVENT]: event };
    assert.equal(bench.on(P.COMMAND_STREAM_WAIT_EVENT, 0, wait), 0);
    assert.equal(bench.launch(mark, new Uint8Array([1, 0, 0, 0])), 0);
    const asked = { [P.EVENT_SYNCHRONIZE_EVENT]: event };
    assert.throws(() => bench.call(P.COMMAND_EVENT_SYNCHRONIZE, asked), /errno 35/);
    assert.deepEqual(bench.order, []);
    assert.equal(bench.machine.gpu.virtio.queue(P.QUEUE_CONTROL)!.inFlight, 1);
    go();
    device.run();
    assert.deepEqual(bench.order, [1]);
    assert.equal(bench.machine.gpu.virtio.queue(P.QUEUE_CONTROL)!.inFlight, 0, "answered");
    assert.equal(bench.sync(), 0);
    bench.context = primary;
    assert.equal(bench.sync(), 0);
  });

  test("elapsed time is that of the device, and needs two recorded events with timing", () => {
    const bench = new Streams();
    const start = bench.event();
    const end = bench.event();
    const untimed = bench.event(P.EVENT_DISABLE_TIMING);
    const elapsed = (from: number, to: number): number =>
      bench.call(P.COMMAND_EVENT_ELAPSED, {
        [P.EVENT_ELAPSED_START]: from,
        [P.EVENT_ELAPSED_END]: to,
      });
    const record = (event: number): number =>
      bench.on(P.COMMAND_EVENT_RECORD, 0, { [P.EVENT_RECORD_EVENT]: event });
    assert.equal(elapsed(start, end), P.cudaErrorInvalidResourceHandle);
    record(start);
    const until = performance.now() + 5;
    while (performance.now() < until);
    record(end);
    record(untimed);
    assert.equal(elapsed(start, end), 0);
    const ms = bench.arg.getFloat32(P.ARG_RESPONSE + P.EVENT_ELAPSED_MILLISECONDS, true);
    assert.ok(ms >= 5 && ms < 1000, `${ms} ms`);
    assert.equal(elapsed(start, untimed), P.cudaErrorInvalidResourceHandle);
    const s = bench.stream(P.STREAM_NON_BLOCKING);
    const go = bench.block(s);
    bench.on(P.COMMAND_EVENT_RECORD, s, { [P.EVENT_RECORD_EVENT]: end });
    assert.equal(elapsed(start, end), P.cudaErrorNotReady);
    go();
    assert.equal(bench.call(P.COMMAND_EVENT_DESTROY, { [P.EVENT_DESTROY_EVENT]: end }), 0);
    assert.equal(elapsed(start, end), P.cudaErrorInvalidResourceHandle);
    const interprocess = { [P.EVENT_CREATE_FLAGS]: P.EVENT_INTERPROCESS };
    assert.equal(bench.call(P.COMMAND_EVENT_CREATE, interprocess), P.cudaErrorInvalidValue);
  });
});

describe("host functions", () => {
  test("are called in their turn, with their data, and the stream goes on after them", () => {
    const bench = new Streams();
    const s = bench.stream(P.STREAM_NON_BLOCKING);
    bench.note(s, 1);
    const call = (data: number): number =>
      bench.call(P.COMMAND_HOST_CALL, { [P.REQUEST_STREAM]: s }, { [P.HOST_CALL_DATA]: data });
    assert.equal(call(2 ** 40), 0);
    bench.note(s, 2);
    assert.equal(bench.sync(), 0);
    assert.deepEqual(bench.called, [[2 ** 40, 0, s]]);
    assert.deepEqual(bench.order, [1, 2]);
  });

  test("after a fault, callbacks get the error and host functions are not called", () => {
    const bench = new Streams();
    const s = bench.stream(P.STREAM_NON_BLOCKING);
    bench.executor.bodies.set("mark", () => {
      throw new Error("broken");
    });
    const go = bench.block(s);
    bench.note(s, 1);
    const call = (data: number, flags: number): number =>
      bench.call(
        P.COMMAND_HOST_CALL,
        { [P.REQUEST_STREAM]: s, [P.HOST_CALL_FLAGS]: flags },
        { [P.HOST_CALL_DATA]: data },
      );
    assert.equal(call(10, 0), 0);
    assert.equal(call(11, P.HOST_CALL_ALWAYS), 0);
    go();
    assert.equal(bench.sync(), P.cudaErrorLaunchFailure);
    bench.file.poll();
    assert.deepEqual(bench.called, [[11, P.cudaErrorLaunchFailure, s]]);
  });

  test("a ticket that was never given out is refused", () => {
    const bench = new Streams();
    const fields = { [P.HOST_CALL_DONE_TICKET]: 12345 };
    assert.equal(bench.call(P.COMMAND_HOST_CALL_DONE, fields), P.cudaErrorInvalidValue);
  });
});
