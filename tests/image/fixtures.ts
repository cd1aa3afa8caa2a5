/** The compiled fixtures of tests/fixtures/image, and ways to damage them. */
import { readFileSync } from "node:fs";
import { ImageError, type ImageErrorKind } from "../../runtime/image/index.ts";

/** The bytes of a file of tests/fixtures/image. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/image/${name}`, import.meta.url)));
}

/** A copy of `bytes` with `value` (little-endian, `size` bytes) written at `offset`. */
export function patched(
  bytes: Uint8Array,
  offset: number,
  value: number,
  size: 1 | 2 | 4,
): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  if (size === 1) view.setUint8(offset, value);
  else if (size === 2) view.setUint16(offset, value, true);
  else view.setUint32(offset, value, true);
  return copy;
}

/** Runs `fn`, which must throw an ImageError of that kind, and returns its message. */
export function imageError(kind: ImageErrorKind, fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    if (error.kind !== kind)
      throw new Error(`kind is ${error.kind}, not ${kind}: ${error.message}`);
    return error.message;
  }
  throw new Error(`no ImageError of kind ${kind} was thrown`);
}
