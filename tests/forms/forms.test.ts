/**
 * Every instruction form that nvcc made of 142 public programs is executed, with an answer that depends
 * on it: a recorded case's, which an H100 gave, or one that plain TypeScript gives.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Bench, WIDTHS } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { atomicCase } from "./atomics.ts";
import { CONTROL } from "./control.ts";
import { type FormCase, THREADS } from "./kernel.ts";
import { matrixCase } from "./matrices.ts";
import { memoryCase } from "./memory.ts";
import { answersAsRecorded, type Recorded, recordedForms } from "./recorded.ts";

/** The forms, those of the most programs first. */
const FORMS = readFileSync(new URL("../ptx/fixtures/opcode-forms.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split(" ")[0] as string);

const RECORDED = recordedForms();

/** A case of our own; those whose kernels follow from the name come last. */
function ownCase(form: string): FormCase | undefined {
  return (
    CONTROL[form] ?? ARITHMETIC[form] ?? matrixCase(form) ?? atomicCase(form) ?? memoryCase(form)
  );
}

/** How a form is executed: recorded answers come first, but not of kernels that are about another form. */
function caseOf(form: string): FormCase | Recorded | undefined {
  const recorded = RECORDED.get(form);
  if (recorded && recorded.name === form) return recorded;
  return ownCase(form) ?? recorded;
}

/** Whether the kernel leaves behind what it must. */
function answers(bench: Bench, c: FormCase | Recorded, ptx: string, timeoutMs = 10_000): boolean {
  if ("oracle" in c) return answersAsRecorded(bench, c, ptx, timeoutMs);
  const input = bench.upload(c.input.length > 0 ? c.input : new Uint8Array(8));
  const output = bench.zeros(c.expected.length);
  const more = c.more?.(bench) ?? [];
  const fault = bench.run(ptx, [input, output, ...more], { block: THREADS, timeoutMs });
  if (fault?.code !== c.fault) return false;
  const got = bench.bytes(output, c.expected.length);
  return got.every((byte, k) => byte === c.expected[k]);
}

const textOf = (c: FormCase | Recorded): string =>
  "oracle" in c ? (c.oracle.cases[c.index]?.ptx as string) : c.ptx;

/** The instructions of a form, with their guards. */
const statements = (form: string): RegExp =>
  new RegExp(`(^|[;{}:\\s])(@!?%\\w+\\s+)?${form.replaceAll(".", "\\.")}(?![\\w.:])[^;]*;`, "g");

describe("instruction forms of public programs", () => {
  test("each of the 430 has a case that contains it", () => {
    assert.equal(FORMS.length, 430);
    const without = FORMS.filter((form) => {
      const c = caseOf(form);
      return c === undefined || !statements(form).test(textOf(c));
    });
    assert.deepEqual(without, []);
  });

  for (const width of WIDTHS) {
    test(`each answers what it must, ${width} lanes`, async () => {
      const bench = await Bench.create(width);
      const wrong: string[] = [];
      for (const form of FORMS) {
        const c = caseOf(form);
        try {
          if (c && !answers(bench, c, textOf(c))) wrong.push(form);
        } catch (error) {
          wrong.push(`${form}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      assert.deepEqual(wrong, []);
    });
  }

  test("without the instruction each answers something else", async () => {
    const bench = await Bench.create(1);
    const same: string[] = [];
    for (const form of FORMS) {
      const c = caseOf(form);
      if (!c) continue;
      const ptx = textOf(c).replace(statements(form), "$1");
      // What doesn't end without the instruction has been told apart too.
      const seen = !answers(bench, c, ptx, 200);
      if (seen === "unseen" in c) same.push(form);
    }
    assert.deepEqual(same, []);
  });
});
