/** The program that `warpring run` is given: found as a shell finds it, and looked at before it starts. */
import { Buffer } from "node:buffer";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { VERSIONS, type Version, versionNamed } from "../cuda-shim/native/versions.ts";
import { describeImage, ImageError, neededBy } from "../runtime/image/index.ts";
import { CommandError } from "./command.ts";

/**
 * What is served where: the library is written for one kind of machine.
 * @throws CommandError on any other
 */
export function needMachine(platform: string, arch: string): void {
  if (platform === "linux" && arch === "x64") return;
  throw new CommandError(
    `programs run on Linux on x86-64 only, and this is ${platform} on ${arch}: elsewhere there is ` +
      "the library for TypeScript",
  );
}

/** A program that can be started. */
export interface Program {
  readonly path: string;
  /** What starts it; its arguments come behind. */
  readonly command: readonly [string, ...string[]];
  /** The libraries that it may load: most need one, what a script starts may need any. */
  readonly libraries: readonly Version[];
}

const HOW_TO_BUILD = "build it with `nvcc -cudart shared`";
const SHELL = "/bin/sh";

// ELF header (gABI, "ELF Header"): of the machine's own word size and byte order.
const ELF_MAGIC = "\x7fELF";
const ELF_HEADER = 64;
const ELF_CLASS = 4;
const ELF_CLASS_64 = 2;
const ELF_DATA = 5;
const ELF_TYPE = 16;
const ELF_TYPE_OBJECT = 1;
const ELF_TYPE_EXECUTABLE = 2;
const ELF_TYPE_SHARED = 3;
const ELF_MACHINE = 18;
const ELF_MACHINE_X86_64 = 62;
const ELF_PROGRAM_HEADERS = 32;
const ELF_PROGRAM_HEADER_SIZE = 54;
const ELF_PROGRAM_HEADER_COUNT = 56;
const PROGRAM_HEADER = 56;
const ELF_MACHINES: Record<number, string> = {
  3: "32-bit x86",
  21: "POWER",
  40: "32-bit ARM",
  62: "x86-64",
  183: "ARM (AArch64)",
  190: "a GPU (a cubin)",
  243: "RISC-V",
};

/**
 * Finds a program and looks at it.
 * @param name a path, or the name of a program in PATH or in the current folder
 * @throws CommandError for what can be known to go wrong before it starts
 */
export function findProgram(name: string): Program {
  const path = pathOf(name);
  const bytes = new Uint8Array(readFileSync(path));
  const start = Buffer.from(bytes.subarray(0, 128)).toString("latin1");
  if (start.startsWith(ELF_MAGIC)) {
    return { path, command: [path], libraries: librariesOf(path, bytes) };
  }
  if (start.startsWith("#!")) return { path, command: [path], libraries: VERSIONS };
  // As shells have it: text without such a line is a script of theirs.
  if (start !== "" && !start.includes("\0")) {
    return { path, command: [SHELL, path], libraries: VERSIONS };
  }
  throw new CommandError(`${path} is neither a program nor a script: ${HOW_TO_BUILD}`);
}

/** What is wrong if the system does not start a program that was found. */
export function startFailure({ path }: Program, error: unknown): CommandError {
  const { code, message } = error as { code?: unknown; message?: string };
  if (code === "ENOENT") {
    return new CommandError(
      `${path} cannot be started: the interpreter that it names (a script's first line, or the ` +
        "dynamic linker that `readelf -l` shows) is not on this machine",
    );
  }
  return new CommandError(`${path} cannot be started: ${message ?? String(error)}`);
}

/** As a shell finds it. @throws CommandError */
function pathOf(name: string): string {
  // A program in the current folder is found too: it is what people mean by `run a.out`.
  const folders = name.includes("/")
    ? [""]
    : [...(process.env["PATH"] ?? "").split(delimiter), "."];
  let refusal = `${name}: no such program`;
  if (!name.includes("/")) refusal += ", neither in PATH nor in this folder";
  for (const folder of folders) {
    const path = folder === "" ? name : join(resolve(folder), name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (!found.isFile()) {
      refusal = `${path} is a folder, or no file at all: name the program in it`;
      continue;
    }
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      refusal = `${path} is not executable: ${HOW_TO_BUILD}, or make it executable with \`chmod +x\``;
    }
  }
  throw new CommandError(refusal);
}

/** @throws CommandError for a program that cannot run here, or has no use for our libraries */
function librariesOf(path: string, bytes: Uint8Array): readonly Version[] {
  const damaged = new CommandError(`${path} is damaged, or no program: build it anew`);
  if (bytes.length < ELF_HEADER) throw damaged;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = view.getUint16(ELF_MACHINE, true);
  const sound = bytes[ELF_CLASS] === ELF_CLASS_64 && bytes[ELF_DATA] === 1;
  if (machine !== ELF_MACHINE_X86_64 || !sound) {
    const built = ELF_MACHINES[machine] ?? `another processor (ELF machine ${machine})`;
    const bits = machine === ELF_MACHINE_X86_64 ? "32-bit " : "";
    throw new CommandError(
      `${path} is built for ${bits}${built}, and this machine runs 64-bit programs for x86-64: ` +
        "build it for x86-64",
    );
  }
  const type = view.getUint16(ELF_TYPE, true);
  if (type === ELF_TYPE_OBJECT) {
    throw new CommandError(
      `${path} is an object file: link it to a program with \`nvcc -cudart shared\``,
    );
  }
  // What the system would not execute is a script to the C library, whose bytes a shell would take
  // for commands (execvp).
  const headers = view.getUint16(ELF_PROGRAM_HEADER_COUNT, true);
  const end = Number(view.getBigUint64(ELF_PROGRAM_HEADERS, true)) + headers * PROGRAM_HEADER;
  const executable = type === ELF_TYPE_EXECUTABLE || type === ELF_TYPE_SHARED;
  const size = view.getUint16(ELF_PROGRAM_HEADER_SIZE, true);
  if (!executable || headers === 0 || size !== PROGRAM_HEADER || end > bytes.length) throw damaged;
  const libraries = fromElf(() => neededBy(bytes), []);
  const needed = libraries.find((library) => library.startsWith("libcudart.so"));
  if (needed === undefined) {
    // Its libraries may need one, or it may start other programs.
    if (!fromElf(() => describeImage(bytes).fatbins.length > 0, false)) return VERSIONS;
    if (libraries.some((library) => library.startsWith("libcuda.so"))) {
      throw new CommandError(
        `${path} uses the CUDA driver API (libcuda), which is not supported: use the runtime API, ` +
          "linked with `nvcc -cudart shared`",
      );
    }
    throw new CommandError(
      `${path} contains its own CUDA runtime: link it with \`nvcc -cudart shared\``,
    );
  }
  const version = versionNamed(needed);
  if (version !== undefined) {
    const [newest] = VERSIONS as readonly [Version, ...Version[]];
    return version === newest ? [version] : [version, newest];
  }
  throw new CommandError(
    `${path} needs ${needed}: there are ${VERSIONS.map(({ library }) => library).join(", ")}`,
  );
}

/** What `read` finds in an ELF file; `otherwise` if it can't be read: the system may yet run it. */
function fromElf<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ImageError) return otherwise;
    throw error;
  }
}
