/** The versions of CUDA whose runtime library is provided, and what each is made of. */

/** One library. */
export interface Version {
  /** Its file name, its SONAME, and the version of its symbols: CUDA's own are named alike. */
  readonly library: string;
  /** 1000 major + 10 minor, as `CUDART_VERSION` is. */
  readonly number: number;
  /** File with the names that CUDA's library exports. */
  readonly symbols: string;
  /** C files besides those that all have. */
  readonly sources: readonly string[];
  /** CUDA 10.1 gave the errors new numbers: its entry points have to give the old ones. */
  readonly oldErrors?: true;
}

/** Newest first. */
export const VERSIONS: readonly Version[] = [
  {
    library: "libcudart.so.13",
    number: 13000,
    symbols: "symbols-13.txt",
    sources: ["api13.c", "newer.c"],
  },
  {
    library: "libcudart.so.12",
    number: 12090,
    symbols: "symbols-12.txt",
    sources: ["api12.c", "newer.c", "older.c"],
  },
  {
    library: "libcudart.so.11.0",
    number: 11080,
    symbols: "symbols-11.txt",
    sources: ["api11.c", "older.c"],
  },
  {
    library: "libcudart.so.10.2",
    number: 10020,
    symbols: "symbols-10.txt",
    sources: ["api11.c", "older.c"],
  },
  {
    library: "libcudart.so.9.0",
    number: 9000,
    symbols: "symbols-9.txt",
    sources: ["api9.c", "api11.c", "older.c"],
    oldErrors: true,
  },
];

/** What programs of the newest CUDA load. */
export const NEWEST = VERSIONS[0] as Version;

/** C files that all versions have; the generated ones come besides. */
const COMMON = [
  "array.c",
  "box.c",
  "connect.c",
  "device.c",
  "driver.c",
  "events.c",
  "function.c",
  "graph.c",
  "graph_memory.c",
  "graph_object.c",
  "graph_params.c",
  "launch.c",
  "library.c",
  "managed.c",
  "memory.c",
  "module.c",
  "peer.c",
  "pools.c",
  "properties.c",
  "registered.c",
  "registry.c",
  "stream.c",
  "texture_info.c",
  "user_object.c",
];

/** Headers, for those who want to know whether the library is up to date. */
export const HEADERS = [
  "array.h",
  "driver.h",
  "graph.h",
  "graph_object.h",
  "host_call.h",
  "launch.h",
  "memory.h",
  "module.h",
  "newer.h",
  "older_errors.h",
  "properties.h",
  "user_object.h",
  "warpring.h",
];

/** The C files of a version. */
export function sourcesOf(version: Version): string[] {
  return [...COMMON, ...version.sources];
}

/** The library that a program asks for, by what the dynamic linker is told. */
export function versionNamed(library: string): Version | undefined {
  return VERSIONS.find((version) => version.library === library);
}
