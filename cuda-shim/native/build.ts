/** Builds the library that unmodified programs load: `npm run build:native`. */
import { execFile } from "node:child_process";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { entryPoints } from "./generate.ts";
import { NEWEST, sourcesOf, type Version } from "./versions.ts";

/** A library that cannot be built, with what to do about it. */
export class BuildError extends Error {
  override name = "BuildError";
}

const FLAGS = ["-std=gnu11", "-O2", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"];

/**
 * Builds a version of the library with the system's C compiler ($CC, or `cc`).
 * @param folder where it goes; it is made if it is not there
 * @returns its path
 * @throws BuildError if there is no C compiler, or it does not accept the sources
 */
export async function buildNative(folder: string, version: Version): Promise<string> {
  const sources = sourcesOf(version);
  const { files } = await entryPoints(version);
  // Several processes may build it at once, at the first runs of their programs.
  const generated = join(folder, `generated-${version.number}-${process.pid}`);
  await mkdir(generated, { recursive: true });
  for (const [name, text] of files) await writeFile(join(generated, name), text);
  const here = fileURLToPath(new URL(".", import.meta.url));
  const out = join(folder, version.library);
  const temporary = `${out}.${process.pid}`;
  const names = [...files.keys()].filter((name) => name.endsWith(".c"));
  try {
    await compile([
      ...FLAGS,
      "-shared",
      `-DWR_CUDA_VERSION=${version.number}`,
      `-I${here}`,
      `-I${generated}`,
      ...sources.map((name) => join(here, name)),
      ...names.map((name) => join(generated, name)),
      `-Wl,--version-script=${join(generated, "libcudart.map")}`,
      `-Wl,-soname,${version.library}`,
      "-pthread",
      "-o",
      temporary,
    ]);
    await rename(temporary, out);
    // Programs that load a library by its plain name get the newest.
    if (version === NEWEST) {
      await symlink(version.library, temporary);
      await rename(temporary, join(folder, "libcudart.so"));
    }
  } finally {
    await rm(temporary, { force: true });
    await rm(generated, { recursive: true, force: true });
  }
  return out;
}

/** Runs the C compiler. @throws BuildError */
async function compile(args: readonly string[]): Promise<void> {
  const compiler = process.env["CC"] ?? "cc";
  try {
    await promisify(execFile)(compiler, args);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") {
      throw new BuildError(
        `the library for CUDA programs needs a C compiler, and there is no ${compiler}: ` +
          "install gcc or clang, or name one in $CC",
      );
    }
    throw new BuildError(`${compiler} cannot build the library:\n${stderr ?? String(error)}`);
  }
}
