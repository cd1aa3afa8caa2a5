import assert from "node:assert/strict";
import fc from "fast-check";
import { unpack } from "../../runtime/image/decompress.ts";
import { describe, test } from "../harness.ts";
import { SEED } from "../seed.ts";
import { imageError } from "./fixtures.ts";

/** Literals, and how far back and how many bytes of what there is come again; the last has none. */
interface Sequence {
  readonly literals: Uint8Array;
  readonly distance: number;
  readonly length: number;
}

/** A length's nibble and the bytes that go on with it (LZ4 Block Format Description). */
function lengthOf(value: number): [nibble: number, more: number[]] {
  if (value < 15) return [value, []];
  const rest = value - 15;
  return [15, [...new Array<number>(Math.floor(rest / 255)).fill(255), rest % 255]];
}

/** A block of these sequences and of literals behind them, and what it unpacks to. */
function block(sequences: readonly Sequence[], last: Uint8Array): [Uint8Array, Uint8Array] {
  const bytes: number[] = [];
  const out: number[] = [];
  const put = (literals: Uint8Array, nibble: number) => {
    const [own, more] = lengthOf(literals.length);
    bytes.push((own << 4) | nibble, ...more, ...literals);
    out.push(...literals);
  };
  for (const { literals, distance, length } of sequences) {
    const [nibble, more] = lengthOf(length - 4);
    put(literals, nibble);
    const back = 1 + (distance % out.length);
    bytes.push(back & 255, back >> 8, ...more);
    for (let k = 0; k < length; k++) out.push(out[out.length - back]!);
  }
  put(last, 0);
  return [Uint8Array.from(bytes), Uint8Array.from(out)];
}

const sequence = fc.record({
  literals: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  distance: fc.nat(65_534),
  length: fc.integer({ min: 4, max: 600 }),
});

describe("LZ4 blocks", () => {
  test("any literals and matches, near and far, that overlap themselves or not", () => {
    fc.assert(
      fc.property(
        fc.array(sequence, { maxLength: 12 }),
        fc.uint8Array({ maxLength: 20 }),
        (sequences, last) => {
          const [packed, plain] = block(sequences, last);
          assert.deepEqual(unpack(packed, "lz4", plain.length), plain);
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  test("lengths that don't fit the size, distances beyond the start, and ends too early", () => {
    const literals = Uint8Array.of(1, 2, 3);
    const [packed, plain] = block([{ literals, distance: 2, length: 20 }], Uint8Array.of(9));
    const message = (bytes: Uint8Array, size: number) =>
      imageError("malformed", () => void unpack(bytes, "lz4", size));
    assert.match(message(packed, plain.length - 1), /holds more than 23/);
    assert.match(message(packed, plain.length + 1), /holds 24 bytes instead of 25/);
    assert.match(message(packed, 10), /holds more than 10/);
    assert.match(message(packed, 2), /holds more than 2/);
    assert.match(message(packed, 255 * packed.length + 1), /can't hold/);
    for (const [distance, text] of [
      [0, /reaches 0 bytes back of 3/],
      [4, /reaches 4 bytes back of 3/],
    ] as const) {
      const wrong = packed.slice();
      wrong[4] = distance;
      assert.match(message(wrong, plain.length), text);
    }
    for (let end = 0; end < packed.length; end++) message(packed.subarray(0, end), plain.length);
  });
});
