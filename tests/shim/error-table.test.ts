import assert from "node:assert/strict";
import { CudaError, isSticky } from "../../cuda-shim/errors.ts";
import {
  cudaErrorNumbers,
  cudaGetErrorName,
  cudaGetErrorString,
} from "../../runtime/protocol/error-texts.ts";
import * as numbers from "../../runtime/protocol/errors.ts";
import { describe, test } from "../harness.ts";

describe("the error table", () => {
  // Number, name and text as libcudart 13.0 gives them.
  const known: [number, string, string][] = [
    [0, "cudaSuccess", "no error"],
    [1, "cudaErrorInvalidValue", "invalid argument"],
    [2, "cudaErrorMemoryAllocation", "out of memory"],
    [9, "cudaErrorInvalidConfiguration", "invalid configuration argument"],
    [13, "cudaErrorInvalidSymbol", "invalid device symbol"],
    [98, "cudaErrorInvalidDeviceFunction", "invalid device function"],
    [
      209,
      "cudaErrorNoKernelImageForDevice",
      "no kernel image is available for execution on the device",
    ],
    [218, "cudaErrorInvalidPtx", "a PTX JIT compilation failed"],
    [400, "cudaErrorInvalidResourceHandle", "invalid resource handle"],
    [700, "cudaErrorIllegalAddress", "an illegal memory access was encountered"],
    [702, "cudaErrorLaunchTimeout", "the launch timed out and was terminated"],
    [710, "cudaErrorAssert", "device-side assert triggered"],
    [801, "cudaErrorNotSupported", "operation not supported"],
    [999, "cudaErrorUnknown", "unknown error"],
  ];
  for (const [number, name, text] of known) {
    test(`${number} is ${name}`, () => {
      assert.equal(cudaGetErrorName(number), name);
      assert.equal(cudaGetErrorString(number), text);
    });
  }

  test("every number of the protocol has a name and a text, and none is there twice", () => {
    const all = cudaErrorNumbers();
    assert.deepEqual(
      all,
      Object.values(numbers).sort((a, b) => a - b),
    );
    assert.equal(new Set(all.map(cudaGetErrorName)).size, all.length);
    assert.equal(all.length, 133);
    assert.ok(all.every((number) => cudaGetErrorString(number) !== "unrecognized error code"));
  });

  test("other numbers are not recognised", () => {
    for (const number of [-1, 10, 11, 5555, 1.5, Number.NaN]) {
      assert.equal(cudaGetErrorName(number), "unrecognized error code");
      assert.equal(cudaGetErrorString(number), "unrecognized error code");
    }
  });

  test("faults of kernels stay, mistakes of calls don't", () => {
    const sticky = cudaErrorNumbers().filter(isSticky);
    assert.deepEqual(sticky, [700, 702, 710, 714, 715, 716, 717, 718, 719, 721]);
  });

  test("CudaError carries number, name and text", () => {
    const error = new CudaError(numbers.cudaErrorMemoryAllocation, "alloc of 5 bytes");
    assert.ok(error instanceof Error);
    assert.equal(error.code, 2);
    assert.equal(error.cudaName, "cudaErrorMemoryAllocation");
    assert.equal(error.message, "cudaErrorMemoryAllocation: out of memory (alloc of 5 bytes)");
    assert.equal(new CudaError(1).message, "cudaErrorInvalidValue: invalid argument");
  });
});
