import { Graph } from "../analysis/graph.ts";
import { copyRegion, type RegionCopy } from "../ir/clone.ts";
import {
  Block,
  hasEffect,
  I1,
  I32,
  I64,
  NO_AUX,
  NONE,
  type Region,
  retarget,
  Value,
} from "../ir/ir.ts";
import { removeUnreachable, takeSide } from "./branches.ts";
import { eliminateDead } from "./dce.ts";
import { checkIndices } from "./indices.ts";
import { LoopReader, type RowLoop } from "./row-loop.ts";
import { type CountTrips, constant, type Make, tripsOf } from "./trip-counts.ts";

// Threads that each sum up a row of a matrix in compressed form (CSR): `for (k = starts[row]; k <
// starts[row + 1]; k++) sum += values[k] * x[columns[k]]`. Rows of threads side by side lie one after the
// other, so that the whole block's are one run of elements. Cut in four parts of equally many rows, it is
// gone through by four lanes, each with the rows of its part one after the other: no loop ends where a row
// does, which no processor foresees. Where a row begins, the sum of its lane begins anew.
//
// The region is taken apart: the *head* finds where a thread's row begins and ends, the *loop* goes over all
// rows, the *tail* goes on with a row's sum (`emit/adjacent-rows.ts`).

/** A part of a region, with what is the same for the whole block. */
export interface RegionPart {
  region: Region;
  prologue: Value[];
}

/** A region whose threads sum up rows that may lie one after the other. */
export interface AdjacentRows {
  /** Ends with `row_put`: the thread's row begins at this index, and so many elements follow the first, if any. */
  head: RegionPart;
  loop: RowLoop;
  /** Values of the prologue that the loop needs. */
  prologue: Value[];
  /** Begins with the row's sum, `row_sum`. */
  tail: RegionPart;
}

/** Rounds of a row beyond which it is not asked how many there are. */
const MAX_ROUNDS = 1n << 20n;

/** Where the parts of such a region lie in its graph. */
interface Outline {
  /** The chain of blocks from the start to the one that asks whether the row has elements. */
  chain: Block[];
  /** From there to the loop. */
  enter: Block[];
  loop: Block;
  /** From the loop to where both ways meet. */
  leave: Block[];
  merge: Block;
}

/** Finds what threads side by side can do for each other's rows. The region is left as it is. */
export function findAdjacentRows(region: Region, prologue: Value[]): AdjacentRows | undefined {
  const outline = outlineOf(region);
  if (!outline) return undefined;
  const rounds = roundsOf(outline);
  const leaves = outline.leave[outline.leave.length - 1] ?? outline.loop;
  const reader = new LoopReader(outline.loop, leaves, outline.merge, new Set(prologue));
  const found = rounds && reader.read();
  if (!found) return undefined;
  const { start, loop } = found;
  if (!outline.chain.some((b) => b.values.includes(start))) return undefined;
  const part = (make: (copy: RegionCopy) => void): RegionPart => {
    const copy = copyRegion(region);
    make(copy);
    removeUnreachable(copy.region);
    checkIndices(copy.region, prologue);
    return { region: copy.region, prologue: eliminateDead(copy.region, prologue) };
  };
  const head = part((copy) => endWithRow(copy, outline, start, rounds));
  const tail = part((copy) => beginWithSum(copy, outline));
  return { head, loop, tail, prologue: prologueOf(prologue, reader.used) };
}

/** The shape of a region with one loop of one block, behind a test whether there is a round at all. */
function outlineOf(region: Region): Outline | undefined {
  if (region.blocks.some((b) => b.terminator?.kind === "return")) return undefined;
  const graph = new Graph(region.start);
  if (graph.loops.length !== 1 || graph.loops[0].blocks.length !== 1) return undefined;
  const loop = graph.order[graph.loops[0].header];
  const t = loop.terminator;
  if (t?.kind !== "branch" || loop.preds.length !== 2) return undefined;
  const leave: Block[] = [];
  let merge = t.yes === loop ? t.no : t.yes;
  while (merge.preds.length === 1 && merge.terminator?.kind === "jump") {
    leave.push(merge);
    merge = merge.terminator.target;
  }
  const enter: Block[] = [];
  let test = loop.preds[0] === loop ? loop.preds[1] : loop.preds[0];
  for (; test.terminator?.kind === "jump"; enter.unshift(test), test = test.preds[0]) {
    if (test.preds.length !== 1) return undefined;
  }
  const into = enter[0] ?? loop;
  if (test.terminator?.kind !== "branch" || merge.preds.length !== 2) return undefined;
  const { yes, no } = test.terminator;
  if (yes === no || (yes === into ? no : yes) !== merge) return undefined;
  const chain = [test];
  for (let b = test; b !== region.start; b = b.preds[0], chain.unshift(b)) {
    if (b.preds.length !== 1) return undefined;
  }
  const early = [...chain, ...enter, loop, ...leave].flatMap((b) => b.values);
  if (early.some((v) => (hasEffect(v) && v.op !== "check") || v.op === "result")) return undefined;
  return { chain, enter, loop, leave, merge };
}

function roundsOf({ loop }: Outline): CountTrips | undefined {
  const t = loop.terminator;
  if (t?.kind !== "branch") return undefined;
  return tripsOf(loop, loop, t.cond, t.yes === loop, new Set([loop]));
}

/** What a block's prologue needs for some of its values, in its order. */
function prologueOf(prologue: Value[], used: ReadonlySet<Value>): Value[] {
  const needed = new Set<Value>();
  const need = (v: Value) => {
    if (needed.has(v)) return;
    needed.add(v);
    v.args.forEach(need);
  };
  used.forEach(need);
  return prologue.filter((v) => needed.has(v));
}

/** Has a thread end where it would enter the loop, or go past it, with where its row begins and ends. */
function endWithRow(copy: RegionCopy, outline: Outline, start: Value, rounds: CountTrips): void {
  const test = copy.block(outline.chain[outline.chain.length - 1]);
  const last = copy.block(outline.enter[outline.enter.length - 1] ?? outline.chain.slice(-1)[0]);
  const [loop, merge] = [copy.block(outline.loop), copy.block(outline.merge)];
  const count = new Block(Math.max(...copy.region.blocks.map((b) => b.id)) + 1);
  const empty = new Block(count.id + 1);
  const put = (b: Block, v: Value): Value => {
    v.block = b;
    b.values.push(v);
    return v;
  };
  const make: Make = (op, type, ...args) => put(count, new Value(op, type, args.map(copy.value)));
  const { more, sure } = rounds(make);
  let few: Value;
  if (!sure && more.op === "i64_extend_i32_u") [few] = more.args;
  else {
    const fits = make("i64_lt_u", I1, more, constant(I64, MAX_ROUNDS));
    const known = sure ? make("and1", I1, fits, sure) : fits;
    few = make("select", I32, known, make("i32_wrap_i64", I32, more), constant(I32, -1n));
  }
  make("row_put", NONE, start, few);
  count.terminator = { kind: "exit" };
  count.preds = [last];
  put(empty, new Value("row_put", NONE, [copy.value(start)]));
  empty.terminator = { kind: "exit" };
  empty.preds = [test];
  const to = (b: Block) => (b === loop ? count : b === merge ? empty : b);
  for (const b of new Set([test, last])) retarget(b, to);
  copy.region.blocks.push(count, empty);
}

/** Has each thread go past the loop, and on with its row's sum: what led there is known by the head. */
function beginWithSum(copy: RegionCopy, { chain, enter, loop, merge }: Outline): void {
  for (const v of copy.block(merge).values) {
    if (v.op !== "phi") break;
    v.op = "row_sum";
    v.args = [];
  }
  const way = [...chain, merge].map(copy.block);
  const into = copy.block(enter[0] ?? loop);
  chain.map(copy.block).forEach((b, k) => {
    const t = b.terminator;
    if (t?.kind === "branch") takeSide(b, t.yes === way[k + 1] || t.no === into);
    for (const v of b.values) {
      if (v.op !== "check" || v.aux.space !== "generic") continue;
      v.op = "i32_wrap_i64";
      v.aux = NO_AUX;
    }
  });
}
