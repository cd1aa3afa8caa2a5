import assert from "node:assert/strict";
import {
  __cudaGetKernel,
  __cudaInitModule,
  __cudaLaunchKernel,
  __cudaPopCallConfiguration,
  __cudaPushCallConfiguration,
  __cudaRegisterFatBinary,
  __cudaRegisterFatBinaryEnd,
  __cudaRegisterFunction,
  __cudaRegisterVar,
  __cudaUnregisterFatBinary,
  cudaConfigureCall,
  cudaDeviceSynchronize,
  cudaFree,
  cudaGetSymbolAddress,
  cudaGetSymbolSize,
  cudaLaunch,
  cudaLaunchKernel,
  cudaMalloc,
  cudaMemcpy,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyFromSymbol,
  cudaMemcpyHostToDevice,
  cudaMemcpyToSymbol,
  cudaSetupArgument,
  cudaThreadSynchronize,
} from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureBytes, fixtureText, Output, ok, withCuda } from "./support.ts";

/** The stub that nvcc would make of a kernel: any value may stand for it. */
const saxpyStub = () => "saxpy";

/** Registers the program of kernels.cu, as its start-up code would. */
function register(): number {
  const handle = __cudaRegisterFatBinary(fixtureBytes("kernels.fatbin"));
  assert.notEqual(handle, 0);
  __cudaRegisterFunction(handle, saxpyStub, "saxpy", "saxpy", -1);
  __cudaRegisterFunction(handle, "useSymbols", "useSymbols");
  __cudaRegisterFunction(handle, "print", "print");
  __cudaRegisterFunction(handle, "absent", "absent");
  __cudaRegisterVar(handle, "factors", "factors", "factors", 0, 16, 1, 0);
  __cudaRegisterVar(handle, "counter", "counter");
  __cudaRegisterVar(handle, "missing", "missing");
  __cudaRegisterFatBinaryEnd(handle);
  return handle;
}

/** A device copy of an array. */
function upload(data: Float32Array): number {
  const pointer = { value: 0 };
  ok(cudaMalloc(pointer, data.byteLength));
  ok(cudaMemcpy(pointer.value, data, data.byteLength, cudaMemcpyHostToDevice));
  return pointer.value;
}

function download(pointer: number, length: number): Float32Array {
  const data = new Float32Array(length);
  ok(cudaMemcpy(data, pointer, data.byteLength, cudaMemcpyDeviceToHost));
  return data;
}

/** The memory of an argument that is a pointer. */
const address = (pointer: number) => BigUint64Array.of(BigInt(pointer));

const N = 1000;
const xs = Float32Array.from({ length: N }, (_, i) => i / 4);
const ys = Float32Array.from({ length: N }, (_, i) => 100 - i);
const expected = xs.map((x, i) => 2 * x + (ys[i] ?? 0));

describe("launches by CUDA's names", () => {
  test("as CUDA 10 to 13 emit them", () =>
    withCuda(() => {
      const handle = register();
      assert.equal(__cudaInitModule(handle), 1);
      const x = upload(xs);
      const y = upload(ys);
      ok(__cudaPushCallConfiguration({ x: 4 }, [256, 1, 1], 0, 0));
      const grid = { value: [0, 0, 0] as const };
      const block = { value: [0, 0, 0] as const };
      const shared = { value: -1 };
      const stream = { value: -1 };
      ok(__cudaPopCallConfiguration(grid as never, block as never, shared, stream));
      assert.deepEqual(
        [grid.value, block.value, shared.value, stream.value],
        [[4, 1, 1], [256, 1, 1], 0, 0],
      );
      const kernel = { value: 0 };
      ok(__cudaGetKernel(kernel, saxpyStub));
      const args = [Int32Array.of(N), Float32Array.of(2), address(x), address(y)];
      ok(
        __cudaLaunchKernel(kernel.value, grid.value, block.value, args, shared.value, stream.value),
      );
      ok(cudaDeviceSynchronize());
      assert.deepEqual(download(y, N), expected);
      __cudaUnregisterFatBinary(handle);
      fails(__cudaLaunchKernel(kernel.value, 1, 1, args), "cudaErrorInvalidResourceHandle");
    }));

  test("cudaLaunchKernel by what the kernel was registered under", () =>
    withCuda(() => {
      register();
      const x = upload(xs);
      const y = upload(ys);
      const args = [Int32Array.of(N), Float32Array.of(2), address(x), address(y)];
      ok(cudaLaunchKernel(saxpyStub, Math.ceil(N / 32), 32, args));
      assert.deepEqual(download(y, N), expected);
      ok(cudaFree(x));
      ok(cudaFree(y));
    }));

  test("as CUDA 9 emits them", () =>
    withCuda(() => {
      register();
      const x = upload(xs);
      const y = upload(ys);
      ok(cudaConfigureCall(8, 128));
      ok(cudaSetupArgument(Int32Array.of(N), 4, 0));
      ok(cudaSetupArgument(Float32Array.of(2), 4, 4));
      ok(cudaSetupArgument(address(x), 8, 8));
      ok(cudaSetupArgument(address(y), 8, 16));
      ok(cudaLaunch(saxpyStub));
      ok(cudaThreadSynchronize());
      assert.deepEqual(download(y, N), expected);
    }));

  test("a launch that is not configured, or not all of it", () =>
    withCuda(() => {
      register();
      fails(cudaLaunch(saxpyStub), "cudaErrorMissingConfiguration");
      fails(cudaSetupArgument(Int32Array.of(1), 4, 0), "cudaErrorMissingConfiguration");
      const out = { value: 0 };
      const extent = { value: [0, 0, 0] as const };
      fails(
        __cudaPopCallConfiguration(extent as never, extent as never, out, out),
        "cudaErrorMissingConfiguration",
      );
      ok(cudaConfigureCall(1, 1));
      ok(cudaSetupArgument(Int32Array.of(N), 4, 0));
      fails(cudaSetupArgument(Int32Array.of(N), 8, 0), "cudaErrorInvalidValue");
      fails(cudaSetupArgument(Int32Array.of(N), 4, 40_000), "cudaErrorInvalidValue");
      fails(cudaSetupArgument(null, 4, 0), "cudaErrorInvalidValue");
      fails(cudaLaunch(saxpyStub), "cudaErrorInvalidValue");
      fails(cudaLaunch(saxpyStub), "cudaErrorMissingConfiguration");
    }));

  test("printed text", async () => {
    const output = new Output();
    await withCuda(
      () => {
        register();
        ok(cudaLaunchKernel("print", 1, 3, [Int32Array.of(42)]));
        ok(cudaDeviceSynchronize());
        assert.equal(output.text, "value 42 of 0\nvalue 42 of 1\nvalue 42 of 2\n");
      },
      { stdout: output.write },
    );
  });
});

describe("symbols", () => {
  test("constant and global variables, from both sides", () =>
    withCuda(() => {
      register();
      const out = upload(new Float32Array(4));
      ok(cudaMemcpyToSymbol("factors", Float32Array.of(20, 30), 8, 4));
      ok(cudaLaunchKernel("useSymbols", 1, 4, [address(out)]));
      assert.deepEqual(download(out, 4), Float32Array.of(1, 20, 30, 4));
      const counter = new Int32Array(1);
      ok(cudaMemcpyFromSymbol(counter, "counter", 4));
      assert.equal(counter[0], 11);
      const at = { value: 0 };
      const size = { value: 0 };
      ok(cudaGetSymbolAddress(at, "counter"));
      ok(cudaGetSymbolSize(size, "factors"));
      assert.equal(size.value, 16);
      ok(cudaMemcpy(at.value, Int32Array.of(-1), 4, cudaMemcpyHostToDevice));
      ok(cudaMemcpyFromSymbol(counter, "counter", 4));
      assert.equal(counter[0], -1);
      ok(cudaMemcpyToSymbol("factors", out, 16, 0, cudaMemcpyDeviceToDevice));
      ok(cudaMemcpyFromSymbol(new Float32Array(4), "factors", 16));
    }));

  test("unknown ones, and copies beyond them", () =>
    withCuda(() => {
      register();
      const data = new Uint8Array(100);
      const out = { value: 0 };
      for (const symbol of ["nobody", "missing", null, 3]) {
        const error = symbol === "missing" ? "cudaErrorSymbolNotFound" : "cudaErrorInvalidSymbol";
        fails(cudaMemcpyToSymbol(symbol, data, 4), error);
        fails(cudaMemcpyFromSymbol(data, symbol, 4), error);
        fails(cudaGetSymbolAddress(out, symbol), error);
        fails(cudaGetSymbolSize(out, symbol), error);
      }
      fails(cudaMemcpyToSymbol("factors", data, 17), "cudaErrorInvalidValue");
      fails(cudaMemcpyToSymbol("factors", data, 4, 13), "cudaErrorInvalidValue");
      fails(cudaMemcpyToSymbol("factors", data, 4, -4), "cudaErrorInvalidValue");
      fails(cudaMemcpyToSymbol("factors", data, 2 ** 53, 8), "cudaErrorInvalidValue");
      fails(cudaMemcpyFromSymbol(data, "counter", 5), "cudaErrorInvalidValue");
      fails(
        cudaMemcpyToSymbol("factors", data, 4, 0, cudaMemcpyDeviceToHost),
        "cudaErrorInvalidMemcpyDirection",
      );
      fails(
        cudaMemcpyFromSymbol(data, "factors", 4, 0, cudaMemcpyHostToDevice),
        "cudaErrorInvalidMemcpyDirection",
      );
      fails(cudaGetSymbolAddress(null, "factors"), "cudaErrorInvalidValue");
    }));
});

describe("registration gone wrong", () => {
  test("kernels that nobody registered, or that the image lacks", () =>
    withCuda(() => {
      register();
      for (const func of ["nobody", 12345, {}]) {
        fails(cudaLaunchKernel(func, 1, 1, []), "cudaErrorInvalidResourceHandle");
      }
      fails(cudaLaunchKernel("absent", 1, 1, []), "cudaErrorSymbolNotFound");
      fails(cudaLaunchKernel(null, 1, 1, []), "cudaErrorInvalidDeviceFunction");
      fails(__cudaGetKernel({ value: 0 }, "nobody"), "cudaErrorInvalidDeviceFunction");
      fails(__cudaGetKernel(null, saxpyStub), "cudaErrorInvalidValue");
      fails(__cudaLaunchKernel(0, 1, 1, []), "cudaErrorInvalidDeviceFunction");
    }));

  const bad: [string, () => string | Uint8Array, string][] = [
    ["garbage", () => Uint8Array.of(1, 2, 3, 4, 5), "cudaErrorInvalidKernelImage"],
    ["nothing", () => new Uint8Array(0), "cudaErrorInvalidKernelImage"],
    [
      "a fat binary cut short",
      () => fixtureBytes("kernels.fatbin").subarray(0, 1000),
      "cudaErrorInvalidKernelImage",
    ],
    ["text that is no PTX", () => ".version 8.0\n.target sm_80\nnonsense;", "cudaErrorInvalidPtx"],
    [
      "PTX for a newer device",
      () => fixtureText("kernels.ptx").replace(".target sm_90", ".target sm_120"),
      "cudaErrorNoKernelImageForDevice",
    ],
  ];
  for (const [name, image, error] of bad) {
    test(`${name}: the first use says so, and again`, () =>
      withCuda(() => {
        const handle = __cudaRegisterFatBinary(image());
        __cudaRegisterFunction(handle, "saxpy", "saxpy");
        __cudaRegisterVar(handle, "counter", "counter");
        for (let i = 0; i < 2; i++) {
          fails(cudaLaunchKernel("saxpy", 1, 1, []), error);
          fails(cudaGetSymbolSize({ value: 0 }, "counter"), error);
        }
        __cudaUnregisterFatBinary(handle);
        register();
        ok(cudaGetSymbolSize({ value: 0 }, "factors"));
      }));
  }

  test("handles that are none", () =>
    withCuda(() => {
      assert.equal(__cudaRegisterFatBinary(null), 0);
      assert.equal(__cudaInitModule(77), 0);
      __cudaRegisterFunction(77, "f", "f");
      fails(cudaLaunchKernel("f", 1, 1, []), "cudaErrorInvalidResourceHandle");
      __cudaUnregisterFatBinary(77);
    }));
});
