/** Arithmetic that no recorded case has by exactly this name, against plain TypeScript. */
import {
  address,
  bytesOf,
  type FormCase,
  kernelOf,
  random,
  randomBytes,
  THREADS,
} from "./kernel.ts";

/** The unsigned 32-bit words of some bytes. */
const wordsOf = (bytes: Uint8Array): number[] => [...new Uint32Array(bytes.slice().buffer)];

/**
 * Words in, words out, thread by thread: the body finds its inputs in %r10, %r11, … and leaves its
 * results in %r30, %r31, ….
 */
function onWords(
  ins: number,
  outs: number,
  body: string,
  model: (words: number[], thread: number) => number[],
): FormCase {
  const input = randomBytes(THREADS * ins * 4);
  const words = wordsOf(input);
  const list = (n: number, text: (k: number) => string): string =>
    Array.from({ length: n }, (_, k) => text(k)).join(" ");
  const ptx = kernelOf(`${address(4, 0, 0, 4 * ins)}
${list(ins, (k) => `ld.b32 %r${10 + k}, [%q4+${4 * k}];`)}
${body}
${address(5, 1, 0, 4 * outs)}
${list(outs, (k) => `st.b32 [%q5+${4 * k}], %r${30 + k};`)}`);
  const results = Array.from({ length: THREADS }, (_, t) =>
    model(words.slice(t * ins, (t + 1) * ins), t),
  );
  return { ptx, input, expected: bytesOf(Uint32Array.from(results.flat().map((x) => x >>> 0))) };
}

/** Two floats in, one out. */
function onFloats(form: string, model: (a: number, b: number) => number): FormCase {
  const wide = form.endsWith("64");
  const [bytes, r] = wide ? [8, "%d"] : [4, "%f"];
  const make = wide ? Float64Array : Float32Array;
  const input = make.from(
    random(2 * THREADS, (g) => (g.below(1 << 24) - (1 << 23)) / 4096 + 1 / 3),
  );
  const results = make.from(
    Array.from({ length: THREADS }, (_, t) =>
      model(input[2 * t] as number, input[2 * t + 1] as number),
    ),
  );
  const body = `${address(4, 0, 0, 2 * bytes)} ld.b${8 * bytes} ${r}0, [%q4]; ld.b${8 * bytes} ${r}1, [%q4+${bytes}];
${form} ${r}2, ${r}0, ${r}1; ${address(5, 1, 0, bytes)} st.b${8 * bytes} [%q5], ${r}2;`;
  return { ptx: kernelOf(body), input: bytesOf(input), expected: bytesOf(results) };
}

/** A predicate of two predicates, or of one. */
const onPredicates = (body: string, model: (a: boolean, b: boolean) => boolean): FormCase =>
  onWords(
    2,
    1,
    `setp.lt.s32 %p1, %r10, 0; setp.lt.s32 %p2, %r11, 0; ${body} selp.s32 %r30, 1, 0, %p0;`,
    ([a = 0, b = 0]) => [model(a >>> 31 === 1, b >>> 31 === 1) ? 1 : 0],
  );

/** selp of a type: which of two, by a third word. */
function selection(form: string): FormCase {
  const bits = Number(/\d+$/.exec(form)?.[0]);
  const choose = "setp.lt.s32 %p0, %r14, 0;";
  const pick = (w: number[], at: number, n: number) => {
    const from = (w[4] as number) >>> 31 === 1 ? 0 : 2;
    return w.slice(from + at, from + at + n);
  };
  if (bits === 64) {
    const body = `${choose} mov.b64 %q10, {%r10, %r11}; mov.b64 %q11, {%r12, %r13};
${form} %q12, %q10, %q11, %p0; mov.b64 {%r30, %r31}, %q12;`;
    return onWords(5, 2, body, (w) => pick(w, 0, 2));
  }
  if (bits === 16) {
    const body = `${choose} cvt.u16.u32 %h0, %r10; cvt.u16.u32 %h1, %r12; ${form} %h2, %h0, %h1, %p0;
cvt.u32.u16 %r30, %h2;`;
    return onWords(5, 1, body, (w) => pick(w, 0, 1).map((x) => x & 0xffff));
  }
  const r = form.endsWith("f32") ? "%f" : "%r";
  const moves = r === "%f" ? "mov.b32 %f10, %r10; mov.b32 %f12, %r12;" : "";
  const back = r === "%f" ? "mov.b32 %r30, %f30;" : "";
  return onWords(5, 1, `${choose} ${moves} ${form} ${r}30, ${r}10, ${r}12, %p0; ${back}`, (w) =>
    pick(w, 0, 1),
  );
}

/** Low words first, as one integer; and back. */
const join = (words: number[]): bigint =>
  words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
const split = (x: bigint, count: number): number[] =>
  Array.from({ length: count }, (_, k) => Number(BigInt.asUintN(32, x >> BigInt(32 * k))));

const SUM = onWords(
  8,
  4,
  `add.cc.u32 %r30, %r10, %r14; addc.cc.u32 %r31, %r11, %r15; addc.cc.u32 %r32, %r12, %r16;
addc.u32 %r33, %r13, %r17;`,
  (w) => split(join(w.slice(0, 4)) + join(w.slice(4)), 4),
);
const DIFFERENCE = onWords(
  8,
  4,
  `sub.cc.u32 %r30, %r10, %r14; subc.cc.u32 %r31, %r11, %r15; subc.cc.u32 %r32, %r12, %r16;
subc.u32 %r33, %r13, %r17;`,
  (w) => split(join(w.slice(0, 4)) - join(w.slice(4)), 4),
);
/** (a1 a0) × b + (c3 c2 c1 c0), and the carry into the next word. */
const PRODUCT = onWords(
  7,
  4,
  `mad.lo.cc.u32 %r30, %r10, %r12, %r13; madc.hi.cc.u32 %r31, %r10, %r12, %r14;
addc.u32 %r32, %r15, 0;
mad.lo.cc.u32 %r31, %r11, %r12, %r31; madc.hi.cc.u32 %r32, %r11, %r12, %r32; addc.u32 %r33, %r16, 0;`,
  (w) => {
    const c = (k: number) => BigInt(w[3 + k] as number) << BigInt(32 * k);
    const product = join(w.slice(0, 2)) * BigInt(w[2] as number);
    return split(product + c(0) + c(1) + c(2) + c(3), 4);
  },
);
/** Rows of a long multiplication whose lower half carries in and out. */
const LOW_CARRY = onWords(
  6,
  3,
  `add.cc.u32 %r30, %r10, %r11; madc.lo.cc.u32 %r31, %r12, %r13, %r14; addc.u32 %r32, %r15, 0;`,
  ([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0]) => {
    const low = BigInt(Math.imul(c, d) >>> 0);
    const first = BigInt(a) + BigInt(b);
    const second = low + BigInt(e) + (first >> 32n);
    return [
      Number(first & 0xffffffffn),
      Number(second & 0xffffffffn),
      (f + Number(second >> 32n)) | 0,
    ];
  },
);

/** `setp.eq` of bits: half of the pairs are equal. */
const equality = (bits: 32 | 64): FormCase => {
  const halves = "and.b32 %r10, %r10, 1; and.b32 %r11, %r11, 1;";
  const body =
    bits === 32
      ? `${halves} setp.eq.b32 %p0, %r10, %r11;`
      : `${halves} mov.b64 %q10, {%r12, %r10}; mov.b64 %q11, {%r12, %r11}; setp.eq.b64 %p0, %q10, %q11;`;
  return onWords(3, 1, `${body} selp.s32 %r30, 7, 9, %p0;`, ([a = 0, b = 0]) => [
    ((a ^ b) & 1) === 0 ? 7 : 9,
  ]);
};

/** A generic pointer to local memory. */
const LOCAL_POINTER = onWords(
  1,
  1,
  `.local .align 4 .b8 loc[8]; mov.u64 %q10, loc; cvta.local.u64 %q11, %q10; st.b32 [%q11+4], %r10;
ld.local.b32 %r30, [%q10+4];`,
  (w) => w,
);
/** A generic pointer to a variable, through memory. */
const GLOBAL_POINTER: FormCase = {
  ...onWords(
    1,
    1,
    `mov.u64 %q10, table; cvta.global.u64 %q11, %q10; and.b32 %r11, %r10, 3; mul.wide.u32 %q12, %r11, 4;
add.s64 %q11, %q11, %q12; ld.b32 %r30, [%q11];`,
    ([a = 0]) => [[3, 1, 4, 15][a & 3] as number],
  ),
};
GLOBAL_POINTER.ptx = GLOBAL_POINTER.ptx.replace(
  ".visible .entry",
  ".global .align 4 .u32 table[4] = {3, 1, 4, 15};\n.visible .entry",
);

/** The cases by form. */
export const ARITHMETIC: Record<string, FormCase> = {
  "and.pred": onPredicates("and.pred %p0, %p1, %p2;", (a, b) => a && b),
  "or.pred": onPredicates("or.pred %p0, %p1, %p2;", (a, b) => a || b),
  "xor.pred": onPredicates("xor.pred %p0, %p1, %p2;", (a, b) => a !== b),
  "not.pred": onPredicates("not.pred %p0, %p1;", (a) => !a),
  "mov.pred": onPredicates("mov.pred %p0, %p2;", (_, b) => b),
  "mov.u16": onWords(1, 1, "cvt.u16.u32 %h0, %r10; mov.u16 %h1, %h0; cvt.u32.u16 %r30, %h1;", (w) =>
    w.map((x) => x & 0xffff),
  ),
  "sub.f32": onFloats("sub.f32", (a, b) => a - b),
  "sub.f64": onFloats("sub.f64", (a, b) => a - b),
  "mul.f64": onFloats("mul.f64", (a, b) => a * b),
  ...Object.fromEntries(
    ["b16", "u16", "b32", "f32", "b64", "u64"].map((type) => [
      `selp.${type}`,
      selection(`selp.${type}`),
    ]),
  ),
  "setp.eq.b32": equality(32),
  "setp.eq.b64": equality(64),
  "addc.cc.u32": SUM,
  "subc.cc.u32": DIFFERENCE,
  "madc.hi.cc.u32": PRODUCT,
  "madc.lo.cc.u32": LOW_CARRY,
  "mov.u64": onWords(
    1,
    2,
    `mov.b64 %q10, {%r10, %r0}; mov.u64 %q11, %q10; mov.b64 {%r30, %r31}, %q11;`,
    ([a = 0], t) => [a, t],
  ),
  "cvta.to.global.u64": onWords(
    1,
    1,
    "cvta.to.global.u64 %q10, %q4; ld.global.b32 %r30, [%q10];",
    (w) => w,
  ),
  "cvta.local.u64": LOCAL_POINTER,
  "cvta.global.u64": GLOBAL_POINTER,
};
