/** What `warpring run` and `serve` say where they cannot do what is asked: each message says what to do. */
import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { needMachine } from "../../cli/program.ts";
import { describe, test } from "../harness.ts";
import { fixture } from "../image/fixtures.ts";
import { ROOT } from "../repo/files.ts";
import { elfFile } from "./elf.ts";
import { runProgram, warpring, warpringWith } from "./run.ts";

const served = process.platform === "linux" && process.arch === "x64";

function withFolder(body: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "warpring-messages-"));
  try {
    body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function put(path: string, contents: Uint8Array | string, mode = 0o755): string {
  writeFileSync(path, contents);
  chmodSync(path, mode);
  return path;
}

/** Asserts that `warpring run -- PROGRAM` says this, and nothing else. */
function refused(program: string, message: RegExp): void {
  const { code, stdout, stderr } = warpring("run", "--", program);
  assert.deepEqual([code, stdout], [1, ""], stderr);
  assert.match(stderr, message);
  assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
}

describe("where programs can run", () => {
  test("on Linux on x86-64, and elsewhere a message says so", () => {
    needMachine("linux", "x64");
    assert.throws(() => needMachine("darwin", "arm64"), /x86-64 only, and this is darwin on arm64/);
    assert.throws(() => needMachine("linux", "arm64"), /x86-64 only, and this is linux on arm64/);
  });
});

describe("programs that cannot be run", () => {
  if (!served) return;

  test("that are not there, a folder, or not executable", () => {
    withFolder((folder) => {
      refused(
        "no-such-program",
        /no-such-program: no such program, neither in PATH nor in this folder/,
      );
      refused(join(folder, "none"), /none: no such program\n/);
      refused(folder, /is a folder, or no file at all: name the program in it/);
      refused(
        put(join(folder, "data"), elfFile(), 0o644),
        /data is not executable: build it with `nvcc -cudart shared`, or .* `chmod \+x`/,
      );
    });
  });

  test("a name in PATH is taken before a file of the current folder, and folders are passed over", () => {
    withFolder((folder) => {
      const [first, second] = [join(folder, "first"), join(folder, "second")];
      for (const each of [first, second]) mkdirSync(each);
      mkdirSync(join(first, "tool"));
      put(join(second, "tool"), "#!/no/such/interpreter\n");
      const { stderr } = warpringWith(
        { PATH: `${first}:${second}:${process.env["PATH"]}` },
        "run",
        "--",
        "tool",
      );
      assert.ok(stderr.includes(`${join(second, "tool")} cannot be started`), stderr);
    });
  });

  test("for another processor", () => {
    withFolder((folder) => {
      const machines: [string, Parameters<typeof elfFile>[0], RegExp][] = [
        ["arm", { machine: 183 }, /is built for ARM \(AArch64\), .*: build it for x86-64/],
        ["cubin", { machine: 190, type: 2 }, /is built for a GPU \(a cubin\), /],
        ["old", { machine: 3, class: 1 }, /is built for 32-bit x86, /],
        ["x32", { machine: 62, class: 1 }, /is built for 32-bit x86-64, /],
        ["odd", { machine: 999 }, /is built for another processor \(ELF machine 999\), /],
      ];
      for (const [name, parts, message] of machines) {
        refused(put(join(folder, name), elfFile(parts)), message);
      }
    });
  });

  test("an object file, a damaged file, and what is no program at all", () => {
    withFolder((folder) => {
      refused(
        put(join(folder, "part.o"), elfFile({ type: 1 })),
        /part\.o is an object file: link it to a program with `nvcc -cudart shared`/,
      );
      // The C library would give what the system does not execute to a shell, as a script.
      const damaged: [string, Uint8Array][] = [
        ["short", elfFile().subarray(0, 60)],
        ["cut", elfFile().subarray(0, 100)],
        ["segments", elfFile({ segments: 1000 })],
        ["none", elfFile({ segments: 0 })],
        ["core", elfFile({ type: 4 })],
      ];
      for (const [name, bytes] of damaged) {
        const message = new RegExp(`${name} is damaged, or no program: build it anew`);
        refused(put(join(folder, name), bytes), message);
      }
      refused(
        put(join(folder, "empty"), ""),
        /empty is neither a program nor a script: build it with/,
      );
      refused(
        put(join(folder, "zeros"), new Uint8Array(64)),
        /zeros is neither a program nor a script/,
      );
    });
  });

  test("with the static runtime, the driver API, or a library that there is none of", () => {
    withFolder((folder) => {
      const code = { ".nv_fatbin": fixture("speed.fatbin") };
      refused(
        put(join(folder, "static"), elfFile({ needed: ["libc.so.6"], sections: code })),
        /static contains its own CUDA runtime: link it with `nvcc -cudart shared`/,
      );
      refused(
        put(join(folder, "driver"), elfFile({ needed: ["libcuda.so.1"], sections: code })),
        /driver uses the CUDA driver API \(libcuda\), which is not supported: use the runtime API/,
      );
      refused(
        put(join(folder, "ancient"), elfFile({ needed: ["libcudart.so.8.0"], sections: code })),
        /ancient needs libcudart\.so\.8\.0: there are libcudart\.so\.13, /,
      );
    });
  });

  test("regression: a tool that speaks of `.nv_fatbin` and has none is no CUDA program", () => {
    withFolder((folder) => {
      const tool = elfFile({ sections: { ".rodata": new TextEncoder().encode(".nv_fatbin") } });
      const { code, stderr } = warpring("run", "--", put(join(folder, "tool"), tool));
      // It is started; since it has no code the system ends it.
      assert.deepEqual([code, stderr], [128 + 11, ""]);
    });
  });

  test("a script whose interpreter is missing", () => {
    withFolder((folder) => {
      refused(
        put(join(folder, "script"), "#!/no/such/interpreter\n"),
        /script cannot be started: the interpreter that it names .* is not on this machine/,
      );
    });
  });

  test("regression: a script without a first line for its interpreter is the shell's, in Bun too", () => {
    withFolder((folder) => {
      const script = put(join(folder, "plain"), 'echo "$0 $1"; exit 3\n');
      const { code, stdout, stderr } = warpring("run", "--", script, "a b");
      assert.deepEqual(
        { code, stdout, stderr },
        { code: 3, stdout: `${script} a b\n`, stderr: "" },
      );
    });
  });
});

/** The package as it is installed, where nothing is built yet, in Node. */
function installed(folder: string) {
  cpSync(join(ROOT, "dist"), join(folder, "dist"), { recursive: true });
  cpSync(join(ROOT, "package.json"), join(folder, "package.json"));
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    // The runtimes are among the development tools.
    if (name === ".bin") continue;
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
  const node = runProgram("node", ["-p", "process.execPath"]).stdout.trim();
  const tools = join(folder, "tools");
  mkdirSync(tools);
  const env = { PATH: tools, XDG_CACHE_HOME: folder, XDG_RUNTIME_DIR: folder, WARPRING_SOCKET: "" };
  return {
    tools,
    warpring: (more: Record<string, string>, ...args: string[]) =>
      runProgram(node, [join(folder, "dist", "cli", "main.js"), ...args], { ...env, ...more }),
  };
}

describe("a machine on which something is missing", () => {
  if (!served) return;

  test("Deno and Bun, a C compiler, or one that works: run and serve say what to install", () => {
    withFolder((folder) => {
      const { tools, warpring } = installed(folder);
      const program = put(join(folder, "script"), "#!/bin/sh\necho started\n");
      const commands = [
        ["run", "--", program],
        ["serve", "--socket", join(folder, "socket")],
      ];
      const expect = (env: Record<string, string>, message: RegExp): void => {
        for (const command of commands) {
          const { code, stdout, stderr } = warpring(env, ...command);
          assert.deepEqual([code, stdout], [1, ""], stderr);
          assert.match(stderr, message);
          assert.doesNotMatch(stderr, /^ +at /m);
        }
      };
      expect({}, /needs deno or bun, which is not in PATH: install it from https:\/\/deno\.com or/);
      const runtime = "Deno" in globalThis ? "deno" : "bun";
      symlinkSync(process.execPath, join(tools, runtime));
      expect(
        { CC: "no-such-cc" },
        /needs a C compiler, and there is no no-such-cc: install gcc or/,
      );
      const failing = put(
        join(tools, "bad-cc"),
        "#!/bin/sh\necho 'bad-cc: no libc headers' >&2\nexit 1\n",
      );
      expect({ CC: failing }, /bad-cc cannot build the library:\nbad-cc: no libc headers\n/);
    });
  });

  test("serve: a socket that exists, and a runtime that there is none of", () => {
    withFolder((folder) => {
      const socket = put(join(folder, "socket"), "");
      const { code, stderr } = warpring("serve", "--socket", socket);
      assert.equal(code, 1);
      assert.match(stderr, /socket exists: is a server running there\? If not, remove it, or name/);
      const other = warpring("serve", "--socket", join(folder, "other"), "--runtime", "node");
      assert.equal(other.code, 2);
      assert.match(other.stderr, /--runtime node: bun or deno/);
    });
  });
});
