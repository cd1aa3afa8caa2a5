/** Tables whose index is what an operation leaves of a loaded value: all of the table is tested once. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { F32, I1, I32, Value } from "../../runtime/compiler/ir/ir.ts";
import { boundsOf } from "../../runtime/compiler/simd/bounds.ts";
import { describe, test } from "../harness.ts";
import { SEED } from "../seed.ts";
import { type Case, INDEX, LINE, tryCases } from "./sure-cases.ts";

/** r9 = p1[i]; r7 is made of it; p0[i] = table[r7], a table at p1. */
const lookUp = (index: string, table = "%rd1") => `${INDEX} mul.wide.s32 %rd5, %r1, 4;
  add.s64 %rd6, %rd0, %rd5; add.s64 %rd7, %rd1, %rd5; ld.global.u32 %r9, [%rd7]; ${index}
  mul.wide.u32 %rd8, %r7, 4; add.s64 %rd9, ${table}, %rd8; ld.global.u32 %r10, [%rd9]; st.global.u32 [%rd6], %r10;`;
const ALL = { checks: 3, branches: 0, flat: true };

const kinds: [name: string, index: string][] = [
  ["the lowest byte", "and.b32 %r7, %r9, 255;"],
  ["the highest byte", "shr.u32 %r7, %r9, 24;"],
  ["a byte in the middle, behind another table", "bfe.u32 %r7, %r9, 11, 8; or.b32 %r7, %r7, 256;"],
  ["a byte that is loaded", "ld.global.u8 %r7, [%rd7+1];"],
  ["a sum of parts", "and.b32 %r7, %r9, 48; shr.u32 %r10, %r9, 22; add.u32 %r7, %r7, %r10;"],
  ["a rest", "rem.u32 %r7, %r9, 1000;"],
  ["parts one above the other", "shr.u32 %r7, %r9, 28; shl.b32 %r7, %r7, 4; xor.b32 %r7, %r7, 5;"],
  [
    "one of two",
    "setp.lt.s32 %p0, %r9, 0; shr.u32 %r7, %r9, 30; and.b32 %r10, %r9, 60; selp.u32 %r7, %r7, %r10, %p0;",
  ],
];

/** A table at p0, of which a thousand words are left to the end of memory; the threads store in place. */
const atEnd = (name: string, index: string, fault?: Case["fault"]): Case => ({
  name,
  body: lookUp(index, "%rd0").replace("st.global.u32 [%rd6]", "st.global.u32 [%rd7]"),
  block: LINE,
  grid: [3, 1, 1],
  shift: [-1, 0],
  sure: { ...ALL, checks: 2 },
  ...(fault && { fault }),
});

const cases: Case[] = [
  ...kinds.map(([name, index]) => ({
    name,
    body: lookUp(index),
    block: LINE,
    grid: [12, 1, 1] as [number, number, number],
    sure: ALL,
  })),
  {
    name: "an offset of 64 bits",
    body: `${INDEX} mul.wide.s32 %rd5, %r1, 4; add.s64 %rd6, %rd0, %rd5; add.s64 %rd7, %rd1, %rd5;
      ld.global.u32 %r9, [%rd7]; cvt.u64.u32 %rd8, %r9; and.b64 %rd8, %rd8, 1020; add.s64 %rd9, %rd1, %rd8;
      ld.global.u32 %r10, [%rd9]; st.global.u32 [%rd6], %r10;`,
    block: LINE,
    grid: [12, 1, 1],
    sure: ALL,
  },
  {
    name: "the lowest bits of a product that wraps",
    body: lookUp(
      "shr.s32 %r7, %r9, 24; and.b32 %r7, %r7, 0x3ff; sub.u32 %r7, %r7, 0; mul.lo.u32 %r7, %r7, %r9; and.b32 %r7, %r7, 3;",
    ),
    block: LINE,
    grid: [3, 1, 1],
    sure: ALL,
  },
  atEnd("a table that ends with the memory", "and.b32 %r7, %r9, 511;"),
  atEnd(
    "a table that could go beyond the memory, and nobody does",
    `ld.volatile.global.u32 %r11, [%rd7]; sub.u32 %r11, %r11, %r9; and.b32 %r11, %r11, 1024;
      and.b32 %r7, %r9, 511; or.b32 %r7, %r7, %r11;`,
  ),
  atEnd("a table that goes beyond the memory", "and.b32 %r7, %r9, 2047;", [700, 3]),
];

tryCases("tables", cases);

describe("bounds", () => {
  /** Numbers for the leaves of a value, and what it is then. */
  type Made = { value: Value; run: (leaves: readonly number[]) => number };
  const word = (n: number) => new Value("const", I32, [], n | 0);
  const leaf = fc.oneof(
    fc.nat(3).map((k): Made => {
      const value = new Value("load", I32, [], 0, 0n, { size: 4 });
      return { value, run: (leaves) => leaves[k]! | 0 };
    }),
    fc.tuple(fc.nat(3), fc.constantFrom(1, 2)).map(([k, size]): Made => {
      const value = new Value("load", I32, [], 0, 0n, { size });
      return { value, run: (leaves) => leaves[k]! & (2 ** (8 * size!) - 1) };
    }),
    fc
      .oneof(fc.integer(), fc.nat(1024), fc.constantFrom(255, 1020, -4, 0x7fffffff))
      .map((n): Made => ({ value: word(n), run: () => n | 0 })),
  );
  const OPS: Record<string, (a: number, b: number) => number> = {
    i32_and: (a, b) => a & b,
    i32_or: (a, b) => a | b,
    i32_xor: (a, b) => a ^ b,
    i32_add: (a, b) => (a + b) | 0,
    i32_sub: (a, b) => (a - b) | 0,
    i32_mul: (a, b) => Math.imul(a, b),
  };
  const made = fc.letrec<{ any: Made }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.tuple(fc.constantFrom(...Object.keys(OPS)), tie("any"), tie("any")).map(
        ([op, a, b]): Made => ({
          value: new Value(op, I32, [a.value, b.value]),
          run: (leaves) => OPS[op]!(a.run(leaves), b.run(leaves)),
        }),
      ),
      fc.tuple(tie("any"), fc.nat(31), fc.boolean()).map(
        ([a, by, up]): Made => ({
          value: new Value(up ? "i32_shl" : "i32_shr_u", I32, [a.value, word(by)]),
          run: (leaves) => (up ? a.run(leaves) << by : (a.run(leaves) >>> by) | 0),
        }),
      ),
      fc.tuple(tie("any"), fc.integer({ min: 1, max: 5000 })).map(
        ([a, by]): Made => ({
          value: new Value("lib", I32, [a.value, word(by)], 0, 0n, { name: "rem_u32" }),
          run: (leaves) => (a.run(leaves) >>> 0) % by,
        }),
      ),
      fc.tuple(tie("any"), tie("any")).map(
        ([a, b]): Made => ({
          value: new Value("select", I32, [new Value("any", I1, []), a.value, b.value]),
          run: (leaves) => (leaves[0]! & 1 ? a : b).run(leaves),
        }),
      ),
    ),
  })).any;

  test("hold for whatever is loaded", () => {
    let known = 0;
    const numbers = fc.array(fc.oneof(fc.integer(), fc.constantFrom(0, -1, 255, 0x80000000)), {
      minLength: 4,
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        made,
        fc.array(numbers, { minLength: 1, maxLength: 8 }),
        ({ value, run }, rows) => {
          const bounds = boundsOf(value);
          if (!bounds) return;
          known++;
          const { low, high, multiple } = bounds;
          assert.ok(low >= 0 && low <= high && high < 2 ** 31);
          for (const leaves of rows) {
            const n = run(leaves);
            assert.ok(
              n >= low && n <= high && n % multiple === 0,
              `${n}: ${JSON.stringify(bounds)}`,
            );
          }
        },
      ),
      { seed: SEED, numRuns: 3000 },
    );
    assert.ok(known > 300, `${known}`);
  });

  test("are those of table indices", () => {
    const load = new Value("load", I32, [], 0, 0n, { size: 4 });
    const byte = new Value("i32_and", I32, [
      new Value("i32_shr_u", I32, [load, word(8)]),
      word(255),
    ]);
    assert.deepEqual(boundsOf(new Value("i32_or", I32, [byte, word(256)])), {
      low: 256,
      high: 511,
      multiple: 1,
    });
    assert.deepEqual(boundsOf(new Value("i32_shl", I32, [byte, word(2)])), {
      low: 0,
      high: 1020,
      multiple: 4,
    });
    assert.equal(boundsOf(load), undefined);
    assert.equal(boundsOf(word(-1)), undefined);
    assert.equal(boundsOf(new Value("load", F32, [], 0, 0n, { size: 4 })), undefined);
  });
});
