import assert from "node:assert/strict";
import {
  cudaDeviceReset,
  cudaDeviceSynchronize,
  cudaFree,
  cudaGetLastError,
  cudaMalloc,
  cudaMemset,
  cudaPeekAtLastError,
} from "../../cuda-shim/index.ts";
import { CudaError, Device, type DeviceBuffer, type KernelArgument } from "../../index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureText, Output, ok, SMALL } from "./support.ts";

/** Runs a kernel of faults.cu and gives back how the synchronisation after it failed. */
async function fault(
  name: string,
  args: (device: Device, buffer: DeviceBuffer) => KernelArgument[],
  options: { block?: number; timeoutMs?: number; check?: (device: Device) => void } = {},
): Promise<CudaError> {
  const { block = 1, timeoutMs = 0, check } = options;
  using device = await Device.open({ ...SMALL, timeoutMs, stderr: () => {} });
  const module = device.loadModule(fixtureText("faults.ptx"));
  const buffer = device.alloc(256).fill(0);
  module.kernel(name).launch({ grid: 1, block }, ...args(device, buffer));
  let error: unknown;
  try {
    device.synchronize();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof CudaError, `${name} went well`);
  check?.(device);
  staysAndResets(device, error.code);
  return error;
}

/** The fault stays on the context whatever is called, until a reset; then the device works. */
function staysAndResets(device: Device, code: number): void {
  device.run(() => {
    const pointer = { value: 0 };
    assert.equal(cudaDeviceSynchronize(), code);
    assert.equal(cudaMalloc(pointer, 64), code);
    assert.equal(cudaGetLastError(), code);
    assert.equal(cudaGetLastError(), code);
    assert.equal(cudaPeekAtLastError(), code);
    ok(cudaDeviceReset());
    assert.equal(cudaGetLastError(), 0);
    ok(cudaMalloc(pointer, 64));
    ok(cudaMemset(pointer.value, 0, 64));
    ok(cudaFree(pointer.value));
  });
  const module = device.loadModule(fixtureText("faults.ptx"));
  const buffer = device.upload(Int32Array.of(1, 2, 3));
  module.kernel("addOne").launch({ grid: 1, block: 3 }, buffer);
  assert.deepEqual(buffer.toArray(Int32Array), Int32Array.of(2, 3, 4));
}

describe("kernel faults", () => {
  test("a store through null", async () => {
    const error = await fault("storeInt", () => [0]);
    assert.equal(error.cudaName, "cudaErrorIllegalAddress");
    assert.match(error.message, /storeInt/);
    assert.match(error.message, /faults\.cu:5/);
  });

  test("a load through null, and through addresses that are nobody's", async () => {
    for (const address of [0, 8, 65_532, 2 ** 31, 2 ** 40, 2 ** 47, 2n ** 63n, 2n ** 64n - 4n]) {
      const error = await fault("loadInt", (_device, buffer) => [address, buffer]);
      assert.equal(error.cudaName, "cudaErrorIllegalAddress", `${address}`);
    }
  });

  test("a wild pointer: p[1ull << 40] = 1", async () => {
    const error = await fault("storeFar", (_device, buffer) => [buffer]);
    assert.equal(error.cudaName, "cudaErrorIllegalAddress");
  });

  test("just below and above the device's memory", async () => {
    const below = await fault("storeInt", (_device, buffer) => [
      Math.floor(buffer.pointer / 2 ** 32) * 2 ** 32,
    ]);
    assert.equal(below.cudaName, "cudaErrorIllegalAddress");
    const above = await fault("storeInt", (_device, buffer) => [
      Math.floor(buffer.pointer / 2 ** 32) * 2 ** 32 + 2 ** 32,
    ]);
    assert.equal(above.cudaName, "cudaErrorIllegalAddress");
  });

  test("a misaligned access", async () => {
    const error = await fault("misaligned", (_device, buffer) => [buffer]);
    assert.equal(error.cudaName, "cudaErrorMisalignedAddress");
    assert.match(error.message, /misaligned/);
  });

  test("kernels that never end are stopped", async () => {
    for (const name of ["forever", "spin"]) {
      const started = performance.now();
      const error = await fault(name, (_device, buffer) => [buffer], { timeoutMs: 100, block: 33 });
      assert.equal(error.cudaName, "cudaErrorLaunchTimeout");
      const took = performance.now() - started;
      assert.ok(took >= 100 && took < 20_000, `${took} ms`);
    }
  });

  test("runaway recursion", async () => {
    const error = await fault("runaway", (_device, buffer) => [buffer], { timeoutMs: 20_000 });
    const expected = [
      "cudaErrorHardwareStackError",
      "cudaErrorIllegalAddress",
      "cudaErrorLaunchFailure",
    ];
    assert.ok(expected.includes(error.cudaName), error.message);
  });

  test("trap", async () => {
    const error = await fault("trap", () => []);
    assert.equal(error.cudaName, "cudaErrorLaunchFailure");
  });

  test("a failed assert, with its text", async () => {
    const stderr = new Output();
    using device = await Device.open({ ...SMALL, stderr: stderr.write });
    const module = device.loadModule(fixtureText("faults.ptx"));
    const buffer = device.alloc(64).fill(0);
    module.kernel("failAssert").launch({ grid: 1, block: 3 }, buffer);
    device.synchronize();
    assert.equal(stderr.text, "");
    module.kernel("failAssert").launch({ grid: 1, block: 8 }, buffer);
    assert.throws(() => device.synchronize(), { cudaName: "cudaErrorAssert" });
    assert.match(
      stderr.text,
      /faults\.cu:\d+: .*failAssert.*: block: \[0,0,0\], thread: \[3,0,0\]/,
    );
    assert.match(stderr.text, /Assertion `.*thread three.*` failed/);
    staysAndResets(device, 710);
  });

  test("a launch and a copy after a fault report it", async () => {
    using device = await Device.open(SMALL);
    const module = device.loadModule(fixtureText("faults.ptx"));
    const kernel = module.kernel("storeInt");
    const buffer = device.alloc(64);
    kernel.launch({ grid: 1, block: 1 }, 0);
    assert.throws(() => buffer.read(new Uint8Array(64)), { code: 700 });
    assert.throws(() => kernel.launch({ grid: 1, block: 1 }, buffer), { code: 700 });
    assert.throws(() => device.alloc(64), { code: 700 });
    device.run(() => {
      fails(cudaGetLastError(), "cudaErrorIllegalAddress");
      ok(cudaDeviceReset());
    });
  });

  test("the fault of one device is not another's", async () => {
    using good = await Device.open(SMALL);
    using bad = await Device.open(SMALL);
    bad.loadModule(fixtureText("faults.ptx")).kernel("storeInt").launch({ grid: 1, block: 1 }, 0);
    assert.throws(() => bad.synchronize(), { code: 700 });
    const buffer = good.upload(Int32Array.of(41));
    const module = good.loadModule(fixtureText("faults.ptx"));
    module.kernel("addOne").launch({ grid: 1, block: 1 }, buffer);
    assert.deepEqual(buffer.toArray(Int32Array), Int32Array.of(42));
  });
});
