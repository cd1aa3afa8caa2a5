/** The texts of `--help`, made from the commands themselves. */
import type { Command, CommandOption } from "./command.ts";
import { table } from "./terminal.ts";

/** The help of `warpring` as a whole. */
export function mainHelp(commands: Command[]): string {
  const rows = commands.map((command) => [
    `  ${[command.name, command.operands].filter(Boolean).join(" ")}`,
    command.summary,
  ]);
  return [
    "warpring: a virtual GPU that runs CUDA programs in JavaScript runtimes",
    "",
    "usage: warpring COMMAND [OPTIONS]",
    "",
    ...table(rows),
    "",
    "  --help, -h     this text; after a command, its own",
    "  --version, -V  the version",
    "",
    "exit codes: 0 all went well, 1 the work failed, 2 the command line is wrong",
  ].join("\n");
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const usage = ["usage: warpring", command.name, "[OPTIONS]", command.operands];
  const rows = Object.entries(command.options).map(([name, option]) => [
    `  ${optionName(name, option)}`,
    option.help,
  ]);
  rows.push(["  --help, -h", "this text"]);
  return [usage.filter(Boolean).join(" "), "", command.summary, "", ...table(rows)].join("\n");
}

function optionName(name: string, option: CommandOption): string {
  const long = option.value ? `--${name} ${option.value}` : `--${name}`;
  return option.short ? `${long}, -${option.short}` : long;
}
