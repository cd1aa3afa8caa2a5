import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type ServerOptions, startServer } from "../../cli/server-process.ts";
import { startWarpring, warpring } from "../cli/run.ts";
import { describe, test } from "../harness.ts";
import { ROOT } from "../repo/files.ts";
import { missing, PREBUILT, RUNTIME, runProgram, startClient } from "./support.ts";

const why = missing();

/** A server at the usual place, which is made to be in a folder of its own. */
async function withUsualServer(
  body: (socket: string) => Promise<void>,
  more: ServerOptions = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "warpring-test-"));
  const before = process.env["XDG_RUNTIME_DIR"];
  process.env["XDG_RUNTIME_DIR"] = folder;
  const socket = join(folder, "warpring.sock");
  const options = { watchStdin: true, statusSocket: `${socket}.smi`, verbose: true, ...more };
  const server = await startServer(socket, options, RUNTIME);
  const ended = new Promise((resolve) => server.once("exit", resolve));
  try {
    await body(socket);
  } finally {
    server.kill("SIGKILL");
    await ended;
    if (before === undefined) delete process.env["XDG_RUNTIME_DIR"];
    else process.env["XDG_RUNTIME_DIR"] = before;
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("warpring with a running server", () => {
  if (why !== undefined) return;

  test("smi: its clients, their memory and what runs", async () => {
    await withUsualServer(async (socket) => {
      assert.match(warpring("smi").stdout, /No running processes found/);
      const program = join(ROOT, "tests", "vhost", "fixtures", "neighbour");
      const client = await startClient(socket, program, "forever");
      await client.started;
      let shown = "";
      // The program has queued its kernel when it says so; the device starts it soon after.
      for (let i = 0; i < 100 && !shown.includes("forever"); i++) {
        const { code, stdout, stderr } = warpring("smi", "--socket", socket);
        assert.deepEqual([code, stderr], [0, ""]);
        shown = stdout;
      }
      const line = shown.split("\n").find((text) => text.includes(` ${client.process.pid} `));
      assert.match(line ?? shown, /neighbour: \S*forever\S* +(1[6-9]|2\d)MiB/);
      const widths = new Set(
        shown
          .trimEnd()
          .split("\n")
          .filter(Boolean)
          .map((text) => text.length),
      );
      assert.deepEqual([...widths], [91]);
      client.process.kill("SIGKILL");
      await client.ended;
    });
  });

  test("smi: each of several devices, which programs see", async () => {
    await withUsualServer(
      async () => {
        const shown = warpring("smi").stdout.split("\n");
        const buses = shown.flatMap(
          (line) => /^\| +(\d) .* (\S+:\S+\.0) /.exec(line)?.slice(1, 3) ?? [],
        );
        assert.deepEqual(buses, ["0", "00000000:01:00.0", "1", "00000000:02:00.0"]);
        assert.equal(shown.filter((line) => / 0MiB \/ +256MiB /.test(line)).length, 2);
        const { code, stdout } = warpring("run", "--", join(PREBUILT, "devices"));
        assert.deepEqual([code, stdout], [0, "devices passed\n"]);
      },
      { devices: 2, memoryBytes: 256 << 20 },
    );
  });

  test("run uses it, unless a device of another kind is asked for", async () => {
    await withUsualServer(async () => {
      const program = join(PREBUILT, "vector-add");
      const used = warpring(
        "run",
        "--",
        "/bin/sh",
        "-c",
        'echo "$WARPRING_SOCKET"; exec "$0"',
        program,
      );
      assert.equal(
        used.stdout,
        `${process.env["XDG_RUNTIME_DIR"]}/warpring.sock\nvector-add passed\n`,
      );
      const own = runProgram("/bin/sh", "-c", 'echo "$WARPRING_SOCKET"; exec "$0"', program);
      assert.equal(own.code, 0);
      assert.ok(!own.stdout.includes("warpring.sock"));
    });
  });

  test("a server that is not there", () => {
    const { code, stderr } = warpring("smi", "--socket", "/nonexistent/socket");
    assert.equal(code, 1);
    assert.match(stderr, /no server at \/nonexistent\/socket/);
  });
});

describe("what warpring run leaves", () => {
  if (why !== undefined) return;

  test("exit codes, arguments and signals are the program's, and the device's folder is gone", () => {
    const shell = (script: string) => runProgram("/bin/sh", "-c", script, "name", "a b");
    assert.deepEqual(shell('echo "$1"; exit 7'), { code: 7, stdout: "a b\n", stderr: "" });
    assert.equal(shell("kill -TERM $$").code, 128 + 15);
    const { stdout } = shell('echo "$WARPRING_SOCKET"; kill -KILL $$');
    assert.match(stdout, /device\n$/);
    assert.ok(!existsSync(stdout.trim()));
  });

  test("regression: signals are passed on, not only the first one", async () => {
    const signals = ["HUP", "INT", "TERM", "USR1", "USR2", "ALRM", "URG", "WINCH", "CONT"];
    const traps = signals.map((name) => `trap "echo ${name}" ${name}`).join("; ");
    const script = `${traps}; trap "exit 5" QUIT; echo ready; while :; do sleep 0.02; done`;
    const child = startWarpring("run", "--runtime", RUNTIME, "--", "/bin/sh", "-c", script);
    const left = [...signals];
    let seen = "";
    child.stdout?.on("data", (text: string) => {
      seen += text;
      // One signal for each line; Deno's ChildProcess.kill would send no second one.
      if (seen.endsWith("\n")) process.kill(child.pid ?? 0, `SIG${left.shift() ?? "QUIT"}`);
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.deepEqual(seen.trimEnd().split("\n"), ["ready", ...signals]);
    assert.equal(code, 5);
  });

  test("a program that is not there", () => {
    const { code, stderr } = runProgram("./no-such-program");
    assert.equal(code, 1);
    assert.match(stderr, /no-such-program: no such program/);
  });
});
