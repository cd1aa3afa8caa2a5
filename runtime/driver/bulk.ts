/** Long copies between an array of this thread and device memory. */

/** Below this a call into libc costs more than it saves. */
const WORTH_BYTES = 64 << 10;

/**
 * Pieces of long copies. Up to about the size of a second-level cache glibc copies by `rep movsb`, which reads
 * no line that it writes whole: 0.85 of the time within the caches, 0.7 to 0.8 beyond them.
 */
const PIECE_BYTES = 512 << 10;
/** Longer copies out of device memory are not cut in Deno, where they are slower then, by 5 to 15%. */
const MOST_IN_PIECES = 4 << 20;

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
  const set: Move = (target, source) => target.set(source);
  const plain: Move = (target, source) => inPieces(set, target, source);
  const deno = (globalThis as { Deno?: DenoFfi }).Deno;
  if (deno?.build.os !== "linux") return plain;
  if (deno.permissions.querySync({ name: "ffi" }).state !== "granted") return plain;
  try {
    const { symbols } = deno.dlopen("libc.so.6", {
      memcpy: { parameters: ["buffer", "buffer", "u32"], result: "void" },
    });
    const { memcpy } = symbols as Libc;
    const move: Move = (target, source) => memcpy(target, source, source.length);
    return (target, source) => {
      const whole = source.length > MOST_IN_PIECES && source.buffer instanceof SharedArrayBuffer;
      if (whole) move(target, source);
      else inPieces(move, target, source);
    };
  } catch {
    return plain; // another libc
  }
}

function inPieces(move: Move, target: Uint8Array, source: Uint8Array): void {
  for (let at = 0; at < source.length; at += PIECE_BYTES) {
    const end = Math.min(at + PIECE_BYTES, source.length);
    move(target.subarray(at, end), source.subarray(at, end));
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
