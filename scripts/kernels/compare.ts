// Outcomes of a kernel against each other: bit for bit, but any NaN is as good as another.

import type { Generated } from "./generate.ts";
import type { Outcome } from "./interpret.ts";

const isNaN32 = (bits: number): boolean => (bits & 0x7fffffff) > 0x7f800000;
const isNaN64 = (low: number, high: number): boolean => {
  const magnitude = (high & 0x7fffffff) >>> 0;
  return magnitude > 0x7ff00000 || (magnitude === 0x7ff00000 && low !== 0);
};
const isNaN16 = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;
/** One or two halves of two words: the same, or both NaN. */
const halvesAlike = (a: number, b: number, count: 1 | 2): boolean =>
  [0, 16].slice(0, count).every((by) => {
    const [x, y] = [(a >>> by) & 0xffff, (b >>> by) & 0xffff];
    return x === y || (isNaN16(x) && isNaN16(y));
  });
const hex = (x: number | undefined): string => (x ?? 0).toString(16).padStart(8, "0");

/** The first difference in words, or undefined. */
export function difference(generated: Generated, want: Outcome, got: Outcome): string | undefined {
  const threads = generated.grid * generated.block;
  const { layout, outputWords, scratchWord } = generated.dialect;
  for (let thread = 0; thread < threads; thread++) {
    for (const { register, kind, word } of layout) {
      const at = thread * outputWords + word;
      const [a, b] = [want.output[at] as number, got.output[at] as number];
      const wide = kind === "q" || kind === "d";
      const [c, d] = wide ? [want.output[at + 1] as number, got.output[at + 1] as number] : [0, 0];
      if (a === b && c === d) continue;
      if (kind === "f" && isNaN32(a) && isNaN32(b)) continue;
      if (kind === "d" && isNaN64(a, c) && isNaN64(b, d)) continue;
      if (kind === "e" && halvesAlike(a, b, 1)) continue;
      if (kind === "w" && halvesAlike(a, b, 2)) continue;
      const show = (low: number, high: number) => (wide ? hex(high) : "") + hex(low);
      return `thread ${thread}: ${register} is ${show(b, d)}, not ${show(a, c)}`;
    }
  }
  const scratch = want.output.findIndex(
    (value, at) => at % outputWords >= scratchWord && value !== got.output[at],
  );
  if (scratch >= 0) {
    const [a, b] = [hex(want.output[scratch]), hex(got.output[scratch])];
    const word = (scratch % outputWords) - scratchWord;
    return `thread ${Math.floor(scratch / outputWords)}: scratch word ${word} is ${b}, not ${a}`;
  }
  const counter = want.counters.findIndex((value, k) => value !== got.counters[k]);
  if (counter < 0) return undefined;
  return `counter ${counter} is ${hex(got.counters[counter])}, not ${hex(want.counters[counter])}`;
}

/** A hash of an outcome (64 bits of FNV-1a, in hexadecimal); all NaN count as the same. */
export function outcomeHash(generated: Generated, outcome: Outcome): string {
  const output = outcome.output.slice();
  const { layout, outputWords } = generated.dialect;
  for (let thread = 0; thread < generated.grid * generated.block; thread++) {
    for (const { kind, word } of layout) {
      const at = thread * outputWords + word;
      if (kind === "f" && isNaN32(output[at] as number)) output[at] = 0x7fffffff;
      if (kind === "e" || kind === "w") {
        for (const by of kind === "e" ? [0] : [0, 16]) {
          const word = output[at] as number;
          if (isNaN16(word >>> by)) output[at] = (word & ~(0xffff << by)) | (0x7fff << by);
        }
      }
      if (kind === "d" && isNaN64(output[at] as number, output[at + 1] as number)) {
        output[at] = 0;
        output[at + 1] = 0x7ff80000;
      }
    }
  }
  let hash = 0xcbf29ce484222325n;
  for (const words of [output, outcome.counters]) {
    for (const word of words) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(word)) * 0x100000001b3n);
    }
  }
  return hash.toString(16).padStart(16, "0");
}
