import { Decompress } from "fzstd";
import { ENTRY_FLAG_LZ4, ENTRY_FLAG_ZSTD, MAX_UNCOMPRESSED_SIZE } from "./defs.ts";
import { ImageError } from "./errors.ts";

/** How an entry of a fat binary is stored. */
export type Compression = "none" | "lz4" | "zstd";

/**
 * The compression that an entry's flags name.
 * @throws ImageError (`malformed`) if they name two
 */
export function compressionOf(flags: number): Compression {
  const lz4 = (flags & ENTRY_FLAG_LZ4) !== 0;
  const zstd = (flags & ENTRY_FLAG_ZSTD) !== 0;
  if (lz4 && zstd) {
    throw new ImageError("malformed", "fat binary entry claims to be both LZ4 and zstd");
  }
  return lz4 ? "lz4" : zstd ? "zstd" : "none";
}

/**
 * Unpacks the data of one entry.
 *
 * @param data the packed bytes, without padding
 * @param size bytes that the header promises
 * @returns `size` bytes (`data` itself if it is stored)
 * @throws ImageError (`malformed`) if the data doesn't unpack to exactly `size` bytes
 */
export function unpack(data: Uint8Array, compression: Compression, size: number): Uint8Array {
  if (compression === "none") return data;
  if (size > MAX_UNCOMPRESSED_SIZE) {
    throw new ImageError("malformed", `fat binary entry claims to unpack to ${size} bytes`);
  }
  if (compression === "lz4") return unpackLz4(data, size);
  return unpackZstd(data, size);
}

/** The error for packed data that contradicts itself or its header. */
function damaged(compression: Compression, reason: string): ImageError {
  return new ImageError("malformed", `fat binary entry is damaged: ${compression} data ${reason}`);
}

/** Unpacks an LZ4 block (no frame; LZ4 Block Format Description). */
function unpackLz4(data: Uint8Array, size: number): Uint8Array {
  // A byte stands for 255 at most.
  if (size > 255 * data.length) throw damaged("lz4", `can't hold ${size} bytes`);
  const out = new Uint8Array(size);
  let at = 0;
  let written = 0;
  const byte = () => {
    const value = data[at++];
    if (value === undefined) throw damaged("lz4", "ends in the middle of a sequence");
    return value;
  };
  const length = (nibble: number) => {
    let total = nibble;
    if (nibble === 15) {
      let more = byte();
      for (; more === 255; more = byte()) total += more;
      total += more;
    }
    if (total > size - written) throw damaged("lz4", `holds more than ${size} bytes`);
    return total;
  };
  // Each round takes a byte, so the loop ends.
  for (;;) {
    const token = byte();
    const literals = length(token >> 4);
    if (literals > data.length - at) throw damaged("lz4", "ends in the middle of its literals");
    out.set(data.subarray(at, at + literals), written);
    at += literals;
    written += literals;
    // The last sequence has literals only.
    if (at === data.length) break;
    const distance = byte() | (byte() << 8);
    if (distance === 0 || distance > written) {
      throw damaged("lz4", `reaches ${distance} bytes back of ${written}`);
    }
    const end = written + length(token & 15) + 4;
    if (end > size) throw damaged("lz4", `holds more than ${size} bytes`);
    if (end - written <= distance) out.copyWithin(written, written - distance, end - distance);
    else for (let k = written; k < end; k++) out[k] = out[k - distance] as number; // it repeats
    written = end;
  }
  if (written !== size) throw damaged("lz4", `holds ${written} bytes instead of ${size}`);
  return out;
}

/**
 * Unpacks Zstandard frames (RFC 8878). Blocks are counted as they come, since a frame's own claim of
 * its size is not binding.
 */
function unpackZstd(data: Uint8Array, size: number): Uint8Array {
  checkZstdWindow(data);
  const out = new Uint8Array(size);
  let written = 0;
  const stream = new Decompress((block) => {
    if (written + block.length > size) throw damaged("zstd", `holds more than ${size} bytes`);
    out.set(block, written);
    written += block.length;
  });
  try {
    stream.push(data, true);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw damaged("zstd", `can't be read: ${error instanceof Error ? error.message : error}`);
  }
  if (written !== size) throw damaged("zstd", `holds ${written} bytes instead of ${size}`);
  return out;
}

/** Refuses a frame that asks for more memory than zstd's own decoder gives (2²⁷ bytes). */
function checkZstdWindow(data: Uint8Array): void {
  const descriptor = data[4] ?? 0;
  // RFC 8878, 3.1.1.1.2: without the single-segment flag a window descriptor follows.
  const singleSegment = (descriptor & 0x20) !== 0;
  const exponent = singleSegment ? 0 : 10 + ((data[5] ?? 0) >> 3);
  if (exponent > 27) throw damaged("zstd", `asks for a window of 2^${exponent} bytes`);
  // With it the window is the content; its size has 4 bytes for flag 2, 8 for flag 3.
  const sizeFlag = descriptor >> 6;
  if (!singleSegment || sizeFlag < 2) return;
  const at = 5 + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  const high = sizeFlag === 3 ? data.subarray(at + 4, at + 8) : [];
  const claimed = new DataView(data.buffer, data.byteOffset, data.length);
  const low = at + 4 <= data.length ? claimed.getUint32(at, true) : 0;
  if (low > MAX_UNCOMPRESSED_SIZE || high.some((byte) => byte !== 0)) {
    throw damaged("zstd", "claims to hold more than any image");
  }
}
