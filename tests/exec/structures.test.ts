/** Lanes that access several words in a row each: these are loaded and stored together, and transposed. */
import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { benches, compare, GUARD, hash, MASKS, taken, text } from "./structures.ts";

/** Words r20, r21, … of a structure, one by one. */
const words = (op: "ld" | "st", at: string, offsets: number[], space = "global") =>
  offsets
    .map((n) => {
      const [place, r] = [`[${at}+${n}]`, `%r${20 + n / 4}`];
      return op === "ld" ? `ld.${space}.u32 ${r}, ${place};` : `st.${space}.u32 ${place}, ${r};`;
    })
    .join(" ");
/** Makes something of each word and the thread's number. */
const change = (offsets: number[]) =>
  offsets.map((n) => `mad.lo.u32 %r${20 + n / 4}, %r${20 + n / 4}, ${n + 3}, %r3;`).join(" ");
const copy = (from: number[], to = from) =>
  `${words("ld", "%rd7", from)} ${change(from)} ${words("st", "%rd6", to)}`;

const V4 = "{%r20,%r21,%r22,%r23}";

interface Case {
  name: string;
  stride: number;
  body: string;
  /** Changes the structure's number, r4. */
  index?: string;
  /** How many `structures` and `store_structures` the general body has. */
  taken: [number, number];
}

const cases: Case[] = [
  { name: "two words", stride: 8, body: copy([0, 4]), taken: [1, 1] },
  {
    name: "two words as one vector",
    stride: 8,
    body: `ld.global.v2.u32 {%r20,%r21}, [%rd7]; ${change([0, 4])} st.global.v2.u32 [%rd6], {%r21,%r20};`,
    taken: [1, 1],
  },
  {
    name: "four words as one vector",
    stride: 16,
    body: `ld.global.v4.u32 ${V4}, [%rd7]; ${change([0, 4, 8, 12])} st.global.v4.u32 [%rd6], {%r23,%r20,%r22,%r21};`,
    taken: [1, 1],
  },
  {
    name: "four floats",
    stride: 16,
    body: `ld.global.v4.f32 {%f0,%f1,%f2,%f3}, [%rd7]; mov.b32 %r20, %f2; mov.b32 %r21, %f0; mov.b32 %r22, %f3;
      mov.b32 %r23, %f1; st.global.v4.u32 [%rd6], ${V4};`,
    taken: [1, 1],
  },
  { name: "four words", stride: 16, body: copy([12, 0, 8, 4], [4, 8, 0, 12]), taken: [1, 1] },
  { name: "three words", stride: 12, body: copy([0, 4, 8]), taken: [1, 1] },
  { name: "three words of four", stride: 16, body: copy([0, 4, 8]), taken: [1, 1] },
  { name: "the last three words of four", stride: 16, body: copy([4, 8, 12]), taken: [1, 1] },
  { name: "the middle two words of four", stride: 16, body: copy([4, 8]), taken: [1, 1] },
  { name: "the first and the last word", stride: 16, body: copy([0, 12]), taken: [1, 0] },
  { name: "the first and the third word", stride: 16, body: copy([0, 8]), taken: [1, 0] },
  { name: "one word of two", stride: 8, body: copy([0]), taken: [0, 0] },
  { name: "the second word of two", stride: 8, body: copy([4]), taken: [0, 0] },
  { name: "one word of four", stride: 16, body: copy([8]), taken: [0, 0] },
  {
    name: "eight words",
    stride: 32,
    body: copy([0, 4, 8, 12, 16, 20, 24, 28]),
    taken: [2, 2],
  },
  { name: "seven words", stride: 28, body: copy([0, 4, 8, 12, 16, 20, 24]), taken: [2, 2] },
  {
    name: "three words between bytes",
    stride: 20,
    body: `ld.global.u8 %r33, [%rd7]; ld.global.u8 %r34, [%rd7+16]; ${words("ld", "%rd7", [4, 8, 12])}
      add.u32 %r21, %r21, %r33; add.u32 %r23, %r23, %r34; ${words("st", "%rd6", [4, 8, 12])}`,
    taken: [1, 1],
  },
  { name: "two words, 20 bytes apart", stride: 20, body: copy([8, 12]), taken: [1, 1] },
  {
    name: "in place",
    stride: 16,
    body: `${words("ld", "%rd6", [0, 4, 8, 12])} ${change([0, 4, 8, 12])} ${words("st", "%rd6", [0, 4, 8, 12])}
      ${words("ld", "%rd6", [4, 8])} ${change([4, 8])} ${words("st", "%rd6", [4, 8])}`,
    taken: [2, 2],
  },
  {
    name: "a store of what is loaded next",
    stride: 8,
    body: `ld.global.u32 %r20, [%rd6]; add.u32 %r21, %r20, %r3; st.global.u32 [%rd6+4], %r21;
      ld.global.u32 %r22, [%rd6+4]; add.u32 %r22, %r22, %r20; st.global.u32 [%rd6], %r22;`,
    taken: [0, 0],
  },
  {
    name: "a load of what was stored, of another pointer",
    stride: 8,
    body: `add.s64 %rd8, %rd6, %rd1; sub.s64 %rd8, %rd8, %rd1; mov.u32 %r20, %r3; st.global.u32 [%rd6], %r20;
      ld.global.u32 %r21, [%rd8]; add.u32 %r21, %r21, 7; st.global.u32 [%rd6+4], %r21;`,
    taken: [0, 0],
  },
  {
    name: "a word that is stored twice",
    stride: 8,
    body: `${words("ld", "%rd7", [0, 4])} st.global.u32 [%rd6], %r21; st.global.u32 [%rd6], %r20;
      st.global.u32 [%rd6+4], %r21;`,
    taken: [1, 1],
  },
  {
    name: "lanes' numbers as data says",
    stride: 16,
    index: `mul.wide.s32 %rd8, %r3, 4; add.s64 %rd8, %rd1, %rd8; ld.global.u32 %r5, [%rd8]; and.b32 %r5, %r5, 0;
      mad.lo.s32 %r4, %r3, 5, %r5; rem.u32 %r4, %r4, 64;`,
    body: `${words("ld", "%rd7", [0, 4, 8, 12])} add.u32 %r20, %r20, %r21; add.u32 %r22, %r22, %r23;
      mul.wide.s32 %rd6, %r3, 8; add.s64 %rd6, %rd0, %rd6; st.global.u32 [%rd6], %r20; st.global.u32 [%rd6+4], %r22;`,
    taken: [1, 1],
  },
  {
    name: "lanes in an order that is tried",
    stride: 16,
    index: "xor.b32 %r4, %r3, 20;",
    body: `ld.global.v4.u32 ${V4}, [%rd7]; ${change([0, 4, 8, 12])} st.global.v4.u32 [%rd6], ${V4};`,
    taken: [1, 1],
  },
  {
    name: "lanes in an order that is tried in vain",
    stride: 16,
    index: "xor.b32 %r4, %r3, 21;",
    body: `ld.global.v4.u32 ${V4}, [%rd7]; ${change([0, 4, 8, 12])} st.global.v4.u32 [%rd6], ${V4};`,
    taken: [1, 1],
  },
  {
    name: "shared memory",
    stride: 16,
    body: `mov.u32 %r10, tile; shl.b32 %r11, %r0, 4; add.u32 %r10, %r10, %r11; ${words("ld", "%rd7", [0, 4, 8, 12])}
      st.shared.v4.u32 [%r10], {%r22,%r20,%r23,%r21}; add.u32 %r20, %r20, 1; st.shared.u32 [%r10+4], %r20;
      ld.shared.v4.u32 {%r20,%r21,%r22,%r23}, [%r10]; ${words("st", "%rd6", [0, 4, 8, 12])}`,
    taken: [2, 2],
  },
  {
    name: "shared memory in pairs",
    stride: 8,
    body: `mov.u32 %r10, tile; shl.b32 %r11, %r0, 3; add.u32 %r10, %r10, %r11; ${words("ld", "%rd7", [0, 4])}
      st.shared.v2.u32 [%r10], {%r21,%r20}; ld.shared.v2.u32 {%r20,%r21}, [%r10]; ${words("st", "%rd6", [0, 4])}`,
    taken: [2, 2],
  },
  {
    name: "in a loop",
    stride: 16,
    body: `mov.u32 %r31, 0; L: ld.global.v4.u32 ${V4}, [%rd6]; ${change([0, 4, 8, 12])}
      st.global.v4.u32 [%rd6], ${V4}; add.u32 %r31, %r31, 1; and.b32 %r32, %r3, 3; setp.le.u32 %p3, %r31, %r32;
      @%p3 bra L;`,
    taken: [1, 1],
  },
];

describe("structures", () => {
  for (const { name, stride, body, index, taken: expected } of cases) {
    for (const [how, mask] of MASKS) {
      test(`${name}${how}`, async () => {
        const kernel = text(stride, `${mask} ${body}`, index);
        assert.deepEqual(await taken(kernel, [64, 1, 1]), expected);
        await compare(kernel, stride);
      });
    }
  }

  test("stores up to the memory's end, and not beyond", async () => {
    for (const { stride, offsets } of [
      { stride: 8, offsets: [0, 4] },
      { stride: 12, offsets: [0, 4, 8] },
      { stride: 16, offsets: [0, 4, 8] },
      { stride: 16, offsets: [0, 4, 8, 12] },
    ]) {
      const kernel = text(stride, `${GUARD} ${copy(offsets)}`);
      const data = Uint32Array.from({ length: 64 * stride }, (_, k) => hash(k));
      const results = (await benches).map((bench) => {
        const { memory } = bench;
        const input = bench.upload(data);
        const bytes = 64 * stride;
        const last = offsets[offsets.length - 1]! + 4;
        const output = memory.base + memory.byteLength - (bytes - stride + last);
        memory.bytes(output - memory.base, bytes - stride + last).fill(7);
        const params = [output, input, 64];
        assert.equal(bench.run(kernel, params, { block: 32, grid: 2 }), undefined);
        const stored = bench.words(output, (bytes - stride + last) / 4);
        const fault = bench.run(kernel, [output + 4, input, 64], { block: 32, grid: 2 });
        return { stored, fault: fault?.code };
      });
      assert.equal(results[0]!.fault, 700);
      assert.deepEqual(results[0], results[2]);
      assert.deepEqual(results[1], results[2]);
    }
  });
});
