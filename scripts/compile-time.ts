/**
 * How long kernels take to compile, from PTX text to WebAssembly bytes, and whether that is linear:
 *
 *   npm run bench:compile
 *
 * Prints a table and ends with `N passed, N failed`: a 10,000-instruction kernel may take 12 times as
 * long as a 1,000-instruction one, in lane groups and thread by thread; a 200-instruction kernel 3 ms (10
 * ms the first time). Kernels with very many branches aren't compiled for lane groups: the largest of the
 * table are such, so that lane groups are compared on kernels with few.
 */
import process from "node:process";
import { compileKernel, layoutModule, lowerKernel, parsePtx } from "../runtime/compiler/index.ts";
import { readLibrary } from "./ptx-support.ts";

/** Instructions of one step of a loop nest as nvcc writes them: loads, arithmetic, a branch, a store. */
const STEP = [
  "mul.wide.s32 %rd3, %r2, 4;",
  "add.s64 %rd4, %rd2, %rd3;",
  "ld.global.f32 %f1, [%rd4];",
  "ld.global.f32 %f2, [%rd4+4];",
  "fma.rn.f32 %f3, %f1, %f2, %f3;",
  "mul.f32 %f4, %f1, 0f3f000000;",
  "max.f32 %f3, %f3, %f4;",
  "setp.lt.f32 %p2, %f3, %f4;",
  "selp.f32 %f5, %f3, %f4, %p2;",
  "shl.b32 %r3, %r2, 1;",
  "xor.b32 %r4, %r3, %r1;",
  "and.b32 %r2, %r4, 1023;",
  "cvt.rn.f32.s32 %f6, %r4;",
  "add.f32 %f3, %f5, %f6;",
  "setp.gt.s32 %p3, %r4, 5;",
  "@%p3 bra L#;",
  "st.global.f32 [%rd4], %f3;",
  "add.s32 %r2, %r2, 3;",
];

/** A module with one kernel of about `count` instructions; one step of `every` has its branch. */
export function kernelOf(count: number, every = 1): string {
  const lines: string[] = [];
  for (let step = 0; lines.length < count; step++) {
    const branches = step % every === 0;
    for (const line of STEP) {
      if (branches || !line.includes("bra")) lines.push(line.replace("#", `${step}`));
    }
    if (branches) lines.push(`L${step}:`);
  }
  return `.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 p, .param .u32 n)
{
.reg .pred %p<9>; .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<9>;
ld.param.u64 %rd1, [p]; cvta.to.global.u64 %rd2, %rd1; ld.param.u32 %r1, [n];
mov.u32 %r2, %tid.x; mov.f32 %f3, 0f00000000;
${lines.join("\n")}
ret;
}
`;
}

const library = readLibrary();

/** Milliseconds of parsing, and of lowering, optimising and writing. */
function measure(source: string, width?: 1 | 4): { parse: number; compile: number } {
  const start = performance.now();
  const module = parsePtx(source);
  const parsed = performance.now();
  const kernel = module.functions[0];
  if (kernel === undefined) throw new Error("no kernel");
  const lowered = lowerKernel(module, layoutModule(module), kernel, library);
  compileKernel(lowered, { fma: "exact", shape: [128, 1, 1], width });
  return { parse: parsed - start, compile: performance.now() - parsed };
}

/** The quickest of several runs. */
function best(source: string, runs: number): { parse: number; compile: number } {
  let result = measure(source);
  for (let n = 1; n < runs; n++) {
    const next = measure(source);
    if (next.parse + next.compile < result.parse + result.compile) result = next;
  }
  return result;
}

const cpuTime = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/**
 * How many times longer ten times as many instructions take. Both sizes compile as many instructions in
 * all, in turns, so that both pay for what is collected; and what other programs take doesn't count.
 */
function growth(width: 1 | 4): number {
  const [small, large] = [kernelOf(1000, 20), kernelOf(10_000, 20)];
  const spent = [0, 0];
  for (let round = 0; round < 9; round++) {
    [small, large].forEach((source, k) => {
      const start = cpuTime();
      for (let n = k === 0 ? 10 : 1; n > 0; n--) measure(source, width);
      // The first round lets the engine optimise the compiler.
      if (round > 0) spent[k] = (spent[k] as number) + cpuTime() - start;
    });
  }
  return (10 * (spent[1] as number)) / (spent[0] as number);
}

function main(): void {
  const cold = measure(kernelOf(200));
  const sizes = [200, 1000, 2000, 5000, 10_000];
  best(kernelOf(1000), 10); // lets the engine optimise the compiler
  console.log("| instructions | parse, ms | compile, ms | µs an instruction |");
  console.log("|---:|---:|---:|---:|");
  let warm = 0;
  for (const size of sizes) {
    const { parse, compile } = best(kernelOf(size), size > 2000 ? 5 : 15);
    const total = parse + compile;
    if (size === 200) warm = total;
    const each = ((1000 * total) / size).toFixed(2);
    console.log(`| ${size} | ${parse.toFixed(2)} | ${compile.toFixed(2)} | ${each} |`);
  }
  const first = cold.parse + cold.compile;
  const checks: [string, number, number][] = [
    ["10,000 instructions against 1,000, lane groups", growth(4), 12],
    ["10,000 instructions against 1,000, thread by thread", growth(1), 12],
    ["200 instructions, warm, ms", warm, 3],
    ["200 instructions, the first compilation, ms", first, 10],
  ];
  for (const [what, value, most] of checks) {
    console.log(`${what}: ${value.toFixed(2)} (at most ${most})`);
  }
  const failed = checks.filter(([, value, most]) => value > most).length;
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

if (process.argv[1]?.endsWith("compile-time.ts")) main();
