import assert from "node:assert/strict";
import { ContextOutput } from "../../runtime/device/output.ts";
import { AllocationList } from "../../runtime/driver/allocation-list.ts";
import { POLLERR, POLLIN } from "../../runtime/driver/index.ts";
import * as P from "../../runtime/protocol/index.ts";
import { VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED } from "../../runtime/virtio/index.ts";
import { Bench, pattern } from "../device/bench.ts";
import { Requests } from "../device/client.ts";
import { describe, test } from "../harness.ts";

const events = 1n << BigInt(P.WARPRING_F_EVENTS);

describe("open files", () => {
  test("release frees all that the opener left and nothing that others have", () => {
    const bench = new Bench();
    const { allocations, contexts } = bench.machine.gpu.device;
    const kept = bench.alloc(1000);
    const before = allocations.free(0);
    const other = new Requests(bench.open());
    assert.equal(other.context, bench.context, "the primary context is shared");
    for (let i = 0; i < 1000; i++) other.alloc(500, i % 3 ? P.MEMORY_DEVICE : P.MEMORY_HOST);
    assert.equal(allocations.count, 1001);
    assert.equal(other.file.release(), 0);
    assert.equal(allocations.free(0), before);
    assert.equal(bench.copyIn(kept, pattern(1000)), 0);
    assert.equal(other.file.release(), 0, "a second release does nothing");
    assert.equal(bench.file.release(), 0);
    assert.equal(allocations.count, 0);
    assert.equal(contexts.size, 0);
    assert.equal(bench.machine.driver.users, 0);
  });

  test("an address that was freed by another and given out anew is not freed by release", () => {
    const bench = new Bench();
    const other = new Requests(bench.open());
    const pointer = other.alloc(1000);
    assert.equal(bench.free(pointer), 0);
    assert.equal(bench.alloc(1000), pointer);
    other.file.release();
    assert.equal(bench.copyIn(pointer, pattern(1000)), 0);
  });

  test("the device can be opened again after the last release", () => {
    const bench = new Bench();
    bench.file.release();
    const again = new Requests(bench.open());
    assert.equal(again.free(again.alloc(100)), 0);
    assert.equal(again.file.release(), 0);
  });

  test("release after a fault leaves nothing behind either", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load("// kernel k 0"), "k");
    bench.executor.bodies.set("k", () => {
      throw new Error("broken");
    });
    bench.alloc(1000);
    bench.launch(fn, new Uint8Array(0));
    assert.equal(bench.sync(), P.cudaErrorLaunchFailure);
    assert.equal(bench.file.release(), 0);
    assert.equal(bench.machine.gpu.device.allocations.count, 0);
    assert.equal(bench.executor.loaded, 0);
  });

  test("contexts of one's own are separate, and go with their opener", () => {
    const bench = new Bench();
    bench.call(P.COMMAND_CONTEXT_CREATE);
    const own = bench.get32(P.CONTEXT_CREATE_CONTEXT);
    assert.notEqual(own, bench.context);
    const primary = bench.context;
    bench.context = own;
    const module = bench.load("// kernel k 0");
    bench.context = primary;
    assert.equal(bench.getFunction(module, "k"), P.cudaErrorInvalidResourceHandle);
    bench.context = own;
    assert.equal(bench.call(P.COMMAND_CONTEXT_DESTROY), 0);
    assert.equal(bench.call(P.COMMAND_MEMORY_ALLOC), P.cudaErrorDeviceUninitialized);
    assert.equal(bench.executor.loaded, 0);
  });
});

describe("ioctl", () => {
  test("errno: no such request, argument too small, host array too small, closed file", () => {
    const { file, arg, ...bench } = new Bench();
    assert.ok(bench.context);
    assert.equal(file.ioctl(12, arg), -P.ENOTTY);
    assert.equal(file.ioctl(P.IOCTL_BASE + 255, arg), -P.ENOTTY);
    assert.equal(file.ioctl(P.IOCTL_BASE + P.COMMAND_START, arg), -P.ENOTTY, "the driver's own");
    const small = new DataView(new ArrayBuffer(P.ARG_RESPONSE + 4));
    assert.equal(file.ioctl(P.IOCTL_BASE + P.COMMAND_MEMORY_INFO, small), -P.EFAULT);
    P.writeU64(arg, P.MEMORY_COPY_BYTES, 100);
    const copy = P.IOCTL_BASE + P.COMMAND_MEMORY_COPY;
    assert.equal(file.ioctl(copy, arg, new Uint8Array(99)), -P.EFAULT);
    file.release();
    assert.equal(file.ioctl(P.IOCTL_BASE + P.COMMAND_MEMORY_INFO, arg), -P.EBADF);
    assert.equal(file.mmap(file.pointerBase + (100 << 20), 1), -P.EBADF);
    assert.equal(file.poll(), POLLERR);
  });

  test("an image that guest RAM cannot hold goes by pinned memory, which is freed again", () => {
    const bench = new Bench();
    const { allocations } = bench.machine.gpu.device;
    const before = allocations.count;
    const module = bench.load(`${"// long line of a long file\n".repeat(400_000)}// kernel k 8`);
    assert.equal(bench.getFunction(module, "k"), 0);
    assert.equal(allocations.count, before);
    const small = new Bench({ memoryBytes: 1 << 20 });
    assert.throws(() => small.load("// long\n".repeat(400_000)), /errno 12/);
    assert.equal(small.free(small.alloc(100)), 0);
  });

  test("what guest RAM cannot hold is refused with ENOMEM and breaks nothing", () => {
    const bench = new Bench();
    const name = new Uint8Array(9 << 20);
    bench.arg.setUint32(P.REQUEST_CONTEXT, bench.context, true);
    const get = P.IOCTL_BASE + P.COMMAND_FUNCTION_GET;
    assert.equal(bench.file.ioctl(get, bench.arg, name), -P.ENOMEM);
    for (let i = 0; i < 20; i++) bench.load(`// kernel k 0\n${"// long\n".repeat(100_000)}`);
    assert.equal(bench.free(bench.alloc(100)), 0);
  });

  test("the caller's thread id is in every request", () => {
    const bench = new Bench();
    const a = new Requests(bench.open({ thread: 4711 }));
    const context = bench.machine.gpu.device.contexts.get(bench.context)!;
    assert.equal(a.call(P.COMMAND_STREAM_QUERY, { [P.REQUEST_STREAM]: P.STREAM_PER_THREAD }), 0);
    assert.equal(context.stream(P.STREAM_PER_THREAD, 4711)!.handle, P.STREAM_PER_THREAD);
    assert.equal(context.streams().length, 2, "the legacy one and that of thread 4711");
  });
});

describe("mappings and events", () => {
  test("virtToPhys knows guest memory from other arrays", () => {
    const bench = new Bench();
    const pointer = bench.alloc(100, P.MEMORY_HOST);
    const view = bench.file.mmap(pointer, 100) as Uint8Array;
    assert.equal(bench.file.virtToPhys(view), pointer - bench.file.pointerBase);
    assert.equal(
      bench.file.virtToPhys(new Float32Array(view.buffer, view.byteOffset + 4, 2)),
      pointer + 4 - bench.file.pointerBase,
    );
    assert.equal(bench.file.virtToPhys(new Uint8Array(100)), -P.EFAULT);
    const { start } = bench.memory.map.guestRam;
    assert.equal(bench.file.mmap(bench.file.pointerBase + start, 10), -P.EFAULT);
    assert.equal(bench.file.mmap(pointer, 2 ** 40), -P.EFAULT);
    assert.equal(bench.file.mmap(0, 1), -P.EFAULT);
  });

  test("poll delivers what the device has said meanwhile", () => {
    const bench = new Bench();
    const { device } = bench.machine.gpu;
    assert.equal(bench.file.poll(), 0);
    const context = device.contexts.get(bench.context)!;
    context.output.print(new TextEncoder().encode("unasked"));
    device.deliver(context, device.groups[0]!);
    assert.equal(bench.file.poll(), POLLIN);
    assert.deepEqual(bench.stdout, ["unasked"]);
    assert.equal(bench.file.poll(), 0);
  });

  test("more output than the event buffers hold arrives whole before the answer", () => {
    const bench = new Bench();
    const fn = bench.fn(bench.load("// kernel k 0"), "k");
    const line = `${"y".repeat(99)}\n`;
    bench.executor.bodies.set("k", (_request, host) => {
      for (let i = 0; i < 5000; i++) host.print(new TextEncoder().encode(line));
      return undefined;
    });
    bench.launch(fn, new Uint8Array(0));
    assert.equal(bench.sync(), 0);
    assert.equal(bench.stdout.join("").length, 500_000);
  });

  test("output that nobody takes is bounded, and its loss is said", () => {
    const output = new ContextOutput(1, 10_000);
    for (let i = 0; i < 300; i++) output.print(new Uint8Array(100).fill(65));
    assert.equal(output.bytes, 10_000);
    const events = output.take();
    const text = events.map(({ bytes }) => new TextDecoder().decode(bytes));
    assert.equal(events.filter(({ value }) => value === 1).length, 3);
    assert.match(text.at(-1)!, /^20000 bytes of printf output were lost/);
    assert.ok(output.empty);
  });

  test("without the event feature the device works and prints nothing", () => {
    const bench = new Bench({ without: events });
    const fn = bench.fn(bench.load("// kernel k 0"), "k");
    bench.executor.bodies.set("k", (_request, host) => {
      host.print(new TextEncoder().encode("x"));
      return undefined;
    });
    bench.launch(fn, new Uint8Array(0));
    assert.equal(bench.sync(), 0);
    assert.deepEqual(bench.stdout, []);
    assert.equal(bench.call(P.COMMAND_HOST_CALL), P.cudaErrorNotSupported);
  });
});

describe("rings", () => {
  for (const [name, without] of [
    ["packed", 0n],
    ["split", VIRTIO_F_RING_PACKED],
    ["split without event index", VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX],
  ] as const) {
    test(`${name}: ten thousand requests, more than any queue holds`, () => {
      const bench = new Bench({ without });
      const pointer = bench.alloc(4096);
      const back = new Uint8Array(64);
      for (let i = 0; i < 10_000; i++) {
        const data = new Uint8Array(64).fill(i);
        if (bench.copyIn(pointer, data) !== 0 || bench.copyOut(back, pointer) !== 0) {
          assert.fail(`copy ${i}`);
        }
        if (back[63] !== (i & 0xff)) assert.fail(`bytes of copy ${i}`);
      }
      assert.deepEqual(bench.log, []);
    });
  }

  test("a device that breaks gives EIO, not a hang", () => {
    const bench = new Bench();
    const { gpu } = bench.machine;
    gpu.virtio.queue(P.QUEUE_CONTROL)!.breakQueue(1, 0);
    assert.throws(() => bench.call(P.COMMAND_MEMORY_INFO), /errno 5/);
    assert.equal(bench.file.poll() & POLLERR, POLLERR);
    assert.throws(() => bench.call(P.COMMAND_MEMORY_INFO), /errno 5/);
  });
});

describe("the list of allocations", () => {
  test("keeps what was added and not removed, over many blocks", () => {
    const list = new AllocationList();
    const held = new Map<number, number>();
    let state = 1;
    for (let i = 0; i < 20_000; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const address = 256 * (1 + ((state >>> 16) % 3000));
      if (held.has(address)) {
        assert.equal(list.remove(address), true);
        held.delete(address);
      } else {
        list.add(address, 2, i);
        held.set(address, i);
      }
    }
    assert.equal(list.remove(1), false);
    assert.equal(list.count, held.size);
    const drained = new Map(list.drain().map(({ address, serial }) => [address, serial]));
    assert.deepEqual([...drained].sort(), [...held].sort());
    assert.equal(list.count, 0);
  });
});
