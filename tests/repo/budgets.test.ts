import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "../harness.ts";
import { ROOT } from "./files.ts";

const KIB = 1024;
const CORE_BUDGET = 32 * KIB;
/** The calls, the driver and the device are one chunk; the compiler and the executor another. */
const CHUNK_BUDGET = 250 * KIB;
const LIBRARY_BUDGET = 420 * KIB;

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

  test("the library, minified for a browser: no chunk over 250 KiB, all of it under 420 KiB", () => {
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
      const sizes = readdirSync(out)
        .filter((name) => name.endsWith(".js"))
        .map((name) => statSync(join(out, name)).size);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      assert.ok(total > 100 * KIB, `only ${total} bytes: not the library`);
      assert.ok(Math.max(...sizes) <= CHUNK_BUDGET, `chunks of ${sizes.join(", ")} bytes`);
      assert.ok(total <= LIBRARY_BUDGET, `${total} bytes`);
    } finally {
      rmSync(out, { recursive: true });
    }
  });
});
