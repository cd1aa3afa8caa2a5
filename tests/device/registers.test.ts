// The vGPU behind virtio-mmio registers, as an emulator maps it, and a driver for it that is written
// from docs/device.md and the virtio standard alone: it uses their numbers, and none of our driver.

import assert from "node:assert/strict";
import { VirtioGpu } from "../../runtime/device/index.ts";
import { Executor, loadArtifacts } from "../../runtime/exec/index.ts";
import { GuestMemory, memoryMap } from "../../runtime/memory/index.ts";
import { loadCore, VirtioMmio } from "../../runtime/virtio/index.ts";
import { test } from "../harness.ts";

const core = await loadCore();
const artifacts = await loadArtifacts();

/** The machine of an emulator: memory, the device, and its register block. */
function makeMachine() {
  const small = memoryMap();
  const map = memoryMap({ bytes: small.deviceMemory.start + (16 << 20) });
  const memory = GuestMemory.create(map);
  const { guestRam, workspace } = map;
  const log: string[] = [];
  let line = false;
  const gpu: VirtioGpu = new VirtioGpu({
    memory,
    core,
    workspace: { start: workspace.start, size: workspace.size / 2 },
    regions: [{ guest: guestRam.start, size: guestRam.size, offset: guestRam.start }],
    description: {
      name: "emulated",
      index: 0,
      multiprocessors: 2,
      memoryBytes: map.deviceMemory.size,
      timeoutMs: 60_000,
    },
    executor: (host) => new Executor(host, artifacts, { workers: 0 }),
    interrupt: (index) => mmio.interrupt(index),
    log: (message) => void log.push(message),
  });
  const mmio = new VirtioMmio(gpu.virtio, (asserted) => {
    line = asserted;
  });
  return { memory, mmio, ram: guestRam.start, log, line: () => line };
}

/** A driver with one control queue of 8 descriptors, and an event queue with one buffer. */
class SecondDriver {
  readonly #mmio: VirtioMmio;
  readonly #view: DataView;
  readonly #ram: number;
  #idx = 0;
  context = 0;

  constructor(mmio: VirtioMmio, memory: WebAssembly.Memory, ram: number) {
    this.#mmio = mmio;
    this.#view = new DataView(memory.buffer);
    this.#ram = ram;
  }

  read(register: number): number {
    return this.#mmio.read(register, 4) >>> 0;
  }

  write(register: number, value: number): void {
    this.#mmio.write(register, value, 4);
  }

  /** §3.1.1, and "Device initialization" of docs/device.md. */
  start(): void {
    assert.equal(this.read(0x000), 0x74726976);
    assert.equal(this.read(0x004), 2);
    assert.equal(this.read(0x008), 63);
    assert.equal(this.read(0x00c), 0x57525047);
    this.write(0x070, 0);
    this.write(0x070, 1);
    this.write(0x070, 3);
    const offered = [0, 1].map((word) => {
      this.write(0x014, word);
      return this.read(0x010);
    });
    assert.equal(offered[1]! & 1, 1, "VIRTIO_F_VERSION_1");
    for (const [word, value] of [offered[0]! & 1, 1].entries()) {
      this.write(0x024, word);
      this.write(0x020, value);
    }
    this.write(0x070, 11);
    assert.equal(this.read(0x070), 11);
    assert.equal(this.read(0x100), 3, "protocol version");
    assert.deepEqual([this.read(0x104), this.read(0x108), this.read(0x10c)], [9, 0, 2]);
    this.#queue(0, 8, this.#ram);
    this.#queue(1, 1, this.#ram + 0x4000);
    this.write(0x070, 15);
    // The event queue's one buffer.
    this.#describe(this.#ram + 0x4000, 0, this.#ram + 0x6000, 4096, 2, 0);
    this.#view.setUint16(this.#ram + 0x5002, 1, true);
    this.write(0x050, 1);
    this.#idx = 0;
    assert.equal(this.send(0x01, [[24, 3]], 16).getUint32(0, true), 0);
    this.context = this.send(0x03, [[24, 0x80000000]], 12).getUint32(8, true);
  }

  /** Table at `base`, available ring 0x1000 behind it, used ring 0x1800. */
  #queue(index: number, size: number, base: number): void {
    for (let at = 0; at < 0x2000; at += 4) this.#view.setUint32(base + at, 0, true);
    this.write(0x030, index);
    assert.ok(this.read(0x034) >= size);
    this.write(0x038, size);
    for (const [register, address] of [
      [0x080, base],
      [0x090, base + 0x1000],
      [0x0a0, base + 0x1800],
    ] as const) {
      this.write(register, address);
      this.write(register + 4, 0);
    }
    this.write(0x044, 1);
    assert.equal(this.read(0x044), 1);
  }

  #describe(
    table: number,
    i: number,
    address: number,
    bytes: number,
    flags: number,
    next: number,
  ): void {
    this.#view.setBigUint64(table + 16 * i, BigInt(address), true);
    this.#view.setUint32(table + 16 * i + 8, bytes, true);
    this.#view.setUint16(table + 16 * i + 12, flags, true);
    this.#view.setUint16(table + 16 * i + 14, next, true);
  }

  /** Sends a request. @param fields offset and u32, or u64 as a bigint @param data follows it */
  send(
    command: number,
    fields: readonly (readonly [number, number | bigint])[],
    room: number,
    data: Uint8Array = new Uint8Array(0),
  ): DataView {
    const view = this.#view;
    const request = this.#ram + 0x8000;
    const response = this.#ram + 0x10000;
    for (let at = 0; at < 64; at += 4) view.setUint32(request + at, 0, true);
    view.setUint32(request, command, true);
    view.setUint32(request + 4, 42, true);
    view.setUint32(request + 8, this.context, true);
    for (const [offset, value] of fields) {
      if (typeof value === "bigint") view.setBigUint64(request + offset, value, true);
      else view.setUint32(request + offset, value, true);
    }
    new Uint8Array(view.buffer).set(data, request + 64);
    this.#describe(this.#ram, 0, request, 64 + data.length, 1, 1);
    this.#describe(this.#ram, 1, response, room, 2, 0);
    const avail = this.#ram + 0x1000;
    view.setUint16(avail + 4 + 2 * (this.#idx % 8), 0, true);
    this.#idx++;
    view.setUint16(avail + 2, this.#idx, true);
    this.write(0x050, 0);
    const used = this.#ram + 0x1800;
    assert.equal(view.getUint16(used + 2, true), this.#idx & 0xffff, "the request was answered");
    const length = view.getUint32(used + 4 + 8 * ((this.#idx - 1) % 8) + 4, true);
    return new DataView(view.buffer.slice(response, response + length));
  }

  /** The text of the event in the one buffer of the event queue, if there is one. */
  event(): string {
    const view = this.#view;
    if (view.getUint16(this.#ram + 0x5802, true) === 0) return "";
    const at = this.#ram + 0x6000;
    assert.equal(view.getUint32(at, true), 1, "EVENT_PRINT");
    const bytes = view.getUint32(at + 8, true);
    return new TextDecoder().decode(new Uint8Array(view.buffer, at + 16, bytes).slice());
  }

  /** Makes more available than the ring has room for. */
  lie(): void {
    this.#view.setUint16(this.#ram + 0x1002, this.#idx + 9, true);
    this.write(0x050, 0);
  }
}

const PTX = `.version 8.0
.target sm_90
.address_size 64
.extern .func (.param .b32 r) vprintf (.param .b64 format, .param .b64 arguments);
.global .align 1 .b8 text[7] = {100, 111, 110, 101, 33, 10, 0};
.visible .entry twice(.param .u64 x, .param .u32 n) {
  .reg .pred %p<2>; .reg .b32 %r<4>; .reg .b64 %rd<5>;
  ld.param.u64 %rd0, [x]; ld.param.u32 %r0, [n];
  mov.u32 %r1, %tid.x; setp.ge.u32 %p0, %r1, %r0; @%p0 ret;
  cvta.to.global.u64 %rd1, %rd0; mul.wide.u32 %rd2, %r1, 4; add.s64 %rd1, %rd1, %rd2;
  ld.global.u32 %r2, [%rd1]; add.u32 %r2, %r2, %r2; st.global.u32 [%rd1], %r2;
  setp.ne.u32 %p1, %r1, 0; @%p1 ret;
  mov.u64 %rd3, text; cvta.global.u64 %rd3, %rd3;
  { .param .b64 p0; .param .b64 p1; .param .b32 r;
    st.param.b64 [p0], %rd3; st.param.b64 [p1], 0;
    call (r), vprintf, (p0, p1); ld.param.b32 %r3, [r]; }
  ret;
}`;

/** Initialises the device, runs the kernel over four numbers and looks at all that comes back. */
function drive(driver: SecondDriver): void {
  driver.start();
  const text = new TextEncoder();
  const image = text.encode(PTX);
  const loaded = driver.send(0x20, [[24, image.length]], 1024, image);
  assert.equal(loaded.getUint32(0, true), 0, "MODULE_LOAD");
  const module = loaded.getUint32(8, true);
  const name = text.encode("twice");
  const found = driver.send(
    0x22,
    [
      [24, module],
      [28, name.length],
    ],
    256,
    name,
  );
  assert.equal(found.getUint32(0, true), 0, "FUNCTION_GET");
  assert.equal(found.getUint32(12, true), 12, "parameter bytes");

  const pointer = driver
    .send(
      0x10,
      [
        [24, 16n],
        [32, 2],
      ],
      24,
    )
    .getBigUint64(8, true);
  const numbers = new Uint8Array(Uint32Array.of(1, 20, 300, 4000).buffer);
  const toDevice = [
    [24, pointer],
    [40, 16n],
    [48, 1],
    [52, 1],
  ] as const;
  assert.equal(driver.send(0x12, toDevice, 8, numbers).getUint32(0, true), 0, "copy in");

  const parameters = new DataView(new ArrayBuffer(12));
  parameters.setBigUint64(0, pointer, true);
  parameters.setUint32(8, 4, true);
  const shape = [24, 28, 32, 36, 40, 44, 48, 56].map(
    (offset, i) => [offset, [found.getUint32(8, true), 1, 1, 1, 32, 1, 1, 12][i]!] as const,
  );
  const launched = driver.send(0x24, shape, 8, new Uint8Array(parameters.buffer));
  assert.equal(launched.getUint32(0, true), 0, "LAUNCH");
  assert.equal(driver.send(0x06, [], 8).getUint32(0, true), 0, "CONTEXT_SYNCHRONIZE");
  assert.equal(driver.event(), "done!\n");

  const back = driver.send(
    0x12,
    [
      [32, pointer],
      [40, 16n],
      [48, 2],
      [52, 2],
    ],
    8 + 16,
  );
  assert.equal(back.getUint32(0, true), 0, "copy out");
  const got = [0, 1, 2, 3].map((i) => back.getUint32(8 + 4 * i, true));
  assert.deepEqual(got, [2, 40, 600, 8000]);

  // Malformed requests are answered: an unknown command, a free of what is no allocation.
  const unknown = driver.send(0xff, [], 8);
  assert.notEqual(unknown.getUint32(0, true), 0);
  assert.equal(unknown.getUint32(4, true), 3, "DETAIL_UNKNOWN_COMMAND");
  assert.equal(
    driver
      .send(
        0x11,
        [
          [24, pointer + 4n],
          [32, 2],
        ],
        8,
      )
      .getUint32(0, true),
    1,
  );
  assert.equal(
    driver
      .send(
        0x11,
        [
          [24, pointer],
          [32, 2],
        ],
        8,
      )
      .getUint32(0, true),
    0,
  );
}

test("a driver written from docs/device.md alone, over registers", () => {
  const { memory, mmio, ram, log, line } = makeMachine();
  const driver = new SecondDriver(mmio, memory.memory, ram);
  drive(driver);
  assert.deepEqual(log, []);
  assert.equal(line(), true);
  assert.equal(driver.read(0x060), 1);
  driver.write(0x064, 1);
  assert.equal(line(), false);

  // A malformed ring asks for a reset, after which all of it goes again.
  driver.lie();
  assert.equal(driver.read(0x070), 15 | 64);
  assert.equal(driver.read(0x060), 2);
  assert.match(log.join(), /jumped/);
  log.length = 0;
  drive(driver);
  assert.deepEqual(log, []);
});
