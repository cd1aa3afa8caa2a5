import { BLOCK_CTAID_X, BLOCK_RUN } from "../../exec/layout.ts";
import { I32 } from "../ir/ir.ts";
import { LANES } from "../simd/shapes.ts";
import { OP } from "../wasm/opcodes.ts";
import type { CodeWriter } from "../wasm/writer.ts";
import type { GroupOperands } from "./group-operands.ts";

/**
 * The blocks of a run that the sure body takes as one row: the code that finds them, and the groups at
 * both ends that it may have left out (the edges of an array), which run by themselves.
 */
export class BlockRow {
  /** Local with the blocks of the row, or with those that are done. */
  readonly blocks: number;
  /** Local with the groups from one that runs by itself to the next; undefined if that is always 1. */
  readonly stride: number | undefined;
  /** Local with the blocks to try next. */
  private readonly step: number;
  /** Local that says whether the block before this one failed the tests. */
  private readonly failed: number;
  /**
   * Local: 1 while the row of blocks without its edges and the first group of each row of threads are
   * run; 2 while the last groups are; else 0.
   */
  private readonly edge: number;
  /** Local with the blocks from the first one to the one with the last groups. */
  private readonly tail: number;
  private readonly f: GroupOperands;
  private readonly width: number;
  /** Groups that are left out at each end. */
  private readonly margin: number;
  /** Local with the number of that which runs by itself. */
  private readonly turn: number;
  private readonly inOrder: boolean;

  /**
   * @param width threads of a block in x
   * @param margin groups that may be left out at each end, if the code around runs block after block; else 0
   * @param inOrder whether the first groups must come before the row: a thread may read what one with a
   *   higher index writes. Else they come after it, when their memory is in the caches.
   */
  constructor(f: GroupOperands, width: number, margin: number, inOrder: boolean) {
    this.f = f;
    this.width = width;
    this.margin = margin;
    this.inOrder = inOrder;
    const local = () => f.temporary(I32);
    [this.blocks, this.step, this.failed] = [local(), local(), local()];
    const has = margin > 0 && width > 2 * margin * LANES;
    this.stride = has ? local() : undefined;
    this.edge = has ? local() : -1;
    this.tail = has ? local() : -1;
    this.turn = has && margin > 1 ? local() : -1;
  }

  private get hasEdges(): boolean {
    return this.stride !== undefined;
  }

  /** Before the first block: all are to be tried. */
  begin(): void {
    const { w } = this.f;
    w.localGet(0);
    w.mem(OP.i32_load, 2, BLOCK_RUN);
    w.localSet(this.step);
  }

  /**
   * Goes on where there is a row of blocks to be run, from `start` on and `span` threads long. Leaves
   * the enclosing block for groups that run by themselves: those of a block that fails the tests, and
   * those at a row's edges.
   */
  find(tests: CodeWriter): void {
    if (!this.hasEdges) {
      this.search(tests, 0);
      return;
    }
    const { f, edge, blocks, inOrder } = this;
    const { w } = f;
    if (inOrder) {
      this.pushEdge(2);
      if (this.turn >= 0) {
        w.localGet(this.turn);
        w.op(OP.i32_or);
      }
      w.brIf(0);
      this.pushEdge(0);
      w.if();
    } else {
      w.localGet(edge);
      w.brIf(0);
    }
    this.search(tests, inOrder ? 1 : 0);
    w.localGet(blocks);
    w.i32Const(1);
    w.op(OP.i32_sub);
    w.localSet(this.tail);
    if (!inOrder) return;
    w.localGet(edge);
    w.brIf(1);
    w.end();
  }

  /**
   * Finds blocks that pass the tests as one row: all that are left, without their first and last groups
   * if need be, or without the last block (which may lie beyond an array's end), else the first half,
   * and so on. If the first block fails by itself, leaves the enclosing block, and next tries all that
   * are left again; after a second one, one block, then of one that passed two, and so on.
   * @param depth labels between here and the enclosing block
   */
  private search(tests: CodeWriter, depth: number): void {
    const { f, step, blocks, failed, edge } = this;
    const { w } = f;
    const [rest, alone] = [f.temporary(I32), f.temporary(I32)];
    const pushAll = () => {
      w.localGet(blocks);
      w.localGet(rest);
      w.op(OP.i32_eq);
    };
    const half = (of: number) => {
      w.localGet(of);
      w.i32Const(1);
      w.op(OP.i32_shr_u);
      w.localSet(blocks);
    };
    w.localGet(0);
    w.mem(OP.i32_load, 2, BLOCK_RUN);
    w.localSet(rest);
    w.localGet(step);
    w.localGet(rest);
    w.localGet(step);
    w.localGet(rest);
    w.op(OP.i32_lt_u);
    w.op(OP.select);
    w.localSet(blocks);
    w.i32Const(0);
    w.localSet(alone);
    w.loop();
    this.setThreads();
    w.raw(tests.view());
    w.if();
    // The first block passes, but neither all do, nor all but the last.
    w.localGet(alone);
    w.if();
    w.i32Const(0);
    w.localSet(alone);
    half(rest);
    w.br(2);
    w.end();
    w.op(OP.else);
    if (this.hasEdges) {
      pushAll();
      w.if();
      w.localGet(edge);
      w.i32Const(1);
      w.op(OP.i32_xor);
      w.localTee(edge);
      w.brIf(2);
      w.end();
    }
    w.localGet(blocks);
    w.i32Const(1);
    w.op(OP.i32_eq);
    w.if();
    w.localGet(rest);
    w.i32Const(1);
    w.localGet(failed);
    w.op(OP.i32_eqz);
    w.op(OP.select);
    w.localSet(step);
    w.i32Const(1);
    w.localSet(failed);
    w.br(3 + depth);
    w.end();
    pushAll();
    w.if();
    w.localGet(rest);
    w.i32Const(1);
    w.op(OP.i32_sub);
    w.localSet(blocks);
    w.br(2);
    w.end();
    w.localGet(blocks);
    w.i32Const(1);
    w.op(OP.i32_add);
    w.localGet(rest);
    w.op(OP.i32_eq);
    w.if();
    w.i32Const(1);
    w.localTee(alone);
    w.localSet(blocks);
    w.br(2);
    w.end();
    half(blocks);
    w.br(1);
    w.end();
    w.end();
    w.localGet(blocks);
    w.i32Const(1);
    w.op(OP.i32_shl);
    w.localSet(step);
    w.i32Const(0);
    w.localSet(failed);
  }

  /** Sets the threads that the tests are for. */
  private setThreads(): void {
    const { f, width, edge } = this;
    const { w } = f;
    const pushMargin = (threads: number) => {
      w.localGet(edge);
      w.i32Const(Math.log2(threads));
      w.op(OP.i32_shl);
    };
    w.localGet(this.blocks);
    w.i32Const(width);
    w.op(OP.i32_mul);
    if (this.hasEdges) {
      pushMargin(2 * this.margin * LANES);
      w.op(OP.i32_sub);
    }
    w.localSet(f.span);
    w.localGet(0);
    w.mem(OP.i32_load, 2, BLOCK_CTAID_X);
    w.i32Const(width);
    w.op(OP.i32_mul);
    if (this.hasEdges) {
      pushMargin(this.margin * LANES);
      w.op(OP.i32_add);
    }
    w.localSet(f.start);
  }

  /** Behind the row: if it was without its edges, goes on with these. */
  after(): void {
    if (!this.hasEdges) return;
    const { w } = this.f;
    w.localGet(this.edge);
    w.if();
    if (this.inOrder) this.goOnToLast();
    else this.stay();
    w.end();
  }

  /** In front of the loop over groups: which of the block's are run. */
  beforeGroups(): void {
    if (this.stride === undefined) return;
    const { w } = this.f;
    const groups = this.width / LANES;
    w.i32Const(groups);
    w.i32Const(1);
    w.localGet(this.edge);
    w.op(OP.select);
    w.localSet(this.stride);
    w.i32Const(groups - this.margin);
    w.i32Const(0);
    this.pushEdge(2);
    w.op(OP.select);
    if (this.turn >= 0) {
      w.localGet(this.turn);
      w.op(OP.i32_add);
    }
    w.localSet(1);
  }

  /** Behind the loop over groups: goes on with the row, the other edge, or the blocks that follow. */
  afterGroups(): void {
    if (!this.hasEdges) return;
    const { w } = this.f;
    if (this.turn >= 0) {
      w.localGet(this.edge);
      w.if();
      w.localGet(this.turn);
      w.i32Const(1);
      w.op(OP.i32_add);
      w.localTee(this.turn);
      w.i32Const(this.margin);
      w.op(OP.i32_ne);
      w.if();
      this.stay();
      w.br(2);
      w.end();
      w.i32Const(0);
      w.localSet(this.turn);
      w.end();
    }
    this.pushEdge(1);
    w.if();
    if (this.inOrder) this.stay();
    else this.goOnToLast();
    w.op(OP.else);
    w.i32Const(1);
    w.localSet(this.blocks);
    w.i32Const(0);
    w.localSet(this.edge);
    w.end();
  }

  /** The row's first block is still to be run, in part. */
  private stay(): void {
    const { w } = this.f;
    w.i32Const(0);
    w.localSet(this.blocks);
  }

  private goOnToLast(): void {
    const { w } = this.f;
    w.localGet(this.tail);
    w.localSet(this.blocks);
    w.i32Const(2);
    w.localSet(this.edge);
  }

  /** Pushes whether `edge` is so. */
  private pushEdge(which: number): void {
    const { w } = this.f;
    w.localGet(this.edge);
    w.i32Const(which);
    w.op(OP.i32_eq);
  }
}
