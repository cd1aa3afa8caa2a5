import process from "node:process";

/**
 * Seed of all that tests draw at random: the same in every run, so that a run that passed passes
 * again, unless WARPRING_SEED names another one.
 */
export const SEED = Number(process.env["WARPRING_SEED"] ?? 1);
