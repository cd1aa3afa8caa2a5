import {
  BLOCK_ARGUMENT,
  BLOCK_MASKED,
  BLOCK_PC,
  FRAME_SLOT_BYTES,
  PC_EXITED,
  PC_READY,
  REGION_FAULT,
  REGION_MIXED,
} from "../../exec/layout.ts";
import { Graph } from "../analysis/graph.ts";
import {
  type Block,
  F32,
  F64,
  hasEffect,
  I1,
  I32,
  I64,
  NONE,
  type Region,
  successors,
  type Type,
  type Value,
} from "../ir/ir.ts";
import type { GroupRegion, GroupVariant } from "../simd/group-region.ts";
import { AFFINE, isWide, LANES, type Shape, UNIFORM, VARYING } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { CodeWriter } from "../wasm/writer.ts";
import { constantOperand, FunctionFrame, LOADS, STORES, wide } from "./frame.ts";
import { ERROR_ASSERT, ERROR_LAUNCH_FAILURE } from "./helpers.ts";
import type { KernelEmitter } from "./kernel.ts";
import { type Placement, type PlacementPolicy, placeValues, valtypeOf } from "./locals.ts";
import { writingOrder } from "./region.ts";
import { emitScalar, type ScalarTarget } from "./scalar.ts";
import { emitSpecialRegister } from "./sreg.ts";
import { type StructureSink, walkStructured } from "./structure.ts";
import { emitNarrow, emitVector, putLane, readsOnce } from "./vector.ts";
import {
  accessPattern,
  checkTypes,
  emitVectorCheck,
  emitVectorLoad,
  emitVectorStore,
} from "./vector-memory.ts";

const WIDEN = [
  [0, 0, 1, 1],
  [2, 2, 3, 3],
];

/** Rounds of a waiting loop before its lanes let the others run. */
const SPIN = 32;

/**
 * Writes one region for lane groups of four threads: a function `(context, first, last) → pc` that
 * loops over groups. Each group first tries the fast body, which takes all four lanes as active and
 * the guards at the region's start (`if (i >= n) return`) as passed by all; a group for which that
 * is not so runs the general body, under masks.
 */
export class GroupEmitter extends FunctionFrame implements StructureSink, ScalarTarget {
  readonly thread: number;
  readonly frameBytes = 0;
  /** The lanes that are active at the current point: a mask number, or -1 for all. */
  mask = -1;
  private readonly source: GroupRegion;
  /** The pc that every thread has at the region's end, if there is only one. */
  private readonly onlyStop: number | undefined;
  private readonly placements: Placement[] = [];
  private readonly graphs: Graph[] = [];
  private readonly localBases: number[] = [];
  private prologueSlots = new Map<Value, number>();
  private readonly maskLocals: number[] = [];
  private readonly accOr: number;
  private readonly accAnd: number;
  private current = 0;
  private depth = 0;
  private outer = 0;
  private spin = -1;
  private threadOffset = 0;
  /** Nothing has had an effect yet since the group's start. */
  private clean = false;
  private cleanBlocks = new Set<Block>();
  /** Checks that are known to have passed, in the pattern that was expected. */
  readonly sure = new Set<Value>();
  /** Code blocks that memory operations have opened around the current point. */
  nested = 0;
  private readonly blockCache = new Map<string, number>();
  private readonly late = new Map<string, number>();
  private readonly lateCode = new CodeWriter(128);

  constructor(kernel: KernelEmitter, region: Region, source: GroupRegion) {
    super(kernel, region, 3);
    this.source = source;
    this.onlyStop = onlyStop(region);
    this.placeAll();
    this.thread = this.temporaryOf(VALTYPE.i32);
    this.accOr = this.temporaryOf(VALTYPE.i32);
    this.accAnd = this.temporaryOf(VALTYPE.i32);
  }

  /** Gives the prologue and both bodies their locals, one after the other. */
  private placeAll(): void {
    let base = 0;
    const placed: number[] = [];
    for (const v of this.source.prologue) {
      if (v.op === "const") continue;
      this.prologueSlots.set(v, this.firstLocal + placed.length);
      placed.push(valtypeOf(v.type));
    }
    base = placed.length;
    this.source.variants.forEach((variant, k) => {
      this.current = k;
      const graph = new Graph(variant.linear.start);
      const placement = placeValues(graph, writingOrder(graph), [], this.policy(variant));
      this.graphs.push(graph);
      this.placements.push(placement);
      this.localBases.push(this.firstLocal + base);
      base += placement.types.length;
      placed.push(...placement.types);
    });
    this.placedLocals = base;
    this.placedTypes = placed;
  }

  private placedTypes: number[] = [];

  private policy(variant: GroupVariant): PlacementPolicy {
    return {
      types: (v) => {
        if (v.type === NONE || this.prologueSlots.has(v)) return [];
        if (v.op === "check") return checkTypes(this, v);
        if (this.shape(v).kind !== VARYING) return [valtypeOf(v.type)];
        return isWide(v) ? [VALTYPE.v128, VALTYPE.v128] : [VALTYPE.v128];
      },
      nests: (v, user) => {
        if (v.op === "check" || v.op === "load" || v.op === "out") return false;
        const varying = this.shape(v).kind === VARYING;
        if (!user) return !varying;
        if (/^(check|load|store|leave|phi_move|mask_move|out|call|host|all|arrive)$/.test(user.op))
          return false;
        const userVaries = this.shape(user).kind === VARYING;
        if (!userVaries) return !varying;
        if (isWide(user) || !readsOnce(user)) return false;
        return !varying || (!isWide(v) && readsOnce(v));
      },
      mutable: variant.linear.mutable,
      reuses: false,
    };
  }

  /** Writes the function; returns its locals' types and its code. */
  emit(): { locals: number[]; code: Uint8Array } {
    const bodies = this.source.variants.map((variant, k) => this.body_(variant, k));
    const pre = this.withWriter(new CodeWriter(512), () => {
      for (const v of this.source.prologue) {
        if (v.op === "const") continue;
        emitScalar(this, v);
        this.w.localSet(this.prologueSlots.get(v) as number);
      }
    });
    const whole = this.withWriter(new CodeWriter(4096), () => this.frame(pre, bodies));
    return { locals: [...this.placedTypes, ...this.extra], code: whole.view() };
  }

  private body_(variant: GroupVariant, k: number): CodeWriter {
    this.current = k;
    this.depth = 0;
    // The general body lies in the group's block; the fast one in a further block, left when slow.
    this.outer = variant.fast ? 1 : 0;
    this.maskLocals.length = 0;
    for (let n = 0; n < variant.linear.masks; n++) {
      this.maskLocals.push(this.temporaryOf(VALTYPE.v128));
    }
    if (!variant.fast) this.entryMask = this.maskLocals[0];
    this.cleanBlocks = variant.fast ? cleanBlocks(this.graphs[k]) : new Set();
    return this.withWriter(new CodeWriter(4096), () => walkStructured(this.graphs[k], this));
  }

  private entryMask = -1;

  private frame(pre: CodeWriter, bodies: CodeWriter[]): void {
    const { w } = this;
    const masked = this.pin("masked", I32, (p) => {
      p.localGet(0);
      p.mem(OP.i32_load, 2, BLOCK_MASKED);
    });
    const pc = this.kernel.single ? 0 : this.perThread("pc4", (t) => this.scaled(t, BLOCK_PC, 2));
    const { from } = this.region;
    const warp = from?.warpOp ? this.warpOperation(from, masked, 1, 3) : undefined;
    const threads = this.kernel.threads;
    w.raw(this.pins.view());
    if (this.fuel >= 0) this.setFuel();
    w.raw(pre.view());
    w.raw(this.lateCode.view());
    w.i32Const(-1);
    w.localSet(this.accAnd);
    if (warp) w.raw(warp.view());
    w.loop();
    w.block();
    w.localGet(1);
    w.i32Const(2);
    w.op(OP.i32_shl);
    w.localSet(this.thread);
    w.raw(this.top.view());
    if (this.spin >= 0) {
      w.i32Const(SPIN);
      w.localSet(this.spin);
    }
    const fast = this.source.variants.findIndex((v) => v.fast);
    if (threads >= LANES) {
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
      w.raw(bodies[fast].view());
      w.end();
    }
    this.pushEntryLanes(masked, pc, threads);
    w.localTee(this.entryMask);
    w.op(OP.v128_any_true);
    w.op(OP.i32_eqz);
    w.brIf(0);
    w.raw(bodies[this.source.variants.findIndex((v) => !v.fast)].view());
    w.end();
    w.localGet(1);
    w.i32Const(1);
    w.op(OP.i32_add);
    w.localTee(1);
    w.localGet(2);
    w.op(OP.i32_lt_u);
    w.brIf(0);
    w.end();
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

  // ---- starting over ----

  /**
   * Whether the group can still be run again from its start: in the fast body, as long as nothing
   * has had an effect.
   */
  canStartOver(): boolean {
    return this.source.variants[this.current].fast && this.clean;
  }

  /**
   * With a check's condition on the stack: where the group can start over, in the general body, it
   * does so unless the condition holds.
   */
  startOverUnless(): boolean {
    if (!this.canStartOver()) return false;
    this.w.op(OP.i32_eqz);
    this.w.brIf(this.depth + this.nested);
    return true;
  }

  /** Whether a check is known to have passed for all lanes that make the access. */
  isSure(check: Value): boolean {
    return this.sure.has(check);
  }

  // ---- addresses ----

  /** A local with extend(index) × scale of lane 0, shared inside a block. */
  scaledIndex(index: Value, signed: boolean, scale: number): number {
    const key = `${index.id} ${signed} ${scale}`;
    const known = this.blockCache.get(key);
    if (known !== undefined) return known;
    const { w } = this;
    const local = this.temporaryOf(VALTYPE.i64);
    this.scalar(index);
    w.op(signed ? OP.i64_extend_i32_s : OP.i64_extend_i32_u);
    if (scale !== 1) {
      w.i64Const(BigInt(scale));
      w.op(OP.i64_mul);
    }
    w.localSet(local);
    this.blockCache.set(key, local);
    return local;
  }

  /** Pushes base − (lowest legal address) + offset; computed once if the base is the block's. */
  pushBaseFromLow(base: Value, offset: number): void {
    const write = (w: CodeWriter, push: () => void) => {
      push();
      w.localGet(this.heapLow());
      w.op(OP.i64_sub);
      if (offset !== 0) {
        w.i64Const(BigInt(offset));
        w.op(OP.i64_add);
      }
    };
    const own = this.prologueSlots.get(base);
    if (own === undefined) {
      write(this.w, () => this.scalar(base));
      return;
    }
    const local = this.afterPrologue(`low ${own} ${offset}`, VALTYPE.i64, (w) =>
      write(w, () => w.localGet(own)),
    );
    this.w.localGet(local);
  }

  /** Pushes the low 32 bits of a base. */
  pushBase32(base: Value): void {
    const own = this.prologueSlots.get(base);
    if (own === undefined) {
      this.scalar(base);
      this.w.op(OP.i32_wrap_i64);
      return;
    }
    const local = this.afterPrologue(`base32 ${own}`, VALTYPE.i32, (w) => {
      w.localGet(own);
      w.op(OP.i32_wrap_i64);
    });
    this.w.localGet(local);
  }

  /** A local set once, when the prologue's values are there. */
  private afterPrologue(key: string, type: number, write: (w: CodeWriter) => void): number {
    let local = this.late.get(key);
    if (local === undefined) {
      local = this.temporaryOf(type);
      this.late.set(key, local);
      write(this.lateCode);
      this.lateCode.localSet(local);
    }
    return local;
  }

  // ---- operands ----

  shape(v: Value): Shape {
    return this.source.variants[this.current].divergence.of(v);
  }

  /** The locals of a placed value. */
  locals(v: Value): number[] {
    const prologue = this.prologueSlots.get(v);
    if (prologue !== undefined) return [prologue];
    const base = this.localBases[this.current];
    return (this.placements[this.current].slots.get(v) ?? []).map((slot) => base + slot);
  }

  hasLibrary(name: string): boolean {
    return this.kernel.hasLibrary(name);
  }

  push(v: Value): void {
    this.scalar(v);
  }

  /** Pushes a uniform value, or the base of an affine one. */
  scalar(v: Value): void {
    const [local] = this.locals(v);
    if (local !== undefined) this.w.localGet(local);
    else emitScalar(this, v);
  }

  /** Pushes four lanes; of a 64-bit value lanes 0 and 1 (half 0) or 2 and 3. */
  vec(v: Value, half: 0 | 1 = 0): void {
    const { w } = this;
    const s = this.shape(v);
    if (v.op === "check" && s.kind === VARYING) {
      this.checkVector(v);
      return;
    }
    if (s.kind === VARYING) {
      const locals = this.locals(v);
      if (locals.length > 0) w.localGet(isWide(v) ? locals[half] : locals[0]);
      else if (!emitNarrow(this, v)) throw new Error(`${v.op} cannot be nested`);
      return;
    }
    if (v.op === "const") {
      this.splatConstant(v);
      return;
    }
    this.scalar(v);
    this.splat(v.type);
    if (s.kind === AFFINE) {
      this.pushIota(s.stride);
      w.op(OP.i32x4_add);
    }
  }

  private splatConstant(v: Value): void {
    if (v.type === I64 || v.type === F64) {
      const low = Number(BigInt.asIntN(32, v.big));
      const high = Number(BigInt.asIntN(32, v.big >> 32n));
      this.constant([low, high, low, high]);
    } else {
      const bits = v.type === I1 ? -v.imm : v.imm;
      this.constant([bits, bits, bits, bits]);
    }
  }

  private splat(type: Type): void {
    const { w } = this;
    if (type === I64) w.op(OP.i64x2_splat);
    else if (type === F64) w.op(OP.f64x2_splat);
    else if (type === F32) w.op(OP.f32x4_splat);
    else {
      w.op(OP.i32x4_splat);
      if (type === I1) w.op(OP.i32x4_neg);
    }
  }

  /** Pushes lane k of a value as a scalar. */
  lane(v: Value, k: number): void {
    const { w } = this;
    const s = this.shape(v);
    if (v.op === "check" && s.kind === VARYING) {
      this.laneAddress(v, k);
      return;
    }
    if (s.kind !== VARYING) {
      this.scalar(v);
      if (s.kind === AFFINE && k > 0) {
        w.i32Const(s.stride * k);
        w.op(OP.i32_add);
      }
      return;
    }
    this.vec(v, (k >> 1) as 0 | 1);
    if (v.type === I64) w.op(OP.i64x2_extract_lane);
    else if (v.type === F64) w.op(OP.f64x2_extract_lane);
    else if (v.type === F32) w.op(OP.f32x4_extract_lane);
    else w.op(OP.i32x4_extract_lane);
    w.u8(isWide(v) ? k & 1 : k);
    if (v.type === I1) {
      w.i32Const(1);
      w.op(OP.i32_and);
    }
  }

  /** The lanes' addresses of a checked access, whichever way they were found. */
  private checkVector(v: Value): void {
    const { w } = this;
    const { stride } = accessPattern(this, v);
    const [fast, ea, eas] = this.locals(v);
    if (stride === undefined) {
      w.localGet(fast);
      return;
    }
    if (this.isSure(v)) {
      this.pushAffine(ea, stride);
      return;
    }
    w.localGet(fast);
    w.if(VALTYPE.v128);
    this.pushAffine(ea, stride);
    w.op(OP.else);
    w.localGet(eas);
    w.end();
  }

  /** Pushes base + lane × stride of an i32 local. */
  pushAffine(base: number, stride: number): void {
    this.w.localGet(base);
    this.w.op(OP.i32x4_splat);
    this.pushIota(stride);
    this.w.op(OP.i32x4_add);
  }

  /** Pushes the address of lane k of an access. */
  laneAddress(v: Value, k: number): void {
    const { w } = this;
    if (this.shape(v).kind === UNIFORM) {
      this.scalar(v);
      return;
    }
    if (v.op === "check") this.checkVector(v);
    else this.vec(v);
    w.op(OP.i32x4_extract_lane);
    w.u8(k);
  }

  constant(words: number[]): void {
    this.w.op(OP.v128_const);
    for (const word of words) for (let k = 0; k < 4; k++) this.w.u8((word >> (8 * k)) & 255);
  }

  pushIota(stride: number): void {
    this.constant([0, stride, 2 * stride, 3 * stride]);
  }

  /** Pushes the active lanes. */
  pushMask(): void {
    if (this.mask < 0) this.constant([-1, -1, -1, -1]);
    else this.w.localGet(this.maskLocals[this.mask]);
  }

  private pushMaskOf(mask: number): void {
    if (mask < 0) this.constant([-1, -1, -1, -1]);
    else this.w.localGet(this.maskLocals[mask]);
  }

  /** Opens code that only runs if lane k is active. */
  ifLane(k: number): void {
    if (this.mask < 0) return;
    this.pushMask();
    this.w.op(OP.i32x4_extract_lane);
    this.w.u8(k);
    this.w.if();
  }

  endLane(): void {
    if (this.mask >= 0) this.w.end();
  }

  /**
   * With a vector of bad lanes on the stack: if one of them is active, reports its address, which
   * `fn` of the library computes from what `push` pushes and the lane's number.
   */
  faultLanes(v: Value, push: () => void, fn: string): void {
    const { w } = this;
    const bad = this.temporaryOf(VALTYPE.v128);
    if (this.mask >= 0) {
      this.pushMask();
      w.op(OP.v128_and);
    }
    w.localTee(bad);
    w.op(OP.v128_any_true);
    w.if();
    const first = () => {
      w.localGet(bad);
      w.op(OP.i32x4_bitmask);
      w.op(OP.i32_ctz);
    };
    w.localGet(0);
    w.i32Const(v.aux.site as number);
    push();
    first();
    w.call(this.kernel.library(fn));
    if (fn === "lane_word") w.op(OP.i64_extend_i32_u);
    w.i32Const(v.aux.align as number);
    w.localGet(this.thread);
    first();
    w.op(OP.i32_add);
    w.call(this.kernel.addressFault);
    this.leaveFault();
    w.end();
  }

  pushWindowVector(space: "shared" | "local"): void {
    const { w } = this;
    this.pushWindow(space);
    w.op(OP.i32x4_splat);
    if (space === "shared") return;
    this.pushIota(1);
    this.pushStackLimit(); // bytes of one thread's local memory
    w.op(OP.i32x4_splat);
    w.op(OP.i32x4_mul);
    w.op(OP.i32x4_add);
  }

  pushThread(): void {
    this.w.localGet(this.thread);
    if (this.threadOffset === 0) return;
    this.w.i32Const(this.threadOffset);
    this.w.op(OP.i32_add);
  }

  pushStackLimit(): void {
    this.w.localGet(this.localBytesField());
  }

  specialRegister(v: Value): void {
    emitSpecialRegister(this, v);
  }

  pushReload(v: Value): void {
    const offset = this.pushSlot(v.imm, v.type);
    this.w.mem(LOADS[v.type], wide(v.type) ? 3 : 2, offset);
  }

  pushResult(): void {
    throw new Error("results of warp operations are vectors");
  }

  callResult(): number {
    throw new Error("functions are not called from lane groups");
  }

  resultLocal(): number {
    return this.callResult();
  }

  leaveStatus(): void {
    this.callResult();
  }

  pushSpin(): void {
    if (this.spin < 0) this.spin = this.temporaryOf(VALTYPE.i32);
    this.w.localGet(this.spin);
    this.w.i32Const(1);
    this.w.op(OP.i32_sub);
    this.w.localTee(this.spin);
  }

  fault(code: number, site: number): void {
    const { w } = this;
    w.localGet(0);
    w.i32Const(code);
    w.i32Const(site);
    w.i64Const(0n);
    this.pushThread();
    w.call(this.kernel.faultFunction);
    this.leaveFault();
  }

  leaveFault(): void {
    this.w.i32Const(REGION_FAULT);
    this.w.op(OP.return);
  }

  // ---- values ----

  body(block: Block): void {
    this.mask = this.source.variants[this.current].linear.maskOf.get(block) ?? -1;
    this.clean = this.cleanBlocks.has(block);
    this.blockCache.clear();
    for (const v of block.values) {
      this.value(v);
      if (hasVisibleEffect(v)) this.clean = false;
    }
  }

  private value(v: Value): void {
    const { w } = this;
    if (this.placements[this.current].inlined.has(v)) return;
    switch (v.op) {
      case "mask_clear":
        this.constant([0, 0, 0, 0]);
        w.localSet(this.maskLocals[v.imm]);
        return;
      case "mask_take":
        w.localGet(this.maskLocals[v.aux.mask as number]);
        w.localSet(this.maskLocals[v.imm]);
        this.constant([0, 0, 0, 0]);
        w.localSet(this.maskLocals[v.aux.mask as number]);
        return;
      case "mask_move":
        this.maskMove(v);
        return;
      case "phi_move":
        this.phiMove(v);
        return;
      case "out":
        this.keep(v);
        return;
      case "leave":
        this.leaveRegion(v);
        return;
      case "slow":
        w.br(this.depth);
        return;
      case "any":
      case "all":
        this.test(v);
        return;
      case "check":
        emitVectorCheck(this, v, this.locals(v));
        return;
      case "store":
        emitVectorStore(this, v);
        return;
      case "host":
        if (this.shape(v).kind === VARYING || v.type === NONE) {
          this.host(v);
          return;
        }
        break;
      case "trap":
        this.eachLane((k) => {
          this.threadOffset = k;
          this.fault(ERROR_LAUNCH_FAILURE, v.aux.site as number);
        });
        return;
      case "arrive":
        this.eachLane(() => emitScalar(this, v));
        return;
    }
    const locals = this.locals(v);
    if (v.type === NONE || this.shape(v).kind !== VARYING) {
      if (v.op === "lib" && v.aux.effect) emitVector(this, v, locals);
      else if (locals.length === 0 && v.type !== NONE) {
        if (v.op !== "const") {
          emitScalar(this, v);
          w.op(OP.drop);
        }
      } else {
        emitScalar(this, v);
        if (v.type !== NONE) w.localSet(locals[0]);
      }
      return;
    }
    this.vectorValue(v, locals);
  }

  private vectorValue(v: Value, locals: number[]): void {
    const { w } = this;
    if (locals.length === 0 && !v.aux.effect) return; // nobody uses it
    switch (v.op) {
      case "load":
        emitVectorLoad(this, v, locals);
        return;
      case "reload": {
        const offset = this.pushSlot(v.imm, v.type);
        w.mem(OP.v128_load, 2, offset);
        w.localSet(locals[0]);
        if (!isWide(v)) return;
        const second = this.pushSlot(v.imm, v.type);
        w.mem(OP.v128_load, 2, second + 16);
        w.localSet(locals[1]);
        return;
      }
      case "result":
        this.pushFrame(v.type);
        w.mem(OP.v128_load, 2, v.imm * FRAME_SLOT_BYTES);
        if (v.type === I1) {
          this.constant([0, 0, 0, 0]);
          w.op(OP.i32x4_ne);
        }
        w.localSet(locals[0]);
        if (!isWide(v)) return;
        this.pushFrame(v.type);
        w.mem(OP.v128_load, 2, v.imm * FRAME_SLOT_BYTES + 16);
        w.localSet(locals[1]);
        return;
      case "sreg":
        this.laneRegisters(v, locals);
        return;
      default:
        emitVector(this, v, locals);
    }
  }

  /** Special registers that differ without a pattern. */
  private laneRegisters(v: Value, locals: number[]): void {
    const { w } = this;
    const local = v.aux.name === "localOffset" || v.aux.name === "localWindow";
    for (let k = 0; k < LANES; k++) {
      this.threadOffset = local ? 0 : k;
      emitSpecialRegister(this, v);
      if (local && k > 0) {
        this.pushStackLimit();
        w.i32Const(k);
        w.op(OP.i32_mul);
        if (isWide(v)) w.op(OP.i64_extend_i32_u);
        w.op(isWide(v) ? OP.i64_add : OP.i32_add);
      }
      putLane(this, v.type, locals, k);
    }
    this.threadOffset = 0;
  }

  private eachLane(write: (k: number) => void): void {
    for (let k = 0; k < LANES; k++) {
      this.ifLane(k);
      write(k);
      this.endLane();
    }
    this.threadOffset = 0;
  }

  private host(v: Value): void {
    const { w } = this;
    const name = v.aux.name as string;
    const locals = this.locals(v);
    this.eachLane((k) => {
      this.threadOffset = k;
      w.localGet(0);
      this.pushThread();
      for (const a of v.args) this.lane(a, k);
      w.call(this.kernel.host(name));
      if (name === "__assertfail") this.fault(ERROR_ASSERT, v.aux.site as number);
      else if (v.type !== NONE && locals.length > 0) putLane(this, v.type, locals, k);
      else if (v.type !== NONE) w.op(OP.drop);
    });
  }

  private test(v: Value): void {
    const { w } = this;
    const locals = this.locals(v);
    this.pushTest(v);
    if (locals.length > 0) w.localSet(locals[0]);
    else w.op(OP.drop);
  }

  private pushTest(v: Value): void {
    const { w } = this;
    if (v.op === "any") {
      w.localGet(this.maskLocals[v.imm]);
      w.op(OP.v128_any_true);
      return;
    }
    this.vec(v.args[0]);
    if (v.aux.negate) {
      w.op(OP.v128_any_true);
      w.op(OP.i32_eqz);
    } else w.op(OP.i32x4_all_true);
  }

  private maskMove(v: Value): void {
    const { w } = this;
    const [cond] = v.args;
    const from = v.aux.mask as number;
    const target = this.maskLocals[v.imm];
    if (!cond) this.pushMaskOf(from);
    else if (from < 0) {
      this.vec(cond);
      if (v.aux.negate) w.op(OP.v128_not);
    } else {
      this.pushMaskOf(from);
      this.vec(cond);
      w.op(v.aux.negate ? OP.v128_andnot : OP.v128_and);
    }
    if (v.aux.add) {
      w.localGet(target);
      w.op(OP.v128_or);
    }
    w.localSet(target);
  }

  /** Blends the vector on the stack into a local: only lanes of `mask` change. */
  private blend(local: number, mask: number, half: 0 | 1, isWideValue: boolean): void {
    const { w } = this;
    if (mask < 0) return;
    w.localGet(local);
    this.pushMaskOf(mask);
    if (isWideValue) {
      this.pushMaskOf(mask);
      w.op(OP.i8x16_shuffle);
      for (const lane of WIDEN[half]) for (let k = 0; k < 4; k++) w.u8(lane * 4 + k);
    }
    w.op(OP.v128_bitselect);
  }

  private phiMove(v: Value): void {
    const { w } = this;
    const phis = v.aux.phis as Value[];
    const blends = v.aux.blends as boolean[];
    const mask = v.aux.mask as number;
    const targets: number[] = [];
    phis.forEach((phi, k) => {
      const locals = this.locals(phi);
      if (locals.length === 0) return;
      if (this.shape(phi).kind !== VARYING) {
        this.scalar(v.args[k]);
        targets.push(locals[0]);
        return;
      }
      locals.forEach((local, half) => {
        this.vec(v.args[k], half as 0 | 1);
        if (blends[k]) this.blend(local, mask, half as 0 | 1, isWide(phi));
        targets.push(local);
      });
    });
    for (const local of targets.reverse()) w.localSet(local);
  }

  /** Keeps a loop's value for lanes that leave: changes only those still inside. */
  private keep(v: Value): void {
    this.locals(v).forEach((local, half) => {
      this.vec(v.args[0], half as 0 | 1);
      this.blend(local, this.mask, half as 0 | 1, isWide(v));
      this.w.localSet(local);
    });
  }

  // ---- leaving ----

  private storeLanes(push: () => number, v: () => void, half: 0 | 1, isWideValue: boolean): void {
    const { w } = this;
    const offset = push();
    v();
    if (this.mask >= 0) {
      const old = push();
      w.mem(OP.v128_load, 2, old + 16 * half);
      this.pushMask();
      if (isWideValue) {
        this.pushMask();
        w.op(OP.i8x16_shuffle);
        for (const lane of WIDEN[half]) for (let k = 0; k < 4; k++) w.u8(lane * 4 + k);
      }
      w.op(OP.v128_bitselect);
    }
    w.mem(OP.v128_store, 2, offset + 16 * half);
  }

  /** Stores a value of all active lanes to an array indexed by thread. */
  private save(value: Value, push: () => number): void {
    for (const half of isWide(value) ? ([0, 1] as const) : ([0] as const)) {
      this.storeLanes(push, () => this.vec(value, half), half, isWide(value));
    }
  }

  private leaveRegion(v: Value): void {
    const block = v.aux.block as Block;
    const t = block.terminator;
    const before = this.mask;
    this.mask = v.aux.mask as number;
    if (t?.kind === "cut" && t.state) {
      const operands = v.args.slice(0, t.state.operands.length);
      const sources = v.args.slice(operands.length, operands.length + t.state.sources.length);
      const spilled = v.args.slice(operands.length + sources.length);
      for (const [k, s] of t.state.spills.entries()) this.spill(s.register, spilled[k]);
      sources.forEach((value, k) => {
        const at = (t.cut.destinations.length + k) * FRAME_SLOT_BYTES;
        this.save(value, () => {
          this.pushFrame(value.type);
          return at;
        });
      });
      if (!constantOperand(t.cut) && operands.length > 0) this.saveOperands(t.cut.kind, operands);
      this.arriveAt(t.cut.entry);
    } else this.arriveAt(PC_EXITED);
    this.mask = before;
  }

  private spill(register: number, value: Value): void {
    if (this.source.register(register).kind !== VARYING) {
      const offset = this.pushSlot(register, value.type);
      this.scalar(value);
      this.w.mem(STORES[value.type], wide(value.type) ? 3 : 2, offset);
    } else this.save(value, () => this.pushSlot(register, value.type));
  }

  private saveOperands(kind: string, operands: Value[]): void {
    const { w } = this;
    const address = this.perThread("argument4", (t) => this.scaled(t, BLOCK_ARGUMENT, 2));
    const push = () => {
      w.localGet(address);
      return 0;
    };
    const value = () => {
      this.vec(operands[0]);
      if (kind !== "block") return;
      this.vec(operands[1]);
      w.i32Const(8);
      w.op(OP.i32x4_shl);
      w.op(OP.v128_or);
    };
    this.storeLanes(push, value, 0, false);
  }

  private arriveAt(pc: number): void {
    const { w } = this;
    if (this.kernel.single) return; // threads only exit: nobody asks where they stand
    // Where all threads stop at one place, the execution loops know it from the result.
    if (this.onlyStop !== undefined && this.source.variants[this.current].fast) return;
    const address = this.perThread("pc4", (t) => this.scaled(t, BLOCK_PC, 2));
    const push = () => {
      w.localGet(address);
      return 0;
    };
    this.storeLanes(push, () => this.constant([pc, pc, pc, pc]), 0, false);
    for (const [acc, op] of [
      [this.accOr, OP.i32_or],
      [this.accAnd, OP.i32_and],
    ]) {
      w.localGet(acc);
      w.i32Const(pc);
      w.op(op);
      w.localSet(acc);
    }
  }

  // ---- StructureSink ----

  block(): void {
    this.w.block();
    this.depth++;
  }

  loop(): void {
    this.w.loop();
    this.depth++;
  }

  end(): void {
    this.w.end();
    this.depth--;
  }

  ifThen(block: Block, negate: boolean): void {
    this.condition(block, negate);
    this.w.if();
    this.depth++;
  }

  branchIf(block: Block, negate: boolean, depth: number): void {
    this.condition(block, negate);
    this.w.brIf(depth);
  }

  private condition(block: Block, negate: boolean): void {
    if (block.terminator?.kind !== "branch") throw new Error("no condition");
    const { cond } = block.terminator;
    const nested = this.locals(cond).length === 0;
    if (nested && (cond.op === "any" || cond.op === "all")) this.pushTest(cond);
    else this.scalar(cond);
    if (negate) this.w.op(OP.i32_eqz);
  }

  edgeIsFree(from: Block, to: Block): boolean {
    const { index } = this.graphs[this.current];
    return (index.get(to) as number) > (index.get(from) as number);
  }

  edge(_from: Block, _to: Block, back: boolean): void {
    if (back) this.burnFuel();
  }

  br(depth: number): void {
    this.w.br(depth);
  }

  brTable(): void {
    throw new Error("switches are branches in lane groups");
  }

  leave(block: Block): void {
    if (block.values.some((v) => v.op === "slow")) return;
    this.w.br(this.depth + this.outer);
  }
}

/** The one pc at which all threads of a region stop, if there is just one. */
function onlyStop(region: Region): number | undefined {
  const stops = new Set<number>();
  for (const { terminator: t } of region.blocks) {
    if (t?.kind === "cut") stops.add(t.cut.entry);
    else if (t?.kind === "exit") stops.add(PC_EXITED);
  }
  return stops.size === 1 ? [...stops][0] : undefined;
}

/** Whether running an operation again would show. */
function hasVisibleEffect(v: Value): boolean {
  if (v.op === "leave" || v.op === "phi_move") return v.op === "leave";
  return hasEffect(v) && !/^(check|load|nanosleep|spin|fence|slow)$/.test(v.op);
}

/** Blocks that are reached without any effect before, on whichever path. */
function cleanBlocks(graph: Graph): Set<Block> {
  const dirty = new Set<Block>();
  const work: Block[] = [];
  const soil = (block: Block) => {
    for (const s of successors(block)) {
      if (dirty.has(s)) continue;
      dirty.add(s);
      work.push(s);
    }
  };
  for (const b of graph.order) if (b.values.some(hasVisibleEffect)) soil(b);
  for (let b = work.pop(); b; b = work.pop()) soil(b);
  return new Set(graph.order.filter((b) => !dirty.has(b)));
}
