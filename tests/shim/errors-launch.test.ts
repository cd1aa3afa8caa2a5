import assert from "node:assert/strict";
import { cudaDeviceSynchronize, cudaLaunchKernel } from "../../cuda-shim/index.ts";
import { CudaError, Device, f32, f64 } from "../../index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureText, ok, SMALL } from "./support.ts";

/** Runs `body` with a device and the kernels of kernels.cu. */
async function withKernels(
  body: (device: Device, kernel: (name: string) => ReturnType<Module["kernel"]>) => void,
): Promise<void> {
  using device = await Device.open(SMALL);
  using module = device.loadModule(fixtureText("kernels.ptx"));
  body(device, (name) => module.kernel(name));
}

type Module = ReturnType<Device["loadModule"]>;

/** Runs `body`, which must throw a CudaError of that name, and returns its message. */
function throwsCuda(name: string, body: () => unknown): string {
  try {
    body();
  } catch (error) {
    assert.ok(error instanceof CudaError, String(error));
    assert.equal(error.cudaName, name, error.message);
    return error.message;
  }
  throw new Error(`no ${name}`);
}

describe("bad launches", () => {
  test("shapes over the limits, and of nothing", () =>
    withKernels((_device, kernel) => {
      const nothing = kernel("nothing");
      const bad: [grid: number[], block: number[]][] = [
        [[0], [1]],
        [[1], [0]],
        [[1, 0], [1]],
        [[1, 1, 0], [1]],
        [[1], [1, 0]],
        [[1], [1, 1, 0]],
        [[1], [1025]],
        [[1], [1, 1025]],
        [[1], [1, 1, 65]],
        [[1], [33, 32]],
        [[1], [11, 10, 10]],
        [[2 ** 31], [1]],
        [[1, 65536], [1]],
        [[1, 1, 65536], [1]],
        [[2 ** 32], [1]],
        [[-1], [1]],
        [[1.5], [1]],
        [[1], [Number.NaN]],
      ];
      for (const [grid, block] of bad) {
        throwsCuda("cudaErrorInvalidValue", () => nothing.launch({ grid, block }));
      }
      nothing.launch({ grid: [3, 2, 2], block: [4, 4, 64] });
      nothing.launch({ grid: { x: 2 }, block: { x: 1024 } });
    }));

  test("too much shared memory", () =>
    withKernels((device, kernel) => {
      const out = device.alloc(64);
      const shape = kernel("shape");
      for (const shared of [48 * 1024 + 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -1, 0.5]) {
        throwsCuda("cudaErrorInvalidValue", () => shape.launch({ grid: 1, block: 1, shared }, out));
      }
      shape.launch({ grid: 1, block: [2, 3, 4], shared: 48 * 1024 }, out);
      assert.deepEqual(out.toArray(Uint32Array).subarray(0, 4), Uint32Array.of(2, 3, 4, 49152));
    }));

  test("streams that are none", () =>
    withKernels((_device, kernel) => {
      for (const stream of [12345, -1, 1.5, 2 ** 40]) {
        throwsCuda("cudaErrorInvalidResourceHandle", () =>
          kernel("nothing").launch({ grid: 1, block: 1, stream }),
        );
      }
    }));

  test("too few, too many and missing arguments are named", () =>
    withKernels((device, kernel) => {
      const saxpy = kernel("saxpy");
      const x = device.alloc(4);
      const shape = { grid: 1, block: 1 };
      const few = throwsCuda("cudaErrorInvalidValue", () => saxpy.launch(shape, 1, f32(2), x));
      assert.match(few, /saxpy has 4 parameters, not 3/);
      throwsCuda("cudaErrorInvalidValue", () => saxpy.launch(shape, 1, f32(2), x, x, x));
      throwsCuda("cudaErrorInvalidValue", () => saxpy.launch(shape));
      throwsCuda("cudaErrorInvalidValue", () => kernel("nothing").launch(shape, 1));
      const missing = throwsCuda("cudaErrorInvalidValue", () =>
        saxpy.launch(shape, 1, f32(2), undefined as never, x),
      );
      assert.match(missing, /argument 2 is no buffer/);
    }));

  test("arguments of a wrong size are named", () =>
    withKernels((device, kernel) => {
      const saxpy = kernel("saxpy");
      const x = device.alloc(4);
      const shape = { grid: 1, block: 1 };
      const bad: [Parameters<typeof saxpy.launch>[1][], RegExp][] = [
        [[1, f64(2), x, x], /argument 1 is f64 of 8 bytes, but the parameter has 4/],
        [[1, 2.5, x, x], /argument 1 is 2\.5, no integer: say f32\(2\.5\)/],
        [[2 ** 32, f32(2), x, x], /argument 0 4294967296 doesn't fit into 4 bytes/],
        [[-(2 ** 31) - 1, f32(2), x, x], /doesn't fit into 4 bytes/],
        [[x, f32(2), x, x], /argument 0 is a buffer/],
        [[1, f32(2), f32(3), x], /argument 2 is f32 of 4 bytes, but the parameter has 8/],
        [[1, f32(2), 1n << 64n, x], /argument 2 .* doesn't fit into 8 bytes/],
        [[1, new Uint8Array(5), x, x], /argument 1 is memory of 5 bytes/],
        [[Number.NaN, f32(2), x, x], /argument 0 is NaN, no integer/],
      ];
      for (const [args, message] of bad) {
        assert.match(
          throwsCuda("cudaErrorInvalidValue", () => saxpy.launch(shape, ...args)),
          message,
        );
      }
    }));

  test("cudaLaunchKernel with too little memory for an argument, or none", () =>
    withKernels((device, kernel) => {
      assert.equal(kernel("saxpy").name, "saxpy");
      device.run(() => {
        const { registry } = device.thread;
        const library = device.loadModule(fixtureText("kernels.ptx"));
        registry.nameKernel("saxpy", registry.addKernel(library.program, "saxpy"));
        const pointer = BigUint64Array.of(0n);
        const full = [Int32Array.of(0), Float32Array.of(1), pointer, pointer];
        ok(cudaLaunchKernel("saxpy", 1, 1, full));
        for (const args of [null, [], full.slice(0, 3), [Int16Array.of(1), ...full.slice(1)]]) {
          fails(cudaLaunchKernel("saxpy", 1, 1, args), "cudaErrorInvalidValue");
        }
        ok(cudaDeviceSynchronize());
      });
    }));

  test("unknown kernels, with the names that there are", () =>
    withKernels((_device, kernel) => {
      const message = throwsCuda("cudaErrorSymbolNotFound", () => kernel("sxpy"));
      assert.match(message, /kernel "sxpy": the module has .*saxpy/);
      throwsCuda("cudaErrorSymbolNotFound", () => kernel(""));
      throwsCuda("cudaErrorSymbolNotFound", () => kernel("counter"));
    }));

  test("images that can't be loaded", async () => {
    using device = await Device.open(SMALL);
    const load = (error: string, image: string | Uint8Array) =>
      throwsCuda(error, () => device.loadModule(image));
    assert.match(load("cudaErrorInvalidKernelImage", Uint8Array.of(9, 9, 9, 9)), /09 09 09 09/);
    const broken = load(
      "cudaErrorInvalidPtx",
      ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(\n  .param .u64 p;\n) { ret; }\n",
    );
    assert.match(broken, /expected '\)', found ';'/);
    assert.match(
      load(
        "cudaErrorNoKernelImageForDevice",
        fixtureText("kernels.ptx").replace(".target sm_90", ".target sm_100"),
      ),
      /sm_100 only/,
    );
    throwsCuda("cudaErrorInvalidValue", () => device.loadModule(null as never));
    device.loadModule(fixtureText("kernels.ptx")).unload();
  });
});
