import assert from "node:assert/strict";
import { VERSION } from "../../cli/version.ts";
import { describe, test } from "../harness.ts";
import { warpring, warpringInNode } from "./run.ts";

describe("command line", () => {
  test("--version and --help, from source and from dist in Node", () => {
    for (const run of [warpring, warpringInNode]) {
      const version = run("--version");
      assert.deepEqual(version, { code: 0, stdout: `warpring ${VERSION}\n`, stderr: "" });
      const help = run("--help");
      assert.equal(help.code, 0);
      for (const command of ["demo", "info FILE", "compile FILE", "smi"]) {
        assert.ok(help.stdout.includes(`  ${command}`), command);
      }
    }
  });

  test("each command has a help of its own", () => {
    const { code, stdout } = warpring("compile", "--help");
    assert.equal(code, 0);
    assert.match(stdout, /^usage: warpring compile \[OPTIONS\] FILE/);
    assert.match(stdout, /--print PASS/);
  });

  test("a wrong command line: a hint on standard error, nothing on standard output, exit code 2", () => {
    const wrong: [string[], RegExp][] = [
      [[], /no command given[\s\S]*usage: warpring/],
      [["frobnicate"], /unknown command frobnicate/],
      [["toString"], /unknown command toString/],
      [["--frobnicate"], /unknown option --frobnicate/],
      [["info"], /info: missing FILE/],
      [["info", "a", "b"], /info: too many operands/],
      [["smi", "extra"], /smi takes no operands/],
      [["info", "--frobnicate", "a"], /--frobnicate/],
      [["run", "--devices", "17", "--", "a"], /--devices 17: between 1 and 16/],
      [["run", "--devices", "0", "--", "a"], /--devices 0: between 1 and 16/],
      [["run", "--devices", "two", "--", "a"], /--devices two: not a whole number/],
      [["serve", "--devices", "4", "--memory", "2G"], /more than 4G together/],
    ];
    for (const [args, message] of wrong) {
      const result = warpring(...args);
      assert.equal(result.code, 2, args.join(" "));
      assert.equal(result.stdout, "");
      assert.match(result.stderr, message);
    }
  });

  test("no colours off a terminal", () => {
    const { stdout } = warpring("info", "examples/sgemm.ptx");
    assert.ok(!stdout.includes("\x1b"));
  });

  test("smi: the device and its memory, and as built for Node", () => {
    for (const run of [warpring, warpringInNode]) {
      const { code, stdout, stderr } = run("smi");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /CUDA Version: 13\.0/);
      assert.match(stdout, /sm_90/);
      assert.match(stdout, /\| +\d+MiB \/ +\d+MiB \|/);
    }
  });
});
