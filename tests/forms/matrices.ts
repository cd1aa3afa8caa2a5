/** wmma: products of whole matrices, whose factors are small integers so that every sum is exact. */
import { bytesOf, type FormCase, kernelOf, random, THREADS } from "./kernel.ts";

interface Product {
  m: number;
  n: number;
  k: number;
  /** Suffix of the mma instruction, and the types in memory. */
  mma: string;
  factor: "f16" | "bf16" | "u8" | "f64";
  sum: "f32" | "s32" | "f64";
  /** Registers of a thread for each fragment. */
  registers: { a: number; b: number; c: number };
  shape: string;
}

const SQUARE = { m: 16, n: 16, k: 16, shape: "m16n16k16" };
const PRODUCTS: Record<Product["factor"], Product> = {
  f16: { ...SQUARE, mma: "f32.f32", factor: "f16", sum: "f32", registers: { a: 8, b: 8, c: 8 } },
  bf16: {
    ...SQUARE,
    mma: "f32.bf16.bf16.f32",
    factor: "bf16",
    sum: "f32",
    registers: { a: 4, b: 4, c: 8 },
  },
  u8: {
    ...SQUARE,
    mma: "s32.u8.u8.s32",
    factor: "u8",
    sum: "s32",
    registers: { a: 2, b: 2, c: 8 },
  },
  f64: {
    m: 8,
    n: 8,
    k: 4,
    shape: "m8n8k4",
    mma: "f64.f64.f64.f64.rn",
    factor: "f64",
    sum: "f64",
    registers: { a: 1, b: 1, c: 2 },
  },
};

/** Integers as elements of a type. */
function encode(type: string, values: number[]): Uint8Array {
  if (type === "u8") return Uint8Array.from(values);
  if (type === "s32") return bytesOf(Int32Array.from(values));
  if (type === "f32") return bytesOf(Float32Array.from(values));
  if (type === "f64") return bytesOf(Float64Array.from(values));
  const words = new Uint32Array(Float32Array.from(values).buffer);
  const narrow = [...words].map((w) => {
    if (type === "bf16") return w >>> 16;
    // f16: integers below 2048 keep their exponent and ten bits of fraction.
    if ((w & 0x7fffffff) === 0) return 0;
    return ((w >>> 16) & 0x8000) | ((((w >>> 23) & 255) - 112) << 10) | ((w >>> 13) & 0x3ff);
  });
  return bytesOf(Uint16Array.from(narrow));
}

/** All threads copy `buf` from global memory, or to it, byte by byte; then they wait for each other. */
const copyLoop = (label: string, bytes: number, global: string, inwards: boolean): string =>
  `bar.sync 0; mov.u32 %r2, %r0; ${label}: setp.ge.u32 %p1, %r2, ${bytes}; @%p1 bra ${label}_END;
cvt.u64.u32 %q4, %r2; add.s64 %q5, ${global}, %q4; add.u32 %r3, %r1, %r2;
${inwards ? "ld.b8 %h0, [%q5]; st.shared.b8 [%r3], %h0;" : "ld.shared.b8 %h0, [%r3]; st.b8 [%q5], %h0;"}
add.u32 %r2, %r2, ${THREADS}; bra ${label}; ${label}_END: bar.sync 0;`;

/** D = A × B + C by one warp; `space` is where the fragments of A, B, C and D are. */
function product(p: Product, space: "global" | "shared" | "generic"): FormCase {
  const { m, n, k, registers, shape } = p;
  const [low, high] = p.factor === "u8" ? [0, 255] : [-8, 8];
  const values = random(m * k + k * n + m * n, (r) => low + r.below(high - low + 1));
  const a = values.slice(0, m * k); // rows
  const b = values.slice(m * k, m * k + k * n); // columns
  const c = values.slice(m * k + k * n); // rows
  const d = c.map((sum, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    let total = sum;
    for (let i = 0; i < k; i++) {
      total += (a[row * k + i] as number) * (b[column * k + i] as number);
    }
    return total;
  });
  const [encA, encB, encC] = [encode(p.factor, a), encode(p.factor, b), encode(p.sum, c)];
  const [atB, atC] = [encA.length, encA.length + encB.length];
  const input = bytesOf(encA, encB, encC);
  const wide = p.factor === "f64";
  const fragment = (first: number, count: number, kind = wide ? "%d" : "%r"): string =>
    `{${Array.from({ length: count }, (_, i) => `${kind}${first + i}`).join(", ")}}`;
  const sums = p.sum === "f32" ? "%f" : wide ? "%d" : "%r";
  const [fa, fb] = [fragment(10, registers.a), fragment(20, registers.b)];
  const fc = p.sum === "s32" ? fragment(30, 8) : fragment(0, registers.c, sums);
  const fd = p.sum === "s32" ? fragment(40, 8) : fragment(8, registers.c, sums);
  // The matrices are copied to shared memory and back by all threads; the first warp multiplies.
  const inShared = space === "shared";
  const [where, base] = inShared
    ? [".shared", "%r1"]
    : [space === "global" ? ".global" : "", "%q0"];
  const body = `mov.u32 %r1, buf; ${inShared ? copyLoop("IN", input.length, "%q0", true) : ""}
setp.ge.u32 %p0, %r0, 32; @%p0 bra DONE;
wmma.load.a.sync.aligned.row.${shape}${where}.${p.factor} ${fa}, [${base}], ${k};
wmma.load.b.sync.aligned.col.${shape}${where}.${p.factor} ${fb}, [${base}+${atB}], ${k};
wmma.load.c.sync.aligned.row.${shape}${where}.${p.sum} ${fc}, [${base}+${atC}], ${n};
wmma.mma.sync.aligned.row.col.${shape}.${p.mma} ${fd}, ${fa}, ${fb}, ${fc};
wmma.store.d.sync.aligned.row.${shape}${where}.${p.sum} [${inShared ? base : "%q1"}], ${fd}, ${n};
DONE: ${inShared ? copyLoop("OUT", encC.length, "%q1", false) : ""}`;
  return {
    ptx: kernelOf(body, `.shared .align 32 .b8 buf[${input.length}];`),
    input,
    expected: encode(p.sum, d),
  };
}

/** The case of a `wmma` instruction, or undefined for another one. */
export function matrixCase(form: string): FormCase | undefined {
  if (!form.startsWith("wmma.")) return undefined;
  const space = /\.(global|shared)\./.exec(form)?.[1] as "global" | "shared" | undefined;
  const factors = ["f64", "bf16", "u8", "f16"] as const;
  // load.c and store.d of f32 go with products of f16, of s32 with those of u8.
  const named =
    factors.find((f) => form.includes(`.${f}`)) ?? (form.endsWith("s32") ? "u8" : "f16");
  return product(PRODUCTS[named], space ?? (form.includes(".mma.") ? "global" : "generic"));
}
