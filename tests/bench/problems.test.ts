import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { shaders } from "../../bench/peers/wgsl.ts";
import {
  compareOutputs,
  draw,
  geometricMean,
  median,
  type Problem,
  problems,
} from "../../bench/problems.ts";
import { describe, test } from "../harness.ts";

const problem = (name: string): Problem => problems.find((p) => p.name === name)!;
const bytes = (array: Float32Array | Uint32Array): Uint8Array => new Uint8Array(array.buffer);
const source = (path: string): string =>
  readFileSync(new URL(`../../bench/${path}`, import.meta.url), "utf8");

describe("the benchmark's problems", () => {
  test("the hash is that of peers/problems.h", () => {
    // Printed by the C function.
    assert.deepEqual(
      [draw(0, 0), draw(1, 0), draw(1, 1), draw(16777215, 4)],
      [0, 1753845952, 2672842292, 1884451563],
    );
  });

  test("every problem has its kernel in all languages", () => {
    assert.equal(problems.length, 22);
    const c = source("peers/native.c");
    const header = source("peers/problems.h");
    const cl = source("peers/pocl.cl");
    for (const { name } of problems) {
      assert.match(source(`kernels/${name}.ptx`), /\.visible \.entry/);
      assert.ok(c.includes(`"${name}"`), `native.c: ${name}`);
      assert.ok(header.includes(`"${name}"`), `problems.h: ${name}`);
      assert.ok(cl.includes(name.toUpperCase().replaceAll("-", "_")), `pocl.cl: ${name}`);
      assert.equal(name in shaders, name !== "dgemm", `wgsl.ts: ${name}`);
    }
  });

  test("halves are the f16 of the same multiples of 1/256 that floats are", () => {
    const halves = problem("hgemm-wmma").make(16)[0]!.data;
    const floats = problem("sgemm").make(16)[0]!.data;
    for (const [i, bits] of halves.entries()) {
      const half = bits as number;
      const magnitude =
        (half & 0x7fff) === 0 ? 0 : (1 + (half & 1023) / 1024) * 2 ** (((half >> 10) & 31) - 15);
      assert.equal((half & 0x8000 ? -magnitude : magnitude) + 0, (floats[i] as number) + 0);
    }
  });

  test("outputs are compared bit for bit, or within the problem's tolerance", () => {
    const a = Float32Array.of(1, 2, 100);
    const b = Float32Array.of(1, 2.0005, 100);
    assert.equal(compareOutputs(problem("saxpy"), bytes(a), bytes(a)), "");
    assert.match(compareOutputs(problem("saxpy"), bytes(a), bytes(b)), /1 of 3 differ, element 1/);
    assert.equal(compareOutputs(problem("nbody"), bytes(a), bytes(b)), "");
    assert.match(
      compareOutputs(problem("saxpy"), bytes(a), bytes(b.slice(1))),
      /12 bytes against 8/,
    );
    const counts = new Uint32Array(2000);
    const off = counts.slice().fill(7, 0, 2);
    assert.equal(compareOutputs(problem("monte-carlo"), bytes(counts), bytes(off)), "");
    assert.notEqual(compareOutputs(problem("sha256"), bytes(counts), bytes(off)), "");
    const lost = Float32Array.of(1, Number.NaN, 100);
    assert.notEqual(compareOutputs(problem("nbody"), bytes(lost), bytes(a)), "");
  });

  test("medians and geometric means", () => {
    assert.equal(median([5, 1, 3]), 3);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.ok(Math.abs(geometricMean([1, 4, 16]) - 4) < 1e-12);
  });
});
