import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, test } from "../harness.ts";
import { ROOT, readJson, readText, sourceFiles } from "./files.ts";

/** Targets of a Markdown text's relative links, without their anchors. */
function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.replace(/#.*$/, ""))
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}

describe("documents", () => {
  test("the reader of links finds relative ones and no others", () => {
    const text = "[a](docs/a.md#part) [b](https://example.org/b) [c](#here)";
    assert.deepEqual(linksOf(text), ["docs/a.md"]);
  });

  test("every relative link leads to a file", () => {
    const broken = sourceFiles()
      .filter((path) => path.endsWith(".md"))
      .flatMap((path) =>
        linksOf(readText(path))
          .map((link) => posix.normalize(posix.join(posix.dirname(path), link)))
          .filter((target) => !existsSync(join(ROOT, target)))
          .map((target) => `${path}: ${target}`),
      );
    assert.deepEqual(broken, []);
  });

  test("every npm script that the documents name is there", () => {
    const { scripts } = readJson<{ scripts: Record<string, string> }>("package.json");
    const named = ["README.md", "CONTRIBUTING.md", "docs/testing.md"].flatMap((path) =>
      [...readText(path).matchAll(/`npm run ([\w:]+)`/g)].map(([, name = ""]) => name),
    );
    assert.ok(named.length > 5);
    assert.deepEqual(
      named.filter((name) => !Object.hasOwn(scripts, name)),
      [],
    );
  });

  test("every script of package.json that runs a file of ours has it", () => {
    const { scripts } = readJson<{ scripts: Record<string, string> }>("package.json");
    const files = Object.values(scripts)
      .flatMap((command) => command.match(/\b(?:scripts|bench|examples)\/[\w./-]+/g) ?? [])
      .filter((file) => !existsSync(join(ROOT, file)));
    assert.deepEqual(files, []);
  });
});
