/** Loops that lanes leave at different times, with values of the round that each leaves in. */
import assert from "node:assert/strict";
import { compileKernel } from "../../runtime/compiler/index.ts";
import { OP } from "../../runtime/compiler/wasm/opcodes.ts";
import { Reader, skipImmediates } from "../../runtime/compiler/wasm/reader.ts";
import { Bench, bodiesOf, kernelText, WIDTHS } from "../compiler/bench.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

const STORE = "mul.wide.u32 %rd9, %r0, 4; add.s64 %rd9, %rd0, %rd9; st.global.u32 [%rd9], %r5;";
const THREADS = 96;
const SIMD = 0xfd;
const BITSELECT = 0x52;

interface Case {
  body: string;
  model(t: number): number;
}

const CASES: Record<string, Case> = {
  "a test in front, and a count that all lanes share": {
    // while (i < 9) { if (x > 60) break; x += 7; i++; }
    body: `mov.u32 %r4, 0; mov.u32 %r1, %r0;
      H: setp.gt.u32 %p0, %r1, 60; @%p0 bra E; add.u32 %r1, %r1, 7; add.u32 %r4, %r4, 1;
      setp.lt.u32 %p1, %r4, 9; @%p1 bra H; E: mad.lo.u32 %r5, %r1, 1000, %r4; ${STORE}`,
    model(t) {
      let [i, x] = [0, t];
      for (; x <= 60 && i < 9; i++) x += 7;
      return 1000 * x + i;
    },
  },
  "a test at the end": {
    body: `mov.u32 %r4, 0; mov.u32 %r1, %r0;
      H: mul.lo.u32 %r1, %r1, 5; add.u32 %r1, %r1, 3; and.b32 %r1, %r1, 127; add.u32 %r4, %r4, 1;
      and.b32 %r2, %r1, 28; setp.ne.u32 %p0, %r2, 8; @%p0 bra H;
      mad.lo.u32 %r5, %r1, 1000, %r4; ${STORE}`,
    model(t) {
      let [i, x] = [0, t];
      do {
        x = (x * 5 + 3) & 127;
        i++;
      } while ((x & 28) !== 8);
      return 1000 * x + i;
    },
  },
  "a value that is behind the test, and one that is in front of it": {
    // r6 is of the round before for a lane that leaves, r7 of the last one; neither is joined.
    body: `mov.u32 %r4, 0; mov.u32 %r6, 5;
      H: mad.lo.u32 %r7, %r4, %r4, %r0; setp.gt.u32 %p0, %r7, 150; @%p0 bra E;
      mul.lo.u32 %r6, %r7, 3; add.u32 %r4, %r4, 1; bra H;
      E: mad.lo.u32 %r5, %r7, 1000, %r6; ${STORE}`,
    model(t) {
      let [i, x, y] = [0, 5, 0];
      for (;;) {
        y = i * i + t;
        if (y > 150) return 1000 * y + x;
        x = y * 3;
        i++;
      }
    },
  },
  "two ways out, to different places that meet": {
    body: `mov.u32 %r4, 0; mov.u32 %r1, %r0; mov.u32 %r6, 1;
      H: add.u32 %r1, %r1, %r6; rem.u32 %r2, %r1, 13; setp.eq.u32 %p0, %r2, 0; @%p0 bra A;
      add.u32 %r6, %r6, 2; rem.u32 %r3, %r1, 11; setp.eq.u32 %p1, %r3, 0; @%p1 bra B;
      add.u32 %r4, %r4, 1; setp.lt.u32 %p2, %r4, 20; @%p2 bra H; mov.u32 %r5, 7; bra E;
      A: mad.lo.u32 %r5, %r6, 100, %r4; bra E;
      B: mad.lo.u32 %r5, %r6, 10000, %r1;
      E: ${STORE}`,
    model(t) {
      let [x, s] = [t, 1];
      for (let i = 0; i < 20; i++) {
        x += s;
        if (x % 13 === 0) return s * 100 + i;
        s += 2;
        if (x % 11 === 0) return s * 10000 + x;
      }
      return 7;
    },
  },
  "a way out of two loops at once": {
    body: `mov.u32 %r4, 0; mov.u32 %r1, %r0; mov.u32 %r5, 0;
      H: mov.u32 %r3, 0;
      I: add.u32 %r1, %r1, 1; and.b32 %r2, %r1, 63; setp.eq.u32 %p0, %r2, 50; @%p0 bra E;
      add.u32 %r3, %r3, 1; and.b32 %r6, %r0, 3; setp.le.u32 %p1, %r3, %r6; @%p1 bra I;
      add.u32 %r4, %r4, 1; mad.lo.u32 %r5, %r3, %r4, %r5; setp.lt.u32 %p2, %r4, 12; @%p2 bra H;
      E: mad.lo.u32 %r5, %r5, 1000, %r1; ${STORE}`,
    model(t) {
      let [x, s] = [t, 0];
      for (let i = 1; i <= 12; i++) {
        let k = 0;
        do {
          x++;
          if ((x & 63) === 50) return 1000 * s + x;
          k++;
        } while (k <= (t & 3));
        s += k * i;
      }
      return 1000 * s + x;
    },
  },
  "lanes that go round early, beside those that go on and those that leave": {
    body: `mov.u32 %r4, 0; mov.u32 %r1, %r0; mov.u32 %r5, 0;
      H: add.u32 %r4, %r4, 1; add.u32 %r1, %r1, %r4; and.b32 %r2, %r1, 3; setp.eq.u32 %p0, %r2, 1; @%p0 bra H;
      setp.gt.u32 %p1, %r1, 200; @%p1 bra E; add.u32 %r5, %r5, %r1; bra H;
      E: mad.lo.u32 %r5, %r5, 100, %r4; ${STORE}`,
    model(t) {
      let [i, x, s] = [0, t, 0];
      for (;;) {
        i++;
        x += i;
        if ((x & 3) === 1) continue;
        if (x > 200) return s * 100 + i;
        s += x;
      }
    },
  },
  "64 bits": {
    body: `cvt.u64.u32 %rd1, %r0; mov.u64 %rd2, 0; mov.u32 %r4, 0;
      H: mad.lo.u64 %rd1, %rd1, 6364136223846793005, 1442695040888963407; shr.u64 %rd2, %rd1, 59;
      setp.lt.u64 %p0, %rd2, 5; @%p0 bra E; add.u32 %r4, %r4, 1; bra H;
      E: shr.u64 %rd2, %rd1, 32; cvt.u32.u64 %r5, %rd2; xor.b32 %r5, %r5, %r4; ${STORE}`,
    model(t) {
      let x = BigInt(t);
      for (let i = 0; ; i++) {
        x = BigInt.asUintN(64, x * 6364136223846793005n + 1442695040888963407n);
        if (x >> 59n < 5n) return (Number(x >> 32n) ^ i) >>> 0;
      }
    },
  },
  "regression: none is left for the rest of a round that the loop goes on behind": {
    body: `mov.u32 %r4, 0; mov.u32 %r1, %r0; mov.u32 %r5, 0; and.b32 %r7, %r0, 15;
      H: mov.u32 %r3, 0;
      I: add.u32 %r1, %r1, 5; and.b32 %r2, %r1, 31; setp.eq.u32 %p0, %r2, 7; @%p0 bra E;
      add.u32 %r3, %r3, 1; and.b32 %r6, %r0, 3; setp.le.u32 %p1, %r3, %r6; @%p1 bra I;
      mov.u32 %r8, 0;
      U: add.u32 %r8, %r8, 1; mad.lo.u32 %r5, %r8, %r1, %r5; setp.lt.u32 %p2, %r8, 3; @%p2 bra U;
      add.u32 %r1, %r1, 1; add.u32 %r4, %r4, 1; setp.le.u32 %p2, %r4, %r7; @%p2 bra H;
      E: xor.b32 %r5, %r5, %r1; ${STORE}`,
    model(t) {
      let [x, s] = [t, 0];
      for (let i = 0; i <= (t & 15); i++) {
        for (let k = 0; k <= (t & 3); k++) {
          x += 5;
          if ((x & 31) === 7) return s ^ x;
        }
        s += 6 * x++;
      }
      return s ^ x;
    },
  },
  "regression: what is kept of an inner loop that is found to part lanes after the one around it": {
    // How often the inner loop goes round depends on a branch of the outer one.
    body: `mov.u32 %r4, 0; mov.u32 %r6, 0;
      H: mov.u32 %r3, 0; mov.u32 %r7, 2; add.u32 %r1, %r0, %r4; and.b32 %r1, %r1, 1;
      setp.eq.u32 %p0, %r1, 0; @%p0 bra I; st.global.u32 [%rd0+400], %r7; mov.u32 %r7, 4;
      I: add.u32 %r3, %r3, 1; mad.lo.u32 %r6, %r4, %r3, %r0; setp.lt.u32 %p1, %r3, %r7; @%p1 bra I;
      add.u32 %r4, %r4, 1; and.b32 %r2, %r0, 7; setp.le.u32 %p2, %r4, %r2; @%p2 bra H;
      mov.u32 %r5, %r6; ${STORE}`,
    model: (t) => ((t + (t & 7)) & 1 ? 4 : 2) * (t & 7) + t,
  },
  "regression: what is kept in each round is kept of what an inner loop keeps in each round": {
    // Some lanes go round early in the outer loop, beside those that leave it: these don't do so aside.
    body: `mov.u32 %r4, 0; and.b32 %r7, %r0, 3; and.b32 %r2, %r0, 7;
      H: mov.u32 %r3, 0; add.u32 %r4, %r4, 1;
      I: add.u32 %r3, %r3, 1; mad.lo.u32 %r6, %r4, %r3, %r0; setp.le.u32 %p1, %r3, %r7; @%p1 bra I;
      and.b32 %r1, %r4, 3; setp.ne.u32 %p0, %r1, %r7; @%p0 bra H;
      setp.le.u32 %p2, %r4, %r2; @%p2 bra H;
      mad.lo.u32 %r5, %r6, 1000, %r4; ${STORE}`,
    model(t) {
      let i = 1;
      while ((i & 3) !== (t & 3) || i <= (t & 7)) i++;
      return (i * ((t & 3) + 1) + t) * 1000 + i;
    },
  },
  "no lane leaves with a value, but for what it has stored": {
    body: `mul.wide.u32 %rd9, %r0, 4; add.s64 %rd9, %rd0, %rd9; mov.u32 %r4, 0;
      H: add.u32 %r4, %r4, 1; st.global.u32 [%rd9], %r4; mul.lo.u32 %r1, %r4, %r4; setp.le.u32 %p0, %r1, %r0;
      @%p0 bra H;`,
    model: (t) => Math.floor(Math.sqrt(t)) + 1,
  },
};

for (const width of WIDTHS) {
  describe(`lanes that leave a loop, ${width} lanes`, () => {
    for (const [name, { body, model }] of Object.entries(CASES)) {
      // Whole groups, a last group of three, and the second half of each group's lanes left out before.
      for (const [block, guard] of [
        [THREADS, ""],
        [THREADS - 1, ""],
        [THREADS, "and.b32 %r8, %r0, 2; setp.ne.u32 %p3, %r8, 0; @%p3 bra Z;"],
      ] as const) {
        test(`${name}: ${block} threads${guard ? ", some of which are not there" : ""}`, async () => {
          const bench = await Bench.create(width);
          const out = bench.zeros(4 * THREADS);
          const text = kernelText(1, `${guard} ${body} Z: ret;`);
          assert.equal(bench.run(text, [out], { block, timeoutMs: 20000 }), undefined);
          assert.deepEqual(
            bench.words(out, THREADS),
            Array.from({ length: THREADS }, (_, t) =>
              t >= block || (guard && t & 2) ? 0 : model(t),
            ),
          );
        });
      }
    }
  });
}

/** By loop of a region: the selects by masks in a round before its first branch. */
async function selectsInFront(body: string): Promise<number[]> {
  const lowered = await lowerText(kernelText(1, body));
  const { wasm } = compileKernel(lowered, { fma: "exact", shape: [THREADS, 1, 1], width: 4 });
  // The region's function is the longest.
  const region = bodiesOf(wasm).reduce((a, b) => (a.length > b.length ? a : b));
  const r = new Reader(region);
  for (let runs = r.u32(); runs > 0; runs--) {
    r.u32();
    r.u8();
  }
  const counts: number[] = [];
  let [loops, count] = [0, -1];
  while (r.pos < region.length) {
    const at = r.pos;
    const op = r.u8();
    if (op >= OP.block && op <= OP.if) {
      r.skipLeb();
      if (op === OP.if) count = -1;
      loops = op === OP.loop ? loops + 1 : 0;
      if (loops === 2) count = 0; // rounds are of the inner one of two
      continue;
    }
    loops = 0;
    if (op === OP.br_if && count >= 0) {
      counts.push(count);
      count = -1;
    }
    if (op === OP.br || op === OP.br_if) r.skipLeb();
    else if (op === OP.call) r.u32();
    else skipImmediates(r, op);
    if (op !== SIMD || count < 0) continue;
    const simd = new Reader(region, at + 1).u32();
    if (simd === BITSELECT) count++;
  }
  return counts;
}

describe("what lanes take along out of a loop", () => {
  for (const name of Object.keys(CASES).slice(0, 3)) {
    test(`is not selected in rounds that none leaves in: ${name}`, async () => {
      const counts = await selectsInFront((CASES[name] as Case).body);
      assert.ok(counts.length >= 2, `${counts.length} loops`);
      assert.deepEqual(
        counts,
        counts.map(() => 0),
      );
    });
  }
});
