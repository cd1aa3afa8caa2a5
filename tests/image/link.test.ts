import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parsePtx } from "../../runtime/compiler/ptx/index.ts";
import { SECTION_NAME_RELFATBIN } from "../../runtime/image/defs.ts";
import { parseElf, sectionsNamed } from "../../runtime/image/elf.ts";
import { linkPtx, ptxKernels, ptxTarget, selectPtx } from "../../runtime/image/index.ts";
import { describe, test } from "../harness.ts";
import { fixture, imageError } from "./fixtures.ts";

const head = (target: string, version = "8.0") =>
  `.version ${version}\n.target ${target}\n.address_size 64\n`;

describe("linking PTX", () => {
  test("a program from nvcc -rdc=true: the function of one part that the other calls", () => {
    const [text = ""] = selectPtx(fixture("program.rdc")).ptx;
    const module = parsePtx(text);
    const twice = module.functions.filter((fn) => fn.name === "_Z5twicef");
    assert.equal(twice.length, 1);
    assert.ok(twice[0]?.body, "the definition, not only the prototype");
    assert.deepEqual(ptxKernels(text), ["_Z11scaleKernelPfi", "_Z11otherKernelPi"]);
    assert.equal(text.match(/\.version/g)?.length, 1);
  });

  test("fat binaries in a row are the parts of one module", () => {
    const program = fixture("program.rdc");
    const [section = new Uint8Array()] = sectionsNamed(parseElf(program), SECTION_NAME_RELFATBIN);
    assert.deepEqual(selectPtx(section).ptx, selectPtx(program).ptx);
    assert.equal(selectPtx(section).format, "fatbin");
  });

  test("regression: the toolkit's device runtime is left out", () => {
    const path = new URL("../programs/prebuilt/children", import.meta.url);
    const [text = ""] = selectPtx(new Uint8Array(readFileSync(path))).ptx;
    const launch = parsePtx(text).functions.filter((fn) => fn.name === "__cudaCDP2LaunchDeviceV2");
    assert.ok(launch.length > 0 && launch.every((fn) => fn.body === undefined));
  });

  test("a single text is left as it is", () => {
    const text = `${head("sm_70")}// a comment\n`;
    assert.equal(linkPtx([text]), text);
  });

  test("the highest version and target", () => {
    const text = linkPtx([head("sm_70", "7.5"), head("sm_86", "8.1"), head("sm_80", "7.10")]);
    assert.deepEqual(ptxTarget(text), { arch: 86, suffix: "" });
    assert.match(text, /^\.version 8\.1$/m);
  });

  test("names that parts keep to themselves don't meet", () => {
    const part = (value: number, kernel: string) => `${head("sm_80")}
.global .align 4 .b8 $str[4] = {${value}, 0, 0, 0};
.func helper(.param .b32 p) { ret; }
.visible .entry ${kernel}()
{
  .reg .b64 %rd<2>;
  mov.u64 %rd1, $str; // $str in a comment
  call helper, (1);
  ret;
}
`;
    const text = linkPtx([part(1, "a"), part(2, "b")]);
    const module = parsePtx(text);
    assert.deepEqual(module.variables.map((variable) => variable.name).sort(), [
      "$str$part0",
      "$str$part1",
    ]);
    assert.equal(module.functions.length, 4);
    assert.match(text, /mov\.u64 %rd1, \$str\$part1;/);
    assert.match(text, /call helper\$part0,/);
  });

  test("extern variables, weak functions and their strong replacement", () => {
    const first = `${head("sm_80")}
.extern .global .align 4 .u32 shared_counter;
.weak .func (.param .b32 r) pick() { st.param.b32 [r], 1; ret; }
.visible .entry k() { ret; }
`;
    const second = `${head("sm_80")}
.visible .global .align 4 .u32 shared_counter = 5;
.visible .func (.param .b32 r) pick() { st.param.b32 [r], 2; ret; }
`;
    for (const texts of [
      [first, second],
      [second, first],
    ]) {
      const text = linkPtx(texts);
      assert.equal(text.match(/ pick\(\)/g)?.length, 1);
      assert.match(text, /st\.param\.b32 \[r\], 2;/);
      const counters = parsePtx(text).variables.filter((v) => v.name === "shared_counter");
      assert.equal(counters.length, 1);
    }
  });

  test("two weak definitions: the first one", () => {
    const weak = (value: number) =>
      `${head("sm_80")}.weak .global .align 4 .u32 w = ${value};\n.weak .func f() { ret; }\n`;
    const text = linkPtx([weak(1), weak(2)]);
    assert.match(text, /w = 1;/);
    assert.ok(!text.includes("w = 2;"));
    assert.equal(text.match(/\.func f/g)?.length, 1);
  });

  test("file numbers of debug lines stay apart", () => {
    const part = (name: string, kernel: string) => `${head("sm_80")}
.visible .entry ${kernel}()
{
  .loc 1 5 3
  ret;
}
  .file 1 "${name}.cu"
  .file 2 "common.h"
`;
    const text = linkPtx([part("a", "ka"), part("b", "kb")]);
    assert.match(text, /\.file 1 "a\.cu"/);
    assert.match(text, /\.file 3 "b\.cu"/);
    assert.match(text, /\.loc 3 5 3/);
    assert.match(text, /\.file 4 "common\.h"/);
  });

  test("a name defined twice", () => {
    const defines = `${head("sm_80")}.visible .func twice() { ret; }\n`;
    assert.match(
      imageError("malformed", () => linkPtx([defines, defines])),
      /define twice twice/,
    );
  });

  test("what nobody defines stays declared", () => {
    const uses = `${head("sm_80")}.extern .func (.param .b32 r) vprintf(.param .b64 f, .param .b64 a);\n`;
    assert.match(linkPtx([uses, uses]), /\.extern \.func \(\.param \.b32 r\) vprintf/);
  });
});
