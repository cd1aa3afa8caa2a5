import type { Region, Value } from "../ir/ir.ts";

/** Bytes from one element to the next: no index takes a base further than limits are found for (2⁴⁴). */
const MAX_SCALE = 1 << 11;

/**
 * Gives checks of addresses base + extend(index) × scale, whose base is the same for the whole block, base
 * and index: which indices pass is found once a block, and a test is one comparison of 32 bits.
 */
export function checkIndices(region: Region, prologue: readonly Value[]): void {
  const steady = new Set(prologue.filter((v) => v.op !== "const"));
  for (const block of region.blocks) {
    for (const check of block.values) {
      if (check.op !== "check" || check.aux.space !== "generic") continue;
      const [address] = check.args;
      if (address.op !== "i64_add") continue;
      const [a, b] = address.args;
      const [base, index] = steady.has(a) ? [a, scaledIndex(b)] : [b, scaledIndex(a)];
      const { align = 1 } = check.aux;
      if (!steady.has(base) || !index || index.scale % align !== 0) continue;
      check.args = [base, index.value];
      check.aux = { ...check.aux, scale: index.scale, signed: index.signed };
    }
  }
}

/** A product of an extended index and a power of two. */
function scaledIndex(v: Value): { value: Value; signed: boolean; scale: number } | undefined {
  let [extended, scale] = [v, 1];
  const by = v.args[1];
  if (/^i64_(mul|shl)$/.test(v.op) && by.op === "const") {
    extended = v.args[0];
    scale = v.op === "i64_mul" ? Number(BigInt.asIntN(64, by.big)) : 2 ** Number(by.big & 63n);
  }
  if (!/^i64_extend_i32_[su]$/.test(extended.op)) return undefined;
  if (scale <= 0 || scale > MAX_SCALE || (scale & (scale - 1)) !== 0) return undefined;
  return { value: extended.args[0], signed: extended.op.endsWith("_s"), scale };
}
