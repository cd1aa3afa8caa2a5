/** The first few threads of a kernel without loops run in scalar code, which takes half the time to compile. */
import assert from "node:assert/strict";
import { Device } from "../../index.ts";
import { Executor } from "../../runtime/exec/index.ts";
import { describe, test } from "../harness.ts";

/** Adds 1 to a counter and to an element of each thread; with a barrier and a loop, if asked for. */
const text = (barrier: boolean, loop: boolean) => `
  .version 8.0
  .target sm_70
  .address_size 64
  .visible .entry k(.param .u64 words) {
    .reg .pred %p<2>; .reg .b32 %r<9>; .reg .b64 %rd<6>;
    .shared .align 4 .b8 tile[4096];
    ld.param.u64 %rd1, [words]; cvta.to.global.u64 %rd1, %rd1;
    red.global.gpu.add.u32 [%rd1], 1;
    mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x;
    mad.lo.u32 %r4, %r2, %r3, %r1;
    mul.wide.u32 %rd2, %r4, 4; add.s64 %rd2, %rd1, %rd2;
    ${loop ? "mov.u32 %r6, 0; L: add.u32 %r6, %r6, 1; setp.lt.u32 %p1, %r6, 3; @%p1 bra L;" : ""}
    ld.global.u32 %r5, [%rd2+4];
    mul.wide.u32 %rd3, %r1, 4; mov.u64 %rd4, tile; add.s64 %rd3, %rd3, %rd4;
    st.shared.u32 [%rd3], %r5;
    ${barrier ? "bar.sync 0;" : ""}
    ld.shared.u32 %r5, [%rd3];
    add.u32 %r5, %r5, 1; st.global.u32 [%rd2+4], %r5;
    ret;
  }`;

/** Which forms of kernels `body` has compiled, each with the threads of a lane group. */
async function formsIn(body: () => void | Promise<void>): Promise<string[]> {
  const forms: string[] = [];
  const { place } = Executor.prototype;
  Executor.prototype.place = function (compiled, form, several) {
    forms.push(`${form} ${compiled.width}`);
    return place.call(this, compiled, form, several);
  };
  try {
    await body();
  } finally {
    Executor.prototype.place = place;
  }
  return forms;
}

/** Launches grids of blocks of 64 threads; then what they have left must be right. */
async function launch(grids: readonly number[], ptx: string, workers: number): Promise<void> {
  using device = await Device.open({ workers });
  using module = device.loadModule(ptx);
  const most = 64 * Math.max(...grids);
  using words = device.upload(new Uint32Array(most + 1));
  const kernel = module.kernel("k");
  const expected = new Uint32Array(most + 1);
  for (const grid of grids) {
    kernel.launch({ grid, block: 64 }, words);
    expected[0]! += 64 * grid;
    for (let k = 1; k <= 64 * grid; k++) expected[k]! += 1;
  }
  assert.deepEqual(words.toArray(Uint32Array), expected);
}

describe("the first threads of a kernel", () => {
  for (const barrier of [false, true]) {
    test(`run in scalar code until there are many; ${barrier ? "two regions" : "one"}`, async () => {
      const ptx = text(barrier, false);
      const few = [1, 2, 1];
      assert.deepEqual(await formsIn(() => launch(few, ptx, 0)), ["brief 1"]);
      const forms = await formsIn(() => launch([...few, 4096, ...few], ptx, 0));
      assert.deepEqual(forms, ["brief 1", "alone 4"]);
      // With workers lane groups have a form for several threads, too, and history says which runs.
      const [first, second] = await formsIn(() => launch([...few, 4096, ...few], ptx, 1));
      assert.deepEqual([first, second], ["brief 1", "several 4"]);
      // Many small launches come to the same.
      const small = Array.from({ length: 100 }, () => 2);
      assert.deepEqual(await formsIn(() => launch(small, ptx, 0)), ["brief 1", "alone 4"]);
      // A first launch that is large has lane groups at once, and so have small ones behind it.
      assert.deepEqual(await formsIn(() => launch([4096, 1], ptx, 0)), ["alone 4"]);
    });
  }

  test("are in lane groups where loops decide how long they run", async () => {
    assert.deepEqual(await formsIn(() => launch([1], text(false, true), 0)), ["alone 4"]);
  });

  test("each kernel has as many, whatever the shapes of its blocks", async () => {
    const forms = await formsIn(async () => {
      using device = await Device.open({ workers: 0 });
      using module = device.loadModule(text(false, false));
      using words = device.upload(new Uint32Array(1025));
      for (let block = 32; block <= 1024; block += 32) {
        module.kernel("k").launch({ grid: 1, block }, words);
      }
      const expected = Array.from({ length: 1024 }, (_, k) => 32 - Math.floor(k / 32));
      const [total, ...each] = words.toArray(Uint32Array);
      assert.deepEqual(each, expected);
      assert.equal(total, (32 * 33 * 32) / 2);
    });
    assert.equal(forms.length, 32);
    const switched = forms.indexOf("alone 4");
    assert.ok(switched > 0 && forms.slice(0, switched).every((form) => form === "brief 1"));
    assert.ok(forms.slice(switched).every((form) => form === "alone 4" || form === "brief 1"));
  });
});
