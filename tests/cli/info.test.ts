import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { summarizeKernels } from "../../cli/kernels.ts";
import { parsePtx } from "../../runtime/compiler/ptx/index.ts";
import { describe, test } from "../harness.ts";
import { warpring } from "./run.ts";

/** Runs `info` on a file with this content. */
function infoOn(content: string | Uint8Array) {
  const folder = mkdtempSync(join(tmpdir(), "warpring-info-"));
  try {
    const file = join(folder, "input");
    writeFileSync(file, content);
    return warpring("info", file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("info", () => {
  test("kernels: parameters, shared and local memory of what they call too, block limits", () => {
    const [first, second] = summarizeKernels(
      parsePtx(`
.version 8.0
.target sm_80
.address_size 64
.extern .shared .align 16 .b8 pool[];
.shared .align 8 .b8 tile[20];
.shared .align 8 .b8 unused[4096];
.func helper () {
  .local .align 4 .b8 stack[12];
  .reg .u32 %r<2>;
  mov.u32 %r1, tile;
  ret;
}
.visible .entry first (.param .u64 a, .param .u64 b, .param .u8 c, .param .align 16 .b8 d[20])
.maxntid 16, 16, 1
{
  .reg .u32 %r<3>;
  mov.u32 %r1, pool;
  call helper;
  ret;
}
.visible .entry second () .reqntid 128, 1, 1 { ret; }
`),
    );
    assert.deepEqual(first, {
      name: "first",
      params: ["u64", "u64", "u8", "b8[20]"],
      paramBytes: 52,
      sharedBytes: 20,
      dynamicShared: true,
      localBytes: 12,
      registers: 1,
      instructions: 5,
      block: "<= 256",
    });
    assert.equal(second?.block, "128x1x1");
    assert.equal(second?.sharedBytes, 0);
    assert.deepEqual(second?.params, []);
  });

  test("PTX text: its kernels, version and target", () => {
    const { code, stdout } = warpring("info", "examples/sgemm.ptx");
    assert.equal(code, 0);
    assert.match(stdout, /^examples\/sgemm\.ptx: PTX text/);
    assert.match(stdout, /target sm_\d+/);
    assert.match(stdout, /\bsgemm +3 × u32, 3 × u64 +40 +2 KiB/);
  });

  test("program: the entries of its fat binaries, and the CUDA symbols that it imports", () => {
    const { code, stdout } = warpring("info", "tests/fixtures/image/program");
    assert.equal(code, 0);
    assert.match(stdout, /compute_90 +ptx .* runs/);
    assert.match(stdout, /_Z11scaleKernelPfi/);
    assert.match(stdout, /imports (\d+) CUDA symbols; \1 are here/);
    assert.match(stdout, /^ {17}U cudaMalloc@libcudart\.so\.13 +here$/m);
    assert.doesNotMatch(stdout, /missing/);
  });

  test("fat binary for newer devices only: listed, and said not to run", () => {
    const { code, stdout } = warpring("info", "tests/fixtures/image/newer.fatbin");
    assert.equal(code, 0);
    assert.match(stdout, /compute_100 +ptx .* newer than the device/);
    assert.match(stdout, /not run: the device is compute capability 9\.0/);
  });

  test("PTX that doesn't parse: line, column and what is wrong, exit code 1", () => {
    const { code, stdout } = infoOn(".version 8.0\n.target sm_80\n.address_size 64\n.entry k( {\n");
    assert.equal(code, 1);
    assert.match(stdout, /^error: .*input:4:11: /m);
  });

  test("all instructions that can't be compiled are listed, with line and kernel", () => {
    const { code, stdout } = infoOn(`.version 8.0
.target sm_80
.address_size 64
.entry good () { ret; }
.entry bad (.param .u64 t) {
  .reg .u32 %r<4>;
  frobnicate.u32 %r1, %r2;
  bra end;
  add.u32 %r1, %r2, 1;
  mangle.u32 %r1, %r2;
end:
  ret;
}
`);
    assert.equal(code, 0);
    const listed = stdout.split("\n").filter((line) => line.includes("not supported"));
    assert.equal(listed.length, 2, stdout);
    assert.match(listed[0] ?? "", /input:7:3: .*frobnicate/);
    assert.match(listed[1] ?? "", /input:10:3: .*mangle/);
  });

  test("an ELF file without CUDA code is said to be one", () => {
    const header = new Uint8Array(64); // ELF64, little-endian, x86-64, no sections
    header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    header.set([2, 0, 0x3e, 0, 1], 16);
    header.set([64, 0, 56, 0, 0, 0, 64], 52);
    const { code, stdout, stderr } = infoOn(header);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /ELF file without CUDA code/);
  });

  test("a file of another kind and a missing one: a message and exit code 1", () => {
    const other = infoOn(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 0]));
    assert.equal(other.code, 1);
    assert.match(other.stderr, /^warpring: not PTX text, a fat binary or an ELF file/);
    const missing = warpring("info", "no-such-file");
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^warpring: ENOENT.*no-such-file/);
    assert.doesNotMatch(missing.stderr, / at /);
  });
});
