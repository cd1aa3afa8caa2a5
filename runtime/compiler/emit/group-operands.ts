import { REGION_FAULT } from "../../exec/layout.ts";
import type { Graph } from "../analysis/graph.ts";
import { type Block, F32, F64, I1, I64, type Type, type Value } from "../ir/ir.ts";
import type { GroupRegion } from "../simd/group-region.ts";
import { AFFINE, isWide, type Shape, UNIFORM, VARYING } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { CodeWriter } from "../wasm/writer.ts";
import { FunctionFrame, LOADS, wide } from "./frame.ts";
import { anyLane } from "./lane-tests.ts";
import type { Placement } from "./locals.ts";
import { emitScalar, type ScalarTarget } from "./scalar.ts";
import { emitSpecialRegister } from "./sreg.ts";
import { emitNarrow } from "./vector.ts";
import { accessPattern } from "./vector-check.ts";

/** As `threadOffset`: the first of the active lanes. */
export const FIRST_ACTIVE = -1;

const NO_LOCALS: readonly number[] = [];

/** Four words of a constant. */
const WORD_BYTES = new Uint8Array(16);
const WORDS = new DataView(WORD_BYTES.buffer);

/**
 * What the code of lane groups is put together from: operands as scalars, vectors and single lanes,
 * masks, parts of addresses, and the way back to the group's start.
 */
export abstract class GroupOperands extends FunctionFrame implements ScalarTarget {
  readonly frameBytes = 0;
  /** The lanes that are active at the current point: a mask number, or -1 for all. */
  mask = -1;
  abstract readonly source: GroupRegion;
  /** The pc that every thread has at the region's end, if there is only one. */
  abstract readonly onlyStop: number | undefined;
  readonly placements: Placement[] = [];
  readonly graphs: Graph[] = [];
  /** Locals of the prologue's values. */
  readonly prologueSlots = new Map<Value, number>();
  readonly maskLocals: number[] = [];
  abstract readonly accOr: number;
  abstract readonly accAnd: number;
  current = 0;
  /** Which of the lane groups done at once the current operation is for. */
  copy = 0;
  /** It is for all of them. */
  forAll = false;
  /** Locals with the first thread of each of them. */
  readonly copyThreads: number[] = [];
  /** The current block keeps vectors in memory. */
  crowded = false;
  depth = 0;
  outer = 0;
  spin = -1;
  /** Local with the threads in x of the blocks that run as one row. */
  span = -1;
  /** Local with the first of them, by its index in the grid. */
  start = -1;
  row = -1;
  /** Stores of some lanes write all: what lies there belongs to this group's threads. */
  blends = false;
  private ownedLocal = -1;
  private pastLocal = -1;
  threadOffset = 0;
  /** Nothing has had an effect yet since the group's start. */
  clean = false;
  cleanBlocks = new Set<Block>();
  /** Checks that are known to have passed, in the pattern that was expected. */
  readonly sure = new Set<Value>();
  /** Code blocks that memory operations have opened around the current point. */
  nested = 0;
  readonly blockCache = new Map<string, number>();
  /** What is written goes in front of the loop over groups. */
  protected hoisting = false;
  /** Values that only depend on the prologue's, for the sure body; `lateCode` is for those that start over. */
  readonly lateSureCode = new CodeWriter(64);

  placedTypes: number[] = [];
  entryMask = -1;

  get thread(): number {
    return this.copyThreads[this.copy];
  }

  override perThread(key: string, write: (t: CodeWriter) => void): number {
    return super.perThread(this.copy > 0 ? `${key} ${this.copy}` : key, write);
  }

  /** Local: -1 if each thread of the launch stores to addresses of its own, as far as is known; else 0. */
  owned(): number {
    if (this.ownedLocal < 0) this.ownedLocal = this.temporaryOf(VALTYPE.i32);
    return this.ownedLocal;
  }

  /** Local with the lanes of the last rounds that had something to store, one bit down each round. */
  pastLanes(): number {
    if (this.pastLocal < 0) this.pastLocal = this.temporaryOf(VALTYPE.i32);
    return this.pastLocal;
  }

  // ---- starting over ----

  /**
   * Whether the group can still be run again from its start: in the fast body, as long as nothing
   * has had an effect.
   */
  canStartOver(): boolean {
    const { kind } = this.source.variants[this.current];
    return (kind === "fast" || kind === "jammed" || kind === "warp") && this.clean;
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

  /** Whether a check was made for the whole block; and if so, of a linear address or of any. */
  given(check: Value): "linear" | "any" | undefined {
    const linear = this.source.variants[this.current].given?.checks.get(check);
    if (linear === undefined) return undefined;
    return linear ? "linear" : "any";
  }

  /** Bytes from the first lane of a check to the others, where they are near each other. */
  near(check: Value): readonly number[] | undefined {
    return this.source.variants[this.current].near.get(check);
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
    if (own === undefined || this.hoisting) {
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

  override afterPrologue(key: string, type: number, write: (w: CodeWriter) => void): number {
    const sure = /^(sure|fixed)$/.test(this.source.variants[this.current].kind);
    if (!sure) return super.afterPrologue(key, type, write);
    return this.setLate(this.lateSureCode, `sure ${key}`, type, write);
  }

  // ---- operands ----

  shape(v: Value): Shape {
    return this.source.variants[this.current].divergence.of(v);
  }

  /** The locals of a placed value. */
  locals(v: Value): readonly number[] {
    const prologue = this.prologueSlots.get(v);
    if (prologue !== undefined) return [prologue];
    return this.placements[this.current].slots.get(v) ?? NO_LOCALS;
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

  splatConstant(v: Value): void {
    if (v.type === I64 || v.type === F64) {
      const low = Number(BigInt.asIntN(32, v.big));
      const high = Number(BigInt.asIntN(32, v.big >> 32n));
      this.constant([low, high, low, high]);
    } else {
      const bits = v.type === I1 ? -v.imm : v.imm;
      this.constant([bits, bits, bits, bits]);
    }
  }

  splat(type: Type): void {
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
  checkVector(v: Value): void {
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

  /** Pushes a vector of four words. */
  constant(words: readonly number[]): void {
    for (let k = 0; k < 4; k++) WORDS.setInt32(4 * k, words[k], true);
    this.pushConstant(WORD_BYTES);
  }

  pushIota(stride: number): void {
    this.constant([0, stride, 2 * stride, 3 * stride]);
  }

  /** Pushes the active lanes. */
  pushMask(): void {
    this.pushMaskOf(this.mask);
  }

  pushMaskOf(mask: number): void {
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
    anyLane(w);
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
    const { w } = this;
    if (this.threadOffset === FIRST_ACTIVE && this.forAll && this.mask >= 0) {
      this.pushFirstActive();
      return;
    }
    w.localGet(this.thread);
    if (this.threadOffset === FIRST_ACTIVE) {
      if (this.mask < 0) return;
      this.pushMask();
      w.op(OP.i32x4_bitmask);
      w.op(OP.i32_ctz);
    } else if (this.threadOffset !== 0) w.i32Const(this.threadOffset);
    else return;
    w.op(OP.i32_add);
  }

  pushFirst(v: Value): void {
    this.lane(v, 0);
  }

  /** Pushes the first thread of a warp that is active; the groups' masks follow each other. */
  private pushFirstActive(): void {
    const { w } = this;
    const first = this.temporaryOf(VALTYPE.i32);
    for (let number = this.copyThreads.length - 1; number >= 0; number--) {
      w.localGet(this.maskLocals[this.mask + number]);
      anyLane(w);
      w.if();
      w.localGet(this.copyThreads[number]);
      w.localGet(this.maskLocals[this.mask + number]);
      w.op(OP.i32x4_bitmask);
      w.op(OP.i32_ctz);
      w.op(OP.i32_add);
      w.localSet(first);
      w.end();
    }
    w.localGet(first);
  }

  pushSpan(): void {
    this.w.localGet(this.span);
  }

  pushStart(): void {
    this.w.localGet(this.start);
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
}
