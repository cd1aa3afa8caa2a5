import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../../cli/version.ts";
import { describe, test } from "../harness.ts";
import { ROOT, readJson } from "./files.ts";

type Entry = string | { types: string; default: string };
interface PackageJson {
  name: string;
  version: string;
  license: string;
  type: string;
  bin: Record<string, string>;
  exports: Record<string, Entry>;
  dependencies?: Record<string, string>;
}
interface DenoJson {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
}
interface LockEntry {
  version: string;
  optionalDependencies?: Record<string, string>;
}

const npm = readJson<PackageJson>("package.json");
const deno = readJson<DenoJson>("deno.json");

/** The source file that a built file comes from: dist/a/b.js and dist/a/b.d.ts are a/b.ts. */
function sourceOf(built: string): string {
  return built.replace(/^\.\/dist\//, "./").replace(/(\.d\.ts|\.js)$/, ".ts");
}

describe("package", () => {
  test("deno.json and package.json agree on name, version and licence", () => {
    assert.equal(deno.name, npm.name);
    assert.equal(deno.version, npm.version);
    assert.equal(deno.license, npm.license);
    assert.equal(npm.type, "module");
  });

  test("the command line says the package's version", () => {
    assert.equal(VERSION, npm.version);
  });

  test("deno.json and package.json export the same parts from the same sources", () => {
    const fromNpm = Object.entries(npm.exports).map(([name, entry]) => [
      name,
      sourceOf(typeof entry === "string" ? entry : entry.default),
    ]);
    assert.deepEqual(Object.fromEntries(fromNpm), deno.exports);
  });

  test("every exported part has types, and its source is there", () => {
    for (const [name, entry] of Object.entries(npm.exports)) {
      if (name.endsWith(".wasm")) {
        assert.equal(typeof entry, "string", name);
        continue;
      }
      assert.ok(typeof entry === "object", `${name} has no types`);
      assert.equal(sourceOf(entry.types), sourceOf(entry.default), name);
      assert.ok(existsSync(join(ROOT, sourceOf(entry.default))), `${name}: no source`);
    }
  });

  test("the lock file has the packages of all platforms", () => {
    // npm forgets those of other platforms when it makes the file anew beside an installed
    // node_modules, and `npm ci` then refuses it.
    const lock = readJson<{ packages: Record<string, LockEntry> }>("package-lock.json").packages;
    const wanted = Object.values(lock).flatMap((entry) =>
      Object.entries(entry.optionalDependencies ?? {}),
    );
    assert.ok(wanted.length > 10);
    for (const [name, version] of wanted) {
      assert.equal(lock[`node_modules/${name}`]?.version, version, name);
    }
  });

  test("regression: built files import no sources, and types nothing that has to be installed", () => {
    const dist = join(ROOT, "dist");
    const names = readdirSync(dist, { recursive: true, encoding: "utf8" });
    const built = names.filter((name) => /(\.js|\.d\.ts)$/.test(name));
    assert.ok(built.length > 300, `only ${built.length} files`);
    for (const name of built) {
      const text = readFileSync(join(dist, name), "utf8");
      if (name.endsWith(".js")) assert.doesNotMatch(text, /(from |import\()"\.[^"]*\.ts"/, name);
      // What is exported from the package; the command line has no types for others.
      const exported = /^(index|runtime|cuda-shim)/.test(name) && !/^cuda-shim.native/.test(name);
      if (name.endsWith(".d.ts") && exported && !/^runtime.vhost/.test(name)) {
        assert.doesNotMatch(text, /"node:|reference types/, name);
      }
    }
  });

  test("the command's source is there", () => {
    assert.ok(existsSync(join(ROOT, sourceOf(`./${npm.bin["warpring"]}`))));
  });
});
