import { type Block, I1, type Region, Value } from "../ir/ir.ts";
import type { Extents } from "./extents.ts";
import type { Inductions, LoopExit } from "./inductions.ts";

/**
 * Loops by which the threads of a grid go through an array together (`for (i = blockIdx.x * blockDim.x +
 * threadIdx.x; i < n; i += gridDim.x * blockDim.x)`): in all blocks but the one in which the array ends,
 * all threads go round equally often.
 */
export class Strides {
  private readonly exits = new Map<LoopExit, Value[]>();
  private readonly headers = new Set<Block>();

  constructor(inductions: Inductions, extents: Extents) {
    for (const [loop, exits] of inductions.exits) {
      for (const exit of exits) {
        const tests = extents.leaveTogether(loop, exit);
        if (!tests) continue;
        this.exits.set(exit, tests);
        this.headers.add(inductions.headerOf(loop));
      }
    }
  }

  get found(): boolean {
    return this.exits.size > 0;
  }

  /** Of a guard before such a loop the side that goes into it. */
  sideOf(yes: Block, no: Block): boolean | undefined {
    const [entersYes, entersNo] = [this.enters(yes), this.enters(no)];
    return entersYes === entersNo ? undefined : entersYes;
  }

  private enters(from: Block): boolean {
    let block = from;
    for (let k = 0; k < 4; k++) {
      if (this.headers.has(block)) return true;
      if (block.terminator?.kind !== "jump") return false;
      block = block.terminator.target;
    }
    return false;
  }

  /** Has the first thread of a group decide when it leaves. Returns the tests. */
  leaveTogether(region: Region): Value[] {
    const tests: Value[] = [];
    for (const [{ block }, own] of this.exits) {
      const t = block.terminator;
      if (t?.kind !== "branch" || !region.blocks.includes(block)) continue;
      t.cond = ofFirst(t.cond, block);
      tests.push(...own);
    }
    return tests;
  }
}

/** A comparison as the first lane of a group makes it. */
function ofFirst(cond: Value, block: Block): Value {
  const args = cond.args.map((a) => {
    if (cond.op === "not1") return ofFirst(a, block);
    if (a.op === "const") return a;
    const first = new Value("first", a.type, [a]);
    block.values.push(first);
    return first;
  });
  const v = new Value(cond.op, I1, args);
  block.values.push(v);
  return v;
}
