import type { Instruction } from "../ptx/ast.ts";
import { atomics } from "./atomics.ts";
import type { Builder } from "./builder.ts";
import type { Lowering } from "./instructions.ts";
import { memory } from "./memory.ts";

/**
 * multimem: a multicast object of one device has one copy of the memory, so that loading and
 * reducing loads, and storing or reducing to all stores or reduces once (PTX ISA §9.7.9.16).
 */
const multimem: Lowering = (b: Builder, i: Instruction) => {
  const kinds: Record<string, Lowering> = {
    ld_reduce: memory.ld,
    st: memory.st,
    red: atomics.red,
  };
  const lower = kinds[i.mods[0]];
  return lower ? lower(b, i) : false;
};

/** Operations on multicast addresses (PTX ISA §9.7.9.16). */
export const multicasts: Record<string, Lowering> = { multimem };
