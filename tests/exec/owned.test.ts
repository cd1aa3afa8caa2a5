/**
 * Stores under masks that write whole vectors where each thread of a launch stores to addresses of its own:
 * nothing is written but what lanes store, and what other workers store meanwhile is not lost.
 */
import assert from "node:assert/strict";
import { Device } from "../../index.ts";
import { Bench } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

type Shape = [number, number, number];

/** r3 = x, r7 = y; %r8 and %r9 are parameters. */
const text = (body: string) => `.version 8.5
.target sm_90
.address_size 64
.visible .entry k(.param .u64 p0, .param .u64 p1, .param .u32 a, .param .u32 b) {
.reg .pred %p<8>; .reg .b32 %r<32>; .reg .b64 %rd<32>; .reg .f64 %d<8>;
ld.param.u64 %rd0, [p0]; cvta.to.global.u64 %rd0, %rd0; ld.param.u64 %rd1, [p1]; cvta.to.global.u64 %rd1, %rd1;
ld.param.u32 %r8, [a]; ld.param.u32 %r9, [b]; mov.u32 %r0, %tid.x;
mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mad.lo.s32 %r3, %r1, %r2, %r0;
mov.u32 %r4, %ctaid.y; mov.u32 %r5, %ntid.y; mov.u32 %r6, %tid.y; mad.lo.s32 %r7, %r4, %r5, %r6;
${body} ret; }`;

/** Adds 1 to word y × a + x where the thread's byte says so: y × b + x of p1. */
const ADD = `mad.lo.s32 %r10, %r7, %r9, %r3; cvt.s64.s32 %rd4, %r10; add.s64 %rd4, %rd1, %rd4; ld.global.u8 %r11, [%rd4];
  mad.lo.s32 %r10, %r7, %r8, %r3; mul.wide.s32 %rd5, %r10, 4; add.s64 %rd6, %rd0, %rd5; ld.global.u32 %r12, [%rd6];
  setp.eq.u32 %p0, %r11, 0; @%p0 bra E; add.u32 %r12, %r12, 1; st.global.u32 [%rd6], %r12; E:`;

const hash = (n: number) => (Math.imul(n ^ (n >>> 7), 2654435761) >>> 9) & 0xffff;

/** Its own, since what the host writes is changed. */
const lonely = Bench.create(4);

describe("stores of some lanes to addresses of their own", () => {
  const shapes: { block: Shape; grid: Shape; pitch: number }[] = [
    { block: [64, 1, 1], grid: [9, 1, 1], pitch: 0 },
    { block: [16, 4, 1], grid: [6, 3, 1], pitch: 96 },
    { block: [16, 4, 1], grid: [6, 3, 1], pitch: 101 },
  ];
  for (const { block, grid, pitch } of shapes) {
    for (const share of [0, 0x100, 0x4000, 0xf000]) {
      test(`blocks of ${block} with a pitch of ${pitch}, ${share} of 65536 lanes`, async () => {
        const [width, height] = [grid[0] * block[0], grid[1] * block[1]];
        const chosen = Uint8Array.from({ length: width * height }, (_, k) => +(hash(k) < share));
        const words = Math.max(pitch, 1) * (height - 1) + width + 8;
        const old = Uint32Array.from({ length: words }, (_, k) => hash(k + 99));
        const expected = old.slice();
        chosen.forEach((c, k) => {
          const at = Math.floor(k / width) * pitch + (k % width);
          expected[at]! += c;
        });
        for (const host of [{ low: 0, high: 0 }, undefined]) {
          const bench = await lonely;
          bench.hostWrites = host;
          const pointers = [bench.upload(old), bench.upload(chosen)];
          const params = [...pointers, pitch, width];
          assert.equal(bench.run(text(ADD), params, { block, grid }), undefined);
          assert.deepEqual(bench.words(pointers[0]!, words), [...expected]);
        }
      });
    }
  }

  test("of 64 bits, and of pairs at any distance", async () => {
    const n = 512;
    const body = `add.s32 %r10, %r8, -1; and.b32 %r11, %r3, %r10; shl.b32 %r12, %r3, 1; sub.s32 %r10, %r12, %r11;
      add.s32 %r11, %r10, %r8; mul.wide.s32 %rd4, %r10, 8; add.s64 %rd5, %rd0, %rd4; mul.wide.s32 %rd6, %r11, 8;
      add.s64 %rd7, %rd0, %rd6; ld.global.f64 %d1, [%rd5]; ld.global.f64 %d2, [%rd7]; setp.le.f64 %p0, %d1, %d2;
      @%p0 bra E; st.global.f64 [%rd5], %d2; st.global.f64 [%rd7], %d1; E:`;
    for (const distance of [1, 2, 4, 8, 64, n]) {
      const data = Float64Array.from({ length: 2 * n }, (_, k) => hash(k));
      const expected = data.slice();
      for (let t = 0; t < n; t++) {
        const i = 2 * t - (t & (distance - 1));
        const [a, b] = [data[i]!, data[i + distance]!];
        if (a > b) [expected[i], expected[i + distance]] = [b, a];
      }
      const bench = await Bench.shared(4);
      const pointer = bench.upload(new Uint32Array(data.buffer));
      const options = { block: [64, 1, 1] as Shape, grid: [n / 64, 1, 1] as Shape };
      assert.equal(bench.run(text(body), [pointer, pointer, distance, 0], options), undefined);
      const got = new Float64Array(bench.bytes(pointer, 16 * n).buffer);
      assert.deepEqual([...got], [...expected], `${distance}`);
    }
  });

  test("what two workers store to neighbouring words is not lost, in rows that overlap", async () => {
    // Each word belongs to one thread, but to which of the rows' data decides: by its address alone it might
    // be that of any row that lies over it, and these are different workers'.
    using device = await Device.open({ workers: 1 });
    using module = device.loadModule(text(ADD));
    const [width, height] = [1024, 128];
    for (const [pitch, rounds] of [
      [0, 1200],
      [1, 1200],
      [width / 2 - 1, 60],
      [width - 6, 60],
      [width, 60],
    ] as const) {
      const chosen = new Uint8Array(width * height);
      const words = pitch * (height - 1) + width;
      for (let at = 0; at < words; at++) {
        const first = Math.max(0, Math.ceil((at - width + 1) / Math.max(pitch, 1)));
        const last = Math.min(height - 1, Math.floor(at / Math.max(pitch, 1)));
        const y = pitch === 0 ? hash(at) % height : first + (hash(at) % (last - first + 1));
        chosen[y * width + at - y * pitch] = 1;
      }
      using counts = device.upload(new Uint32Array(words));
      using bytes = device.upload(chosen);
      const kernel = module.kernel("k");
      for (let k = 0; k < rounds; k++) {
        const shape = { grid: [width / 64, height / 2], block: [64, 2] };
        kernel.launch(shape as never, counts, bytes, pitch, width);
      }
      device.synchronize();
      const wrong = counts.toArray(Uint32Array).findIndex((n) => n !== rounds);
      assert.equal(wrong, -1, `pitch ${pitch}`);
    }
  });

  test("nothing is written where other kernels' memory begins", async () => {
    // The last threads are beyond the array's end: their guard keeps them from what follows.
    const bench = await Bench.shared(4);
    const body = `setp.ge.s32 %p1, %r3, %r9; @%p1 bra E; ${ADD}`;
    const n = 250;
    const chosen = Uint8Array.from({ length: n }, (_, k) => k & 1);
    const pointers = [bench.upload(new Uint32Array(n + 6)), bench.upload(chosen)];
    const options = { block: [64, 1, 1] as Shape, grid: [4, 1, 1] as Shape };
    assert.equal(bench.run(text(body), [...pointers, 0, n], options), undefined);
    const expected = Array.from({ length: n + 6 }, (_, k) => (k < n ? k & 1 : 0));
    assert.deepEqual(bench.words(pointers[0]!, n + 6), expected);
  });
});
