import assert from "node:assert/strict";
import { Bench, kernelText } from "../compiler/bench.ts";
import { test } from "../harness.ts";

/** A kernel with 2,000 registers, and the registers that its attributes claim for it. */
async function registersOf(directives: string): Promise<number | undefined> {
  const bench = await Bench.create();
  const adds = Array.from({ length: 1999 }, (_, k) => `add.u32 %x${k + 1}, %x${k}, %r0;`).join(
    "\n",
  );
  const text = kernelText(1, `.reg .b32 %x<2000>; mov.u32 %x0, %r0;\n${adds}`);
  const module = bench.executor.loadModule(text.replace("\n{", `\n${directives}\n{`));
  const registers = module.kernels.get("k")?.numRegs;
  module.unload();
  return registers;
}

// CUB launches as many blocks as its occupancy says: with none it counted nothing.
test("regression: a kernel with many registers fits a multiprocessor as ptxas would make it", async () => {
  assert.equal(await registersOf(""), 64);
  assert.equal(await registersOf(".maxntid 384, 1, 1"), 168);
  assert.equal(await registersOf(".maxntid 384, 1, 1 .minnctapersm 2"), 80);
  assert.equal(await registersOf(".reqntid 32, 1, 1"), 255);
  assert.equal(await registersOf(".maxnreg 40"), 40);
});
