import { ImageReader } from "./bytes.ts";
import {
  DYNAMIC_SIZE,
  DYNAMIC_TAG_NEEDED,
  ELF_CLASS_64,
  ELF_DATA_LITTLE_ENDIAN,
  ELF_HEADER_SIZE,
  ELF_MAGIC,
  ELF_OFFSET_CLASS,
  ELF_OFFSET_DATA,
  ELF_OFFSET_MACHINE,
  ELF_OFFSET_SECTION_COUNT,
  ELF_OFFSET_SECTION_ENTRY_SIZE,
  ELF_OFFSET_SECTION_NAMES,
  ELF_OFFSET_SECTIONS,
  ELF_OFFSET_TYPE,
  SECTION_FLAG_COMPRESSED,
  SECTION_HEADER_SIZE,
  SECTION_OFFSET_FLAGS,
  SECTION_OFFSET_LINK,
  SECTION_OFFSET_NAME,
  SECTION_OFFSET_OFFSET,
  SECTION_OFFSET_SIZE,
  SECTION_OFFSET_TYPE,
  SECTION_TYPE_DYNAMIC,
  SECTION_TYPE_DYNSYM,
  SECTION_TYPE_GNU_VERNEED,
  SECTION_TYPE_GNU_VERSYM,
  SECTION_TYPE_NOBITS,
  SYMBOL_BINDING_WEAK,
  SYMBOL_OFFSET_INFO,
  SYMBOL_OFFSET_NAME,
  SYMBOL_OFFSET_SECTION,
  SYMBOL_SECTION_UNDEFINED,
  SYMBOL_SIZE,
  VERNAUX_OFFSET_NAME,
  VERNAUX_OFFSET_NEXT,
  VERNAUX_OFFSET_OTHER,
  VERNEED_OFFSET_AUX,
  VERNEED_OFFSET_COUNT,
  VERNEED_OFFSET_FILE,
  VERNEED_OFFSET_NEXT,
} from "./defs.ts";
import { ImageError } from "./errors.ts";

/** One section of an ELF file. */
export interface ElfSection {
  name: string;
  type: number;
  /** Index of the section that this one refers to (a symbol table's strings). */
  link: number;
  /** The section's bytes, a view of the file; empty where the file holds none. */
  data: Uint8Array;
}

/** An ELF file's header and sections. */
export interface ElfFile {
  /** 1 relocatable, 2 executable, 3 shared object or position-independent program. */
  type: number;
  /** `e_machine`: 62 x86-64, 183 AArch64, 190 a GPU's machine code. */
  machine: number;
  sections: ElfSection[];
}

/** A symbol that a program takes from a shared library. */
export interface ImportedSymbol {
  name: string;
  /** The symbol version it asks for (`libcudart.so.13`), empty if none. */
  version: string;
  /** The library that has that version, empty if none is named. */
  library: string;
  /** A weak import may stay unresolved. */
  weak: boolean;
}

/** Whether `bytes` begin with an ELF file's magic number. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new ImageReader(bytes, "image").u32(0, "magic number") === ELF_MAGIC;
}

/**
 * Reads the section table of a 64-bit little-endian ELF file.
 *
 * @param bytes the file
 * @throws ImageError `wrong-magic`, `truncated` or `malformed`; `unsupported` for 32-bit and
 *   big-endian files and for compressed sections
 */
export function parseElf(bytes: Uint8Array): ElfFile {
  const reader = new ImageReader(bytes, "ELF file");
  if (!isElf(bytes)) throw new ImageError("wrong-magic", "not an ELF file");
  reader.need(0, ELF_HEADER_SIZE, "header");
  if (
    reader.u8(ELF_OFFSET_CLASS, "class") !== ELF_CLASS_64 ||
    reader.u8(ELF_OFFSET_DATA, "byte order") !== ELF_DATA_LITTLE_ENDIAN
  ) {
    throw new ImageError("unsupported", "ELF file is not 64-bit little-endian");
  }
  const table = reader.u64(ELF_OFFSET_SECTIONS, "section table");
  const entrySize = reader.u16(ELF_OFFSET_SECTION_ENTRY_SIZE, "section header size");
  const names = reader.u16(ELF_OFFSET_SECTION_NAMES, "section names");
  let count = reader.u16(ELF_OFFSET_SECTION_COUNT, "section count");
  const elf: ElfFile = {
    type: reader.u16(ELF_OFFSET_TYPE, "type"),
    machine: reader.u16(ELF_OFFSET_MACHINE, "machine"),
    sections: [],
  };
  if (table === 0) return elf;
  if (entrySize !== SECTION_HEADER_SIZE) {
    throw new ImageError("malformed", `ELF file has section headers of ${entrySize} bytes`);
  }
  // A count of 0 with a table there means "over 65,279": the first section's size holds it
  // (gABI, "ELF Header", e_shnum).
  if (count === 0) count = reader.u64(table + SECTION_OFFSET_SIZE, "section count");
  reader.need(table, count * SECTION_HEADER_SIZE, "section table");

  for (let index = 0; index < count; index++) {
    elf.sections.push(parseSection(reader, table + index * SECTION_HEADER_SIZE, index));
  }
  const strings = elf.sections[names];
  if (!strings) throw new ImageError("malformed", "ELF file names no table of section names");
  const text = new ImageReader(strings.data, "ELF section names");
  for (let index = 0; index < count; index++) {
    const at = reader.u32(table + index * SECTION_HEADER_SIZE + SECTION_OFFSET_NAME, "name");
    const section = elf.sections[index];
    if (section) section.name = text.cString(at, text.length, `name of section ${index}`);
  }
  return elf;
}

/** Reads one section header and takes a view of the section's bytes. */
function parseSection(reader: ImageReader, at: number, index: number): ElfSection {
  const type = reader.u32(at + SECTION_OFFSET_TYPE, "section type");
  const offset = reader.u64(at + SECTION_OFFSET_OFFSET, "section offset");
  const size = reader.u64(at + SECTION_OFFSET_SIZE, "section size");
  // The first section is a null entry whose size may be the section count.
  const empty = index === 0 || type === SECTION_TYPE_NOBITS;
  const flags = reader.u64(at + SECTION_OFFSET_FLAGS, "section flags");
  // Debug sections may be compressed; nothing here reads them.
  const compressed = (flags & SECTION_FLAG_COMPRESSED) !== 0;
  return {
    name: "",
    type,
    link: reader.u32(at + SECTION_OFFSET_LINK, "section link"),
    data:
      empty || compressed
        ? new Uint8Array(0)
        : reader.slice(offset, size, `section ${index} of the ELF file`),
  };
}

/** The bytes of the sections called `name`, in the file's order. */
export function sectionsNamed(elf: ElfFile, name: string): Uint8Array[] {
  return elf.sections.filter((s) => s.name === name && s.data.length > 0).map((s) => s.data);
}

/**
 * The undefined symbols of the dynamic symbol table, as `nm -D --undefined-only` lists them, with the
 * version and library of each where the file names them.
 * @throws ImageError (`malformed`, `truncated`) if a table leads outside of the file
 */
export function importedSymbols(elf: ElfFile): ImportedSymbol[] {
  const table = elf.sections.find((s) => s.type === SECTION_TYPE_DYNSYM);
  const names = table && elf.sections[table.link];
  if (!table || !names) return [];
  const symbols = new ImageReader(table.data, "ELF dynamic symbol table");
  const strings = new ImageReader(names.data, "ELF dynamic strings");
  const versions = neededVersions(elf);
  const versym = elf.sections.find((s) => s.type === SECTION_TYPE_GNU_VERSYM);
  const versionIndex = versym && new ImageReader(versym.data, "ELF symbol versions");

  const imports: ImportedSymbol[] = [];
  // Symbol 0 is the null symbol.
  for (let index = 1; (index + 1) * SYMBOL_SIZE <= table.data.length; index++) {
    const at = index * SYMBOL_SIZE;
    if (symbols.u16(at + SYMBOL_OFFSET_SECTION, "section") !== SYMBOL_SECTION_UNDEFINED) continue;
    const nameAt = symbols.u32(at + SYMBOL_OFFSET_NAME, "name");
    // The top bit of a version index marks a hidden symbol.
    const version = versionIndex ? versionIndex.u16(index * 2, "version") & 0x7fff : 0;
    const needed = versions.get(version);
    imports.push({
      name: strings.cString(nameAt, strings.length, `name of dynamic symbol ${index}`),
      version: needed?.version ?? "",
      library: needed?.library ?? "",
      weak: symbols.u8(at + SYMBOL_OFFSET_INFO, "binding") >> 4 === SYMBOL_BINDING_WEAK,
    });
  }
  return imports.filter((symbol) => symbol.name !== "");
}

/** Version index → version and library, from the version-needed section. */
function neededVersions(elf: ElfFile): Map<number, { version: string; library: string }> {
  const result = new Map<number, { version: string; library: string }>();
  const section = elf.sections.find((s) => s.type === SECTION_TYPE_GNU_VERNEED);
  const names = section && elf.sections[section.link];
  if (!section || !names) return result;
  const reader = new ImageReader(section.data, "ELF version table");
  const strings = new ImageReader(names.data, "ELF dynamic strings");
  const text = (at: number) => strings.cString(at, strings.length, "name of a version");
  // Each step goes forward (`next` is unsigned, and 0 ends the list), so the walk ends.
  for (let at = 0, next = 1; next !== 0; at += next) {
    const library = text(reader.u32(at + VERNEED_OFFSET_FILE, "library"));
    const count = reader.u16(at + VERNEED_OFFSET_COUNT, "count");
    let aux = at + reader.u32(at + VERNEED_OFFSET_AUX, "versions");
    for (let index = 0; index < count; index++) {
      const version = text(reader.u32(aux + VERNAUX_OFFSET_NAME, "version name"));
      result.set(reader.u16(aux + VERNAUX_OFFSET_OTHER, "version index"), { version, library });
      aux += reader.u32(aux + VERNAUX_OFFSET_NEXT, "next version");
    }
    next = reader.u32(at + VERNEED_OFFSET_NEXT, "next library");
  }
  return result;
}

/**
 * The shared libraries that a program asks for (`DT_NEEDED`), in its order.
 * @throws ImageError (`malformed`, `truncated`) if the table leads outside of the file
 */
export function neededLibraries(elf: ElfFile): string[] {
  const section = elf.sections.find((s) => s.type === SECTION_TYPE_DYNAMIC);
  const names = section && elf.sections[section.link];
  if (!section || !names) return [];
  const reader = new ImageReader(section.data, "ELF dynamic section");
  const strings = new ImageReader(names.data, "ELF dynamic strings");
  const libraries: string[] = [];
  for (let at = 0; at + DYNAMIC_SIZE <= section.data.length; at += DYNAMIC_SIZE) {
    const tag = reader.u64(at, "tag");
    if (tag === 0) break;
    if (tag !== DYNAMIC_TAG_NEEDED) continue;
    libraries.push(strings.cString(reader.u64(at + 8, "name"), strings.length, "library name"));
  }
  return libraries;
}
