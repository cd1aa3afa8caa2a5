/** Older libraries: C programs with the structures of each version, linked against a stand-in. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { VERSIONS } from "../../cuda-shim/native/versions.ts";
import { describe, test } from "../harness.ts";
import { missing, runProgram } from "./support.ts";

const why = missing();
const SOURCE = fileURLToPath(new URL("./versions/program.c", import.meta.url));

/** Builds the program for a version, against a library that has its symbols and nothing in them. */
function build(folder: string, library: string, number: number): string {
  const compiler = process.env["CC"] ?? "cc";
  const names = new Set(readFileSync(SOURCE, "utf8").match(/\b(__)?cuda[A-Z]\w+(?=\()/g));
  for (const name of readFileSync(SOURCE, "utf8").match(/\bcuda\w+_v2\b/g) ?? []) names.add(name);
  const stand = join(folder, "stand-in.c");
  writeFileSync(stand, [...names].map((name) => `void ${name}(void) {}\n`).join(""));
  const map = join(folder, "stand-in.map");
  writeFileSync(map, `${library} {\n  global: cuda*; __cuda*;\n  local: *;\n};\n`);
  const stub = join(folder, library);
  execFileSync(compiler, [
    ...["-shared", "-fPIC", `-Wl,-soname,${library}`, `-Wl,--version-script=${map}`],
    ...["-o", stub, stand],
  ]);
  const program = join(folder, `program-${number}`);
  execFileSync(compiler, ["-Wall", `-DVERSION=${number}`, "-o", program, SOURCE, stub]);
  return program;
}

describe("programs of older versions of CUDA", () => {
  if (why !== undefined) {
    console.warn(`older libraries are not tested: ${why}`);
    return;
  }
  for (const { library, number } of VERSIONS.slice(1)) {
    test(library, () => {
      const folder = mkdtempSync(join(tmpdir(), "warpring-versions-"));
      try {
        const { code, stdout, stderr } = runProgram(build(folder, library, number));
        assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "passed\n", stderr: "" });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }

  test("a library that is none of them", () => {
    const folder = mkdtempSync(join(tmpdir(), "warpring-versions-"));
    try {
      const { code, stderr } = runProgram(build(folder, "libcudart.so.8.0", 9000));
      assert.equal(code, 1);
      assert.match(stderr, /needs libcudart\.so\.8\.0: there are libcudart\.so\.13, /);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
