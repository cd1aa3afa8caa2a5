/**
 * One test interface for both runtimes: `test` and `describe` are Bun's own under `bun test` and
 * Deno's under `deno test`. Assertions come from `node:assert/strict`, which both have.
 */
import { existsSync } from "node:fs";

type TestBody = () => void | Promise<void>;

/** The part of Deno's global object that is used here; Bun's types do not know it. */
interface DenoTests {
  test(definition: {
    name: string;
    fn: TestBody;
    ignore?: boolean;
    sanitizeOps?: boolean;
    sanitizeResources?: boolean;
  }): void;
}

const deno = (globalThis as { Deno?: DenoTests }).Deno;
const bun = deno ? undefined : await import("bun:test");

if (!isBuilt()) {
  console.error("build/core.wasm is not there: run `npm run build` first, most tests need it");
}

function isBuilt(): boolean {
  try {
    return existsSync(new URL("../build/core.wasm", import.meta.url));
  } catch {
    return true; // Deno without permission to look (docs/testing.md)
  }
}

/** Names of the `describe` calls around the test being registered, outermost first. */
const groups: string[] = [];

/**
 * Registers a test with the runtime's own runner.
 * @param name shown in reports, after the names of the groups around it
 * @param fn the test; it fails by throwing or by a rejected promise
 */
export function test(name: string, fn: TestBody): void {
  if (bun) bun.test(name, async () => void (await fn()), 120_000);
  // Workers that outlive a test (a pool kept for the process) are no leak here.
  else
    deno?.test({
      name: [...groups, name].join(" > "),
      fn,
      sanitizeOps: false,
      sanitizeResources: false,
    });
}

/**
 * Groups tests under a name.
 * @param name of the group
 * @param fn registers the group's tests at once, when called
 */
export function describe(name: string, fn: () => void): void {
  if (bun) {
    bun.describe(name, fn);
    return;
  }
  groups.push(name);
  try {
    fn();
  } finally {
    groups.pop();
  }
}
