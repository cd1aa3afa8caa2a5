import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as P from "../../runtime/protocol/index.ts";
import { fill } from "../../scripts/docs-device.ts";
import { describe, test } from "../harness.ts";

const page = await readFile(new URL("../../docs/device.md", import.meta.url), "utf8");

describe("docs/device.md", () => {
  test("its tables are those of the definitions (npm run docs:device)", async () => {
    assert.equal(page, await fill(page));
  });

  test("every command and every field of it is there", () => {
    for (const name of Object.keys(P)) {
      if (!/^(COMMAND|CONFIG)_/.test(name)) continue;
      const shown = name.replace(/^COMMAND_/, "#### ");
      assert.ok(page.includes(shown), name);
    }
  });
});
