import { ImageReader } from "./bytes.ts";
import { type Compression, compressionOf, unpack } from "./decompress.ts";
import {
  ENTRY_FLAG_ARCH_SPECIFIC,
  ENTRY_FLAG_FAMILY_SPECIFIC,
  ENTRY_HEADER_SIZE,
  ENTRY_KIND_CUBIN,
  ENTRY_KIND_LTO_IR,
  ENTRY_KIND_PTX,
  ENTRY_OFFSET_ARCH,
  ENTRY_OFFSET_COMPRESSED_SIZE,
  ENTRY_OFFSET_FLAGS,
  ENTRY_OFFSET_HEADER_SIZE,
  ENTRY_OFFSET_KIND,
  ENTRY_OFFSET_SIZE,
  ENTRY_OFFSET_UNCOMPRESSED_SIZE,
  FATBIN_HEADER_SIZE,
  FATBIN_MAGIC,
  FATBIN_OFFSET_HEADER_SIZE,
  FATBIN_OFFSET_SIZE,
  FATBIN_OFFSET_VERSION,
  FATBIN_VERSION,
} from "./defs.ts";
import { ImageError } from "./errors.ts";

/** One entry of a fat binary, still packed. */
export interface FatbinEntry {
  /** `other` is a kind that this reader doesn't know; `kindNumber` says which. */
  kind: "ptx" | "cubin" | "lto-ir" | "other";
  kindNumber: number;
  /** Architecture number: 90 for sm_90. */
  arch: number;
  /** `a`: for this architecture only, `f`: for its family only, else empty. */
  suffix: "" | "a" | "f";
  compression: Compression;
  /** Bytes as stored. */
  storedSize: number;
  /** Bytes when unpacked, padding included. */
  size: number;
  /** The stored bytes, a view of the image. */
  data: Uint8Array;
}

/** One fat binary: what one `__cudaRegisterFatBinary` registers. */
export interface Fatbin {
  entries: FatbinEntry[];
  /** Bytes of the whole fat binary, its header included. */
  byteLength: number;
}

/** Whether `bytes` begin with the magic number of a fat binary. */
export function isFatbin(bytes: Uint8Array): boolean {
  return new ImageReader(bytes, "image").length >= 4 && readMagic(bytes) === FATBIN_MAGIC;
}

function readMagic(bytes: Uint8Array): number {
  return new ImageReader(bytes, "image").u32(0, "magic number");
}

/**
 * Reads the fat binary that begins at `offset`. Nothing is unpacked.
 *
 * @param bytes a fat binary, or a section that holds several, one after the other
 * @param offset where it begins
 * @throws ImageError (`wrong-magic`, `truncated`, `malformed`)
 */
export function parseFatbin(bytes: Uint8Array, offset = 0): Fatbin {
  const reader = new ImageReader(bytes, "fat binary");
  const magic = reader.u32(offset, "magic number");
  if (magic !== FATBIN_MAGIC) {
    throw new ImageError(
      "wrong-magic",
      `not a fat binary: it begins with 0x${magic.toString(16)} instead of 0x${FATBIN_MAGIC.toString(16)}`,
    );
  }
  reader.need(offset, FATBIN_HEADER_SIZE, "header");
  const version = reader.u16(offset + FATBIN_OFFSET_VERSION, "version");
  const headerSize = reader.u16(offset + FATBIN_OFFSET_HEADER_SIZE, "header size");
  const size = reader.u64(offset + FATBIN_OFFSET_SIZE, "size");
  if (version !== FATBIN_VERSION) {
    throw new ImageError(
      "unsupported",
      `fat binary of version ${version}; only version 1 is known`,
    );
  }
  if (headerSize < FATBIN_HEADER_SIZE) {
    throw new ImageError("malformed", `fat binary has a header of ${headerSize} bytes`);
  }
  reader.need(offset, headerSize + size, "body");

  const entries: FatbinEntry[] = [];
  const end = offset + headerSize + size;
  for (let at = offset + headerSize; at < end; ) {
    const { entry, next } = parseEntry(reader, at, end);
    entries.push(entry);
    at = next;
  }
  return { entries, byteLength: headerSize + size };
}

/** Reads the entry at `at`, which must lie before `end`; `next` is where the one after it begins. */
function parseEntry(
  reader: ImageReader,
  at: number,
  end: number,
): { entry: FatbinEntry; next: number } {
  const field = (name: string) => `entry at ${at}: ${name}`;
  if (at + ENTRY_HEADER_SIZE > end) {
    throw new ImageError("truncated", `fat binary is truncated in the entry header at byte ${at}`);
  }
  const kindNumber = reader.u16(at + ENTRY_OFFSET_KIND, field("kind"));
  const headerSize = reader.u32(at + ENTRY_OFFSET_HEADER_SIZE, field("header size"));
  const paddedSize = reader.u64(at + ENTRY_OFFSET_SIZE, field("size"));
  const compressedSize = reader.u32(at + ENTRY_OFFSET_COMPRESSED_SIZE, field("compressed size"));
  const arch = reader.u32(at + ENTRY_OFFSET_ARCH, field("architecture"));
  // The flags that matter are in the low word.
  const flags = reader.u32(at + ENTRY_OFFSET_FLAGS, field("flags"));
  const fullSize = reader.u64(at + ENTRY_OFFSET_UNCOMPRESSED_SIZE, field("uncompressed size"));
  if (headerSize < ENTRY_HEADER_SIZE) {
    throw new ImageError("malformed", `fat binary ${field("header")} has ${headerSize} bytes`);
  }
  const next = at + headerSize + paddedSize;
  if (next > end) {
    throw new ImageError("truncated", `fat binary is truncated in the entry at byte ${at}`);
  }
  const compression = compressionOf(flags);
  const storedSize = compression === "none" ? paddedSize : compressedSize;
  if (storedSize > paddedSize) {
    throw new ImageError(
      "malformed",
      `fat binary ${field("compressed size")} ${storedSize} is over the entry's ${paddedSize} bytes`,
    );
  }
  const entry: FatbinEntry = {
    kind: kindName(kindNumber),
    kindNumber,
    arch,
    suffix: flags & ENTRY_FLAG_ARCH_SPECIFIC ? "a" : flags & ENTRY_FLAG_FAMILY_SPECIFIC ? "f" : "",
    compression,
    storedSize,
    size: compression === "none" ? paddedSize : fullSize,
    data: reader.slice(at + headerSize, storedSize, field("data")),
  };
  return { entry, next };
}

function kindName(kind: number): FatbinEntry["kind"] {
  if (kind === ENTRY_KIND_PTX) return "ptx";
  if (kind === ENTRY_KIND_CUBIN) return "cubin";
  return kind === ENTRY_KIND_LTO_IR ? "lto-ir" : "other";
}

/**
 * Reads the fat binaries of a section: one after the other, each aligned to 8 bytes, with zeros
 * between them where the linker padded.
 * @throws ImageError if one can't be read
 */
export function parseFatbins(section: Uint8Array): Fatbin[] {
  const fatbins: Fatbin[] = [];
  let at = 0;
  while (at < section.length) {
    if (section[at] === 0) {
      at++;
      continue;
    }
    const fatbin = parseFatbin(section, at);
    fatbins.push(fatbin);
    at += fatbin.byteLength;
  }
  return fatbins;
}

/**
 * Reads the fat binaries that an image begins with, aligned to 8 bytes. What follows the last one is
 * not looked at.
 * @throws ImageError if one can't be read
 */
export function parseFatbinRow(image: Uint8Array): Fatbin[] {
  const fatbins: Fatbin[] = [];
  let at = 0;
  do {
    const fatbin = parseFatbin(image, at);
    fatbins.push(fatbin);
    at = Math.ceil((at + fatbin.byteLength) / 8) * 8;
  } while (isFatbin(image.subarray(at)));
  return fatbins;
}

/**
 * The bytes of an entry, unpacked.
 * @throws ImageError (`malformed`) if the data is damaged
 */
export function entryBytes(entry: FatbinEntry): Uint8Array {
  return unpack(entry.data, entry.compression, entry.size);
}

/** An entry's target as nvcc spells it: `sm_90`, `sm_90a`, `compute_100f`. */
export function entryTarget(entry: FatbinEntry): string {
  const prefix = entry.kind === "ptx" ? "compute" : entry.kind === "lto-ir" ? "lto" : "sm";
  return `${prefix}_${entry.arch}${entry.suffix}`;
}
