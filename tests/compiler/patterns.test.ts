import assert from "node:assert/strict";
import { I32, Value } from "../../runtime/compiler/ir/ir.ts";
import { comesFromLoad } from "../../runtime/compiler/simd/patterns.ts";
import { type Shape, varying } from "../../runtime/compiler/simd/shapes.ts";
import { describe, test } from "../harness.ts";

/** A chain of sums that begins with an operation, and how often shapes are asked for. */
function chain(first: string, length: number) {
  const start = new Value(first, I32, []);
  const sums: Value[] = [];
  for (let last = start; sums.length < length; sums.push(last)) {
    last = new Value("i32_add", I32, [last, start]);
  }
  const asked = { count: 0 };
  const shape = (): Shape => {
    asked.count++;
    return varying;
  };
  return { sums, asked, shape };
}

describe("what lanes have loaded", () => {
  for (const [first, expected] of [
    ["load", true],
    ["sreg", false],
  ] as const) {
    test(`regression: of a long chain from a ${first} it is found out in linear time`, () => {
      const { sums, asked, shape } = chain(first, 2000);
      // From the end, which looks at the whole chain, and from the start, link by link.
      for (const v of [...sums.slice(-1000), ...sums]) {
        assert.equal(comesFromLoad(shape, v), expected);
      }
      assert.ok(asked.count < 4 * sums.length, `${asked.count} questions`);
    });
  }

  test("a loop's value depends on what a later round loads", () => {
    const { shape } = chain("sreg", 1);
    const start = new Value("sreg", I32, []);
    const phi = new Value("phi", I32, [start]);
    const sum = new Value("i32_add", I32, [phi, start]);
    const load = new Value("load", I32, [sum]);
    const next = new Value("i32_add", I32, [sum, load]);
    phi.args.push(next);
    assert.equal(comesFromLoad(shape, next), true);
    assert.equal(comesFromLoad(shape, phi), true);
    assert.equal(comesFromLoad(shape, start), false);
  });
});
