import assert from "node:assert/strict";
import { Bench, kernelText, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

/** Bytes from one lane to the next: side by side, and apart. */
const STEPS = (size: number) => [size, 3 * size];
const SUFFIX: Record<number, string> = { 1: "b8", 2: "b16", 4: "b32", 8: "b64" };

for (const width of WIDTHS) {
  describe(`accesses of some lanes, ${width} lanes`, () => {
    for (const size of [1, 2, 4, 8]) {
      for (const space of ["global", "shared"]) {
        for (const step of STEPS(size)) {
          test(`${space}, ${size} bytes every ${step}: what the data says is stored, no more`, async () => {
            // Element t of the input says whether lane t adds one to element t of the output.
            const n = 64;
            const shared = space === "shared";
            const value = size === 8 ? "%rd6" : "%r5";
            const type = SUFFIX[size];
            const add = size === 8 ? "add.u64 %rd6, %rd6, 1;" : "add.u32 %r5, %r5, 1;";
            const at = shared ? "[%r7+8]" : "[%rd4+8]";
            const bytes = n * step + 16;
            const copy = (to: string, from: string) => {
              const place = (where: string) => (where === "shared" ? "[%r10]" : "[%rd8]");
              return `mov.u32 %r8, %r0; mov.u32 %r9, s;
                C${to}: setp.ge.u32 %p1, %r8, ${bytes}; @%p1 bra D${to};
                cvt.u64.u32 %rd7, %r8; add.s64 %rd8, %rd1, %rd7; add.u32 %r10, %r9, %r8;
                ld.${from}.u8 %r11, ${place(from)}; st.${to}.u8 ${place(to)}, %r11;
                add.u32 %r8, %r8, ${n}; bra C${to}; D${to}: bar.sync 0;`;
            };
            const body = `${shared ? copy("shared", "global") : ""}
              mul.wide.u32 %rd2, %r0, 4; add.s64 %rd3, %rd0, %rd2; ld.global.u32 %r1, [%rd3];
              mul.wide.u32 %rd4, %r0, ${step}; add.s64 %rd4, %rd1, %rd4; mul.lo.u32 %r7, %r0, ${step}; mov.u32 %r9, s; add.u32 %r7, %r7, %r9;
              setp.eq.u32 %p0, %r1, 0; @%p0 bra E;
              ld.${space}.${type} ${value}, ${at}; ${add} st.${space}.${type} ${at}, ${value};
              E: ${shared ? `bar.sync 0; ${copy("global", "shared")}` : ""}`;
            const bench = await Bench.create(width);
            const chosen = Array.from({ length: n }, (_, t) =>
              t < 8 ? t & 4 : (t * 37) & 8 ? 1 : 0,
            );
            const input = bench.upload(Uint32Array.from(chosen));
            const before = Uint8Array.from({ length: bytes }, (_, k) => (k * 7) & 127);
            const output = bench.upload(before);
            const fault = bench.run(
              kernelText(2, body, `.shared .align 16 .b8 s[${bytes}];`),
              [input, output],
              { block: n },
            );
            assert.equal(fault, undefined);
            const expected = before.slice();
            chosen.forEach((c, t) => {
              if (c) expected[t * step + 8]++;
            });
            assert.deepEqual(bench.bytes(output, bytes), expected);
          });
        }
      }
    }
  });
}
