/** Where the built libraries are kept, and when they have to be built anew. */
import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildNative } from "./build.ts";
import { HEADERS, sourcesOf, type Version } from "./versions.ts";

const FROM_SOURCE = import.meta.url.endsWith(".ts");

/** In a clone the build folder; for an installed package the user's cache. */
function nativeFolder(version: string): string {
  if (FROM_SOURCE) return fileURLToPath(new URL("../../build/native", import.meta.url));
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "warpring", version);
}

/**
 * Builds the libraries that are not there, or older than their sources.
 * @param packageVersion of warpring
 * @param versions that a program may ask for
 * @returns the folder to put into LD_LIBRARY_PATH
 * @throws BuildError
 */
export async function nativeLibraries(
  packageVersion: string,
  versions: readonly Version[],
): Promise<string> {
  const folder = nativeFolder(packageVersion);
  const changed = async (path: string | URL): Promise<number> => {
    const found = await stat(path).catch(() => undefined);
    return found?.mtimeMs ?? 0;
  };
  for (const version of versions) {
    const built = await changed(join(folder, version.library));
    const inputs = [...sourcesOf(version), ...HEADERS, version.symbols];
    const times = await Promise.all(inputs.map((name) => changed(new URL(name, import.meta.url))));
    if (built === 0 || Math.max(...times) > built) await buildNative(folder, version);
  }
  return folder;
}
