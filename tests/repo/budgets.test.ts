import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, test } from "../harness.ts";
import { ROOT } from "./files.ts";

const KIB = 1024;
const CORE_BUDGET = 32 * KIB;
/** What an import loads, minified; docs/testing.md has the reasons. */
const LIBRARY_BUDGET = 250 * KIB;
/** All of it, compressed and minified only. Neither may grow unnoticed. */
const COMPRESSED_BUDGET = 262 * KIB;
const MINIFIED_BUDGET = 796 * KIB;

const SECTION_IMPORT = 2;
const SECTION_GLOBAL = 6;
const SECTION_DATA = 11;

/** Ids of a WebAssembly module's sections (core specification, 5.5.2), in the file's order. */
function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  let at = 8;
  while (at < bytes.length) {
    ids.push(bytes[at++] ?? -1);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) break;
    }
    at += size;
  }
  assert.equal(at, bytes.length, "sections do not end where the file ends");
  return ids;
}

function readModule(name: string): { bytes: Uint8Array<ArrayBuffer>; module: WebAssembly.Module } {
  const bytes = new Uint8Array(readFileSync(join(ROOT, "build", name)));
  return { bytes, module: new WebAssembly.Module(bytes) };
}

/** Bytes of a built chunk and of those that it imports, not counting what `import()` loads later. */
function staticChunks(folder: string, entry: string): number {
  const seen = new Set<string>();
  const visit = (name: string): number => {
    if (seen.has(name)) return 0;
    seen.add(name);
    const text = readFileSync(join(folder, name), "utf8");
    let bytes = Buffer.byteLength(text);
    for (const [, other] of text.matchAll(/(?:from|import)"\.\/([^"]+)"/g)) bytes += visit(other!);
    return bytes;
  };
  return visit(entry);
}

describe("budgets", () => {
  test("core.wasm is at most 32 KiB", () => {
    const { bytes } = readModule("core.wasm");
    assert.ok(bytes.length <= CORE_BUDGET, `${bytes.length} bytes`);
  });

  test("core.wasm has no data segment", () => {
    const ids = sectionIds(readModule("core.wasm").bytes);
    assert.ok(ids.includes(SECTION_IMPORT));
    assert.ok(!ids.includes(SECTION_DATA));
  });

  test("core.wasm imports its memory and table and nothing else", () => {
    const imports = WebAssembly.Module.imports(readModule("core.wasm").module);
    assert.deepEqual(imports.map(({ module, name, kind }) => `${module}.${name} ${kind}`).sort(), [
      "env.memory memory",
      "env.table table",
    ]);
  });

  test("the device library imports only memory and has no data and no globals", () => {
    const { bytes, module } = readModule("devicelib.wasm");
    const imports = WebAssembly.Module.imports(module);
    assert.deepEqual(
      imports.map(({ module: from, name }) => `${from}.${name}`),
      ["env.memory"],
    );
    const ids = sectionIds(bytes);
    assert.ok(!ids.includes(SECTION_DATA), "data segment");
    assert.ok(!ids.includes(SECTION_GLOBAL), "globals");
  });

  test("the library without the core: what an import loads, and all of it", () => {
    const out = mkdtempSync(join(tmpdir(), "warpring-bundle-"));
    try {
      // node: modules are the edges that a browser skips; they stay imports and cost nothing.
      const options = ["--minify", "--splitting", "--target=browser", "--external", "node:*"];
      const result = spawnSync(
        join(ROOT, "node_modules", ".bin", "bun"),
        ["build", ...options, "--outdir", out, "index.ts"],
        { cwd: ROOT, encoding: "utf8" },
      );
      assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);
      const chunks = readdirSync(out)
        .filter((name) => name.endsWith(".js"))
        .map((name) => readFileSync(join(out, name)));
      const sum = (sizes: number[]) => sizes.reduce((total, size) => total + size, 0);
      const minified = sum(chunks.map((chunk) => chunk.length));
      const compressed = sum(chunks.map((chunk) => gzipSync(chunk, { level: 9 }).length));
      // The entry and what it imports; the first machine loads the device and the compiler.
      const loaded = staticChunks(out, "index.js");
      assert.ok(loaded <= LIBRARY_BUDGET, `an import loads ${loaded} bytes`);
      assert.ok(minified > 100 * KIB, `only ${minified} bytes: not the library`);
      assert.ok(minified <= MINIFIED_BUDGET, `${minified} bytes`);
      assert.ok(compressed <= COMPRESSED_BUDGET, `${compressed} bytes compressed`);
    } finally {
      rmSync(out, { recursive: true });
    }
  });
});
