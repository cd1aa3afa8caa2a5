import { ImageError } from "./errors.ts";

/**
 * A little-endian reader over one image. Every access is checked against the image's end, so that a
 * truncated or hostile file gives an `ImageError` and never a read outside of it.
 */
export class ImageReader {
  readonly bytes: Uint8Array;
  /** What the bytes are, for messages ("fat binary", "ELF file"). */
  readonly what: string;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.what = what;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes in the image. */
  get length(): number {
    return this.bytes.length;
  }

  /**
   * Checks that `size` bytes at `offset` are inside the image.
   * @throws ImageError (`truncated`) if they are not
   */
  need(offset: number, size: number, field: string): void {
    // Both are below 2^53 (u64 refuses more), so the sum below is exact.
    if (offset + size > this.length) {
      throw new ImageError(
        "truncated",
        `${this.what} is truncated: ${field} needs bytes ${offset} to ${offset + size}, ` +
          `but there are only ${this.length}`,
      );
    }
  }

  u8(offset: number, field: string): number {
    this.need(offset, 1, field);
    return this.#view.getUint8(offset);
  }

  u16(offset: number, field: string): number {
    this.need(offset, 2, field);
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number, field: string): number {
    this.need(offset, 4, field);
    return this.#view.getUint32(offset, true);
  }

  /**
   * Reads a u64 that is a size or an offset.
   * @throws ImageError (`truncated`) if it is over 2^52, where no file reaches
   */
  u64(offset: number, field: string): number {
    this.need(offset, 8, field);
    const high = this.#view.getUint32(offset + 4, true);
    if (high >= 2 ** 20) {
      throw new ImageError("truncated", `${this.what}: ${field} is out of any file's range`);
    }
    return high * 2 ** 32 + this.#view.getUint32(offset, true);
  }

  /** A view (no copy) of `size` bytes at `offset`. */
  slice(offset: number, size: number, field: string): Uint8Array {
    this.need(offset, size, field);
    return this.bytes.subarray(offset, offset + size);
  }

  /** The NUL-terminated text at `offset`, which must end before `end`. */
  cString(offset: number, end: number, field: string): string {
    const stop = Math.min(end, this.length);
    let last = offset;
    while (last < stop && this.bytes[last] !== 0) last++;
    if (offset > stop || last >= stop) {
      throw new ImageError("malformed", `${this.what}: ${field} has no end`);
    }
    return decodeText(this.bytes.subarray(offset, last));
  }
}

/**
 * Decodes UTF-8, also from shared memory (browsers' `TextDecoder` refuses shared buffers).
 */
export function decodeText(bytes: Uint8Array): string {
  const copy = bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
  return new TextDecoder().decode(copy);
}
