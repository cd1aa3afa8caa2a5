/** What the library says on a machine, or for a program, that it cannot do with: what to do is in it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { nativeLibraries } from "../../cuda-shim/native/install.ts";
import { NEWEST } from "../../cuda-shim/native/versions.ts";
import { describe, test } from "../harness.ts";
import { ROOT } from "../repo/files.ts";
import { missing, PREBUILT, runProgram, startClient, withServer } from "./support.ts";

const why = missing();
const COMPILER = process.env["CC"] ?? "cc";
const here = (name: string) => fileURLToPath(new URL(`./messages/${name}`, import.meta.url));

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "warpring-messages-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("messages of the library", () => {
  if (why !== undefined) {
    console.warn(`messages of the library are not tested: ${why}`);
    return;
  }

  test("a kernel that is too old, and limits of the process", async () => {
    await withFolder(async (folder) => {
      const preload = join(folder, "old-kernel.so");
      execFileSync(COMPILER, ["-Wall", "-shared", "-fPIC", "-o", preload, here("old-kernel.c")]);
      await withServer(async ({ socket }) => {
        const lacking = async (what: string) => {
          const env = [`LD_PRELOAD=${preload}`, `LACKS=${what}`];
          const program = join(PREBUILT, "vector-add");
          return (await startClient(socket, "/usr/bin/env", ...env, program)).ended;
        };
        const said: Record<string, RegExp> = {
          memfd: /^warpring: this kernel has no memfd_create: Linux 3\.17 or later is needed\n/,
          seals:
            /^warpring: this kernel cannot seal memory files: Linux 3\.17 or later is needed\n/,
          descriptors: /^warpring: no memory file can be made: Too many open files\n/,
          addresses: /^warpring: this process has no 4 GiB of address space left: .*`ulimit -v`/,
        };
        for (const [what, message] of Object.entries(said)) {
          const { code, stderr } = await lacking(what);
          assert.match(stderr, message);
          assert.notEqual(code, 0, what);
        }
        assert.deepEqual(await lacking("nothing"), {
          code: 0,
          stdout: "vector-add passed\n",
          stderr: "",
        });
      });
    });
  });

  test("regression: machine code only, PTX for newer devices only, and code that suits", async () => {
    await withFolder(async (folder) => {
      const library = join(await nativeLibraries("test", [NEWEST]), NEWEST.library);
      const run = (fatbin: string) => {
        const program = join(folder, fatbin);
        const path = join(ROOT, "tests", "fixtures", "image", `${fatbin}.fatbin`);
        const flags = ["-Wall", `-DFATBIN="${path}"`, "-o", program];
        execFileSync(COMPILER, [...flags, here("program.c"), library]);
        return runProgram(program);
      };
      const cubin = run("cubin");
      assert.deepEqual([cubin.code, cubin.stdout], [209, "cudaErrorNoKernelImageForDevice\n"]);
      const machineCode =
        /^warpring: the image holds machine code only \(sm_90\) \(kernels: vecAdd\), no PTX: compile with `-gencode/;
      assert.match(cubin.stderr, machineCode);
      const newer = run("newer");
      assert.deepEqual([newer.code, newer.stdout], [209, "cudaErrorNoKernelImageForDevice\n"]);
      assert.match(
        newer.stderr,
        /^warpring: the image holds PTX for .* only .*: compile with `-gencode/,
      );
      assert.deepEqual(run("both"), { code: 0, stdout: "cudaSuccess\n", stderr: "" });
    });
  });

  test("no device, or one that is not there", async () => {
    const program = join(PREBUILT, "vector-add");
    const none = await (await startClient("", program)).ended;
    // An empty path is none.
    assert.match(none.stderr, /no device/);
    const long = await (await startClient("x".repeat(200), program)).ended;
    assert.match(long.stderr, /there is no device: start the program with `warpring run`/);
    const gone = await (await startClient("/nonexistent/socket", program)).ended;
    assert.match(gone.stderr, /no device at \/nonexistent\/socket: No such file or directory/);
    for (const { code } of [none, long, gone]) assert.notEqual(code, 0);
  });
});
