import {
  BLOCK_CTAID_X,
  BLOCK_MASKED,
  BLOCK_PC,
  BLOCK_RUN,
  BLOCK_SPILL,
  PC_READY,
  REGION_MIXED,
} from "../../exec/layout.ts";
import { I32, type Region, TYPE_BYTES, type Value } from "../ir/ir.ts";
import type { GroupVariant } from "../simd/group-region.ts";
import { LANES } from "../simd/shapes.ts";
import { type Bound, constantThread } from "../simd/trim.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { CodeWriter } from "../wasm/writer.ts";
import { log2 } from "./access-codes.ts";
import { BlockRow } from "./block-row.ts";
import { LOADS, roundedThreads } from "./frame.ts";
import { GroupOperands } from "./group-operands.ts";
import { anyLane } from "./lane-tests.ts";
import { emitScalar } from "./scalar.ts";
import { beginColumns, touchReaches } from "./touch.ts";

/** The code of each body. */
export type Bodies = ReadonlyMap<GroupVariant, CodeWriter>;

/** Rounds of a waiting loop before its lanes let the others run. */
const SPIN = 32;

/**
 * What a region's function is around the bodies: the loop over the blocks of a run, the tests for a
 * whole block, the loops over lane groups, and which groups they leave out.
 */
export abstract class GroupLoops extends GroupOperands {
  /** Blocks left of the run. */
  protected rest = -1;
  /** Local with the row of threads that the sure body is at. */
  abstract readonly rowLocal: number;
  /** What is computed once for each row, or once for the block. */
  protected readonly hoistedCode = new CodeWriter(128);
  /** Finds whether threads store to addresses of their own. */
  private readonly ownedCode = new CodeWriter(256);

  /** Writes the function around the bodies. */
  protected frame(pre: CodeWriter, bodies: Bodies): void {
    const { w } = this;
    this.rest = this.temporaryOf(VALTYPE.i32);
    const blockRow = this.isFlat()
      ? new BlockRow(this, this.width(), this.margin(), readsBack(this.region))
      : undefined;
    const masked = this.pin("masked", I32, (p) => {
      p.localGet(0);
      p.mem(OP.i32_load, 2, BLOCK_MASKED);
    });
    const pc = this.kernel.single ? 0 : this.perThread("pc4", (t) => this.scaled(t, BLOCK_PC, 2));
    const { from } = this.region;
    const warp = from?.warpOp ? this.warpOperation(from, masked, 1, 3) : undefined;
    const { threads } = this.kernel;
    const entry = this.withWriter(new CodeWriter(64), () =>
      this.pushEntryLanes(masked, pc, threads),
    );
    const sure = this.sureVariant() && this.chooseSure(bodies);
    const tests = sure && this.withWriter(new CodeWriter(512), () => this.tests());
    if (sure) this.withWriter(this.ownedCode, () => this.testOwned());
    blockRow?.begin();
    if (this.kernel.runs) w.loop();
    w.raw(this.pins.view());
    if (this.fuel >= 0) this.setFuel();
    w.raw(pre.view());
    w.i32Const(-1);
    w.localSet(this.accAnd);
    if (warp) w.raw(warp.view());
    this.trimGroups(masked);
    w.block();
    if (sure && tests) {
      w.block();
      if (blockRow) {
        blockRow.find(tests);
        this.sureRows(sure);
        blockRow.after();
      } else {
        this.untilSure(tests, masked);
        this.sureBlock(sure);
      }
      w.br(1);
      w.end();
    }
    w.raw(this.lateCode.view());
    blockRow?.beforeGroups();
    this.groups(bodies, masked, entry, blockRow?.stride);
    blockRow?.afterGroups();
    w.end();
    if (this.kernel.runs) this.nextBlock(blockRow);
    if (this.onlyStop !== undefined) {
      w.i32Const(this.onlyStop);
      return;
    }
    w.localGet(this.accOr);
    w.i32Const(REGION_MIXED);
    w.localGet(this.accOr);
    w.localGet(this.accAnd);
    w.op(OP.i32_eq);
    w.op(OP.select);
  }

  /**
   * The loop over groups, each by the fast or the general body.
   * @param stride local with the groups from one to the next, where that is not always 1
   */
  private groups(
    bodies: Bodies,
    masked: number,
    entry: CodeWriter,
    stride: number | undefined,
  ): void {
    const { w } = this;
    const { threads } = this.kernel;
    w.loop();
    w.block();
    this.firstThread(1, this.thread);
    this.setCopyThreads();
    w.raw(this.top.view());
    if (this.spin >= 0) {
      w.i32Const(SPIN);
      w.localSet(this.spin);
    }
    const jammed = this.source.variants.find((v) => v.kind === "jammed" || v.kind === "warp");
    const step = jammed ? this.temporary(I32) : -1;
    if (jammed) {
      // Groups that start over do so one by one.
      w.block();
      w.localGet(masked);
      w.brIf(0);
      w.localGet(1);
      w.i32Const(jammed.copies - 1);
      w.op(OP.i32_and);
      w.brIf(0);
      w.localGet(1);
      w.i32Const(jammed.copies);
      w.localTee(step);
      w.op(OP.i32_add);
      w.localGet(2);
      w.op(OP.i32_gt_u);
      w.brIf(0);
      w.raw((bodies.get(jammed) as CodeWriter).view());
      w.end();
      w.i32Const(1);
      w.localSet(step);
    }
    const of = (kind: GroupVariant["kind"]) => {
      const variant = this.source.variants.find((v) => v.kind === kind);
      return variant && bodies.get(variant);
    };
    const fast = of("fast");
    if (fast && threads >= LANES) {
      w.block();
      if (!this.kernel.single) {
        w.localGet(masked);
        w.brIf(0);
      }
      if (threads % LANES !== 0) {
        w.localGet(this.thread);
        w.i32Const(threads - LANES);
        w.op(OP.i32_gt_u);
        w.brIf(0);
      }
      w.raw(fast.view());
      w.end();
    }
    w.raw(entry.view());
    w.localTee(this.entryMask);
    anyLane(w);
    w.op(OP.i32_eqz);
    w.brIf(0);
    w.raw((of("general") as CodeWriter).view());
    w.end();
    w.localGet(1);
    if (jammed) w.localGet(step);
    else if (stride !== undefined) w.localGet(stride);
    else w.i32Const(1);
    w.op(OP.i32_add);
    w.localTee(1);
    w.localGet(2);
    w.op(OP.i32_lt_u);
    w.brIf(0);
    w.end();
  }

  // ---- the sure body ----

  /** Pushes whether the sure body may run. */
  private tests(): void {
    const given = this.sureVariant()?.given;
    if (!given) return;
    for (const v of given.steady) this.loadOnce(v);
    this.blockValues(given.code.slice(0, -1));
    this.scalar(given.code[given.code.length - 1]);
  }

  private testOwned(): void {
    const { w } = this;
    const owned = this.sureVariant()?.given?.owned;
    if (!owned) return;
    this.blockValues(owned.slice(0, -1));
    w.i32Const(0);
    this.scalar(owned[owned.length - 1]);
    w.op(OP.i32_sub);
    w.localSet(this.owned());
  }

  /** Loads a register that is the same for all threads of the block, from the slot of the first one. */
  private loadOnce(v: Value): void {
    const { w } = this;
    const shift = log2(TYPE_BYTES[v.type]);
    w.localGet(this.pinAddress(BLOCK_SPILL));
    w.localGet(1);
    w.i32Const(log2(LANES) + shift);
    w.op(OP.i32_shl);
    w.op(OP.i32_add);
    const slot = this.kernel.slots.get(v.imm) as number;
    w.mem(LOADS[v.type], shift, slot * roundedThreads(this.shapeOfBlock()));
    w.localSet(this.prologueSlots.get(v) as number);
  }

  /** Computes values of the block, each into a local. */
  blockValues(code: readonly Value[]): void {
    for (const v of code) {
      if (v.op === "sreg" && /^(span|start)$/.test(v.aux.name as string)) continue;
      emitScalar(this, v);
      const local = this.temporary(v.type);
      this.w.localSet(local);
      this.prologueSlots.set(v, local);
    }
  }

  private sureVariant(): GroupVariant | undefined {
    return this.source.variants.find((v) => v.kind === "sure");
  }

  /** The sure body, or where there are some for values of a parameter, whichever it is for. */
  private chooseSure(bodies: Bodies): CodeWriter {
    return this.withWriter(new CodeWriter(4096), () => {
      const { w } = this;
      const fixed = this.source.variants.filter((v) => v.kind === "fixed");
      for (const variant of fixed) {
        const { param, value } = variant.fixed as { param: Value; value: number };
        this.scalar(param);
        w.i32Const(value);
        w.op(OP.i32_eq);
        w.if();
        w.raw((bodies.get(variant) as CodeWriter).view());
        w.op(OP.else);
      }
      w.raw((bodies.get(this.sureVariant() as GroupVariant) as CodeWriter).view());
      for (const _ of fixed) w.end();
    });
  }

  private isFlat(): boolean {
    return this.sureVariant()?.given?.flat ?? false;
  }

  /** Groups that a row of blocks may leave out at each end: what is left is of whole steps. */
  private margin(): number {
    const copies = this.sureVariant()?.copies ?? 1;
    return this.kernel.runs ? Math.max(1, copies / 2) : 0;
  }

  /** Leaves the enclosing block unless the tests pass for this block. */
  private untilSure(tests: CodeWriter, masked: number): void {
    const { w } = this;
    const copies = this.sureVariant()?.copies ?? 1;
    if (copies > 1) {
      // Only whole steps of the loop over groups.
      w.localGet(1);
      w.localGet(2);
      w.op(OP.i32_or);
      w.i32Const(copies - 1);
      w.op(OP.i32_and);
      w.brIf(0);
    }
    if (!this.kernel.single) {
      w.localGet(masked);
      w.brIf(0);
    }
    w.raw(tests.view());
    w.op(OP.i32_eqz);
    w.brIf(0);
  }

  private shapeOfBlock(): readonly [number, number, number] {
    return this.kernel.options.shape as readonly [number, number, number];
  }

  /** Threads of a block in x. */
  private width(): number {
    return this.shapeOfBlock()[0];
  }

  /** The loop over the groups of a block that need no tests of their own. */
  private sureBlock(body: CodeWriter): void {
    const end = this.temporary(I32);
    this.w.raw(this.hoistedCode.view());
    this.w.raw(this.lateSureCode.view());
    touchReaches(this, this.sureVariant()?.given?.touches ?? []);
    this.firstThread(1, this.thread);
    this.firstThread(2, end);
    this.sureGroups(body, end, false);
  }

  /** The loops over the threads of several blocks that need no tests of their own. */
  private sureRows(body: CodeWriter): void {
    const { w } = this;
    const { rows, given } = this.sureVariant() as GroupVariant;
    const end = this.temporary(I32);
    w.raw(this.ownedCode.view());
    const first = () => {
      w.localGet(this.start);
      w.localSet(this.thread);
      // Counted down, since the row's last index may wrap.
      w.localGet(this.span);
      w.localSet(end);
    };
    const head = this.withWriter(new CodeWriter(256), () => {
      this.w.raw(this.hoistedCode.view());
      this.w.raw(this.lateSureCode.view());
    });
    if (!rows) {
      w.raw(head.view());
      first();
      this.sureGroups(body, end, true);
    } else if (rows.down) {
      first();
      const columns = given?.columns;
      const touch = columns && beginColumns(this, columns, end);
      const inner = this.withWriter(new CodeWriter(4096), () => {
        touch?.();
        this.eachRow(rows.atOnce, () => {
          this.w.raw(head.view());
          this.w.block();
          this.w.raw(body.view());
          this.w.end();
        });
      });
      this.sureGroups(inner, end, true);
    } else {
      this.eachRow(rows.atOnce, () => {
        w.raw(head.view());
        first();
        this.sureGroups(body, end, true);
      });
    }
  }

  /** A loop over the rows of threads of a block, so many at once. */
  private eachRow(atOnce: number, write: () => void): void {
    const { w } = this;
    w.i32Const(0);
    w.localSet(this.rowLocal);
    w.loop();
    write();
    w.localGet(this.rowLocal);
    w.i32Const(atOnce);
    w.op(OP.i32_add);
    w.localTee(this.rowLocal);
    w.i32Const(this.kernel.threads / this.width());
    w.op(OP.i32_ne);
    w.brIf(0);
    w.end();
  }

  /**
   * The loop over groups, from the one at `thread` on: until that is `end`, or for as many threads as
   * `end` says.
   */
  private sureGroups(body: CodeWriter, end: number, counted: boolean): void {
    const { w } = this;
    const lanes = LANES * (this.sureVariant()?.copies ?? 1);
    w.loop();
    this.setCopyThreads();
    w.raw(this.top.view());
    w.block();
    w.raw(body.view());
    w.end();
    w.localGet(this.thread);
    w.i32Const(lanes);
    w.op(OP.i32_add);
    w.localSet(this.thread);
    w.localGet(end);
    if (counted) {
      w.i32Const(lanes);
      w.op(OP.i32_sub);
      w.localTee(end);
    } else {
      w.localGet(this.thread);
      w.op(OP.i32_ne);
    }
    w.brIf(0);
    w.end();
  }

  /** Sets a local to the first thread of the group in another. */
  private firstThread(group: number, local: number): void {
    const { w } = this;
    w.localGet(group);
    w.i32Const(Math.log2(LANES));
    w.op(OP.i32_shl);
    w.localSet(local);
  }

  /** The first threads of the groups that are done together with this one. */
  private setCopyThreads(): void {
    const { w } = this;
    for (const [k, local] of this.copyThreads.entries()) {
      if (k === 0) continue;
      w.localGet(this.thread);
      w.i32Const(LANES * k);
      w.op(OP.i32_add);
      w.localSet(local);
    }
  }

  /** Goes on with the next block of the run, if there is one. */
  private nextBlock(blockRow: BlockRow | undefined): void {
    const { w } = this;
    const pushDone = () => {
      if (blockRow) w.localGet(blockRow.blocks);
      else w.i32Const(1);
    };
    w.i32Const(0);
    w.localSet(1);
    w.localGet(0);
    w.localGet(0);
    w.mem(OP.i32_load, 2, BLOCK_CTAID_X);
    pushDone();
    w.op(OP.i32_add);
    w.mem(OP.i32_store, 2, BLOCK_CTAID_X);
    w.localGet(0);
    w.localGet(0);
    w.mem(OP.i32_load, 2, BLOCK_RUN);
    pushDone();
    w.op(OP.i32_sub);
    w.localTee(this.rest);
    w.mem(OP.i32_store, 2, BLOCK_RUN);
    w.localGet(this.rest);
    w.brIf(0);
    w.end();
  }

  /**
   * Leaves out the groups that have nothing to do. One at least stays, since the loop runs once. Only
   * while the block's threads are together: else each has to note where it stands.
   */
  private trimGroups(masked: number): void {
    const { w } = this;
    const { trim } = this.source;
    if (!trim || this.kernel.threads <= LANES) return;
    const groups = Math.ceil(this.kernel.threads / LANES);
    w.localGet(masked);
    w.op(OP.i32_eqz);
    w.if();
    if (trim.high) this.trimTo(trim.high, 2, LANES - 1, 1, groups);
    if (trim.low) this.trimTo(trim.low, 1, 0, 0, groups - 1);
    w.end();
  }

  /** Sets a local to the group of a bound, rounded up by `more` threads and kept in least … most. */
  private trimTo(bound: Bound, local: number, more: number, least: number, most: number): void {
    const { w } = this;
    const { value: limit, plus, signed } = bound;
    const clamp = (x: number) => Math.min(Math.max(x, least), most);
    const threads = constantThread(bound);
    if (threads !== undefined) {
      w.i32Const(clamp(Math.floor((threads + more) / LANES)));
      w.localSet(local);
      return;
    }
    const group = this.temporaryOf(VALTYPE.i64);
    this.scalar(limit);
    w.op(signed ? OP.i64_extend_i32_s : OP.i64_extend_i32_u);
    w.i64Const(BigInt(plus + more));
    w.op(OP.i64_add);
    w.i64Const(BigInt(Math.log2(LANES)));
    w.op(OP.i64_shr_s);
    w.localSet(group);
    for (const [edge, keep] of [
      [least, OP.i64_gt_s],
      [most, OP.i64_lt_s],
    ]) {
      w.localGet(group);
      w.i64Const(BigInt(edge));
      w.localGet(group);
      w.i64Const(BigInt(edge));
      w.op(keep);
      w.op(OP.select);
      w.localSet(group);
    }
    w.localGet(group);
    w.op(OP.i32_wrap_i64);
    w.localSet(local);
  }

  /** The lanes that run the general body: threads of the block that stand before this region. */
  private pushEntryLanes(masked: number, pc: number, threads: number): void {
    const { w } = this;
    if (this.kernel.single) this.constant([-1, -1, -1, -1]);
    else {
      w.localGet(masked);
      w.if(VALTYPE.v128);
      w.localGet(pc);
      w.mem(OP.v128_load, 2);
      w.i32Const(this.region.entry | PC_READY);
      w.op(OP.i32x4_splat);
      w.op(OP.i32x4_eq);
      w.op(OP.else);
      this.constant([-1, -1, -1, -1]);
      w.end();
    }
    if (threads % LANES !== 0) {
      this.pushIota(1);
      w.localGet(this.thread);
      w.op(OP.i32x4_splat);
      w.op(OP.i32x4_add);
      w.i32Const(threads);
      w.op(OP.i32x4_splat);
      w.op(OP.i32x4_lt_u);
      w.op(OP.v128_and);
    }
  }
}

/** Whether a region stores, and loads what may have been stored. */
function readsBack(region: Region): boolean {
  const values = region.blocks.flatMap((b) => b.values);
  return (
    values.some((v) => v.op === "store") && values.some((v) => v.op === "load" && !v.aux.invariant)
  );
}
