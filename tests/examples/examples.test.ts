import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Run } from "../../examples/support.ts";
import { describe, test } from "../harness.ts";

const folder = new URL("../../examples/", import.meta.url);
const names = (await readdir(folder))
  .filter((name) => name.endsWith(".cu"))
  .map((name) => name.slice(0, -3));

describe("examples", () => {
  test("there are 15 of them, each with source, PTX and host", async () => {
    const files = new Set(await readdir(folder));
    assert.equal(names.length, 15);
    for (const name of names) {
      assert.ok(files.has(`${name}.ptx`), `${name}.ptx`);
      assert.ok(files.has(`${name}.ts`), `${name}.ts`);
    }
  });

  for (const name of names) {
    test(`${name} computes what plain TypeScript computes`, async () => {
      const { run } = (await import(new URL(`${name}.ts`, folder).href)) as { run: Run };
      const directory = await mkdtemp(join(tmpdir(), "example-"));
      try {
        const result = await run({ directory });
        assert.ok(result.ok, result.summary);
        assert.ok(result.ms > 0);
        if (result.file) assert.ok((await readFile(result.file)).length > 1000);
      } finally {
        await rm(directory, { recursive: true });
      }
    });
  }
});
