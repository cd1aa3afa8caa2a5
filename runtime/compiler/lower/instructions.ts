import type { Instruction } from "../ptx/ast.ts";
import { arithmetic } from "./arith.ts";
import { copies } from "./async.ts";
import { atomics } from "./atomics.ts";
import { barriers } from "./barriers.ts";
import type { Builder } from "./builder.ts";
import { calls } from "./calls.ts";
import { carries } from "./carry.ts";
import { compares } from "./compare.ts";
import { control } from "./control.ts";
import { conversions } from "./convert.ts";
import { lowerLibrary } from "./generic.ts";
import { logic } from "./logic.ts";
import { matrices } from "./matrix.ts";
import { mbarriers } from "./mbarrier.ts";
import { memory } from "./memory.ts";
import { moves } from "./move.ts";
import { multicasts } from "./multimem.ts";
import { stacks } from "./stack.ts";
import { textures } from "./texture.ts";
import { video } from "./video.ts";
import { warps } from "./warp.ts";
import { warpgroups } from "./wgmma.ts";

/**
 * Lowers one instruction. Returns false to leave a form to the device library: the function named
 * like the mnemonic, with dots as underscores.
 */
export type Lowering = (b: Builder, i: Instruction) => boolean;

/** What the compiler lowers itself, by base opcode. */
export const lowerings: Readonly<Record<string, Lowering>> = {
  ...arithmetic,
  ...logic,
  ...compares,
  ...carries,
  ...conversions,
  ...moves,
  ...memory,
  ...atomics,
  ...copies,
  ...multicasts,
  ...stacks,
  ...textures,
  ...mbarriers,
  ...control,
  ...barriers,
  ...warps,
  ...matrices,
  ...warpgroups,
  ...video,
  ...calls,
};

/** Lowers an instruction into the builder's current block; throws a PtxError if none can. */
export function lowerInstruction(b: Builder, i: Instruction): void {
  const lower = Object.hasOwn(lowerings, i.opcode) ? lowerings[i.opcode] : undefined;
  if (lower?.(b, i)) return;
  lowerLibrary(b, i);
}
