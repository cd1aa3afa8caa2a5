/** Lanes that access bytes and halves of structures: by their words, or by vectors that hold several lanes'. */
import assert from "node:assert/strict";
import { describe, test } from "../harness.ts";
import { benches, compare, hash, MASKS, taken, text } from "./structures.ts";

interface Case {
  name: string;
  stride: number;
  body: string;
  /** What thread i does, in plain TypeScript: `x` and `y` begin at its structures of p1 and p0. */
  model: (x: DataView, y: DataView, i: number) => void;
  /** How many `structures` and `store_structures` the general body has. */
  taken: [number, number];
}

const V4 = "{%r20,%r21,%r22,%r23}";
const R = [20, 21, 22, 23];
/** Adds the thread's number to registers r20, …; stores cut it off. */
const change = R.map((r) => `add.u32 %r${r}, %r${r}, %r3;`).join(" ");
const bytes = (op: "ld" | "st", at: string, offsets: number[], from = 0) =>
  offsets
    .map((n, k) => {
      const [place, r] = [`[${at}+${n}]`, `%r${20 + from + k}`];
      return op === "ld" ? `ld.global.u8 ${r}, ${place};` : `st.global.u8 ${place}, ${r};`;
    })
    .join(" ");
const changed = (at: number[]) => (x: DataView, y: DataView, i: number) => {
  for (const n of at) y.setUint8(n, x.getUint8(n) + i);
};
const halves = (count: number) => (x: DataView, y: DataView, i: number) => {
  for (let n = 0; n < 2 * count; n += 2) y.setUint16(n, x.getUint16(n, true) + i, true);
};

const cases: Case[] = [
  {
    name: "uchar4",
    stride: 4,
    body: `ld.global.v4.u8 ${V4}, [%rd7]; ${change} st.global.v4.u8 [%rd6], ${V4};`,
    model: changed([0, 1, 2, 3]),
    taken: [0, 0],
  },
  {
    name: "uchar4 as it is",
    stride: 4,
    body: `ld.global.v4.u8 ${V4}, [%rd7]; st.global.v4.u8 [%rd6], ${V4};`,
    model: (x, y) => y.setUint32(0, x.getUint32(0)),
    taken: [0, 0],
  },
  {
    name: "uchar4 turned round",
    stride: 4,
    body: `ld.global.v4.u8 ${V4}, [%rd7]; st.global.v4.u8 [%rd6], {%r23,%r22,%r21,%r20};`,
    model: (x, y) => y.setUint32(0, x.getUint32(0, true), false),
    taken: [0, 0],
  },
  {
    name: "one member of uchar4",
    stride: 4,
    body: `ld.global.v4.u8 ${V4}, [%rd7]; mul.lo.u32 %r22, %r22, 3; st.global.u8 [%rd6+1], %r22;`,
    model: (x, y) => y.setUint8(1, 3 * x.getUint8(2)),
    taken: [0, 0],
  },
  {
    name: "char4 with signs",
    stride: 4,
    body: `ld.global.v4.s8 ${V4}, [%rd7]; shr.s32 %r20, %r20, 1; shr.s32 %r21, %r21, 2; shr.s32 %r22, %r22, 3;
      shr.s32 %r23, %r23, 4; st.global.v4.s8 [%rd6], ${V4};`,
    model: (x, y) => {
      for (const n of [0, 1, 2, 3]) y.setInt8(n, x.getInt8(n) >> (n + 1));
    },
    taken: [0, 0],
  },
  {
    name: "short2 with signs",
    stride: 4,
    body: `ld.global.v2.s16 {%r20,%r21}, [%rd7]; sub.s32 %r22, %r20, %r21; min.s32 %r23, %r20, %r21;
      st.global.v2.s16 [%rd6], {%r22,%r23};`,
    model: (x, y) => {
      const [a, b] = [x.getInt16(0, true), x.getInt16(2, true)];
      y.setInt16(0, a - b, true);
      y.setInt16(2, Math.min(a, b), true);
    },
    taken: [0, 0],
  },
  {
    name: "ushort4",
    stride: 8,
    body: `ld.global.v4.u16 ${V4}, [%rd7]; ${change} st.global.v4.u16 [%rd6], ${V4};`,
    model: halves(4),
    taken: [1, 1],
  },
  {
    name: "uchar2",
    stride: 2,
    body: `ld.global.v2.u8 {%r20,%r21}, [%rd7]; ${change} st.global.v2.u8 [%rd6], {%r20,%r21};`,
    model: changed([0, 1]),
    taken: [0, 0],
  },
  {
    name: "two bytes and a half behind a word",
    stride: 8,
    body: `ld.global.u32 %r24, [%rd7]; ld.global.u8 %r20, [%rd7+4]; ld.global.u8 %r21, [%rd7+5];
      ld.global.u16 %r22, [%rd7+6]; ${change} st.global.u32 [%rd6], %r24; st.global.u16 [%rd6+4], %r22;
      st.global.u8 [%rd6+7], %r20; st.global.u8 [%rd6+6], %r21;`,
    model: (x, y, i) => {
      y.setUint32(0, x.getUint32(0));
      y.setUint16(4, x.getUint16(6, true) + i, true);
      y.setUint8(7, x.getUint8(4) + i);
      y.setUint8(6, x.getUint8(5) + i);
    },
    taken: [1, 1],
  },
  {
    name: "three of four bytes stored",
    stride: 4,
    body: `ld.global.v4.u8 ${V4}, [%rd7]; ld.global.u32 %r24, [%rd6]; add.u32 %r21, %r21, %r24;
      ${bytes("st", "%rd6", [0, 1, 3])}`,
    model: (x, y) => {
      const before = y.getUint8(0);
      y.setUint8(0, x.getUint8(0));
      y.setUint8(1, x.getUint8(1) + before);
      y.setUint8(3, x.getUint8(2));
    },
    taken: [0, 0],
  },
  {
    name: "a byte that is stored twice",
    stride: 4,
    body: `ld.global.v4.u8 ${V4}, [%rd7]; st.global.v4.u8 [%rd6], ${V4}; st.global.u8 [%rd6+2], %r20;`,
    model: (x, y) => {
      for (const n of [0, 1, 2, 3]) y.setUint8(n, x.getUint8(n === 2 ? 0 : n));
    },
    taken: [0, 1],
  },
  {
    name: "bytes loaded again behind stores",
    stride: 4,
    body: `ld.global.v4.u8 ${V4}, [%rd6]; ${change} st.global.v4.u8 [%rd6], {%r21,%r20,%r23,%r22};
      ld.global.v4.u8 ${V4}, [%rd6]; ${change} st.global.v4.u8 [%rd6], {%r20,%r22,%r21,%r23};`,
    model: (_, y, i) => {
      const [a, b, c, d] = [0, 1, 2, 3].map((n) => y.getUint8(n) + 2 * i);
      for (const [n, v] of [b!, d!, a!, c!].entries()) y.setUint8(n, v);
    },
    taken: [0, 0],
  },
  {
    name: "a byte stored between loads",
    stride: 4,
    body: `ld.global.u32 %r24, [%rd6]; ld.global.u8 %r20, [%rd6]; st.global.u8 [%rd6+1], %r3;
      ld.global.u8 %r21, [%rd6+1]; ld.global.u8 %r22, [%rd6+2]; add.u32 %r23, %r21, %r22; add.u32 %r23, %r23, %r20;
      st.global.u8 [%rd6+3], %r23;`,
    model: (_, y, i) => {
      y.setUint8(1, i);
      y.setUint8(3, y.getUint8(0) + y.getUint8(1) + y.getUint8(2));
    },
    taken: [0, 0],
  },
  {
    name: "rgb",
    stride: 3,
    body: `${bytes("ld", "%rd7", [0, 1, 2])} ${change} ${bytes("st", "%rd6", [0, 1, 2])}`,
    model: changed([0, 1, 2]),
    taken: [1, 1],
  },
  {
    name: "bgr, the last one first",
    stride: 3,
    body: `${bytes("ld", "%rd7", [2, 1, 0])} ${change} ${bytes("st", "%rd6", [2, 0, 1])}`,
    model: (x, y, i) => {
      for (const [n, at] of [2, 0, 1].entries()) y.setUint8(at, x.getUint8(2 - n) + i);
    },
    taken: [1, 1],
  },
  {
    name: "two of three bytes",
    stride: 3,
    body: `${bytes("ld", "%rd7", [0, 2])} ${change} ${bytes("st", "%rd6", [1, 2])}`,
    model: (x, y, i) => {
      y.setUint8(1, x.getUint8(0) + i);
      y.setUint8(2, x.getUint8(2) + i);
    },
    taken: [1, 0],
  },
  {
    name: "one of three bytes",
    stride: 3,
    body: `${bytes("ld", "%rd7", [1])} ${change} ${bytes("st", "%rd6", [1])}`,
    model: changed([1]),
    taken: [1, 0],
  },
  {
    name: "two structures of three bytes",
    stride: 3,
    body: `${bytes("ld", "%rd7", [0, 1, 2])} add.s64 %rd8, %rd7, 3; ${bytes("ld", "%rd8", [0, 1, 2], 4)}
      add.u32 %r20, %r20, %r24; add.u32 %r21, %r21, %r25; add.u32 %r22, %r22, %r26;
      ${bytes("st", "%rd6", [0, 1, 2])}`,
    model: (x, y) => {
      for (const n of [0, 1, 2]) y.setUint8(n, x.getUint8(n) + x.getUint8(n + 3));
    },
    taken: [2, 1],
  },
  {
    name: "pairs of bytes",
    stride: 2,
    body: `${bytes("ld", "%rd7", [0, 1])} ${change} ${bytes("st", "%rd6", [1, 0])}`,
    model: (x, y, i) => {
      y.setUint8(1, x.getUint8(0) + i);
      y.setUint8(0, x.getUint8(1) + i);
    },
    taken: [1, 1],
  },
  {
    name: "every other byte",
    stride: 2,
    body: `${bytes("ld", "%rd7", [1])} ${change} ${bytes("st", "%rd6", [0])}`,
    model: (x, y, i) => y.setUint8(0, x.getUint8(1) + i),
    taken: [1, 0],
  },
  {
    name: "four bytes of no alignment",
    stride: 4,
    body: `${bytes("ld", "%rd7", [1, 0, 3, 2])} ${change} ${bytes("st", "%rd6", [3, 1, 0, 2])}`,
    model: (x, y, i) => {
      for (const [at, from] of [
        [3, 1],
        [1, 0],
        [0, 3],
        [2, 2],
      ] as const) {
        y.setUint8(at, x.getUint8(from) + i);
      }
    },
    taken: [1, 1],
  },
  {
    name: "a half and a byte of four bytes",
    stride: 4,
    body: `ld.global.u16 %r20, [%rd7]; ld.global.u8 %r21, [%rd7+2]; ${change} st.global.u8 [%rd6], %r21;
      st.global.u8 [%rd6+1], %r21; st.global.u16 [%rd6+2], %r20;`,
    model: (x, y, i) => {
      y.setUint16(2, x.getUint16(0, true) + i, true);
      y.setUint8(0, x.getUint8(2) + i);
      y.setUint8(1, x.getUint8(2) + i);
    },
    taken: [1, 1],
  },
  {
    name: "shared memory",
    stride: 4,
    body: `mov.u32 %r10, tile; mad.lo.u32 %r11, %r0, 3, %r10; mad.lo.u32 %r10, %r0, 4, %r10; add.u32 %r10, %r10, 256;
      ld.global.v4.u8 ${V4}, [%rd7]; st.shared.v4.u8 [%r10], {%r22,%r20,%r23,%r21}; st.shared.u8 [%r11], %r20;
      st.shared.u8 [%r11+1], %r21; st.shared.u8 [%r11+2], %r22; ld.shared.v4.u8 ${V4}, [%r10];
      ld.shared.u8 %r23, [%r11+1]; st.global.v4.u8 [%rd6], ${V4};`,
    model: (x, y) => {
      for (const [n, at] of [2, 0, 3, 1].entries()) y.setUint8(n, x.getUint8(n === 3 ? 1 : at));
    },
    taken: [1, 1],
  },
  {
    name: "in a loop",
    stride: 3,
    body: `mov.u32 %r31, 0; L: ${bytes("ld", "%rd6", [0, 1, 2])} ${change} ${bytes("st", "%rd6", [0, 1, 2])}
      add.u32 %r31, %r31, 1; and.b32 %r32, %r3, 3; setp.le.u32 %p3, %r31, %r32; @%p3 bra L;`,
    model: (_, y, i) => {
      for (const n of [0, 1, 2]) y.setUint8(n, y.getUint8(n) + ((i & 3) + 1) * i);
    },
    taken: [1, 1],
  },
  {
    name: "bytes put together by constants",
    stride: 4,
    body: `ld.global.u32 %r20, [%rd7]; ld.global.u32 %r21, [%rd6]; prmt.b32 %r22, %r20, %r21, 0x5271;
      prmt.b32 %r23, %r22, 0, 0x4440; add.u32 %r22, %r22, %r23; prmt.b32 %r23, %r21, %r20, 0x98f0;
      xor.b32 %r22, %r22, %r23; st.global.u32 [%rd6], %r22;`,
    model: (x, y) => {
      const a = [0, 1, 2, 3].map((n) => x.getUint8(n));
      const b = [0, 1, 2, 3].map((n) => y.getUint8(n));
      const first = a[1]! | (b[3]! << 8) | (a[2]! << 16) | (b[1]! << 24);
      const sign = (byte: number) => (byte & 0x80 ? 0xff : 0);
      const second = b[0]! | (sign(a[3]!) << 8) | (sign(b[0]!) << 16) | (sign(b[1]!) << 24);
      y.setUint32(0, (first + (first & 0xff)) ^ second, true);
    },
    taken: [0, 0],
  },
];

const N = 192;
const SLACK = 16;

/** Runs a kernel and the model of its threads over the same bytes. */
async function compareWithModel(
  kernel: string,
  { stride, model }: Case,
  of: (i: number) => boolean,
) {
  const data = Uint8Array.from({ length: 2 * (N * stride + SLACK) }, (_, k) => hash(k));
  const [x, y] = [data.slice(data.length / 2), data.slice(0, data.length / 2)];
  const expected = y.slice();
  const at = (all: Uint8Array, i: number) => new DataView(all.buffer, all.byteOffset + i * stride);
  for (let i = 0; i < N; i++) if (of(i)) model(at(x, i), at(expected, i), i);
  for (const bench of await benches) {
    const [output, input] = [bench.upload(y), bench.upload(x)];
    assert.equal(bench.run(kernel, [output, input, 101], { block: 64, grid: 3 }), undefined);
    const stored = new Uint8Array(Uint32Array.from(bench.words(output, y.length / 4)).buffer);
    assert.deepEqual(stored, expected);
  }
}

describe("members of structures", () => {
  for (const c of cases) {
    for (const [how, mask, of] of MASKS) {
      test(`${c.name}${how}`, async () => {
        const kernel = text(c.stride, `${mask} ${c.body}`);
        assert.deepEqual(await taken(kernel, [64, 1, 1]), c.taken);
        await compareWithModel(kernel, c, of);
        await compare(kernel, c.stride);
      });
    }
  }
});
