import assert from "node:assert/strict";
import { test } from "../harness.ts";
import { STRESSED, StressPair } from "./stress/stress.ts";

const COUNT = 30_000;

/** The short form of `npm run stress:ring`. */
test(`driver and device in two threads: ${COUNT} requests a queue, none lost, doubled or torn`, async () => {
  const pair = new StressPair();
  for (const queue of STRESSED) {
    const result = await pair.run(queue, COUNT);
    assert.equal(result.error, "", queue.name);
    assert.equal(result.done, COUNT, queue.name);
  }
  await pair.stop();
});

/**
 * Code that the engine has not optimised yet has the rings' barriers, too: each pair of threads is a
 * new one, and compiles its own.
 */
test("regression: no notification is lost in a thread's first moments", async () => {
  for (let round = 0; round < 4; round++) {
    const pair = new StressPair();
    for (const queue of STRESSED) {
      const result = await pair.run(queue, 4000);
      assert.equal(result.error, "", queue.name);
    }
    await pair.stop();
  }
});
