/** What every command of `warpring` is. */

/** Exit codes of the command line. */
export const EXIT_OK = 0;
/** The work failed: a wrong result, or a file that can't be read or compiled. */
export const EXIT_FAILURE = 1;
/** The command line itself is wrong: unknown command or option, missing file. */
export const EXIT_USAGE = 2;

/** An option, in the form of `node:util`'s parseArgs, with what `--help` says of it. */
export interface CommandOption {
  type: "string" | "boolean";
  short?: string;
  multiple?: boolean;
  /** What stands for the value in the help: `--out FOLDER`. */
  value?: string;
  help: string;
}

/** Options and operands of one call, as parseArgs returns them. */
export interface CommandArguments {
  values: Record<string, string | boolean | (string | boolean)[] | undefined>;
  operands: string[];
}

/** A command: one file of this folder. */
export interface Command {
  name: string;
  /** What stands for the operands in the help: `FILE`. */
  operands: string;
  /** How many operands it takes at least and at most. */
  count: [min: number, max: number];
  summary: string;
  options: Record<string, CommandOption>;
  /** @returns the exit code. @throws UsageError, CommandError, or an error of the library */
  run(args: CommandArguments): Promise<number>;
}

/** A mistake in the command line: exit code 2, with a hint at `--help`. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** A failure with a message fit for the user: exit code 1, without a stack. */
export class CommandError extends Error {
  override name = "CommandError";
}

/** The value of a string option, undefined if it was not given. */
export function stringOption(args: CommandArguments, name: string): string | undefined {
  const value = args.values[name];
  return typeof value === "string" ? value : undefined;
}
