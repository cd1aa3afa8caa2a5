/** Every instruction that nvcc made of public CUDA programs compiles: by its full name. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { sampleModule, samplesNamed } from "../../runtime/compiler/ptx/table/sample.ts";
import { compileAll, readLibrary } from "../../scripts/ptx-support.ts";
import { describe, test } from "../harness.ts";

/** The newest target that the programs were compiled for. */
const TARGET = 80;
/** The names of `opcode-forms.txt`, those of the most programs first. */
const NAMES = readFileSync(new URL("fixtures/opcode-forms.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const found = /^(\S+) (\d+)$/.exec(line);
    assert.ok(found, `not a name and a count: ${line}`);
    return found[1] as string;
  });

describe("instructions of public programs", () => {
  test("60 opcodes, 430 full names, each once", () => {
    assert.equal(new Set(NAMES).size, NAMES.length);
    assert.equal(NAMES.length, 430);
    assert.equal(new Set(NAMES.map((name) => name.split(".")[0])).size, 60);
  });

  test("each compiles to valid WebAssembly, in lane groups and thread by thread", () => {
    const library = readLibrary();
    const wrong: string[] = [];
    for (const name of NAMES) {
      const samples = samplesNamed(name, TARGET);
      if (samples.length === 0) wrong.push(`${name}: not in the instruction table`);
      for (const text of samples) {
        assert.equal(text.split(" ")[0], name);
        try {
          compileAll(sampleModule([text]), library);
        } catch (error) {
          wrong.push(`${text}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
    assert.equal(wrong.length, 0, `\n${wrong.join("\n")}`);
  });
});
