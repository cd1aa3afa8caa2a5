/** The repository's files as the tests of its layout need them. Runs in Bun and in Deno. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Folders that hold what was fetched or built, not what was written. */
const NOT_SOURCE = new Set(["node_modules", ".git", "build", "dist", "out"]);

/**
 * All files under a folder, without what was fetched or built.
 * @param folder relative to the root, "" for all
 * @returns paths relative to the root, with forward slashes, sorted
 */
export function sourceFiles(folder = ""): string[] {
  const found: string[] = [];
  const walk = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (NOT_SOURCE.has(entry.name)) continue;
      const full = join(path, entry.name);
      if (entry.isDirectory()) walk(full);
      else if (entry.isFile()) found.push(relative(ROOT, full).replaceAll("\\", "/"));
    }
  };
  walk(join(ROOT, folder));
  return found.sort();
}

/** A file's text. @param path relative to the root */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** A JSON file's value. @param path relative to the root */
export function readJson<T>(path: string): T {
  return JSON.parse(readText(path)) as T;
}
