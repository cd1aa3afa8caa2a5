import assert from "node:assert/strict";
import { cubinKernels, describeImage, entryTarget } from "../../runtime/image/index.ts";
import { describe, test } from "../harness.ts";
import { fixture } from "./fixtures.ts";

describe("describeImage", () => {
  test("the entries of a fat binary", () => {
    const { format, fatbins, imports } = describeImage(fixture("speed.fatbin"));
    assert.equal(format, "fatbin");
    assert.deepEqual(imports, []);
    assert.deepEqual(
      fatbins.map(({ entries }) =>
        entries.map((entry) => `${entryTarget(entry)} ${entry.compression}`),
      ),
      [["compute_75 lz4", "compute_90 lz4", "sm_90 none", "compute_100 lz4"]],
    );
  });

  test("what a program imports, with versions, and from which libraries", () => {
    const { imports, libraries, fatbins } = describeImage(fixture("program"));
    const cuda = imports.filter((symbol) => symbol.library.startsWith("libcudart"));
    const names = cuda.map((symbol) => symbol.name).sort();
    assert.deepEqual(names, [
      "__cudaGetKernel",
      "__cudaInitModule",
      "__cudaLaunchKernel",
      "__cudaPopCallConfiguration",
      "__cudaPushCallConfiguration",
      "__cudaRegisterFatBinary",
      "__cudaRegisterFatBinaryEnd",
      "__cudaRegisterFunction",
      "__cudaUnregisterFatBinary",
      "cudaDeviceSynchronize",
      "cudaMalloc",
    ]);
    assert.ok(cuda.every((symbol) => symbol.version === "libcudart.so.13" && !symbol.weak));
    assert.ok(libraries.includes("libcudart.so.13"));
    assert.ok(libraries.includes("libc.so.6"));
    assert.ok(imports.some((symbol) => symbol.name === "__gmon_start__" && symbol.weak));
    assert.ok(fatbins.every((fatbin) => fatbin.section === ".nv_fatbin" && !fatbin.relocatable));
  });

  test("the parts of a separately compiled program", () => {
    const { fatbins } = describeImage(fixture("program.rdc"));
    const parts = fatbins.filter((fatbin) => fatbin.relocatable);
    assert.equal(parts.length, 2);
    assert.ok(parts.every((part) => part.section === "__nv_relfatbin"));
  });

  test("the kernels of machine code", () => {
    const { fatbins } = describeImage(fixture("cubin.fatbin"));
    assert.deepEqual(fatbins[0]?.entries.flatMap(cubinKernels), ["vecAdd"]);
  });

  test("PTX text", () => {
    const text = new TextEncoder().encode(".version 8.0\n.target sm_80\n");
    assert.deepEqual(describeImage(text), {
      format: "ptx",
      fatbins: [],
      imports: [],
      libraries: [],
    });
  });
});
