import assert from "node:assert/strict";
import { compileKernel } from "../../runtime/compiler/index.ts";
import { rareBranches } from "../../runtime/compiler/wasm/hints.ts";
import { Reader } from "../../runtime/compiler/wasm/reader.ts";
import { describe, test } from "../harness.ts";
import { bodiesOf, kernelText } from "./bench.ts";
import { lowerText } from "./lower.ts";

const IF = 0x04;
const BR_IF = 0x0d;

/** A loop over memory: range checks, and a poll at its end. */
const BODY = `mul.wide.u32 %rd4, %r0, 4; add.s64 %rd5, %rd0, %rd4; ld.global.u32 %r1, [%rd5]; mov.u32 %r2, 0;
  L: add.u32 %r2, %r2, 1; st.global.u32 [%rd5], %r2; add.s64 %rd5, %rd5, 256;
  setp.lt.u32 %p0, %r2, %r1; @%p0 bra L;`;

async function compile(width: 1 | 4): Promise<Uint8Array<ArrayBuffer>> {
  const lowered = await lowerText(kernelText(1, BODY), "k");
  return compileKernel(lowered, { fma: "exact", shape: [64, 1, 1], width }).wasm;
}

describe("branch hints", () => {
  for (const width of [1, 4] as const) {
    test(`name faults and polls, ${width} lanes`, async () => {
      const wasm = await compile(width);
      const module = new WebAssembly.Module(wasm);
      const [section] = WebAssembly.Module.customSections(module, "metadata.code.branch_hint");
      assert.ok(section);
      const r = new Reader(new Uint8Array(section));
      const bodies = bodiesOf(wasm);
      const imports = WebAssembly.Module.imports(module).filter(
        (i) => i.kind === "function",
      ).length;
      let inRegion = 0;
      let rounds = 0;
      for (let functions = r.u32(), last = -1; functions > 0; functions--) {
        const index = r.u32();
        assert.ok(index > last);
        last = index;
        const body = bodies[index - imports];
        assert.ok(body);
        for (let hints = r.u32(), before = -1; hints > 0; hints--) {
          const at = r.u32();
          assert.ok(at > before);
          before = at;
          // Faults lie in `if`s; the poll is passed by.
          const taken = body[at] === BR_IF ? 1 : 0;
          assert.equal(body[at], taken ? BR_IF : IF);
          assert.deepEqual([r.u32(), r.u8()], [1, taken]);
          if (taken) rounds++;
          if (index === imports + bodies.length - 1 || body.length > 300) inRegion++;
        }
      }
      assert.equal(r.pos, section.byteLength);
      // Two accesses at least, and the loop's end.
      assert.ok(inRegion >= 3, `${inRegion} in the region`);
      assert.ok(rounds >= 1, "the loop's rounds are not hinted");
    });
  }

  test("only an if whose own code has the call, before its else", () => {
    // if; if; call 7; end; else; call 7; end; if; block; call 7; end; call 8; end
    const code = [
      4, 64, 4, 64, 0x10, 7, 11, 5, 0x10, 7, 11, 4, 64, 2, 64, 0x10, 7, 11, 0x10, 8, 11,
    ];
    const hints = (rare: number) => rareBranches(Uint8Array.from(code), new Set([rare]));
    assert.deepEqual(hints(7), [{ at: 2, taken: false }]);
    assert.deepEqual(hints(8), [{ at: 11, taken: false }]);
  });

  test("a br_if past the call, if nothing else comes between, and not what lies around", () => {
    // if; loop; br_if 0; local.get 1; call 7; br 1; end; br_if 0; br 0; call 7; end
    const code = [4, 64, 3, 64, 13, 0, 0x20, 1, 0x10, 7, 12, 1, 11, 13, 0, 12, 0, 0x10, 7, 11];
    assert.deepEqual(rareBranches(Uint8Array.from(code), new Set([7])), [
      { at: 0, taken: false },
      { at: 4, taken: true },
    ]);
  });
});
