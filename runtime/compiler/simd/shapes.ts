import { I32, I64, type Value } from "../ir/ir.ts";
import { memberMask } from "../regions/crossing.ts";

/**
 * How a value varies over the four lanes of a group.
 * - UNIFORM: the same in all lanes, kept as a scalar
 * - AFFINE: base + lane × stride (I32 only), kept as the scalar base
 * - VARYING: a vector
 */
export const UNKNOWN = 0;
export const UNIFORM = 1;
export const AFFINE = 2;
export const VARYING = 3;

export interface Shape {
  kind: 0 | 1 | 2 | 3;
  /** AFFINE: difference between neighbouring lanes. */
  stride: number;
  /** UNIFORM, AFFINE: the least of the lanes' values is known to be a multiple of 2^zeros. */
  zeros: number;
}

const shape = (kind: Shape["kind"], stride = 0, zeros = 0): Shape => ({ kind, stride, zeros });
export const unknown = shape(UNKNOWN);
export const uniform = shape(UNIFORM);
export const varying = shape(VARYING);

/** Lanes of a group. */
export const LANES = 4;

/** Lanes of a warp. */
export const WARP_LANES = 32;

/** The least shape that covers both. */
export function join(a: Shape, b: Shape): Shape {
  if (a.kind === UNKNOWN) return b;
  if (b.kind === UNKNOWN) return a;
  if (a.kind === VARYING || b.kind === VARYING) return varying;
  if (a.kind !== b.kind || a.stride !== b.stride) return varying;
  return shape(a.kind, a.stride, Math.min(a.zeros, b.zeros));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.kind === b.kind && a.stride === b.stride && a.zeros === b.zeros;
}

const trailingZeros = (n: number) => (n === 0 ? 32 : 31 - Math.clz32(n & -n));

/** The lanes of an affine value stay inside the low `zeros` bits that its base leaves free. */
function inLowBits(s: Shape, lanes: number): boolean {
  return s.stride !== 0 && (lanes - 1) * Math.abs(s.stride) < 2 ** s.zeros;
}

/** What the analysis knows besides the operands' shapes. */
export interface ShapeContext {
  /** Threads of a block in x, y, z. */
  block: readonly [number, number, number];
  /** Lanes that are looked at together: those of a group, or of several groups side by side. */
  lanes: number;
  of(v: Value): Shape;
  /** Shape of a register that lives across cuts. */
  register(index: number): Shape;
  /** Warp operations whose result all lanes of a warp share; undefined: to be found out (32 lanes). */
  shared?: ReadonlySet<Value> | undefined;
  /** Parameters that are multiples of LANES. */
  aligned?: ReadonlySet<Value> | undefined;
}

function threadIndex(name: string, { block: [x, y, z], lanes }: ShapeContext): Shape {
  const flat = y * z === 1;
  if (name === "tid.x") {
    return flat || x % lanes === 0 ? shape(AFFINE, 1, trailingZeros(lanes)) : varying;
  }
  if (flat) return shape(UNIFORM, 0, 32);
  return x % lanes === 0 ? uniform : varying;
}

function specialRegister(v: Value, c: ShapeContext): Shape {
  const name = v.aux.name as string;
  if (name.startsWith("tid.")) return threadIndex(name, c);
  if (/^(laneid|warpid)$/.test(name) && c.lanes > WARP_LANES) return varying;
  if (name === "gtid.x" || name === "laneid") return shape(AFFINE, 1, trailingZeros(c.lanes));
  if (name === "localWindow" || name === "localOffset") return varying;
  const k = ["ntid.x", "ntid.y", "ntid.z"].indexOf(name);
  if (k >= 0) return shape(UNIFORM, 0, trailingZeros(c.block[k]));
  return uniform;
}

/** The shape of an operation's result from the shapes of its operands. */
export function transfer(v: Value, c: ShapeContext): Shape {
  switch (v.op) {
    case "const":
      return v.type === I32 ? shape(UNIFORM, 0, trailingZeros(v.imm)) : uniform;
    case "sreg":
      return specialRegister(v, c);
    case "param":
      return c.aligned?.has(v) ? shape(UNIFORM, 0, Math.log2(LANES)) : uniform;
    case "spin":
    case "all":
    case "first":
      return uniform;
    case "reload":
      return c.register(v.imm);
    case "host": {
      // Groups look one after the other.
      const time = c.lanes <= LANES && /^(clock|globaltimer)$/.test(v.aux.name as string);
      return time ? uniform : varying;
    }
    case "load":
      if (v.aux.ordered && c.lanes > LANES) return varying;
      break;
    case "check":
      // Local memory is another one for each lane.
      if (v.aux.space === "local") return varying;
      return v.args.every((a) => c.of(a).kind === UNIFORM)
        ? uniform
        : v.args.some((a) => c.of(a).kind === UNKNOWN)
          ? unknown
          : varying;
    case "result":
    case "call":
    case "argument":
    case "out":
      return varying;
    case "lib":
      if (v.aux.effect) return varying;
      break;
    case "warp":
      if (c.shared) return c.shared.has(v) ? uniform : varying;
      return c.lanes === WARP_LANES ? warpShape(v, c) : varying;
    case "select": {
      const cond = c.of(v.args[0]);
      if (cond.kind === UNKNOWN) return unknown;
      if (cond.kind === VARYING) return varying;
      return join(c.of(v.args[1]), c.of(v.args[2]));
    }
  }
  const shapes = v.args.map((a) => c.of(a));
  if (shapes.some((s) => s.kind === UNKNOWN)) return unknown;
  if (shapes.some((s) => s.kind === VARYING)) return varying;
  const [a, b] = shapes;
  if (v.type === I32 && b) return arithmetic(v, a, b, c);
  if (shapes.every((s) => s.kind === UNIFORM)) return uniform;
  return v.type === 0 && b ? comparison(v, a, b, c.lanes) : varying;
}

/** What a warp operation of all lanes gives them: one value, or each its own. */
function warpShape(v: Value, c: ShapeContext): Shape {
  const name = v.aux.name as string;
  if (name.startsWith("vote")) {
    const mask = memberMask(v);
    if (!mask) return uniform;
    return c.of(mask).kind === AFFINE ? varying : shape(c.of(mask).kind);
  }
  if (/^(redux|activemask|match_all)/.test(name)) return uniform;
  if (!name.startsWith("shfl")) return varying;
  const [a, lane, control] = v.args.map((x) => c.of(x));
  if ([a, lane, control].some((s) => s.kind === UNKNOWN)) return unknown;
  if (v.imm !== 0) return varying;
  if (a.kind === UNIFORM) return uniform;
  return name.includes("_idx_") && lane.kind === UNIFORM && spansWarp(v.args[2])
    ? uniform
    : varying;
}

/** Whether a shuffle's clamp and segment mask make one segment of the warp. */
export const spansWarp = (control: Value): boolean =>
  control.op === "const" && (control.imm & 0x1f1f) === 31;

function arithmetic(v: Value, a: Shape, b: Shape, c: ShapeContext): Shape {
  const { lanes } = c;
  const both = a.kind === UNIFORM && b.kind === UNIFORM;
  const kind = both ? UNIFORM : AFFINE;
  const k = v.args[1].op === "const" ? v.args[1].imm : undefined;
  const make = (stride: number, zeros: number): Shape =>
    stride === 0 && kind === AFFINE ? shape(UNIFORM, 0, zeros) : shape(kind, stride, zeros);
  switch (v.op) {
    case "i32_add":
      // The least values meet in one lane unless the strides have different signs.
      return make(a.stride + b.stride, a.stride * b.stride < 0 ? 0 : Math.min(a.zeros, b.zeros));
    case "i32_sub":
      return make(a.stride - b.stride, differenceZeros(a, b, lanes));
    case "i32_mul":
      if (both) return shape(UNIFORM, 0, Math.min(32, a.zeros + b.zeros));
      if (k === undefined || Math.abs(a.stride * k) > 2 ** 20) return varying;
      return make(a.stride * k, k < 0 ? 0 : Math.min(32, a.zeros + trailingZeros(k)));
    case "i32_shl":
      if (k === undefined) return both ? shape(UNIFORM, 0, a.zeros) : varying;
      if (!both && Math.abs(a.stride) * 2 ** (k & 31) > 2 ** 20) return varying;
      return make(a.stride * 2 ** (k & 31), Math.min(32, a.zeros + (k & 31)));
    case "i32_shr_u":
    case "i32_shr_s": {
      if (k === undefined) return both ? uniform : varying;
      const by = k & 31;
      if (both) return shape(UNIFORM, 0, Math.max(0, a.zeros - by));
      if (!inLowBits(a, lanes)) return varying;
      if (by >= a.zeros) return uniform;
      if (a.stride % 2 ** by !== 0) return varying;
      return shape(AFFINE, a.stride / 2 ** by, a.zeros - by);
    }
    case "i32_and": {
      if (both) return shape(UNIFORM, 0, Math.max(a.zeros, b.zeros));
      if (k === undefined) {
        const [x, y, other] = a.kind === AFFINE ? [a, b, v.args[1]] : [b, a, v.args[0]];
        if (y.kind !== UNIFORM || !inLowBits(x, lanes)) return varying;
        if (y.zeros >= x.zeros) return shape(UNIFORM, 0, y.zeros);
        return onesBelow(other, c) >= x.zeros ? x : varying;
      }
      if (!inLowBits(a, lanes)) return varying;
      const low = (2 ** a.zeros - 1) | 0;
      // Bits below the stride's lowest are zero in all lanes.
      const kept = k | (2 ** trailingZeros(a.stride) - 1);
      if ((kept & low) === low) return a;
      if ((k & low) === 0) return shape(UNIFORM, 0, Math.max(a.zeros, trailingZeros(k)));
      return varying;
    }
    case "i32_or":
    case "i32_xor": {
      if (both) return shape(UNIFORM, 0, Math.min(a.zeros, b.zeros));
      const [x, y] = a.kind === AFFINE ? [a, b] : [b, a];
      // ~x = -1 - x
      if (v.op === "i32_xor" && k === -1) {
        const zeros = Math.min(x.zeros, trailingZeros(1 + (lanes - 1) * Math.abs(x.stride)));
        return make(-x.stride, zeros);
      }
      return y.kind === UNIFORM && inLowBits(x, lanes) && y.zeros >= x.zeros ? x : varying;
    }
    default:
      return both ? uniform : varying;
  }
}

/** Zeros of the least lane of a - b. */
function differenceZeros(a: Shape, b: Shape, lanes: number): number {
  const zeros = Math.min(a.zeros, b.zeros);
  if (b.stride === 0) return zeros;
  // The least lane is where b is greatest.
  if (a.stride === 0) return Math.min(zeros, trailingZeros((lanes - 1) * Math.abs(b.stride)));
  return a.stride >= b.stride && b.stride > 0 ? zeros : 0;
}

/** How many low bits of a value are known to be ones: of a multiple of a power of two, less one. */
function onesBelow(v: Value, c: ShapeContext): number {
  if (v.op !== "i32_add") return 0;
  const [x, k] = v.args;
  return k.op === "const" && k.imm === -1 && c.of(x).kind === UNIFORM ? c.of(x).zeros : 0;
}

/**
 * base + lane < limit is the same for all lanes if both are multiples of a span of four lanes; so is
 * base + lane <= limit if limit + 1 is.
 */
function comparison(v: Value, a: Shape, b: Shape, lanes: number): Shape {
  const parts = /^i32_(lt|ge|gt|le)_[su]$/.exec(v.op);
  if (!parts || (a.kind === AFFINE) === (b.kind === AFFINE)) return varying;
  const [index, limit, other] = a.kind === AFFINE ? [a, b, v.args[1]] : [b, a, v.args[0]];
  const exclusive = a.kind === AFFINE ? /lt|ge/.test(parts[1]) : /gt|le/.test(parts[1]);
  const plain = exclusive ? limit.zeros : other.op === "const" ? trailingZeros(other.imm + 1) : 0;
  return inLowBits(index, lanes) && plain >= index.zeros ? uniform : varying;
}

/** Whether a value needs two vectors: four lanes of 64 bits. */
export const isWide = (v: Value) => v.type === I64 || v.type === 4;
