import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { readJson, readText, sourceFiles } from "./files.ts";

/** Folders that only exist on somebody's machine. Written in two parts, or this file would match. */
const MACHINE_PATHS = ["home", "Users", "root", "work", "tmp", "mnt"].map(
  (folder) => `/${folder}/`,
);

/** A machine path stands at the start of a word: not in `https://host/tmp/` or `docs/work/`. */
const PATTERN = new RegExp(`(^|[\\s"'\`(=:,])(${MACHINE_PATHS.join("|")})\\w`, "m");

const TEXT = /\.(ts|mjs|js|json|toml|md|cu|ptx|c|h|cpp|sh|txt|yml|yaml|wat)$|(^|\/)[^.]+$/;

describe("repository", () => {
  test("the search finds a machine path, and passes over what only looks like one", () => {
    assert.match(`.file 1 "${"/ho"}me/me/kernel.cu"`, PATTERN);
    assert.doesNotMatch("see https://example.org/tmp/page and docs/work/page", PATTERN);
  });

  test("no file mentions a folder of somebody's machine", () => {
    const guilty = sourceFiles().filter((path) => TEXT.test(path) && PATTERN.test(readText(path)));
    assert.deepEqual(guilty, []);
  });

  test("all packages come from the public npm registry", () => {
    const lock = readJson<{ packages: Record<string, { resolved?: string }> }>("package-lock.json");
    const entries = Object.values(lock.packages);
    assert.ok(entries.length > 10);
    // npm may leave the address out; where it is named, it is the public one.
    for (const { resolved } of entries) {
      if (resolved) assert.equal(new URL(resolved).host, "registry.npmjs.org", resolved);
    }
  });
});
