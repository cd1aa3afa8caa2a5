/**
 * Writes generated kernels for `record.cpp`, and reads what it recorded:
 *
 *   bun scripts/kernels/export.ts [--narrow] DIR [COUNT] [SEED]      writes list.txt, N.ptx and N.in
 *   bun scripts/kernels/export.ts [--narrow] --compare DIR OUTDIR    compares the interpreter with N.out, and
 *                                                                    writes the fixture
 *
 * Kernels of the wider kind go to tests/ptx/fixtures/gpu-kernels-wide.json, with `--narrow` those of the
 * older kind to gpu-kernels.json. A fixture holds a hash of each outcome, every NaN made the same.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { difference, outcomeHash } from "./compare.ts";
import { generate, generateRecorded, inputWords } from "./generate.ts";
import { interpret } from "./interpret.ts";

/** How kernels of a kind are made, and the fixture for what a GPU computes for them. */
interface Kind {
  make: typeof generate;
  fixture: string;
}
const WIDER: Kind = { make: generate, fixture: "gpu-kernels-wide.json" };
const NARROW: Kind = { make: generateRecorded, fixture: "gpu-kernels.json" };

/** What a GPU computed for a set of generated kernels. */
export interface Recorded {
  device: string;
  seed: number;
  /** By index. */
  hashes: string[];
  /** Of the kernels' texts, by index: a generator that has changed since makes other kernels. */
  texts?: string[];
}

/** What tells one kernel's text from another's. */
export function textHash(ptx: string): string {
  return createHash("sha256").update(ptx).digest("hex").slice(0, 16);
}

function writeKernels({ make }: Kind, folder: string, count: number, seed: number): void {
  mkdirSync(folder, { recursive: true });
  const lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const { ptx, grid, block, dialect, gridShape, blockShape } = make(seed, index);
    const shape = [...gridShape, ...blockShape].join(" ");
    const bytes = 4 * grid * block * dialect.outputWords;
    lines.push(`${index} ${shape} ${bytes} ${4 * dialect.counterWords}`);
    writeFileSync(`${folder}/${index}.ptx`, ptx);
    writeFileSync(`${folder}/${index}.in`, inputWords(seed + index));
  }
  writeFileSync(`${folder}/list.txt`, `${lines.join("\n")}\n`);
  writeFileSync(`${folder}/seed.txt`, `${seed}\n`);
}

function compareKernels({ make, fixture: name }: Kind, folder: string, outFolder: string): void {
  const seed = Number(readFileSync(`${folder}/seed.txt`, "utf8"));
  const count = readFileSync(`${folder}/list.txt`, "utf8").trim().split("\n").length;
  const hashes: string[] = [];
  const texts: string[] = [];
  let failed = 0;
  for (let index = 0; index < count; index++) {
    const generated = make(seed, index);
    texts.push(textHash(readFileSync(`${folder}/${index}.ptx`, "utf8")));
    if (texts[index] !== textHash(generated.ptx)) throw new Error(`kernel ${index} is made anew`);
    const want = interpret(generated, inputWords(seed + index));
    const bytes = readFileSync(`${outFolder}/${index}.out`);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).slice();
    const output = words.slice(0, want.output.length);
    const recorded = { output, counters: words.slice(want.output.length) };
    const reason = difference(generated, recorded, want);
    if (reason !== undefined) {
      failed++;
      console.log("%s", `kernel ${index}: the interpreter's ${reason}`);
    }
    hashes.push(outcomeHash(generated, recorded));
  }
  const fixture: Recorded = { device: "NVIDIA H100", seed, hashes, texts };
  const url = new URL(`../../tests/ptx/fixtures/${name}`, import.meta.url);
  writeFileSync(url, `${JSON.stringify(fixture, undefined, 2)}\n`);
  console.log(`${count - failed} passed, ${failed} failed`);
}

if (process.argv[1]?.endsWith("export.ts")) {
  const args = process.argv.slice(2);
  const kind = args[0] === "--narrow" ? NARROW : WIDER;
  const [first = "", ...rest] = kind === NARROW ? args.slice(1) : args;
  if (first === "--compare") compareKernels(kind, rest[0] ?? "", rest[1] ?? "");
  else if (first !== "") writeKernels(kind, first, Number(rest[0] ?? 64), Number(rest[1] ?? 1000));
  else console.error("which folder?");
}
