/**
 * Warp operations that whole warps come to together: that they stay inside of lane groups where they
 * should, for the reason that the report gives where not, and that all ways answer alike.
 */
import assert from "node:assert/strict";
import { reportKernel } from "../../runtime/compiler/index.ts";
import { Bench, kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

type Shape = [number, number, number];

interface Case {
  name: string;
  body: string;
  /** How each warp operation is done in blocks of 64 threads: a part of the report's words. */
  how: string[];
  blocks?: Shape[];
}

const IN = "by whole warps, in registers";
const FRAME = "by whole warps, through the warp's frame";
const REGISTERS = (count: number) => Array<string>(count).fill(IN);
const BLOCKS: Shape[] = [
  [32, 1, 1],
  [64, 1, 1],
  [256, 1, 1],
  [8, 8, 2],
  [16, 6, 1],
  [40, 1, 1],
  [7, 5, 1],
];

/** r1 = linear thread, r2 = lane, r8 = a word of the thread's own from p1; r20 … are stored. */
const START = `mov.u32 %r2, %tid.y; mov.u32 %r3, %ntid.x; mad.lo.u32 %r1, %r2, %r3, %r0;
  mov.u32 %r2, %tid.z; mov.u32 %r4, %ntid.y; mul.lo.u32 %r3, %r3, %r4; mad.lo.u32 %r1, %r2, %r3, %r1;
  mov.u32 %r2, %laneid; mul.wide.u32 %rd9, %r1, 4; add.s64 %rd8, %rd1, %rd9; mul.wide.u32 %rd9, %r1, 16;
  add.s64 %rd9, %rd0, %rd9; ld.global.u32 %r8, [%rd8]; mov.u32 %r20, 0; mov.u32 %r21, 0; mov.u32 %r22, 0;`;
const STORE = "st.global.v4.u32 [%rd9], {%r20, %r21, %r22, %r8};";
const SHUFFLES = ["up", "down", "bfly", "idx"].flatMap((mode) =>
  [0, 1, 3, 4, 7, 16, 21, 31].map((by) => ({ mode, by })),
);
const sum = (mode: string) =>
  [16, 8, 4, 2, 1]
    .map((d) => `shfl.sync.${mode}.b32 %r9, %r8, ${d}, 31, -1; add.u32 %r8, %r8, %r9;`)
    .join("\n");

const cases: Case[] = [
  ...[31, 0x1c1f, 0x181f, 0x101f, 0x1807].map((control) => ({
    name: `shuffles by constants, with predicates, clamp and segment ${control.toString(16)}`,
    body: SHUFFLES.map(
      ({ mode, by }) => `shfl.sync.${mode}.b32 %r9|%p1, %r8, ${by}, ${
        mode === "up" ? control & 0x1f00 : control
      }, -1;
        mad.lo.u32 %r20, %r20, 3, %r9; @%p1 add.u32 %r21, %r21, ${by + 1};`,
    ).join("\n"),
    how: REGISTERS(SHUFFLES.length),
  })),
  {
    name: "reductions and a scan",
    body: `${sum("down")} mov.u32 %r20, %r8; ${sum("bfly")} mov.u32 %r21, %r8;
      ${[1, 2, 4, 8, 16]
        .map((d) => `shfl.sync.up.b32 %r9|%p1, %r2, ${d}, 0, -1; @%p1 add.u32 %r2, %r2, %r9;`)
        .join("\n")} mov.u32 %r22, %r2;`,
    how: REGISTERS(15),
  },
  {
    name: "floats, and 64 bits in two halves",
    body: `cvt.rn.f32.u32 %f1, %r8; shfl.sync.bfly.b32 %f2, %f1, 3, 31, -1; add.f32 %f1, %f1, %f2;
      shfl.sync.idx.b32 %f3, %f1, 9, 31, -1; fma.rn.f32 %f1, %f3, 0f3F000000, %f1; mov.b32 %r20, %f1;
      mov.b64 %rd4, {%r8, %r2}; mov.b64 {%r3, %r4}, %rd4; shfl.sync.down.b32 %r5, %r3, 5, 31, -1;
      shfl.sync.down.b32 %r6, %r4, 5, 31, -1; mov.b64 %rd5, {%r5, %r6}; add.s64 %rd4, %rd4, %rd5;
      mov.b64 {%r21, %r22}, %rd4;`,
    how: REGISTERS(4),
  },
  {
    name: "votes and an election by the smallest",
    body: `and.b32 %r3, %r8, 5; setp.eq.u32 %p1, %r3, 4; vote.sync.ballot.b32 %r20, %p1, -1;
      vote.sync.any.pred %p2, %p1, -1; vote.sync.all.pred %p3, %p1, -1; setp.gt.u32 %p4, %r2, 40;
      vote.sync.uni.pred %p5, %p4, -1; vote.sync.uni.pred %p6, %p1, -1; selp.u32 %r21, 1, 0, %p2;
      @%p3 add.u32 %r21, %r21, 2; @%p5 add.u32 %r21, %r21, 4; @%p6 add.u32 %r21, %r21, 8;
      activemask.b32 %r22; add.u32 %r22, %r22, %r20;`,
    how: REGISTERS(6),
  },
  {
    name: "reductions of the instruction set",
    body: `${["add.s32", "min.u32", "min.s32", "max.u32", "max.s32", "and.b32", "or.b32", "xor.b32"]
      .map((op) => `redux.sync.${op} %r9, %r8, -1; mad.lo.u32 %r20, %r20, 5, %r9;`)
      .join("\n")} match.any.sync.b32 %r21, %r2, -1; and.b32 %r3, %r8, 3;
      match.any.sync.b32 %r22, %r3, -1; match.all.sync.b32 %r4|%p1, %r3, -1; @%p1 add.u32 %r22, %r22, 1;
      add.u32 %r22, %r22, %r4;`,
    how: [...REGISTERS(8), FRAME, FRAME, FRAME],
  },
  {
    name: "a loop over distances, and one over lanes",
    body: `mov.u32 %r3, 16; L: shfl.sync.down.b32 %r9, %r8, %r3, 31, -1; add.u32 %r8, %r8, %r9;
      shfl.sync.bfly.b32 %r9, %r8, %r3, 31, -1; xor.b32 %r20, %r20, %r9;
      shfl.sync.up.b32 %r9, %r8, %r3, 0, -1; add.u32 %r22, %r22, %r9;
      shr.u32 %r3, %r3, 1; setp.ne.u32 %p1, %r3, 0; @%p1 bra L;
      mov.u32 %r3, 0; M: shfl.sync.idx.b32 %r9, %r8, %r3, 31, -1; mad.lo.u32 %r21, %r9, %r2, %r21;
      add.u32 %r3, %r3, 1; setp.lt.u32 %p1, %r3, 32; @%p1 bra M;`,
    how: REGISTERS(4),
  },
  {
    name: "lanes that only run time knows",
    body: `and.b32 %r3, %r8, 31; shfl.sync.idx.b32 %r20|%p1, %r8, %r3, 31, -1; @%p1 add.u32 %r21, %r21, 1;
      shfl.sync.up.b32 %r22|%p2, %r8, %r3, 0, -1; @%p2 add.u32 %r21, %r21, 2;`,
    how: [FRAME, FRAME],
  },
  {
    name: "what only some lanes do between operations",
    body: `${sum("bfly")} and.b32 %r3, %r1, 9; setp.eq.u32 %p1, %r3, 1; @%p1 bra E;
      ld.global.u32 %r20, [%rd8]; st.global.u32 [%rd9], %r20; mul.lo.u32 %r8, %r8, %r20; E:
      ${sum("down")} mov.u32 %r3, 0; L: add.u32 %r21, %r21, %r8; add.u32 %r3, %r3, 3;
      setp.lt.u32 %p1, %r3, %r2; @%p1 bra L; shfl.sync.up.b32 %r22, %r21, 1, 0, -1;`,
    how: REGISTERS(11),
  },
  {
    name: "the first warp alone, between barriers",
    body: `mov.u32 %r5, buf; ${sum("down")} shr.u32 %r3, %r1, 5; mad.lo.u32 %r4, %r3, 4, %r5;
      setp.eq.u32 %p1, %r2, 0; @%p1 st.shared.u32 [%r4], %r8; bar.sync 0; setp.ne.u32 %p2, %r3, 0; @%p2 bra E;
      mad.lo.u32 %r4, %r2, 4, %r5; mov.u32 %r8, 0; setp.lt.u32 %p3, %r2, 2; @%p3 ld.shared.u32 %r8, [%r4];
      ${sum("bfly")} st.shared.u32 [%r5+64], %r8; E: bar.sync 0; ld.shared.u32 %r20, [%r5+64];
      add.u32 %r3, %r3, %r20; shfl.sync.idx.b32 %r21, %r3, 3, 31, -1;`,
    how: REGISTERS(11),
    blocks: [
      [64, 1, 1],
      [256, 1, 1],
      [16, 4, 1],
    ],
  },
  {
    name: "odd lanes by themselves",
    body: `and.b32 %r3, %r2, 1; setp.eq.u32 %p1, %r3, 0; @%p1 bra E;
      shfl.sync.idx.b32 %r20, %r8, 5, 31, 0xaaaaaaaa; E: bar.warp.sync -1;
      shfl.sync.idx.b32 %r21, %r8, 2, 31, -1;`,
    how: [
      "ends its region: lanes come to it apart",
      `${IN}; ends some regions: lanes come to it apart`,
      `${IN}; ends some regions: lanes come to it apart`,
    ],
    blocks: [[64, 1, 1]],
  },
  ...[4, 8, 16].map((tile) => ({
    name: `masks of tiles of ${tile} lanes`,
    body: `mov.u32 %r3, ${2 ** tile - 1}; and.b32 %r4, %r2, ${32 - tile}; shl.b32 %r3, %r3, %r4;
      shfl.sync.bfly.b32 %r9, %r8, 3, ${((32 - tile) << 8) | 31}, %r3; add.u32 %r8, %r8, %r9;
      and.b32 %r4, %r8, 1; setp.ne.u32 %p1, %r4, 0; and.b32 %r4, %r8, 12; setp.ne.u32 %p2, %r4, 0;
      vote.sync.ballot.b32 %r20, %p1, %r3; vote.sync.any.pred %p3, %p1, %r3; bar.warp.sync %r3;
      vote.sync.all.pred %p4, %p2, %r3; vote.sync.uni.pred %p5, %p2, %r3; selp.u32 %r21, 1, 0, %p3;
      @%p4 add.u32 %r21, %r21, 2; @%p5 add.u32 %r21, %r21, 4; match.any.sync.b32 %r22, %r4, %r3;
      redux.sync.add.u32 %r9, %r8, %r3; add.u32 %r8, %r8, %r9;`,
    how: [...REGISTERS(6), FRAME, "ends its region: its member mask is not known to be all lanes"],
    blocks: [
      [64, 1, 1],
      [128, 1, 1],
      [8, 4, 3],
    ] as Shape[],
  })),
  {
    name: "the mask of the lanes that are there",
    body: `activemask.b32 %r3; and.b32 %r4, %r8, 3; setp.eq.u32 %p1, %r4, 0; vote.sync.ballot.b32 %r20, %p1, %r3;
      vote.sync.any.pred %p2, %p1, %r3; selp.u32 %r21, 7, 9, %p2; shfl.sync.down.b32 %r22, %r8, 9, 31, %r3;`,
    how: REGISTERS(4),
    blocks: [
      [64, 1, 1],
      [16, 6, 1],
    ],
  },
  {
    name: "behind a loop of plain code",
    body: `mov.u32 %r3, 0; L: add.u32 %r8, %r8, %r3; add.u32 %r3, %r3, 1; setp.lt.u32 %p1, %r3, 9; @%p1 bra L;
      ${sum("bfly")} mov.u32 %r20, %r8;`,
    how: ["ends its region: it is the first after a loop", ...REGISTERS(4)],
  },
  {
    name: "a matrix that is turned",
    body: `shfl.sync.bfly.b32 %r20, %r8, 6, 31, -1; movmatrix.sync.aligned.m8n8.trans.b16 %r21, %r20;
      shfl.sync.bfly.b32 %r22, %r21, 9, 31, -1;`,
    how: [
      IN,
      "ends its region: matrices come from memory, and groups load them faster one by one",
      IN,
    ],
    blocks: [[64, 1, 1]],
  },
  {
    name: "a sum that all read and the next one, without a barrier between them",
    body: `mov.u32 %r5, buf; shr.u32 %r3, %r1, 5; mad.lo.u32 %r4, %r3, 4, %r5; setp.eq.u32 %p1, %r2, 0;
      @%p1 st.shared.u32 [%r4], %r8; bar.sync 0; ld.shared.u32 %r9, [%r5]; ld.shared.u32 %r10, [%r5+4];
      add.u32 %r20, %r9, %r10; ${sum("bfly")} @%p1 st.shared.u32 [%r4], %r8; bar.sync 0;
      ld.shared.u32 %r21, [%r5]; ld.shared.u32 %r22, [%r5+4];`,
    how: ["ends its region: warps have read there what others store to behind it", ...REGISTERS(4)],
    blocks: [
      [64, 1, 1],
      [256, 1, 1],
    ],
  },
  {
    name: "regression: a sum that all read from a variable by its name",
    body: `shr.u32 %r3, %r1, 5; mov.u32 %r5, buf; mad.lo.u32 %r4, %r3, 4, %r5; setp.eq.u32 %p1, %r2, 0;
      @%p1 st.shared.u32 [%r4], %r8; bar.sync 0; ld.shared.u32 %r20, [buf]; ${sum("bfly")}
      @%p1 st.shared.u32 [%r4], %r8; bar.sync 0; ld.shared.u32 %r21, [buf+4]; mov.u32 %r22, %r21;`,
    how: ["ends its region: warps have read there what others store to behind it", ...REGISTERS(4)],
    blocks: [
      [64, 1, 1],
      [256, 1, 1],
    ],
  },
  {
    name: "what one lane stores before it is loaded by all",
    body: `mov.u32 %r5, buf; mad.lo.u32 %r4, %r1, 4, %r5; st.shared.u32 [%r4], %r8;
      bar.warp.sync -1; xor.b32 %r3, %r1, 1; mad.lo.u32 %r4, %r3, 4, %r5; ld.shared.u32 %r20, [%r4];
      bar.warp.sync -1; st.shared.u32 [%r4], %r20; shfl.sync.bfly.b32 %r21, %r20, 2, 31, -1;
      shfl.sync.bfly.b32 %r22, %r21, 1, 31, -1; shfl.sync.bfly.b32 %r21, %r21, 6, 31, -1;`,
    how: REGISTERS(5),
    blocks: [
      [64, 1, 1],
      [256, 1, 1],
      [8, 4, 2],
    ],
  },
];

describe("warp operations in lane groups", () => {
  for (const { name, body, how, blocks } of cases) {
    const text = kernelText(2, `${START}\n${body}\n${STORE}`, ".shared .align 16 .b8 buf[2048];");
    test(`how: ${name}`, async () => {
      const lowered = await lowerText(text);
      const got = reportKernel(lowered, [64, 1, 1]).warps.map((w) => w.how);
      assert.deepEqual(got, how);
    });
    for (const block of blocks ?? BLOCKS) {
      test(`${name}, blocks of ${block.join(" × ")}`, async () => {
        const results = await Promise.all([4, 1].map((width) => runs(text, block, width as 1 | 4)));
        assert.deepEqual(results[0], results[1]);
      });
    }
  }

  test("a fault behind a shuffle names the thread", async () => {
    const body = `${START} shfl.sync.bfly.b32 %r9, %r8, 1, 31, -1; st.global.u32 [%rd9], %r9;
      setp.eq.u32 %p1, %r1, 77; mov.u64 %rd10, 0x100000000000; @%p1 add.s64 %rd9, %rd9, %rd10;
      and.b32 %r3, %r2, 1; setp.eq.u32 %p2, %r3, 1; @%p2 st.global.u32 [%rd9+4], %r8;`;
    for (const width of [4, 1] as const) {
      const bench = await Bench.create(width);
      const out = bench.zeros(16 * 96);
      const fault = bench.run(kernelText(2, body), [out, out], { block: 96 });
      assert.equal(fault?.code, 700);
      assert.deepEqual(fault?.thread, [77, 0, 0]);
    }
  });

  test("guards that some warps fail, in front of operations of all lanes", async () => {
    // Of the second warp only whole ones get there: its lanes that have left are not waited for.
    const body = `${START} setp.ge.u32 %p1, %r1, 64; @%p1 bra E; ${sum("down")} mov.u32 %r20, %r8; ${STORE} E:`;
    const text = kernelText(2, body);
    for (const block of [32, 64, 96, 128]) {
      const results = await Promise.all([4, 1].map((w) => runs(text, [block, 1, 1], w as 1 | 4)));
      assert.deepEqual(results[0], results[1]);
    }
  });
});

/** What two blocks of a kernel leave in p0. */
async function runs(text: string, block: Shape, width: 1 | 4): Promise<number[]> {
  const bench = await Bench.create(width);
  const threads = block[0] * block[1] * block[2];
  const out = bench.zeros(16 * threads);
  const words = Uint32Array.from({ length: threads }, (_, k) => Math.imul(k + 1, 0x9e3779b1) >>> 3);
  const fault = bench.run(text, [out, bench.upload(words)], { block, grid: 2 });
  assert.equal(fault, undefined);
  return bench.words(out, 4 * threads);
}
