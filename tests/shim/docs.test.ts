import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as cuda from "../../cuda-shim/index.ts";
import { entryPoints } from "../../cuda-shim/native/generate.ts";
import { NEWEST } from "../../cuda-shim/native/versions.ts";
import { describe, test } from "../harness.ts";

describe("the calls in TypeScript", () => {
  test("are all that the C library supports, but for pointers to functions of C", async () => {
    const { implemented } = await entryPoints(NEWEST);
    const missing = implemented.filter((name) => !/_pt[ds]s?z?$/.test(name) && !(name in cuda));
    assert.deepEqual(missing, ["cudaGetDriverEntryPoint", "cudaGetDriverEntryPointByVersion"]);
  });
});

describe("docs/cuda.md", () => {
  const page = readFileSync(new URL("../../docs/cuda.md", import.meta.url), "utf8");
  const words = new Set(page.replaceAll("\\_", "_").match(/\b\w+\b/g));

  test("names every call", () => {
    const calls = Object.entries(cuda)
      .filter(([name, value]) => /^(__)?cuda[A-Z]/.test(name) && typeof value === "function")
      .map(([name]) => name);
    assert.ok(calls.length > 130, `${calls.length} calls`);
    assert.deepEqual(
      calls.filter((name) => !words.has(name)),
      [],
    );
  });

  test("names no call that isn't there", () => {
    const there = new Set(Object.keys(cuda));
    const list = page.slice(page.indexOf("### The calls")).replaceAll("\\_", "_");
    const named = list.match(/\b(?:__)?cuda[A-Z]\w+/g) ?? [];
    assert.ok(named.length > 130);
    assert.deepEqual(
      named.filter((name) => !there.has(name)),
      [],
    );
  });
});
