import { F32, I32, type Value } from "../ir/ir.ts";
import type { RowArray, RowGather, RowLoop } from "../passes/row-loop.ts";
import { LANES, type Shape, uniform, varying } from "../simd/shapes.ts";
import { OP, VALTYPE } from "../wasm/opcodes.ts";
import { log2 } from "./access-codes.ts";
import { RegionEmitter } from "./region.ts";
import {
  emitNarrow,
  FIRST,
  HIGH,
  LAST,
  type Lanes,
  LOW,
  shuffleLocals,
  type VectorTarget,
} from "./vector.ts";

/**
 * Writes what a loop over rows computes of four elements of each of four lanes (`passes/row-loop.ts`):
 * indices of four elements of one lane, as they lie in memory, and everything else of one element of all lanes.
 */
export abstract class RowElements extends RegionEmitter implements VectorTarget {
  readonly crowded = false;
  protected abstract readonly source: RowLoop;
  /** The lanes' sums. */
  protected readonly sum = this.temporaryOf(VALTYPE.v128);
  /** Addresses of the round's elements of each lane in one array. */
  protected readonly pointers = Array.from({ length: LANES }, () => this.temporary(I32));
  /** Bytes from there to the other arrays. */
  protected readonly distances = new Map<RowArray, number>();
  /** Four elements of lane `at`, or element `at` of all lanes. */
  private view: { along: boolean; at: number } = { along: true, at: 0 };
  /** Locals with what has been computed of these elements. */
  private readonly known = new Map<string, number>();
  /** A vector of which some lanes have been gathered. */
  private readonly part = this.temporaryOf(VALTYPE.v128);

  /** Pushes a value of four elements of a lane. */
  protected pushAlong(v: Value, lane: number): void {
    const { view } = this;
    this.view = { along: true, at: lane };
    this.vec(v);
    this.view = view;
  }

  /** Pushes a value of one element of all lanes. */
  protected pushAcross(v: Value, element: number): void {
    this.view = { along: false, at: element };
    this.vec(v);
  }

  shape(v: Value): Shape {
    return v.op === "const" || this.localOf(v) !== undefined ? uniform : varying;
  }

  scalar(v: Value): void {
    this.push(v);
  }

  hasLibrary(name: string): boolean {
    return this.kernel.hasLibrary(name);
  }

  constant(words: readonly number[]): void {
    this.pushConstant(new Uint8Array(Int32Array.from(words).buffer));
  }

  vec(v: Value): void {
    const { w } = this;
    if (v === this.source.sum) w.localGet(this.sum);
    else if (this.shape(v) === uniform) {
      this.push(v);
      w.op(v.type === F32 ? OP.f32x4_splat : OP.i32x4_splat);
    } else w.localGet(this.compute(v));
  }

  /** The local of a value in the current view, which is computed here if it isn't known. */
  private compute(v: Value): number {
    const { along, at } = this.view;
    const name = (at: number) => `${v.id} ${along} ${at}`;
    const known = this.known.get(name(at));
    if (known !== undefined) return known;
    const array = this.source.arrays.get(v);
    if (array) {
      const all = along ? this.loadElements(array) : this.turnElements(v);
      all.forEach((local, k) => {
        this.known.set(name(k), local);
      });
      return all[at];
    }
    const gather = this.source.gathers.get(v);
    if (gather) this.gather(gather, at);
    else if (!emitNarrow(this, v)) throw new Error(`no vector form of ${v.op}`);
    const local = this.temporaryOf(VALTYPE.v128);
    this.w.localSet(local);
    this.known.set(name(at), local);
    return local;
  }

  /** Loads four elements of each lane: locals, by lane. */
  private loadElements(array: RowArray): number[] {
    const { w } = this;
    return this.pointers.map((_, lane) => {
      const local = this.temporaryOf(VALTYPE.v128);
      this.pushPointer(array, lane);
      w.mem(OP.v128_load, 2);
      w.localSet(local);
      return local;
    });
  }

  /** Turns four elements of each lane, so that a vector has one of all: locals, by element. */
  private turnElements(v: Value): number[] {
    const { w } = this;
    const rows = [0, 1, 2, 3].map((lane) => {
      this.pushAlong(v, lane);
      w.op(OP.drop);
      return this.known.get(`${v.id} true ${lane}`) as number;
    });
    const mix = (a: number, b: number, lanes: Lanes) => {
      const local = this.temporaryOf(VALTYPE.v128);
      shuffleLocals(this, a, b, lanes);
      w.localSet(local);
      return local;
    };
    return [LOW, HIGH].flatMap((lanes) => {
      const [a, b] = [mix(rows[0], rows[1], lanes), mix(rows[2], rows[3], lanes)];
      return [FIRST, LAST].map((halves) => mix(a, b, halves));
    });
  }

  private pushPointer(array: RowArray, lane: number): void {
    const { w } = this;
    w.localGet(this.pointers[lane]);
    const distance = this.distances.get(array);
    if (distance === undefined) return;
    w.localGet(distance);
    w.op(OP.i32_add);
  }

  /** Pushes what lies at the lanes' indices, which are inside of memory. */
  private gather({ base, index, check }: RowGather, element: number): void {
    const { w } = this;
    const own = this.localOf(base) as number;
    const { offset = 0, scale = 4 } = check.aux;
    const from = this.afterPrologue(`base32 ${own} ${offset}`, VALTYPE.i32, (p) => {
      p.localGet(own);
      p.op(OP.i32_wrap_i64);
      p.i32Const(offset);
      p.op(OP.i32_add);
    });
    for (let lane = 0; lane < LANES; lane++) {
      w.localGet(from);
      this.pushIndex(index, lane, element);
      w.i32Const(log2(scale));
      w.op(OP.i32_shl);
      w.op(OP.i32_add);
      if (lane === 0) w.mem(OP.v128_load32_zero, 2);
      else {
        w.localGet(this.part);
        w.mem(OP.v128_load32_lane, 2);
        w.u8(lane);
      }
      if (lane < LANES - 1) w.localSet(this.part);
    }
  }

  /** Pushes one index: they come two at a time out of memory, or out of the vector that was computed. */
  private pushIndex(index: Value, lane: number, element: number): void {
    const { w } = this;
    const key = `${index.id} pair ${lane} ${element >> 1}`;
    let pair = this.known.get(key);
    if (pair === undefined) {
      pair = this.temporaryOf(VALTYPE.i64);
      this.known.set(key, pair);
      const array = this.source.arrays.get(index);
      if (array) {
        this.pushPointer(array, lane);
        w.mem(OP.i64_load, 2, 8 * (element >> 1));
      } else {
        this.pushAlong(index, lane);
        w.op(OP.i64x2_extract_lane);
        w.u8(element >> 1);
      }
      w.localSet(pair);
    }
    w.localGet(pair);
    if (element % 2 === 1) {
      w.i64Const(32n);
      w.op(OP.i64_shr_u);
    }
    w.op(OP.i32_wrap_i64);
  }
}
