import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ENTRY_OFFSET_COMPRESSED_SIZE,
  ENTRY_OFFSET_FLAGS,
  ENTRY_OFFSET_HEADER_SIZE,
  ENTRY_OFFSET_SIZE,
  ENTRY_OFFSET_UNCOMPRESSED_SIZE,
  FATBIN_HEADER_SIZE,
  FATBIN_OFFSET_HEADER_SIZE,
  FATBIN_OFFSET_VERSION,
} from "../../runtime/image/defs.ts";
import { describeImage, ImageError, parseFatbin, selectPtx } from "../../runtime/image/index.ts";
import { describe, test } from "../harness.ts";
import { SEED } from "../seed.ts";
import { fixture, imageError, patched } from "./fixtures.ts";

/** Offset of the chosen PTX entry (compute_90, the second) of a fixture with three targets. */
function chosenEntry(bytes: Uint8Array): number {
  const entries = parseFatbin(bytes).entries;
  const data = entries[1]?.data;
  assert.ok(data);
  // Entry headers of PTX have 80 bytes: the common fields and a list of options.
  return data.byteOffset - bytes.byteOffset - 80;
}

describe("damaged fat binaries", () => {
  const lz4 = fixture("speed.fatbin");
  const zstd = fixture("size.fatbin");

  test("a wrong magic number", () => {
    const message = imageError("wrong-magic", () => selectPtx(patched(zstd, 0, 0xba55ed51, 4)));
    assert.match(message, /51 ed 55 ba/);
    imageError("wrong-magic", () => parseFatbin(patched(zstd, 3, 0, 1)));
    assert.throws(() => selectPtx(patched(zstd, 0, 7, 4)), { code: 200 });
  });

  test("an empty image, and every truncation of a whole one", () => {
    imageError("truncated", () => selectPtx(new Uint8Array(0)));
    for (let length = 4; length < zstd.length; length++) {
      imageError("truncated", () => selectPtx(zstd.subarray(0, length)));
    }
    for (let length = 1; length < 4; length++) {
      imageError("wrong-magic", () => selectPtx(zstd.subarray(0, length)));
    }
  });

  test("an unknown version and impossible header sizes", () => {
    imageError("unsupported", () => selectPtx(patched(zstd, FATBIN_OFFSET_VERSION, 2, 2)));
    imageError("malformed", () => selectPtx(patched(zstd, FATBIN_OFFSET_HEADER_SIZE, 8, 2)));
    const size = FATBIN_HEADER_SIZE + ENTRY_OFFSET_HEADER_SIZE;
    imageError("malformed", () => selectPtx(patched(zstd, size, 0x20, 4)));
    imageError("truncated", () => selectPtx(patched(zstd, size, 0xfffffff0, 4)));
  });

  test("an entry that reaches beyond the fat binary", () => {
    const at = FATBIN_HEADER_SIZE + ENTRY_OFFSET_SIZE;
    imageError("truncated", () => selectPtx(patched(zstd, at, 0x10000000, 4)));
    imageError("truncated", () => selectPtx(patched(zstd, at + 4, 0xffffffff, 4)));
    const compressed = FATBIN_HEADER_SIZE + ENTRY_OFFSET_COMPRESSED_SIZE;
    imageError("malformed", () => selectPtx(patched(zstd, compressed, 0x10000, 4)));
  });

  test("an entry that claims both compressions", () => {
    const at = FATBIN_HEADER_SIZE + ENTRY_OFFSET_FLAGS;
    imageError("malformed", () => selectPtx(patched(zstd, at, 0xa011, 4)));
  });

  for (const [name, bytes] of [
    ["lz4", lz4],
    ["zstd", zstd],
  ] as const) {
    test(`${name}: the unpacked size is not what the header says`, () => {
      const at = chosenEntry(bytes) + ENTRY_OFFSET_UNCOMPRESSED_SIZE;
      const size = new DataView(bytes.buffer).getUint32(at, true);
      for (const wrong of [0, 1, size - 1, size + 1, 0x7fffffff]) {
        imageError("malformed", () => selectPtx(patched(bytes, at, wrong, 4)));
      }
    });

    test(`${name}: the packed data is cut short`, () => {
      const at = chosenEntry(bytes) + ENTRY_OFFSET_COMPRESSED_SIZE;
      const size = new DataView(bytes.buffer).getUint32(at, true);
      for (const less of [1, 2, 16, size >> 1, size]) {
        imageError("malformed", () => selectPtx(patched(bytes, at, size - less, 4)));
      }
    });
  }

  test("anything changed gives an ImageError or a text, never another exception", () => {
    for (const bytes of [lz4, zstd, fixture("program"), fixture("program.rdc"), fixture("vec.o")]) {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
          fc.nat(bytes.length),
          (changes, cut) => {
            const copy = bytes.slice(0, cut % 3 === 0 ? cut : undefined);
            for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
            for (const read of [selectPtx, describeImage]) {
              try {
                read(copy);
              } catch (error) {
                if (!(error instanceof ImageError)) throw error;
              }
            }
          },
        ),
        { seed: SEED, numRuns: 300 },
      );
    }
  });
});

describe("damaged ELF files", () => {
  const program = fixture("program");

  test("truncations", () => {
    for (const length of [4, 16, 63, 64, 1000, program.length >> 1, program.length - 1]) {
      imageError("truncated", () => selectPtx(program.subarray(0, length)));
    }
  });

  test("32-bit, big-endian", () => {
    imageError("unsupported", () => selectPtx(patched(program, 4, 1, 1)));
    imageError("unsupported", () => selectPtx(patched(program, 5, 2, 1)));
  });

  test("a section table or a section outside of the file", () => {
    imageError("truncated", () => selectPtx(patched(program, 0x28, 0x7fffffff, 4)));
    imageError("truncated", () => selectPtx(patched(program, 0x2c, 0xffffffff, 4)));
    imageError("malformed", () => selectPtx(patched(program, 0x3a, 40, 2)));
    imageError("malformed", () => selectPtx(patched(program, 0x3e, 0xfff0, 2)));
  });

  test("no CUDA code, and no sections at all", () => {
    const stripped = patched(patched(program, 0x28, 0, 4), 0x3c, 0, 2);
    const message = imageError("no-device-code", () => selectPtx(stripped));
    assert.match(message, /\.nv_fatbin/);
  });

  test("a static library says what to do", () => {
    const archive = new TextEncoder().encode("!<arch>\n/               0           0     0     0");
    assert.match(
      imageError("unsupported", () => selectPtx(archive)),
      /one of its objects/,
    );
  });

  test("something else altogether", () => {
    const message = imageError("wrong-magic", () =>
      selectPtx(new Uint8Array([0x89, 0x50, 0x4e, 0x47])),
    );
    assert.match(message, /89 50 4e 47/);
  });
});
