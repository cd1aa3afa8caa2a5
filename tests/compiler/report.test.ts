/** What the report says of accesses: how a group of lanes makes each, and so what it costs. */
import assert from "node:assert/strict";
import { formatReport, reportKernel } from "../../runtime/compiler/index.ts";
import { describe, test } from "../harness.ts";
import { kernelText } from "./bench.ts";
import { lowerText } from "./lower.ts";

const at = (to: string, base: string, index: string, bytes: number) =>
  `mul.wide.u32 ${to}, ${index}, ${bytes}; add.s64 ${to}, ${base}, ${to};`;
const STORE = `${at("%rd9", "%rd1", "%r0", 4)} st.global.u32 [%rd9], %r5;`;

type AccessReport = ReturnType<typeof reportKernel>["accesses"][number];

async function report(body: string) {
  // One instruction a line: an access is told by its line.
  return reportKernel(await lowerText(kernelText(2, body.replaceAll("; ", ";\n"))), [64, 1, 1]);
}

/** How the first access is made, and how often. */
const cases: [string, string, Partial<AccessReport>, string][] = [
  [
    "one address",
    `ld.global.u32 %r5, [%rd0]; ${STORE}`,
    { pattern: "uniform", loads: 1 },
    "1 loads",
  ],
  [
    "words in a row",
    `${at("%rd4", "%rd0", "%r0", 4)} ld.global.u32 %r5, [%rd4]; ${STORE}`,
    { pattern: "contiguous", loads: 1 },
    "1 loads",
  ],
  [
    "bytes in a row",
    `${at("%rd4", "%rd0", "%r0", 1)} ld.global.u8 %r5, [%rd4]; ${STORE}`,
    { pattern: "contiguous", loads: 1 },
    "1 loads",
  ],
  [
    "every third word",
    `${at("%rd4", "%rd0", "%r0", 12)} ld.global.u32 %r5, [%rd4]; ${STORE}`,
    { pattern: "stride of 12 bytes", loads: 1 },
    "1 loads",
  ],
  [
    "regression: four words for each thread, which are no vectors of a group",
    `${at("%rd4", "%rd0", "%r0", 16)} ld.global.v4.u32 {%r1, %r2, %r3, %r5}, [%rd4];
      add.u32 %r1, %r1, %r2; add.u32 %r3, %r3, %r5; xor.b32 %r5, %r1, %r3; ${STORE}`,
    { pattern: "stride of 16 bytes, by transposes", loads: 4 },
    "4 loads",
  ],
  [
    "four words of each thread where data says",
    `${at("%rd4", "%rd0", "%r0", 4)} ld.global.u32 %r1, [%rd4]; ${at("%rd5", "%rd0", "%r1", 16)}
      ld.global.v4.u32 {%r1, %r2, %r3, %r5}, [%rd5];
      add.u32 %r1, %r1, %r2; add.u32 %r3, %r3, %r5; xor.b32 %r5, %r1, %r3; ${STORE}`,
    { pattern: "gathered, by transposes", loads: 4 },
    "4 loads",
  ],
  [
    "where data says",
    `${at("%rd4", "%rd0", "%r0", 4)} ld.global.u32 %r1, [%rd4]; ${at("%rd5", "%rd0", "%r1", 4)}
      ld.global.u32 %r5, [%rd5]; ${STORE}`,
    { pattern: "gathered", loads: 1 },
    "1 loads",
  ],
  [
    "where a division says",
    `rem.u32 %r1, %r0, 50; ${at("%rd4", "%rd0", "%r1", 4)} ld.global.u32 %r5, [%rd4]; ${STORE}`,
    { pattern: "tried as contiguous, else gathered", loads: 1 },
    "1 loads",
  ],
  [
    "regression: atomic operations in a row, which are no stores",
    `${at("%rd4", "%rd0", "%r0", 4)} atom.global.add.u32 %r5, [%rd4], 1; ${STORE}`,
    { pattern: "lane by lane", loads: 0, stores: 0, atomics: 1 },
    "1 atomics",
  ],
  [
    "atomic operations on one word",
    `red.global.add.u32 [%rd0], 1; mov.u32 %r5, 1; ${STORE}`,
    { pattern: "lane by lane, to one address", atomics: 1 },
    "1 atomics",
  ],
];

describe("the report says of an access how a group makes it", () => {
  for (const [name, body, expected, uses] of cases) {
    test(name, async () => {
      const found = await report(body);
      const data = found.accesses.filter((a) => !a.text.includes("%rd9"));
      const last = data.at(-1);
      assert.ok(last, formatReport(found));
      assert.deepEqual({ ...last, ...expected }, last);
      const line = `    line ${last.line}: ${last.pattern} (${uses}): ${last.text}\n`;
      assert.ok(formatReport(found).includes(line), formatReport(found));
    });
  }

  test("lanes at known distances, where a test for the block says so", async () => {
    const body = `mul.lo.u32 %r1, %r0, 2; ${at("%rd4", "%rd0", "%r1", 4)} ld.global.u32 %r5, [%rd4]; ${STORE}`;
    const [access] = (await report(body)).accesses;
    assert.match(
      access?.pattern ?? "",
      /^stride of 8 bytes; where tests pass, lanes at known distances$/,
    );
  });

  test("why a kernel runs one thread at a time", async () => {
    const body = `${at("%rd4", "%rd1", "%r0", 4)} ld.global.u32 %r1, [%rd4]; mov.u32 %r2, 0; mov.u32 %r5, %r0;
      L: ${at("%rd5", "%rd0", "%r5", 4)} ld.global.u32 %r5, [%rd5];
      add.u32 %r2, %r2, 1; setp.lt.u32 %p0, %r2, %r1; @%p0 bra L; ${STORE}`;
    const found = await report(body);
    assert.equal(found.width, 1);
    assert.match(
      formatReport(found),
      /^kernel k: one thread at a time\n {2}because lanes leave a loop apart that gathers from memory\n/,
    );
  });
});
