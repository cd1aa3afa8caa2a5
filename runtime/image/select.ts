import { decodeText } from "./bytes.ts";
import {
  DEVICE_ARCH,
  ELF_MACHINE_CUDA,
  SECTION_NAME_FATBIN,
  SECTION_NAME_RELFATBIN,
} from "./defs.ts";
import { type ElfFile, isElf, parseElf, sectionsNamed } from "./elf.ts";
import { ImageError } from "./errors.ts";
import {
  entryBytes,
  entryTarget,
  type Fatbin,
  type FatbinEntry,
  isFatbin,
  parseFatbinRow,
  parseFatbins,
} from "./fatbin.ts";
import { linkPtx } from "./link.ts";

/** What an image is. */
export type ImageFormat = "ptx" | "fatbin" | "elf";

/** The PTX that was chosen from an image. */
export interface ImageSelection {
  format: ImageFormat;
  /**
   * One text a module. A fat binary and a PTX text are one module, and so are several fat binaries in
   * a row, which are linked; a program has one for each of its translation units, and one for all that
   * were compiled with `-rdc=true`, which are linked here.
   */
  ptx: string[];
  /** The same, as one array a module. */
  modules: string[][];
}

const HOW_TO_COMPILE = "compile with `-gencode arch=compute_90,code=compute_90` (or `-arch=sm_90`)";

/** Characters that PTX text can begin with: white space, a directive, a comment. */
const PTX_START = /^[\s]*(\.|\/\/|\/\*)/;

/**
 * What kind of image `bytes` are, by their first bytes.
 * @throws ImageError (`wrong-magic`) if they are none that is known, (`truncated`) if there are none
 */
export function imageFormat(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw new ImageError("truncated", "image is empty");
  if (isElf(bytes)) return "elf";
  if (isFatbin(bytes)) return "fatbin";
  const start = decodeText(bytes.subarray(0, 4096));
  if (PTX_START.test(start)) return "ptx";
  if (start.startsWith("!<arch>")) {
    throw new ImageError("unsupported", "static library (ar archive): give one of its objects");
  }
  const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
  throw new ImageError(
    "wrong-magic",
    `not PTX text, a fat binary or an ELF file: it begins with the bytes ${magic.join(" ")}`,
  );
}

/**
 * Chooses the PTX to run from an image: of several, the highest up to sm_90 (compute_90a, which adds
 * to compute_90, only where there is no compute_90).
 *
 * @param image PTX text, or the bytes of PTX text, a fat binary, or an ELF program, library or object
 *   from nvcc
 * @returns the texts, none of them empty
 * @throws ImageError: `truncated`, `wrong-magic` or `malformed` files (code 200), `newer-only`,
 *   `machine-code-only` and `no-device-code` images (code 209); the message names targets and kernels
 */
export function selectPtx(image: Uint8Array | string): ImageSelection {
  if (typeof image === "string") return selection("ptx", [checkedText(image)]);
  const format = imageFormat(image);
  if (format === "ptx") return selection(format, [checkedText(ptxText(image))]);
  if (format === "elf") return selection(format, selectFromElf(parseElf(image)));
  const [first, ...more] = parseFatbinRow(image);
  if (first && more.length > 0) return selection(format, selectFromParts([first, ...more]));
  const texts = first ? selectFromFatbin(first) : [];
  if (texts.length === 0) throw noPtx(first?.entries ?? []);
  return selection(format, [linkPtx(texts)]);
}

/** The one module of several fat binaries in a row: the parts of a separately compiled program. */
function selectFromParts(fatbins: Fatbin[]): string[] {
  const parts = fatbins.filter((fatbin) => !isDeviceRuntime(fatbin));
  const texts = parts.flatMap(selectFromPart);
  if (texts.length === 0) throw noPtx(parts.flatMap((fatbin) => fatbin.entries));
  return [linkPtx(texts)];
}

/** The PTX of one of the parts to be linked; none if it has no code. */
function selectFromPart(fatbin: Fatbin): string[] {
  const texts = selectFromFatbin(fatbin);
  if (texts.length === 0 && !fatbin.entries.every(isEmptyCubin)) throw noPtx(fatbin.entries);
  return texts;
}

function selection(format: ImageFormat, ptx: string[]): ImageSelection {
  return { format, ptx, modules: ptx.map((text) => [text]) };
}

/** Decodes PTX bytes; nvcc and the C API end them with NUL. */
function ptxText(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return decodeText(bytes.subarray(0, end));
}

/** Refuses PTX text for a newer target; what else is wrong with it is the parser's to say. */
function checkedText(text: string): string {
  const target = ptxTarget(text);
  if (target && target.arch > DEVICE_ARCH) {
    throw newerOnly([`sm_${target.arch}${target.suffix}`], ptxKernels(text));
  }
  return text;
}

/** The architecture that the `.target` directive names (PTX ISA, 11.1.2), if there is one. */
export function ptxTarget(text: string): { arch: number; suffix: string } | undefined {
  const match = /^[ \t]*\.target[ \t]+(?:sm|compute)_(\d+)([a-z]?)/m.exec(text);
  return match ? { arch: Number(match[1]), suffix: match[2] ?? "" } : undefined;
}

/** Names of the kernels (`.entry`) that a PTX text defines or declares. */
export function ptxKernels(text: string): string[] {
  return Array.from(text.matchAll(/^[^/\n]*\.entry\s+([\w$%]+)/gm), (match) => match[1] ?? "");
}

/** The modules of an ELF file from nvcc. */
function selectFromElf(elf: ElfFile): string[] {
  if (elf.machine === ELF_MACHINE_CUDA) throw machineCodeOnly(["cubin"], cubinKernelsOf(elf));
  const fatbins = sectionsNamed(elf, SECTION_NAME_FATBIN).flatMap(parseFatbins);
  const parts = sectionsNamed(elf, SECTION_NAME_RELFATBIN)
    .flatMap(parseFatbins)
    .filter((fatbin) => !isDeviceRuntime(fatbin));
  if (fatbins.length === 0 && parts.length === 0) {
    throw new ImageError(
      "no-device-code",
      `ELF file holds no CUDA code: it has no section ${SECTION_NAME_FATBIN} or ${SECTION_NAME_RELFATBIN}`,
    );
  }
  const modules: string[] = [];
  const refused: FatbinEntry[] = [];
  for (const fatbin of fatbins) {
    const texts = selectFromFatbin(fatbin);
    if (texts.length > 0) modules.push(linkPtx(texts));
    // A program of separately compiled parts also carries their linked machine code, and every
    // program carries an empty cubin of nvcc's own link step.
    else if (parts.length === 0 && !fatbin.entries.every(isEmptyCubin)) {
      refused.push(...fatbin.entries);
    }
  }
  const linked = parts.flatMap(selectFromPart);
  if (linked.length > 0) modules.push(linkPtx(linked));
  if (refused.length > 0) throw noPtx(refused);
  if (modules.length === 0) {
    throw new ImageError("no-device-code", "ELF file holds no kernels: its fat binaries are empty");
  }
  return modules;
}

/** What only the toolkit's device runtime defines for others: CUDA 12's and later, and before. */
const DEVICE_RUNTIME = ["__cudaCDP2GetParameterBufferV2", "cudaGetParameterBuffer"];
const DEFINES_DEVICE_RUNTIME = new RegExp(
  `^\\.(visible|weak) \\.func .*[ )](${DEVICE_RUNTIME.join("|")})\\(`,
  "m",
);

/**
 * Is a part the toolkit's device runtime (libcudadevrt.a), which nvcc links into every program of
 * separately compiled parts? The device has its own, so that this one is never needed, whatever
 * architectures the toolkit made it for.
 */
export function isDeviceRuntime(fatbin: { entries: FatbinEntry[] }): boolean {
  const [ptx] = fatbin.entries.filter((entry) => entry.kind === "ptx");
  if (ptx) return DEFINES_DEVICE_RUNTIME.test(ptxText(entryBytes(ptx)));
  const [cubin] = fatbin.entries.filter((entry) => entry.kind === "cubin");
  return cubin !== undefined && cubinKernels(cubin).some((name) => DEVICE_RUNTIME.includes(name));
}

/**
 * The PTX of the highest architecture up to the device's; empty if the fat binary has no PTX at all.
 * @throws ImageError (`newer-only`) if all of its PTX is newer
 */
export function selectFromFatbin(fatbin: Fatbin): string[] {
  const ptx = fatbin.entries.filter((entry) => entry.kind === "ptx");
  const chosen = chooseEntries(ptx);
  if (ptx.length > 0 && chosen.length === 0) {
    const texts = ptx.map((entry) => ptxText(entryBytes(entry)));
    throw newerOnly(ptx.map(entryTarget), texts.flatMap(ptxKernels));
  }
  return chosen.map((entry) => ptxText(entryBytes(entry)));
}

/**
 * The entries of the highest architecture up to the device's: more than one only if a tool packed
 * several texts for it. Code for one family (`f`) begins with sm_100 and never suits.
 */
export function chooseEntries(entries: FatbinEntry[]): FatbinEntry[] {
  const suits = entries.filter(
    (entry) =>
      entry.kind === "ptx" &&
      entry.arch <= DEVICE_ARCH &&
      (entry.suffix === "" || (entry.suffix === "a" && entry.arch === DEVICE_ARCH)),
  );
  const best = Math.max(...suits.map((entry) => entry.arch));
  const highest = suits.filter((entry) => entry.arch === best);
  const plain = highest.filter((entry) => entry.suffix === "");
  return plain.length > 0 ? plain : highest;
}

function newerOnly(targets: string[], kernels: string[]): ImageError {
  return new ImageError(
    "newer-only",
    `the image holds PTX for ${unique(targets)} only${ofKernels(kernels)}, and this device ` +
      `(compute capability 9.0) runs PTX up to sm_90: ${HOW_TO_COMPILE}`,
  );
}

function machineCodeOnly(targets: string[], kernels: string[]): ImageError {
  return new ImageError(
    "machine-code-only",
    `the image holds machine code only (${unique(targets)})${ofKernels(kernels)}, no PTX: ` +
      HOW_TO_COMPILE,
  );
}

/** The error for entries among which there is no PTX. */
function noPtx(entries: FatbinEntry[]): ImageError {
  if (entries.length === 0) return new ImageError("no-device-code", "fat binary has no entries");
  return machineCodeOnly(
    entries.map((entry) =>
      entry.kind === "other" ? `entry of kind ${entry.kindNumber}` : entryTarget(entry),
    ),
    entries.flatMap(cubinKernels),
  );
}

/** The kernels and functions that a cubin entry has code for (`.text.NAME` sections). */
export function cubinKernels(entry: FatbinEntry): string[] {
  return entry.kind === "cubin" ? cubinKernelsOf(parseElf(entryBytes(entry))) : [];
}

function cubinKernelsOf(elf: ElfFile): string[] {
  const names = elf.sections.map((section) => section.name);
  return names.filter((name) => name.startsWith(".text.")).map((name) => name.slice(6));
}

function isEmptyCubin(entry: FatbinEntry): boolean {
  return entry.kind === "cubin" && cubinKernels(entry).length === 0;
}

function ofKernels(names: string[]): string {
  if (names.length === 0) return "";
  const shown = Array.from(new Set(names));
  const more = shown.length > 4 ? ` and ${shown.length - 4} more` : "";
  return ` (kernels: ${shown.slice(0, 4).join(", ")}${more})`;
}

function unique(names: string[]): string {
  return Array.from(new Set(names)).join(", ");
}
