import { BLOCK_SPILL } from "../../exec/layout.ts";
import { type Block, F32, I32, type Value } from "../ir/ir.ts";
import { OP } from "../wasm/opcodes.ts";
import type { CodeWriter } from "../wasm/writer.ts";
import { RegionEmitter } from "./region.ts";

// The threads' part in rows that lie one after the other (`passes/adjacent-rows.ts`), in front of the loop
// over the elements of all and behind it. What the three tell each other lies where a block's spill slots
// would be:
//
//   0      MARKS    this lane's first mark                    \
//   4      SUMS     this lane's first sum, one element before  | for the head
//   8      START    where the lane's first row should begin    /
//   12     BEGIN    where the last row begins                  \ from the head
//   16     END      and where it ends                          /
//   20     INIT     the sum of a row without elements
//   64     SLOTS    for each thread, the address of its row's sum
//   …      marks    for each of a lane's elements 4 bytes, one a lane: 255 where a row begins
//   …      sums     for each of a lane's elements 4 words, one a lane: the sum up to there

export const MARKS = 0;
export const SUMS = 4;
export const START = 8;
export const BEGIN = 12;
export const END = 16;
export const INIT = 20;
export const SLOTS = 64;
/** Bytes for each thread: rows of 31 elements in the mean. More than that, and the ends of rows matter less. */
export const ROW_BYTES = 160;
/** Bytes for each of a lane's elements: its mark and its sums. */
const POSITION_BYTES = 20;
/** Elements that a lane may go on behind its last one. */
export const SLACK = 8;

/** Pushes how many elements a lane has room for, a multiple of 4, in a block of so many threads. */
export function pushPositions(w: CodeWriter, threads: number): void {
  w.localGet(threads);
  w.i32Const(ROW_BYTES - 4);
  w.op(OP.i32_mul);
  w.i32Const(SLOTS + SLACK * POSITION_BYTES);
  w.op(OP.i32_sub);
  w.i32Const(POSITION_BYTES);
  w.op(OP.i32_div_u);
  w.i32Const(-4);
  w.op(OP.i32_and);
}

/** A word of what the functions tell each other, loaded once. */
function pinWord(e: RegionEmitter, offset: number): number {
  const shared = e.pinAddress(BLOCK_SPILL);
  return e.pin(`rows ${offset}`, I32, (p) => {
    p.localGet(shared);
    p.mem(OP.i32_load, 2, offset);
  });
}

/** Finds where threads' rows begin and end; returns 0 if they lie one after the other. */
export class HeadEmitter extends RegionEmitter {
  private readonly bad = this.temporary(I32);
  private readonly begin = this.temporary(I32);
  /** Where the next row should begin, and where the last one ends: before, if there was no room for it. */
  private readonly next = this.temporary(I32);
  private readonly behind = this.temporary(I32);

  protected override operation(v: Value): void {
    if (v.op !== "row_put") {
      super.operation(v);
      return;
    }
    const { w } = this;
    const [begin, more] = v.args;
    this.push(begin);
    w.localSet(this.begin);
    if (more) this.putRow(more);
    this.scaled(this.w, BLOCK_SPILL, 2);
    if (more) this.pushPlace(SUMS, 4);
    else {
      w.localGet(this.pinAddress(BLOCK_SPILL));
      w.i32Const(INIT);
      w.op(OP.i32_add);
    }
    w.mem(OP.i32_store, 2, SLOTS);
  }

  /** Marks where a row begins, and goes on to its end. */
  private putRow(more: Value): void {
    const { w, bad, begin, next, behind } = this;
    const start = pinWord(this, START);
    const limit = this.pin("limit", I32, (p) => {
      pushPositions(p, this.threads());
      p.localGet(start);
      p.op(OP.i32_add);
    });
    this.pushPlace(MARKS, 2);
    w.i32Const(255);
    w.mem(OP.i32_store8, 0);
    w.localGet(begin);
    w.localGet(next);
    w.op(OP.i32_xor);
    w.localGet(bad);
    w.op(OP.i32_or);
    w.localSet(bad);
    w.localGet(next);
    this.push(more);
    w.op(OP.i32_add);
    w.i32Const(1);
    w.op(OP.i32_add);
    w.localTee(behind);
    w.localGet(next);
    this.push(more);
    w.localGet(limit);
    w.localGet(next);
    w.op(OP.i32_sub);
    w.op(OP.i32_lt_u);
    w.op(OP.select);
    w.localSet(next);
  }

  /** Pushes the address of the next row's mark or sum. */
  private pushPlace(word: number, shift: number): void {
    const { w } = this;
    const first = pinWord(this, word);
    const start = pinWord(this, START);
    const zero = this.pin(`rows ${word} of 0`, I32, (p) => {
      p.localGet(first);
      p.localGet(start);
      p.i32Const(shift);
      p.op(OP.i32_shl);
      p.op(OP.i32_sub);
    });
    w.localGet(zero);
    w.localGet(this.next);
    w.i32Const(shift);
    w.op(OP.i32_shl);
    w.op(OP.i32_add);
  }

  protected override frame(pre: CodeWriter): void {
    for (const local of [this.next, this.behind]) {
      pre.localGet(pinWord(this, START));
      pre.localSet(local);
    }
    super.frame(pre);
  }

  /** A thread without a row: the block's are not all alike. */
  override leave(block: Block): void {
    if (!block.values.some((v) => v.op === "row_put")) {
      this.w.i32Const(1);
      this.w.localSet(this.bad);
    }
    super.leave(block);
  }

  protected override pushEnd(): void {
    const { w } = this;
    for (const [offset, local] of [
      [BEGIN, this.begin],
      [END, this.next],
    ]) {
      w.localGet(this.pinAddress(BLOCK_SPILL));
      w.localGet(local);
      w.mem(OP.i32_store, 2, offset);
    }
    w.localGet(this.behind);
    w.localGet(this.next);
    w.op(OP.i32_xor);
    w.localGet(this.bad);
    w.op(OP.i32_or);
  }
}

/** Goes on with a row's sum. */
export class TailEmitter extends RegionEmitter {
  protected override operation(v: Value): void {
    if (v.op !== "row_sum") {
      super.operation(v);
      return;
    }
    this.scaled(this.w, BLOCK_SPILL, 2);
    this.w.mem(OP.i32_load, 2, SLOTS);
    this.w.mem(v.type === F32 ? OP.f32_load : OP.i32_load, 2);
  }
}
