import { type Block, F32, I32, I64, Value } from "../ir/ir.ts";
import { constantOf, plainSum, stepOf } from "./sums.ts";
import { isOutside } from "./trip-counts.ts";

/** An array that a thread's row is a part of: element k lies at base + extend(k + shift) × 4 + offset. */
export interface RowArray {
  base: Value;
  shift: number;
  offset: number;
}

/** An access at base + extend(index) × scale + offset. */
export interface RowGather {
  base: Value;
  index: Value;
  /** Of a check of that address: `limitsOf`. */
  check: Value;
}

/** The loop over a row's elements, which are words, and the one sum that it makes. */
export interface RowLoop {
  /** The sum in front of a round, before the first, and behind a round. */
  sum: Value;
  init: Value;
  next: Value;
  /** Loads of the round's element of an array. */
  arrays: Map<Value, RowArray>;
  /** Loads at an index that is computed from elements. */
  gathers: Map<Value, RowGather>;
  /** Rows begin at a signed index. */
  signed: boolean;
  line: number;
}

/** Bytes of an element. */
const ELEMENT = 4n;
/** Bytes from one element that is gathered to the next, at most. */
const MAX_SCALE = 1n << 11n;
/** Operations on four lanes that a round may be made of. */
const OPERATIONS =
  /^(i32_(add|sub|mul|and|or|xor|shl|shr_s|shr_u)|f32_(add|sub|mul|abs|neg|fma)|i32_reinterpret_f32|f32_reinterpret_i32)$/;

/** Where an address lies: at what is the same for the whole block, and multiples of other values. */
interface Place {
  base: Value;
  offset: bigint;
  /** The one other value, extended, and times what it is added. */
  value: Value;
  signed: boolean;
  scale: bigint;
  /** How much further it is in the next round. */
  step: bigint;
}

/** Reads what the rounds of a loop do, which begins anew for each row. */
export class LoopReader {
  /** Values of the prologue that are needed. */
  readonly used = new Set<Value>();
  private readonly loop: Block;
  private readonly merge: Block;
  private readonly leaves: Block;
  private readonly prologue: Set<Value>;
  private readonly inside: Set<Block>;
  private readonly back: number;
  private readonly arrays = new Map<Value, RowArray>();
  private readonly gathers = new Map<Value, RowGather>();
  private start: Value | undefined;
  private signed = true;
  private sum: Value | undefined;
  private readonly seen = new Set<Value>();

  /**
   * @param leaves the block from which the way out of the loop comes to `merge`; its other way there is
   * that of rows without elements
   */
  constructor(loop: Block, leaves: Block, merge: Block, prologue: Set<Value>) {
    this.loop = loop;
    this.merge = merge;
    this.leaves = leaves;
    this.prologue = prologue;
    this.inside = new Set([loop]);
    this.back = loop.preds.indexOf(loop);
  }

  /** The loop, and the value that is the index of a row's first element; undefined if it does anything else. */
  read(): { start: Value; loop: RowLoop } | undefined {
    const phis = this.merge.values.filter((v) => v.op === "phi");
    if (phis.length === 0) return undefined;
    const k = this.merge.preds.indexOf(this.leaves);
    const next = phis[0].args[k];
    const sum = this.loop.values.find((v) => v.op === "phi" && v.args[this.back] === next);
    if (!sum || (sum.type !== F32 && sum.type !== I32)) return undefined;
    const init = sum.args[1 - this.back];
    if (!this.isSteady(init)) return undefined;
    if (!phis.every((p) => p.args[k] === next && same(p.args[1 - k], init))) return undefined;
    this.sum = sum;
    if (!this.reads(next) || !this.start || this.arrays.size === 0) return undefined;
    this.use(init);
    const { arrays, gathers, signed, start } = this;
    const line = this.loop.line;
    return { start, loop: { sum, init, next, arrays, gathers, signed, line } };
  }

  private isSteady(v: Value): boolean {
    return v.op === "const" || this.prologue.has(v);
  }

  private use(v: Value): void {
    if (v.op !== "const") this.used.add(v);
  }

  /** Whether a value, and all that it is computed from, can be had for four rows at once. */
  private reads(v: Value): boolean {
    if (v === this.sum || this.seen.has(v)) return true;
    if (this.isSteady(v)) {
      this.use(v);
      return true;
    }
    if (!this.loop.values.includes(v)) return false;
    this.seen.add(v);
    if (v.op === "load") return this.readsMemory(v);
    if (/_sh[lr]/.test(v.op) && !this.isSteady(v.args[1])) return false; // lanes are shifted alike
    return OPERATIONS.test(v.op) && v.args.every((a) => this.reads(a));
  }

  private readsMemory(v: Value): boolean {
    const [check] = v.args;
    const { size, ordered } = v.aux;
    if (check.op !== "check" || check.aux.space !== "generic" || ordered) return false;
    if (size !== 4 || check.aux.size !== 4 || check.aux.align !== 4) return false;
    if (check.aux.offset !== v.aux.offset || (v.type !== F32 && v.type !== I32)) return false;
    const place = this.placeOf(check.args[0]);
    if (!place) return false;
    const offset = Number(place.offset) + (check.aux.offset ?? 0);
    const { base, value, signed, scale, step } = place;
    this.use(base);
    if (step !== 0n) {
      if (step !== ELEMENT || scale !== ELEMENT) return false;
      const { terms, constant } = plainSum(value);
      const [[first, times]] = terms.size === 1 ? terms : [[value, 0n] as const];
      const [start, shift] = times === 1n ? [first, Number(constant)] : [value, 0];
      if (this.start && (this.start !== start || this.signed !== signed)) return false;
      this.start = start;
      this.signed = signed;
      this.arrays.set(v, { base, shift, offset });
      return true;
    }
    if (scale < ELEMENT || scale > MAX_SCALE || (scale & (scale - 1n)) !== 0n) return false;
    if (!this.loop.values.includes(value)) return false;
    const aux = { ...check.aux, offset, scale: Number(scale), signed };
    this.gathers.set(v, {
      base,
      index: value,
      check: new Value("check", I32, [base, value], 0, 0n, aux),
    });
    return this.reads(value) && this.isOfElements(value);
  }

  /** Whether a value is computed from a round's elements alone, not from what was gathered or summed up. */
  private isOfElements(v: Value): boolean {
    if (v === this.sum || this.gathers.has(v)) return false;
    if (this.arrays.has(v) || !this.loop.values.includes(v)) return true;
    return v.args.every((a) => this.isOfElements(a));
  }

  private placeOf(address: Value): Place | undefined {
    const { terms, constant: offset } = plainSum(address);
    let base: Value | undefined;
    let other: Omit<Place, "base" | "offset"> | undefined;
    let more = offset;
    const add = (v: Value, n: bigint, step: bigint): boolean => {
      if (v.type === I64 && this.prologue.has(v)) {
        if (base || n !== 1n) return false;
        base = v;
        return true;
      }
      if (other || !/^i64_extend_i32_[su]$/.test(v.op)) return false;
      other = { value: v.args[0], signed: v.op.endsWith("s"), scale: n, step };
      return true;
    };
    for (const [v, n] of terms) {
      const phi = v.op === "phi" && this.loop.values.includes(v) ? v : undefined;
      const step = phi && stepOf(phi, phi.args[this.back]);
      if (step !== undefined && phi) {
        // A pointer that moves along: it was at a place of the same kind in front of the loop.
        if (n !== 1n) return undefined;
        const first = plainSum(phi.args[1 - this.back]);
        more += first.constant;
        for (const [x, m] of first.terms) if (!add(x, m, step)) return undefined;
      } else if (!add(v, n, 0n)) return undefined;
    }
    if (!base || !other) return undefined;
    // An index that counts, extended anew in each round.
    const { value } = other;
    const step = value.op === "phi" && stepOf(value, value.args[this.back]);
    if (step !== false && step !== undefined && this.loop.values.includes(value)) {
      const start = value.args[1 - this.back];
      other = { ...other, value: start, step: other.scale * step };
    }
    if (!(more >= -(2n ** 31n) && more < 2n ** 31n)) return undefined;
    if (other.step !== 0n && !isOutside(other.value, this.inside)) return undefined;
    return { ...other, base, offset: more };
  }
}

const same = (a: Value, b: Value) =>
  a === b ||
  (a.op === "const" && b.op === "const" && a.type === b.type && constantOf(a) === constantOf(b));
