/** The programs' side of a race: one timed run whenever it is their turn. */
import process from "node:process";
import { createInterface } from "node:readline";

/** Prints one line of JSON. */
export const print = (line: object): void => console.log(JSON.stringify(line));

/**
 * Says that the outputs are written, then makes one run for each line on the standard input, until it
 * ends.
 * @param run makes one run and returns its milliseconds
 */
export async function takeTurns(run: () => number | Promise<number>): Promise<void> {
  print({ ready: true });
  for await (const _ of createInterface({ input: process.stdin })) print({ ms: await run() });
}
