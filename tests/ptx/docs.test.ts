import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { allForms } from "../../runtime/compiler/ptx/table/index.ts";
import { sampleModule, samplesOf } from "../../runtime/compiler/ptx/table/sample.ts";
import { MARKER } from "../../scripts/docs-ptx.ts";
import { compileAll, readLibrary } from "../../scripts/ptx-support.ts";
import { describe, test } from "../harness.ts";

const page = readFileSync(new URL("../../docs/ptx.md", import.meta.url), "utf8");

/** The last column of the row of a form. */
function claimOf(syntax: string, since: string): string | undefined {
  const start = `| \`${syntax.replaceAll("|", "\\|")}\` | ${since} |`;
  const line = page.split("\n").find((row) => row.startsWith(start));
  return line?.slice(0, -2).split(" | ").at(-1);
}

describe("docs/ptx.md", () => {
  test("has a row for every form of the table", () => {
    assert.ok(page.includes(MARKER));
    const missing = allForms().filter((form) => claimOf(form.syntax, form.since) === undefined);
    assert.deepEqual(
      missing.map((form) => form.syntax),
      [],
      "run `npm run docs:ptx`",
    );
  });

  test("claims no support that isn't there", () => {
    const library = readLibrary();
    let checked = 0;
    for (const form of allForms()) {
      const [sample] = samplesOf(form);
      if (sample === undefined || claimOf(form.syntax, form.since) !== "yes") continue;
      compileAll(sampleModule([sample]), library);
      checked++;
    }
    assert.ok(checked > 300, `${checked} forms are supported`);
  });
});
