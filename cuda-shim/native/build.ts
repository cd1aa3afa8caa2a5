/** Builds the library that unmodified programs load: `npm run build:native`. */
import { execFile } from "node:child_process";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { generate, readSource } from "./generate.ts";

/** C files of the library; the generated ones come besides. */
export const SOURCES = [
  "array.c",
  "box.c",
  "connect.c",
  "device.c",
  "driver.c",
  "events.c",
  "function.c",
  "graph.c",
  "graph_object.c",
  "launch.c",
  "memory.c",
  "misc.c",
  "module.c",
  "properties.c",
  "stream.c",
];
const GENERATED = ["layouts.c", "per_thread.c", "unsupported.c"];

/** Name of the library, and version of its symbols. */
export const LIBRARY = "libcudart.so.13";

const FLAGS = ["-std=gnu11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra"];

/** A library that cannot be built, with what to do about it. */
export class BuildError extends Error {
  override name = "BuildError";
}

/**
 * Builds the library with the system's C compiler ($CC, or `cc`).
 * @param folder where it goes; it is made if it is not there
 * @returns its path
 * @throws BuildError if there is no C compiler, or it does not accept the sources
 */
export async function buildNative(folder: string): Promise<string> {
  const sources = await Promise.all(SOURCES.map(readSource));
  const { files } = generate(sources, await readSource("symbols-13.txt"), LIBRARY);
  const generated = join(folder, "generated");
  await mkdir(generated, { recursive: true });
  for (const [name, text] of files) await writeFile(join(generated, name), text);
  const here = fileURLToPath(new URL(".", import.meta.url));
  const out = join(folder, LIBRARY);
  const temporary = `${out}.${process.pid}`;
  const compiler = process.env["CC"] ?? "cc";
  try {
    await promisify(execFile)(compiler, [
      ...FLAGS,
      `-I${here}`,
      `-I${generated}`,
      ...SOURCES.map((name) => join(here, name)),
      ...GENERATED.map((name) => join(generated, name)),
      `-Wl,--version-script=${join(generated, "libcudart.map")}`,
      `-Wl,-soname,${LIBRARY}`,
      "-pthread",
      "-o",
      temporary,
    ]);
  } catch (error) {
    await rm(temporary, { force: true });
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") {
      throw new BuildError(
        `the library for CUDA programs needs a C compiler, and there is no ${compiler}: ` +
          "install gcc or clang, or name one in $CC",
      );
    }
    throw new BuildError(`${compiler} cannot build ${LIBRARY}:\n${stderr ?? String(error)}`);
  }
  await rename(temporary, out);
  await rm(join(folder, "libcudart.so"), { force: true });
  await symlink(LIBRARY, join(folder, "libcudart.so"));
  return out;
}
