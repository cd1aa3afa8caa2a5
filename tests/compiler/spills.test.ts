import assert from "node:assert/strict";
import {
  compileKernel,
  layoutModule,
  lowerKernel,
  parsePtx,
} from "../../runtime/compiler/index.ts";
import { loadArtifacts } from "../../runtime/exec/index.ts";
import { describe, test } from "../harness.ts";
import { Bench, kernelText } from "./bench.ts";

const THREADS = 60; // not all lanes of the last group
const SLOTS = 25;
const FIRST = 4;

type Step = { op: string; to: number; a: number; b: number; by: number };

/** Steps on SLOTS words, the same for a seed. */
function program(seed: number, length: number): Step[] {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const ops = ["add", "xor", "and", "rotl", "rotr", "shl", "shr", "mul"];
  return Array.from({ length }, () => ({
    op: ops[next(ops.length)] as string,
    to: next(SLOTS),
    a: next(SLOTS),
    b: next(SLOTS),
    by: next(32),
  }));
}

const register = (k: number) => `%r${FIRST + k}`;

function ptxOf({ op, to, a, b, by }: Step): string {
  const [d, x, y] = [to, a, b].map(register);
  if (op === "rotl") return `shf.l.wrap.b32 ${d}, ${x}, ${x}, ${by};`;
  if (op === "rotr") return `shf.r.wrap.b32 ${d}, ${x}, ${x}, ${by};`;
  if (op === "shl") return `shl.b32 %r1, ${x}, ${by}; add.u32 ${d}, %r1, ${y};`;
  if (op === "shr") return `shr.u32 %r1, ${x}, ${by}; xor.b32 ${d}, %r1, ${y};`;
  if (op === "mul") return `mul.lo.u32 ${d}, ${x}, ${y};`;
  return op === "add" ? `add.u32 ${d}, ${x}, ${y};` : `${op}.b32 ${d}, ${x}, ${y};`;
}

function step(words: Uint32Array, { op, to, a, b, by }: Step): void {
  const [x, y] = [words[a] as number, words[b] as number];
  const rotated = (left: number) => (x << left) | (left === 0 ? 0 : x >>> (32 - left));
  const results: Record<string, number> = {
    add: x + y,
    xor: x ^ y,
    and: x & y,
    rotl: rotated(by),
    rotr: rotated((32 - by) & 31),
    shl: (x << by) + y,
    shr: (x >>> by) ^ y,
    mul: Math.imul(x, y),
  };
  words[to] = results[op] as number;
}

/** SLOTS words of each thread in, as many out, THREADS apart. */
function kernel(steps: Step[]): string {
  const address = (base: string) => `mad.wide.u32 %rd3, %r0, 4, ${base};`;
  const each = (write: (k: number) => string) => Array.from({ length: SLOTS }, (_, k) => write(k));
  return kernelText(
    2,
    [
      address("%rd0"),
      ...each((k) => `ld.global.u32 ${register(k)}, [%rd3+${4 * THREADS * k}];`),
      ...steps.map(ptxOf),
      address("%rd1"),
      ...each((k) => `st.global.u32 [%rd3+${4 * THREADS * k}], ${register(k)};`),
    ].join("\n"),
  );
}

async function sizes(text: string): Promise<number[]> {
  const { library } = await loadArtifacts();
  const module = parsePtx(text, "k.ptx");
  return [false, true].map((spills) => {
    const lowered = lowerKernel(module, layoutModule(module), module.functions[0], library);
    return compileKernel(lowered, { fma: "exact", spills, shape: [THREADS, 1, 1] }).wasm.length;
  });
}

describe("vectors that are kept in memory", () => {
  test("only where a block is large and has more of them than registers", async () => {
    const [plain, kept] = await sizes(kernel(program(1, 500)));
    assert.ok(kept > plain);
    const [small, same] = await sizes(kernel(program(1, 50)));
    assert.equal(small, same);
  });

  for (const spills of [false, true]) {
    test(`random programs without branches compute what they should (${spills})`, async () => {
      const bench = await Bench.create(4, true, spills);
      for (let seed = 1; seed <= 12; seed++) {
        const steps = program(seed, 300 + 60 * seed);
        const words = Uint32Array.from({ length: SLOTS * THREADS }, (_, i) =>
          Math.imul(i + seed, 0x9e3779b1),
        );
        const pointers = [bench.upload(words), bench.zeros(4 * words.length)];
        assert.equal(bench.run(kernel(steps), pointers, { block: THREADS }), undefined);
        const expected = words.slice();
        for (let t = 0; t < THREADS; t++) {
          const own = Uint32Array.from({ length: SLOTS }, (_, k) => words[k * THREADS + t]);
          for (const s of steps) step(own, s);
          own.forEach((x, k) => {
            expected[k * THREADS + t] = x;
          });
        }
        assert.deepEqual(bench.words(pointers[1], words.length), [...expected], `seed ${seed}`);
      }
    });
  }
});
