import assert from "node:assert/strict";
import { DeviceAttributes } from "../../runtime/device/properties.ts";
import { MAX_PENDING, MAX_RESOURCES } from "../../runtime/device/serve.ts";
import * as P from "../../runtime/protocol/index.ts";
import {
  DriverQueue,
  driverWorkspaceBytes,
  loadCore,
  STATUS_NEEDS_RESET,
  sgInitOne,
  virtqueueAddSgs,
  virtqueueGetBuf,
  virtqueueKick,
} from "../../runtime/virtio/index.ts";
import { describe, test } from "../harness.ts";
import { Bench } from "./bench.ts";

const core = await loadCore();
const GROUP = 3;

/** A driver of the test's own on queue group 3, which sends whatever bytes it likes. */
class RawDriver {
  readonly bench = new Bench();
  readonly queue: DriverQueue<string>;
  readonly ram: number;

  constructor(role: number = P.QUEUE_CONTROL) {
    const { map, memory } = this.bench.memory;
    const index = GROUP * P.QUEUES_PER_GROUP + role;
    const { gpu } = this.bench.machine;
    const share = map.guestRam.size / P.MAX_QUEUE_GROUPS;
    const base = map.guestRam.start + GROUP * share;
    this.ram = base + 65536;
    const size = 16;
    // The workspace's end belongs to the last group, which nobody uses here.
    const workspace = map.workspace.start + map.workspace.size - driverWorkspaceBytes({ size });
    this.queue = new DriverQueue<string>({
      core,
      memory,
      index,
      size,
      base,
      workspace: workspace - (workspace % 16),
      features: gpu.virtio.driverFeatures,
      notify: (_queue, data) => gpu.virtio.notify(data),
    });
    gpu.virtio.setQueue(index, { size, ...this.queue.addresses });
    assert.equal(gpu.virtio.enableQueue(index), true);
  }

  /** Sends bytes with room for an answer. @returns what the device wrote, or undefined */
  send(request: Uint8Array, room: number): Uint8Array | undefined {
    const { memory } = this.bench;
    memory.u8.set(request, this.ram);
    memory.u8.fill(0xee, this.ram + 8192, this.ram + 8192 + 4096);
    const out = request.length > 0 ? [sgInitOne(this.ram, request.length)] : [];
    const into = room > 0 ? [sgInitOne(this.ram + 8192, room)] : [];
    assert.equal(virtqueueAddSgs(this.queue, out, into, "token"), 0);
    virtqueueKick(this.queue);
    if (virtqueueGetBuf(this.queue) === undefined) return undefined;
    const after = memory.u8[this.ram + 8192 + room];
    assert.equal(after, 0xee, "nothing is written behind the buffer");
    return memory.bytes(this.ram + 8192, this.queue.usedLength).slice();
  }

  request(command: number, fields: Record<number, number> = {}): Uint8Array {
    const view = new DataView(new ArrayBuffer(P.REQUEST_SIZE));
    view.setUint32(P.REQUEST_COMMAND, command, true);
    view.setUint32(P.REQUEST_CONTEXT, this.bench.context, true);
    for (const [field, value] of Object.entries(fields)) {
      view.setUint32(Number(field), value, true);
    }
    return new Uint8Array(view.buffer);
  }

  start(): void {
    const fields = { [P.START_PROTOCOL_VERSION]: P.PROTOCOL_VERSION };
    const answer = this.send(this.request(P.COMMAND_START, fields), P.START_RESPONSE_SIZE)!;
    assert.equal(word(answer, P.RESPONSE_ERROR), 0);
  }
}

function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

describe("malformed requests", () => {
  test("short requests and short answers are refused with their detail", () => {
    const raw = new RawDriver();
    raw.start();
    const full = raw.request(P.COMMAND_MEMORY_INFO);
    for (let bytes = 1; bytes < P.REQUEST_SIZE; bytes += 7) {
      const answer = raw.send(full.subarray(0, bytes), 64)!;
      assert.equal(answer.length, P.RESPONSE_HEADER_SIZE);
      assert.equal(word(answer, P.RESPONSE_ERROR), P.cudaErrorInvalidValue);
      assert.equal(word(answer, P.RESPONSE_DETAIL), P.DETAIL_SHORT_REQUEST);
    }
    const short = raw.send(full, P.MEMORY_INFO_RESPONSE_SIZE - 1)!;
    assert.equal(word(short, P.RESPONSE_DETAIL), P.DETAIL_SHORT_RESPONSE);
    for (let room = 1; room < P.RESPONSE_HEADER_SIZE; room++) {
      assert.equal(raw.send(full, room)!.length, 0);
    }
    assert.equal(raw.send(new Uint8Array(0), 64)!.length, P.RESPONSE_HEADER_SIZE);
    assert.equal(word(raw.send(full, P.MEMORY_INFO_RESPONSE_SIZE)!, 0), 0);
  });

  test("unknown commands, unstarted groups and wrong versions", () => {
    const raw = new RawDriver();
    const info = raw.request(P.COMMAND_MEMORY_INFO);
    const early = raw.send(info, 64)!;
    assert.equal(word(early, P.RESPONSE_ERROR), P.cudaErrorInitializationError);
    assert.equal(word(early, P.RESPONSE_DETAIL), P.DETAIL_NOT_STARTED);
    const version = { [P.START_PROTOCOL_VERSION]: 99 };
    const wrong = raw.send(raw.request(P.COMMAND_START, version), 64)!;
    assert.equal(word(wrong, P.RESPONSE_DETAIL), P.DETAIL_VERSION);
    assert.equal(word(wrong, P.START_DEVICE_VERSION), P.PROTOCOL_VERSION);
    raw.start();
    for (const command of [0, 200, 0xffffffff]) {
      const answer = raw.send(raw.request(command), 64)!;
      assert.equal(word(answer, P.RESPONSE_ERROR), P.cudaErrorNotSupported);
      assert.equal(word(answer, P.RESPONSE_DETAIL), P.DETAIL_UNKNOWN_COMMAND);
    }
    const nobody = raw.request(P.COMMAND_MEMORY_ALLOC, { [P.REQUEST_CONTEXT]: 5 });
    const answer = raw.send(nobody, 64)!;
    assert.equal(word(answer, P.RESPONSE_ERROR), P.cudaErrorDeviceUninitialized);
  });

  test("a stream queue takes only stream-ordered commands", () => {
    const raw = new RawDriver(P.QUEUE_STREAM);
    const answer = raw.send(raw.request(P.COMMAND_START), 64)!;
    assert.equal(word(answer, P.RESPONSE_DETAIL), P.DETAIL_WRONG_QUEUE);
  });

  test("lengths that disagree with the buffers are refused", () => {
    const raw = new RawDriver();
    raw.start();
    const load = raw.request(P.COMMAND_MODULE_LOAD, { [P.MODULE_LOAD_BYTES]: 0xffffffff });
    const answer = raw.send(load, 64)!;
    assert.equal(word(answer, P.RESPONSE_ERROR), P.cudaErrorInvalidValue);
    assert.equal(word(answer, P.RESPONSE_DETAIL), P.DETAIL_BAD_LENGTH);
    const pointer = raw.bench.alloc(4096);
    const copy = new DataView(raw.request(P.COMMAND_MEMORY_COPY).buffer);
    P.writeU64(copy, P.MEMORY_COPY_TARGET, pointer);
    P.writeU64(copy, P.MEMORY_COPY_SOURCE, pointer);
    P.writeU64(copy, P.MEMORY_COPY_BYTES, 4096);
    copy.setUint32(P.MEMORY_COPY_KIND, P.COPY_DEFAULT, true);
    for (const flag of [P.COPY_SOURCE_INLINE, P.COPY_TARGET_INLINE]) {
      copy.setUint32(P.MEMORY_COPY_FLAGS, flag, true);
      const refused = raw.send(new Uint8Array(copy.buffer), 64)!;
      assert.equal(word(refused, P.RESPONSE_DETAIL), P.DETAIL_BAD_LENGTH);
    }
  });

  test("random requests never do more than answer", () => {
    const raw = new RawDriver();
    raw.start();
    let state = 12345;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 8;
    };
    let answered = 0;
    for (let i = 0; i < 3000; i++) {
      const request = raw.request(1 + (random() % 0x50));
      const view = new DataView(request.buffer);
      // STOP would only make the rest of the test pointless.
      if (view.getUint32(0, true) === P.COMMAND_STOP) continue;
      for (let at = P.REQUEST_STREAM; at < P.REQUEST_SIZE; at += 4) {
        const kind = random() % 4;
        const value =
          kind === 0 ? random() : kind === 1 ? random() % 8 : kind === 2 ? 0xffffffff : 0;
        view.setUint32(at, value, true);
      }
      if (raw.send(request, 8 + (random() % 1000)) !== undefined) answered++;
    }
    assert.ok(answered > 2900, `${answered} answers`);
    assert.equal(raw.bench.call(P.COMMAND_CONTEXT_RESET), 0);
    assert.equal(raw.bench.free(raw.bench.alloc(100)), 0);
    assert.equal(raw.bench.machine.gpu.virtio.status & STATUS_NEEDS_RESET, 0);
  });
});

describe("guests that only ask for more", () => {
  test("contexts, handles and waiting work are bounded", () => {
    const bench = new Bench();
    const primary = bench.context;
    let made = 0;
    while (bench.call(P.COMMAND_CONTEXT_CREATE) === 0 && made < 1000) made++;
    assert.equal(made, 255);
    assert.equal(bench.get32(P.RESPONSE_ERROR), P.cudaErrorMemoryAllocation);
    const again = { [P.CONTEXT_CREATE_FLAGS]: P.CONTEXT_PRIMARY };
    assert.equal(bench.call(P.COMMAND_CONTEXT_CREATE, again), 0);
    const context = bench.machine.gpu.device.contexts.get(primary)!;
    for (let i = 0; i < MAX_RESOURCES; i++) context.resources.set(-i, context);
    assert.equal(bench.call(P.COMMAND_EVENT_CREATE), P.cudaErrorMemoryAllocation);
    assert.equal(bench.call(P.COMMAND_GRAPH_CREATE), P.cudaErrorMemoryAllocation);
    context.resources.clear();
    assert.equal(bench.call(P.COMMAND_EVENT_CREATE), 0);
    context.scheduler.pending = MAX_PENDING;
    const many = P.cudaErrorLaunchPendingCountExceeded;
    assert.equal(bench.call(P.COMMAND_HOST_CALL), many);
    assert.equal(bench.call(P.COMMAND_LAUNCH), many);
    context.scheduler.pending = 0;
    assert.equal(bench.sync(), 0);
  });
});

describe("malformed rings", () => {
  test("a buffer outside guest RAM asks for a reset; other queues are served on", () => {
    const raw = new RawDriver();
    raw.start();
    const { gpu } = raw.bench.machine;
    const { start } = raw.bench.memory.map.deviceMemory;
    virtqueueAddSgs(raw.queue, [sgInitOne(start, 64)], [sgInitOne(0, 64)], "token");
    virtqueueKick(raw.queue);
    assert.notEqual(gpu.virtio.status & STATUS_NEEDS_RESET, 0);
    assert.equal(raw.bench.log.length, 1);
    assert.match(raw.bench.log[0]!, /outside guest memory/);
    assert.equal(raw.bench.free(raw.bench.alloc(100)), 0);
  });
});

describe("definitions", () => {
  test("command numbers are unique, and each command has a shape in the driver", async () => {
    const { COMMAND_SHAPES } = await import("../../runtime/driver/commands.ts");
    const { COMMANDS } = await import("../../runtime/device/commands/index.ts");
    const numbers = new Map<number, string>();
    for (const [name, value] of Object.entries(P)) {
      if (!name.startsWith("COMMAND_") || typeof value !== "number") continue;
      assert.equal(numbers.get(value), undefined, `${name} and ${numbers.get(value)}`);
      numbers.set(value, name);
      const command = COMMANDS[value];
      assert.ok(command, `${name} has no handler`);
      const own = value === P.COMMAND_START || value === P.COMMAND_STOP;
      assert.equal(COMMAND_SHAPES[value] === undefined, own, `${name} in the driver`);
      if (!own) {
        assert.equal(COMMAND_SHAPES[value]!.responseBytes, command.responseBytes, name);
        const { streamQueue } = COMMAND_SHAPES[value]!;
        assert.ok(!streamQueue || command.streamQueue, `${name} goes by the stream queue`);
      }
      assert.ok(command.responseBytes <= P.MAX_RESPONSE_SIZE, name);
    }
    assert.ok(numbers.size > 30);
  });

  test("64-bit fields are aligned, and survive values up to 2^53", () => {
    const view = new DataView(new ArrayBuffer(16));
    for (const value of [0, 1, 0xffffffff, 2 ** 32, 2 ** 47 + 12345, 2 ** 53 - 1]) {
      P.writeU64(view, 8, value);
      assert.equal(P.readU64(view, 8), value);
      assert.equal(view.getBigUint64(8, true), BigInt(value));
    }
    view.setBigUint64(8, 2n ** 64n - 1n, true);
    P.writeU64(view, 0, P.readU64(view, 8));
    assert.equal(view.getBigUint64(0, true), 2n ** 64n - 1n);
  });

  test("properties, attributes and config space agree", () => {
    const bench = new Bench({ multiprocessors: 5 });
    assert.equal(bench.call(P.COMMAND_DEVICE_PROPERTIES), 0);
    const values = new Map<number, number>();
    for (let i = 1; i < P.DEVICE_ATTRIBUTE_COUNT; i++) {
      const at = P.ARG_RESPONSE + P.DEVICE_PROPERTIES_ATTRIBUTES + 4 * i;
      values.set(i, bench.arg.getInt32(at, true));
    }
    const total = bench.get64(P.DEVICE_PROPERTIES_TOTAL_MEMORY);
    for (const [attribute, value] of values) {
      const fields = { [P.DEVICE_ATTRIBUTE_ATTRIBUTE]: attribute };
      const error = bench.call(P.COMMAND_DEVICE_ATTRIBUTE, fields);
      if (error !== 0) assert.equal(value, 0, `attribute ${attribute}`);
      else assert.equal(bench.get32(P.DEVICE_ATTRIBUTE_VALUE) | 0, value, `attribute ${attribute}`);
    }
    const unknown = { [P.DEVICE_ATTRIBUTE_ATTRIBUTE]: 9999 };
    assert.equal(bench.call(P.COMMAND_DEVICE_ATTRIBUTE, unknown), P.cudaErrorInvalidValue);
    const config = new DataView(new ArrayBuffer(P.CONFIG_SIZE));
    bench.machine.gpu.virtio.readConfig(0, new Uint8Array(config.buffer));
    const pairs: [number, number][] = [
      [P.CONFIG_MULTIPROCESSORS, P.cudaDevAttrMultiProcessorCount],
      [P.CONFIG_COMPUTE_MAJOR, P.cudaDevAttrComputeCapabilityMajor],
      [P.CONFIG_COMPUTE_MINOR, P.cudaDevAttrComputeCapabilityMinor],
      [P.CONFIG_WARP_SIZE, P.cudaDevAttrWarpSize],
      [P.CONFIG_MAX_THREADS_PER_BLOCK, P.cudaDevAttrMaxThreadsPerBlock],
      [P.CONFIG_MAX_SHARED_PER_BLOCK, P.cudaDevAttrMaxSharedMemoryPerBlockOptin],
    ];
    for (const [field, attribute] of pairs) {
      assert.equal(config.getUint32(field, true), values.get(attribute));
    }
    assert.equal(values.get(P.cudaDevAttrMultiProcessorCount), 5);
    assert.equal(P.readU64(config, P.CONFIG_MEMORY_SIZE), total);
    assert.equal(P.readU64(config, P.CONFIG_POINTER_BASE), bench.memory.base);
  });

  test("every attribute that CUDA names has a value", () => {
    const description = { name: "x", index: 0, multiprocessors: 1, memoryBytes: 1, timeoutMs: 0 };
    const attributes = new DeviceAttributes(description, 0);
    for (const [name, value] of Object.entries(P)) {
      if (!name.startsWith("cudaDevAttr")) continue;
      assert.notEqual(attributes.get(value as number), undefined, name);
    }
  });
});
