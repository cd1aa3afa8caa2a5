/**
 * Images: the files that CUDA kernels come in. PTX text, fat binaries (stored, LZ4, zstd), and ELF
 * programs, libraries and objects from nvcc. This folder reads them and chooses the PTX to run; it
 * imports nothing of the runtime, and nothing here needs a file system.
 */
import { SECTION_NAME_FATBIN, SECTION_NAME_RELFATBIN } from "./defs.ts";
import {
  type ImportedSymbol,
  importedSymbols,
  neededLibraries,
  parseElf,
  sectionsNamed,
} from "./elf.ts";
import { type FatbinEntry, parseFatbin, parseFatbins } from "./fatbin.ts";
import { type ImageFormat, imageFormat } from "./select.ts";

export { DEVICE_ARCH } from "./defs.ts";
export type { ImportedSymbol } from "./elf.ts";
export {
  CUDA_ERROR_INVALID_KERNEL_IMAGE,
  CUDA_ERROR_NO_KERNEL_IMAGE_FOR_DEVICE,
  ImageError,
  type ImageErrorKind,
} from "./errors.ts";
export { entryBytes, entryTarget, type Fatbin, type FatbinEntry, parseFatbin } from "./fatbin.ts";
export { linkPtx } from "./link.ts";
export {
  chooseEntries,
  cubinKernels,
  type ImageFormat,
  type ImageSelection,
  imageFormat,
  isDeviceRuntime,
  ptxKernels,
  ptxTarget,
  selectPtx,
} from "./select.ts";

/** One fat binary of an image and where it was. */
export interface FatbinInfo {
  /** `.nv_fatbin`, `__nv_relfatbin`, or empty for an image that is one fat binary. */
  section: string;
  /** The parts of one module, to be linked (`-rdc=true`). */
  relocatable: boolean;
  entries: FatbinEntry[];
}

/** What an image holds, whether this device can run it or not. */
export interface ImageDescription {
  format: ImageFormat;
  fatbins: FatbinInfo[];
  /** Undefined dynamic symbols of a program or library; empty for anything else. */
  imports: ImportedSymbol[];
  /** Shared libraries that a program or library asks for. */
  libraries: string[];
}

/**
 * Lists what an image holds: the entries of its fat binaries, and for a program the symbols and the
 * libraries that it imports. Nothing is unpacked and nothing is refused for its target.
 *
 * @param image the bytes of PTX text, a fat binary or an ELF file
 * @throws ImageError if the image can't be read (`truncated`, `wrong-magic`, `malformed`, `unsupported`)
 */
export function describeImage(image: Uint8Array): ImageDescription {
  const format = imageFormat(image);
  const description: ImageDescription = { format, fatbins: [], imports: [], libraries: [] };
  if (format === "fatbin") {
    const { entries } = parseFatbin(image);
    description.fatbins.push({ section: "", relocatable: false, entries });
  } else if (format === "elf") {
    const elf = parseElf(image);
    for (const section of [SECTION_NAME_FATBIN, SECTION_NAME_RELFATBIN]) {
      for (const { entries } of sectionsNamed(elf, section).flatMap(parseFatbins)) {
        const relocatable = section === SECTION_NAME_RELFATBIN;
        description.fatbins.push({ section, relocatable, entries });
      }
    }
    description.imports = importedSymbols(elf);
    description.libraries = neededLibraries(elf);
  }
  return description;
}

/**
 * Shared libraries that an ELF program or library asks for.
 * @throws ImageError if it can't be read
 */
export function neededBy(elf: Uint8Array): string[] {
  return neededLibraries(parseElf(elf));
}
