/**
 * Sizes, offsets and magic numbers of CUDA fat binaries and of the ELF files that hold them.
 *
 * A fat binary ("fatbin") is a header and a run of entries, each with a header of its own:
 *
 * ```text
 * fatbin header                        entry header
 * +0x00 u32 magic 0xBA55ED50           +0x00 u16 kind: 1 PTX, 2 cubin, 8 LTO-IR
 * +0x04 u16 version (1)                +0x02 u16 version
 * +0x06 u16 header size (16)           +0x04 u32 header size
 * +0x08 u64 size of all entries        +0x08 u64 padded size of the data after the header
 *                                      +0x10 u32 compressed size
 *                                      +0x1c u32 architecture (90 = sm_90)
 *                                      +0x28 u64 flags
 *                                      +0x38 u64 uncompressed size
 * ```
 */

/** First word of a fat binary. */
export const FATBIN_MAGIC = 0xba55ed50;
/** The one header version that nvcc has written since CUDA 4. */
export const FATBIN_VERSION = 1;
export const FATBIN_OFFSET_VERSION = 0x04;
export const FATBIN_OFFSET_HEADER_SIZE = 0x06;
export const FATBIN_OFFSET_SIZE = 0x08;
/** Bytes of the smallest fat binary header. */
export const FATBIN_HEADER_SIZE = 16;

/** First word of the wrapper that a host program passes to `__cudaRegisterFatBinary`. */
export const FATBIN_WRAPPER_MAGIC = 0x466243b1;

export const ENTRY_OFFSET_KIND = 0x00;
export const ENTRY_OFFSET_HEADER_SIZE = 0x04;
export const ENTRY_OFFSET_SIZE = 0x08;
export const ENTRY_OFFSET_COMPRESSED_SIZE = 0x10;
export const ENTRY_OFFSET_ARCH = 0x1c;
export const ENTRY_OFFSET_FLAGS = 0x28;
export const ENTRY_OFFSET_UNCOMPRESSED_SIZE = 0x38;
/** Bytes of the smallest entry header: every field above is inside it. */
export const ENTRY_HEADER_SIZE = 0x40;

export const ENTRY_KIND_PTX = 1;
export const ENTRY_KIND_CUBIN = 2;
export const ENTRY_KIND_LTO_IR = 8;

/** The data is an LZ4 block (`--compress-mode=speed`, and every toolkit before 12.4). */
export const ENTRY_FLAG_LZ4 = 0x2000;
/** The data is a Zstandard frame (the default of newer toolkits). */
export const ENTRY_FLAG_ZSTD = 0x8000;
/** Code for one architecture only (`sm_90a`). */
export const ENTRY_FLAG_ARCH_SPECIFIC = 0x100000;
/** Code for one family of architectures only (`sm_100f`). */
export const ENTRY_FLAG_FAMILY_SPECIFIC = 0x200000;

/** An entry that claims to unpack to more than this is refused (bytes). */
export const MAX_UNCOMPRESSED_SIZE = 0x20000000;

/** The newest architecture whose PTX the device runs: it is compute capability 9.0. */
export const DEVICE_ARCH = 90;

/** `\x7fELF`, little-endian. */
export const ELF_MAGIC = 0x464c457f;
export const ELF_OFFSET_CLASS = 4;
export const ELF_OFFSET_DATA = 5;
export const ELF_CLASS_64 = 2;
export const ELF_DATA_LITTLE_ENDIAN = 1;
/** Bytes of an ELF64 file header. */
export const ELF_HEADER_SIZE = 64;
export const ELF_OFFSET_TYPE = 0x10;
export const ELF_OFFSET_MACHINE = 0x12;
export const ELF_OFFSET_SECTIONS = 0x28;
export const ELF_OFFSET_SECTION_ENTRY_SIZE = 0x3a;
export const ELF_OFFSET_SECTION_COUNT = 0x3c;
export const ELF_OFFSET_SECTION_NAMES = 0x3e;
export const ELF_TYPE_RELOCATABLE = 1;
export const ELF_TYPE_EXECUTABLE = 2;
export const ELF_TYPE_SHARED = 3;
/** `EM_CUDA`: a cubin, machine code of a GPU. */
export const ELF_MACHINE_CUDA = 190;

/** Bytes of an ELF64 section header. */
export const SECTION_HEADER_SIZE = 64;
export const SECTION_OFFSET_NAME = 0x00;
export const SECTION_OFFSET_TYPE = 0x04;
export const SECTION_OFFSET_FLAGS = 0x08;
export const SECTION_OFFSET_OFFSET = 0x18;
export const SECTION_OFFSET_SIZE = 0x20;
export const SECTION_OFFSET_LINK = 0x28;
export const SECTION_TYPE_NOBITS = 8;
export const SECTION_TYPE_DYNAMIC = 6;
export const SECTION_TYPE_DYNSYM = 11;
export const SECTION_TYPE_GNU_VERNEED = 0x6ffffffe;
export const SECTION_TYPE_GNU_VERSYM = 0x6fffffff;
/** `SHF_COMPRESSED`: the section's data has a compression header (gABI, "Section Compression"). */
export const SECTION_FLAG_COMPRESSED = 0x800;

/** Bytes of an ELF64 symbol. */
export const SYMBOL_SIZE = 24;
export const SYMBOL_OFFSET_NAME = 0x00;
export const SYMBOL_OFFSET_INFO = 0x04;
export const SYMBOL_OFFSET_SECTION = 0x06;
export const SYMBOL_SECTION_UNDEFINED = 0;
export const SYMBOL_BINDING_WEAK = 2;

/** Bytes of a version-needed record and of its auxiliary record (gABI supplement, Linux LSB). */
export const VERNEED_SIZE = 16;
export const VERNEED_OFFSET_COUNT = 0x02;
export const VERNEED_OFFSET_FILE = 0x04;
export const VERNEED_OFFSET_AUX = 0x08;
export const VERNEED_OFFSET_NEXT = 0x0c;
export const VERNAUX_OFFSET_OTHER = 0x06;
export const VERNAUX_OFFSET_NAME = 0x08;
export const VERNAUX_OFFSET_NEXT = 0x0c;

/** Bytes of a dynamic-section entry; `DT_NEEDED` names a library. */
export const DYNAMIC_SIZE = 16;
export const DYNAMIC_TAG_NEEDED = 1;

/** The section of fat binaries that programs register (CUDA 3 and later). */
export const SECTION_NAME_FATBIN = ".nv_fatbin";
/** The section of relocatable fat binaries, which are linked into one module (`-rdc=true`). */
export const SECTION_NAME_RELFATBIN = "__nv_relfatbin";
