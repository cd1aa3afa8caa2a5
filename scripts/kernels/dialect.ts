// What generated kernels have: registers, memories and their sizes. Kernels of the first dialect have been
// recorded on a GPU, so that it must not change; the second one is wider.

/** Register classes: 16, 32 and 64 bits, f32, f64, predicates, f16, f16x2. */
export const TYPES = {
  h: "b16",
  r: "b32",
  q: "b64",
  f: "f32",
  d: "f64",
  p: "pred",
  e: "b16",
  w: "b32",
} as const;
export type RegisterClass = keyof typeof TYPES;

/** Where a register is stored in a thread's output; 64-bit ones lie at even words. */
export interface Place {
  register: string;
  kind: RegisterClass;
  word: number;
}

/** What kernels of one kind have. */
export interface Dialect {
  /** Registers of each class that hold values; further ones are the generator's own. */
  registers: Partial<Record<RegisterClass, number>>;
  layout: readonly Place[];
  /** Words of output per thread: its registers, and from `scratchWord` on what it stored in between. */
  outputWords: number;
  scratchWord: number;
  scratchWords: number;
  /** Words that all threads change. */
  counterWords: number;
}

function layOut(registers: Dialect["registers"]): Place[] {
  const places: Place[] = [];
  let word = 0;
  for (const [kind, count] of Object.entries(registers) as [RegisterClass, number][]) {
    const words = kind === "q" || kind === "d" ? 2 : 1;
    word += word % words;
    for (let k = 0; k < count; k++, word += words)
      places.push({ register: `%${kind}${k}`, kind, word });
  }
  return places;
}

const BASE = { h: 4, r: 10, q: 5, f: 5, d: 3, p: 5 };
/** The predicates lie over the first scratch words, as they were recorded. */
export const RECORDED: Dialect = {
  registers: BASE,
  layout: layOut(BASE),
  outputWords: 44,
  scratchWord: 36,
  scratchWords: 8,
  counterWords: 64,
};
const MORE = { ...BASE, e: 4, w: 3 };
export const WIDE: Dialect = {
  registers: MORE,
  layout: layOut(MORE),
  outputWords: 64,
  scratchWord: 48,
  scratchWords: 16,
  counterWords: 128,
};

/** Words (32 bits) of the input, from which all registers start. */
export const INPUT_WORDS = 256;
/** Words of shared memory that all threads of a block add to. */
export const SHARED_COUNTERS = 4;
/** Words of shared memory per thread, and of local memory. */
export const SHARED_WORDS = 4;
export const LOCAL_WORDS = 8;
