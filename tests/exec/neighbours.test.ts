/**
 * Two threads of the host that write neighbouring lanes of one vector, under masks, for thousands of rounds at
 * the same time: a store that wrote more than its lanes' words would take another's additions back.
 */
import assert from "node:assert/strict";
import { Device } from "../../index.ts";
import { shared } from "../../scripts/kernels/pool-executor.ts";
import { STRATEGIES } from "../conformance/strategies.ts";
import { describe, test } from "../harness.ts";

const ROUNDS = 300_000;

interface Case {
  /** Threads of each of the two blocks. */
  block: [number, number];
  /** Bytes of an element. */
  size: 1 | 2 | 4 | 8;
  /** Index (r5) of the thread's element, of its number in the block (r0), of which there are r1, and the block's (r2). */
  index: string;
  element: (thread: number, threads: number, block: number) => number;
  /** The second block adds atomically. */
  atomic?: boolean;
}

const ROW = "mad.lo.u32 %r5, %r2, %r1, %r0;";
const inRow: Case["element"] = (thread, threads, block) => block * threads + thread;
const TURNS = "mad.lo.u32 %r5, %r0, 2, %r2;";
const inTurns: Case["element"] = (thread, _threads, block) => 2 * thread + block;

const CASES: Record<string, Case> = {
  "blocks that end inside of a vector": { block: [6, 1], size: 4, index: ROW, element: inRow },
  "blocks of one thread": { block: [1, 1], size: 4, index: ROW, element: inRow },
  "blocks of rows": { block: [3, 3], size: 4, index: ROW, element: inRow },
  "every other word": { block: [12, 1], size: 4, index: TURNS, element: inTurns },
  "every other word, of rows": { block: [8, 4], size: 4, index: TURNS, element: inTurns },
  "two words each, in turns": {
    block: [12, 1],
    size: 4,
    index:
      "xor.b32 %r5, %r0, 2; and.b32 %r5, %r5, 2; shr.u32 %r6, %r0, 1; mad.lo.u32 %r6, %r6, 4, %r5; " +
      "mad.lo.u32 %r5, %r2, 1, %r6;",
    element: (t, _n, b) => 4 * (t >> 1) + ((t ^ 2) & 2) + b,
  },
  bytes: { block: [7, 1], size: 1, index: ROW, element: inRow },
  "every other byte": { block: [12, 1], size: 1, index: TURNS, element: inTurns },
  "halves of words": { block: [7, 1], size: 2, index: ROW, element: inRow },
  "64 bits": { block: [5, 1], size: 8, index: ROW, element: inRow },
  "every other 64 bits": { block: [12, 1], size: 8, index: TURNS, element: inTurns },
  "beside words that are added to atomically": {
    block: [6, 1],
    size: 4,
    index: ROW,
    element: inRow,
    atomic: true,
  },
  "between words that are added to atomically": {
    block: [12, 1],
    size: 4,
    index: TURNS,
    element: inTurns,
    atomic: true,
  },
};

/** Adds 1 to the thread's element in about half of the rounds: those in which its generator's bit is set. */
function kernel({ size, index, atomic }: Case): string {
  const type = `u${8 * size}`;
  const [value, add] =
    size === 8 ? ["%rd9", "add.u64"] : size === 4 ? ["%r9", "add.u32"] : ["%h9", "add.u16"];
  const plain = `ld.global.${type} ${value}, [%rd1]; ${add} ${value}, ${value}, 1; st.global.${type} [%rd1], ${value};`;
  const chosen =
    "mad.lo.u32 %r7, %r7, 1664525, 1013904223; shr.u32 %r8, %r7, 31; setp.eq.u32 %p0, %r8, 0;";
  const loop = (label: string, body: string) => `${label}: ${chosen} @%p0 bra ${label}S; ${body}
    ${label}S: add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, ${ROUNDS}; @%p1 bra ${label};`;
  return `.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 p0) {
.reg .pred %p<4>; .reg .b16 %h<10>; .reg .b32 %r<16>; .reg .b64 %rd<10>;
ld.param.u64 %rd0, [p0]; cvta.to.global.u64 %rd0, %rd0;
mov.u32 %r0, %tid.x; mov.u32 %r1, %ntid.x; mov.u32 %r3, %tid.y; mad.lo.u32 %r0, %r3, %r1, %r0;
mov.u32 %r3, %ntid.y; mul.lo.u32 %r1, %r1, %r3; mov.u32 %r2, %ctaid.x; ${index}
mul.wide.u32 %rd1, %r5, ${size}; add.s64 %rd1, %rd0, %rd1; mul.lo.u32 %r7, %r5, 2654435761; mov.u32 %r4, 0;
${
  atomic
    ? `setp.ne.u32 %p2, %r2, 0; @%p2 bra B; ${loop("A", plain)} ret;
        ${loop("B", "red.global.add.u32 [%rd1], 1;")}`
    : loop("A", plain)
}
ret; }`;
}

const known = new Map<number, number>();

/** How often its thread adds to an element. */
function additions(element: number): number {
  const before = known.get(element);
  if (before !== undefined) return before;
  let seed = Math.imul(element, 2654435761);
  let count = 0;
  for (let k = 0; k < ROUNDS; k++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    count += seed >>> 31;
  }
  known.set(element, count);
  return count;
}

describe("two workers that write neighbouring lanes of one vector lose nothing", () => {
  for (const [name, of] of Object.entries(CASES)) {
    test(name, async () => {
      using device = await Device.open(STRATEGIES.workers);
      using module = device.loadModule(kernel(of));
      const { block, size, element } = of;
      const threads = block[0] * block[1];
      const elements = [0, 1].flatMap((b) =>
        Array.from({ length: threads }, (_, t) => element(t, threads, b)),
      );
      const expected = new Uint8Array((Math.max(...elements) + 1) * size);
      const view = new DataView(expected.buffer);
      for (const e of elements) {
        for (let k = 0; k < size && k < 4; k++)
          view.setUint8(e * size + k, additions(e) >> (8 * k));
      }
      // The array begins at each place in a vector.
      for (let shift = 0; shift < 16; shift += Math.max(size, 4)) {
        using memory = device.alloc(expected.length + 32).fill(0);
        const before = shared.launches;
        module.kernel("k").launch({ grid: 2, block }, memory.pointer + shift);
        const got = memory.toArray(Uint8Array);
        assert.equal(shared.launches, before + 1, "two threads ran a block each");
        assert.deepEqual([...got.subarray(shift, shift + expected.length)], [...expected]);
        assert.ok(
          got.every((byte, k) => byte === 0 || (k >= shift && k < shift + expected.length)),
        );
      }
    });
  }
});
