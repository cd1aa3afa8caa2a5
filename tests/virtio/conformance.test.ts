import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "../harness.ts";

const ROOT = new URL("../../", import.meta.url);

/** Rows of the tables: clause, requirement, and what holds it. */
function rows(text: string): { clause: string; held: string }[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| §"))
    .map((line) => {
      const cells = line.split("|").map((cell) => cell.trim());
      return { clause: cells[1]!, held: cells.at(-2)! };
    });
}

function fileOf(name: string): URL {
  if (name.startsWith("v/")) return new URL(`tests/virtio/vectors/${name.slice(2)}`, ROOT);
  return new URL(name.includes("/") ? name : `tests/virtio/${name}`, ROOT);
}

test("docs/virtio-conformance.md: every clause names a test that exists", () => {
  const text = readFileSync(new URL("docs/virtio-conformance.md", ROOT), "utf8");
  const found = rows(text);
  assert.ok(found.length > 80, `only ${found.length} clauses`);
  for (const { clause, held } of found) {
    if (/^not (offered|used)$/.test(held)) continue;
    const match = /^`([^`]+)`: (.+)$/.exec(held);
    assert.ok(match, `${clause}: ${held}`);
    const [, file = "", name = ""] = match;
    assert.ok(existsSync(fileOf(file)), `${clause}: there is no ${file}`);
    assert.ok(
      readFileSync(fileOf(file), "utf8").includes(name),
      `${clause}: ${file} has no test "${name}"`,
    );
  }
});
