/** ELF files made by hand: as much of a program as is looked at before it starts. */

const HEADER = 64;
const PROGRAM_HEADER = 56;
const SECTION = 64;
const TYPE_PROGBITS = 1;
const TYPE_STRTAB = 3;
const TYPE_DYNAMIC = 6;
const DT_NEEDED = 1;

/** What the file is to be. */
export interface ElfParts {
  /** 1 object, 2 program, 3 shared object or position-independent program. */
  type?: number;
  /** 62 is x86-64. */
  machine?: number;
  /** 2 is 64-bit. */
  class?: number;
  /** How many program headers it says that it has: one is there. */
  segments?: number;
  /** Shared libraries that it asks for. */
  needed?: string[];
  /** Further sections, by name. */
  sections?: Record<string, Uint8Array>;
}

/** The bytes of a 64-bit little-endian ELF file (gABI), with one segment in which nothing is. */
export function elfFile(parts: ElfParts = {}): Uint8Array {
  const strings = new Strings();
  const dynamic = new BigUint64Array([
    ...(parts.needed ?? []).flatMap((name) => [BigInt(DT_NEEDED), BigInt(strings.add(name))]),
    0n,
    0n,
  ]);
  const sections: [name: string, type: number, link: number, data: Uint8Array][] = [
    ["", 0, 0, new Uint8Array(0)],
    [".dynamic", TYPE_DYNAMIC, 2, new Uint8Array(dynamic.buffer)],
    [".dynstr", TYPE_STRTAB, 0, strings.bytes()],
  ];
  for (const [name, data] of Object.entries(parts.sections ?? {})) {
    sections.push([name, TYPE_PROGBITS, 0, data]);
  }
  const names = new Strings();
  const nameAt = [...sections.map(([name]) => names.add(name)), names.add(".shstrtab")];
  sections.push([".shstrtab", TYPE_STRTAB, 0, names.bytes()]);

  const start = HEADER + PROGRAM_HEADER;
  const table = start + sections.reduce((sum, [, , , data]) => sum + align(data.length), 0);
  const file = new Uint8Array(table + sections.length * SECTION);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, parts.class ?? 2, 1, 1]);
  view.setUint16(16, parts.type ?? 3, true);
  view.setUint16(18, parts.machine ?? 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(40, BigInt(table), true);
  view.setBigUint64(32, BigInt(HEADER), true);
  view.setUint16(52, HEADER, true);
  view.setUint16(54, PROGRAM_HEADER, true);
  view.setUint16(56, parts.segments ?? 1, true);
  view.setUint16(58, SECTION, true);
  view.setUint16(60, sections.length, true);
  view.setUint16(62, sections.length - 1, true);
  let at = start;
  for (const [i, [, type, link, data]] of sections.entries()) {
    const header = table + i * SECTION;
    view.setUint32(header, nameAt[i]!, true);
    view.setUint32(header + 4, type, true);
    view.setBigUint64(header + 24, BigInt(at), true);
    view.setBigUint64(header + 32, BigInt(data.length), true);
    view.setUint32(header + 40, link, true);
    file.set(data, at);
    at += align(data.length);
  }
  return file;
}

class Strings {
  #text = "\0";

  add(name: string): number {
    const at = this.#text.length;
    this.#text += `${name}\0`;
    return at;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}

function align(bytes: number): number {
  return (bytes + 7) & ~7;
}
