/**
 * The few functions of Linux's C library that a vhost-user server needs, through Bun's or Deno's
 * foreign function interface. Everything here blocks: it is for threads of their own.
 */

/** Integers go in and out as JavaScript numbers; memory is a view of bytes, or 0n for none. */
export interface Libc {
  /** Calls a function of LIBC_FUNCTIONS. @returns its result, or -errno if it is -1 */
  call(name: LibcFunction, ...args: (number | bigint | Uint8Array)[]): number;
  /** Where a view's bytes are in this process. It must not be collected while that is in use. */
  addressOf(bytes: Uint8Array): bigint;
  /** The bytes at an address of this process. They must not be used after they are unmapped. */
  view(address: number, bytes: number): Uint8Array<ArrayBuffer>;
}

type Kind = "int" | "long" | "memory";

/** Arguments of each function; results are all `long`. */
const LIBC_FUNCTIONS = {
  socket: ["int", "int", "int"],
  bind: ["int", "memory", "int"],
  listen: ["int", "int"],
  accept4: ["int", "long", "long", "int"],
  recvmsg: ["int", "memory", "int"],
  recv: ["int", "memory", "long", "int"],
  send: ["int", "memory", "long", "int"],
  poll: ["memory", "long", "int"],
  read: ["int", "memory", "long"],
  write: ["int", "memory", "long"],
  shutdown: ["int", "int"],
  close: ["int"],
  getsockopt: ["int", "int", "int", "memory", "memory"],
  mmap: ["long", "long", "int", "int", "int", "long"],
  munmap: ["long", "long"],
  memfd_create: ["memory", "int"],
  ftruncate: ["int", "long"],
  sendmsg: ["int", "memory", "int"],
  fcntl: ["int", "int", "long"],
  lseek: ["int", "long", "int"],
} as const satisfies Record<string, readonly Kind[]>;

/** Names of the functions there are. */
export type LibcFunction = keyof typeof LIBC_FUNCTIONS;

/** Linux's numbers (x86-64 and arm64 agree on these). */
export const AF_UNIX = 1;
export const SOCK_STREAM = 1;
export const SOCK_CLOEXEC = 0x80000;
export const POLLIN = 1;
export const POLLHUP = 16;
export const PROT_READ_WRITE = 3;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MSG_PEEK = 2;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x40000000;
export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;
export const F_ADD_SEALS = 1033;
export const F_GET_SEALS = 1034;
export const F_SEAL_SHRINK = 2;
export const SEEK_END = 2;
export const EINTR = 4;

const LIBRARY = "libc.so.6";

type Native = (...args: unknown[]) => unknown;

/**
 * @returns the C library
 * @throws Error in a runtime that has no foreign function interface, or where there is no such library
 */
export async function openLibc(): Promise<Libc> {
  if ("Deno" in globalThis) return denoLibc();
  if ("Bun" in globalThis) return bunLibc();
  throw new Error("serving a device needs Bun or Deno: Node.js has no foreign function interface");
}

interface DenoFfi {
  dlopen(path: string, symbols: Record<string, unknown>): { symbols: Record<string, Native> };
  UnsafePointer: {
    of(bytes: Uint8Array): unknown;
    value(pointer: unknown): number | bigint;
    create(address: bigint): unknown;
  };
  UnsafePointerView: new (
    pointer: unknown,
  ) => { getInt32(): number; getArrayBuffer(bytes: number): ArrayBuffer };
}

function denoLibc(): Libc {
  const ffi = (globalThis as unknown as { Deno: DenoFfi }).Deno;
  const kinds = { int: "i32", long: "i64", memory: "buffer" };
  const symbols: Record<string, unknown> = {
    __errno_location: { parameters: [], result: "pointer" },
  };
  for (const [name, args] of Object.entries(LIBC_FUNCTIONS)) {
    symbols[name] = { parameters: args.map((kind) => kinds[kind]), result: resultOf(name, "i64") };
  }
  const library = ffi.dlopen(LIBRARY, symbols).symbols;
  return wrap(
    library,
    () => new ffi.UnsafePointerView(library["__errno_location"]?.()).getInt32(),
    (bytes) => BigInt(ffi.UnsafePointer.value(ffi.UnsafePointer.of(bytes))),
    (address, bytes) => {
      const pointer = ffi.UnsafePointer.create(BigInt(address));
      return new Uint8Array(new ffi.UnsafePointerView(pointer).getArrayBuffer(bytes));
    },
  );
}

const bunFfi = "bun:ffi";

interface BunFfi {
  dlopen(path: string, symbols: Record<string, unknown>): { symbols: Record<string, Native> };
  ptr(bytes: Uint8Array): number;
  read: { i32(pointer: number, offset: number): number };
  toArrayBuffer(pointer: number, offset: number, bytes: number): ArrayBuffer;
}

async function bunLibc(): Promise<Libc> {
  const ffi = (await import(bunFfi)) as BunFfi;
  const kinds = { int: "i32", long: "i64", memory: "ptr" };
  const symbols: Record<string, unknown> = { __errno_location: { args: [], returns: "ptr" } };
  for (const [name, args] of Object.entries(LIBC_FUNCTIONS)) {
    symbols[name] = { args: args.map((kind) => kinds[kind]), returns: resultOf(name, "i64") };
  }
  const library = ffi.dlopen(LIBRARY, symbols).symbols;
  return wrap(
    library,
    () => ffi.read.i32(library["__errno_location"]?.() as number, 0),
    (bytes) => BigInt(ffi.ptr(bytes)),
    (address, bytes) => new Uint8Array(ffi.toArrayBuffer(address, 0, bytes)),
  );
}

/** Functions that return `int` leave the upper half of the register undefined. */
function resultOf(name: string, long: string): string {
  return ["mmap", "recvmsg", "sendmsg", "recv", "send", "read", "write", "lseek"].includes(name)
    ? long
    : "i32";
}

function wrap(
  library: Record<string, Native>,
  errno: () => number,
  addressOf: (bytes: Uint8Array) => bigint,
  view: (address: number, bytes: number) => Uint8Array<ArrayBuffer>,
): Libc {
  return {
    call(name, ...args) {
      const kinds: readonly Kind[] = LIBC_FUNCTIONS[name];
      const given = args.map((arg, i) => (kinds[i] === "long" ? BigInt(arg as number) : arg));
      const result = Number(library[name]?.(...given));
      return result === -1 ? -errno() : result;
    },
    addressOf,
    view,
  };
}
