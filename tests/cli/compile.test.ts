import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "../harness.ts";
import { warpring } from "./run.ts";

/** Gives a folder to a test and removes it afterwards. */
function inFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "warpring-compile-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const HEADER = ".version 8.0\n.target sm_80\n.address_size 64\n";
const TWO_KERNELS = `${HEADER}
.visible .entry first (.param .u64 p, .param .u32 n) { ret; }
.visible .entry second () .reqntid 64, 2, 1 { ret; }
`;

describe("compile", () => {
  test("writes a module and a description for each kernel of a file from nvcc", () => {
    inFolder((folder) => {
      const { code, stdout, stderr } = warpring("compile", "examples/sgemm.ptx", "--out", folder);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /sgemm\.wasm +[\d.]+ KiB +3 regions/);
      const module = new WebAssembly.Module(readFileSync(join(folder, "sgemm.wasm")));
      const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
      assert.deepEqual(exports, ["region1", "region2", "region3"]);
      const description = JSON.parse(readFileSync(join(folder, "sgemm.json"), "utf8"));
      assert.equal(description.sharedBytes, 2048);
      assert.equal(description.cuts.length, 3 * 16);
      assert.deepEqual(description.params.at(-1), {
        name: "sgemm_param_5",
        offset: 32,
        size: 8,
        align: 8,
      });
    });
  });

  test("--report names the threads that the levels of a tree visit", () => {
    const file = "bench/kernels/reduce.ptx";
    const { code, stdout, stderr } = warpring("compile", file, "--report", "--block", "256");
    assert.equal(code, 0, stderr);
    const visited = [...stdout.matchAll(/threads below (\d+) only/g)].map((m) => Number(m[1]));
    assert.deepEqual(visited, [128, 64, 32, 16, 8, 4, 2, 1, 1]);
  });

  test("--report tells of parameters that had better be multiples of four", () => {
    const file = "bench/kernels/bitonic-sort.ptx";
    const { code, stdout, stderr } = warpring("compile", file, "--report", "--block", "256");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /where 1 of its parameters are multiples of four/);
  });

  test("--kernel takes one of several; the block shape is the option's, or .reqntid", () => {
    inFolder((folder) => {
      const file = join(folder, "two.ptx");
      writeFileSync(file, TWO_KERNELS);
      const shapeOf = (...options: string[]) => {
        const { code, stderr } = warpring("compile", file, "-o", folder, ...options);
        assert.equal(code, 0, stderr);
        return JSON.parse(readFileSync(join(folder, "second.json"), "utf8")).shape;
      };
      assert.deepEqual(shapeOf("--kernel", "second"), [64, 2, 1]);
      assert.deepEqual(readdirSync(folder).sort(), ["second.json", "second.wasm", "two.ptx"]);
      assert.deepEqual(shapeOf("--block", "32"), [32, 1, 1]);
      assert.equal(readdirSync(folder).length, 5);
    });
  });

  test("describes the module's variables: place, first bytes, addresses among them", () => {
    inFolder((folder) => {
      const file = join(folder, "variables.ptx");
      writeFileSync(
        file,
        `${HEADER}
.const .align 4 .u32 table[2] = { 1, 258 };
.global .align 8 .u64 pointer = table + 4;
.entry k () { ret; }
`,
      );
      const { code, stderr } = warpring("compile", file, "-o", folder);
      assert.equal(code, 0, stderr);
      const { moduleBytes, variables } = JSON.parse(readFileSync(join(folder, "k.json"), "utf8"));
      assert.equal(moduleBytes, 16);
      assert.equal(variables.length, 2);
      const [table, pointer] = variables;
      assert.deepEqual(
        [table.name, table.space, table.offset, table.size, table.init],
        ["table", "const", 0, 8, "0100000002010000"],
      );
      assert.deepEqual([pointer.name, pointer.space, pointer.offset], ["pointer", "global", 8]);
      assert.equal(pointer.relocations[0].symbol, "table");
      assert.equal(pointer.relocations[0].addend, 4);
    });
  });

  test("--print shows the code after the passes asked for and writes nothing", () => {
    inFolder((folder) => {
      const file = join(folder, "two.ptx");
      writeFileSync(file, TWO_KERNELS);
      const one = warpring("compile", file, "-o", folder, "--print", "dce", "-k", "first");
      assert.equal(one.code, 0, one.stderr);
      assert.match(one.stdout, /^; first after dce\nregion 1\n/);
      assert.equal(one.stdout.split("; first after").length, 2);
      const two = warpring("compile", file, "-o", folder, "-p", "build", "-p", "dce");
      assert.match(two.stdout, /; second after build[\s\S]*; second after dce/);
      assert.deepEqual(readdirSync(folder), ["two.ptx"]);
    });
  });

  test("regression: an ordered access of a vector is one access", () => {
    inFolder((folder) => {
      const file = join(folder, "state.ptx");
      const body = `.reg .b64 %rd<2>; .reg .b32 %r<3>; ld.param.u64 %rd1, [p];
        ld.relaxed.gpu.v2.u32 {%r1, %r2}, [%rd1]; st.relaxed.gpu.v2.u32 [%rd1+8], {%r1, %r2};
        ld.relaxed.gpu.v4.u32 {%r1, %r2, _, _}, [%rd1]; st.relaxed.gpu.v4.u32 [%rd1+16], {%r1, %r2, %r1, %r2};`;
      writeFileSync(file, `${HEADER}.entry state (.param .u64 p) {\n${body}\nret;\n}\n`);
      const { stdout, stderr } = warpring("compile", file, "-o", folder, "--print", "build");
      assert.equal(stderr, "");
      assert.match(stdout, /i64 = load .* size=8 .*ordered=true/);
      assert.match(stdout, /store .* size=8 .*ordered=true/);
      assert.match(stdout, /lib .*name=ld_b128/);
      assert.match(stdout, /lib .*name=st_b128/);
      assert.doesNotMatch(stdout, /size=4 .*ordered=true/);
    });
  });

  test("what can't be compiled: file, line, column and kernel; exit code 1", () => {
    inFolder((folder) => {
      const file = join(folder, "bad.ptx");
      writeFileSync(file, `${HEADER}.entry bad () {\n  frobnicate.u32 1;\n  ret;\n}\n`);
      const { code, stdout, stderr } = warpring("compile", file, "-o", folder);
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.match(stderr, /^warpring: .*bad\.ptx:5:3: .*frobnicate/);
      assert.doesNotMatch(stderr, /\n +at /);
    });
  });

  test("a file without such a kernel, and one for newer devices only", () => {
    const none = warpring("compile", "examples/saxpy.ptx", "--kernel", "nothing");
    assert.equal(none.code, 1);
    assert.match(none.stderr, /examples\/saxpy\.ptx: no kernel nothing/);
    const newer = warpring("compile", "tests/fixtures/image/newer.fatbin");
    assert.equal(newer.code, 1);
    assert.match(newer.stderr, /100/);
  });

  test("options that make no sense: exit code 2", () => {
    for (const [option, value] of [
      ["--block", "0"],
      ["--block", "64,64"],
      ["--block", "1,1,1,1"],
      ["--block", "wide"],
      ["--fma", "sometimes"],
      ["--print", "everything"],
    ] as const) {
      const { code, stderr } = warpring("compile", "examples/saxpy.ptx", option, value);
      assert.equal(code, 2, `${option} ${value}`);
      assert.match(stderr, /^warpring: compile: /);
    }
  });
});
