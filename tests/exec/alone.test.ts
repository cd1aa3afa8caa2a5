/** Kernels with atomic operations on device memory have a form for one thread that runs all blocks. */
import assert from "node:assert/strict";
import { Device } from "../../index.ts";
import { compileKernel } from "../../runtime/compiler/index.ts";
import { lowerText } from "../compiler/lower.ts";
import { describe, test } from "../harness.ts";

/** i32.atomic.rmw.add with its alignment (WebAssembly threads proposal, binary format). */
const REAL_ADD = [0xfe, 0x1e, 0x02];

/** Adds 1 to a counter from every thread, then `rounds` times to a word of its block's column. */
const count = (scope: string) => `
  .version 8.0
  .target sm_70
  .address_size 64
  .visible .entry count(.param .u64 words, .param .u32 rounds) {
    .reg .pred %p<2>; .reg .b32 %r<9>; .reg .b64 %rd<6>;
    ld.param.u64 %rd1, [words]; cvta.to.global.u64 %rd1, %rd1; ld.param.u32 %r1, [rounds];
    red.global.${scope}.add.u32 [%rd1], 1;
    mov.u32 %r2, %tid.x; and.b32 %r2, %r2, 15; add.s32 %r2, %r2, 1;
    mul.wide.u32 %rd2, %r2, 4; add.s64 %rd2, %rd1, %rd2;
    L: red.global.${scope}.add.u32 [%rd2], 1;
    add.s32 %r1, %r1, -1; setp.ne.s32 %p1, %r1, 0; @%p1 bra L;
    ret;
  }`;

async function hasRealAdd(scope: string, alone: boolean): Promise<boolean> {
  const lowered = await lowerText(count(scope));
  const { wasm } = compileKernel(lowered, { fma: "exact", shape: [64, 1, 1], alone });
  return wasm.some((_, k) => REAL_ADD.every((byte, n) => wasm[k + n] === byte));
}

describe("atomic operations of one thread alone", () => {
  test("are plain ones in the device's scope; where the host may take part they stay", async () => {
    assert.equal(await hasRealAdd("gpu", false), true);
    assert.equal(await hasRealAdd("gpu", true), false);
    assert.equal(await hasRealAdd("sys", true), true);
  });

  for (const workers of [0, 1, 2]) {
    test(`lose nothing while launches are short, long and short again: ${workers} workers`, async () => {
      using device = await Device.open({ workers });
      using module = device.loadModule(count("gpu"));
      using words = device.upload(new Uint32Array(17));
      const kernel = module.kernel("count");
      let threads = 0;
      let additions = 0;
      // Longer and longer launches, so that each form of the kernel has its turn.
      for (let k = 0; k < 60; k++) {
        const [grid, rounds] = k % 3 === 0 ? [1, 2] : [1 + ((k * 37) % 64), 1 + 8 * k];
        kernel.launch({ grid, block: 64 }, words, rounds);
        threads += 64 * grid;
        additions += 64 * grid * rounds;
      }
      device.synchronize();
      const [total, ...columns] = words.read(new Uint32Array(17));
      assert.equal(total, threads);
      assert.deepEqual(new Set(columns), new Set([additions / 16]));
    });
  }
});
