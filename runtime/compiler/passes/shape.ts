import { I32, type Region } from "../ir/ir.ts";
import { constant } from "./fold.ts";

/**
 * Puts the shape of a block into a region: its extents are constants, and an index along which there is
 * one thread is 0.
 * @param shape threads in x, y, z
 */
export function fixShape(region: Region, shape: readonly [number, number, number]): void {
  const known = new Map<string, number>();
  ["x", "y", "z"].forEach((axis, k) => {
    known.set(`ntid.${axis}`, shape[k]);
    if (shape[k] === 1) known.set(`tid.${axis}`, 0);
  });
  for (const block of region.blocks) {
    for (const v of block.values) {
      const n = v.op === "sreg" ? known.get(v.aux.name as string) : undefined;
      if (n === undefined) continue;
      const { aux, imm } = constant(I32, n);
      v.op = "const";
      v.aux = aux;
      v.imm = imm;
    }
  }
}
