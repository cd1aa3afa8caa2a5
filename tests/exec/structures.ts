/** Kernels whose lanes access structures in memory, and how they are compared with threads one at a time. */
import assert from "node:assert/strict";
import { Graph } from "../../runtime/compiler/analysis/graph.ts";
import { RegionMaker } from "../../runtime/compiler/pipeline.ts";
import { groupRegions } from "../../runtime/compiler/simd/group-region.ts";
import { Bench } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";

type Shape = [number, number, number];

/** r3 = the thread, r9 a parameter; rd6 and rd7 are where its structures lie in p0 and p1. */
export const text = (stride: number, body: string, index = "") => `.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 p0, .param .u64 p1, .param .u32 n) {
.reg .pred %p<8>; .reg .b32 %r<40>; .reg .b64 %rd<16>; .reg .f32 %f<16>;
.shared .align 16 .b8 tile[4096];
ld.param.u64 %rd0, [p0]; cvta.to.global.u64 %rd0, %rd0; ld.param.u64 %rd1, [p1]; cvta.to.global.u64 %rd1, %rd1;
ld.param.u32 %r9, [n]; mov.u32 %r0, %tid.x; mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x;
mad.lo.s32 %r3, %r1, %r2, %r0; mov.u32 %r4, %r3; ${index}
mul.wide.s32 %rd5, %r4, ${stride}; add.s64 %rd6, %rd0, %rd5; add.s64 %rd7, %rd1, %rd5;
${body}
E: ret; }`;

const MASK = "and.b32 %r30, %r3, 5; setp.eq.u32 %p1, %r30, 4; @%p1 bra E;";
export const GUARD = "setp.ge.s32 %p2, %r3, %r9; @%p2 bra E;";
/** Guards of a body, what a test's name says of them, and which threads pass them where n is 101. */
export const MASKS: readonly [name: string, guard: string, passes: (i: number) => boolean][] = [
  ["", "", () => true],
  [", up to n", GUARD, (i) => i < 101],
  [", of some lanes", MASK, (i) => (i & 5) !== 4],
];

const N = 192;
export const hash = (n: number) => Math.imul(n ^ (n >>> 7), 2654435761) >>> 0;
export const benches = Promise.all([Bench.create(4), Bench.create(4, false), Bench.create(1)]);

/** How many `structures` and `store_structures` the general bodies have. */
export async function taken(kernel: string, block: Shape): Promise<[number, number]> {
  const { lowered } = await lowerText(kernel);
  const maker = new RegionMaker(lowered, "relaxed", block);
  const { groups } = groupRegions(lowered, maker.all(4), block, maker);
  const general = groups.map(({ variants }) => variants.find((v) => v.kind === "general")!);
  const blocks = general.flatMap(({ linear }) => new Graph(linear.start).order);
  const ops = blocks.flatMap((b) => b.values.map((v) => v.op));
  const count = (op: string) => ops.filter((o) => o === op).length;
  return [count("structures"), count("store_structures")];
}

/** Runs a kernel on threads in groups and alone: what it stores must be the same, and whether it fails. */
export async function compare(kernel: string, stride: number): Promise<void> {
  const data = new Uint8Array(
    Uint32Array.from({ length: (N * stride) / 2 }, (_, k) => hash(k)).buffer,
  );
  const bytes = N * stride;
  for (const [block, grid, n] of [
    [64, 3, N],
    [64, 3, 101],
    [30, 2, 57],
    [7, 3, 20],
  ]) {
    // The inputs end at a place inside the memory, at its end, or a structure beyond it.
    for (const beyond of [undefined, 0, stride]) {
      const results = (await benches).map((bench) => {
        const { memory } = bench;
        const output = bench.upload(data.subarray(bytes));
        let input = bench.upload(data.subarray(0, bytes));
        const threads = block! * grid!;
        if (beyond !== undefined) {
          const end = memory.base + memory.byteLength;
          input = end - (threads * stride - beyond);
          const size = Math.min(bytes, end - input);
          memory.bytes(input - memory.base, size).set(data.subarray(0, size));
        }
        const params = [output, input, n!];
        const fault = bench.run(kernel, params, { block: block!, grid: grid! });
        const wrong = fault && { code: fault.code };
        // Where a thread has failed, of the others some have run.
        return { wrong, bytes: fault ? undefined : bench.words(output, bytes / 4) };
      });
      assert.deepEqual(results[0], results[2], `${block}, ${grid}, ${n}, ${beyond}`);
      assert.deepEqual(results[1], results[2], `${block}, ${grid}, ${n}, ${beyond}, exact`);
    }
  }
}
