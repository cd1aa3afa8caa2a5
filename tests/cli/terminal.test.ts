import assert from "node:assert/strict";
import { smiTable } from "../../cli/smi.ts";
import { formatBytes, formatTime, Progress, table } from "../../cli/terminal.ts";
import { describe, test } from "../harness.ts";

/** A stream that keeps what was written. */
function stream(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

describe("terminal", () => {
  test("sizes and times have the unit that suits them", () => {
    assert.equal(formatBytes(0), "0 B");
    assert.equal(formatBytes(1023), "1023 B");
    assert.equal(formatBytes(1536), "1.5 KiB");
    assert.equal(formatBytes(2 ** 32), "4 GiB");
    assert.equal(formatTime(0.0123), "12 µs");
    assert.equal(formatTime(12.34), "12.3 ms");
    assert.equal(formatTime(123.4), "123 ms");
    assert.equal(formatTime(4560), "4.56 s");
  });

  test("a table pads to the widest cell, not counting colour codes, and trims its ends", () => {
    const rows = [
      ["a", "1", "x"],
      ["\x1b[1mbold\x1b[0m", "22", ""],
    ];
    assert.deepEqual(table(rows, [1]), ["a      1  x", "\x1b[1mbold\x1b[0m  22"]);
  });

  test("progress: short work shows nothing, long work is one line that is wiped", () => {
    const short = stream(true);
    const quick = new Progress(short);
    quick.step("reading");
    quick.done();
    assert.deepEqual(short.written, []);

    const long = stream(true);
    const slow = new Progress(long);
    slow.step("compiling a", true);
    slow.step("compiling b", true);
    slow.done();
    assert.equal(long.written.join(""), "\r\x1b[Kcompiling a…\r\x1b[Kcompiling b…\r\x1b[K");
  });

  test("progress: off a terminal each step is a line", () => {
    const pipe = stream(false);
    const progress = new Progress(pipe);
    progress.step("compiling a", true);
    progress.done();
    assert.deepEqual(pipe.written, ["compiling a…\n"]);
  });

  test("progress: work that has taken over a second is shown without being announced", async () => {
    const late = stream(true);
    const progress = new Progress(late);
    await new Promise((resolve) => setTimeout(resolve, 1050));
    progress.step("still here");
    assert.equal(late.written.length, 1);
  });
});

describe("smi", () => {
  const device = {
    index: 0,
    name: "a card",
    busId: "00000000:00:00.0",
    memoryUsed: 1,
    memoryTotal: 3 * 2 ** 30,
    computeCapability: "9.0",
    multiprocessors: 2,
  };
  const versions = { warpring: "0.1.0", driver: "1.0", cuda: "13.0" };

  test("every line is as wide as nvidia-smi's, for one device and for two", () => {
    const one = smiTable([device], versions);
    const two = smiTable([device, { ...device, index: 1 }], versions);
    assert.equal(two.length, one.length + 4);
    for (const line of two) assert.ok(line === "" || line.length === 91, line);
  });

  test("used memory is rounded up, so that something in use never reads as nothing", () => {
    assert.ok(smiTable([device], versions).some((line) => line.includes("1MiB /  3072MiB")));
  });
});
