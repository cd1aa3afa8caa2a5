import assert from "node:assert/strict";
import * as cuda from "../../cuda-shim/index.ts";
import { describe, test } from "../harness.ts";
import { ELSEWHERE, TABLE, typeOf } from "./entry-table.ts";
import { Fixture } from "./entry-types.ts";
import { withTwoDevices } from "./support.ts";

const ENTRY_POINTS = Object.entries(cuda).filter(
  ([name, value]) => /^(__)?cuda[A-Z]/.test(name) && typeof value === "function",
) as [string, (...args: unknown[]) => number][];

describe("every entry point", () => {
  test("is in the table, or has its tests elsewhere", () => {
    const missing = ENTRY_POINTS.map(([name]) => name).filter(
      (name) => !(name in TABLE) && !ELSEWHERE.has(name),
    );
    assert.deepEqual(missing, []);
    const names = new Set(ENTRY_POINTS.map(([name]) => name));
    const gone = [...Object.keys(TABLE), ...ELSEWHERE].filter((name) => !names.has(name));
    assert.deepEqual(gone, []);
  });

  for (const [name, fn] of ENTRY_POINTS) {
    const parameters = TABLE[name]?.map(typeOf);
    if (!parameters) continue;
    test(`${name} with null, ended, foreign and wrong handles, and sizes that are none`, () =>
      withTwoDevices(() => {
        const fx = new Fixture(cuda);
        const good = () => parameters.map((type) => type.good(fx));
        const wrong: string[] = [];
        const expect = (what: string, args: unknown[], expected: string) => {
          const error = cuda.cudaGetErrorName(fn(...args));
          if (error !== expected) wrong.push(`${what}: ${error} instead of ${expected}`);
        };
        expect("all good", good(), "cudaSuccess");
        for (const [index, type] of parameters.entries()) {
          for (const [label, make, error] of type.bad) {
            const args = good();
            args[index] = make(fx);
            expect(`argument ${index} ${label}`, args, error);
          }
        }
        expect("all good afterwards", good(), "cudaSuccess");
        assert.deepEqual(wrong, []);
      }));
  }
});
