/** What each block of a launch costs the other workers. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { OP } from "../../runtime/compiler/wasm/opcodes.ts";
import { Reader, skipImmediates } from "../../runtime/compiler/wasm/reader.ts";
import { bodiesOf } from "../compiler/bench.ts";
import { describe, test } from "../harness.ts";

const EXPORTS = 7;
const FUNCTION = 0;
const ATOMIC = 0xfe;
const I32_LOAD = 0x10;

/** The index of an exported function. */
function exported(wasm: Uint8Array, name: string): number {
  const r = new Reader(wasm, 8);
  for (;;) {
    const id = r.u8();
    const size = r.u32();
    if (id !== EXPORTS) {
      r.pos += size;
      continue;
    }
    for (let count = r.u32(); count > 0; count--) {
      const found = r.name();
      const kind = r.u8();
      const index = r.u32();
      if (found === name && kind === FUNCTION) return index;
    }
    throw new Error(`no export ${name}`);
  }
}

describe("claims of blocks", () => {
  test("regression: no atomic load, which takes a cache line from the other workers in JavaScriptCore", async () => {
    const wasm = new Uint8Array(await readFile(new URL("../../build/core.wasm", import.meta.url)));
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).filter(
      (i) => i.kind === "function",
    ).length;
    const bodies = bodiesOf(wasm);
    const reached = new Set([exported(wasm, "runLaunch")]);
    let [loads, claims] = [0, 0];
    for (const index of reached) {
      const body = bodies[index - imports];
      if (!body) continue;
      const r = new Reader(body);
      for (let runs = r.u32(); runs > 0; runs--) {
        r.u32();
        r.u8();
      }
      while (r.pos < body.length) {
        const at = r.pos;
        const op = r.u8();
        if ((op >= OP.block && op <= OP.if) || op === OP.br || op === OP.br_if) r.skipLeb();
        else if (op === OP.call) reached.add(r.u32());
        else skipImmediates(r, op);
        if (op !== ATOMIC) continue;
        if (body[at + 1] === I32_LOAD) loads++;
        else claims++;
      }
    }
    assert.ok(reached.size > 1);
    assert.ok(claims > 0, "no claim was found");
    assert.equal(loads, 0);
  });
});
