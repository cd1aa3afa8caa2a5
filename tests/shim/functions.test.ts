import assert from "node:assert/strict";
import {
  __cudaRegisterFatBinary,
  __cudaRegisterFunction,
  type CudaFuncAttributes,
  cudaDeviceGetLimit,
  cudaDeviceSetLimit,
  cudaFuncAttributeClusterDimMustBeSet,
  cudaFuncAttributeMaxDynamicSharedMemorySize,
  cudaFuncAttributeNonPortableClusterSizeAllowed,
  cudaFuncAttributePreferredSharedMemoryCarveout,
  cudaFuncAttributeRequiredClusterWidth,
  cudaFuncCachePreferL1,
  cudaFuncGetAttributes,
  cudaFuncGetName,
  cudaFuncGetParamInfo,
  cudaFuncSetAttribute,
  cudaFuncSetCacheConfig,
  cudaGetDeviceFlags,
  cudaLaunchAttributeClusterDimension,
  cudaLaunchAttributeCooperative,
  cudaLaunchAttributePriority,
  cudaLaunchKernel,
  cudaLaunchKernelExC,
  cudaLimitMallocHeapSize,
  cudaLimitStackSize,
  cudaMalloc,
  cudaMemcpy,
  cudaMemcpyDeviceToHost,
  cudaOccupancyAvailableDynamicSMemPerBlock,
  cudaOccupancyMaxActiveBlocksPerMultiprocessor,
  cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags,
  cudaOccupancyMaxActiveClusters,
  cudaOccupancyMaxPotentialBlockSize,
  cudaOccupancyMaxPotentialClusterSize,
  cudaProfilerStart,
  cudaProfilerStop,
  cudaSetDeviceFlags,
  cudaStreamAttributeAccessPolicyWindow,
  cudaStreamCreate,
  cudaStreamGetAttribute,
  cudaStreamSetAttribute,
  type Out,
} from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { fails, fixtureBytes, ok, withCuda } from "./support.ts";

/** Registers the kernels that these tests use. */
function register(): void {
  const handle = __cudaRegisterFatBinary(fixtureBytes("kernels.fatbin"));
  for (const name of ["shape", "saxpy", "absent"]) __cudaRegisterFunction(handle, name, name);
}

describe("functions", () => {
  test("attributes, and what changes them", () =>
    withCuda(() => {
      register();
      const out: Out<CudaFuncAttributes | null> = { value: null };
      ok(cudaFuncGetAttributes(out, "shape"));
      const before = out.value;
      assert.ok(before);
      assert.equal(before.sharedSizeBytes, 0);
      assert.equal(before.maxThreadsPerBlock, 1024);
      assert.equal(before.maxDynamicSharedSizeBytes, 48 * 1024);
      assert.equal(before.ptxVersion, 90);
      assert.equal(before.binaryVersion, 90);
      assert.ok(before.numRegs > 0);
      const dynamic = cudaFuncAttributeMaxDynamicSharedMemorySize;
      ok(cudaFuncSetAttribute("shape", dynamic, 200 * 1024));
      ok(cudaFuncSetAttribute("shape", cudaFuncAttributePreferredSharedMemoryCarveout, 50));
      ok(cudaFuncSetCacheConfig("shape", cudaFuncCachePreferL1));
      ok(cudaFuncGetAttributes(out, "shape"));
      assert.equal(out.value?.maxDynamicSharedSizeBytes, 200 * 1024);
      assert.equal(out.value?.preferredShmemCarveout, 50);
      // Now a launch may ask for that much.
      const memory = { value: 0 };
      ok(cudaMalloc(memory, 16));
      const args = [BigUint64Array.of(BigInt(memory.value))];
      ok(cudaLaunchKernel("shape", 1, 1, args, 200 * 1024));
      const seen = new Uint32Array(4);
      ok(cudaMemcpy(seen, memory.value, 16, cudaMemcpyDeviceToHost));
      assert.equal(seen[3], 200 * 1024);
      fails(cudaLaunchKernel("shape", 1, 1, args, 200 * 1024 + 1), "cudaErrorInvalidValue");
    }));

  test("values that are out of range, and kernels that are none", () =>
    withCuda(() => {
      register();
      const dynamic = cudaFuncAttributeMaxDynamicSharedMemorySize;
      for (const value of [227 * 1024 + 1, -1, 0.5]) {
        fails(cudaFuncSetAttribute("shape", dynamic, value), "cudaErrorInvalidValue");
      }
      for (const attribute of [0, 7, 99, 0x100, -1]) {
        fails(cudaFuncSetAttribute("shape", attribute, 1), "cudaErrorInvalidValue");
      }
      fails(cudaFuncSetCacheConfig("shape", 4), "cudaErrorInvalidValue");
      fails(cudaFuncGetAttributes(null, "shape"), "cudaErrorInvalidValue");
      for (const [func, error] of [
        ["absent", "cudaErrorSymbolNotFound"],
        ["nobody", "cudaErrorInvalidResourceHandle"],
        [null, "cudaErrorInvalidDeviceFunction"],
      ] as const) {
        fails(cudaFuncGetAttributes({ value: null }, func), error);
        fails(cudaFuncSetAttribute(func, dynamic, 0), error);
        fails(cudaFuncSetCacheConfig(func, 0), error);
        fails(cudaOccupancyMaxActiveBlocksPerMultiprocessor({ value: 0 }, func, 32, 0), error);
      }
    }));

  test("names and parameters", () =>
    withCuda(() => {
      register();
      const name = { value: "" };
      ok(cudaFuncGetName(name, "saxpy"));
      assert.equal(name.value, "saxpy");
      const offset = { value: -1 };
      const size = { value: -1 };
      ok(cudaFuncGetParamInfo("saxpy", 3, offset, size));
      assert.deepEqual([offset.value, size.value], [16, 8]);
      fails(cudaFuncGetParamInfo("saxpy", 4, offset, size), "cudaErrorInvalidValue");
      fails(cudaFuncGetParamInfo("saxpy", -1, offset, size), "cudaErrorInvalidValue");
    }));

  test("occupancy", () =>
    withCuda(
      () => {
        register();
        const blocks = { value: 0 };
        ok(cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, "shape", 1024, 0));
        assert.ok(blocks.value >= 1 && blocks.value <= 2);
        ok(cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, "shape", 32, 0, 1));
        assert.ok(blocks.value >= 16 && blocks.value <= 32);
        ok(cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, "shape", 32, 48 * 1024));
        assert.equal(blocks.value, 4);
        const available = { value: 0 };
        ok(cudaOccupancyAvailableDynamicSMemPerBlock(available, "shape", 4, 32));
        assert.ok(available.value >= 48 * 1024 && available.value < 64 * 1024);
        const grid = { value: 0 };
        const block = { value: 0 };
        ok(cudaOccupancyMaxPotentialBlockSize(grid, block, "shape"));
        assert.ok(block.value >= 32 && block.value <= 1024 && block.value % 32 === 0);
        assert.equal(grid.value % 3, 0);
        ok(cudaOccupancyMaxPotentialBlockSize(grid, block, "shape", 0, 64));
        assert.ok(block.value <= 64);
        const zero = "cudaErrorInvalidValue";
        fails(cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, "shape", 0, 0), zero);
        fails(cudaOccupancyMaxActiveBlocksPerMultiprocessor(null, "shape", 32, 0), zero);
        fails(cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, "shape", 32, -1), zero);
      },
      { multiprocessors: 3 },
    ));
});

describe("attributes of launches and streams", () => {
  test("hints are taken, unknown ones are not", () =>
    withCuda(() => {
      register();
      const memory = { value: 0 };
      ok(cudaMalloc(memory, 16));
      const args = [BigUint64Array.of(BigInt(memory.value))];
      const config = { gridDim: 1, blockDim: [4, 2], dynamicSmemBytes: 128 };
      const attrs = [
        { id: cudaLaunchAttributeCooperative, val: 1 },
        { id: cudaLaunchAttributePriority, val: -1 },
        { id: cudaLaunchAttributeClusterDimension, val: { x: 1 } },
      ];
      ok(cudaLaunchKernelExC({ ...config, attrs }, "shape", args));
      const seen = new Uint32Array(4);
      ok(cudaMemcpy(seen, memory.value, 16, cudaMemcpyDeviceToHost));
      assert.deepEqual(seen, Uint32Array.of(4, 2, 1, 128));
      const unknown = { id: 99, val: 0 };
      const error = cudaLaunchKernelExC({ ...config, attrs: [unknown] }, "shape", args);
      fails(error, "cudaErrorNotSupported");
      fails(cudaLaunchKernelExC(null, "shape", args), "cudaErrorInvalidValue");
      const stream = { value: 0 };
      const hints = { hitRatio: 0.5, hitProp: 2, missProp: 1 };
      const window = { base_ptr: memory.value, num_bytes: 16, ...hints };
      ok(cudaStreamCreate(stream));
      ok(cudaStreamSetAttribute(stream.value, cudaStreamAttributeAccessPolicyWindow, window));
      const value: Out<unknown> = { value: null };
      ok(cudaStreamGetAttribute(stream.value, cudaStreamAttributeAccessPolicyWindow, value));
      assert.deepEqual(value.value, window);
      fails(cudaStreamSetAttribute(stream.value, 4, window), "cudaErrorInvalidValue");
    }));
});

describe("clusters", () => {
  test("sizes are checked as an H100 checks them", () =>
    withCuda(
      () => {
        register();
        const memory = { value: 0 };
        ok(cudaMalloc(memory, 16));
        const args = [BigUint64Array.of(BigInt(memory.value))];
        const launch = (gridDim: number, val: unknown) => {
          const attrs = [{ id: cudaLaunchAttributeClusterDimension, val }];
          const config = { gridDim, blockDim: 32, dynamicSmemBytes: 128, attrs };
          return cudaLaunchKernelExC(config, "shape", args);
        };
        const wrong = "cudaErrorInvalidClusterSize";
        ok(launch(8, { x: 4 }));
        for (const [grid, cluster] of [
          [6, 4],
          [9, 9],
          [16, 16],
          [8, [2, 0, 1]],
          [256, 256],
          [8, [1, 2, 1]],
        ] as const) {
          fails(launch(grid, cluster), wrong);
        }
        ok(cudaFuncSetAttribute("shape", cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
        ok(launch(16, 16));
        fails(launch(17, 17), wrong);
        ok(cudaFuncSetAttribute("shape", cudaFuncAttributeRequiredClusterWidth, 2));
        fails(launch(8, 4), wrong);
        fails(cudaLaunchKernel("shape", 3, 32, args, 128), wrong);
        ok(cudaLaunchKernel("shape", 4, 32, args, 128));
        fails(
          cudaFuncSetAttribute("shape", cudaFuncAttributeClusterDimMustBeSet, 1),
          "cudaErrorInvalidValue",
        );
        const out: Out<CudaFuncAttributes | null> = { value: null };
        ok(cudaFuncGetAttributes(out, "shape"));
        assert.equal(out.value?.clusterDimMustBeSet, 0);
        assert.equal(out.value?.requiredClusterWidth, 2);
        assert.equal(out.value?.nonPortableClusterSizeAllowed, 1);
        const count = { value: 0 };
        const config = { gridDim: 64, blockDim: 128 };
        ok(cudaOccupancyMaxPotentialClusterSize(count, "saxpy", config));
        assert.equal(count.value, 8);
        const attrs = [{ id: cudaLaunchAttributeClusterDimension, val: 4 }];
        ok(cudaOccupancyMaxActiveClusters(count, "saxpy", { ...config, attrs }));
        const blocks = { value: 0 };
        ok(cudaOccupancyMaxActiveBlocksPerMultiprocessor(blocks, "saxpy", 128, 0));
        assert.equal(count.value, Math.floor((3 * blocks.value) / 4));
        fails(
          cudaOccupancyMaxActiveClusters(count, "saxpy", { ...config, blockDim: 0 }),
          "cudaErrorInvalidValue",
        );
      },
      { multiprocessors: 3 },
    ));
});

describe("limits and flags", () => {
  test("are set and asked for", () =>
    withCuda(() => {
      const value = { value: 0 };
      ok(cudaDeviceGetLimit(value, cudaLimitStackSize));
      assert.ok(value.value > 0);
      ok(cudaDeviceSetLimit(cudaLimitMallocHeapSize, 16 << 20));
      ok(cudaDeviceGetLimit(value, cudaLimitMallocHeapSize));
      assert.equal(value.value, 16 << 20);
      for (const limit of [99, -1]) {
        fails(cudaDeviceGetLimit(value, limit), "cudaErrorInvalidValue");
        fails(cudaDeviceSetLimit(limit, 1), "cudaErrorInvalidValue");
      }
      fails(cudaDeviceSetLimit(cudaLimitStackSize, -1), "cudaErrorInvalidValue");
      fails(cudaDeviceGetLimit(null, cudaLimitStackSize), "cudaErrorInvalidValue");
      ok(cudaSetDeviceFlags(4));
      ok(cudaGetDeviceFlags(value));
      assert.equal(value.value, 12);
      fails(cudaSetDeviceFlags(3), "cudaErrorInvalidValue");
      fails(cudaSetDeviceFlags(0x400), "cudaErrorInvalidValue");
      ok(cudaProfilerStart());
      ok(cudaProfilerStop());
    }));
});
