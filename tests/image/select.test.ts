import assert from "node:assert/strict";
import { ptxKernels, ptxTarget, selectPtx } from "../../runtime/image/index.ts";
import { describe, test } from "../harness.ts";
import { fixture, imageError } from "./fixtures.ts";

/** Adds the immediate that vec.cu makes of its target, as nvcc writes it: `0f` and eight digits. */
function floatImmediate(arch: number): string {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, arch * 10);
  return `0f${bits.getUint32(0).toString(16).toUpperCase().padStart(8, "0")}`;
}

describe("choosing PTX", () => {
  for (const mode of ["none", "speed", "size"]) {
    test(`the highest up to sm_90 of three targets, compress mode ${mode}`, () => {
      const { format, modules, ptx } = selectPtx(fixture(`${mode}.fatbin`));
      assert.equal(format, "fatbin");
      assert.equal(modules.length, 1);
      assert.equal(ptx.length, 1);
      assert.deepEqual(ptxTarget(ptx[0] ?? ""), { arch: 90, suffix: "" });
      assert.deepEqual(ptxKernels(ptx[0] ?? ""), ["vecAdd"]);
      // The code was compiled for sm_90, whatever the directive says.
      assert.ok(ptx[0]?.includes(floatImmediate(90)), ptx[0]);
      assert.match(ptx[0] ?? "", /^\s*\.version \d/m);
      assert.ok(!ptx[0]?.includes("\0"));
    });
  }

  test("all compressions hold the same text", () => {
    const [stored, lz4, zstd] = ["none", "speed", "size"].map((mode) =>
      selectPtx(fixture(`${mode}.fatbin`)).ptx[0]?.trim(),
    );
    assert.equal(lz4, stored);
    assert.equal(zstd, stored);
  });

  test("sm_90a is taken above sm_80, but not instead of sm_90", () => {
    const target = (name: string) => ptxTarget(selectPtx(fixture(name)).ptx[0] ?? "");
    assert.deepEqual(target("specific.fatbin"), { arch: 90, suffix: "a" });
    assert.deepEqual(target("both.fatbin"), { arch: 90, suffix: "" });
  });

  test("an object", () => {
    const { format, modules } = selectPtx(fixture("vec.o"));
    assert.equal(format, "elf");
    assert.deepEqual(
      modules.map((texts) => texts.map(ptxKernels)),
      [[["vecAdd"]]],
    );
  });

  test("a program: a module for each translation unit", () => {
    const { modules } = selectPtx(fixture("program"));
    assert.equal(modules.length, 2);
    assert.ok(modules.every((texts) => texts.length === 1));
    const kernels = modules.flat().flatMap(ptxKernels);
    assert.deepEqual(kernels, ["_Z11scaleKernelPfi", "_Z11otherKernelPi"]);
  });

  test("a program of separately compiled parts: one module, linked", () => {
    const { modules } = selectPtx(fixture("program.rdc"));
    assert.equal(modules.length, 1);
    assert.equal(modules[0]?.length, 1);
    assert.deepEqual(modules.flat().flatMap(ptxKernels), [
      "_Z11scaleKernelPfi",
      "_Z11otherKernelPi",
    ]);
    assert.ok(modules[0]?.[0]?.includes(".extern .func"));
  });

  test("a relocatable object", () => {
    const { ptx } = selectPtx(fixture("part.rdc.o"));
    assert.deepEqual(ptx.flatMap(ptxKernels), ["_Z11otherKernelPi"]);
  });

  test("PTX text, as a string and as bytes with and without NUL at the end", () => {
    const text = selectPtx(fixture("none.fatbin")).ptx[0] ?? "";
    const bytes = new TextEncoder().encode(text);
    const withNul = new Uint8Array(bytes.length + 3);
    withNul.set(bytes);
    const commented = new TextEncoder().encode(`// a comment\n/* and another */\n${text}`);
    assert.deepEqual(selectPtx(text).ptx, [text]);
    assert.deepEqual(selectPtx(bytes).ptx, [text]);
    assert.deepEqual(selectPtx(withNul).ptx, [text]);
    assert.ok(selectPtx(commented).ptx[0]?.endsWith(text));
  });

  test("bytes in shared memory", () => {
    const image = fixture("size.fatbin");
    const shared = new Uint8Array(new SharedArrayBuffer(image.length + 5), 5);
    shared.set(image);
    assert.deepEqual(selectPtx(shared).ptx, selectPtx(image).ptx);
    const text = new TextEncoder().encode(selectPtx(image).ptx[0]);
    const sharedText = new Uint8Array(new SharedArrayBuffer(text.length));
    sharedText.set(text);
    assert.deepEqual(selectPtx(sharedText).ptx, selectPtx(image).ptx);
  });
});

describe("images that this device can't run", () => {
  test("only newer PTX: the targets, the kernel and the remedy are named", () => {
    const message = imageError("newer-only", () => selectPtx(fixture("newer.fatbin")));
    assert.match(message, /compute_100, compute_100f/);
    assert.match(message, /vecAdd/);
    assert.match(message, /-arch=sm_90/);
  });

  test("newer PTX text", () => {
    const text = ".version 9.0\n.target sm_120a\n.address_size 64\n.visible .entry k() { ret; }\n";
    const message = imageError("newer-only", () => selectPtx(text));
    assert.match(message, /PTX for sm_120a only \(kernels: k\)/);
  });

  test("only machine code", () => {
    const message = imageError("machine-code-only", () => selectPtx(fixture("cubin.fatbin")));
    assert.match(message, /machine code only \(sm_90\) \(kernels: vecAdd\)/);
    assert.match(message, /-arch=sm_90/);
  });

  test("only intermediate code of link-time optimisation", () => {
    const message = imageError("machine-code-only", () => selectPtx(fixture("lto.fatbin")));
    assert.match(message, /lto_90/);
  });

  test("the error number is cudaErrorNoKernelImageForDevice", () => {
    assert.throws(() => selectPtx(fixture("newer.fatbin")), { name: "ImageError", code: 209 });
  });

  test("regression: PTX that only mentions a newer target in a comment is not refused", () => {
    const text = ".version 8.0\n// .target sm_100\n.target sm_80\n.address_size 64\n";
    assert.deepEqual(selectPtx(text).ptx, [text]);
  });
});
