import assert from "node:assert/strict";
import { CudaError, Device, f32, f64, i32, i64, u32, u64 } from "../../index.ts";
import { describe, test } from "../harness.ts";
import { fixtureBytes, fixtureText, Output, SMALL } from "./support.ts";

describe("Device, Module, Kernel, DeviceBuffer", () => {
  test("saxpy, start to end", async () => {
    using device = await Device.open(SMALL);
    using module = device.loadModule(fixtureText("kernels.ptx"));
    const saxpy = module.kernel("saxpy");
    using x = device.upload(Float32Array.of(1, 2, 3, 4));
    using y = device.upload(Float32Array.of(10, 20, 30, 40));
    saxpy.launch({ grid: 1, block: 32 }, 3, f32(0.5), x, y);
    device.synchronize();
    assert.deepEqual(y.toArray(Float32Array), Float32Array.of(10.5, 21, 31.5, 40));
  });

  test("the same from a fat binary", async () => {
    using device = await Device.open(SMALL);
    using module = device.loadModule(fixtureBytes("kernels.fatbin"));
    assert.deepEqual(module.kernelNames.sort(), [
      "nothing",
      "parameters",
      "print",
      "saxpy",
      "shape",
      "useSymbols",
    ]);
    using y = device.alloc(16).fill(0);
    module.kernel("saxpy").launch({ grid: 1, block: 4 }, 4, f32(3), y, y);
    assert.deepEqual(y.toArray(Float32Array), new Float32Array(4));
  });

  test("the kernels of a whole program, and of one whose parts are linked", async () => {
    using device = await Device.open(SMALL);
    for (const name of ["program", "program.rdc"]) {
      using module = device.loadModule(fixtureBytes(`../image/${name}`));
      assert.deepEqual(module.kernelNames, ["_Z11scaleKernelPfi", "_Z11otherKernelPi"]);
      using data = device.upload(Float32Array.of(1, 2, 3));
      module.kernel("_Z11scaleKernelPfi").launch({ grid: 1, block: 32 }, data, 2);
      assert.deepEqual(data.toArray(Float32Array), Float32Array.of(2, 4, 3));
      module.kernel("_Z11otherKernelPi").launch({ grid: 1, block: 2 }, data);
      assert.deepEqual(data.toArray(Int32Array).subarray(0, 2), Int32Array.of(1, 1));
    }
  });

  test("arguments of every size and alignment", async () => {
    using device = await Device.open(SMALL);
    using module = device.loadModule(fixtureText("kernels.ptx"));
    using out = device.alloc(64);
    const kernel = module.kernel("parameters");
    const vector = Float32Array.of(1.5, -2.5, 3.25);
    kernel.launch({ grid: 1, block: 1 }, -5, -300, vector, f64(0.1), true, -(2n ** 40n), out);
    const expected = [-5, -300, 1.5, -2.5, 3.25, 0.1, 1, -(2 ** 40)];
    assert.deepEqual(Array.from(out.toArray(Float64Array)), expected);
    const typed = [Int8Array.of(7), Int16Array.of(9), vector, f64(-1), 0, i64(5), u64(out.pointer)];
    kernel.launch({ grid: 1, block: 1 }, ...typed);
    assert.deepEqual(Array.from(out.toArray(Float64Array)), [7, 9, 1.5, -2.5, 3.25, -1, 0, 5]);
    assert.equal(kernel.info.parameters.length, 7);
    assert.deepEqual(
      kernel.info.parameters.map(({ offset, size }) => [offset, size]),
      [
        [0, 1],
        [2, 2],
        [4, 12],
        [16, 8],
        [24, 1],
        [32, 8],
        [40, 8],
      ],
    );
    assert.deepEqual(i32(-1).bytes, u32(0xffffffff).bytes);
  });

  test("a shape in three dimensions", async () => {
    using device = await Device.open(SMALL);
    using module = device.loadModule(fixtureText("kernels.ptx"));
    using out = device.alloc(2 * 3 * 4 * 16);
    module
      .kernel("shape")
      .launch({ grid: [2, 3, 4], block: { x: 5, y: 2, z: 3 }, shared: 64 }, out);
    const values = out.toArray(Uint32Array);
    for (let block = 0; block < 24; block++) {
      assert.deepEqual(values.subarray(4 * block, 4 * block + 4), Uint32Array.of(5, 2, 3, 64));
    }
  });

  test("variables of a module", async () => {
    using device = await Device.open(SMALL);
    using module = device.loadModule(fixtureText("kernels.ptx"));
    const factors = module.variable("factors");
    assert.equal(factors.byteLength, 16);
    assert.deepEqual(factors.toArray(Float32Array), Float32Array.of(1, 2, 3, 4));
    factors.write(Float32Array.of(9), 8);
    using out = device.alloc(16);
    module.kernel("useSymbols").launch({ grid: 1, block: 4 }, out);
    assert.deepEqual(out.toArray(Float32Array), Float32Array.of(1, 2, 9, 4));
    assert.deepEqual(module.variable("managed").toArray(Int32Array), Int32Array.of(6));
    assert.throws(() => module.variable("nobody"), { cudaName: "cudaErrorSymbolNotFound" });
  });

  test("buffers: parts, copies, views, pinned and managed", async () => {
    using device = await Device.open(SMALL);
    using a = device.upload(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    a.write(Uint8Array.of(30, 40), 2);
    assert.deepEqual(a.read(new Uint8Array(3), 1), Uint8Array.of(2, 30, 40));
    using b = device.alloc(8, "pinned").fill(255).copyFrom(a, 4);
    assert.deepEqual(b.view().slice(), Uint8Array.of(1, 2, 30, 40, 255, 255, 255, 255));
    using c = device.alloc(8, "managed");
    c.view().set(b.view());
    assert.deepEqual(c.toArray(Uint8Array), b.toArray(Uint8Array));
    const before = device.memory.free;
    const d = device.alloc(1 << 20);
    assert.ok(device.memory.free <= before - (1 << 20));
    d.free();
    assert.equal(device.memory.free, before);
    assert.throws(() => d.free(), CudaError);
    assert.throws(() => d.pointer, CudaError);
    for (const [size, offset] of [
      [9, 0],
      [1, 8],
      [1, -1],
    ] as const) {
      assert.throws(() => a.write(new Uint8Array(size), offset), { code: 1 });
      assert.throws(() => a.read(new Uint8Array(size), offset), { code: 1 });
    }
  });

  test("what kernels print, in order", async () => {
    const output = new Output();
    using device = await Device.open({ ...SMALL, stdout: output.write });
    using module = device.loadModule(fixtureText("kernels.ptx"));
    const print = module.kernel("print");
    print.launch({ grid: 1, block: 2 }, 1);
    print.launch({ grid: 1, block: 1 }, -7);
    device.synchronize();
    assert.equal(output.text, "value 1 of 0\nvalue 1 of 1\nvalue -7 of 0\n");
  });

  test("streams and events", async () => {
    using device = await Device.open(SMALL);
    using module = device.loadModule(fixtureText("kernels.ptx"));
    const saxpy = module.kernel("saxpy");
    using x = device.upload(new Float32Array(64).fill(1));
    using y = device.alloc(256).fill(0);
    using one = device.createStream();
    using two = device.createStream({ nonBlocking: true, priority: -1 });
    using start = device.createEvent().record(one);
    const order: number[] = [];
    saxpy.launch({ grid: 2, block: 32, stream: one }, 64, f32(2), x, y);
    one.call(() => order.push(1));
    using end = device.createEvent().record(one);
    two.wait(end).call(() => order.push(2));
    saxpy.launch({ grid: 2, block: 32, stream: two }, 64, f32(5), x, y);
    two.synchronize();
    assert.deepEqual(order, [1, 2]);
    assert.ok(one.idle && two.idle && start.reached && end.reached);
    end.synchronize();
    assert.ok(end.since(start) >= 0);
    assert.equal(y.toArray(Float32Array)[63], 7);
    one.destroy();
    assert.throws(() => one.synchronize(), { code: 400 });
    end.destroy();
    assert.throws(() => end.record(), { code: 400 });
  });

  test("properties", async () => {
    using device = await Device.open({ ...SMALL, multiprocessors: 3 });
    const { properties } = device;
    assert.equal(properties.major, 9);
    assert.equal(properties.minor, 0);
    assert.equal(properties.multiProcessorCount, 3);
    assert.equal(properties.warpSize, 32);
    assert.deepEqual(properties.maxThreadsDim, [1024, 1024, 64]);
    assert.deepEqual(properties.maxGridSize, [2147483647, 65535, 65535]);
    assert.equal(properties.totalGlobalMem, device.memory.total);
    assert.equal(properties.uuid.length, 16);
    assert.ok(properties.name.length > 0);
  });

  test("two devices in one thread, each with its own memory", async () => {
    using one = await Device.open(SMALL);
    using two = await Device.open(SMALL);
    using a = one.upload(Int32Array.of(1));
    using b = two.upload(Int32Array.of(2));
    assert.deepEqual(a.toArray(Int32Array), Int32Array.of(1));
    assert.deepEqual(b.toArray(Int32Array), Int32Array.of(2));
    using module = two.loadModule(fixtureText("kernels.ptx"));
    module.kernel("nothing").launch({ grid: 1, block: 1 });
    two.synchronize();
  });

  test("closing: everything ends, twice is no error, disposing afterwards neither", async () => {
    const device = await Device.open(SMALL);
    const buffer = device.alloc(64);
    const module = device.loadModule(fixtureText("kernels.ptx"));
    device.close();
    device.close();
    buffer[Symbol.dispose]();
    module[Symbol.dispose]();
    assert.throws(() => device.alloc(64), CudaError);
    assert.throws(() => module.kernel("nothing"), CudaError);
  });

  test("an unloaded module", async () => {
    using device = await Device.open(SMALL);
    const module = device.loadModule(fixtureText("kernels.ptx"));
    const kernel = module.kernel("nothing");
    module.unload();
    assert.throws(() => kernel.launch({ grid: 1, block: 1 }), { code: 400 });
    assert.throws(() => module.kernel("nothing"), { code: 400 });
    assert.throws(() => module.unload(), { code: 400 });
    module[Symbol.dispose]();
  });
});
