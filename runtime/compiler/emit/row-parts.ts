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

/** Pushes the address of the slot of the current thread, without SLOTS. */
function pushSlotOf(e: RegionEmitter): void {
  const { w } = e;
  w.localGet(e.pinAddress(BLOCK_SPILL));
  w.localGet(e.thread);
  w.i32Const(2);
  w.op(OP.i32_shl);
  w.op(OP.i32_add);
}

/** Finds where threads' rows begin and end; returns 0 if they lie one after the other. */
export class HeadEmitter extends RegionEmitter {
  private readonly bad = this.temporary(I32);
  /** Where the next row should begin. */
  private readonly expected = this.temporary(I32);
  private readonly begin = this.temporary(I32);
  /** Bytes from the lane's first mark to the next row's. */
  private readonly at = this.temporary(I32);

  protected override operation(v: Value): void {
    if (v.op !== "row_put") super.operation(v);
    else this.putRow(v);
  }

  private putRow(v: Value): void {
    const { w, bad, expected, begin, at } = this;
    const [count, to] = [1, 2].map(() => this.temporary(I32));
    const room = this.pin("room", I32, (p) => {
      pushPositions(p, this.threads());
      p.i32Const(2);
      p.op(OP.i32_shl);
    });
    this.push(v.args[0]);
    w.localSet(begin);
    this.push(v.args[1]);
    w.localSet(count);
    w.localGet(pinWord(this, MARKS));
    w.localGet(at);
    w.op(OP.i32_add);
    w.i32Const(255);
    w.mem(OP.i32_store8, 0);
    w.localGet(begin);
    w.localGet(expected);
    w.op(OP.i32_xor);
    w.localGet(bad);
    w.op(OP.i32_or);
    w.localSet(bad);
    w.localGet(begin);
    w.localGet(count);
    w.op(OP.i32_add);
    w.localSet(expected);
    // A row without room goes no further: the lane is found to be shorter than its rows then.
    w.localGet(at);
    w.localGet(count);
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.op(OP.i32_add);
    w.localTee(to);
    w.localGet(at);
    w.localGet(to);
    w.localGet(room);
    w.op(OP.i32_le_u);
    w.op(OP.select);
    w.localSet(at);
    pushSlotOf(this);
    w.localGet(pinWord(this, SUMS));
    w.localGet(at);
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.op(OP.i32_add);
    w.localGet(this.pinAddress(BLOCK_SPILL));
    w.i32Const(INIT);
    w.op(OP.i32_add);
    w.localGet(count);
    w.op(OP.select);
    w.mem(OP.i32_store, 2, SLOTS);
  }

  protected override frame(pre: CodeWriter): void {
    pre.localGet(pinWord(this, START));
    pre.localSet(this.expected);
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
      [END, this.expected],
    ]) {
      w.localGet(this.pinAddress(BLOCK_SPILL));
      w.localGet(local);
      w.mem(OP.i32_store, 2, offset);
    }
    w.localGet(this.expected);
    w.localGet(pinWord(this, START));
    w.op(OP.i32_sub);
    w.localGet(this.at);
    w.i32Const(2);
    w.op(OP.i32_shr_u);
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
    pushSlotOf(this);
    this.w.mem(OP.i32_load, 2, SLOTS);
    this.w.mem(v.type === F32 ? OP.f32_load : OP.i32_load, 2);
  }
}
