/**
 * Lanes whose addresses are apart at distances that are known: what they load lies in two vectors. And
 * partners at a distance that a parameter says, which has bodies of its own where it is 1 or 2.
 */
import assert from "node:assert/strict";
import { RegionMaker } from "../../runtime/compiler/pipeline.ts";
import { groupRegions } from "../../runtime/compiler/simd/group-region.ts";
import { Bench } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

type Shape = [number, number, number];

/** r3 = x, r7 = y; p0 is stored to at y × width + x, p1 loaded from, %r8 and %r9 are parameters. */
const text = (body: string) => `.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 p0, .param .u64 p1, .param .u32 a, .param .u32 b) {
.reg .pred %p<8>; .reg .b32 %r<32>; .reg .b64 %rd<32>;
ld.param.u64 %rd0, [p0]; cvta.to.global.u64 %rd0, %rd0; ld.param.u64 %rd1, [p1]; cvta.to.global.u64 %rd1, %rd1;
ld.param.u32 %r8, [a]; ld.param.u32 %r9, [b]; mov.u32 %r0, %tid.x;
mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.s32 %r3, %r1, %r2, %r0;
mov.u32 %r4, %ctaid.y; mov.u32 %r5, %ntid.y; mov.u32 %r6, %tid.y; mad.lo.s32 %r7, %r4, %r5, %r6;
mov.u32 %r4, %nctaid.x; mul.lo.u32 %r4, %r4, %r2; mad.lo.s32 %r5, %r7, %r4, %r3;
mul.wide.s32 %rd4, %r5, 4; add.s64 %rd4, %rd0, %rd4;
${body} ret; }`;

const load = (to: string, index: string) =>
  `mul.wide.s32 %rd5, ${index}, 4; add.s64 %rd5, %rd1, %rd5; ld.global.u32 ${to}, [%rd5];`;
/** Stores 3 × r20 + r21. */
const STORE = "mad.lo.u32 %r22, %r20, 3, %r21; st.global.u32 [%rd4], %r22;";

const hash = (n: number) => (Math.imul(n ^ (n >>> 7), 2654435761) >>> 9) & 0xffff;

interface Case {
  name: string;
  /** Sets r10 and r11, the words that are loaded. */
  body: string;
  words: (x: number, y: number, a: number) => [number, number];
  /** How many of the two loads are taken out of two vectors. */
  near: number;
}

const cases: Case[] = [
  {
    name: "pairs",
    body: "shl.b32 %r10, %r3, 1; add.s32 %r11, %r10, 1;",
    words: (x) => [2 * x, 2 * x + 1],
    near: 2,
  },
  {
    name: "pairs of rows, from behind",
    body: "mul.lo.s32 %r10, %r3, -2; add.s32 %r10, %r10, 400; mad.lo.s32 %r10, %r7, %r8, %r10; sub.s32 %r11, %r10, 1;",
    words: (x, y, a) => [400 - 2 * x + y * a, 399 - 2 * x + y * a],
    near: 2,
  },
  {
    name: "triples",
    body: "mul.lo.s32 %r10, %r3, 3; add.s32 %r11, %r10, 2;",
    words: (x) => [3 * x, 3 * x + 2],
    near: 0,
  },
  {
    name: "couples of couples",
    body: "and.b32 %r11, %r3, 1; shl.b32 %r10, %r3, 1; sub.s32 %r10, %r10, %r11; add.s32 %r11, %r10, 2;",
    words: (x) => [2 * x - (x & 1), 2 * x - (x & 1) + 2],
    near: 2,
  },
  {
    name: "couples whose halves are exchanged",
    body: `shr.u32 %r10, %r3, 1; shl.b32 %r10, %r10, 2; and.b32 %r11, %r3, 1; sub.s32 %r10, %r10, %r11;
      add.s32 %r10, %r10, 1; mad.lo.s32 %r10, %r7, %r8, %r10; add.s32 %r11, %r10, 3;`,
    words: (x, y, a) => [4 * (x >> 1) + 1 - (x & 1) + y * a, 4 * (x >> 1) + 4 - (x & 1) + y * a],
    near: 2,
  },
  {
    name: "halves of an index",
    body: "shr.u32 %r10, %r3, 1; and.b32 %r11, %r3, -4;",
    words: (x) => [x >> 1, x & -4],
    near: 0,
  },
];

const shapes: { block: Shape; grid: Shape }[] = [
  { block: [64, 1, 1], grid: [3, 1, 1] },
  { block: [16, 4, 1], grid: [5, 2, 1] },
];

async function variants(body: string, block: Shape) {
  const { lowered } = await lowerText(text(body));
  const maker = new RegionMaker(lowered, "relaxed", block);
  return groupRegions(lowered, maker.all(4), block, maker).groups[0]!.variants;
}

/** Its memory's end is nobody else's. */
const lonely = Bench.create(4);

describe("lanes at distances that are known", () => {
  for (const { name, body, words, near } of cases) {
    const kernel = `${body} ${load("%r20", "%r10")} ${load("%r21", "%r11")} ${STORE}`;
    for (const { block, grid } of shapes) {
      const [width, height] = [block[0] * grid[0], block[1] * grid[1]];
      const results = (data: Uint32Array, a: number) =>
        Array.from({ length: width * height }, (_, k) => {
          const [v, w] = words(k % width, Math.floor(k / width), a).map((n) => data[n] as number);
          return (3 * (v as number) + (w as number)) >>> 0;
        });
      const all = Array.from({ length: width * height }, (_, k) =>
        words(k % width, Math.floor(k / width), 2),
      ).flat();

      test(`${name}: blocks of ${block}`, async () => {
        const data = Uint32Array.from({ length: 2000 }, (_, k) => hash(k));
        for (const lanes of [1, 4] as const) {
          const bench = await Bench.shared(lanes);
          const pointers = [bench.zeros(4 * width * height), bench.upload(data)];
          for (const a of [2, 100]) {
            const params = [...pointers, a, 0];
            assert.equal(bench.run(text(kernel), params, { block, grid }), undefined);
            assert.deepEqual(bench.words(pointers[0]!, width * height), results(data, a));
          }
        }
      });

      test(`${name}: at the end of the memory, blocks of ${block}`, async () => {
        const bench = await lonely;
        const output = bench.zeros(4 * width * height);
        const size = 4 * (Math.max(...all) + 1);
        const end = bench.memory.byteLength;
        const data = Uint32Array.from({ length: size / 4 }, (_, k) => hash(k));
        bench.memory.bytes(end - size, size).set(new Uint8Array(data.buffer));
        const params = [output, bench.memory.pointerOf(end - size), 2, 0];
        assert.equal(bench.run(text(kernel), params, { block, grid }), undefined);
        assert.deepEqual(bench.words(output, width * height), results(data, 2));
        // A word less, and the last thread's access is a fault.
        const beyond = [output, bench.memory.pointerOf(end - size + 4), 2, 0];
        assert.equal(bench.run(text(kernel), beyond, { block, grid })?.code, 700);
      });

      test(`${name}: ${near} loads from two vectors, blocks of ${block}`, async () => {
        const sure = (await variants(kernel, block)).find((v) => v.kind === "sure");
        const checks = new Set(sure?.near.keys());
        const loads = [...(sure?.given?.checks.keys() ?? [])].filter((v) => checks.has(v));
        // One address does for all groups that are done at once, or each has its own.
        assert.equal(new Set(loads.map((v) => v.args[1])).size > 0, near > 0);
      });
    }
  }

  /** i = 2 x − (x & (a − 1)) in r10, i + a in r11. */
  const PARTNERS = `add.s32 %r10, %r8, -1; and.b32 %r11, %r3, %r10; shl.b32 %r12, %r3, 1; sub.s32 %r10, %r12, %r11;
    add.s32 %r11, %r10, %r8;`;

  test("partners at any distance: loads", async () => {
    const kernel = `${PARTNERS} ${load("%r20", "%r10")} ${load("%r21", "%r11")} ${STORE}`;
    const n = 192;
    const data = Uint32Array.from({ length: 800 }, (_, k) => hash(k));
    for (const lanes of [1, 4] as const) {
      const bench = await Bench.shared(lanes);
      const pointers = [bench.zeros(4 * n), bench.upload(data)];
      for (let a = 0; a < 36; a++) {
        const params = [...pointers, a, 0];
        const options = { block: [64, 1, 1] as Shape, grid: [3, 1, 1] as Shape };
        assert.equal(bench.run(text(kernel), params, options), undefined);
        const expected = Array.from({ length: n }, (_, x) => {
          const i = 2 * x - (x & (a - 1));
          return 3 * data[i]! + data[i + a]!;
        });
        assert.deepEqual(bench.words(pointers[0]!, n), expected, `distance ${a}`);
      }
    }
    const kinds = (await variants(kernel, [64, 1, 1])).flatMap((v) => v.fixed?.value ?? []);
    assert.deepEqual(kinds, [1, 2]);
  });

  for (const block of [
    [64, 1, 1],
    [32, 2, 1],
  ] as Shape[]) {
    test(`partners at a power of two: stores of some lanes, blocks of ${block}`, async () => {
      const kernel = `${PARTNERS} mad.lo.s32 %r10, %r7, %r9, %r10; mad.lo.s32 %r11, %r7, %r9, %r11;
        mul.wide.s32 %rd5, %r10, 4; add.s64 %rd5, %rd0, %rd5; mul.wide.s32 %rd6, %r11, 4; add.s64 %rd6, %rd0, %rd6;
        ld.global.u32 %r20, [%rd5]; ld.global.u32 %r21, [%rd6]; setp.le.u32 %p1, %r20, %r21; @%p1 bra E;
        st.global.u32 [%rd5], %r21; st.global.u32 [%rd6], %r20; E:`;
      const [width, rows] = [192, block[1] * 3];
      const pitch = 2 * width;
      const grid: Shape = [width / block[0], 3, 1];
      for (const a of [1, 2, 4, 8, 64]) {
        const data = Uint32Array.from({ length: pitch * rows + 64 }, (_, k) => hash(k));
        const expected = data.slice();
        for (let y = 0; y < rows; y++) {
          for (let x = 0; x < width; x++) {
            const i = 2 * x - (x & (a - 1)) + y * pitch;
            const [v, w] = [expected[i]!, expected[i + a]!];
            if (v > w) [expected[i], expected[i + a]] = [w, v];
          }
        }
        for (const host of [{ low: 0, high: 0 }, undefined]) {
          const bench = await lonely;
          bench.hostWrites = host;
          const pointer = bench.upload(data);
          const params = [pointer, pointer, a, pitch];
          assert.equal(bench.run(text(kernel), params, { block, grid }), undefined);
          assert.deepEqual(bench.words(pointer, data.length), [...expected], `distance ${a}`);
        }
      }
      const [first, ...others] = (await variants(kernel, block)).filter((v) => v.given);
      assert.equal(first?.kind, "sure");
      assert.deepEqual(
        others.map((v) => v.fixed?.value),
        [1, 2],
      );
    });
  }

  test("pairs of stores, of all lanes, in either order, with something between them", async () => {
    const places = (first: string, second: string) =>
      `shl.b32 %r10, %r3, 1; mul.wide.s32 %rd5, %r10, 4; add.s64 %rd6, %rd0, %rd5; add.s64 %rd5, %rd1, %rd5;
      ld.global.u32 %r20, [%rd5]; ld.global.u32 %r21, [%rd5+4]; st.global.u32 [%rd6${first}], %r21;
      add.u32 %r22, %r20, %r21; st.global.u32 [%rd6${second}], %r22; st.global.u32 [%rd6${first}], %r20;`;
    const n = 192;
    const data = Uint32Array.from({ length: 2 * n }, (_, k) => hash(k));
    for (const [first, second, swap] of [
      ["", "+4", 0],
      ["+4", "", 1],
    ] as const) {
      for (const lanes of [1, 4] as const) {
        const bench = await Bench.shared(lanes);
        const pointers = [bench.zeros(8 * n), bench.upload(data)];
        const options = { block: [64, 1, 1] as Shape, grid: [3, 1, 1] as Shape };
        const params = [...pointers, 0, 0];
        assert.equal(bench.run(text(places(first, second)), params, options), undefined);
        const expected = Array.from({ length: 2 * n }, (_, k) =>
          (k & 1) === swap ? data[k & -2]! : data[k & -2]! + data[k | 1]!,
        );
        assert.deepEqual(bench.words(pointers[0]!, 2 * n), expected);
      }
    }
  });

  test("what a row of threads loads once is of the parameter as it is", async () => {
    // A body for another value of a would load from beyond the memory's end.
    const kernel = `${PARTNERS} ${load("%r20", "%r10")} ${load("%r21", "%r11")} sub.s32 %r13, 4, %r8;
      shl.b32 %r13, %r13, 28; add.s32 %r13, %r13, %r7; ${load("%r13", "%r13")} add.u32 %r21, %r21, %r13; ${STORE}`;
    const bench = await Bench.shared(4);
    const [width, height] = [64, 6];
    const data = Uint32Array.from({ length: 600 }, (_, k) => hash(k));
    const output = bench.zeros(4 * width * height);
    const input = bench.upload(data);
    const options = { block: [32, 2, 1] as Shape, grid: [2, 3, 1] as Shape };
    assert.equal(bench.run(text(kernel), [output, input, 4, 0], options), undefined);
    const expected = Array.from({ length: width * height }, (_, k) => {
      const i = 2 * (k % width) - (k & 3);
      return 3 * data[i]! + data[i + 4]! + data[Math.floor(k / width)]!;
    });
    assert.deepEqual(bench.words(output, width * height), expected);
    assert.equal(bench.run(text(kernel), [output, input, 3, 0], options)?.code, 700);
    assert.equal(bench.run(text(kernel), [output, input, 2, 0], options)?.code, 700);
    const fixed = (await variants(kernel, [32, 2, 1])).flatMap((v) => v.fixed?.value ?? []);
    assert.deepEqual(fixed, [1, 2]);
  });
});
