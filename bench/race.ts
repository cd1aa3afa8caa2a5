/** One kernel on everything that can run it, run by run in turns. */
import type { LineProcess } from "./line-process.ts";
import { compareOutputs, median, type Problem } from "./problems.ts";

/** A runner of one kernel. */
export interface Contender {
  /** Names its figures. */
  readonly key: string;
  /** What people call it. */
  readonly title: string;
  /** Starts its program, which takes turns (see `turns.ts`). */
  start(): LineProcess;
  /** The outputs of its first run, once it is ready. */
  output(): Uint8Array;
}

/** Medians in milliseconds by key of those that finished, and what went wrong with the others. */
export interface RaceResult {
  readonly times: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/** Contenders whose outputs the others are held against, best first; else warpring's first. */
const REFERENCES = ["native_sse", "native", "pocl", "webgpu"];

/** A run that took less is made once more: the first one finds the caches full of the others' data. */
const SHORT_MS = 100;

interface Runner {
  readonly contender: Contender;
  readonly program: LineProcess;
  readonly ms: number[];
}

/**
 * Runs a race: every contender makes one checked run; those whose outputs differ from the reference's
 * are out. Then each in turn makes a timed run, `runs` times, so that a slow moment of the machine
 * meets all of them.
 * @param progress is told what happens
 */
export async function race(
  problem: Problem,
  contenders: readonly Contender[],
  runs: number,
  progress: (what: string) => void,
): Promise<RaceResult> {
  const failures: string[] = [];
  let runners: Runner[] = [];
  const drop = async (runner: Runner, why: string): Promise<void> => {
    failures.push(`${runner.contender.title}, ${problem.name}: ${why}`);
    runners = runners.filter((other) => other !== runner);
    await runner.program.end();
  };
  for (const contender of contenders) {
    progress(contender.title);
    const runner = { contender, program: contender.start(), ms: [] };
    runners.push(runner);
    try {
      await runner.program.answer();
    } catch (error) {
      await drop(runner, (error as Error).message);
    }
  }
  const base =
    REFERENCES.map((key) => runners.find(({ contender }) => contender.key === key)).find(
      (runner) => runner !== undefined,
    ) ?? runners[0];
  const expected = base?.contender.output();
  for (const runner of [...runners]) {
    if (runner === base || expected === undefined) continue;
    const wrong = compareOutputs(problem, runner.contender.output(), expected);
    if (wrong) await drop(runner, `output differs from ${base?.contender.title}: ${wrong}`);
  }
  const turn = async ({ program }: Runner): Promise<number> => {
    program.go();
    return (await program.answer())["ms"] as number;
  };
  for (let r = 0; r < runs; r++) {
    for (const runner of [...runners]) {
      progress(`${runner.contender.title}, run ${r + 1}`);
      try {
        const first = await turn(runner);
        runner.ms.push(first < SHORT_MS ? await turn(runner) : first);
      } catch (error) {
        await drop(runner, (error as Error).message);
      }
    }
  }
  await Promise.all(runners.map(({ program }) => program.end()));
  const times = new Map(runners.map(({ contender, ms }) => [contender.key, median(ms)]));
  return { times, failures };
}
