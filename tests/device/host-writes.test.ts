/** Where the device tells a launch that others than kernels may write meanwhile. */
import assert from "node:assert/strict";
import { QueueGroup } from "../../runtime/device/groups.ts";
import type { Stream } from "../../runtime/device/stream.ts";
import * as P from "../../runtime/protocol/index.ts";
import { describe, test } from "../harness.ts";
import { Bench, pattern } from "./bench.ts";
import { Requests } from "./client.ts";

type Writes = { low: number; high: number } | undefined;

/** A machine with two threads; `seen` launches by the second and says what the kernel was told. */
function bench() {
  const first = new Bench();
  const second = new Requests(first.open({ thread: 4711 }));
  const fn = second.fn(second.load("// kernel look 0"), "look");
  let writes: Writes;
  first.executor.bodies.set("look", (_request, host) => {
    writes = host.hostWrites?.();
    return undefined;
  });
  const seen = (): Writes => {
    assert.equal(second.launch(fn, new Uint8Array(0)), 0);
    assert.equal(second.sync(), 0);
    return writes;
  };
  return { first, second, seen };
}

describe("what may be written while a kernel runs", () => {
  test("nothing, if all memory is the device's", () => {
    const { first, seen } = bench();
    first.alloc(4096);
    assert.deepEqual(seen(), { low: 0, high: 0 });
  });

  test("pinned and managed memory, from the first to the end of the last", () => {
    const { first, seen } = bench();
    first.alloc(512);
    const pinned = first.alloc(512, P.MEMORY_HOST);
    first.alloc(512);
    const managed = first.alloc(512, P.MEMORY_MANAGED);
    first.alloc(512);
    const at = (pointer: number) => pointer - first.memory.base;
    assert.deepEqual(seen(), { low: at(pinned), high: at(managed) + 512 });
    assert.equal(first.free(pinned, P.MEMORY_HOST), 0);
    assert.deepEqual(seen(), { low: at(managed), high: at(managed) + 512 });
    assert.equal(first.free(managed), 0);
    assert.deepEqual(seen(), { low: 0, high: 0 });
  });

  test("anything, while a thread moves bytes of its own: until it sends something else", () => {
    const { first, seen } = bench();
    const to = first.alloc(8192);
    assert.equal(first.copyIn(to, pattern(8192)), 0);
    assert.equal(seen(), undefined);
    assert.equal(seen(), undefined);
    assert.equal(first.sync(), 0);
    assert.deepEqual(seen(), { low: 0, high: 0 });
    // What is copied to the host, and what follows its request, is moved by then.
    assert.equal(first.copyOut(new Uint8Array(8192), to), 0);
    assert.deepEqual(seen(), { low: 0, high: 0 });
    assert.equal(first.copyIn(to, pattern(64)), 0);
    assert.deepEqual(seen(), { low: 0, high: 0 });
  });

  test("anything, while a thread moves rows of its own", () => {
    const { first, seen } = bench();
    const to = first.alloc(8192);
    const box = new Uint8Array(P.BOX_SIZE);
    const view = new DataView(box.buffer);
    const set = (field: number, value: number) => P.writeU64(view, field, value);
    set(P.BOX_TARGET, to);
    for (const pitch of [P.BOX_TARGET_PITCH, P.BOX_SOURCE_PITCH]) set(pitch, 64);
    for (const slice of [P.BOX_TARGET_SLICE, P.BOX_SOURCE_SLICE]) set(slice, 4096);
    set(P.BOX_WIDTH, 60);
    set(P.BOX_HEIGHT, 64);
    set(P.BOX_DEPTH, 2);
    const fields = {
      [P.MEMORY_COPY_3D_KIND]: P.COPY_HOST_TO_DEVICE,
      [P.MEMORY_COPY_3D_FLAGS]: P.COPY_SOURCE_MAPPED,
    };
    assert.equal(first.call(P.COMMAND_MEMORY_COPY_3D, fields, {}, box, pattern(8192)), 0);
    assert.equal(seen(), undefined);
    assert.equal(first.sync(), 0);
    assert.deepEqual(seen(), { low: 0, high: 0 });
  });

  test("anything, from a copy's turn on, not from when it was asked for", () => {
    const { first, second, seen } = bench();
    // The thread that launches copies itself: its launch says that the bytes were moved.
    const to = second.alloc(8192);
    assert.equal(second.copyIn(to, pattern(8192)), 0);
    assert.deepEqual(seen(), { low: 0, high: 0 });
    assert.equal(first.sync(), 0);
  });

  test("anything, while a function of the host runs: it may be a copy", () => {
    const group = new QueueGroup(0);
    assert.equal(group.writes, false);
    group.hostCalls.set(7, {} as Stream);
    assert.equal(group.writes, true);
    group.hostCalls.delete(7);
    assert.equal(group.writes, false);
  });

  test("a guest with no end of threads that copy does not use up the host", () => {
    const { first, seen } = bench();
    const to = first.alloc(8192);
    for (let thread = 0; thread < 200; thread++) {
      const file = first.open({ thread: 10_000 + thread });
      assert.equal(new Requests(file).copyIn(to, pattern(8192)), 0);
    }
    assert.equal(seen(), undefined);
  });
});
