/**
 * What a plain `deno test` at the repository's root runs (deno.json's `test.include` names it).
 *
 * With permissions (`deno test -P` takes them from deno.json) this is every test file. Without, Deno
 * lets a test read no file, start no Worker and run no program, and its configuration can't grant
 * that either: then the files run that need none of it, and the rest shows as one ignored test that
 * says how to run it. docs/testing.md has more.
 */
import type { readdirSync } from "node:fs";

interface DenoGlobal {
  permissions: { querySync(what: { name: "read" }): { state: string } };
  test(definition: { name: string; ignore: boolean; fn(): void }): void;
}
const deno = (globalThis as unknown as { Deno: DenoGlobal }).Deno;

/** Test files that need no permission. Written out, so that Deno knows them without reading. */
const PERMISSION_FREE: (() => Promise<unknown>)[] = [
  () => import("./cli/terminal.test.ts"),
  () => import("./device/heap.test.ts"),
  () => import("./examples/support.test.ts"),
  () => import("./ptx/errors.test.ts"),
  () => import("./ptx/table.test.ts"),
  () => import("./shim/error-table.test.ts"),
];

if (deno.permissions.querySync({ name: "read" }).state === "granted") {
  const fs: { readdirSync: typeof readdirSync } = await import("node:fs");
  const here = new URL("./", import.meta.url);
  const names = fs.readdirSync(here, { recursive: true, encoding: "utf8" });
  for (const name of names.filter((path) => path.endsWith(".test.ts")).sort()) {
    await import(new URL(name.replaceAll("\\", "/"), here).href);
  }
} else {
  for (const load of PERMISSION_FREE) await load();
  deno.test({
    name: "all other files need permissions: run `deno test -P`",
    ignore: true,
    fn() {},
  });
}
