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

/** A range of inputs, as magnitudes; both signs are measured unless `positive`. */
interface Measure {
  name: string;
  fn: number;
  range: string;
  /** bits of the smallest and the largest magnitude */
  low: number;
  high: number;
  positive?: boolean;
}

const bitsOf = (x: number): number => new Uint32Array(new Float32Array([x]).buffer)[0] as number;
const LARGEST = 0x7f7fffff;

const MEASURES: Measure[] = [
  { name: "rcp.approx.f32", fn: 0, range: "all", low: 0, high: LARGEST },
  { name: "sqrt.approx.f32", fn: 1, range: "all", low: 0, high: LARGEST, positive: true },
  { name: "rsqrt.approx.f32", fn: 2, range: "all", low: 0, high: LARGEST, positive: true },
  { name: "sin.approx.f32", fn: 3, range: "|a| ≤ 2π", low: 0, high: bitsOf(2 * Math.PI) },
  { name: "sin.approx.f32", fn: 3, range: "|a| ≤ 100π", low: 0, high: bitsOf(100 * Math.PI) },
  { name: "cos.approx.f32", fn: 4, range: "|a| ≤ 2π", low: 0, high: bitsOf(2 * Math.PI) },
  { name: "cos.approx.f32", fn: 4, range: "|a| ≤ 100π", low: 0, high: bitsOf(100 * Math.PI) },
  { name: "ex2.approx.f32", fn: 5, range: "all", low: 0, high: LARGEST },
  {
    name: "lg2.approx.f32",
    fn: 6,
    range: "0.5 < a < 2",
    low: bitsOf(0.5),
    high: bitsOf(2),
    positive: true,
  },
  { name: "lg2.approx.f32", fn: 6, range: "all", low: 0, high: LARGEST, positive: true },
  { name: "tanh.approx.f32", fn: 7, range: "all", low: 0, high: LARGEST },
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

console.log("| function | inputs | ulp | relative | absolute | worst at | not nearest |");
console.log("|---|---|---|---|---|---|---|");
const wanted = process.argv.slice(2);
for (const m of MEASURES) {
  if (wanted.length > 0 && !wanted.some((w) => m.name.startsWith(w))) continue;
  scan.reset();
  const signs = m.positive ? [0] : [0, 0x80000000];
  let inputs = 0;
  for (const sign of signs) {
    // Runs of a few million, so that the engine's optimising compiler takes over.
    for (let at = m.low; at <= m.high; at += 1 << 22) {
      const count = Math.min(1 << 22, m.high + 1 - at) & ~3;
      scan.scan(m.fn, sign + at, count);
      inputs += count;
    }
  }
  const misrounded = Number(scan.misrounded.value);
  const cells = [
    m.name,
    m.range,
    Number(scan.maxUlp.value).toFixed(3),
    power(Number(scan.maxRelative.value)),
    power(Number(scan.maxAbsolute.value)),
    input(Number(m.fn === 3 || m.fn === 4 ? scan.maxAbsoluteAt.value : scan.maxUlpAt.value) >>> 0),
    `${((100 * misrounded) / inputs).toFixed(2)} %`,
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
