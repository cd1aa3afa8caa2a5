/**
 * Bodies that do several lane groups at once: that kernels get them where they should, and that they
 * answer what one thread at a time answers, where groups fail guards or run into faults too.
 */
import assert from "node:assert/strict";
import { reportKernel } from "../../runtime/compiler/index.ts";
import { Bench, kernelText } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

type Shape = [number, number, number];

interface Case {
  name: string;
  block: Shape;
  body: string;
  /** Groups at once, region by region. */
  groups: number[];
  /** The fault: error code, and the thread. */
  fault?: [code: number, thread: number];
}

/** r1 = linear thread index, rd5 and rd6 = p0 and p1 moved by four bytes for each thread. */
const THREAD = `mov.u32 %r2, %tid.y; mov.u32 %r3, %ntid.x; mad.lo.u32 %r1, %r2, %r3, %r0;
  mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd0, %rd4; add.s64 %rd6, %rd1, %rd4;`;
/** f1 from p1[thread] by a chain of twelve operations; p1[tid.y] comes in, the same for a row. */
const CHAIN = `ld.global.f32 %f1, [%rd6]; mul.wide.u32 %rd7, %r2, 4; add.s64 %rd8, %rd1, %rd7;
  ld.global.f32 %f2, [%rd8]; mov.f32 %f3, %f1;
  ${"fma.rn.f32 %f1, %f1, %f2, %f3; mul.f32 %f3, %f3, %f2; sub.f32 %f1, %f1, %f3;".repeat(4)}`;
const STORE = "st.global.f32 [%rd5], %f1;";
/** f1 = sums over j and three rounds of p1[8j + tid.x] × p1[8j + tid.y] and others: a product of tiles. */
const TILES = `mul.wide.u32 %rd7, %r2, 4; add.s64 %rd8, %rd1, %rd7; mul.wide.u32 %rd7, %r0, 4; add.s64 %rd9, %rd1, %rd7;
  mov.f32 %f1, 0f3f800000; mov.f32 %f4, 0f00000000; mov.u32 %r4, 0;
  T: ${[0, 1, 2, 3, 4, 5].map((j) => `ld.global.f32 %f2, [%rd8+${32 * j}]; ld.global.f32 %f3, [%rd9+${32 * j}]; fma.rn.f32 %f1, %f2, %f3, %f1;`).join(" ")}
  add.f32 %f4, %f4, %f2;
  add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, 3; @%p1 bra T; sub.f32 %f1, %f1, %f4;`;

const cases: Case[] = [
  { name: "rows of sixteen", block: [16, 8, 1], body: `${THREAD} ${CHAIN} ${STORE}`, groups: [4] },
  { name: "rows of eight", block: [8, 8, 1], body: `${THREAD} ${CHAIN} ${STORE}`, groups: [4] },
  { name: "two groups in all", block: [4, 2, 1], body: `${THREAD} ${CHAIN} ${STORE}`, groups: [2] },
  {
    name: "an odd number of groups",
    block: [4, 7, 1],
    body: `${THREAD} ${CHAIN} ${STORE}`,
    groups: [1],
  },
  { name: "tiles of sixteen", block: [16, 8, 1], body: `${THREAD} ${TILES} ${STORE}`, groups: [8] },
  { name: "tiles of eight", block: [8, 8, 1], body: `${THREAD} ${TILES} ${STORE}`, groups: [8] },
  {
    name: "two layers of tiles",
    block: [8, 4, 2],
    body: `${THREAD} ${TILES} ${STORE}`,
    groups: [8],
  },
  { name: "six rows", block: [16, 6, 1], body: `${THREAD} ${TILES} ${STORE}`, groups: [8] },
  {
    name: "rows that cross layers",
    block: [16, 3, 2],
    body: `${THREAD} ${TILES} ${STORE}`,
    groups: [4],
  },
  {
    name: "rows as long as four groups",
    block: [32, 2, 1],
    body: `${THREAD} ${TILES} ${STORE}`,
    groups: [4],
  },
  {
    name: "a guard that fails in the middle of a group",
    block: [16, 4, 1],
    body: `${THREAD} mov.u32 %r8, %ctaid.x; add.u32 %r8, %r8, 37; setp.ge.u32 %p1, %r1, %r8;
      @%p1 bra E; ${CHAIN} ${STORE} E:`,
    groups: [4],
  },
  {
    name: "a guard that is known to fail in each block",
    block: [64, 1, 1],
    body: `${THREAD} setp.ge.u32 %p1, %r1, 37; @%p1 bra E; ${CHAIN} ${STORE} E:`,
    groups: [1],
  },
  {
    name: "a loop, and values that live across a barrier",
    block: [16, 4, 1],
    body: `${THREAD} mov.u32 %r4, 0; mov.u32 %r6, buf; shl.b32 %r7, %r0, 2; add.u32 %r7, %r7, %r6;
      ld.global.f32 %f8, [%rd6]; ld.global.f32 %f9, [%rd1+4];
      L: st.shared.f32 [%r7], %f9; bar.sync 0; ld.shared.f32 %f1, [%r7]; mov.f32 %f2, %f8; mov.f32 %f3, %f1;
      ${"fma.rn.f32 %f1, %f1, %f2, %f3; mul.f32 %f3, %f3, %f2;".repeat(6)}
      add.f32 %f8, %f8, %f1; st.global.f32 [%rd5], %f8; bar.sync 0;
      add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, 3; @%p1 bra L;`,
    groups: [4, 4, 4],
  },
  {
    name: "the last group of several runs out of memory",
    block: [64, 1, 1],
    body: `${THREAD} setp.lt.u32 %p1, %r1, 62; mov.u64 %rd9, 0x100000000000; selp.b64 %rd10, 0, %rd9, %p1;
      add.s64 %rd6, %rd6, %rd10; ${CHAIN} ${STORE}`,
    groups: [4],
    fault: [700, 62],
  },
];

describe("several lane groups at once", () => {
  for (const { name, block, body, groups, fault } of cases) {
    const text = kernelText(2, body, ".shared .align 16 .b8 buf[256];");
    const threads = block[0] * block[1] * block[2];

    test(`${name}: as one thread at a time`, async () => {
      const run = async (width: 1 | 4) => {
        const bench = await Bench.create(width);
        const input = bench.upload(Float32Array.from({ length: threads }, (_, t) => 1 + t / 64));
        const output = bench.upload(new Float32Array(threads));
        const failed = bench.run(text, [output, input], { block });
        return { failed, bits: [...new Uint32Array(bench.bytes(output, 4 * threads).buffer)] };
      };
      const [one, four] = [await run(1), await run(4)];
      if (!fault) assert.deepEqual(four.bits, one.bits);
      for (const { failed } of [one, four]) {
        assert.deepEqual(failed && [failed.code, failed.thread[0]], fault);
      }
    });

    test(`${name}: ${groups.join(", ")} groups`, async () => {
      const lowered = await lowerText(text);
      const regions = reportKernel(lowered, block).regions;
      assert.deepEqual(
        regions.map((r) => r.groups),
        groups,
      );
    });
  }
});
