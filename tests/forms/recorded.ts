/** Which recorded cases have an instruction form: by the names as the kernels spell them. */
import { fileURLToPath } from "node:url";
import { parsePtx } from "../../runtime/compiler/index.ts";
import type { Bench } from "../compiler/bench.ts";
import { compareOutput } from "../conformance/compare.ts";
import { ELEMENT_BYTES, loadOracle, type Oracle } from "../conformance/oracle.ts";

/** One recorded case. */
export interface Recorded {
  oracle: Oracle;
  index: number;
  name: string;
}

const FOLDERS = ["../conformance/data", "../conformance/extra", "../compiler/recorded"];

/** For each form the case that is about it, else the first that has it among others. */
export function recordedForms(): Map<string, Recorded> {
  const found = new Map<string, Recorded>();
  for (const folder of FOLDERS) {
    const oracle = loadOracle(fileURLToPath(new URL(folder, import.meta.url)));
    oracle.cases.forEach(({ name, ptx }, index) => {
      for (const fn of parsePtx(ptx, name, { check: false }).functions) {
        for (const statement of fn.body ?? []) {
          if (statement.kind === "label") continue;
          const { mnemonic } = statement;
          const known = found.get(mnemonic);
          if (known === undefined || (name === mnemonic && known.name !== mnemonic)) {
            found.set(mnemonic, { oracle, index, name });
          }
        }
      }
    });
  }
  return found;
}

/** Runs a recorded case's kernel, or a variant of it: whether the answer is the H100's, in time. */
export function answersAsRecorded(
  bench: Bench,
  recorded: Recorded,
  ptx: string,
  timeoutMs: number,
): boolean {
  const { oracle, index } = recorded;
  const entry = oracle.cases[index];
  if (!entry) throw new RangeError(`no case ${index}`);
  const inputs = entry.in.map((type, k) => oracle.input(type, k));
  const bytes = oracle.n * ELEMENT_BYTES[entry.out];
  const output = bench.upload(new Uint8Array(bytes).fill(0xcd));
  const places = inputs.map((input) => bench.upload(input));
  while (places.length < 3) places.push(output);
  const shape = {
    kernel: "t",
    grid: Math.ceil(oracle.n / oracle.block),
    block: oracle.block,
    timeoutMs,
  };
  if (bench.run(ptx, [...places, output, oracle.n], shape)) return false;
  const got = bench.bytes(output, bytes);
  return compareOutput(entry, inputs, oracle.golden(index), got, () => true) === undefined;
}
