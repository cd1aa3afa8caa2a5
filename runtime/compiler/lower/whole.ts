/**
 * Ordered accesses of vectors. The ISA lets them be one access for each element (PTX ISA §8.2.2), but
 * GPUs make one access of the whole, and code counts on it: CUB passes a value and its state between
 * blocks by `ld.relaxed.gpu.v2`.
 */
import { I32, I64, NONE, type Value } from "../ir/ir.ts";
import type { Operand } from "../ptx/ast.ts";
import type { Builder } from "./builder.ts";
import type { CheckedAddress } from "./memory.ts";
import type { PtxType } from "./types.ts";

/** @returns whether `count` elements of `size` bytes at this place are read or written as one */
export function isWhole(place: CheckedAddress, size: number, count: number): boolean {
  // Shared and local memory are one worker's, and its threads don't run between two instructions.
  return place.space === "generic" && count > 1 && size >= 4 && size * count <= 16;
}

/** Reads the elements by one ordered access of 8 or 16 bytes. */
export function loadWhole(b: Builder, place: CheckedAddress, targets: Operand[], type: PtxType) {
  const [ea, size] = [place.ea, type.bits / 8];
  let words: Value[];
  if (size * targets.length === 8) {
    const aux = { size: 8, offset: place.offset, ordered: true, space: place.space };
    words = [b.emit("load", I64, [ea], aux)];
  } else {
    const out = b.fn.resultSlot(b);
    b.lib("ld_b128", [pointer(b, place), out.ea], true);
    const half = (k: number): Value =>
      b.emit("load", I64, [out.ea], { size: 8, offset: out.offset + k, space: out.space });
    words = [half(0), half(8)];
  }
  targets.forEach((target, k) => {
    if (target.kind === "sink") return;
    const word = words[(k * size) >> 3] as Value;
    const high = size === 4 && k % 2 === 1;
    const v = high ? b.emit("i64_shr_u", I64, [word, b.i64(32n)]) : word;
    b.write(target, b.coerce(v, type.type), type);
  });
}

/** Writes the elements by one ordered access of 8 or 16 bytes. */
export function storeWhole(b: Builder, place: CheckedAddress, values: Value[], type: PtxType) {
  const words: Value[] = [];
  if (type.bits === 64) words.push(...values.map((v) => b.coerce(v, I64)));
  else {
    for (let k = 0; k < values.length; k += 2) {
      const [low, high] = [values[k] as Value, values[k + 1] as Value].map((v) =>
        b.coerce(b.coerce(v, I32), I64),
      ) as [Value, Value];
      words.push(b.emit("i64_or", I64, [low, b.emit("i64_shl", I64, [high, b.i64(32n)])]));
    }
  }
  if (words.length === 1) {
    const aux = { size: 8, offset: place.offset, ordered: true, space: place.space };
    b.emit("store", NONE, [place.ea, words[0] as Value], aux);
  } else b.lib("st_b128", [pointer(b, place), ...words], true);
}

function pointer(b: Builder, { ea, offset }: CheckedAddress): Value {
  return offset === 0 ? ea : b.emit("i32_add", I32, [ea, b.i32(offset)]);
}
