/** `warpring info`: what is in a PTX file, a fat binary, or a program or object from nvcc. */
import { readFile } from "node:fs/promises";
import { entryPoints } from "../cuda-shim/native/generate.ts";
import { NEWEST, versionNamed } from "../cuda-shim/native/versions.ts";
import { type DeviceLibrary, PtxError, parsePtx } from "../runtime/compiler/index.ts";
import { loadArtifacts } from "../runtime/exec/index.ts";
import {
  chooseEntries,
  describeImage,
  entryBytes,
  entryTarget,
  type FatbinEntry,
  type FatbinInfo,
  type ImageDescription,
  type ImportedSymbol,
  isDeviceRuntime,
} from "../runtime/image/index.ts";
import { type Command, EXIT_FAILURE, EXIT_OK } from "./command.ts";
import { summarizeKernels } from "./kernels.ts";
import { formatPtxError } from "./ptx-error.ts";
import { formatBytes, Progress, print, styled, table } from "./terminal.ts";
import { findUnsupported } from "./unsupported.ts";

/** A PTX text of the image. */
interface PtxText {
  /** Where it lies, for headings: `PTX text`, `.nv_fatbin, fat binary 1, compute_90`. */
  origin: string;
  /** What the lines of errors are counted in: the file itself, or the origin. */
  place: string;
  text: string;
  /** Whether the device would run it. */
  chosen: boolean;
}

/** The `info` command. */
export const info: Command = {
  name: "info",
  operands: "FILE",
  count: [1, 1],
  summary: "list the kernels of a PTX file, fat binary, program or object, and what they need",
  options: {},
  async run(args) {
    const file = args.operands[0] ?? "";
    const bytes = new Uint8Array(await readFile(file));
    const image = describeImage(bytes);
    print(`${styled("bold", file)}: ${formatName(image)}, ${formatBytes(bytes.length)}`);
    printFatbins(image.fatbins);
    const progress = new Progress();
    let ok = true;
    const { library } = await loadArtifacts();
    for (const text of ptxTexts(image, bytes, file)) {
      progress.step(`reading ${text.origin}`);
      if (!printModule(text, library)) ok = false;
    }
    progress.done();
    if (image.format === "elf") await printImports(image);
    return ok ? EXIT_OK : EXIT_FAILURE;
  },
};

function formatName(image: ImageDescription): string {
  if (image.format === "ptx") return "PTX text";
  if (image.format === "fatbin") return "CUDA fat binary";
  return image.fatbins.length > 0 ? "ELF file with CUDA code" : "ELF file without CUDA code";
}

/** One line for each entry of each fat binary. */
function printFatbins(fatbins: FatbinInfo[]): void {
  fatbins.forEach((fatbin, index) => {
    const chosen = chooseEntries(fatbin.entries);
    print();
    if (fatbin.relocatable && isDeviceRuntime(fatbin)) {
      print(`${fatbinName(fatbin, index)}: the toolkit's device runtime; the device has its own`);
      return;
    }
    print(`${fatbinName(fatbin, index)}${fatbin.relocatable ? " (a part, to be linked)" : ""}`);
    const rows = fatbin.entries.map((entry) => [
      `  ${entryTarget(entry)}`,
      entry.kind,
      formatBytes(entry.size),
      entry.compression === "none" ? "" : `${entry.compression}, ${formatBytes(entry.storedSize)}`,
      entryUse(entry, chosen),
    ]);
    for (const line of table(rows, [2])) print(line);
  });
}

function fatbinName(fatbin: FatbinInfo, index: number): string {
  return `${fatbin.section ? `${fatbin.section}, ` : ""}fat binary ${index + 1}`;
}

function entryUse(entry: FatbinEntry, chosen: FatbinEntry[]): string {
  if (chosen.includes(entry)) return "runs";
  if (entry.kind !== "ptx") return "";
  return chosen.length > 0 ? "another suits better" : "newer than the device (sm_90)";
}

/** The PTX of an image; of a fat binary the one that would run, or all if none would. */
function ptxTexts(image: ImageDescription, bytes: Uint8Array, file: string): PtxText[] {
  const decode = (data: Uint8Array) => new TextDecoder().decode(data).replace(/\0+$/, "");
  if (image.format === "ptx")
    return [{ origin: "module", place: file, text: decode(bytes), chosen: true }];
  return image.fatbins.flatMap((fatbin, index) => {
    if (fatbin.relocatable && isDeviceRuntime(fatbin)) return [];
    const chosen = chooseEntries(fatbin.entries);
    const shown = chosen.length > 0 ? chosen : fatbin.entries.filter((e) => e.kind === "ptx");
    return shown.map((entry) => {
      const origin = `${fatbinName(fatbin, index)}, ${entryTarget(entry)}`;
      const text = decode(entryBytes(entry));
      return { origin, place: origin, text, chosen: chosen.includes(entry) };
    });
  });
}

/** Prints a module's kernels and what can't be compiled; returns whether it could be read. */
function printModule({ origin, place, text, chosen }: PtxText, library: DeviceLibrary): boolean {
  print();
  try {
    const module = parsePtx(text, origin, { check: false });
    const kernels = summarizeKernels(module);
    const target = module.target.join(", ");
    const version = module.version.join(".");
    print(`${origin}: PTX ${version}, target ${target}, ${module.addressSize}-bit addresses`);
    if (kernels.length === 0) print("  no kernels");
    else printKernels(kernels);
    if (!chosen) print(`  ${styled("yellow", "not run")}: the device is compute capability 9.0`);
    for (const error of findUnsupported(module, library)) {
      print(`  ${styled("red", "not supported")}: ${formatPtxError(place, error)}`);
    }
    return true;
  } catch (error) {
    if (!(error instanceof PtxError)) throw error;
    print(`${styled("red", "error")}: ${formatPtxError(place, error)}`);
    return false;
  }
}

function printKernels(kernels: ReturnType<typeof summarizeKernels>): void {
  const head = ["  KERNEL", "PARAMETERS", "BYTES", "SHARED", "LOCAL", "REGISTERS", "CODE", "BLOCK"];
  const rows = kernels.map((kernel) => [
    `  ${kernel.name}`,
    shortList(kernel.params) || "none",
    String(kernel.paramBytes),
    `${formatBytes(kernel.sharedBytes)}${kernel.dynamicShared ? " + launch" : ""}`,
    formatBytes(kernel.localBytes),
    String(kernel.registers),
    String(kernel.instructions),
    kernel.block || "any",
  ]);
  const [first = "", ...rest] = table([head, ...rows], [2, 3, 4, 5, 6]);
  print(styled("dim", first));
  for (const line of rest) print(line);
}

/** Types with repeats counted: `3 × u64, u32`. */
function shortList(types: string[]): string {
  const parts: string[] = [];
  for (let at = 0; at < types.length; ) {
    let end = at;
    while (types[end] === types[at]) end++;
    parts.push(end - at > 1 ? `${end - at} × ${types[at]}` : `${types[at]}`);
    at = end;
  }
  return parts.join(", ");
}

/** Whether a symbol belongs to CUDA: by its library, or by its name where none is given. */
function isCuda({ name, library }: ImportedSymbol): boolean {
  return /^libcuda(rt)?\.so/.test(library) || /^_*cuda[A-Z]|^cu[A-Z]/.test(name);
}

/** The CUDA symbols that a program imports, as nm lists them, and whether the library has each. */
async function printImports(image: ImageDescription): Promise<void> {
  const libraries = image.libraries.join(", ");
  if (libraries) {
    print();
    print(`needs ${libraries}`);
  }
  const symbols = image.imports.filter(isCuda).sort((a, b) => (a.name < b.name ? -1 : 1));
  print();
  if (symbols.length === 0) {
    print(
      image.imports.length === 0
        ? "imports no symbols: an object, or linked statically"
        : "imports no CUDA symbols: the CUDA runtime is linked statically, or not used",
    );
    return;
  }
  const asked = image.libraries.map(versionNamed).find((version) => version !== undefined);
  const here = new Set((await entryPoints(asked ?? NEWEST)).implemented);
  const missing = symbols.filter(({ name }) => !here.has(name));
  print(`imports ${symbols.length} CUDA symbols; ${symbols.length - missing.length} are here`);
  const rows = symbols.map((symbol) => [
    `${" ".repeat(16)} ${symbol.weak ? "w" : "U"} ${symbol.name}${symbol.version ? `@${symbol.version}` : ""}`,
    missing.includes(symbol) ? styled("red", "missing") : styled("green", "here"),
  ]);
  for (const line of table(rows)) print(line);
}
