/**
 * Makes a generated kernel that fails in one way of running it smaller, line by line, as long as the same
 * register of some thread is wrong:
 *
 *   bun scripts/kernels/reduce.ts SEED INDEX STRATEGY
 *
 * Prints the kernel that is left, and what is wrong with it.
 */
import process from "node:process";
import { Runner, STRATEGIES } from "../fuzz-kernels.ts";
import { difference } from "./compare.ts";
import { BODY, generate, inputWords } from "./generate.ts";
import { interpret } from "./interpret.ts";

/** What is wrong with a kernel, or undefined where nothing is, or where it is no valid kernel any more. */
async function failure(runner: Runner, seed: number, index: number, ptx: string) {
  const generated = { ...generate(seed, index), ptx };
  const input = inputWords(seed + index);
  try {
    const want = interpret(generated, input);
    const got = await runner.run(generated, input);
    return got && difference(generated, want, got);
  } catch {
    return undefined;
  }
}

async function main(): Promise<void> {
  const [seed, index] = process.argv.slice(2, 4).map(Number) as [number, number];
  const strategy = STRATEGIES.find((s) => s.name === process.argv[4]) ?? STRATEGIES[0];
  const runner = new Runner(strategy as (typeof STRATEGIES)[number]);
  let lines = generate(seed, index).ptx.split("\n");
  // The kernel's own lines; what is declared stays.
  const first = lines.indexOf(BODY) + 1;
  const place = (text: string | undefined) => /: (\S+) /.exec(text ?? "")?.[1];
  const wrong = place(await failure(runner, seed, index, lines.join("\n")));
  let size = Math.ceil((lines.length - first) / 2);
  for (let changed = true; changed || size > 1; size = Math.max(1, Math.floor(size / 2))) {
    changed = false;
    for (let at = lines.length - 3; at >= first; at -= size) {
      const from = Math.max(first, at - size + 1);
      const fewer = [...lines.slice(0, from), ...lines.slice(at + 1)];
      const now = place(await failure(runner, seed, index, fewer.join("\n")));
      if (now === undefined || now !== wrong) continue;
      lines = fewer;
      changed = true;
    }
  }
  console.log("%s", lines.slice(first).join("\n"));
  console.log("%s", await failure(runner, seed, index, lines.join("\n")));
  runner.close();
}

await main();
