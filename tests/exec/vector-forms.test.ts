/** Operations of vectors that are not those of the program: sums in another order, and-not, loads into all lanes. */
import assert from "node:assert/strict";
import { compileKernel } from "../../runtime/compiler/index.ts";
import { Block, I32, I64, NONE, type Region, Value } from "../../runtime/compiler/ir/ir.ts";
import { Divergence } from "../../runtime/compiler/simd/divergence.ts";
import { varying } from "../../runtime/compiler/simd/shapes.ts";
import { balanceSums } from "../../runtime/compiler/simd/sums.ts";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

/** v128.andnot, v128.load32_splat and f32x4.splat, as they are encoded. */
const AND_NOT = /253,79,/g;
const LOAD_SPLAT = /253,9,2,/g;
const SPLAT = /253,19,/g;

async function compile(text: string, fma: "exact" | "relaxed" = "exact"): Promise<string> {
  const lowered = await lowerText(text);
  return compileKernel(lowered, { fma, shape: [64, 1, 1], width: 4 }).wasm.join();
}
const count = (code: string, what: RegExp) => code.match(what)?.length ?? 0;

const ADDRESS = "mul.wide.u32 %rd9, %r0, 4; add.s64 %rd8, %rd0, %rd9; add.s64 %rd9, %rd1, %rd9;";
const STORE = "st.global.u32 [%rd8], %r5;";
/** r1 a word of p1, r2 and r3 of what the lane is, r4 late. */
const TERMS = `${ADDRESS} ld.global.u32 %r1, [%rd9]; xor.b32 %r2, %r1, 77; mul.lo.u32 %r3, %r1, %r0;
  mul.lo.u32 %r4, %r3, %r1; mul.lo.u32 %r4, %r4, %r1; mul.lo.u32 %r4, %r4, %r3;`;
const WORDS = Uint32Array.from({ length: 64 }, (_, k) => Math.imul(k + 1, 0x9e3779b1));
const termsOf = (t: number): [number, number, number, number] => {
  const a = WORDS[t] as number;
  const c = Math.imul(a, t);
  return [a, a ^ 77, c, Math.imul(Math.imul(Math.imul(c, a), a), c)];
};

interface Case {
  body: string;
  model(a: number, b: number, c: number, d: number, t: number): number;
}
const CASES: Record<string, Case> = {
  "a sum with a late term": {
    body: "add.u32 %r5, %r4, %r1; add.u32 %r5, %r5, %r2; add.u32 %r5, %r5, %r3; add.u32 %r5, %r5, 12345;",
    model: (a, b, c, d) => a + b + c + d + 12345,
  },
  "a sum of which a part is used elsewhere, too": {
    body: `add.u32 %r5, %r4, %r1; add.u32 %r6, %r5, %r2; add.u32 %r5, %r6, %r3; mul.lo.u32 %r7, %r6, 3;
      add.u32 %r5, %r5, %r7; add.u32 %r5, %r5, %r0;`,
    model: (a, b, c, d, t) => a + b + c + d + 3 * (a + b + d) + t,
  },
  "a term that comes several times": {
    body: "xor.b32 %r5, %r4, %r1; xor.b32 %r5, %r5, %r2; xor.b32 %r5, %r5, %r1; xor.b32 %r5, %r5, %r3;",
    model: (_a, b, c, d) => b ^ c ^ d,
  },
  "sums of sums of other operations": {
    body: `or.b32 %r5, %r4, %r1; or.b32 %r5, %r5, %r2; and.b32 %r6, %r4, %r3; and.b32 %r6, %r6, %r2;
      and.b32 %r6, %r6, %r1; add.u32 %r5, %r5, %r6; add.u32 %r5, %r5, %r1; add.u32 %r5, %r5, %r2;`,
    model: (a, b, c, d) => (d | a | b) + (d & c & b & a) + a + b,
  },
  "what is not in the one and in the other": {
    body: `not.b32 %r5, %r1; and.b32 %r5, %r5, %r2; and.b32 %r6, %r1, %r3; or.b32 %r5, %r5, %r6;
      not.b32 %r6, %r4; and.b32 %r6, %r3, %r6; add.u32 %r5, %r5, %r6;`,
    model: (a, b, c, d) => ((~a & b) | (a & c)) + (c & ~d),
  },
  "what is not in either": {
    body: "not.b32 %r5, %r1; not.b32 %r6, %r2; and.b32 %r5, %r5, %r6; add.u32 %r5, %r5, %r6;",
    model: (a, b) => (~a & ~b) + ~b,
  },
  "words that all lanes share": {
    body: `ld.global.u32 %r6, [%rd1+20]; ld.global.u32 %r7, [%rd1+24]; add.u32 %r5, %r1, %r6; mul.lo.u32 %r5, %r5, %r7;
      add.u32 %r5, %r5, %r6;`,
    model: (a) => Math.imul(a + (WORDS[5] as number), WORDS[6] as number) + (WORDS[5] as number),
  },
  "a shared word that an address is made of, too": {
    body: `ld.global.u32 %r6, [%rd1+20]; and.b32 %r7, %r6, 15; mul.wide.u32 %rd7, %r7, 4; add.s64 %rd7, %rd1, %rd7;
      ld.global.u32 %r7, [%rd7]; add.u32 %r5, %r1, %r6; xor.b32 %r5, %r5, %r7;`,
    model: (a) => (a + (WORDS[5] as number)) ^ (WORDS[(WORDS[5] as number) & 15] as number),
  },
};

for (const width of WIDTHS) {
  describe(`vectors' own operations, ${width} lanes`, () => {
    for (const [name, { body, model }] of Object.entries(CASES)) {
      for (const block of [64, 61]) {
        test(`${name}, ${block} threads`, async () => {
          const bench = await Bench.create(width);
          const out = bench.zeros(4 * 64);
          const words = bench.upload(WORDS);
          const text = kernelText(2, TERMS + body + STORE);
          assert.equal(bench.run(text, [out, words], { block }), undefined);
          assert.deepEqual(
            bench.words(out, block),
            Array.from({ length: block }, (_, t) => model(...termsOf(t), t) >>> 0),
          );
        });
      }
    }
  });
}

describe("vectors' own operations", () => {
  test("what is late is added last", () => {
    const tid = new Value("sreg", I32, [], 0, 0n, { name: "tid.x" });
    const early = Array.from({ length: 3 }, () => new Value("i32_xor", I32, [tid, tid]));
    const square = new Value("i32_mul", I32, [tid, tid]);
    const late = new Value("i32_mul", I32, [square, square]);
    const sums: Value[] = [];
    let last = late;
    for (const v of early) {
      last = new Value("i32_add", I32, [last, v]);
      sums.push(last);
    }
    const block = new Block(0);
    const address = new Value("param", I64, []);
    const store = new Value("store", NONE, [address, last], 0, 0n, { size: 4, offset: 0 });
    block.values = [tid, ...early, square, late, ...sums, store];
    block.terminator = { kind: "exit" };
    const region: Region = { entry: 1, from: undefined, start: block, blocks: [block] };
    const context = { block: [64, 1, 1], lanes: 4, register: () => varying } as const;
    const d = new Divergence(region, [address], context);
    for (const v of early) d.shapes.set(v, varying);
    balanceSums(region, d);
    assert.ok(last.args.includes(late));
    assert.equal(block.values.filter((v) => v.op === "i32_add").length, 3);
    const terms = (v: Value): Value[] => (v.op === "i32_add" ? v.args.flatMap(terms) : [v]);
    const ids = (list: Value[]) => list.map((v) => v.id).sort();
    assert.deepEqual(ids(terms(last)), ids([late, ...early]));
    // What is in time as it is stays.
    const before = block.values.map((v) => v.id);
    balanceSums(region, d);
    assert.deepEqual(
      block.values.map((v) => v.id),
      before,
    );
  });

  test("and-not is one operation", async () => {
    const body = CASES["what is not in the one and in the other"]?.body;
    const plain = count(await compile(kernelText(2, TERMS + STORE)), AND_NOT);
    assert.ok(count(await compile(kernelText(2, TERMS + body + STORE)), AND_NOT) >= plain + 4);
  });

  test("a shared word is loaded into all lanes, by the engine's instruction where it has one", async () => {
    const text = kernelText(2, TERMS + CASES["words that all lanes share"]?.body + STORE);
    const other = kernelText(2, TERMS + STORE);
    const found = async (fma: "exact" | "relaxed", what: RegExp) =>
      count(await compile(text, fma), what) - count(await compile(other, fma), what);
    assert.ok((await found("relaxed", LOAD_SPLAT)) >= 4);
    assert.equal(await found("exact", LOAD_SPLAT), 0);
    assert.ok((await found("exact", SPLAT)) >= 4);
  });
});
