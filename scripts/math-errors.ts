/**
 * Measures the approximate f32 functions of one argument over all inputs and prints the table of
 * docs/math-errors.md. Slow: about half an hour of one processor.
 *
 *   npx bun run scripts/math-errors.ts [FUNCTION…]
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const output = fileURLToPath(new URL("../build/error-scan.wasm", import.meta.url));

interface Scan {
  scan(fn: number, from: number, count: number): void;
  reset(): void;
  maxUlp: WebAssembly.Global;
  maxUlpAt: WebAssembly.Global;
  maxRelative: WebAssembly.Global;
  maxAbsolute: WebAssembly.Global;
  maxAbsoluteAt: WebAssembly.Global;
  misrounded: WebAssembly.Global;
  wrongKind: WebAssembly.Global;
  wrongKindAt: WebAssembly.Global;
}

/** A set of inputs: ranges of bits of magnitudes, both ends included; both signs unless `positive`. */
interface Measure {
  name: string;
  fn: number;
  inputs: string;
  ranges: [low: number, high: number][];
  positive?: boolean;
  /** Only the absolute error means something, as near the zeros of a sine. */
  absolute?: boolean;
}

const bitsOf = (x: number): number => new Uint32Array(new Float32Array([x]).buffer)[0] as number;
const ALL: [number, number][] = [[0, 0x7f7fffff]];
const TURN = bitsOf(2 * Math.PI);
const FAR = bitsOf(100 * Math.PI);
const [HALF, TWO] = [bitsOf(0.5), bitsOf(2)];

/** The two ranges for which the PTX ISA gives an error of sine and cosine. */
function trigonometric(name: string, fn: number): Measure[] {
  return [
    { name, fn, inputs: "\\|a\\| ≤ 2π", ranges: [[0, TURN]], absolute: true },
    { name, fn, inputs: "2π < \\|a\\| ≤ 100π", ranges: [[TURN + 1, FAR]], absolute: true },
  ];
}

const MEASURES: Measure[] = [
  { name: "rcp.approx.f32", fn: 0, inputs: "all", ranges: ALL },
  { name: "sqrt.approx.f32", fn: 1, inputs: "all", ranges: ALL, positive: true },
  { name: "rsqrt.approx.f32", fn: 2, inputs: "all", ranges: ALL, positive: true },
  ...trigonometric("sin.approx.f32", 3),
  ...trigonometric("cos.approx.f32", 4),
  { name: "ex2.approx.f32", fn: 5, inputs: "all", ranges: ALL },
  { name: "lg2.approx.f32", fn: 6, inputs: "½ < a < 2", ranges: [[HALF, TWO]], positive: true },
  {
    name: "lg2.approx.f32",
    fn: 6,
    inputs: "elsewhere",
    ranges: [
      [0, HALF - 1],
      [TWO, 0x7f7fffff],
    ],
    positive: true,
  },
  { name: "tanh.approx.f32", fn: 7, inputs: "all", ranges: ALL },
];

const built = spawnSync(
  fileURLToPath(new URL("../node_modules/.bin/asc", import.meta.url)),
  [
    "assembly/devicelib/error-scan.ts",
    ...["--outFile", output, "-O3", "--noAssert", "--runtime", "stub", "--use", "abort="],
    ...["--enable", "simd", "--config", "none", "--disableWarning", "112"],
  ],
  { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
);
if (built.status !== 0) process.exit(1);

const instance = new WebAssembly.Instance(
  new WebAssembly.Module(new Uint8Array(readFileSync(output))),
  {},
);
const scan = instance.exports as unknown as Scan;

const power = (x: number): string => (x === 0 ? "0" : `2^${Math.log2(x).toFixed(2)}`);
const input = (bits: number): string =>
  new Float32Array(new Uint32Array([bits]).buffer)[0]?.toPrecision(9) ?? "";

console.log("| function | inputs | ulp | relative | absolute | worst at | not the nearest f32 |");
console.log("|---|---|---|---|---|---|---|");
const wanted = process.argv.slice(2);
for (const m of MEASURES) {
  if (wanted.length > 0 && !wanted.some((w) => m.name.startsWith(w))) continue;
  scan.reset();
  let inputs = 0;
  for (const sign of m.positive ? [0] : [0, 0x80000000]) {
    for (const [low, high] of m.ranges) {
      // Runs of a few million, so that the engine's optimising compiler takes over.
      for (let at = low; at <= high; at += 1 << 22) {
        const count = (Math.min(1 << 22, high + 1 - at) + 3) & ~3;
        scan.scan(m.fn, sign + at, count);
        inputs += count;
      }
    }
  }
  const worst = Number(m.absolute ? scan.maxAbsoluteAt.value : scan.maxUlpAt.value) >>> 0;
  const cells = [
    m.name,
    m.inputs,
    m.absolute ? "–" : Number(scan.maxUlp.value).toFixed(3),
    m.absolute ? "–" : power(Number(scan.maxRelative.value)),
    power(Number(scan.maxAbsolute.value)),
    Number(scan.maxUlp.value) === 0 ? "–" : input(worst),
    m.absolute ? "–" : `${((100 * Number(scan.misrounded.value)) / inputs).toFixed(2)} %`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
  if (Number(scan.wrongKind.value) > 0) {
    const at = Number(scan.wrongKindAt.value) >>> 0;
    console.error(
      `${m.name}: ${scan.wrongKind.value} results of a wrong kind, one at ${input(at)}`,
    );
    process.exitCode = 1;
  }
}
