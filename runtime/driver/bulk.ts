/** Long copies between an array of this thread and device memory. */

/** Below this a call into libc costs more than it saves. */
const WORTH_BYTES = 64 << 10;

/** Copies all bytes of `source` into `target`, which has as many. */
type Move = (target: Uint8Array, source: Uint8Array) => void;

/** The part of Deno's global object that is used here. */
interface DenoFfi {
  build: { os: string };
  permissions: { querySync(wanted: { name: "ffi" }): { state: string } };
  dlopen(path: string, symbols: object): { symbols: object };
}

interface Libc {
  memcpy(target: Uint8Array, source: Uint8Array, bytes: number): void;
}

let longMove: Move | undefined;

/**
 * V8 copies into and out of shared memory word by word, by relaxed atomic moves, where its copies
 * between other arrays are memcpy. So Deno calls memcpy, on Linux and if it may without asking.
 */
function findLongMove(): Move {
  const plain: Move = (target, source) => target.set(source);
  const deno = (globalThis as { Deno?: DenoFfi }).Deno;
  if (deno?.build.os !== "linux") return plain;
  if (deno.permissions.querySync({ name: "ffi" }).state !== "granted") return plain;
  try {
    const { symbols } = deno.dlopen("libc.so.6", {
      memcpy: { parameters: ["buffer", "buffer", "usize"], result: "void" },
    });
    const { memcpy } = symbols as Libc;
    return (target, source) => memcpy(target, source, source.length);
  } catch {
    return plain; // another libc
  }
}

/**
 * Copies bytes between different memories, the fastest way that the runtime has.
 * @param target as long as the source
 * @param source not in the target's memory
 */
export function moveBytes(target: Uint8Array, source: Uint8Array): void {
  if (source.length < WORTH_BYTES) {
    target.set(source);
    return;
  }
  longMove ??= findLongMove();
  longMove(target, source);
}
