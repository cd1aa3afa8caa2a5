/** Where the built library is kept, and when it has to be built anew. */
import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildNative, LIBRARY, SOURCES } from "./build.ts";

const FROM_SOURCE = import.meta.url.endsWith(".ts");

/** In a clone the build folder; for an installed package the user's cache. */
function nativeFolder(version: string): string {
  if (FROM_SOURCE) return fileURLToPath(new URL("../../build/native", import.meta.url));
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "warpring", version);
}

/**
 * Builds the library if it is not there, or older than its sources.
 * @param version of the package
 * @returns the folder to put into LD_LIBRARY_PATH
 * @throws BuildError
 */
export async function nativeLibrary(version: string): Promise<string> {
  const folder = nativeFolder(version);
  const changed = async (path: string | URL): Promise<number> => {
    const found = await stat(path).catch(() => undefined);
    return found?.mtimeMs ?? 0;
  };
  const built = await changed(join(folder, LIBRARY));
  const inputs = [
    ...SOURCES,
    "warpring.h",
    "driver.h",
    "launch.h",
    "host_call.h",
    "symbols-13.txt",
  ];
  const times = await Promise.all(inputs.map((name) => changed(new URL(name, import.meta.url))));
  if (built === 0 || Math.max(...times) > built) await buildNative(folder);
  return folder;
}
