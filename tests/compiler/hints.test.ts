import assert from "node:assert/strict";
import {
  compileKernel,
  layoutModule,
  lowerKernel,
  parsePtx,
} from "../../runtime/compiler/index.ts";
import { rareBranches } from "../../runtime/compiler/wasm/hints.ts";
import { Reader } from "../../runtime/compiler/wasm/reader.ts";
import { loadArtifacts } from "../../runtime/exec/index.ts";
import { describe, test } from "../harness.ts";
import { kernelText } from "./bench.ts";

const IF = 0x04;
const CODE_SECTION = 10;

/** A loop over memory: range checks, and a poll at its end. */
const BODY = `mul.wide.u32 %rd4, %r0, 4; add.s64 %rd5, %rd0, %rd4; ld.global.u32 %r1, [%rd5]; mov.u32 %r2, 0;
  L: add.u32 %r2, %r2, 1; st.global.u32 [%rd5], %r2; add.s64 %rd5, %rd5, 256;
  setp.lt.u32 %p0, %r2, %r1; @%p0 bra L;`;

async function compile(width: 1 | 4): Promise<Uint8Array<ArrayBuffer>> {
  const { library } = await loadArtifacts();
  const module = parsePtx(kernelText(1, BODY), "k.ptx");
  const fn = module.functions.find((f) => f.name === "k");
  assert.ok(fn);
  const lowered = lowerKernel(module, layoutModule(module), fn, library);
  return compileKernel(lowered, { fma: "exact", shape: [64, 1, 1], width }).wasm;
}

/** The bodies of a module's functions, from their locals on. */
function bodiesOf(wasm: Uint8Array): Uint8Array[] {
  const r = new Reader(wasm, 8);
  while (r.pos < wasm.length) {
    const id = r.u8();
    const size = r.u32();
    if (id !== CODE_SECTION) {
      r.pos += size;
      continue;
    }
    return Array.from({ length: r.u32() }, () => {
      const length = r.u32();
      r.pos += length;
      return wasm.subarray(r.pos - length, r.pos);
    });
  }
  throw new Error("no code");
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
          assert.equal(body[at], IF);
          assert.deepEqual([r.u32(), r.u8()], [1, 0]);
          if (index === imports + bodies.length - 1 || body.length > 300) inRegion++;
        }
      }
      assert.equal(r.pos, section.byteLength);
      // Two accesses at least, and the loop's end.
      assert.ok(inRegion >= 3, `${inRegion} in the region`);
    });
  }

  test("only an if whose own code has the call, before its else", () => {
    // if; if; call 7; end; else; call 7; end; if; block; call 7; end; call 8; end
    const code = [
      4, 64, 4, 64, 0x10, 7, 11, 5, 0x10, 7, 11, 4, 64, 2, 64, 0x10, 7, 11, 0x10, 8, 11,
    ];
    assert.deepEqual(rareBranches(Uint8Array.from(code), new Set([7])), [2]);
    assert.deepEqual(rareBranches(Uint8Array.from(code), new Set([8])), [11]);
  });
});
