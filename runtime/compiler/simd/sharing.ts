import { hasEffect, NONE, type Region, type Value } from "../ir/ir.ts";
import type { Divergence } from "./divergence.ts";
import { LANES, UNIFORM } from "./shapes.ts";

/**
 * By value of a region: for each of several lane groups that are done together, the first group that
 * computes the same. A value that is not in it is each group's own.
 */
export type Sharing = ReadonlyMap<Value, readonly number[]>;

/** How many of the groups compute a value. */
export const timesComputed = (sharing: Sharing, v: Value, copies: number): number =>
  new Set(sharing.get(v) ?? Array(copies).keys()).size;

/**
 * Finds what groups side by side have in common: what is uniform over all of them, and, where they are
 * several rows of a block, what depends on the row or on the column alone (a tile's elements in a matrix
 * product). Values are taken to be equal in all groups until an operand or a thread's index tells them apart.
 * @param wide the blocks of a copy of the region, with their shapes over all groups
 * @param block threads in x, y, z
 */
export function sharedByGroups(
  region: Region,
  wide: { region: Region; divergence: Divergence },
  block: readonly [number, number, number],
  copies: number,
): Map<Value, readonly number[]> {
  const own = [...Array(copies).keys()];
  const all = own.map(() => 0);
  const sharing = new Map<Value, readonly number[]>();
  const values: Value[] = [];
  // Where lanes take branches apart, a phi tells which way each of them came.
  const apart = wide.divergence.branches.size > 0;
  region.blocks.forEach((b, n) => {
    b.values.forEach((v, k) => {
      const same = wide.divergence.of(wide.region.blocks[n].values[k]).kind === UNIFORM;
      const own = isOwn(v) || (apart && v.op === "phi");
      if (same || !own) sharing.set(v, all);
      if (!same && !own) values.push(v);
    });
  });
  const inside = new Set(region.blocks.flatMap((b) => b.values));
  const of = (v: Value) => sharing.get(v) ?? (inside.has(v) ? own : all);
  for (let changed = true; changed; ) {
    changed = false;
    for (const v of values) {
      const before = sharing.get(v) as readonly number[];
      const seeds = v.op === "sreg" ? [threadIndex(v, block, own)] : v.args.map(of);
      const next = own.map((k) => own.findIndex((j) => seeds.every((s) => s[j] === s[k])));
      if (next.every((j, k) => j === before[k])) continue;
      sharing.set(v, next);
      changed = true;
    }
  }
  return sharing;
}

/** Whether each group needs a value of its own, whatever its operands. */
function isOwn(v: Value): boolean {
  if (v.op === "check") return v.aux.space === "local";
  return (
    v.type === NONE || hasEffect(v) || /^(reload|result|call|argument|out|warp|host)$/.test(v.op)
  );
}

/** Which groups have the same index in x, y or z, for groups from a multiple of their number on. */
function threadIndex(
  v: Value,
  [x, y]: readonly [number, number, number],
  own: number[],
): readonly number[] {
  const name = v.aux.name as string;
  const groups = x / LANES;
  const rows = own.length / groups;
  if (!/^tid\.[xyz]$/.test(name) || !Number.isInteger(groups) || !Number.isInteger(rows))
    return own;
  if (name === "tid.x") return own.map((k) => k % groups);
  if (y % rows !== 0) return own;
  return name === "tid.y" ? own.map((k) => k - (k % groups)) : own.map(() => 0);
}
