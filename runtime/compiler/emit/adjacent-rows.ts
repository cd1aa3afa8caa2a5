import { BLOCK_SPILL, REGION_MIXED } from "../../exec/layout.ts";
import { Block, F32, I32, type Region } from "../ir/ir.ts";
import type { AdjacentRows } from "../passes/adjacent-rows.ts";
import { eliminateDead } from "../passes/dce.ts";
import type { RowArray, RowLoop } from "../passes/row-loop.ts";
import { LANES } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import type { CodeWriter } from "../wasm/writer.ts";
import { limitsOf } from "./index-limits.ts";
import type { KernelEmitter } from "./kernel.ts";
import { anyLane } from "./lane-tests.ts";
import type { RegionEmitter } from "./region.ts";
import { RowElements } from "./row-elements.ts";
import {
  BEGIN,
  END,
  HeadEmitter,
  INIT,
  MARKS,
  pushPositions,
  SLACK,
  SLOTS,
  START,
  SUMS,
  TailEmitter,
} from "./row-parts.ts";
import { selectLanes } from "./vector.ts";

/** Blocks with fewer threads have too few rows a lane. */
const MIN_THREADS = 64;
/** So many blocks are done as usual after one whose rows don't lie one after the other. */
const PAUSE = 63;

/** Writes the functions for a region's rows: the one that does a block's gets the declared `index`. */
export function emitRows(kernel: KernelEmitter, rows: AdjacentRows, index: number): void {
  const { i32 } = VALTYPE;
  const define = (to: number, emitter: RegionEmitter): number => {
    const { locals, code } = emitter.emit();
    kernel.module.define(to, { params: [i32, i32, i32], results: [i32] }, locals, code);
    return to;
  };
  const [head, tail] = [HeadEmitter, TailEmitter].map((Emitter, k) => {
    const { region, prologue } = k === 0 ? rows.head : rows.tail;
    const kept = eliminateDead(region, prologue); // counts the uses in this part
    return define(kernel.module.declare(), new Emitter(kernel, region, kept));
  });
  define(index, new RowsEmitter(kernel, rows, head, tail));
}

/** The function `(context, first, last) → pc` for the rows of a block's threads: REGION_MIXED if it did nothing. */
class RowsEmitter extends RowElements {
  protected readonly source: RowLoop;
  private readonly head: number;
  private readonly tail: number;
  /** Global: blocks that are still done as usual. */
  private readonly paused: number;
  /** Where each lane's rows begin, and where all end: indices of elements. */
  private readonly starts = Array.from({ length: LANES + 1 }, () => this.temporary(I32));
  /** Elements of the lane that has most. */
  private readonly longest = this.temporary(I32);
  /** Bytes from each lane's first element to those that the round is for. */
  private readonly at = this.temporary(I32);
  /** Addresses of the lanes' marks and sums. */
  private readonly marks = this.temporary(I32);
  private readonly sums = this.temporary(I32);

  constructor(kernel: KernelEmitter, { loop, prologue }: AdjacentRows, head: number, tail: number) {
    for (const v of prologue) v.uses = 2; // each has a local
    const start = new Block(0);
    start.terminator = { kind: "exit" };
    const region: Region = { entry: 1, from: undefined, start, blocks: [start] };
    super(kernel, region, prologue);
    this.source = loop;
    this.head = head;
    this.tail = tail;
    this.paused = kernel.module.counter();
  }

  protected override frame(pre: CodeWriter): void {
    const { w } = this;
    w.raw(this.pins.view());
    this.leaveOut();
    w.raw(pre.view());
    w.raw(this.written.view());
  }

  /** Does nothing for small blocks, and for some behind one whose rows don't lie one after the other. */
  private leaveOut(): void {
    const { w } = this;
    const pushThreads = () => {
      w.localGet(2);
      w.localGet(1);
      w.op(OP.i32_sub);
    };
    pushThreads();
    w.i32Const(LANES - 1);
    w.op(OP.i32_and);
    pushThreads();
    w.i32Const(MIN_THREADS);
    w.op(OP.i32_lt_u);
    w.op(OP.i32_or);
    w.if();
    this.giveUp();
    w.end();
    w.op(OP.global_get);
    w.u32(this.paused);
    w.if();
    w.op(OP.global_get);
    w.u32(this.paused);
    w.i32Const(1);
    w.op(OP.i32_sub);
    this.setPaused();
    this.giveUp();
    w.end();
  }

  private setPaused(): void {
    this.w.op(OP.global_set);
    this.w.u32(this.paused);
  }

  private giveUp(): void {
    this.w.i32Const(REGION_MIXED);
    this.w.op(OP.return);
  }

  protected override writeBody(): void {
    const { w } = this;
    this.clearMarks();
    this.findRows();
    this.testArrays();
    this.setPointers();
    this.writeLoop();
    for (const parameter of [0, 1, 2]) w.localGet(parameter);
    w.call(this.tail);
  }

  private clearMarks(): void {
    const { w, marks, sums } = this;
    const shared = this.pinAddress(BLOCK_SPILL);
    w.localGet(shared);
    w.i32Const(SLOTS);
    w.op(OP.i32_add);
    w.localGet(this.threads());
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.op(OP.i32_add);
    w.localTee(marks);
    w.i32Const(0);
    pushPositions(w, this.threads());
    w.i32Const(SLACK);
    w.op(OP.i32_add);
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.localTee(sums);
    w.op(OP.memory_fill);
    w.u8(0);
    w.localGet(marks);
    w.localGet(sums);
    w.op(OP.i32_add);
    w.localSet(sums);
    const { init } = this.source;
    w.localGet(shared);
    this.push(init);
    w.mem(init.type === F32 ? OP.f32_store : OP.i32_store, 2, INIT);
  }

  /** Has the head find the rows, a quarter of the threads for each lane; gives up if they have gaps. */
  private findRows(): void {
    const { w, starts, longest } = this;
    const shared = this.pinAddress(BLOCK_SPILL);
    const [thread, quarter, length, bad] = [0, 1, 2, 3].map(() => this.temporary(I32));
    w.localGet(2);
    w.localGet(1);
    w.op(OP.i32_sub);
    w.i32Const(2);
    w.op(OP.i32_shr_u);
    w.localSet(quarter);
    w.localGet(1);
    w.localSet(thread);
    // The first row alone tells where all begin.
    this.callHead(0, thread, () => {
      w.localGet(thread);
      w.i32Const(1);
      w.op(OP.i32_add);
    });
    w.op(OP.drop);
    w.localGet(shared);
    w.mem(OP.i32_load, 2, BEGIN);
    w.localSet(starts[0]);
    for (let lane = 0; lane < LANES; lane++) {
      this.callHead(lane, thread, () => {
        w.localGet(thread);
        w.localGet(quarter);
        w.op(OP.i32_add);
        w.localTee(thread);
      });
      w.localGet(bad);
      w.op(OP.i32_or);
      w.localSet(bad);
      w.localGet(shared);
      w.mem(OP.i32_load, 2, END);
      w.localTee(starts[lane + 1]);
      w.localGet(starts[lane]);
      w.op(OP.i32_sub);
      w.localTee(length);
      w.localGet(longest);
      w.localGet(length);
      w.localGet(longest);
      w.op(OP.i32_gt_u);
      w.op(OP.select);
      w.localSet(longest);
    }
    w.localGet(bad);
    w.if();
    w.i32Const(PAUSE);
    this.setPaused();
    this.giveUp();
    w.end();
  }

  /** Has the head look at the threads from one on for a lane; leaves on the stack whether it was in vain. */
  private callHead(lane: number, thread: number, pushLast: () => void): void {
    const { w } = this;
    const shared = this.pinAddress(BLOCK_SPILL);
    for (const [offset, local, further] of [
      [MARKS, this.marks, lane],
      [SUMS, this.sums, 4 * lane - 16],
      [START, this.starts[lane], 0],
    ]) {
      w.localGet(shared);
      w.localGet(local);
      w.i32Const(further);
      w.op(OP.i32_add);
      w.mem(OP.i32_store, 2, offset);
    }
    w.localGet(0);
    w.localGet(thread);
    pushLast();
    w.call(this.head);
  }

  /** Gives up unless all elements that the loop looks at are in memory, and their indices don't wrap. */
  private testArrays(): void {
    const { w, starts, longest } = this;
    const [first, last, end] = [starts[0], starts[LANES - 1], starts[LANES]];
    const bound = this.genericBound(1, 0);
    w.i32Const(0);
    for (const { base, shift, offset } of this.source.arrays.values()) {
      const pushIndex = (index: number) => {
        w.localGet(index);
        w.i32Const(shift);
        w.op(OP.i32_add);
        w.op(this.source.signed ? OP.i64_extend_i32_s : OP.i64_extend_i32_u);
      };
      const from = this.temporaryOf(VALTYPE.i64);
      pushIndex(end);
      pushIndex(first);
      w.op(OP.i64_sub);
      w.localGet(end);
      w.localGet(first);
      w.op(OP.i32_sub);
      w.op(OP.i64_extend_i32_u);
      w.op(OP.i64_ne);
      w.op(OP.i32_or);
      this.push(base);
      w.localGet(this.heapLow());
      w.op(OP.i64_sub);
      w.i64Const(BigInt(offset));
      w.op(OP.i64_add);
      pushIndex(first);
      w.i64Const(2n);
      w.op(OP.i64_shl);
      w.op(OP.i64_add);
      w.localTee(from);
      w.localGet(bound);
      w.op(OP.i64_ge_u);
      w.op(OP.i32_or);
      w.localGet(from);
      w.op(OP.i32_wrap_i64);
      w.i32Const(3);
      w.op(OP.i32_and);
      w.op(OP.i32_or);
      // The last lane goes on as long as the longest one, in whole fours.
      w.localGet(from);
      w.localGet(last);
      w.localGet(first);
      w.op(OP.i32_sub);
      w.localGet(longest);
      w.op(OP.i32_add);
      w.i32Const(LANES);
      w.op(OP.i32_add);
      w.op(OP.i64_extend_i32_u);
      w.i64Const(2n);
      w.op(OP.i64_shl);
      w.op(OP.i64_add);
      w.localGet(bound);
      w.op(OP.i64_ge_u);
      w.op(OP.i32_or);
    }
    w.if();
    this.giveUp();
    w.end();
  }

  /** The lanes' pointers into one array, which indices come from if any do; others lie at distances from it. */
  private setPointers(): void {
    const { w } = this;
    const pushArray = ({ base, shift, offset }: RowArray) => {
      this.push(base);
      w.op(OP.i32_wrap_i64);
      w.i32Const(4 * shift + offset);
      w.op(OP.i32_add);
    };
    const { arrays, gathers } = this.source;
    const indices = [...gathers.values()].map(({ index }) => arrays.get(index));
    const all = [...arrays.values()];
    const first = indices.find((array) => array) ?? all[0];
    this.pointers.forEach((pointer, lane) => {
      pushArray(first);
      w.localGet(this.starts[lane]);
      w.i32Const(2);
      w.op(OP.i32_shl);
      w.op(OP.i32_add);
      w.localSet(pointer);
    });
    for (const array of all) {
      if (array === first) continue;
      const distance = this.temporary(I32);
      pushArray(array);
      pushArray(first);
      w.op(OP.i32_sub);
      w.localSet(distance);
      this.distances.set(array, distance);
    }
  }

  /** The loop over four elements of each lane. */
  private writeLoop(): void {
    const { w, at, longest } = this;
    const end = this.temporary(I32);
    w.localGet(longest);
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.localTee(end);
    w.if();
    w.loop();
    this.testIndices();
    this.addElements();
    for (const pointer of this.pointers) {
      w.localGet(pointer);
      w.i32Const(16);
      w.op(OP.i32_add);
      w.localSet(pointer);
    }
    w.localGet(at);
    w.i32Const(16);
    w.op(OP.i32_add);
    w.localTee(at);
    w.localGet(end);
    w.op(OP.i32_lt_u);
    w.brIf(0);
    w.end();
    w.end();
  }

  private addElements(): void {
    const { w } = this;
    const { init, next } = this.source;
    const zero = init.op === "const" && init.imm === 0;
    const begins = this.beginsOf();
    const place = this.temporary(I32);
    w.localGet(this.sums);
    w.localGet(this.at);
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.op(OP.i32_add);
    w.localSet(place);
    for (let element = 0; element < LANES; element++) {
      // Where a row begins, the sum begins anew.
      if (!zero) this.pushAcross(init, element);
      w.localGet(this.sum);
      w.localGet(begins[element]);
      if (zero) w.op(OP.v128_andnot);
      else selectLanes(this);
      w.localSet(this.sum);
      this.pushAcross(next, element);
      w.localSet(this.sum);
      w.localGet(place);
      w.localGet(this.sum);
      w.mem(OP.v128_store, 2, 16 * element);
    }
  }

  /** Loads the lanes' marks: locals with the lanes in which a row begins, by element. */
  private beginsOf(): number[] {
    const { w } = this;
    const make = (push: () => void) => {
      const local = this.temporaryOf(VALTYPE.v128);
      push();
      w.localSet(local);
      return local;
    };
    const extend = (from: number, codes: number[]) =>
      codes.map((code) =>
        make(() => {
          w.localGet(from);
          w.op(code);
        }),
      );
    const all = make(() => {
      w.localGet(this.marks);
      w.localGet(this.at);
      w.op(OP.i32_add);
      w.mem(OP.v128_load, 2);
    });
    return extend(all, [OP.i16x8_extend_low_i8x16_s, OP.i16x8_extend_high_i8x16_s]).flatMap(
      (half) => extend(half, [OP.i32x4_extend_low_i16x8_s, OP.i32x4_extend_high_i16x8_s]),
    );
  }

  /** Gives up where an index leads out of memory. */
  private testIndices(): void {
    const { w } = this;
    const tested = new Set<string>();
    for (const { check, base, index } of this.source.gathers.values()) {
      const limits = limitsOf(this, check, this.localOf(base) as number, 0, 4);
      if (!limits) throw new Error("an index without limits");
      const test = `${index.id} ${limits.low} ${limits.count}`;
      if (tested.has(test)) continue;
      for (let lane = 0; lane < LANES; lane++) {
        this.pushAlong(index, lane);
        w.localGet(this.splat(limits.low));
        w.op(OP.i32x4_sub);
        if (lane > 0) w.op(OP.i32x4_max_u);
      }
      w.localGet(this.splat(limits.count));
      w.op(OP.i32x4_ge_u);
      if (tested.size > 0) w.op(OP.v128_or);
      tested.add(test);
    }
    if (tested.size === 0) return;
    anyLane(w);
    w.if();
    this.giveUp();
    w.end();
  }

  private splat(local: number): number {
    return this.afterPrologue(`splat ${local}`, VALTYPE.v128, (w) => {
      w.localGet(local);
      w.op(OP.i32x4_splat);
    });
  }
}
