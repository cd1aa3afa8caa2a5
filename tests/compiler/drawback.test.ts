import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  compileKernel,
  formatReport,
  layoutModule,
  lowerKernel,
  parsePtx,
  reportKernel,
} from "../../runtime/compiler/index.ts";
import { loadArtifacts } from "../../runtime/exec/index.ts";
import { describe, test } from "../harness.ts";
import { Bench, kernelText } from "./bench.ts";
import { lowerText } from "./lower.ts";

const THREADS = 128;
const at = (to: string, base: string, index: string) =>
  `mul.wide.u32 ${to}, ${index}, 4; add.s64 ${to}, ${base}, ${to};`;

/** `for (i = tid; i < n; i += threads)`, with x, idx, y and n in a word of memory. */
const strided = (body: string) => `ld.global.u32 %r1, [%rd3]; mov.u32 %r2, %r0;
  setp.ge.u32 %p0, %r2, %r1; @%p0 bra E;
  L: ${at("%rd4", "%rd1", "%r2")} ld.global.u32 %r3, [%rd4]; ${at("%rd5", "%rd0", "%r3")} ${body}
  add.u32 %r2, %r2, ${THREADS}; setp.lt.u32 %p0, %r2, %r1; @%p0 bra L; E:`;
const gather = strided(
  `ld.global.u32 %r4, [%rd5]; ${at("%rd6", "%rd2", "%r2")} st.global.u32 [%rd6], %r4;`,
);
const histogram = strided("red.global.add.u32 [%rd5], 1;");
/** Each thread's number of rounds is loaded. */
const ragged = `${at("%rd4", "%rd1", "%r0")} ld.global.u32 %r1, [%rd4]; mov.u32 %r2, 0; mov.u32 %r5, %r0;
  L: ${at("%rd5", "%rd0", "%r5")} ld.global.u32 %r5, [%rd5];
  add.u32 %r2, %r2, 1; setp.lt.u32 %p0, %r2, %r1; @%p0 bra L;
  ${at("%rd6", "%rd2", "%r0")} st.global.u32 [%rd6], %r5;`;

async function widthOf(text: string): Promise<number> {
  const lowered = await lowerText(text, "k");
  return compileKernel(lowered, { fma: "exact", shape: [THREADS, 1, 1] }).width;
}

describe("lane groups or one thread at a time", () => {
  test("loops over all data that gather, or add where the data says, run in lane groups", async () => {
    assert.equal(await widthOf(kernelText(4, gather)), 4);
    assert.equal(await widthOf(kernelText(4, histogram)), 4);
  });

  test("a loop whose rounds are loaded data runs one thread at a time", async () => {
    assert.equal(await widthOf(kernelText(4, ragged)), 1);
  });

  test("the report says what its loops have become", async () => {
    const { library } = await loadArtifacts();
    const file = new URL("../../bench/kernels/spmv.ptx", import.meta.url);
    const module = parsePtx(readFileSync(file, "utf8"), "spmv.ptx");
    const [fn] = module.functions;
    assert.ok(fn);
    const lowered = lowerKernel(module, layoutModule(module), fn, library);
    const report = reportKernel(lowered, [THREADS, 1, 1]);
    assert.deepEqual(report.alone, { rerolled: 1, ranged: 1, indexed: 3, rows: 68 });
    const text = formatReport(report);
    assert.match(text, /one thread at a time\n {2}because lanes leave a loop apart/);
    assert.match(text, /unrolled loops that are one loop again: 1\n/);
  });

  test("what is gathered is the same at every edge", async () => {
    const bench = await Bench.create(4);
    const idx = Uint32Array.from({ length: 700 }, (_, i) => (i * 389) % 1000);
    const x = bench.upload(Uint32Array.from({ length: 1000 }, (_, i) => i * i));
    for (const n of [0, 1, 127, 128, 130, 511, 512, 513, 699]) {
      const y = bench.zeros(4 * 700);
      const count = bench.upload(Uint32Array.of(n));
      const pointers = [x, bench.upload(idx), y, count];
      const fault = bench.run(kernelText(4, gather), pointers, { block: THREADS });
      assert.equal(fault, undefined);
      assert.deepEqual(
        bench.words(y, 700),
        [...idx].map((j, i) => (i < n ? j * j : 0)),
      );
    }
  });
});
