/** Where the command line keeps compiled kernels, and the option that turns it off. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import type { CommandArguments } from "./command.ts";

/** For the `options` of a command. */
export const NO_CACHE = {
  type: "boolean",
  help: "compile all kernels anew, and keep none for the next time",
} as const;

/**
 * The folder that keeps compiled kernels: `warpring/kernels` in the user's cache folder
 * (XDG_CACHE_HOME), or WARPRING_CACHE.
 * @returns undefined with `--no-cache`
 */
export function kernelCacheFolder(args: CommandArguments): string | undefined {
  if (args.values["no-cache"] === true) return undefined;
  const own = process.env["WARPRING_CACHE"];
  if (own) return resolve(own);
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "warpring", "kernels");
}
